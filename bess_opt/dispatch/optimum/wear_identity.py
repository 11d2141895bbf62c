"""The rows of a certificate that hold the wear in a model against rainflow counting of the plan that it made."""

from __future__ import annotations

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.common.errors import AuditError
from bess_opt.models.warranty.wear import leaving_name
from bess_opt.plant.flows import BatteryFlows, Flows
from bess_opt.plant.plant import Plant, Storage
from bess_opt.plant.warranty.depth_wear import DepthWear, WearIdentity, rainflow_cost
from bess_opt.solver.optimum import Optimum

SAME = 1e-6  # of the wear, or of one full cycle's: the audit's own tolerance
NOTHING = 1e-7  # of the battery's power: less in the weaker direction of a step is rounding


def wear_identities(optimum: Optimum, plant: Plant, flows: Flows) -> tuple[WearIdentity, ...]:
    """One row for each battery with wear by depth of cycle.

    AuditError where the two are to agree and do not: the plan's wear would not be what its cycles cost.
    """
    rows = []
    for battery, own in zip(plant.batteries, flows.batteries, strict=True):
        if battery.wear is None:
            continue
        modelled = float(battery.wear.price_per_mwh @ _leaving(optimum, battery, battery.wear, own, plant.step_h))
        counted = rainflow_cost(battery.wear, own.energy_mwh)
        row = WearIdentity(battery.name or "battery", modelled, counted, _reasons(battery, own, plant))
        whole = float(battery.wear.of_falls(np.array(battery.energy_mwh)))
        if row.claimed and not optimum.limited and abs(row.difference) > SAME * max(abs(counted), whole):
            raise AuditError(
                f"the plan's wear of {row.battery} is {modelled:.9g} in the model and {counted:.9g} by rainflow "
                "counting of its state of charge; the two must agree"
            )
        rows.append(row)
    return tuple(rows)


def _leaving(optimum: Optimum, battery: Storage, wear: DepthWear, own: BatteryFlows, step_h: float) -> Array:
    """Energy that leaves each segment over the horizon, as the model has it."""
    if wear.one_price:
        _, out = battery.through_cells(own.charge_mw, own.discharge_mw, step_h)
        return np.append(out.sum(), np.zeros(len(wear.width_mwh) - 1))
    each = [optimum.flow(f"{battery.prefix}{leaving_name(j)}") for j in range(len(wear.width_mwh))]
    return np.array([0.0 if values is None else float(values.sum()) for values in each])


def _reasons(battery: Storage, own: BatteryFlows, plant: Plant) -> tuple[str, ...]:
    """Why the two may differ, each in a few words; none where they must agree."""
    wear, reasons = battery.wear, []
    if battery.retention != 1.0:
        reasons.append("self-discharge lowers the state of charge without price, and counting takes it for a fall")
    if np.any(battery.drawn_mw):
        reasons.append("drawn_mw lowers the state of charge without price, and counting takes it for a fall")
    if (np.minimum(own.charge_mw, own.discharge_mw) > NOTHING * plant.scale_mw).any():
        reasons.append("energy goes in and out within a step by activation, and counting sees ends of steps alone")
    if wear is not None and not wear.cheapest_first:
        reasons.append("wear_stand does not fill the cheapest segments, and counting knows nothing of the past")
    return tuple(reasons)
