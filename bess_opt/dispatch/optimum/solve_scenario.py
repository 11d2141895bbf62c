"""A scenario's program and its optimum: each converter one way, a strategy's own choices exact, ties broken."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.common.errors import InfeasibleError, ScenarioError
from bess_opt.common.findings import Finding, Findings
from bess_opt.common.progress import UNTOLD, Stretch
from bess_opt.common.provenance import Stopwatch
from bess_opt.dispatch.checks.validate import findings_of
from bess_opt.dispatch.infeasible import conflict
from bess_opt.dispatch.infeasible import unreachable as infeasible
from bess_opt.dispatch.optimum.bring_back import prepare
from bess_opt.inputs.scenario import Scenario
from bess_opt.inputs.solver_options import SolverOptions
from bess_opt.models.assemble import model_of
from bess_opt.models.one_way import Pair, pairs_of
from bess_opt.plant.flows import Flows, flows_by_name
from bess_opt.plant.plant import Plant
from bess_opt.solver import one_way
from bess_opt.solver.engines import EngineFaultError, EngineRefusedError, engine, engines_asked
from bess_opt.solver.expand import expand, term_costs
from bess_opt.solver.highs import Solver
from bess_opt.solver.one_way import one_way_program
from bess_opt.solver.optimum import LinearOptimum, Optimum
from bess_opt.solver.program import Program
from bess_opt.solver.search import one_way_search, priced_choices
from bess_opt.solver.search.choice_search import ChoiceSearch
from bess_opt.solver.search.rounding import rounded
from bess_opt.solver.solution import InfeasibleProgramError, LimitReachedError, Solution
from bess_opt.solver.tie_break import tie_break_cost
from bess_opt.solver.warm_start import start_near_optimum
from bess_opt.solver.worn_chain import solver_of
from bess_opt.strategies.shared.contract import Objective
from bess_opt.strategies.shared.stack import ActiveStrategy


@dataclass(frozen=True)
class Solved:
    """A scenario's program with its proven optimum, before it becomes a `Dispatch`: what explanations need."""

    scenario: Scenario
    plant: Plant
    active: ActiveStrategy
    model: Any
    optimum: Optimum
    findings: Findings
    watch: Stopwatch

    @property
    def program(self) -> Program:
        """The linear program of the scenario."""
        return self.optimum.program

    @property
    def found(self) -> one_way.Exact:
        """The optimum as values and prices of `program`."""
        return self.optimum.found


@dataclass(frozen=True)
class _Course:
    """What the stages of one solve have in common: their stopwatch, when they end, who is told of them."""

    watch: Stopwatch
    deadline: float | None
    told: Stretch

    @property
    def left_s(self) -> float | None:
        """Seconds until the end, 0 where it has passed; None without one."""
        return None if self.deadline is None else max(self.deadline - time.perf_counter(), 0.0)

    def part(self, first: float, last: float) -> _Course:
        """The course from share `first` to share `last`."""
        return replace(self, told=self.told.part(first, last))


def solve_scenario(scenario: Scenario, stated_plant: Plant | None = None, told: Stretch = UNTOLD) -> Solved:
    """Assemble and solve; raises as `optimize` does, save `AuditError`.

    `stated_plant` stands for the scenario's own plant, where some of its numbers are others. Ended by `told` it is
    as out of time.
    """
    watch = Stopwatch()
    told.step(0.0, "preparing")
    with watch.stage("prepare"):
        plant, active = prepare(scenario, stated_plant)
        findings = findings_of(scenario, plant, active)
    told.step(0.1, "solving")
    m, optimum = solve_plant(plant, active, scenario.solver, watch, told.part(0.1, 1.0))
    return Solved(scenario, plant, active, m, optimum, findings, watch)


def solve_plant(
    plant: Plant, active: ActiveStrategy, options: SolverOptions, watch: Stopwatch, told: Stretch = UNTOLD
) -> tuple[Any, Optimum]:
    """Model and proven optimum of a plant whose numbers may also be believed ones."""
    with watch.stage("build"):
        m, objectives = model_of(plant, active)
    reasons: list[str] = []
    for word in engines_asked(options):
        try:
            with watch.stage("solve"):
                limit, insisted = options.time_limit_s, options.engine == word
                ask = engine(word).optimum
                return m, ask(m, objectives, pairs_of(plant), time_limit_s=limit, insisted=insisted)
        except EngineRefusedError as error:
            if error.no_plan:
                raise InfeasibleError(infeasible.unreachable(plant) or _why_no_plan(m, plant, options)) from None
            if options.engine == word:
                raise ScenarioError([engine_refused(word, error)]) from None
            reasons += error.rows
        except LimitReachedError:
            _require_reachable(plant)
            raise
        except EngineFaultError as error:
            if options.engine == word:
                raise
            reasons += error.rows
    with watch.stage("compile"):
        _require_reachable(plant)
        program = expand(m)
        solver = solver_of(program, options, plant.scale_mw)
    try:
        found = _solve(solver, m, plant, objectives, watch, told)
    except InfeasibleError:
        _require_plan_without_wear(plant, active, options)
        raise
    return m, LinearOptimum(program, found, tuple(reasons))


def _require_plan_without_wear(plant: Plant, active: ActiveStrategy, options: SolverOptions) -> None:
    """Raise `InfeasibleError` in the words of the plant without wear, which forbids nothing."""
    if any(battery.wear is not None and not battery.wear.one_price for battery in plant.batteries):
        bare = plant.with_batteries(lambda _battery: {"wear": None})
        raise InfeasibleError(_why_no_plan(model_of(bare, active)[0], bare, options)) from None


def _require_reachable(plant: Plant) -> None:
    """Raise `InfeasibleError` for conflicts that no solve is needed for."""
    unreachable = infeasible.unreachable(plant)
    if unreachable:
        raise InfeasibleError(unreachable)


def engine_refused(word: str, error: EngineRefusedError) -> Finding:
    """That the scenario asks for the engine `word` alone, and what in it does not fit this."""
    found = f"{word!r} cannot solve this scenario: " + "; ".join(error.rows)
    return Finding("engine_refused", "solver.engine", found, "give 'auto' or 'highs'")


def _why_no_plan(m: Any, plant: Plant, options: SolverOptions) -> list[Finding]:
    """The limits that contradict each other, of a scenario that another engine has found infeasible."""
    program = expand(m)
    solver = Solver(program, options, scale_mw=plant.scale_mw)
    try:
        relaxed = solver.solve()
    except InfeasibleProgramError:
        return list(conflict.reasons_of(solver, plant))
    return list(conflict.one_way_reasons_of(plant, relaxed, program))


def _solve(
    solver: Solver, m: Any, plant: Plant, objectives: Sequence[Objective], watch: Stopwatch, told: Stretch
) -> one_way.Exact:
    """Optimum of the first objective, exact in the one-way rule and in a strategy's own yes-or-no choices.

    `solver.time_limit_s` is that of all searches together.
    """
    limit = solver.options.time_limit_s
    course = _Course(watch, None if limit is None else time.perf_counter() + limit, told)
    if solver.program.integer.any():
        return _solve_with_choices(solver, m, plant, objectives, course)
    return _solve_linear(solver, m, plant, objectives, course)


def _solve_with_choices(
    solver: Solver, m: Any, plant: Plant, objectives: Sequence[Objective], course: _Course
) -> one_way.Exact:
    """The choices are made first, without the one-way rule; with it if they are many beside calls, or need it."""
    program, best = solver.program, _priced_choices(solver, m, plant, objectives, course)
    if best is not None and (best.limited or best.gap <= solver.options.rel_gap):
        return best
    ways_too = best is not None
    forbidden: InfeasibleError | None = None
    rounds = course.told.halves()
    while True:
        part = replace(course, told=next(rounds))
        attempt = _choosing_ways_too(solver, m, plant) if ways_too else solver
        try:
            with course.watch.stage("choose"):
                chosen = _chosen(attempt, plant, part.part(0.0, 0.7))
        except InfeasibleProgramError:
            raise forbidden or InfeasibleError(conflict.reasons_of(attempt, plant)) from None
        except LimitReachedError:
            if best is None:
                raise
            return replace(best, limited=True)
        closed = _still(attempt.program, chosen.x, plant) if ways_too else np.zeros(0, dtype=np.int64)
        linear = Solver(_held(program, chosen.x, closed), solver.options, scale_mw=plant.scale_mw)
        try:
            found = _solve_linear(linear, m, plant, objectives, part.part(0.7, 1.0))
        except InfeasibleError as error:
            if ways_too:
                raise
            forbidden, ways_too = error, True
            continue
        except LimitReachedError:
            found = _rounded_one_way(linear, m, plant, objectives, course.watch, program, chosen)
        bound = one_way.proven(chosen.bound, found.solution.objective, program, plant.scale_mw)
        found = replace(found, bound=bound, limited=found.limited or chosen.limited)
        best = _better(best, replace(found, closed=np.union1d(found.closed, closed).astype(np.int64)))
        if ways_too or best.limited or best.gap <= solver.options.rel_gap:
            return best
        ways_too = True


def _priced_choices(
    solver: Solver, m: Any, plant: Plant, objectives: Sequence[Objective], course: _Course
) -> one_way.Exact | None:
    """The best plan by prices, where the program is one for that search and it finds any."""
    program, watch = solver.program, course.watch
    if not priced_choices.are_many(program, plant):
        return None
    linear = Solver(program.relaxed(), solver.options, scale_mw=plant.scale_mw)
    linear.follow(course.told.part(0.0, 0.2))
    ties = [*(term_costs(m, objective, program) for objective in objectives[1:]), tie_break_cost(program)]
    with watch.stage("seed"):
        start_near_optimum(linear, plant.scale_mw)
    with watch.stage("solve"):
        try:
            relaxed = linear.solve(time_limit_s=course.left_s)
        except InfeasibleProgramError:
            return None  # said why where the choices are made
    told = course.told.part(0.2, 0.9)
    told.tell(0.0, "choosing bids and ways", bound=-relaxed.bound)
    with watch.stage("choose"):
        return priced_choices.priced_choices(linear, relaxed, program, m, plant, ties, course.left_s, told)


def _rounded_one_way(
    solver: Solver,
    m: Any,
    plant: Plant,
    objectives: Sequence[Objective],
    watch: Stopwatch,
    program: Program,
    chosen: Solution,
) -> one_way.Exact:
    """Out of time: a plan with each converter the way it goes on balance in `chosen`, its choices rounded anew.

    `program` is that of the choices, `solver` one for a program of its shape. Raises `LimitReachedError` where the
    ways do not go together.
    """
    full = _choosing_ways_too(solver, m, plant).program
    balanced = np.append(chosen.x, np.zeros(full.columns - len(chosen.x)))
    for pair in pairs_of(plant):
        first, second, way = (full.variables[name].slice for name in (pair.first, pair.second, pair.binary))
        balanced[way] = balanced[first] > balanced[second]
    closed = _still(full, balanced, plant)
    options = solver.options.model_copy(update={"time_limit_s": None})

    def solved(one: Program) -> Solution:
        return Solver(one, options, scale_mw=plant.scale_mw).solve()

    one_sided = program.with_columns_closed(np.isin(np.arange(program.columns), closed))
    try:
        relaxed = solved(one_sided.relaxed())
        held = _held(program, rounded(one_sided, relaxed.x, solved), closed)
        linear = Solver(held, options, scale_mw=plant.scale_mw)
        found = _solve_linear(linear, m, plant, objectives, _Course(watch, None, UNTOLD))
    except (InfeasibleError, InfeasibleProgramError):
        raise LimitReachedError(
            "the time limit ended the search for bids before any plan; raise solver.time_limit_s"
        ) from None
    return replace(found, limited=True, closed=np.union1d(found.closed, closed).astype(np.int64))


def _better(one: one_way.Exact | None, other: one_way.Exact) -> one_way.Exact:
    """The better of two plans, with the higher of their bounds."""
    if one is None:
        return other
    plan = other if other.solution.objective <= one.solution.objective else one
    return replace(plan, bound=max(one.bound, other.bound), limited=other.limited)


def _held(program: Program, x: Array, closed: Array) -> Program:
    """The linear program with the choices of `x` held and the columns `closed` at nothing."""
    held = program.with_choices_held(x)
    upper = held.upper.copy()
    upper[closed] = 0.0
    return replace(held, upper=upper)


def _still(full: Program, x: Array, plant: Plant) -> Array:
    """The columns of flows that stand still by the converters' ways in `x`."""
    still = []
    for pair in pairs_of(plant):
        first, second, way = (full.variables[name] for name in (pair.first, pair.second, pair.binary))
        goes_first = np.round(x[way.slice]) > 0.0
        still += [second.first + np.flatnonzero(goes_first), first.first + np.flatnonzero(~goes_first)]
    return np.concatenate(still)


def _chosen(solver: Solver, plant: Plant, course: _Course) -> Solution:
    """The best choices: of a program with many, segment by segment of the horizon."""
    left_s = course.left_s
    options = solver.options.model_copy(update={"time_limit_s": left_s})
    course.told.tell(0.0, "choosing bids and ways")
    search = ChoiceSearch(solver.program, plant.steps, options, plant.scale_mw, course.told)
    if search.separates:
        return search.run()
    solver.follow(course.told, money=True)
    return solver.solve(time_limit_s=left_s)


def _choosing_ways_too(solver: Solver, m: Any, plant: Plant) -> Solver:
    """The program of `solver` with a choice for each converter and step too."""
    full = one_way_program(m, plant, solver.program, pairs_of(plant))
    return Solver(full, solver.options, scale_mw=plant.scale_mw)


def _solve_linear(
    solver: Solver, m: Any, plant: Plant, objectives: Sequence[Objective], course: _Course
) -> one_way.Exact:
    """Optimum of the first objective, one way in every step; the later objectives and the tie-break decide ties."""
    program, watch, told = solver.program, course.watch, course.told
    solver.follow(told.part(0.0, 0.4))
    ties = [*(term_costs(m, objective, program) for objective in objectives[1:]), tie_break_cost(program)]
    with watch.stage("seed"):
        start_near_optimum(solver, plant.scale_mw)
    try:
        with watch.stage("solve"):
            relaxed = solver.solve()
    except InfeasibleProgramError:
        raise InfeasibleError(conflict.reasons_of(solver, plant)) from None
    told.tell(0.4, bound=-relaxed.bound)
    solver.follow(told.part(0.4, 0.5))
    x, limited = relaxed.x, False
    called = tuple(pair for pair in pairs_of(plant) if pair.of_call)
    # A search for the ways of calls breaks ties at its end, between plans that keep the rule.
    if not one_way.needs_both_ways(program, x, called, plant.scale_mw):
        with watch.stage("tie-break"):
            try:
                x = solver.prefer(relaxed, ties)
            except LimitReachedError:
                limited = True
    not_one_way = {p: len(one_way.steps_not_one_way(program, x, (p,), plant.scale_mw)) for p in pairs_of(plant)}
    if not any(not_one_way.values()):
        told.tell(1.0, best=-relaxed.objective)
        return one_way.Exact(x, relaxed, relaxed.bound, 0, limited=limited)
    with watch.stage("one_way"):
        broken = tuple(p for p in not_one_way if not_one_way[p])
        return _one_way(solver, m, plant, ties, relaxed, x, broken, course.part(0.5, 1.0))


def _one_way(
    solver: Solver,
    m: Any,
    plant: Plant,
    ties: Sequence[Array],
    relaxed: Solution,
    x: Array,
    converters: tuple[Pair, ...],
    course: _Course,
) -> one_way.Exact:
    """The exact plan with binaries for the converters in `converters`; all of them if the plan turns to another."""
    full = one_way_program(m, plant, solver.program, converters)
    course.told.tell(0.0, "keeping each converter one way")
    solver.follow(course.told)
    search = one_way_search.OneWaySearch(solver, full, converters, ties, plant.scale_mw, course.left_s, course.told)
    try:
        exact = search.run(relaxed, x)
    except InfeasibleProgramError:
        raise InfeasibleError(conflict.one_way_reasons_of(plant, relaxed, solver.program)) from None
    if len(one_way.steps_not_one_way(solver.program, exact.x, pairs_of(plant), plant.scale_mw)):
        return _one_way(solver, m, plant, ties, relaxed, x, pairs_of(plant), course)
    course.told.tell(1.0, best=-exact.solution.objective, bound=-exact.bound)
    return exact


def flows_of(optimum: Optimum, plant: Plant) -> Flows:
    """The plan's decisions; a flow that the model does not have is zero."""
    nothing = np.zeros(plant.steps)

    def of(name: str) -> Array:
        values = optimum.flow(name)
        return nothing if values is None else values

    return flows_by_name(plant, of)
