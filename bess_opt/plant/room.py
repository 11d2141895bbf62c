"""What a site leaves its battery in each step: connection, inverter, and who may charge from or feed the grid.

None of it depends on what the battery holds, so it is worked out for all steps at once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.plant import physics
from bess_opt.plant.plant import Bus, Plant
from bess_opt.plant.products.activation import through_inverter
from bess_opt.plant.rule import Held


@dataclass(frozen=True)
class Setpoints:
    """What is asked of the plant per step, MW: battery power at the port (+ discharges), curtailment, shedding.

    `battery_mw` is net of what flows both ways under regulation, which `held` tells; it has a row for each of
    several batteries.
    """

    battery_mw: Array
    curtailed_ac_mw: Array
    curtailed_dc_mw: Array
    unserved_mw: Array
    held: Held | None = None

    def called(self, plant: Plant) -> tuple[Array, Array]:
        """Mean power of products' calls through the shared inverter, + towards the AC bus: (at its AC side, DC side).

        What a call brings is converted on its own, beside what flows at the base point.
        """
        if plant.bus is None or not plant.activated or self.held is None:
            return np.zeros(plant.steps), np.zeros(plant.steps)
        out, into = through_inverter(plant, self.held.bids)
        dc: Array = physics.inverter_dc_mw(out, into, eta_out=plant.bus.eta_out, eta_in=plant.bus.eta_in)
        return out - into, dc


@dataclass(frozen=True)
class Room:
    """Battery power that the site allows per step, MW at the port, and what sets each bound."""

    lowest_mw: Array
    highest_mw: Array
    lowest_by: Array
    highest_by: Array


Edge = tuple[Array, Array]  # MW per step, and what sets it
Edges = list[tuple[Array, str]]  # each with what sets it


def room_of(plant: Plant, asked: Setpoints) -> Room:
    """Battery power that connection, inverter and permissions allow, with `asked`'s curtailment and shedding.

    It holds for one battery, and for the sum of several on the same bus.
    """
    lowest, lowest_by, highest, highest_by = port_bounds(plant, asked)
    # Where PV may be curtailed it gives way to an idle battery; negative load does not.
    idle = np.zeros(plant.steps)
    if plant.generation_mw.any():
        dark = replace(asked, curtailed_ac_mw=plant.solar_ac_mw, curtailed_dc_mw=plant.solar_dc_mw)
        idle = np.minimum(port_bounds(plant, dark)[2], 0.0)
    highest = np.where(plant.curtailable, np.maximum(highest, idle), highest)
    return Room(lowest, highest, lowest_by, highest_by)


def port_bounds(plant: Plant, asked: Setpoints) -> tuple[Array, Array, Array, Array]:
    """(least power, what sets it, most power, what sets it) at the port, with the PV that `asked` leaves."""
    upper, lower = ac_edges(plant, asked)
    if plant.bus is not None:
        called_ac, called_dc = asked.called(plant)
        solar_dc = plant.solar_dc_mw - asked.curtailed_dc_mw - called_dc
        upper.append((np.full(plant.steps, plant.bus.inverter_mw), "inverter"))
        lower.append((np.full(plant.steps, -plant.bus.inverter_mw), "inverter"))
        upper = [(_dc_of(plant.bus, ac - called_ac) - solar_dc, by) for ac, by in upper]
        lower = [(_dc_of(plant.bus, ac - called_ac) - solar_dc, by) for ac, by in lower]
    return (*tightest(lower, np.argmax), *tightest(upper, np.argmin))


def ac_edges(plant: Plant, asked: Setpoints) -> tuple[Edges, Edges]:
    """(most, least) power that batteries and DC bus together may give on the AC bus, MW."""
    load = plant.load_mw - asked.unserved_mw
    solar_ac, solar_dc = plant.solar_ac_mw - asked.curtailed_ac_mw, plant.solar_dc_mw - asked.curtailed_dc_mw
    upper = [(load + plant.export_max_mw - solar_ac, "export limit")]
    lower = [(load - plant.import_max_mw - solar_ac, "import limit")]
    if not plant.battery_export:
        sold = plant.bus.eta_out * solar_dc if plant.bus else 0.0
        if plant.strict_export:
            served = np.maximum(load - solar_ac, load - plant.load_mw + sold)
        else:
            served = load + plant.generation_mw + sold
        upper.append((served, "battery export"))
    if not plant.grid_charging:
        lower.append((-solar_ac - plant.generation_mw, "grid charging"))
    return upper, lower


def dc_edges(plant: Plant, asked: Setpoints) -> tuple[Array, Array]:
    """(least, most) power of the batteries on the DC bus that its inverter can take over, MW; none without a bus."""
    if plant.bus is None:
        return np.full(plant.steps, -np.inf), np.full(plant.steps, np.inf)
    called_ac, called_dc = asked.called(plant)
    rating, solar_dc = np.full(plant.steps, plant.bus.inverter_mw), plant.solar_dc_mw - asked.curtailed_dc_mw
    solar_dc = solar_dc - called_dc
    return _dc_of(plant.bus, -rating - called_ac) - solar_dc, _dc_of(plant.bus, rating - called_ac) - solar_dc


def _dc_of(bus: Bus, ac_mw: Array) -> Array:
    """DC-side power of the shared inverter for a net AC-side power, + towards the AC bus."""
    dc: Array = physics.inverter_dc_mw(
        np.maximum(ac_mw, 0.0), np.maximum(-ac_mw, 0.0), eta_out=bus.eta_out, eta_in=bus.eta_in
    )
    return dc


def tightest(edges: Edges, pick: object) -> Edge:
    """(the tightest of several edges per step, what sets it); `pick` is argmin or argmax."""
    values = np.stack([value for value, _ in edges])
    names = np.array([by for _, by in edges], dtype=object)
    which = pick(values, axis=0)  # type: ignore[operator]
    return np.take_along_axis(values, which[None], axis=0)[0], names[which]
