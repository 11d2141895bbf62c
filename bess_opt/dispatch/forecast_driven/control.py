"""The forecast-driven twin: plan a window from what is known, carry out its first steps, look again.

What is decided is run through the step simulator on what really happens, so a wrong forecast costs money and
never breaks physics. State passes from window to window exactly as it came out: stored energy, last
grid power, billed peaks so far, cycles of the day. A missed `soc_end` is a figure, as with a rule.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import get_args

import numpy as np
import pandas as pd

from bess_opt.common.arrays import Array
from bess_opt.common.errors import InfeasibleError, ScenarioError, StrategyError
from bess_opt.common.findings import Finding, Findings
from bess_opt.common.names import nearest
from bess_opt.common.progress import ShowProgress
from bess_opt.common.progress_bar import followed
from bess_opt.common.provenance import Stopwatch
from bess_opt.common.wording import show
from bess_opt.dispatch.checks.validate import findings_of
from bess_opt.dispatch.forecast_driven.forecasts import Forecasts, Knowledge
from bess_opt.dispatch.forecast_driven.numbers_by_age import numbers_by_age
from bess_opt.dispatch.forecast_driven.operation import Planner, Run
from bess_opt.dispatch.forecast_driven.orders import Orders
from bess_opt.dispatch.forecast_driven.rolling import PlanningWindow, Rolling, Terminal
from bess_opt.dispatch.forecast_driven.stepwise import Stepwise
from bess_opt.dispatch.forecast_driven.timetable import Commitment, Timetable, timetable_of
from bess_opt.dispatch.infeasible import unreachable as infeasible
from bess_opt.dispatch.optimum.bring_back import open_window, prepare
from bess_opt.dispatch.optimum.solve_scenario import engine_refused, flows_of, solve_plant
from bess_opt.dispatch.result import OF_CONTROL, Dispatch, result_of
from bess_opt.inputs.scenario import Scenario
from bess_opt.inputs.solver_options import SolverOptions
from bess_opt.models.assemble import model_of
from bess_opt.plant.flows import Flows, flows_named
from bess_opt.plant.from_scenario import plant_of
from bess_opt.plant.plant import Plant
from bess_opt.solver.engines import EngineRefusedError, engine, engines_asked
from bess_opt.solver.expand import expand, term_costs
from bess_opt.solver.program import Program
from bess_opt.solver.tie_break import tie_break_cost
from bess_opt.strategies.shared.stack import ActiveStrategy


def control(
    scenario: Scenario,
    forecast: Forecasts = "persistence",
    *,
    horizon_h: float = 48.0,
    every_h: float = 1.0,
    terminal: Terminal = "value",
    commitment: Commitment = "dispatch",
    gate_hour: float = 12.0,
    progress: ShowProgress = False,
) -> Dispatch:
    """Operate `scenario`'s batteries on forecasts: every `every_h` hours plan the next `horizon_h`, twin "control".

    `forecast` says what is known: a mode or a `Forecast` for all series, a mapping from series to these ("*" for
    all others), a Series or a DataFrame of forecasts by target time. See `bess_opt.Forecast` for the modes.
    `terminal`: what energy in store at a window's end is worth: "value", as much as at the same time a day before
    in the window planned before; "free", nothing; "cyclic", no less than at its start is left. The scenario's
    `soc_end` holds in every window that reaches the end.
    `commitment`: "dispatch" decides as it goes. "day_ahead" fixes the schedule of each local day at `gate_hour` of
    the day before, from the energy expected at midnight; the battery follows it as far as physics allows, and
    all flows are settled at actual prices. `every_h` then does not count. The battery power of a schedule is held;
    PV that a plan curtails is held at the power that the plan uses.
    Bids of products that are choices are made exactly for blocks that begin in steps carried out, relaxed beyond.
    A window that has no plan as believed leaves the one before in force, and a finding says so.
    `progress` is a callable that is told a `Progress` as decisions are carried out, or whether a bar is drawn; if it
    raises StopIteration the operation ends with CancelledError, for half a plan is none.

    Raises `ScenarioError` for a wrong forecast or length, `StrategyError` for what a window cannot carry,
    `InfeasibleError` with the time where there is no plan at all or the site's limits cannot be held.
    """
    watch = Stopwatch()
    with watch.stage("prepare"):
        _check_words(terminal, commitment)
        plant, active = prepare(scenario)
        findings = findings_of(scenario, plant, active)
        unreachable = infeasible.unreachable(plant)
        if unreachable:
            raise InfeasibleError(unreachable)
        table = timetable_of(plant.index, plant.step_h, horizon_h, every_h, commitment, gate_hour)
        known = Knowledge(scenario.series, forecast, scenario.step_h)
        _check_signal(plant, known, table, scenario.series.columns)
    with watch.stage("build"):
        believed = _numbers(scenario, active, plant, known, table)
        windows = WindowsOf(believed, active, plant, table, terminal, scenario.solver)
        run = Run(plant, table, windows.planner(watch), windows.orders(), believed[0])
    with watch.stage("operate"), followed(progress, "operating on forecasts") as told:
        run = replace(run, told=told)
        try:
            done = run.operate()
        except EngineRefusedError as error:  # what does not fit may be found only on the way
            windows.require_other(error)
            run = replace(run, planner=windows.rolling(), orders=windows.orders(), failed=[])
            done = run.operate()
    orders = run.orders
    moved = np.array([own.discharge_mw - own.charge_mw for own in done.batteries])
    missed = np.abs(moved - orders.battery_mw) * plant.step_h
    plan = result_of(scenario, plant, active, "control", done, Findings([*findings, *run.notes()]), watch)
    figures = dict(zip(OF_CONTROL, (float(table.decisions), float(missed.sum())), strict=True))
    return replace(plan, figures={**plan.figures, **figures})


class _Once:
    """One window over the whole horizon: the optimal twin on what is believed."""

    def __init__(self, believed: Plant, active: ActiveStrategy, options: SolverOptions, watch: Stopwatch) -> None:
        self._given = believed, active, options, watch

    def record(self, first: int, flows: Flows) -> None:
        """Nothing is planned after it."""

    def plan(self, _window: PlanningWindow) -> Mapping[str, Array]:
        """The optimum. Raises `InfeasibleError` with its reasons."""
        _, optimum = solve_plant(*self._given)
        return flows_named(self._given[0], flows_of(optimum, self._given[0]))


@dataclass(frozen=True)
class WindowsOf:
    """What the windows of an operation are planned from; `believed` are the plants by age, youngest first."""

    believed: list[Plant]
    active: ActiveStrategy
    plant: Plant
    table: Timetable
    terminal: Terminal
    options: SolverOptions

    def planner(self, watch: Stopwatch) -> Planner:
        """Who plans the windows: an engine where one fits, else HiGHS."""
        if self.table.decisions == 1:
            return _Once(self.believed[0], self.active, self.options, watch)
        for word in engines_asked(self.options):
            try:
                return Stepwise(
                    engine(word), self.believed, self.active, self.table.carried_by, self._youngest, self.terminal
                )
            except EngineRefusedError as error:
                self.require_other(error)
        return self.rolling()

    def rolling(self) -> Rolling:
        """Windows cut out of one program, planned by HiGHS."""
        numbers = numbers_by_age(_programs(self.believed, self.active))
        return Rolling(numbers, self.plant, self.table.carried_by, self._youngest, self.terminal, self.options)

    def orders(self) -> Orders:
        """An operation's orders, none given yet."""
        return Orders(self.believed, self.table.carried_by, self._youngest)

    def require_other(self, error: EngineRefusedError) -> None:
        """Raise `ScenarioError` where the scenario allows no other engine than the one that refused."""
        if self.options.engine in engines_asked(self.options):
            raise ScenarioError([engine_refused(self.options.engine, error)]) from None

    @property
    def _youngest(self) -> int:
        return self.table.ages().start


def _numbers(
    scenario: Scenario, active: ActiveStrategy, plant: Plant, known: Knowledge, table: Timetable
) -> list[Plant]:
    """The plant as it is believed at each age of a forecast; ages that believe the same share theirs."""
    found: list[Plant] = []
    before: pd.DataFrame | None = None
    for age in table.ages():
        series = known.believed(table.issue_of(age))
        found.append(
            found[-1] if before is not None and before.equals(series) else _believed(scenario, active, plant, series)
        )
        before = series
    return found


def _believed(scenario: Scenario, active: ActiveStrategy, plant: Plant, series: pd.DataFrame) -> Plant:
    """The plant as it is believed from `series`; its array is known, whatever the weather."""
    believed = open_window(active.restrict(plant_of(scenario, series)), plant, scenario.batteries)
    believed = believed.with_batteries(
        lambda own: {} if own.wear is None else {"wear": replace(own.wear, taken_up=True)}
    )
    capacity = plant.solar_capacity_mw or float(plant.solar_mw.max())
    return replace(believed, solar_capacity_mw=capacity or None)


def _programs(believed: list[Plant], active: ActiveStrategy) -> Iterator[tuple[Program, list[Array]]]:
    """Program and costs of all objectives per age; ages that believe the same share theirs."""
    last: tuple[Plant, tuple[Program, list[Array]]] | None = None
    for one in believed:
        if last is None or not _same(last[0], one):
            m, objectives = model_of(one, active)
            program = expand(m, keep_zeros=True)
            later = [term_costs(m, objective, program) for objective in objectives[1:]]
            last = one, (program, [program.cost, *later, tie_break_cost(program)])
        yield last[1]


def _same(one: Plant, other: Plant) -> bool:
    """Whether two plants of one scenario believe the same of every series."""
    sold = zip(one.offers, other.offers, strict=True)
    if not all(a is b or a.believes_as(b) for a, b in sold):
        return False
    names = ("solar_ac_mw", "solar_dc_mw", "load_mw", "import_price", "export_price")
    pairs = [(getattr(one, name), getattr(other, name)) for name in names]
    pairs += [(values, other.extra[name]) for name, values in one.extra.items()]
    return all(a is b or np.array_equal(a, b, equal_nan=True) for a, b in pairs)


def _check_words(terminal: str, commitment: str) -> None:
    stated = (("terminal", terminal, get_args(Terminal)), ("commitment", commitment, get_args(Commitment)))
    wrong = [
        Finding("unknown_word", name, f"found {show(word)}", nearest(str(word), words))
        for name, word, words in stated
        if word not in words
    ]
    if wrong:
        raise ScenarioError(wrong)


def _check_signal(plant: Plant, known: Knowledge, table: Timetable, columns: pd.Index) -> None:
    """Capacity is called by the signal of the step: who does not see it cannot say what flows."""
    regulating = any(offer.line == "regulation" for offer in plant.offers)
    names = ["regulation_signal"] if regulating and "regulation_signal" in plant.extra else []
    called = [offer.name for offer in plant.offers if offer.called]
    names += [
        f"{name}{suffix}"
        for name in called
        for suffix in ("_activation", "_activation_up", "_activation_down")
        if f"{name}{suffix}" in columns
    ]
    each = np.array_equal(table.issued, np.arange(plant.steps))
    for name in names:
        if known.mode(name) == "perfect" or (each and known.current(name) == "seen"):
            continue
        raise StrategyError(
            f"forecast.{name}: found {known.mode(name)!r}, but the steps carried out must see their signal; "
            "decide at every step with the current one seen, give 'perfect', or leave the series out: the "
            "expected activation then stands for it"
        )
