"""From the controls of the interactive page to a scenario, and from its plans to the cards: pure functions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

from bess_opt.common.errors import BessOptError
from bess_opt.common.wording import NOTHING, Number, number, percent
from bess_opt.comparison.compare import better_by
from bess_opt.dispatch.checks.validate import problems_of
from bess_opt.dispatch.result import Dispatch
from bess_opt.inputs.battery import Battery
from bess_opt.inputs.scenario import Scenario
from bess_opt.inputs.technologies import technologies, topologies
from bess_opt.interfaces.app.options import STATED, Touched, with_options
from bess_opt.strategies.shared.catalogue import strategies

Twin = Literal["optimal", "rule"]


@dataclass(frozen=True)
class Controls:
    """What the page asks for. `technology` and `strategy` may be `STATED`; power in MW, duration in hours.

    A size that is no number stays text, so that the check of the battery says what is wrong with it.

    `options` are (place in the stack, key, what is written) of the strategy's options that were changed.
    """

    technology: str
    topology: str
    power_mw: float | str
    duration_h: float | str
    strategy: str
    options: tuple[Touched, ...] = ()


@dataclass(frozen=True)
class Scale:
    """Ends and step of a slider."""

    least: float
    most: float
    step: float


@dataclass(frozen=True)
class Card:
    """A figure of a plan: its name, its value with unit, and what stands under it."""

    name: str
    value: str
    note: str


def controls_of(scenario: Scenario) -> Controls:
    """The controls at which the page shows `scenario` unchanged; of several batteries it moves none."""
    if len(scenario.batteries) > 1:
        return Controls(STATED, STATED, "", "", STATED)
    battery = scenario.battery
    technology = battery.technology if isinstance(battery.technology, str) else STATED
    return Controls(technology, battery.topology, battery.power_mw, battery.duration_h, STATED)


def changed(scenario: Scenario, controls: Controls) -> Scenario:
    """`scenario` with what the controls say.

    A strategy other than the stated begins with its default options. ScenarioError for what the scenario cannot be.
    """
    wanted: dict[str, Any] = {}
    if len(scenario.batteries) == 1:
        wanted["battery"] = {
            "power_mw": controls.power_mw, "duration_h": controls.duration_h, "topology": controls.topology,
        }  # fmt: skip
        if controls.technology != STATED:
            wanted["battery"]["technology"] = controls.technology
    if controls.strategy != STATED or controls.options:
        wanted["strategy"] = with_options(scenario, controls.strategy, controls.options)
    return scenario.replace(**wanted)


def size_of(text: object) -> float | str:
    """What is written in the box of a size."""
    try:
        return float(str(text))
    except ValueError:
        return str(text)


def caption(plan: Dispatch, controls: Controls) -> str:
    """The inputs that figures belong to."""
    strategies = " + ".join(entry.name for entry in plan.scenario.strategies)
    options = "".join(f", {key} = {text or 'default'}" for _, key, text in controls.options)
    twin = {"optimal": "the optimum", "rule": "the rule"}.get(plan.twin, plan.twin)
    batteries = plan.scenario.batteries
    size = " + ".join(f"{one.power_mw:.6g} MW, {one.duration_h:.6g} h" for one in batteries)
    tech, topology = (" + ".join(dict.fromkeys(words)) for words in zip(*map(_kind, batteries), strict=True))
    return f"{size}, {strategies}{options}, {tech}, {topology}: {twin}"


def _kind(battery: Battery) -> tuple[str, str]:
    """Technology and topology in words."""
    return battery.technology if isinstance(battery.technology, str) else "own figures", battery.topology


def choices(scenario: Scenario) -> dict[str, dict[str, str]]:
    """Values and labels of each picker."""
    techs = {str(key): str(key) for key in technologies().index}
    several = len(scenario.batteries) > 1
    if several or not isinstance(scenario.battery.technology, str):
        techs = {STATED: "as stated, own figures"} | techs
    own = " + ".join(entry.name for entry in scenario.strategies) or "none"
    others = {str(key): str(key) for key in strategies().index}
    return {
        "technology": techs,
        "topology": ({STATED: STATED} if several else {}) | {str(key): str(key) for key in topologies().index},
        "strategy": {STATED: f"{own}, as stated"} | others,
    }


def scales(scenario: Scenario) -> dict[str, Scale]:
    """Ends of the sliders: power up to four times what is stated, duration to twelve hours or twice the stated."""
    battery = scenario.batteries[0]
    power, hours = battery.power_mw, battery.duration_h
    step = 10.0 ** math.floor(math.log10(power)) / 20.0
    return {
        "power": Scale(step, math.ceil(4.0 * power / step) * step, step),
        "duration": Scale(0.25, max(12.0, math.ceil(2.0 * hours)), 0.25),
    }


def cards(shown: Dispatch, best: Dispatch) -> list[Card]:
    """Net revenue, cycles, curtailment and gap of the plan `shown`; `best` is the optimum of the same scenario."""
    m, currency = shown.metrics, shown.scenario.site.currency
    unit = m.score_unit.replace("currency", currency)
    score = str(Number(m.score, unit))
    curtailed = str(Number(m.curtailed_mwh, "MWh"))
    solar = Card("curtailed", percent(m.curtailment_ratio), f"{curtailed} of solar")
    return [
        Card("net revenue", str(Number(m.net_revenue, currency)), f"score {score}"),
        Card("full cycles", number(m.equivalent_full_cycles), f"{number(m.cycles_per_day)} a day"),
        solar if m.solar_mwh else Card("curtailed", NOTHING, "there is no solar"),
        _gap(shown, best, unit),
    ]


def product_rows(plan: Dispatch) -> tuple[list[str], list[list[str]]] | None:
    """(heads, rows) of what each market product earns and what is left in its worst call; None without products."""
    if not plan.scenario.product:
        return None
    currency, delivery = plan.scenario.site.currency, plan.delivery.reset_index()
    heads = ["product", "mean [MW]", "most [MW]", f"paid [{currency}]", "left when called [MW]", "[MWh]"]
    rows = []
    for name, sold in plan.products.iterrows():
        money = sold["capacity_revenue"] + sold["activation_revenue"]
        calls = delivery[delivery["product"] == name]
        least = [float(calls[key].min()) for key in ("margin_mw", "margin_mwh")]
        left = [NOTHING if math.isnan(margin) else number(max(margin, 0.0)) for margin in least]
        rows.append([str(name), number(sold["mean_mw"]), number(sold["most_mw"]), f"{money:,.2f}", *left])
    return heads, rows


def _gap(shown: Dispatch, best: Dispatch, unit: str) -> Card:
    """The optimum's to its proven bound, the rule's to the optimum."""
    if shown.twin == "optimal" and shown.report is not None:
        gap = f"{shown.report.gap:.1e}" if shown.report.gap else "0"
        return Card(
            "gap", gap, f"to the proven bound: {shown.report.status}, by {shown.report.solved_by.partition(' (')[0]}"
        )
    short = better_by(best.metrics, shown.metrics)
    missing = shown.metrics.end_shortfall_mwh
    ends = f", and ends {Number(missing, 'MWh')} short" if missing > 1e-6 else ""
    return Card("gap", str(Number(short, unit)), f"of score behind the optimum{ends}")


def error_lines(error: BessOptError) -> list[str]:
    """What is wrong, a sentence per problem."""
    return [problem.sentence() for problem in problems_of(error)]
