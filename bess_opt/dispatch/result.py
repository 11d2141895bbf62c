"""The one result type: a schedule with its metrics, solver report and findings, whoever made it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from bess_opt.common.arrays import ReadColumns
from bess_opt.common.columns import UNIT
from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding, Findings, findings_table
from bess_opt.common.html import box, pairs
from bess_opt.common.provenance import Stopwatch
from bess_opt.common.wording import Number, Row, more, number, percent
from bess_opt.dispatch.checks.tariff import least_bill_findings
from bess_opt.inputs.outage import steps_away
from bess_opt.inputs.scenario import Scenario
from bess_opt.plant import audit
from bess_opt.plant.flows import Flows, schedule_of
from bess_opt.plant.from_scenario import plant_of
from bess_opt.plant.ledger import ledger_of
from bess_opt.plant.metrics import Metrics, metrics_of
from bess_opt.plant.plant import Plant
from bess_opt.plant.products.activation import settled
from bess_opt.plant.products.delivery import delivery_of, product_checks, products_table
from bess_opt.solver.engines import title_of
from bess_opt.strategies.shared.activation import prepare
from bess_opt.strategies.shared.stack import ActiveStrategy

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from bess_opt.common.provenance import Stopwatch
    from bess_opt.dispatch.bill import Bill
    from bess_opt.inputs.scenario import Scenario
    from bess_opt.plant.plant import Plant
    from bess_opt.solver.certificate import LinearCertificate

Twin = Literal["optimal", "rule", "control", "replay"]
OF_CONTROL = ("decisions", "deviation_mwh")  # figures of a control: of its making, so no schedule gives them again


@dataclass(frozen=True)
class SolveReport:
    """How a plan was found. `objective` and `bound` in the strategy's own terms, maximised; `gap` relative.

    `status` is "optimal", "time_limit" where `solver.time_limit_s` ended the search, "cancelled" where `progress=`
    did. `certificate` is the proof of the plan's linear program. `engine` says who solved, as `solver.engine` names
    it; `engine_reasons` which variables and rows asked for HiGHS, empty where `solver.engine` did.
    """

    status: str
    objective: float
    bound: float
    gap: float
    seconds: Mapping[str, float]
    solver: str
    rows: int = 0
    columns: int = 0
    windows: int = 0
    certificate: LinearCertificate | None = None
    engine: str = "highs"
    engine_reasons: tuple[str, ...] = ()

    @property
    def solved_by(self) -> str:
        """Who solved, in words; where HiGHS did, what asked for it."""
        title = title_of(self.engine)
        return f"{title} ({'; '.join(self.engine_reasons)})" if self.engine_reasons else title

    @property
    def solved_by_first(self) -> str:
        """`solved_by` in a line: what asked for HiGHS first, and how many rows more did."""
        title, reasons = title_of(self.engine), self.engine_reasons
        return f"{title} ({reasons[0]}{more(len(reasons), 'reason')})" if reasons else title

    @property
    def total_seconds(self) -> float:
        """Wall time of all stages."""
        return sum(self.seconds.values())


def drawing_problems(index: pd.DatetimeIndex, week: str | None, theme: str) -> list[Finding]:
    """What is wrong with a week or theme to draw, known before there is a plan."""
    problems = []
    if theme not in ("light", "dark"):
        problems.append(Finding("unknown_word", "theme", f"found {theme!r}", "give 'light' or 'dark'"))
    first, last = index[0].date(), index[-1].date()
    try:
        inside = week is None or first <= dt.date.fromisoformat(week) <= last
    except ValueError:
        problems.append(Finding("no_date", "week", f"found {week!r}, no date", f'write it like "{first}"'))
        return problems
    if not inside:
        expected = f"give a date from {first} to {last}"
        problems.append(Finding("outside_horizon", "week", f"{week} is outside the horizon", expected))
    return problems


@dataclass(frozen=True)
class Dispatch:
    """A plan for a scenario.

    `schedule` has one row per step (see `bess_opt.common.columns.SCHEDULE` for units), index: start of the step in
    local time; it is that of the site, with the sums of several batteries, whose own schedules are `units[name]`.
    `ledger` gives each money term of the year, `figures` what the strategy reports beside its
    score, `stored_energy_value` (optimal plans only) the worth of one MWh more in the cells at the end of
    each step, of several batteries a column each. `of_batteries` holds their columns, "north.charge_mw" (None with
    one battery).
    """

    scenario: Scenario
    twin: Twin
    schedule: pd.DataFrame
    metrics: Metrics
    findings: Findings
    report: SolveReport | None = None
    ledger: Mapping[str, float] = field(default_factory=dict)
    figures: Mapping[str, float] = field(default_factory=dict)
    stored_energy_value: pd.Series | pd.DataFrame | None = None
    of_batteries: pd.DataFrame | None = None

    @property
    def whole_schedule(self) -> pd.DataFrame:
        """The schedule of the site with the columns of several batteries behind it, "north.charge_mw"."""
        return self.schedule if self.of_batteries is None else self.schedule.join(self.of_batteries)

    @cached_property
    def units(self) -> Mapping[str, pd.DataFrame]:
        """The schedule of each battery by name, in the order of the scenario: the columns of `columns.UNIT`.

        `loss_mw` is what is lost between port and cells. One battery without a name is called "battery".
        """
        if self.of_batteries is None:
            own = self.schedule[list(UNIT)].assign(
                loss_mw=self.schedule["loss_mw"] - self.schedule["inverter_loss_mw"]
            )
            return {self.scenario.battery.name or "battery": own}
        names = [str(battery.name) for battery in self.scenario.batteries]
        columns = {name: [f"{name}.{column}" for column in UNIT] for name in names}
        return {name: self.of_batteries[own].set_axis(list(UNIT), axis=1) for name, own in columns.items()}

    @cached_property
    def products(self) -> pd.DataFrame:
        """A row for each market product: `capacity_revenue` and `activation_revenue` [currency], `mean_mw`, ...

        `activation_revenue` is that of an activation price, 0 without one. `activated_mwh` is the energy called in
        either direction, `mean_mw` and `most_mw` the bid, `blocks` in how many it was held.
        """
        return products_table(self.schedule, plant_of(self.scenario))

    @cached_property
    def delivery(self) -> pd.DataFrame:
        """How far the plan is from failing what it promised: a row for each call of a product, alone and together.

        `margin_mw` is the least power that would be left in a call, at the battery, the shared inverter and the grid;
        `margin_mwh` the least energy, with the call at the start of a step or at its end. `margin_mw_at` and
        `margin_mwh_at` are the starts of these steps. The energy is that of the step simulator's law at the planned
        base point. NaN where nothing is held. What the strategy frequency_regulation holds stands among them.

        What follows is no promise: the least room in store [MWh], with its step, if calls came unlike those that the
        plan expects, at the planned base points; below zero it is what would be missing. `longer_call_mwh`: one call
        that runs on to the end of its block (for its head-room hours where that is longer). `quiet_market_mwh`: the
        promised call after a horizon without any. `every_block_mwh`: a whole call in each block, never recovered.
        """
        return delivery_of(self.whole_schedule, prepare(self.scenario).plant)

    def plot(self, what: str | None = None, week: str | None = None, *, theme: str = "light") -> Figure:
        """Power stack, SOC and price of a week, and the year as a heat map; or "value", "stack" or "wear".

        `plot("value")` shows what one MWh more in store is worth at every energy and time of the week, with the
        planned energy on it: an optimal plan that value functions fit (`report.engine`); of another optimal plan the
        worth along its own way. `plot("stack")` shows one local day of the market products: the capacity held on the
        base point, the stored energy between what their calls ask, their prices; the day that pays most, or that of
        `week`. `plot("wear")` shows which segments of wear by depth each fall of the state of charge empties, beside
        rainflow counting of the horizon. `week` names the local date with which the week begins, also in the first
        place; by default the one with the most battery throughput. `theme` is "light" or "dark". ScenarioError for
        another theme, a date off the horizon, "value" of a plan that is no optimum, "stack" without products, or
        "wear" without wear by depth.
        """
        from bess_opt import plots

        week = what if week is None and what not in ("value", "stack", "wear") else week
        wrong = drawing_problems(pd.DatetimeIndex(self.schedule.index), week, theme)
        if what == "value" and self.stored_energy_value is None:
            found = f"found 'value', but a plan of twin {self.twin!r} does not say what stored energy is worth"
            wrong.append(Finding("no_value", "what", found, "plot the plan of optimize"))
        if what == "stack" and not self.scenario.product:
            found = "found 'stack', but the scenario has no market product"
            wrong.append(Finding("no_products", "what", found, "add a table [[product]]"))
        if wrong:
            raise ScenarioError(wrong)
        shade: Literal["light", "dark"] = "dark" if theme == "dark" else "light"
        if what == "stack":
            from bess_opt.dispatch.stack_picture import stack_figure

            return stack_figure(self, week, shade)
        if what == "value":
            return self._value_figure(week, shade)
        if what == "wear":
            from bess_opt.dispatch.optimum.falls_picture import wear_figure

            return wear_figure(self, week, shade)
        return plots.dispatch_figure(
            self.schedule, title=f"{self.scenario.name}: {self.twin}", week=week, theme=shade, **drawn_with(self)
        )

    def _value_figure(self, week: str | None, theme: Literal["light", "dark"]) -> Figure:
        from bess_opt.dispatch.optimum.value_picture import value_figure

        return value_figure(self, week, theme)

    def explain(self) -> pd.DataFrame:
        """Why an optimal plan does what it does: prices, what binds and a reason per step.

        See `explain` in `dispatch/optimum/explain.py` for the columns; `.attrs["marginals"]` says what one more MW
        or MWh is worth. NotExplainableError (a BessOptError) for a rule or replay. The first call solves again.
        """
        return self._explanation.copy()

    @cached_property
    def _explanation(self) -> pd.DataFrame:
        from bess_opt.dispatch.optimum import explain

        return explain.explain(self)

    @property
    def bill(self) -> Bill:
        """The bill of the plan by month and line: `.table`, `.total`, `.plot()` (see `bess_opt.dispatch.bill`)."""
        from bess_opt.dispatch.bill import bill_of

        return bill_of(self)

    def save(self, folder: str | Path) -> Path:
        """Write schedule, metrics and a copy of the scenario to `folder`; same input, same bytes.

        ScenarioError, and nothing changed, if other files stand there. `bess_opt.load_dispatch` reads it.
        """
        from bess_opt.dispatch import saving as files

        return files.save_dispatch(self, folder)

    def _repr_html_(self) -> str:

        return dispatch_html(self)

    def __repr__(self) -> str:
        m = self.metrics
        return (
            f"Dispatch({self.scenario.name!r}, {self.twin}, {len(self.schedule)} steps, "
            f"net revenue {m.net_revenue:,.2f} {self.scenario.site.currency}, score {m.score:,.4g} {m.score_unit})"
        )


def nameplate_mwh(scenario: Scenario) -> float:
    """Nameplate energy of all batteries."""
    return sum(battery.energy_mwh for battery in scenario.batteries)


def drawn_with(plan: Dispatch) -> dict[str, Any]:
    """What a picture of a plan's week needs beside its schedule, under the names that the pictures take."""
    scenario = plan.scenario
    away = steps_away(scenario.outage, pd.DatetimeIndex(plan.schedule.index), scenario.step_h)
    return {
        "energy_mwh": nameplate_mwh(scenario), "currency": scenario.site.currency,
        "soc_start": soc_start_of(scenario), "step_h": scenario.step_h,
        "units": plan.units if len(scenario.batteries) > 1 else None, "away": away >= 0,
    }  # fmt: skip


def soc_start_of(scenario: Scenario) -> float:
    """State of charge at the start: of several batteries their energy over their nameplate."""
    batteries = scenario.batteries
    if len(batteries) == 1:
        return batteries[0].soc_start_resolved
    return sum(b.soc_start_resolved * b.energy_mwh for b in batteries) / nameplate_mwh(scenario)


def window_of(scenario: Scenario) -> tuple[float, float]:
    """Lowest and highest state of charge: of several batteries as shares of their nameplate together."""
    batteries = scenario.batteries
    if len(batteries) == 1:
        return batteries[0].tech.soc_min, batteries[0].tech.soc_max
    share = [battery.energy_mwh / nameplate_mwh(scenario) for battery in batteries]
    low = sum(part * battery.tech.soc_min for part, battery in zip(share, batteries, strict=True))
    return low, sum(part * battery.tech.soc_max for part, battery in zip(share, batteries, strict=True))


def dispatch_rows(plan: Dispatch) -> list[Row]:
    """What a plan earns, moves and holds."""
    m, currency = plan.metrics, plan.scenario.site.currency
    unit = m.score_unit.replace("currency", currency)
    rows = [
        ("net revenue", str(Number(m.net_revenue, currency))),
        (f"score, {'more' if m.score_sense == 'max' else 'less'} is better", str(Number(m.score, unit))),
        ("discharged", str(Number(m.discharged_mwh, "MWh"))),
        ("full cycles", f"{number(m.equivalent_full_cycles)}, {number(m.cycles_per_day)} a day"),
        ("round trip, port to port", percent(m.round_trip_efficiency)),
        ("losses", str(Number(m.losses_mwh, "MWh"))),
    ]
    if m.solar_mwh:
        rows.append(("curtailed", f"{Number(m.curtailed_mwh, 'MWh')}, {percent(m.curtailment_ratio)} of solar"))
    if plan.report is not None:
        gap = f"{plan.report.gap:.1e}" if plan.report.gap else "0"
        rows.append(("proven gap", f"{gap} ({plan.report.status})"))
        rows.append(("solved by", plan.report.solved_by))
    return rows + _unit_rows(plan)


def _unit_rows(plan: Dispatch) -> list[Row]:
    """What each of several batteries gave at its port."""
    if plan.of_batteries is None:
        return []
    hours = plan.scenario.step_h
    given = {name: float(unit["discharge_mw"].sum()) * hours for name, unit in plan.units.items()}
    return [(f"discharged by {name}", str(Number(mwh, "MWh"))) for name, mwh in given.items()]


def dispatch_html(plan: Dispatch) -> str:
    """Key figures, warnings and a week of the plan."""
    from bess_opt.plots.shared.page import picture_html
    from bess_opt.plots.week import week_figure

    figure = week_figure(plan.schedule, **drawn_with(plan))
    warned = [*plan.findings.errors, *plan.findings.warnings]
    notes = findings_table(warned) if warned else ""
    title = f"{plan.scenario.name}: {plan.twin}"
    return box(title, pairs(dispatch_rows(plan)) + notes + picture_html(figure, f"{title}, power, SOC and price"))


def split_schedule(schedule: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """(schedule of the site, columns of several batteries or None with one)."""
    own = [name for name in schedule.columns if "." in name]
    return (schedule.drop(columns=own), schedule[own]) if own else (schedule, None)


def law_of(twin: Twin, plant: Plant) -> Plant:
    """The plant that a plan is audited against: who cannot know the future may miss the end, a figure, no fault.

    So may the replay of such a plan.
    """
    if twin == "optimal":
        return plant
    return plant.with_batteries(lambda _battery: {"end_min_mwh": 0.0, "end_max_mwh": np.inf})


def result_of(
    scenario: Scenario,
    plant: Plant,
    active: ActiveStrategy,
    twin: Twin,
    flows: Flows,
    findings: Findings,
    watch: Stopwatch,
    **more: Any,
) -> Dispatch:
    """The audited dispatch; `more` are further fields of `Dispatch`. Raises `AuditError`."""
    with watch.stage("extract"):
        schedule = schedule_of(plant, flows)
        columns = ReadColumns(schedule)
        booked = ledger_of(columns, plant)
        figures = metrics_of(columns, plant, active.score(schedule, plant), booked)
    with watch.stage("audit"):
        audit.require(schedule, law_of(twin, plant), [active.checks, product_checks])
    site, own = split_schedule(schedule)
    bought, sold = (schedule[name].to_numpy() for name in ("import_mw", "export_mw"))
    bills = least_bill_findings(plant.billing, bought, sold, settled(schedule, plant))
    return Dispatch(
        scenario=scenario,
        twin=twin,
        schedule=site,
        of_batteries=own,
        metrics=figures,
        findings=Findings([*findings, *(bill for bill in bills if bill not in findings)]),
        ledger=booked | active.penalties(schedule, plant),
        figures=active.figures(schedule, plant),
        **more,
    )
