"""The ladder from doing nothing to the optimum, for one or several strategies on one scenario."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from bess_opt.common.errors import AuditError, InfeasibleError, SolveError, StrategyError
from bess_opt.common.findings import Finding, Findings, findings_table
from bess_opt.common.html import box, html_table
from bess_opt.common.progress import ShowProgress, Stretch
from bess_opt.common.progress_bar import followed
from bess_opt.common.wording import Number, number, percent
from bess_opt.comparison.gap import Gap, gap
from bess_opt.comparison.stack_attribution import loss_by_removal, value_by_line
from bess_opt.dispatch.forecast_driven.control import control
from bess_opt.dispatch.forecast_driven.forecasts import Forecasts
from bess_opt.dispatch.infeasible.least_changes import naming_least_changes
from bess_opt.dispatch.optimize import dispatch_of
from bess_opt.dispatch.optimum.solve_scenario import Solved, solve_scenario
from bess_opt.dispatch.result import Dispatch
from bess_opt.dispatch.simulate import simulate
from bess_opt.dispatch.without_battery import dispatch_without_battery
from bess_opt.inputs.reading.strategy_entry import StrategyEntry
from bess_opt.inputs.scenario import Scenario
from bess_opt.plant.from_scenario import plant_beside
from bess_opt.plant.metrics import Metrics

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NONE, RULE, OPTIMAL, FAIR = "none", "rule", "optimal", "optimal at rule's end"
FORECAST, PERFECT = "forecast-driven", "perfect forecast"
MISSED = 1e-6  # of nameplate energy: an end condition missed by less is met
UNDEFINED = 1e-9  # of the score: a possible gain below which no share of it is stated
COLUMNS = (
    "score", "score_unit", "score_sense", "net_revenue", "energy_revenue", "demand_charges",
    "equivalent_full_cycles", "losses_mwh", "curtailed_mwh", "end_shortfall_mwh",
)  # fmt: skip

Strategies = str | Mapping[str, Any] | StrategyEntry | Sequence[str | Mapping[str, Any] | StrategyEntry]


@dataclass(frozen=True)
class Comparison:
    """What a battery is worth without a plan, under a rule, and at best.

    `table` is indexed by (strategy, rung); the rungs are "none" (the site without a battery), "rule",
    "optimal", and, where the rule misses `soc_end`, "optimal at rule's end": the optimum that ends with the
    rule's own stored energy. `captured` is the share of the possible gain, (score − none) / (best − none),
    with this fair optimum as best; NaN where there is nothing to gain or no rung "none". It is a share of the
    score: where the objective holds more (wear, the value of stored energy) it may leave 0 to 1.
    With a forecast given there are "forecast-driven", operated on it, and "perfect forecast", operated alike with
    windows of the same length that know everything; both are measured against "optimal", and have no share where
    they miss `soc_end`. `plans` maps (strategy, rung) to the dispatch, `gaps` the strategy to where its rule loses
    against the fair optimum. `notes` says which rungs are left out, and why.
    `lines`, indexed by (strategy, line), is the ledger of each rung with the battery's value per line against
    none; the lines add up to its row "total". `removed`, for a stack, is what its total loses when each strategy
    is removed (`bess_opt.comparison.stack_attribution`); empty otherwise.
    """

    scenario: Scenario
    table: pd.DataFrame
    plans: Mapping[tuple[str, str], Dispatch]
    gaps: Mapping[str, Gap]
    lines: pd.DataFrame
    removed: pd.DataFrame
    notes: Findings

    @property
    def forecast_values(self) -> dict[str, float]:
        """Per strategy, what a perfect forecast is worth over the given one, in its score; more is better."""
        made = {label for label, rung in self.plans if rung == FORECAST}
        return {
            label: better_by(self.plans[label, PERFECT].metrics, self.plans[label, FORECAST].metrics)
            for label in dict.fromkeys(label for label, _ in self.plans)
            if label in made
        }

    @property
    def gap(self) -> Gap:
        """Where the rule loses, if one strategy was compared. StrategyError for several: read `gaps`."""
        if len(self.gaps) == 1:
            return next(iter(self.gaps.values()))
        if not self.gaps:
            raise StrategyError("gap: no rule could be compared; see notes")
        raise StrategyError(f"gap: several strategies were compared; read gaps[name] of {', '.join(self.gaps)}")

    def _repr_html_(self) -> str:

        return comparison_html(self)

    def plot(self, *, theme: str = "light") -> Figure:
        """Scores of the rungs with the captured share; for one strategy also its gap by day and by hour."""
        from bess_opt.plots import comparison as plots_compare

        return plots_compare.ladder_figure(
            self.table, self.gaps, title=self.scenario.name, currency=self.scenario.site.currency, theme=theme
        )


@dataclass(frozen=True)
class _Ladder:
    """The rungs of one strategy."""

    plans: dict[str, Dispatch]
    gap: Gap | None
    removed: pd.DataFrame
    notes: list[Finding]


def compare(
    scenario: Scenario,
    strategies: Strategies | None = None,
    *,
    forecast: Forecasts | None = None,
    horizon_h: float = 48.0,
    every_h: float = 1.0,
    progress: ShowProgress = False,
) -> Comparison:
    """Nothing, rule and optimum of `scenario` side by side, for its own strategy or for each of `strategies`.

    With a `forecast` the battery is also operated on it, every `every_h` hours with `horizon_h` ahead: see `control`.

    `strategies` are names or tables; a name that the scenario itself states keeps the options stated there.
    Raises what `optimize` raises. A rung "none" or "rule" that cannot be run (a site that needs its battery,
    a rule that meets a limit) is left out and noted, as are those of a strategy that windows cannot carry.
    `progress` is a callable that is told a `Progress` after each rung, or whether a bar is drawn; if it raises
    StopIteration the comparison ends with CancelledError.
    """
    contenders = _contenders(scenario, strategies)
    ladders: dict[str, _Ladder] = {}
    with followed(progress, "comparing") as told:
        for place, (label, contender) in enumerate(contenders.items()):
            part = told.part(place / len(contenders), (place + 1) / len(contenders))
            ladders[label] = _ladder(label, contender, part.part(0.0, 1.0 if forecast is None else 0.2))
            if forecast is not None:
                _operate(label, contender, forecast, horizon_h, every_h, ladders[label], part.part(0.2, 1.0))
    plans = {(label, rung): plan for label, made in ladders.items() for rung, plan in made.plans.items()}
    return Comparison(
        scenario=scenario,
        table=_table(ladders),
        plans=plans,
        gaps={label: ladder.gap for label, ladder in ladders.items() if ladder.gap is not None},
        lines=_stacked_tables(
            {label: value_by_line(ladder.plans, NONE, OPTIMAL) for label, ladder in ladders.items()}, "line"
        ),
        removed=_stacked_tables({label: ladder.removed for label, ladder in ladders.items()}, "removed"),
        notes=Findings(note for ladder in ladders.values() for note in ladder.notes),
    )


def comparison_with(best: Dispatch) -> Comparison:
    """Nothing and rule beside an optimal plan that is there already: nothing is solved.

    There is no gap and no fair optimum: both need the program of the plan.
    """
    label = " + ".join(entry.name for entry in best.scenario.strategies)
    found, notes = _without_optimum(label, best.scenario, Stretch())
    plans = found | {OPTIMAL: best}
    return Comparison(
        scenario=best.scenario,
        table=_table({label: _Ladder(plans, None, pd.DataFrame(), [])}),
        plans={(label, rung): plan for rung, plan in plans.items()},
        gaps={},
        lines=_stacked_tables({label: value_by_line(plans, NONE, OPTIMAL)}, "line"),
        removed=pd.DataFrame(),
        notes=Findings(notes),
    )


def _without_optimum(label: str, scenario: Scenario, told: Stretch) -> tuple[dict[str, Dispatch], list[Finding]]:
    """The rungs that solve nothing, and what is to be said of those that cannot run."""
    plans: dict[str, Dispatch] = {}
    notes: list[Finding] = []
    for share, rung, make in ((0.4, NONE, dispatch_without_battery), (0.5, RULE, simulate)):
        told.step(share, f"{label}: {rung}")
        try:
            plans[rung] = make(scenario)
        except (InfeasibleError, AuditError) as error:
            if isinstance(error, AuditError) and rung == RULE:
                raise
            notes.append(_left_out(label, rung, str(error)))
    return plans, notes


def _contenders(scenario: Scenario, strategies: Strategies | None) -> dict[str, Scenario]:
    """The scenario once per strategy, under a name of its own each."""
    if strategies is None:
        return {" + ".join(entry.name for entry in scenario.strategies): scenario}
    listed: list[Any] = [strategies] if isinstance(strategies, str | Mapping | StrategyEntry) else list(strategies)
    stated = {entry.name: entry for entry in scenario.strategies}
    found: dict[str, Scenario] = {}
    for item in listed:
        contender = scenario.replace(strategy=stated.get(item, item) if isinstance(item, str) else item)
        name = " + ".join(entry.name for entry in contender.strategies)
        same = sum(label == name or label.startswith(f"{name} (") for label in found)
        found[f"{name} ({same + 1})" if same else name] = contender
    if not found:
        raise StrategyError("strategies: the list is empty; name at least one, or leave it out")
    return found


def _ladder(label: str, scenario: Scenario, told: Stretch) -> _Ladder:
    told.step(0.0, f"{label}: optimum")
    with naming_least_changes(scenario):
        solved = solve_scenario(scenario)
    found, notes = _without_optimum(label, scenario, told)
    plans = {OPTIMAL: dispatch_of(solved)} | found
    told.step(0.6, f"{label}: where the rule loses")
    split: Gap | None = None
    if RULE in plans:
        fair, best = _fair(solved, plans)
        try:
            split = gap(fair, best, plans[RULE])
        except SolveError as error:
            notes.append(_left_out(label, "gap", str(error)))
    order = [rung for rung in (NONE, RULE, FAIR, OPTIMAL) if rung in plans]
    plans = {rung: plans[rung] for rung in order}
    told.step(0.8)
    removed, left_out = loss_by_removal(scenario, plans[OPTIMAL])
    told.step(1.0)
    return _Ladder(plans, split, removed, [*notes, *left_out])


def _stacked_tables(tables: dict[str, pd.DataFrame], inner: str) -> pd.DataFrame:
    """The tables that have rows under one index (strategy, `inner`)."""
    filled = {label: table for label, table in tables.items() if len(table)}
    return pd.concat(filled, names=["strategy", inner]) if filled else pd.DataFrame()


def _operate(
    label: str,
    scenario: Scenario,
    forecast: Forecasts,
    horizon_h: float,
    every_h: float,
    ladder: _Ladder,
    told: Stretch,
) -> None:
    """Enter the forecast-driven rungs, before the optimum."""
    made: dict[str, Dispatch] = {}
    try:
        for share, rung, known in ((0.0, FORECAST, forecast), (0.5, PERFECT, "perfect")):
            part = told.part(share, share + 0.5)
            part.step(0.0, f"{label}: {rung}")
            made[rung] = control(scenario, known, horizon_h=horizon_h, every_h=every_h, progress=part)
    except (StrategyError, InfeasibleError) as error:
        ladder.notes.append(_left_out(label, FORECAST, str(error)))
        return
    best = {rung: ladder.plans.pop(rung) for rung in (FAIR, OPTIMAL) if rung in ladder.plans}
    ladder.plans.update(made | best)


def better_by(one: Metrics, other: Metrics) -> float:
    """How much better `one` scores than `other`, in the score's own sense."""
    return one.score - other.score if one.score_sense == "max" else other.score - one.score


def _fair(solved: Solved, plans: dict[str, Dispatch]) -> tuple[Solved, Dispatch]:
    """The optimum under the rule's own end, entered as a rung where that is another one."""
    scenario, rule = solved.scenario, plans[RULE]
    if not _misses_end(rule):
        return solved, plans[OPTIMAL]
    ends = [float(unit["soc"].iloc[-1]) for unit in rule.units.values()]
    batteries = [
        battery.merged({"soc_end": min(max(end, battery.tech.soc_min), battery.tech.soc_max)})
        for battery, end in zip(scenario.batteries, ends, strict=True)
    ]
    ended_alike = scenario.replace(battery=batteries)
    plant_beside(ended_alike, scenario)
    fair = solve_scenario(ended_alike)
    plans[FAIR] = dispatch_of(fair)
    return fair, plans[FAIR]


def _left_out(label: str, rung: str, why: str) -> Finding:
    reason = why.splitlines()[0]
    remedies = {NONE: "the site needs its battery", FORECAST: "see bess_opt.dispatch.forecast_driven.control"}
    expected = remedies.get(rung, "see the strategy's rule")
    return Finding("rung_left_out", f"{label}, {rung}", f"is left out: {reason}", expected, "warning")


def _table(ladders: dict[str, _Ladder]) -> pd.DataFrame:
    rows, keys = [], []
    for label, ladder in ladders.items():
        captured = _captured(ladder.plans)
        for rung, plan in ladder.plans.items():
            figures = plan.metrics.to_dict()
            rows.append({name: figures[name] for name in COLUMNS} | {"captured": captured[rung]})
            keys.append((label, rung))
    index = pd.MultiIndex.from_tuples(keys, names=["strategy", "rung"])
    return pd.DataFrame(rows, index=index)


def _captured(plans: dict[str, Dispatch]) -> dict[str, float]:
    """Share of the possible gain per rung; NaN where it says nothing."""
    scores = {rung: plan.metrics.score for rung, plan in plans.items()}
    shares = dict.fromkeys(plans, float("nan"))
    basis = FAIR if FAIR in plans else OPTIMAL
    if NONE not in plans:
        return shares
    missed = {r for r in (FORECAST, PERFECT) if r in plans and _misses_end(plans[r])}
    for best, rungs in ((OPTIMAL, {FORECAST, PERFECT} - missed), (basis, {NONE, RULE, basis})):
        possible = scores[best] - scores[NONE]
        if abs(possible) > UNDEFINED * max(abs(scores[best]), abs(scores[NONE])):
            shares |= {r: (scores[r] - scores[NONE]) / possible + 0.0 for r in plans if r in rungs}
    return shares


def _misses_end(plan: Dispatch) -> bool:
    return plan.metrics.end_shortfall_mwh > MISSED * sum(battery.energy_mwh for battery in plan.scenario.batteries)


def comparison_table(comparison: Comparison) -> tuple[list[str], list[list[str]]]:
    """Header and rows: strategy, rung, score, share of the possible gain, net revenue, cycles.

    A unit that all scores share stands in the header, otherwise with each score.
    """
    currency = comparison.scenario.site.currency
    units = {str(unit).replace("currency", currency) for unit in comparison.table["score_unit"]}
    shared = units.pop() if len(units) == 1 else ""
    score = f"score [{shared}]" if shared else "score"
    header = ["strategy", "rung", score, "captured", f"net revenue [{currency}]", "full cycles"]
    rows = []
    for key, row in comparison.table.iterrows():
        strategy, rung = key if isinstance(key, tuple) else (key, "")
        unit = "" if shared else str(row["score_unit"]).replace("currency", currency)
        rows.append(
            [
                str(strategy),
                str(rung),
                str(Number(row["score"], unit)),
                percent(row["captured"]),
                number(row["net_revenue"]),
                number(row["equivalent_full_cycles"]),
            ]
        )
    return header, rows


def comparison_html(comparison: Comparison) -> str:
    """A comparison as HTML: a row for each way of operating, and what was left out with the reason."""
    header, rows = comparison_table(comparison)
    notes = findings_table(list(comparison.notes)) if len(comparison.notes) else ""
    return box(f"Comparison for {comparison.scenario.name}", html_table(header, rows) + notes)
