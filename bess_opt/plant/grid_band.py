"""Grid power that a site may have in each step: limits of the connection, caps of clauses, ramps from step to step.

What ramps allow depends on the step before, so the band is filled while the plant runs.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.plant import physics
from bess_opt.plant.plant import Bus, Plant
from bess_opt.plant.products.activation import called_mw
from bess_opt.plant.room import Edge, Room, Setpoints, ac_edges, room_of, tightest


class GridBand:
    """Least and most grid power per step, MW, + exports: `least_mw` and `most_mw` must hold.

    `curtailed_above_mw` is where PV gives way: the most, or under `clauses_first` also what soft caps allow.
    """

    def __init__(self, plant: Plant, asked: Setpoints, *, clauses_first: bool = False) -> None:
        self.least_mw, self.most_mw = -plant.import_max_mw, plant.export_max_mw.copy()
        soft = plant.connection.soft_cap_mw("export_mw") if clauses_first else np.inf
        self.curtailed_above_mw: Array = np.minimum(self.most_mw, soft)
        self.ramps = plant.connection.has_ramps
        if not self.ramps:
            return
        self._bus, self._curtailment = plant.bus, plant.curtailable.tolist()
        load = plant.load_mw - asked.unserved_mw
        self._load, self._shed = load.tolist(), np.maximum(plant.sheddable_mw - asked.unserved_mw, 0.0).tolist()
        self._solar_ac = (plant.solar_ac_mw - asked.curtailed_ac_mw).tolist()
        self._solar_dc = (plant.solar_dc_mw - asked.curtailed_dc_mw).tolist()
        # Ramps bind the base point; the band is that of the step's mean with its calls.
        called = called_mw(plant, asked.held.bids) if plant.activated and asked.held else np.zeros(plant.steps)
        self._called = called.tolist()
        self._ramp, self._first = plant.connection.ramp_mw.tolist(), plant.connection.first_grid_mw
        self.grid_mw: list[float] = []

    def narrowed(
        self, t: int, lowest: float, highest: float, lowest_by: str, highest_by: str
    ) -> tuple[float, float, str, str]:
        """Least and most battery power of step `t` with its ramp, and what sets each."""
        least, most = self.battery_power(t)
        return (
            max(lowest, least), min(highest, most),
            "ramp limit" if least > lowest else lowest_by, "ramp limit" if most < highest else highest_by,
        )  # fmt: skip

    def battery_power(self, t: int) -> tuple[float, float]:
        """(least, most) battery power at the port that keeps the ramp into step `t`; it narrows the band.

        Where PV may be curtailed an idle battery is not made to charge but for what curtailment cannot do.
        """
        low, high, dark = self.ac_power(t)
        lowest, highest = self._at_port(low) - self._solar_dc[t], self._at_port(high) - self._solar_dc[t]
        if self._curtailment[t]:
            highest = max(highest, min(0.0, self._at_port(dark)))
        return lowest, highest

    def ac_power(self, t: int) -> tuple[float, float, float]:
        """(least, most, most with all PV curtailed) that batteries and DC bus may give on the AC bus in step `t`.

        They keep the ramp into the step; the band is narrowed by it.
        """
        ramp = self._ramp[t]
        last = self.grid_mw[-1] if self.grid_mw else 0.0
        least, most = (last - ramp, last + ramp) if t else self._first
        least, most = least + self._called[t], most + self._called[t]
        self.least_mw[t], self.most_mw[t] = max(self.least_mw[t], least), min(self.most_mw[t], most)
        self.curtailed_above_mw[t] = min(self.curtailed_above_mw[t], max(most, self.least_mw[t]))
        here = self._load[t] - self._solar_ac[t]
        return least + here, most + here, most + self._load[t]

    def _at_port(self, ac_mw: float) -> float:
        """Power on the battery's bus for a net power on the AC bus, + towards it."""
        bus: Bus | None = self._bus
        if bus is None or not np.isfinite(ac_mw):
            return ac_mw
        out, into = max(ac_mw, 0.0), max(-ac_mw, 0.0)
        return float(physics.inverter_dc_mw(out, into, eta_out=bus.eta_out, eta_in=bus.eta_in))

    def book(self, t: int, ac_mw: float, dc_mw: float) -> None:
        """Enter the batteries' power on each bus, and the grid power that comes of it once curtailed and shed."""
        above, least = float(self.curtailed_above_mw[t]), float(self.least_mw[t])
        solar_ac, given = self._solar_ac[t], 0.0
        if self._bus is not None:
            net = self._solar_dc[t] + dc_mw
            given = physics.inverter_ac_mw(net, eta_out=self._bus.eta_out, eta_in=self._bus.eta_in)
            takes = self._load[t] + above - ac_mw - (0.0 if self._curtailment[t] else solar_ac)
            most = min(max(takes, 0.0), self._bus.inverter_mw)
            if self._curtailment[t] and given > most:
                given -= min(given - most, self._solar_dc[t] * self._bus.eta_out)
        grid = solar_ac + ac_mw + given - self._load[t]
        if self._curtailment[t] and grid > above:
            grid -= min(grid - above, solar_ac)
        if grid < least:
            grid += min(least - grid, self._shed[t])
        self.grid_mw.append(grid - self._called[t])


def ac_band(plant: Plant, asked: Setpoints, *, of_rule: bool) -> tuple[Edge, Edge]:
    """(least, most) that batteries and DC bus may give on the AC bus; with `of_rule` as in `room_of_rule`."""
    upper = tightest(ac_edges(plant, asked)[0], np.argmin)
    if not of_rule:
        return tightest(ac_edges(plant, asked)[1], np.argmax), upper
    shedding = replace(asked, unserved_mw=plant.sheddable_mw)
    lower = tightest(ac_edges(plant, shedding)[1], np.argmax)
    if not plant.connection.soft:
        return lower, upper
    highest, lowest = ac_edges(within_soft_caps(plant), asked)
    return _softened(plant, (lower, upper), (tightest(lowest, np.argmax), tightest(highest, np.argmin)))


def room_of_rule(plant: Plant, asked: Setpoints) -> Room:
    """Battery power that the site allows a rule: it keeps soft caps too where it can, and sheds priced load.

    Where unserved load has a price the import limit changes no power that is asked for: load beyond it is shed.
    """
    shedding = room_of(plant, replace(asked, unserved_mw=plant.sheddable_mw))
    hard = replace(room_of(plant, asked), lowest_mw=shedding.lowest_mw, lowest_by=shedding.lowest_by)
    if not plant.connection.soft:
        return hard
    soft = room_of(within_soft_caps(plant), asked)
    lowest, highest = _softened(
        plant,
        ((hard.lowest_mw, hard.lowest_by), (hard.highest_mw, hard.highest_by)),
        ((soft.lowest_mw, soft.lowest_by), (soft.highest_mw, soft.highest_by)),
    )
    return Room(lowest[0], highest[0], lowest[1], highest[1])


def within_soft_caps(plant: Plant) -> Plant:
    """The plant as if priced caps could not be exceeded."""
    return replace(
        plant,
        import_max_mw=np.minimum(plant.import_max_mw, plant.connection.soft_cap_mw("import_mw")),
        export_max_mw=np.minimum(plant.export_max_mw, plant.connection.soft_cap_mw("export_mw")),
    )


def _softened(plant: Plant, hard: tuple[Edge, Edge], soft: tuple[Edge, Edge]) -> tuple[Edge, Edge]:
    """(least, most) with the priced caps as far as the hard bounds allow."""
    (low, low_by), (high, high_by) = hard
    (soft_low, soft_low_by), (soft_high, soft_high_by) = soft
    capped = np.isfinite(plant.connection.soft_cap_mw("import_mw"))  # elsewhere load is shed, no power changed
    raised, lowered = (soft_low > low) & capped, soft_high < high
    least = np.where(raised, np.minimum(soft_low, high), low), np.where(raised, soft_low_by, low_by)
    most = np.where(lowered, np.maximum(soft_high, low), high), np.where(lowered, soft_high_by, high_by)
    return least, most
