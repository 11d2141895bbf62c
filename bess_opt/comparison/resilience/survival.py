"""How long a site lasts without the grid from each step of a horizon, and what must be in store for a wanted time.

In each step the batteries take what PV has over the critical load and give what it lacks. A step that cannot be
served whole ends it; the share of the step for which the stored energy lasts counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.common.clock import Mask
from bess_opt.comparison.resilience.island import SLACK, Island, Unit, step
from bess_opt.comparison.resilience.longest import ROUNDING, Longest, Proof
from bess_opt.comparison.resilience.stretches import Stretch

HALVINGS = 40  # of a level, to 1e-12 of all that can be stored


@dataclass
class _Followed:
    """Of each start: hours, whether it reaches the end, the instant at which all batteries are full or -1."""

    hours: Array
    lasting: Mask
    full_at: np.ndarray


def hours_survived(island: Island, start_mwh: Sequence[Array] | Array) -> tuple[Array, Mask]:
    """(hours from each step on, starts that last to the horizon's end) with `start_mwh` in each battery.

    All starts are followed at once, each until it ends or all batteries are full: from there on every start goes the
    same way, which is followed once from each instant. Of several batteries it is the dispatch that lasts longest.
    """
    plant = island.plant
    units = [Unit(battery, island) for battery in plant.batteries]
    full = np.array([unit.full for unit in units])
    starts = np.array([np.asarray(start) for start in start_mwh])
    own, again = (_followed(island, units, energy, np.arange(plant.steps)) for energy in (starts, full[:, :-1]))
    if _best_split(island):
        longest = Longest(island, units)
        _lengthen(island, units, longest, starts, own)
        _lengthen(island, units, longest, full[:, :-1], again)
    from_full, lasts = np.append(again.hours, 0.0), np.append(again.lasting, True)
    for t in range(plant.steps - 1, -1, -1):
        if again.full_at[t] >= 0:
            from_full[t] += from_full[again.full_at[t]]
            lasts[t] = lasts[again.full_at[t]]
    met = own.full_at >= 0
    own.hours[met] += from_full[own.full_at[met]]
    own.lasting[met] = lasts[own.full_at[met]]
    return own.hours, own.lasting


def _best_split(island: Island) -> bool:
    """Whether the dispatch that lasts longest is looked for; where generation has to be taken PV always charges."""
    return len(island.plant.batteries) > 1 and not island.forced_mw.any()


def _followed(island: Island, units: Sequence[Unit], energy: Array, first: np.ndarray) -> _Followed:
    """Starts at the steps `first` with `energy`, a column each, with the batteries kept at equal hours."""
    plant, full = island.plant, np.array([unit.full for unit in units])
    found = _Followed(np.zeros(len(first)), np.ones(len(first), dtype=bool), np.full(len(first), -1))
    going, at = np.arange(len(first)), first
    while len(going):
        energy, share = step(island, units, energy, at)
        found.hours[going] += share * plant.step_h
        on = share >= 1.0
        found.lasting[going[~on]] = False
        there = on & np.all(energy >= full[:, at + 1], axis=0)
        found.full_at[going[there]] = at[there] + 1
        keep = on & ~there & (at + 1 < plant.steps)
        going, at, energy = going[keep], at[keep] + 1, energy[:, keep]
    return found


def _lengthen(island: Island, units: Sequence[Unit], longest: Longest, energy: Array, found: _Followed) -> None:
    """Put in place of each start that fails what the dispatch that lasts longest reaches.

    In each round a start is proven, or served in the step in which it failed and followed from there on. Of several
    that fail in one step the earliest goes first: its proof may hold for the others.
    """
    step_h, proofs = island.plant.step_h, dict[int, list[Proof]]()
    pending = np.flatnonzero(~found.lasting & (found.full_at < 0)).tolist()
    while pending:
        asked, later = dict[int, int](), []
        for s in pending:
            last = s + int(found.hours[s] / step_h + 1e-9)
            share = max(found.hours[s] / step_h - (last - s), 0.0)
            if any(proof.share_at_most(s, energy[:, s]) <= share + ROUNDING for proof in proofs.get(last, [])):
                continue
            if asked.setdefault(last, s) != s:
                later.append(s)
        stretches = [Stretch(s, last, energy[:, s]) for last, s in asked.items()]
        served = dict(zip(asked.values(), longest.served(stretches), strict=True))
        for last, s in asked.items():
            best = served[s]
            if best is not None:
                proofs.setdefault(last, []).append(best.proof)
                if best.share < 1.0 - ROUNDING:
                    found.hours[s] = max(found.hours[s], (last - s + best.share) * step_h)
        whole = {s: best.energy for s, best in served.items() if best is not None and best.share >= 1.0 - ROUNDING}
        pending = sorted(later + _followed_on(island, units, whole, asked, found))


def _followed_on(
    island: Island, units: Sequence[Unit], whole: dict[int, Array], asked: dict[int, int], found: _Followed
) -> list[int]:
    """Starts that served the step in which they failed `whole`, with its energies, go on; those that fail again."""
    steps, step_h = island.plant.steps, island.plant.step_h
    next_step = {s: last + 1 for last, s in asked.items() if s in whole}
    for s, t in next_step.items():
        found.hours[s], found.lasting[s] = (t - s) * step_h, t == steps
    going = np.array([s for s, t in next_step.items() if t < steps], dtype=int)
    if not len(going):
        return []
    first, energy = np.array([next_step[s] for s in going.tolist()]), np.array([whole[s] for s in going.tolist()]).T
    more = _followed(island, units, energy, first)
    found.hours[going] += more.hours
    found.lasting[going], found.full_at[going] = more.lasting, more.full_at
    return [int(s) for s in going[~more.lasting & (more.full_at < 0)]]


def needed_mwh(island: Island, cover_h: float) -> tuple[Array, Mask]:
    """(least energy in each battery at each instant that survives `cover_h` hours, instants at which none is enough).

    A row per battery, n+1 values each; what lies beyond the horizon asks for nothing. Several batteries have what
    they can store, or as many steps of full discharge each as the others: a level.
    """
    if len(island.plant.batteries) > 1:
        return _needed_of_several(island, cover_h)
    need, never = _needed_of_one(island, cover_h)
    return need[None], never


def _needed_of_several(island: Island, cover_h: float) -> tuple[Array, Mask]:
    """The least level from which the batteries survive so long; at equal hours by halving for all starts at once."""
    plant, at = island.plant, np.arange(island.plant.steps)
    units = [Unit(battery, island) for battery in plant.batteries]
    floors, rates = np.array([[unit.floor] for unit in units]), np.array([unit.rate_mwh(at) for unit in units])
    full = np.array([unit.full for unit in units])[:, :-1]

    def stored(level: Array) -> Array:
        energy: Array = np.minimum(floors + level * rates, np.maximum(full, floors))
        return energy

    low, high = np.full(plant.steps, -1.0), ((full - floors) / rates).max(axis=0)
    if _best_split(island):
        levels = _least_levels(island, units, cover_h, rates, full)
        levels[_covered(island, units, stored(np.zeros(plant.steps)), cover_h)] = 0.0
        never, high = np.isinf(levels), np.minimum(levels, high)
    else:
        never = ~_covered(island, units, stored(high), cover_h)
        for _ in range(HALVINGS):
            middle = np.maximum((low + high) / 2.0, 0.0)
            enough = _covered(island, units, stored(middle), cover_h)
            low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return np.concatenate([stored(np.maximum(high, 0.0)), floors], axis=1), np.append(never, False)


def _least_levels(island: Island, units: Sequence[Unit], cover_h: float, rates: Array, full: Array) -> Array:
    """The least level of each start from which some dispatch survives so long; inf where none does."""
    plant, longest = island.plant, Longest(island, units)
    whole = int(cover_h / plant.step_h + 1e-9)
    part = cover_h / plant.step_h - whole
    last, share = (whole, part) if part > 1e-9 else (whole - 1, 1.0)
    starts = np.arange(plant.steps)
    ends = np.minimum(starts + last, plant.steps - 1)
    shares = np.where(starts + last < plant.steps, share, 1.0)
    reach = np.minimum(cover_h, (plant.steps - starts) * plant.step_h)
    where = np.flatnonzero(hours_survived(island, full)[0] >= reach - ROUNDING * plant.step_h)
    levels = np.full(plant.steps, np.inf)
    asked = np.maximum(shares[where] - ROUNDING, 0.0)
    levels[where] = longest.levels_needed(
        [Stretch(s, int(ends[s]), full[:, s]) for s in where.tolist()], asked, rates.T[where]
    )
    return levels


def _covered(island: Island, units: Sequence[Unit], energy: Array, cover_h: float) -> Mask:
    """Starts that survive so many hours, or to the end of the horizon, with `energy` in each battery."""
    plant = island.plant
    at, going, hours = np.arange(plant.steps), np.arange(plant.steps), np.zeros(plant.steps)
    wanted = np.minimum(cover_h, (plant.steps - at) * plant.step_h) - SLACK * cover_h
    while len(going):
        energy, share = step(island, units, energy, at)
        hours[going] += share * plant.step_h
        keep = (share >= 1.0) & (hours[going] < wanted[going]) & (at + 1 < plant.steps)
        going, at, energy = going[keep], at[keep] + 1, energy[:, keep]
    covered: Mask = hours >= wanted
    return covered


def _needed_of_one(island: Island, cover_h: float) -> tuple[Array, Mask]:
    """The same of one battery, by going back from the end."""
    plant = island.plant
    (battery,) = plant.batteries
    unit = Unit(battery, island)
    whole = int(cover_h / plant.step_h + 1e-9)
    part = max(cover_h / plant.step_h - whole, 0.0)
    gain, steps = _most_gained(island, unit) - unit.drawn, plant.steps
    asking = (island.lacks_mw > 0.0) | (unit.drawn > 0.0)
    impossible = _beyond_power(island, unit)
    own = np.where(asking, (unit.floor - gain) / unit.kept, -np.inf)
    need, never = np.full(steps + 1, -np.inf), np.zeros(steps + 1, dtype=bool)
    if part > 1e-9:
        partly = np.where(island.lacks_mw > 0.0, part, 1.0) * _most_gained(island, unit) - unit.drawn
        need[:-1] = np.where(asking, (unit.floor - partly) / unit.kept, -np.inf)
        never[:-1] = impossible
    for _ in range(min(whole, steps)):
        later, lost = need[1:], never[1:]
        lost_here = impossible | lost | (later > unit.ceiling + unit.slack)
        need = np.append(np.maximum(own, (later - gain) / unit.kept), -np.inf)
        never = np.append(lost_here, False)
    need = np.maximum(need, unit.floor)
    return need, never | (need > np.append(unit.ceiling, unit.ceiling[-1]) + unit.slack)


def _most_gained(island: Island, unit: Unit) -> Array:
    """Energy that one battery gains in each step where it has room, below zero where it serves the load."""
    forced, spare = island.spare_ac_mw + island.forced_mw, island.spare_dc_mw
    if unit.on_dc_bus:
        own = spare + island.eta_in * np.minimum(forced, island.takes_mw)
    else:
        own = forced + np.minimum(island.eta_out * spare, island.gives_mw)
    gained: Array = unit.into * np.minimum(own, unit.takes) - unit.out * island.lacks_mw
    return gained


def _beyond_power(island: Island, unit: Unit) -> Mask:
    """Steps in which one battery has not the power for what is lacking, or for what has to be taken."""
    gives, takes = unit.gives, unit.takes
    if unit.on_dc_bus:
        gives = np.minimum(gives, island.gives_mw)
        takes = np.minimum(takes / island.eta_in, island.takes_mw)
    slack = island.tolerance_mw
    beyond: Mask = (island.lacks_mw > gives + slack) | (island.forced_mw > takes + slack)
    return beyond
