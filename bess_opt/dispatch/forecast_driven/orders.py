"""Orders to a plant, and what it makes of them: the step simulator on a stretch of the horizon."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.dispatch.forecast_driven.plant_state import Moved, PlantState, stretch
from bess_opt.dispatch.forecast_driven.rolling import PlanningWindow
from bess_opt.plant.flows import OF_SITE, BatteryFlows, Flows, bid_names
from bess_opt.plant.plant import Plant
from bess_opt.plant.room import Setpoints
from bess_opt.plant.rule import Held
from bess_opt.plant.stepper import follow

NOTHING = 1e-9  # of the plant's size: PV curtailed or load shed by less is none


class Orders:
    """What has been ordered per step, NaN where nothing has been yet. Powers in MW, + discharges.

    `battery_mw` has a row for each battery.
    `used_ac_mw`, `used_dc_mw` and `served_mw` are ceilings on PV used and load served: where a plan curtails or
    sheds, the plant is held at what the plan uses, whatever sun and load turn out to be; else there is none.
    """

    def __init__(self, believed: Sequence[Plant], carried_by: Array, youngest: int) -> None:
        steps = believed[0].steps
        self._carried_by, self._youngest, self._oldest = carried_by, youngest, len(believed) - 1
        self._small = NOTHING * believed[0].scale_mw
        prefixes = [battery.prefix for battery in believed[0].batteries]
        self._powers = [(f"{prefix}charge_mw", f"{prefix}discharge_mw") for prefix in prefixes]
        self.battery_mw = np.full((len(prefixes), steps), np.nan)
        self.used_ac_mw, self.used_dc_mw, self.served_mw = (np.full(steps, np.inf) for _ in range(3))
        self._ceilings = (
            (self.used_ac_mw, np.array([plant.solar_ac_mw for plant in believed]), "curtailed_ac_mw"),
            (self.used_dc_mw, np.array([plant.solar_dc_mw for plant in believed]), "curtailed_dc_mw"),
            (self.served_mw, np.array([plant.load_mw for plant in believed]), "unserved_mw"),
        )
        self._later: tuple[PlanningWindow, Mapping[str, Array]] | None = None  # given, but for what it carries out
        self._bids = bid_names(believed[0])
        self.held_mw = {name: np.zeros(steps) for name in self._bids.values()}
        # What calls of products make flow both ways, a row per battery.
        self._activated, self._names = believed[0].activated, [own.name for own in believed[0].batteries]
        self.swings_mw = np.zeros((len(self._names), steps))

    def give(self, window: PlanningWindow, plan: Mapping[str, Array]) -> None:
        """Order what a window plans for all its steps; a later window takes over its own.

        Those that it does not carry out are noted once they are asked for: mostly a later window has them by then.
        """
        if self._later is not None and (window.first > self._later[0].until or window.last < self._later[0].last):
            self._note_later()
        self._note(window, plan, window.first, window.until)
        self._later = (window, plan) if window.until < window.last else None

    def _note_later(self) -> None:
        """Note what the last window orders beyond the steps that it carries out."""
        if self._later is not None:
            window, plan = self._later
            self._later = None
            self._note(window, plan, window.until, window.last)

    def _note(self, window: PlanningWindow, plan: Mapping[str, Array], first: int, last: int) -> None:
        """Order what `window` plans for steps `first` to `last` − 1."""
        at, own = slice(first, last), slice(first - window.first, last - window.first)
        powers = [(plan[charge][own], plan[discharge][own]) for charge, discharge in self._powers]
        for battery_mw, (charge, discharge) in zip(self.battery_mw, powers, strict=True):
            np.subtract(discharge, charge, out=battery_mw[at])
        for ceiling, believed, name in self._ceilings:
            ceiling[at] = np.inf
            forgone = plan.get(name)
            if forgone is not None:
                self._hold(ceiling[at], believed, window, first, forgone[own])
        for component, name in self._bids.items():
            self.held_mw[name][at] = plan[component][own] if component in plan else 0.0
        if self._activated:
            self.swings_mw[:, at] = [np.minimum(charge, discharge) for charge, discharge in powers]

    def _hold(self, ceiling: Array, believed: Array, window: PlanningWindow, first: int, forgone: Array) -> None:
        """Put what a plan uses from step `first` on to `ceiling`, where it forgoes some of what is `believed`."""
        (steps,) = np.nonzero(forgone > self._small)
        if len(steps):
            at = first + steps
            age = np.clip(self._carried_by[at] - window.decision - self._youngest, 0, self._oldest)
            ceiling[steps] = believed[age, at] - forgone[steps]

    def forget(self, first: int) -> None:
        """Nothing is ordered from step `first` on."""
        self._note_later()
        self.battery_mw[:, first:] = np.nan
        for ceiling in (self.used_ac_mw, self.used_dc_mw, self.served_mw):
            ceiling[first:] = np.inf
        for held in (*self.held_mw.values(), *self.swings_mw):
            held[first:] = 0.0

    def stand(self, first: int, last: int) -> bool:
        """Whether steps `first` to `last` − 1 have orders."""
        self._note_later()
        return not np.isnan(self.battery_mw[:, first:last]).any()

    def on(self, plant: Plant, first: int, last: int) -> Setpoints:
        """The orders of a stretch as set points for `plant`, which is that stretch."""
        if self._later is not None and last > self._later[0].until:
            self._note_later()
        at = slice(first, last)
        return Setpoints(
            battery_mw=self.battery_mw[0, at] if len(self._powers) == 1 else self.battery_mw[:, at],
            curtailed_ac_mw=np.maximum(plant.solar_ac_mw - self.used_ac_mw[at], 0.0),
            curtailed_dc_mw=np.maximum(plant.solar_dc_mw - self.used_dc_mw[at], 0.0),
            unserved_mw=np.clip(plant.load_mw - self.served_mw[at], 0.0, plant.sheddable_mw),
            held=self._held(at),
        )

    def _held(self, at: slice) -> Held:
        swings = [swing[at].tolist() for swing in self.swings_mw]
        capacity = {name: held[at].tolist() for name, held in self.held_mw.items()}
        return Held(capacity, swings[0], dict(zip(self._names, swings, strict=True)) if self._activated else {})


def carry_out(plant: Plant, orders: Orders, first: int, last: int, state: PlantState, moved_mw: Moved) -> Flows:
    """What `plant` does in steps `first` to `last` − 1 on `orders`, from where it stands, see `stretch`.

    Raises `InfeasibleError`.
    """
    part = stretch(plant, first, last, state, moved_mw)
    return follow(part, orders.on(part, first, last))


def joined(pieces: list[Flows]) -> Flows:
    """Flows of runs of steps, one after the other, as those of the whole."""
    whole = {
        name: np.concatenate([np.asarray(getattr(piece, name)) for piece in pieces])
        for name in (*OF_SITE, "limited_by")
    }
    held = {name: np.concatenate([piece.held_mw[name] for piece in pieces]) for name in pieces[0].held_mw}
    batteries = tuple(map(_joined_battery, zip(*(piece.batteries for piece in pieces), strict=True)))
    return Flows(batteries=batteries, held_mw=held, **whole)


def _joined_battery(pieces: Sequence[BatteryFlows]) -> BatteryFlows:
    stored = [pieces[0].energy_mwh[:1], *(piece.energy_mwh[1:] for piece in pieces)]
    return BatteryFlows(
        charge_mw=np.concatenate([piece.charge_mw for piece in pieces]),
        discharge_mw=np.concatenate([piece.discharge_mw for piece in pieces]),
        energy_mwh=np.concatenate(stored),
    )
