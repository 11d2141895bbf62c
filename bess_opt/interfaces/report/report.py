"""One page about a scenario: the question, the answer, pictures, reconciliation; self-contained, printable.

The page is made from `templates/report.html`. Nothing in it depends on when or where it was made: the same scenario
and the same versions give the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup
from matplotlib.figure import Figure

from bess_opt.common.atomic_files import clear_leftovers, new_file
from bess_opt.common.atomic_folders import not_writable
from bess_opt.common.errors import ScenarioError, SolveError, StrategyError
from bess_opt.common.findings import Finding, Findings
from bess_opt.common.progress import ShowProgress, Stretch
from bess_opt.common.progress_bar import followed
from bess_opt.common.wording import NOTHING, Row, number, percent
from bess_opt.comparison.compare import (
    NONE,
    OPTIMAL,
    RULE,
    Comparison,
    compare,
    comparison_table,
    comparison_with,
)
from bess_opt.dispatch.bill import bill_rows
from bess_opt.dispatch.forecast_driven.forecasts import Forecasts
from bess_opt.dispatch.reconciliation import reconcile
from bess_opt.dispatch.reconciliation_tables import summary_of, tables_of
from bess_opt.dispatch.result import (
    Dispatch,
    dispatch_rows,
    drawing_problems,
    drawn_with,
    window_of,
)
from bess_opt.inputs.describe import scenario_rows
from bess_opt.inputs.scenario import Scenario
from bess_opt.interfaces.report.dark import dark_colours, with_variables
from bess_opt.interfaces.report.days import three_days
from bess_opt.interfaces.report.first_screen import captured_by_rule, first_screen
from bess_opt.interfaces.report.sections import YEAR, Section, sections_of
from bess_opt.investment.joint.result import JointSizing, joint_rows
from bess_opt.investment.lifetime.financials import Financials, financial_rows
from bess_opt.investment.lifetime.operation import FORECAST, by_operation, forecast_driven, operation_table
from bess_opt.investment.sizing.key_figures import sizing_rows
from bess_opt.investment.sizing.result import Sizing
from bess_opt.investment.sizing.sized_program import resized
from bess_opt.plant.from_scenario import plants_kept
from bess_opt.plots.battery_use import action_figure
from bess_opt.plots.cash_flow import cash_flow_figure
from bess_opt.plots.comparison import ladder_figure
from bess_opt.plots.dispatch import dispatch_figure
from bess_opt.plots.duration import soc_duration_figure
from bess_opt.plots.shared.page import collection_paused, figure_svg
from bess_opt.plots.shared.parts import prices_of
from bess_opt.plots.shared.style import LIGHT, drawing
from bess_opt.plots.shared.svg.page import written_as_svg
from bess_opt.plots.sizing.joint import joint_figure
from bess_opt.plots.sizing.surface import surface_figure
from bess_opt.plots.value import stored_value_figure
from bess_opt.strategies.shared.activation import prepare

MARK = '<meta name="generator" content="bess-opt report">'


@dataclass(frozen=True)
class Picture:
    """A figure as SVG with the words that stand under it."""

    svg: Markup
    caption: str


@dataclass(frozen=True)
class DrawnSection:
    """A `Section` whose pictures are drawn."""

    title: str
    words: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    pictures: list[Picture]


def report(
    scenario: Scenario,
    *,
    week: str | None = None,
    sizing: Sizing | JointSizing | None = None,
    forecast: Forecasts | None = None,
    progress: ShowProgress = False,
) -> str:
    """The page about `scenario` as HTML: the decision; none, rule, operation on forecasts and optimum; their worth.

    `week` is the first local date of the pictures; default: the busiest week. Financials are there where
    [finance] is. Where [finance] or a `forecast` is stated (as in `control`; default: the day before), the battery is
    also operated on forecasts, planned each day for two days. With a `sizing` the page is about the best size, from
    its own plan: nothing is solved again, and operation on forecasts is there where a `forecast` is stated.
    `progress` is a callable that is told a `Progress`, or whether a bar is drawn; StopIteration from it ends the work
    with CancelledError.
    Raises what `compare` raises, with a `forecast` what `control` raises, and ScenarioError for a wrong week and
    for a sizing of something else than `scenario`.
    """
    wrong = drawing_problems(pd.DatetimeIndex(scenario.series.index), week, "light") + _foreign(scenario, sizing)
    if wrong:
        raise ScenarioError(wrong)
    with followed(progress, "comparing") as told, plants_kept():
        plan = None if sizing is None else _planned(sizing)
        about = sizing.scenario if isinstance(sizing, JointSizing) else scenario
        comparison = compare(about, progress=told.part(0.0, 0.5)) if plan is None else comparison_with(plan)
        wanted = forecast is not None or (plan is None and scenario.finance is not None)
        driven = _driven(comparison.scenario, forecast, told.part(0.5, 0.8)) if wanted else None
        told.step(0.8, "drawing")
        return page(comparison, _worth(comparison, driven), week=week, sizing=sizing, driven=driven)


def _planned(sizing: Sizing | JointSizing) -> Dispatch | None:
    """The optimal plan of the best size, where one is bought and was sized for it."""
    if isinstance(sizing, JointSizing):  # over several years its plan is that of the first
        return sizing.plan if sizing.plan.scenario == sizing.scenario and not sizing.holds_nothing else None
    return sizing.plan if sizing.twin == "optimal" and sizing.power_mw > 0.0 else None


def _driven(scenario: Scenario, forecast: Forecasts | None, told: Stretch) -> Dispatch | None:
    """Operation on a stated forecast, else on the day before; None where windows cannot carry it."""
    if forecast is not None:
        return forecast_driven(scenario, forecast, progress=told)
    with suppress(StrategyError, SolveError, ScenarioError):  # a strategy that windows cannot carry
        return forecast_driven(scenario, progress=told)
    return None


def page(
    comparison: Comparison,
    worth: Mapping[str, Financials] | None = None,
    *,
    week: str | None = None,
    sizing: Sizing | JointSizing | None = None,
    driven: Dispatch | None = None,
) -> str:
    """The same from a comparison of one strategy that is there already.

    `worth` is its money by who operates, `driven` the plan on forecasts.
    """
    scenario = comparison.scenario
    money = worth[OPTIMAL] if worth else None
    plans = {rung: plan for (_, rung), plan in comparison.plans.items()}
    best = plans[OPTIMAL]
    header, rows = comparison_table(comparison)
    books = {rung: reconcile(plan) for rung, plan in plans.items()}
    own = books.pop(OPTIMAL)
    surface = None
    if sizing is not None:
        with drawing(LIGHT), collection_paused():
            surface = _surface(sizing)
    with drawing(LIGHT), collection_paused(), written_as_svg():
        pictures = _pictures(comparison, plans, week)
        sections = [_drawn(part, f"s{place}") for place, part in enumerate(_sections(plans, comparison))]
        cash_flow = None if money is None or money.cash_flow is None else _cash_flow(money)
    drawn = [*pictures, *(one for one in (cash_flow, surface) if one is not None)]
    drawn += [picture for part in sections for picture in part.pictures]
    findings = _findings(comparison, best, money, sizing)
    return _template().render(
        mark=Markup(MARK),
        name=scenario.name,
        first=first_screen(comparison, driven, worth, sizing, answer(comparison)),
        dark=dark_colours(one.svg for one in drawn),
        scenario=scenario_rows(scenario),
        figures=dispatch_rows(best),
        comparison=(header, rows),
        bill=None if scenario.tariff is None else bill_rows(best.bill),
        pictures=pictures,
        sections=sections,
        money=None if money is None else financial_rows(money),
        operations=None if not worth else operation_table(worth),
        cash_flow=cash_flow,
        sizing=None if sizing is None else _sizing_rows(sizing),
        surface=surface,
        findings=findings,
        warnings=[one for one in findings if one.severity != "recommendation"],
        closes=summary_of(own),
        accounts=tables_of(own, books),
    )


@cache
def _template() -> Template:
    """The page without its content: read and compiled once."""
    environment = Environment(
        loader=PackageLoader("bess_opt.interfaces.report"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    return environment.get_template("report.html")


def answer(comparison: Comparison) -> str:
    """What the comparison says, in one sentence."""
    scenario, plans = comparison.scenario, {rung: plan for (_, rung), plan in comparison.plans.items()}
    batteries, currency, best = scenario.batteries, scenario.site.currency, plans[OPTIMAL]
    power, energy = sum(one.power_mw for one in batteries), sum(one.energy_mwh for one in batteries)
    size, several = f"{number(power)} MW and {number(energy)} MWh", len(batteries) > 1
    what = f"{len(batteries)} batteries of together {size}" if several else f"a battery of {size}"
    unit = best.metrics.score_unit.replace("currency", currency)
    index = scenario.series.index
    span = f"from {_day(index[0])} to {_day(index[-1])}"
    if NONE in plans:
        gain = best.metrics.score - plans[NONE].metrics.score
        better = "raise" if gain >= 0 else "lower"
        before = f"from {number(plans[NONE].metrics.score)} to {number(best.metrics.score)} {unit}"
        text = f"Operated at its best, {what} would {better} the site's score {before} {span}"
    else:
        brings, score = "bring" if several else "brings", f"{number(best.metrics.score)} {unit}"
        text = f"Operated at its best, {what} {brings} the site to {score} {span}"
    if RULE not in plans:
        return f"{text}."
    reached = percent(captured_by_rule(comparison))
    rule = f"the simple rule reaches {number(plans[RULE].metrics.score)} {unit}"
    return f"{text}; {rule}." if reached == NOTHING else f"{text}; {rule}, {reached} of the possible gain."


def _day(stamp: pd.Timestamp) -> str:
    """A date in words; the pattern for a day without its zero is another one on each system."""
    return f"{stamp.day} {stamp:%B %Y}"


def check_file(file: Path) -> None:
    """ScenarioError if `file` is a folder, stands in none, or is something else than a report."""
    if file.is_dir() or not file.parent.is_dir():
        found = "is a folder" if file.is_dir() else f"there is no folder {file.parent}"
        raise ScenarioError([Finding("no_target", str(file), found, "give the name of an HTML file")])
    clear_leftovers(file.parent, file.name)
    if file.exists() and MARK.encode() not in _beginning(file):
        found = "is there already and is no report of ours"
        raise ScenarioError([Finding("no_target", str(file), found, "give another name")])


def _beginning(file: Path) -> bytes:
    """The first characters of a file; none of a device or what cannot be read."""
    try:
        if not file.is_file():
            return b""
        with file.open("rb") as opened:
            return opened.read(2000)
    except OSError:
        return b""


def save_report(html: str, file: str | Path) -> Path:
    """Write a page to `file`, whole or not at all; an earlier report there is replaced.

    ScenarioError as `check_file`, and if the disk refuses.
    """
    path = Path(file)
    check_file(path)
    try:
        with new_file(path) as parts:
            parts.write_bytes(html.encode())
    except OSError as error:
        raise not_writable(path, error) from None
    return path


# ---- the parts


def _worth(comparison: Comparison, driven: Dispatch | None) -> dict[str, Financials] | None:
    """Money over the life by who operates the battery, where [finance] is stated."""
    if comparison.scenario.finance is None:
        return None
    plans = {rung: plan for (_, rung), plan in comparison.plans.items()}
    operations = {OPTIMAL: plans[OPTIMAL], RULE: plans.get(RULE), FORECAST: driven}
    return by_operation({name: plan for name, plan in operations.items() if plan is not None}, plans.get(NONE))


def _pictures(comparison: Comparison, plans: dict[str, Dispatch], week: str | None) -> list[Picture]:
    scenario, best = comparison.scenario, plans[OPTIMAL]
    currency, step, window = scenario.site.currency, scenario.step_h, window_of(scenario)
    socs = {rung: plan.schedule["soc"] for rung, plan in plans.items() if rung in (OPTIMAL, RULE)}
    drawn: list[tuple[str, Figure]] = [
        (
            "The optimal plan: power, state of charge and price of one week, and every hour of the horizon.",
            dispatch_figure(best.schedule, week=week, **drawn_with(best)),
        ),
        (
            "None, rule and optimum, and where the rule loses against the optimum.",
            ladder_figure(comparison.table, comparison.gaps, currency=currency),
        ),
        (
            "For how long each state of charge is held; the dashed lines bound the window of the technology.",
            soc_duration_figure(socs, window=window),
        ),
    ]  # fmt: skip
    if prices_of(best.schedule):
        text = "The energy that the optimal plan charges and discharges at each price."
        drawn.append((text, action_figure(best.schedule, currency=currency, step_h=step)))
    if scenario.tariff is not None and scenario.tariff.demand:
        text = "The import of the dearest month without and with the battery, and the peaks that it pays for."
        drawn.append((text, best.bill.plot()))
    if isinstance(best.stored_energy_value, pd.Series) and prices_of(best.schedule):
        value = stored_value_figure(
            best.stored_energy_value, best.schedule, currency=currency, week=week, step_h=step
        )
        drawn.append(("One MWh more in the cells: it is kept while it is worth more than the price.", value))
    return [_picture(figure, text, f"p{place}") for place, (text, figure) in enumerate(drawn)]


def _sections(plans: dict[str, Dispatch], comparison: Comparison) -> list[Section]:
    """What the plans have to show, the three days after the year."""
    found = sections_of(plans, prepare(comparison.scenario).plant, comparison.lines)
    days = three_days(plans[OPTIMAL], plans.get(NONE))
    first = [part for part in found if part.title == YEAR]
    return [*first, *([] if days is None else [days]), *(part for part in found if part.title != YEAR)]


def _drawn(part: Section, prefix: str) -> DrawnSection:
    pictures = [_picture(figure, text, f"{prefix}p{place}") for place, (text, figure) in enumerate(part.pictures)]
    return DrawnSection(part.title, part.words, part.heads, part.rows, pictures)


def _picture(figure: Figure, caption: str, prefix: str) -> Picture:
    return Picture(Markup(with_variables(figure_svg(figure, prefix=prefix))), caption)


def _cash_flow(money: Financials) -> Picture:
    table = money.cash_flow
    figure = cash_flow_figure(pd.DataFrame() if table is None else table, currency=money.currency)
    return _picture(figure, "What is paid and received each year, and the sum so far.", "cash")


def _sizing_rows(sizing: Sizing | JointSizing) -> list[Row]:
    return joint_rows(sizing) if isinstance(sizing, JointSizing) else sizing_rows(sizing, operate=False)


def _surface(sizing: Sizing | JointSizing) -> Picture:
    if isinstance(sizing, JointSizing):
        text = "What each power can be worth at most, the other sizes free, and the choices that were looked at."
        return _picture(joint_figure(sizing), text, "size")
    text = "The value over power and duration; hatched is where a better size could still lie."
    if sizing.planes is None:
        text = "The value of each size that was planned."
    return _picture(surface_figure(sizing), text, "size")


def _foreign(scenario: Scenario, sizing: Sizing | JointSizing | None) -> list[Finding]:
    """What is wrong with a sizing of another site, strategy or series."""
    if sizing is None:
        return []
    if isinstance(sizing, JointSizing):
        same = sizing.is_of(scenario)
    else:
        own = sizing.scenario.battery  # its size where one is bought, else the one that was stated
        same = resized(scenario, own.power_mw, own.energy_mwh) == sizing.scenario
    if same:
        return []
    found = f"is of {sizing.scenario.name!r} and differs from the scenario in more than its size"
    return [Finding("contradiction", "sizing", found, "size the scenario that the report is about")]


def _findings(
    comparison: Comparison, best: Dispatch, money: Financials | None, sizing: Sizing | JointSizing | None
) -> list[Finding]:
    found = [*best.findings, *comparison.notes, *(money.findings if money is not None else ())]
    found += sizing.findings if sizing is not None else ()
    sorted_ones = Findings(dict.fromkeys(found))
    return [*sorted_ones.errors, *sorted_ones.warnings, *sorted_ones.recommendations]
