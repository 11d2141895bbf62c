"""What a site leaves its battery in each step: connection, inverter, and who may charge from or feed the grid.

None of it depends on what the battery holds, so it is worked out for all steps at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.plant import physics
from bess_opt.plant.plant import Bus, Plant
from bess_opt.plant.rule import Held


@dataclass(frozen=True)
class Setpoints:
    """What is asked of the plant per step, MW: battery power at the port (+ discharges), curtailment, shedding.

    `battery_mw` is net of what flows both ways under regulation, which `held` tells.
    """

    battery_mw: Array
    curtailed_ac_mw: Array
    curtailed_dc_mw: Array
    unserved_mw: Array
    held: Held | None = None


@dataclass(frozen=True)
class Room:
    """Battery power that the site allows per step, MW at the port, and what sets each bound."""

    lowest_mw: Array
    highest_mw: Array
    lowest_by: Array
    highest_by: Array


def room_of(plant: Plant, asked: Setpoints) -> Room:
    """Battery power that connection, inverter and permissions allow, with `asked`'s curtailment and shedding."""
    load = plant.load_mw - asked.unserved_mw
    solar_ac, solar_dc = plant.solar_ac_mw - asked.curtailed_ac_mw, plant.solar_dc_mw - asked.curtailed_dc_mw
    upper = [(load + plant.export_max_mw - solar_ac, "export limit")]
    lower = [(load - plant.import_max_mw - solar_ac, "import limit")]
    if not plant.battery_export:
        sold = plant.bus.eta_out * solar_dc if plant.bus else 0.0
        served = np.maximum(load - solar_ac, sold) if plant.strict_export else np.maximum(load + sold, 0.0)
        upper.append((served, "battery export"))
    if not plant.grid_charging:
        lower.append((np.minimum(-solar_ac, 0.0), "grid charging"))
    if plant.bus is not None:
        upper.append((np.full(plant.steps, plant.bus.inverter_mw), "inverter"))
        lower.append((np.full(plant.steps, -plant.bus.inverter_mw), "inverter"))
        upper = [(_dc_of(plant.bus, ac) - solar_dc, by) for ac, by in upper]
        lower = [(_dc_of(plant.bus, ac) - solar_dc, by) for ac, by in lower]
    highest, highest_by = _tightest(upper, np.argmin)
    lowest, lowest_by = _tightest(lower, np.argmax)
    if plant.curtailment:  # an idle battery is always allowed: PV gives way
        highest = np.maximum(highest, 0.0)
    return Room(lowest, highest, lowest_by, highest_by)


def _dc_of(bus: Bus, ac_mw: Array) -> Array:
    """DC-side power of the shared inverter for a net AC-side power, + towards the AC bus."""
    dc: Array = physics.inverter_dc_mw(
        np.maximum(ac_mw, 0.0), np.maximum(-ac_mw, 0.0), eta_out=bus.eta_out, eta_in=bus.eta_in
    )
    return dc


def _tightest(bounds: list[tuple[Array, str]], pick: object) -> tuple[Array, Array]:
    values = np.stack([value for value, _ in bounds])
    names = np.array([by for _, by in bounds], dtype=object)
    which = pick(values, axis=0)  # type: ignore[operator]
    return np.take_along_axis(values, which[None], axis=0)[0], names[which]
