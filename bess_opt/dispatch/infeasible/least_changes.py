"""The least change that makes an infeasible scenario possible: for each limit alone, else for all together.

For each limit an easing is found from the slope of the model in it. Between kinks the model is affine and
the answer exact; at a kink the slope promises too much, the model built there is still infeasible, and the
search goes on from it. What the slope cannot tell (the one-way rule, a size inside the matrix) is found by halving.
Every answer is tried before it is given.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.common.errors import BessOptError, InfeasibleError, SolveError
from bess_opt.common.findings import Change, Relaxation, rounded_beyond
from bess_opt.dispatch.infeasible.unreachable import unreachable
from bess_opt.dispatch.infeasible.user_limits import END, UserLimit, Values, denied, note, tables_of, user_limits_of
from bess_opt.dispatch.optimum.bring_back import prepare
from bess_opt.inputs.scenario import Scenario
from bess_opt.inputs.solver_options import SolverOptions
from bess_opt.models.assemble import model_of
from bess_opt.models.one_way import pairs_of
from bess_opt.plant.plant import Plant
from bess_opt.plant.reach import within_reach
from bess_opt.solver.change import Direction, direction_of
from bess_opt.solver.easing import least_easing
from bess_opt.solver.engines import engine, engines_asked
from bess_opt.solver.expand import expand
from bess_opt.solver.highs import Solver
from bess_opt.solver.one_way import one_way_program, steps_not_one_way
from bess_opt.solver.program import Program
from bess_opt.solver.solution import InfeasibleProgramError, LimitReachedError
from bess_opt.strategies.shared.stack import ActiveStrategy

NUDGE = 1e-6  # of a limit's reference: far below any kink, far above rounding
TANGENTS = 12  # slopes followed before the search halves instead
FAR = 1e4  # references: what this much more does not mend, more does not mend
CLOSE = 2e-3  # of the change: halving ends here
LONG = 5_000  # steps: a horizon beyond that is not halved on, for every try may take minutes
MARGIN = 1e-7  # of the reference: an easing is exact only to the solver's own tolerance


@contextmanager
def naming_least_changes(scenario: Scenario) -> Iterator[None]:
    """An `InfeasibleError` from the block tells also which least changes of `scenario` would mend it."""
    try:
        yield
    except InfeasibleError as error:
        try:
            found = least_changes_of(scenario)
        except SolveError:  # a limit of the solver: the reasons stand without it
            found = ()
        raise InfeasibleError([*error.reasons, *(r.finding() for r in found)], found) from None


def least_changes_of(scenario: Scenario) -> tuple[Relaxation, ...]:
    """Least changes that each make `scenario` possible, the smallest relative one first.

    Without a single one that does, the cheapest combination; empty if none is known, or the time limit of the
    scenario's solver ends the search.
    """
    search = _Search(scenario)
    singles = [*search.numbers(), *search.permissions()]
    if not singles:
        singles = search.combination()
    return tuple(sorted(singles, key=lambda relaxation: relaxation.share))


@dataclass
class _Search:
    """The search over one infeasible scenario."""

    scenario: Scenario
    base: _Built = field(init=False)
    limits: list[UserLimit] = field(init=False)

    def __post_init__(self) -> None:
        limit = self.scenario.solver.time_limit_s
        self._deadline = None if limit is None else time.perf_counter() + limit
        self.base = _built(self.scenario)
        self.limits = user_limits_of(self.scenario, self.base.plant, self.base.program, self.base.active)

    def numbers(self) -> list[Relaxation]:
        """Each number that alone can mend it."""
        found = []
        for limit in self.limits:
            try:
                value = None if self._late() else self._least(limit)
            except LimitReachedError:
                continue
            if value is not None:
                found.append(self._relaxation({limit.where: value}, {limit.where: limit}))
        return found

    def permissions(self) -> list[Relaxation]:
        """Each permission that alone can mend it."""
        every = [{where: True} for where in denied(self.scenario, self.base.program)]
        try:
            return [self._relaxation(values, {}) for values in every if not self._late() and self._possible(values)]
        except LimitReachedError:
            return []

    def combination(self) -> list[Relaxation]:
        """All numbers together by the least sum of relative changes, at need with every permission."""
        if not self.limits:
            return []
        for granted in ({}, dict.fromkeys(denied(self.scenario, self.base.program), True)):
            try:
                values = None if self._late() else self._together(granted)
            except LimitReachedError:
                return []
            if values is not None:
                needed = self._needed(granted, values)
                return [self._relaxation(values | needed, {limit.where: limit for limit in self.limits})]
        return []

    def _needed(self, granted: Values, values: Values) -> dict[str, float | bool]:
        """Those of the permissions without which `values` are not enough."""
        needed = dict(granted)
        for where in granted:
            without: dict[str, float | bool] = {other: True for other in needed if other != where}
            if not self._late() and self._possible({**without, **values}):
                needed = without
        return needed

    # ---- one limit

    def _least(self, limit: UserLimit) -> float | None:
        """The value of `limit` next to the stated one at which a plan exists; None if there is none."""
        value, here = limit.stated, self._from(limit, {})
        for _ in range(TANGENTS):
            slope = None if here is None else self._slope(limit, {}, value, here)
            if slope is None or here is None:
                return self._halved(limit, limit.stated)
            left = abs(limit.end - value) / limit.reference * here.plant.scale_mw
            eased = least_easing(here.program, [slope], [left], self.scenario.solver, here.plant.scale_mw)
            if eased is None:
                return None
            reached = abs(value - limit.stated) / limit.reference + float(eased[0]) / here.plant.scale_mw
            for change in (reached, reached + MARGIN):
                tried = self._safe(limit, limit.at(change))
                if self._possible({limit.where: tried}):
                    return tried
            if tried == value:
                break
            value, here = tried, self._try({limit.where: tried})
            if here is None or linear_solution(here, self.scenario.solver) is not None:
                break  # the one-way rule stands in the way: no slope knows of it
        return self._halved(limit, value)

    def _from(self, limit: UserLimit, others: Values) -> _Built | None:
        """The model that a limit moves away from: an end condition in words first becomes its number."""
        if limit.where == END and END not in others:
            return self._try({**others, END: limit.stated})
        return self._try(others) if others else self.base

    def _safe(self, limit: UserLimit, value: float) -> float:
        beyond = rounded_beyond(limit.stated, value)
        return min(beyond, limit.end) if limit.sense > 0 else max(beyond, limit.end)

    def _slope(self, limit: UserLimit, others: Values, value: float, here: _Built) -> Direction | None:
        """How the program at `value` moves per MW of easing, one reference being the plant's size."""
        nudge = limit.sense * NUDGE * limit.reference
        if (limit.end - value) * limit.sense < abs(nudge):
            nudge = limit.end - value
        moved = self._try({**others, limit.where: value + nudge}) if nudge else None
        found = None if moved is None else direction_of(here.program, moved.program, nudge)
        return None if found is None else found.times(limit.sense * limit.reference / here.plant.scale_mw)

    def _halved(self, limit: UserLimit, impossible: float) -> float | None:
        """Between a value without and one with a plan, by trying; None also for a horizon too long for that.

        The directions of each plan that is found are kept while the limit goes back as far as they allow, which is a
        linear program; what is then left to ask is whether a little less would do.
        """
        if self.base.plant.steps > LONG:
            return None
        worst = abs(impossible - limit.stated) / limit.reference
        best = min(abs(limit.end - limit.stated) / limit.reference, FAR)
        plan = self._plan(limit, best)
        if plan is None:
            return None
        nearly = True  # whether a little less is asked for next, or the middle
        while best - worst > CLOSE * best:
            kept = None if plan is True else self._kept(limit, *plan)
            best = best if kept is None else min(best, kept)
            asked = (1.0 - 0.9 * CLOSE) * best if nearly else (best + worst) / 2.0
            if asked <= worst:
                break
            tried = self._plan(limit, asked)
            if tried is None:
                worst, plan = asked, True
            else:
                best, plan = asked, tried
            nearly = not nearly
        return self._safe(limit, limit.at(best))

    def _plan(self, limit: UserLimit, change: float) -> tuple[_Built, Array] | Literal[True] | None:
        """A plan with `limit` so many references away, one way in each step; True where one exists unseen."""
        values: Values = {limit.where: limit.at(change)}
        if self.base.plain and len(self.base.plant.batteries) == 1:
            return self._possible(values) or None
        built = self._try(values)
        if built is None or unreachable(built.plant):
            return None
        x = one_way_plan(built, self.scenario.solver)
        return None if x is None else (built, x)

    def _kept(self, limit: UserLimit, built: _Built, x: Array) -> float | None:
        """The least change of `limit`, in references, with which the directions of the plan `x` make a plan."""
        closed = closed_columns(built, x)
        value, here = limit.stated, self._from(limit, {})
        for _ in range(TANGENTS):
            slope = None if here is None else self._slope(limit, {}, value, here)
            if slope is None or here is None or here.program.columns != built.program.columns:
                return None
            kept = here.program.with_columns_closed(closed)
            slope.lower[closed], slope.upper[closed] = 0.0, 0.0
            left = abs(limit.end - value) / limit.reference * here.plant.scale_mw
            eased = least_easing(kept, [slope], [left], self.scenario.solver, here.plant.scale_mw)
            if eased is None:
                return None
            change = abs(value - limit.stated) / limit.reference + float(eased[0]) / here.plant.scale_mw + MARGIN
            value = self._safe(limit, limit.at(change))
            here = self._try({limit.where: value})
            if here is not None and linear_solution(here, self.scenario.solver, closed) is not None:
                return abs(value - limit.stated) / limit.reference
        return None

    # ---- several limits

    def _together(self, granted: Values) -> dict[str, float | bool] | None:
        """Values of all limits that need to move, with `granted` permissions."""
        values: dict[str, float | bool] = {}
        moved: dict[str, float] = {}
        for _ in range(TANGENTS):
            here = self._try({**granted, **values})
            if here is None:
                return None
            scale, chosen = here.plant.scale_mw, []
            for limit in self.limits:
                at = float(values.get(limit.where, limit.stated))
                before = here if limit.where != END or END in values else self._from(limit, {**granted, **values})
                slope = None if before is None else self._slope(limit, {**granted, **values}, at, before)
                if slope is not None and limit.where == END and END not in values:
                    slope = slope.of_floors()
                if slope is not None:
                    chosen.append((limit, slope, abs(limit.end - at) / limit.reference * scale))
            eased = least_easing(
                here.program, [c[1] for c in chosen], [c[2] for c in chosen], self.scenario.solver, scale
            )
            if eased is None:
                return None
            for (limit, _, _), step in zip(chosen, (eased / scale).tolist(), strict=True):
                if step > MARGIN:
                    moved[limit.where] = moved.get(limit.where, 0.0) + step + MARGIN
                    values[limit.where] = self._safe(limit, limit.at(moved[limit.where]))
            if self._possible({**granted, **values}):
                return values
            if not (eased > MARGIN * scale).any():
                return None  # the one-way rule alone stands in the way, and no slope knows of it
        return None

    # ---- trying

    def _late(self) -> bool:
        return self._deadline is not None and time.perf_counter() > self._deadline

    def _try(self, values: Values) -> _Built | None:
        """The scenario with `values`, built; None if they do not fit together."""
        try:
            return _built(self.scenario.replace(**tables_of(self.scenario, values)))
        except BessOptError:
            return None

    def _possible(self, values: Values) -> bool:
        """Whether a plan exists with `values`, every rule included."""
        try:
            scenario = self.scenario.replace(**tables_of(self.scenario, values))
            plant = prepare(scenario).plant
            if unreachable(plant):
                return False
            if self.base.plain and len(plant.batteries) == 1:
                return within_reach(plant)
            built = _built(scenario)
        except BessOptError:
            return False
        return possible(built, self.scenario.solver)

    def _relaxation(self, values: Values, limits: Mapping[str, UserLimit]) -> Relaxation:
        changes, share = [], 0.0
        for where, value in values.items():
            limit = limits.get(where)
            stated = limit.stated if limit is not None else False
            beside = note(where, self.scenario, values)
            changes.append(Change(where, stated, value, limit.unit if limit is not None else "", beside))
            share += 1.0 if limit is None else abs(value - limit.stated) / limit.reference
        return Relaxation(tuple(changes), share, tables_of(self.scenario, values))


@dataclass(frozen=True)
class _Built:
    """A scenario's model, expanded, with a cost that no converter runs for nothing."""

    plant: Plant
    active: ActiveStrategy
    model: object
    program: Program

    @property
    def plain(self) -> bool:
        """Whether nothing binds but the battery's window and powers and the site's limits, as `reach` takes it."""
        rows = self.program.constraints.values()
        return all(block.meaning.in_reach for block in rows) and not self.program.integer.any()


def _built(scenario: Scenario) -> _Built:
    plant, active = prepare(scenario)
    m, _ = model_of(plant, active)
    program = expand(m)
    program.cost, program.offset = np.zeros(program.columns), 0.0
    for pair in pairs_of(plant):
        for flow in (pair.first, pair.second):
            program.cost[program.variables[flow].slice] = 1.0
    return _Built(plant, active, m, program)


def linear_solution(
    built: _Built, options: SolverOptions, closed: Array | None = None
) -> tuple[Solver, Array] | None:
    """A solution without the one-way rule, its choices and the `closed` columns held, and the solver that has it."""
    program = built.program if closed is None else built.program.with_columns_closed(closed)
    any_plan = options.model_copy(update={"rel_gap": 1.0})
    try:
        if program.integer.any():
            chosen = Solver(program, any_plan, scale_mw=built.plant.scale_mw).solve()
            program = program.with_choices_held(chosen.x)
        solver = Solver(program, any_plan, scale_mw=built.plant.scale_mw)
        return solver, solver.solve().x
    except InfeasibleProgramError:
        return None


def one_way_plan(built: _Built, options: SolverOptions) -> Array | None:
    """The columns of a plan in which every converter runs one way; None if there is none."""
    found = linear_solution(built, options)
    if found is None:
        return None
    solver, x = found
    every = pairs_of(built.plant)
    if not any(len(steps_not_one_way(solver.program, x, (pair,), built.plant.scale_mw)) for pair in every):
        return x
    full = one_way_program(built.model, built.plant, solver.program, every)
    full.cost = np.zeros(full.columns)  # any plan will do: the first one found ends the search
    try:
        x = Solver(full, options.model_copy(update={"rel_gap": 1.0}), scale_mw=built.plant.scale_mw).solve().x
    except InfeasibleProgramError:
        return None
    return x[: built.program.columns]


def closed_columns(built: _Built, x: Array) -> Array:
    """Which columns hold the direction that a converter does not take in the plan `x`."""
    closed = np.zeros(built.program.columns, dtype=bool)
    for pair in pairs_of(built.plant):
        first, second = (built.program.variables[flow].slice for flow in (pair.first, pair.second))
        closed[first], closed[second] = x[first] < x[second], x[first] >= x[second]
    return closed


def possible(built: _Built, options: SolverOptions) -> bool:
    """Whether a plan exists, the one-way rule included."""
    for word in engines_asked(options):
        known = engine(word).has_plan(built.model, pairs_of(built.plant))
        if known is not None:
            return known
    return one_way_plan(built, options) is not None
