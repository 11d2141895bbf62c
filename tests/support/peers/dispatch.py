"""The most money that a site can make, by a program of its own."""

from __future__ import annotations

import numpy as np

from support.peers.bill import Meter
from support.peers.billing_program import add_bill
from support.peers.plant_program import SiteCase, add_plant
from support.peers.program import Program


def meter_of(case: SiteCase, import_mw: np.ndarray, export_mw: np.ndarray) -> Meter:
    """The meter of a site with the prices of its series."""

    def prices(name: str) -> np.ndarray | None:
        return case.series[name].to_numpy(dtype=float) if name in case.series else None

    return Meter(
        index=case.series.index,
        import_mw=import_mw,
        export_mw=export_mw,
        import_price=prices("import_price_per_mwh"),
        export_price=prices("export_price_per_mwh"),
        both_price=prices("price_per_mwh"),
        holidays=case.holidays,
    )


def best_money(case: SiteCase, seconds: float = 120.0) -> float | None:
    """Net revenue less wear plus stored value at its largest, None where nothing is feasible."""
    program = Program()
    plant = add_plant(program, case)
    none = np.zeros(len(case.series))
    paid = add_bill(program, meter_of(case, none, none), case.tariff, plant.bought, plant.sold)
    program.objective = plant.money + plant.shadow - paid
    return program.solve(seconds)
