"""The flows of a plan, and the schedule that they make: every column computed here, for either twin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bess_opt.common.arrays import Array
from bess_opt.common.columns import SCHEDULE
from bess_opt.plant import physics
from bess_opt.plant.plant import Plant


@dataclass(frozen=True)
class Flows:
    """What a plan decides, as arrays over the steps, MW; `energy_mwh` has n+1 values, the start first."""

    charge_mw: Array
    discharge_mw: Array
    energy_mwh: Array
    import_mw: Array
    export_mw: Array
    curtailed_ac_mw: Array
    curtailed_dc_mw: Array
    unserved_mw: Array
    inverter_out_mw: Array
    inverter_in_mw: Array
    limited_by: Any = ""
    regulation_up_mw: Any = 0.0
    regulation_down_mw: Any = 0.0


def schedule_of(plant: Plant, flows: Flows) -> pd.DataFrame:
    """Every column of the schedule from the flows, each on its own; none is the remainder of the others."""
    storage, bus, steps = plant.storage, plant.bus, plant.steps
    nothing = np.zeros(steps)
    inverter_loss = (
        nothing
        if bus is None
        else physics.inverter_loss_mw(
            flows.inverter_out_mw, flows.inverter_in_mw, eta_out=bus.eta_out, eta_in=bus.eta_in
        )
    )
    storage_loss = physics.storage_loss_mw(
        flows.energy_mwh[:-1],
        flows.charge_mw,
        flows.discharge_mw,
        eta_charge=storage.eta_charge,
        eta_discharge=storage.eta_discharge,
        retention=storage.retention,
        step_h=plant.step_h,
    )
    import_price, export_price, revenue = plant.settled_energy(flows.import_mw, flows.export_mw)
    columns: dict[str, Any] = {
        "solar_mw": plant.solar_mw,
        "solar_dc_mw": plant.solar_dc_mw,
        "load_mw": plant.load_mw,
        "unserved_mw": flows.unserved_mw,
        "charge_mw": flows.charge_mw,
        "discharge_mw": flows.discharge_mw,
        "battery_mw": flows.discharge_mw - flows.charge_mw,
        "inverter_mw": flows.inverter_out_mw - flows.inverter_in_mw,
        "inverter_loss_mw": inverter_loss,
        "energy_mwh": flows.energy_mwh[1:],
        "soc": flows.energy_mwh[1:] / storage.energy_mwh,
        "import_mw": flows.import_mw,
        "export_mw": flows.export_mw,
        "grid_mw": flows.export_mw - flows.import_mw,
        "curtailed_mw": flows.curtailed_ac_mw + flows.curtailed_dc_mw,
        "curtailed_dc_mw": flows.curtailed_dc_mw,
        "loss_mw": storage_loss + inverter_loss,
        "regulation_up_mw": nothing + flows.regulation_up_mw,
        "regulation_down_mw": nothing + flows.regulation_down_mw,
        "limited_by": np.broadcast_to(np.asarray(flows.limited_by, dtype=object), steps),
        "import_price_per_mwh": import_price,
        "export_price_per_mwh": export_price,
        "revenue": revenue,
    }
    return pd.DataFrame({name: columns[name] for name in SCHEDULE}, index=plant.index)
