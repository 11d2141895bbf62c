"""The most money that a site can make, by a program of its own."""

from __future__ import annotations

import numpy as np

from support.peers.bill import Meter
from support.peers.billing_program import add_bill
from support.peers.plant_program import SiteCase, Unit, add_plant
from support.peers.program import Program, total


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


def bring_back(program: Program, units: list[Unit], seconds: float) -> bool:
    """Make the distances to the windows least, step after step; from the first step inside the window holds."""
    back: set[int] = set()
    for t in range(max((len(unit.distance) for unit in units), default=0)):
        outside = [at for at, unit in enumerate(units) if unit.distance and at not in back]
        if not outside:
            break
        for group in [outside, *([at] for at in outside)] if len(outside) > 1 else [outside]:
            sum_ = total([units[at].distance[t] for at in group])
            program.objective = sum_ * -1.0
            least = program.solve(seconds)
            if least is None:
                return False
            program.keep(sum_, high=max(-least, 0.0) + 1e-9)
        for at in outside:
            if units[at].distance[t].value(program.x) <= 1e-8:
                back.add(at)
                for later in units[at].distance[t:]:
                    program.keep(later, high=1e-9)
    return True


def best_money(case: SiteCase, seconds: float = 120.0) -> float | None:
    """Net revenue less wear plus stored value at its largest, None where nothing is feasible."""
    program = Program()
    plant = add_plant(program, case)
    none = np.zeros(len(case.series))
    paid = add_bill(program, meter_of(case, none, none), case.tariff, plant.bought, plant.sold)
    if not bring_back(program, plant.units, seconds):
        return None
    program.objective = plant.money + plant.shadow - paid
    return program.solve(seconds)
