"""The first screen of a report: the decision, what the plant earns by who operates it, and on what that rests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from math import isnan

import pandas as pd

from bess_opt.common.wording import Number, Row, number, percent
from bess_opt.comparison.compare import NONE, OPTIMAL, RULE, Comparison
from bess_opt.dispatch.result import Dispatch
from bess_opt.inputs.scenario import Scenario
from bess_opt.investment.joint.result import JointSizing
from bess_opt.investment.lifetime.financials import Financials
from bess_opt.investment.lifetime.operation import FORECAST
from bess_opt.investment.sizing.objectives import OBJECTIVES
from bess_opt.investment.sizing.result import Sizing
from bess_opt.plots.shared.parts import prices_of

COLUMNS = {
    NONE: "no battery", RULE: "simple rule", FORECAST: "operated on forecasts", OPTIMAL: "every price known before",
}  # fmt: skip
ABSENT = "not run"
NO_COST = "–"


@dataclass(frozen=True)
class FirstScreen:
    """Sentences and tables as words; numbers carry their units."""

    decision: str
    heads: list[str]
    rows: list[list[str]]
    assumptions: list[Row]


def first_screen(
    comparison: Comparison,
    driven: Dispatch | None,
    worth: Mapping[str, Financials] | None,
    sizing: Sizing | JointSizing | None,
    answer: str,
) -> FirstScreen:
    """What stands above all else; `driven` is the plan made on forecasts, None where none was made."""
    plans = {rung: plan for (_, rung), plan in comparison.plans.items()}
    if driven is not None:
        plans[FORECAST] = driven
    return FirstScreen(
        decision=answer if sizing is None else _decision(sizing),
        heads=["", *COLUMNS.values()],
        rows=_columns(plans, worth, comparison),
        assumptions=_assumptions(comparison.scenario, plans[OPTIMAL], driven, worth, sizing),
    )


def _decision(sizing: Sizing | JointSizing) -> str:
    """Build or not, which size, what it is worth, and what no size can pass."""
    if isinstance(sizing, JointSizing):
        unit, sign, tried = sizing.unit, sizing.sign, "choice"
        mean = f" in the mean of {len(sizing.years)} years" if len(sizing.years) > 1 else ""
        size = _sizes(sizing)
    else:
        unit, sign, tried, mean = sizing.goal.unit, sizing.goal.sign, "size", ""
        size = f"{number(sizing.power_mw)} MW and {number(sizing.energy_mwh)} MWh ({number(sizing.duration_h)} h)"
    unit = "" if unit == "1" else unit
    name, value = OBJECTIVES[sizing.objective].label, str(Number(sizing.value, unit))
    without = "" if sizing.without is None else f" Without a battery the site has {Number(sizing.without, unit)}."
    more = "more" if sign > 0 else "less"
    bound = f"There is no bound: the {tried}s were tried on a grid." if sizing.bound is None else (
        f"No {tried} of the range has {more} than {Number(sizing.bound, unit)}."
    )  # fmt: skip
    if not sizing.build:
        told = [finding.expected for finding in sizing.findings if finding.code == "do_not_build"]
        return f"Do not build: {told[0] if told else 'no size found earns its cost'}.{without} {bound}"
    return f"Build {size}: {name} {value}{mean}.{without} {bound}"


def _sizes(sizing: JointSizing) -> str:
    """The sizes of all batteries in words."""
    told = []
    for battery, row in sizing.sizes.iterrows():
        power, energy, hours = (number(float(row[key])) for key in ("power_mw", "energy_mwh", "duration_h"))
        of = f"{battery} with " if battery else ""
        told.append(f"{of}{power} MW and {energy} MWh ({hours} h)" if row["power_mw"] > 0.0 else f"no {battery}")
    return "; ".join(told)


def _columns(
    plans: Mapping[str, Dispatch], worth: Mapping[str, Financials] | None, comparison: Comparison
) -> list[list[str]]:
    best, currency = plans[OPTIMAL].metrics, comparison.scenario.site.currency
    rows = [
        [f"net revenue [{currency}]", *_each(plans, lambda plan: number(plan.metrics.net_revenue))],
    ]
    if best.score_unit != "currency":
        unit = best.score_unit.replace("currency", currency)
        rows.insert(0, [f"score [{unit}]", *_each(plans, lambda plan: number(plan.metrics.score))])
    if NONE in plans:
        idle, gain = plans[NONE].metrics.score, best.score - plans[NONE].metrics.score
        shares = {
            rung: percent((plan.metrics.score - idle) / gain) if gain else NO_COST for rung, plan in plans.items()
        }
        if RULE in shares and not isnan(captured_by_rule(comparison)):  # to the optimum that ends as the rule does
            shares[RULE] = percent(captured_by_rule(comparison))
        rows.append(["share of the possible gain", *(shares.get(rung, ABSENT) for rung in COLUMNS)])
    rows.append(["full cycles", *_each(plans, lambda plan: number(plan.metrics.equivalent_full_cycles))])
    if worth:
        money = next(iter(worth.values())).money
        rows.append([f"net present value [{currency}, {money}]", *_of_life(worth, lambda one: number(one.npv))])
        rows.append(["internal rate of return", *_of_life(worth, lambda one: percent(one.irr))])
        rows.append(["payback [years]", *_of_life(worth, lambda one: str(Number(one.payback_years)))])
    return rows


def captured_by_rule(comparison: Comparison) -> float:
    """The share of the possible gain that the rule reaches, 0 to 1; NaN where none is possible."""
    return float(comparison.table.xs(RULE, level="rung")["captured"].iloc[0])


def _each(plans: Mapping[str, Dispatch], told: Callable[[Dispatch], str]) -> list[str]:
    return [told(plans[rung]) if rung in plans else ABSENT for rung in COLUMNS]


def _of_life(worth: Mapping[str, Financials], told: Callable[[Financials], str]) -> list[str]:
    cells = [told(worth[rung]) if rung in worth else ABSENT for rung in COLUMNS if rung != NONE]
    return [NO_COST, *cells]


def _assumptions(
    scenario: Scenario,
    best: Dispatch,
    driven: Dispatch | None,
    worth: Mapping[str, Financials] | None,
    sizing: Sizing | JointSizing | None,
) -> list[Row]:
    index = pd.DatetimeIndex(scenario.series.index)
    steps = f"{len(index):,} steps of {number(scenario.step_h * 60.0)} min from {index[0]:%Y-%m-%d %H:%M}"
    rows = [("data", f"{steps}, {index.tz}")]
    for price in prices_of(best.schedule):
        values = price.to_numpy(dtype=float)
        if len(values) and not isnan(float(values[0])):
            below = (
                f", below 0 in {percent(float((values < 0.0).mean()))} of the steps" if (values < 0.0).any() else ""
            )
            text = (
                f"mean {number(float(values.mean()))}, {number(float(values.min()))} to {number(float(values.max()))}"
            )
            rows.append((str(price.name).replace("_", " "), f"{text} {scenario.site.currency}/MWh{below}"))
    foresight = "the last column knows every price, load and sun of the horizon before it begins"
    if driven is not None:
        foresight += "; operated on forecasts means a plan each day for two days, on what the day before was like"
    elif worth:
        foresight += "; what it is worth on forecasts is not run: state a forecast"
    rows.append(("foresight", f"{foresight}; the rule looks at the step alone"))
    idle = "PV is curtailed for limits only, never for prices"
    if sizing is not None and sizing.without is not None:
        idle += "; the search for a size lets the site without a battery curtail for prices too, and so credits less"
    rows.append(("no battery", idle))
    if worth:
        rows.append(("money over life", worth[OPTIMAL].assumptions))
    elif sizing is not None and sizing.assumptions:
        rows.append(("money over life", sizing.assumptions))
    solver = "" if best.report is None else f", solved by {best.report.solver}"
    rows.append(("made by", f"bess_opt {version('bess-opt')}{solver}"))
    return rows
