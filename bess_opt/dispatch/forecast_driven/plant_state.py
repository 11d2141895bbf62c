"""What passes from one step of a plant to the next, and a stretch of its horizon as a plant of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.plant.flows import Flows
from bess_opt.plant.plant import Plant, Storage

Moved = tuple[Array, Array]  # power into and out of the ports, MW: a row per battery, a column per step


@dataclass(frozen=True)
class PlantState:
    """Where a plant stands at the start of a step.

    `energy_mwh` is in store in each battery, `wear_stand` what of it is in each segment of its wear by depth, none
    without such wear. `grid_mw` is the grid power at the base point of the step before, + exports, which ramps bind;
    None before the first step.
    """

    energy_mwh: tuple[float, ...]
    wear_stand: tuple[tuple[float, ...], ...]
    grid_mw: float | None = None

    def after(self, plant: Plant, first: int, done: Flows) -> PlantState:
        """Where it stands after the flows `done`, of at least one step, from step `first` on."""
        steps = len(done.import_mw)
        stands = []
        for battery, stand, own in zip(plant.batteries, self.wear_stand, done.batteries, strict=True):
            if battery.wear is None:
                stands.append(stand)
                continue
            drawn = np.broadcast_to(battery.drawn_mw, plant.steps)[first : first + steps]
            here = replace(battery, wear=replace(battery.wear, start_mwh=np.array(stand)), drawn_mw=drawn)
            stands.append(tuple(here.worn(own.charge_mw, own.discharge_mw, plant.step_h).stand_mwh.tolist()))
        energy = tuple(float(own.energy_mwh[-1]) for own in done.batteries)
        last = first + steps - 1
        called = sum(
            float(np.broadcast_to(offer.net_called, plant.steps)[last] * done.held_mw[offer.name][-1])
            for offer in plant.offers
        )
        return PlantState(energy, tuple(stands), float(done.export_mw[-1] - done.import_mw[-1]) - called)


def state_at_first(plant: Plant) -> PlantState:
    """Where a plant stands at the start of its horizon."""
    stands = (() if own.wear is None else tuple(own.wear.start_mwh.tolist()) for own in plant.batteries)
    return PlantState(tuple(own.start_mwh for own in plant.batteries), tuple(stands))


def nothing_moved(plant: Plant) -> Moved:
    """No power through any port in any step."""
    shape = len(plant.batteries), plant.steps
    return np.zeros(shape), np.zeros(shape)


def stretch(plant: Plant, first: int, last: int, state: PlantState, moved_mw: Moved) -> Plant:
    """Steps `first` to `last` − 1 of `plant` as a plant of their own, without money.

    It begins where `state` says; `moved_mw` is (charged, discharged) of each battery so far, for caps on cycles.
    """
    at = slice(first, last)
    batteries = zip(plant.batteries, state.energy_mwh, *moved_mw, strict=True)
    return replace(
        plant,
        index=plant.index[at],
        batteries=tuple(_part(plant, first, last, *own) for own in batteries),
        import_max_mw=plant.import_max_mw[at],
        export_max_mw=plant.export_max_mw[at],
        solar_ac_mw=plant.solar_ac_mw[at],
        solar_dc_mw=plant.solar_dc_mw[at],
        load_mw=plant.load_mw[at],
        clauses=None if plant.clauses is None else plant.clauses.part(first, last, state.grid_mw),
        outages=None if plant.outages is None else plant.outages.part(at),
        import_price=plant.import_price[at],
        export_price=plant.export_price[at],
        billing=None,
        extra={},
        offers=tuple(offer.part(at) for offer in plant.offers),
    )


def _part(
    plant: Plant, first: int, last: int, battery: Storage, energy_mwh: float, charge_mw: Array, discharge_mw: Array
) -> Storage:
    """A battery on the steps of a stretch."""
    at, instants = slice(first, last), slice(first, last + 1)
    into, out = battery.through_cells(charge_mw, discharge_mw, plant.step_h)
    return replace(
        battery,
        start_mwh=energy_mwh,
        floor_mwh=battery.floor_mwh[instants],
        ceiling_mwh=battery.ceiling_mwh[instants],
        caps=tuple(cap.part(first, last, cap.counted(into, out)) for cap in battery.caps),
        charge_given_mw=np.broadcast_to(battery.charge_given_mw, plant.steps)[at],
        discharge_given_mw=np.broadcast_to(battery.discharge_given_mw, plant.steps)[at],
        drawn_mw=np.broadcast_to(battery.drawn_mw, plant.steps)[at],
    )
