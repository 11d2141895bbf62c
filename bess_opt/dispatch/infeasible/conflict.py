"""Why no schedule exists: the limits that contradict each other in the solver's proof, with times and numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.common.findings import Finding
from bess_opt.dispatch.infeasible.unreachable import instant, span
from bess_opt.models.meaning import Limit
from bess_opt.models.one_way import battery_pair
from bess_opt.plant.plant import Plant, Storage
from bess_opt.plant.warranty.cycle_caps import CycleCap
from bess_opt.solver.highs import Solver
from bess_opt.solver.program import Program, own_name
from bess_opt.solver.solution import FarkasProof, Solution

REMEDY = "cannot hold together"


@dataclass(frozen=True)
class Part:
    """One limit in a contradiction: where it is stated, in words, and the steps at which it binds."""

    where: str
    words: str


def reasons_of(solver: Solver, plant: Plant) -> list[Finding]:
    """The limits that cannot hold together, from the solver's proof that no solution exists."""
    proof = solver.conflict()
    if proof is None:
        remedy = "relax a limit of [site] or [battery]"
        return [Finding("infeasible", "scenario", "no schedule meets all limits and choices", remedy)]
    binding = _Binding(solver.program, proof)
    steps = binding.steps(plant.steps)
    parts = _flows(binding, plant)
    parts += [part for battery in plant.batteries for part in _energy(binding, battery, plant)]
    parts += _rows(binding, plant)
    standing = _standing(binding, plant)
    asked = " and ".join([part.words for part in standing] + _given(plant, steps)) or _batteries(plant)
    held = ", ".join(dict.fromkeys(part.words for part in parts))
    where = next((part.where for part in [*standing, *parts]), "scenario")
    found = f"{span(plant, int(steps[0]), int(steps[-1]) + 1)} {asked}"
    return [Finding("limits_in_conflict", where, found, f"{REMEDY} with {held}" if held else REMEDY)]


@dataclass(frozen=True)
class _Binding:
    """A proof by names: which members of a variable or constraint are in it, and from which side."""

    program: Program
    proof: FarkasProof

    def upper(self, name: str) -> Array:
        """Members of a variable whose upper bound is in the proof."""
        return self._members(name, 1.0)

    def lower(self, name: str) -> Array:
        """Members of a variable whose lower bound is in the proof."""
        return self._members(name, -1.0)

    def _members(self, name: str, sign: float) -> Array:
        block = self.program.variables.get(name)
        if block is None:
            return np.zeros(0, dtype=np.int64)
        members: Array = block.positions[sign * self.proof.column[block.slice] > 0.0]
        return members

    def rows(self, name: str) -> Array:
        """Members of a constraint that are in the proof."""
        block = self.program.constraints[name]
        members: Array = block.positions[self.proof.row[block.slice] != 0.0]
        return members

    def names(self) -> list[str]:
        """Constraints that are in the proof."""
        return [name for name in self.program.constraints if len(self.rows(name))]

    def steps(self, count: int) -> Array:
        """Steps whose balances are in the proof; all of them if none is."""
        laws = [name for name, block in self.program.constraints.items() if block.meaning.kind == "law"]
        found = [self.rows(name) for name in laws]
        steps = np.unique(np.concatenate(found)).astype(np.int64)
        return steps if len(steps) else np.arange(count)


def _given(plant: Plant, steps: Array) -> list[str]:
    """What the series ask for over these steps."""
    load, solar = plant.load_mw[steps], plant.solar_mw[steps]
    said = [f"the load of {_range(load)} MW"] if load.any() else []
    if solar.any():
        said.append(f"the solar power of {_range(solar)} MW")
    for battery in plant.batteries:
        drawn = np.broadcast_to(battery.drawn_mw, plant.steps)[steps]
        if drawn.any():
            said.append(f"the {_range(drawn)} MW drawn from the cells{_of(battery)}")
    return said


def _batteries(plant: Plant) -> str:
    return "the battery" if len(plant.batteries) == 1 else "the batteries"


def _standing(binding: _Binding, plant: Plant) -> list[Part]:
    """Bids of market products that stand already."""
    stated = [offer for offer in plant.offers if offer.line == "products"]
    return [
        Part(f"product[{n}].held_mw", f"the bid of {offer.held_mw:.4g} MW of {offer.name!r} that stands")
        for n, offer in enumerate(stated)
        if np.nan_to_num(offer.held_mw) > 0.0 and len(binding.lower(f"{offer.component}_mw"))
    ]


def _of(battery: Storage) -> str:
    return f" of {battery.name}" if battery.name else ""


def _flows(binding: _Binding, plant: Plant) -> list[Part]:
    """Limits on flows that somebody states, in the order in which messages name them."""
    limited = [(block, block.meaning.limit) for block in binding.program.variables.values()]
    stated = [(block, limit) for block, limit in limited if limit is not None and limit.stated_at]
    found = []
    for block, limit in sorted(stated, key=lambda pair: pair[1].rank):
        steps = binding.upper(block.name)
        here = np.broadcast_to(limit.most, plant.steps)[steps]
        if np.isfinite(here).any():  # else what other parts can give or take bounds the flow
            found.append(_stated(block.meaning.flow, limit, int(steps[0]), here, plant))
    return found


def _stated(flow: str, limit: Limit, step: int, here: Array, plant: Plant) -> Part:
    """A limit of which the MW `here` are in the proof, from `step` on."""
    outage = plant.outages.where(step) if limit.meter and plant.outages is not None else None
    if outage is not None:
        return Part(outage, "the grid away")
    words = limit.words.format(_range(here))
    clause = plant.connection.limiting(flow, step) if limit.meter else None
    if clause is not None and clause.caps[flow] == here[0]:
        return Part(clause.where, f"{words} by the clause {clause.name!r}")
    changes = limit.series and len(np.unique(limit.most)) > 1
    return Part(f"series.{limit.series}" if changes else limit.stated_at, words)


def _energy(binding: _Binding, storage: Storage, plant: Plant) -> list[Part]:
    """Bounds of a battery's stored energy: start, window, reserve and end."""
    name = f"{storage.prefix}energy_mwh"
    low, high, whose = binding.lower(name), binding.upper(name), _of(storage)
    found = []
    if 0 in low or 0 in high:
        found.append(Part(storage.place("soc_start"), f"{storage.start_mwh:.4g} MWh in store{whose} at the start"))
    for i in low[low > 0][:2].tolist():
        level, when = max(storage.floor_mwh[i], storage.end_min_mwh if i == plant.steps else 0.0), instant(plant, i)
        if level > storage.floor_mwh[i]:
            found.append(Part(storage.place("soc_end"), f"soc_end{whose}, at least {level:.4g} MWh {when}"))
        elif level > storage.floor_mwh[0]:
            found.append(Part(storage.series("energy_min_mwh"), f"the reserve{whose} of {level:.4g} MWh {when}"))
        else:
            found.append(
                Part(storage.place("technology"), f"the SOC window's lower end{whose} of {level:.4g} MWh {when}")
            )
    for i in high[high > 0][:2].tolist():
        level, when = storage.ceiling_mwh[i], instant(plant, i)
        if i == plant.steps and storage.end_max_mwh < level:
            found.append(
                Part(storage.place("soc_end"), f"soc_end{whose}, at most {storage.end_max_mwh:.4g} MWh {when}")
            )
        elif level < storage.ceiling_mwh[0]:
            found.append(Part(storage.series("energy_max_mwh"), f"the ceiling{whose} of {level:.4g} MWh {when}"))
        else:
            found.append(
                Part(storage.place("technology"), f"the SOC window's upper end{whose} of {level:.4g} MWh {when}")
            )
    return found


def _rows(binding: _Binding, plant: Plant) -> list[Part]:
    """Constraints that say something of their own."""
    found: list[Part] = []
    caps = {(battery.name, cap.where): (battery, cap) for battery in plant.batteries for cap in battery.caps}
    for name in binding.names():
        block = binding.program.constraints[name]
        meaning = block.meaning
        if (block.battery, meaning.stated_at) in caps:
            battery, cap = caps[block.battery, meaning.stated_at]
            words = _cap_words(cap, battery, plant, int(binding.rows(name)[0]), own_name(name) != cap.name)
            found.append(Part(cap.where, words))
        elif meaning.kind != "law":
            found.append(Part(meaning.stated_at, meaning.words or f"the condition {name!r}"))
    return found


def _cap_words(cap: CycleCap, battery: Storage, plant: Plant, member: int, window: bool) -> str:
    """A cap on cycles at one of its rows: what it allows and from when on."""
    run = int(cap.windows[member - int(cap.first[cap.windows[0]])]) if window else member
    allowed = cap.most_mwh[run] / battery.energy_mwh
    first = plant.index[int(cap.first[run])]
    return f"{allowed:.4g} cycles{_of(battery)} {'on' if cap.daily else f'in a {cap.period} from'} {first:%Y-%m-%d}"


def _range(values: Array) -> str:
    low, high = float(values.min()), float(values.max())
    return f"{low:.4g}" if low == high else f"{low:.4g} to {high:.4g}"


def one_way_reasons_of(plant: Plant, relaxed: Solution, program: Program) -> list[Finding]:
    """No schedule without a converter that runs in and out at once: energy has nowhere to go."""
    both = np.zeros(plant.steps)
    for pair in map(battery_pair, plant.batteries):
        first, second = (relaxed.x[program.variables[name].slice] for name in (pair.first, pair.second))
        both = np.maximum(both, np.minimum(first, second))
    places = np.flatnonzero(both > 1e-7 * plant.scale_mw)
    at = span(plant, int(places[0]), int(places[0]) + 1) if len(places) else "somewhere"
    asked = f"{at} the limits hold only if the battery charged and discharged at once"
    return [Finding("both_ways_needed", "site", asked, "allow site.curtailment or raise site.export_limit_mw")]
