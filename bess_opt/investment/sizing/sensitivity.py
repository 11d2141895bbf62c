"""What the best size, and its worth, hang on: one factor changed at a time, or two together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bess_opt.common.errors import BessOptError, ScenarioError
from bess_opt.common.findings import Finding
from bess_opt.common.names import nearest
from bess_opt.common.progress import ShowProgress, Stretch
from bess_opt.common.progress_bar import followed
from bess_opt.common.wording import show
from bess_opt.dispatch.batch.study import study
from bess_opt.inputs.scenario import Scenario
from bess_opt.investment.joint.region import Ranges, totals
from bess_opt.investment.joint.result import JointSizing
from bess_opt.investment.joint.sites import NAMELESS, Size, bought_site, name_of
from bess_opt.investment.joint.size_jointly import scenarios_of
from bess_opt.investment.lifetime.counted_year import counted_scenario
from bess_opt.investment.sizing.grid import planned
from bess_opt.investment.sizing.objective_units import unit_of
from bess_opt.investment.sizing.objectives import OBJECTIVES, Twin, goal_of
from bess_opt.investment.sizing.result import Sizing
from bess_opt.investment.sizing.size import size
from bess_opt.plots.shared.units import Unit

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Change = Callable[[Scenario], Scenario]
PRICES = ("price_per_mwh", "import_price_per_mwh", "export_price_per_mwh")


@dataclass(frozen=True)
class Factor:
    """Something that may come out otherwise: `change(scenario, amount)`; `low` and `high` are the usual amounts.

    `relative`: an amount is a share of what is stated (0.2 is 20 % more), else it is added.
    """

    label: str
    low: float
    high: float
    relative: bool
    change: Callable[[Scenario, float], Scenario]

    def written(self, amount: float) -> str:
        """An amount for people."""
        return f"{amount:+.3g}" if not self.relative else f"{100 * amount:+.3g} %"


def _capital(scenario: Scenario, amount: float) -> Scenario:
    finance = scenario.finance
    if finance is None:
        raise _missing("capital_cost")
    names = ("capital_per_mw", "capital_per_mwh", "capital_fixed")
    return scenario.replace(finance={name: getattr(finance, name) * (1.0 + amount) for name in names})


def _discount(scenario: Scenario, amount: float) -> Scenario:
    if scenario.finance is None or scenario.finance.discount_rate is None:
        raise _missing("discount_rate")
    return scenario.replace(finance={"discount_rate": scenario.finance.discount_rate + amount})


def _level(scenario: Scenario, amount: float) -> Scenario:
    """Every price of the series times 1 + amount."""
    return _priced(scenario, lambda price: price * (1.0 + amount))


def _spread(scenario: Scenario, amount: float) -> Scenario:
    """Every price as far from its mean over the horizon as before, times 1 + amount."""
    return _priced(scenario, lambda price: price.mean() + (price - price.mean()) * (1.0 + amount))


def _priced(scenario: Scenario, change: Callable[[pd.Series], pd.Series]) -> Scenario:
    there = [name for name in PRICES if name in scenario.series]
    if not there:
        expected = "give a price column, or leave the factor out"
        raise ScenarioError([Finding("missing_column", "changes", "the series has no price to change", expected)])
    return scenario.replace(series=scenario.series.assign(**{name: change(scenario.series[name]) for name in there}))


def _efficiency(scenario: Scenario, amount: float) -> Scenario:
    """Both one-way efficiencies of the cells of each battery times 1 + amount, at most 1."""
    changed: list[object] = []
    for battery in scenario.batteries:
        cells = battery.tech
        etas = {name: min(getattr(cells, name) * (1.0 + amount), 1.0) for name in ("eta_charge", "eta_discharge")}
        changed.append(battery.merged({"technology": cells.to_plain() | etas}, whole=frozenset({"technology"})))
    return scenario.replace(battery=changed)


FACTORS = {
    "capital_cost": Factor("capital cost", -0.2, 0.2, relative=True, change=_capital),
    "price_level": Factor("price level", -0.2, 0.2, relative=True, change=_level),
    "price_spread": Factor("price spread", -0.2, 0.2, relative=True, change=_spread),
    "efficiency": Factor("one-way cell efficiency", -0.02, 0.02, relative=True, change=_efficiency),
    "discount_rate": Factor("discount rate", -0.02, 0.02, relative=False, change=_discount),
}


@dataclass(frozen=True)
class Task:
    """What a worker computes for a changed scenario: the best size there, and what the base size is worth there."""

    base: Mapping[str, Size]  # by the batteries' names: MW, MWh
    power_mw: Ranges
    duration_h: Ranges
    objective: str
    twin: Twin
    steps: Mapping[str, Any]
    years: tuple[Scenario, ...] = ()  # price years, changed as the scenario is

    def __call__(self, scenario: Scenario) -> dict[str, float]:
        """One row of the table."""
        over = {"price_years": self.years} if self.years else {}
        best = sized(
            scenario, self.power_mw, self.duration_h, self.objective, self.twin,
            **self.steps, **over, workers=1, progress=False,
        )  # fmt: skip
        if scenario.finance is not None and scenario.finance.searches_years and best.scenario.finance is not None:
            scenario = scenario.replace(finance=best.scenario.finance.to_plain())
        kept = best.value
        if _sizes_of(best) != self.base:
            finance = {} if scenario.finance is None else {"finance": scenario.finance.to_plain()}
            years = [year.replace(**finance) for year in self.years]
            kept = float(np.mean([self.value_of_base(one, best) for one in years or [scenario]]))
        return figures_of(best) | {"value_of_base_size": kept}

    def value_of_base(self, scenario: Scenario, best: Sizing | JointSizing) -> float:
        """What the base sizes are worth under `scenario`, counted as the sizing `best` of it; NaN where unknown."""
        joint = isinstance(best, JointSizing)
        if joint or OBJECTIVES[self.objective].needs_finance:
            scenario = counted_scenario(scenario)
        goal, size = goal_of(scenario, self.objective, self.twin), totals(list(self.base.values()))
        if size[0] <= 0.0:
            return np.nan if goal.without is None else goal.without
        plan = planned(bought_site(scenario, self.base), self.twin)
        if not joint:
            return goal.value(plan)
        figures = plan.metrics
        return goal.of_revenue(goal.sign * figures.score if self.objective == "score" else figures.net_revenue, *size)


def sized(scenario: Scenario, *question: Any, **limits: Any) -> Sizing | JointSizing:
    """`size` of a question that may be about one battery or several."""
    found: Sizing | JointSizing = size(scenario, *question, **limits)
    return found


def figures_of(best: Sizing | JointSizing) -> dict[str, float]:
    """Sizes and value of a sizing; those of several batteries have their names before them, as "north.power_mw"."""
    stated: list[tuple[str, Mapping[str, float]]] = [
        (NAMELESS, {key: getattr(best, key) for key in ("power_mw", "duration_h", "energy_mwh")})
    ]
    if isinstance(best, JointSizing):
        stated = [(str(name), {str(key): row[key] for key in row.index}) for name, row in best.sizes.iterrows()]
    own = {f"{name}.{key}" if name else key: amount for name, row in stated for key, amount in row.items()}
    return own | {"value": best.value}


def _sizes_of(best: Sizing | JointSizing) -> dict[str, Size]:
    """(MW, MWh) of each battery by its name."""
    if isinstance(best, JointSizing):
        return {str(name): (row["power_mw"], row["energy_mwh"]) for name, row in best.sizes.iterrows()}
    return {name_of(best.scenario.battery): (best.power_mw, best.energy_mwh)}


@dataclass(frozen=True)
class Sensitivity:
    """How value and best size answer to each factor.

    `table` has a row per factor and amount, in the order given: factor, amount (a share of what is stated, or added
    for rates), then of the best size under the changed factor power_mw, duration_h, energy_mwh and value, and
    `value_of_base_size`: what the size that is best today would be worth then. `base` has the same figures unchanged.
    Of several batteries each has its own columns, `north.power_mw` and so on, 0 where it is left out.
    """

    scenario: Scenario
    base: pd.Series
    table: pd.DataFrame
    task: Task

    @property
    def columns_before(self) -> tuple[str, ...]:
        """What stands before the columns of each battery: "north.", or nothing where there is one."""
        return tuple(str(key).removesuffix("power_mw") for key in self.base.index if str(key).endswith("power_mw"))

    @property
    def factors(self) -> Mapping[str, Factor]:
        """What can be changed, by name, with its label."""
        return FACTORS

    def unit_of(self, values: pd.Series) -> Unit:
        """The unit in which `values` of the objective are drawn."""
        return unit_of(self.task.objective, self.scenario.site.currency, values)

    def two_way(
        self,
        factor_a: str,
        factor_b: str,
        points: int = 5,
        *,
        executor: Executor | None = None,
        workers: int | None = None,
    ) -> pd.DataFrame:
        """Two factors together, `points` amounts of each between its usual ends; a row per pair, as in `table`.

        The first two columns are named as the factors and hold their amounts. ScenarioError for an unknown factor,
        the same one twice, or fewer than 2 points.
        """
        for name in (factor_a, factor_b):
            _known(name)
        if factor_a == factor_b:
            raise ScenarioError(
                [Finding("contradiction", "factor_b", f"is {show(factor_b)} again", "name another one")]
            )
        if points < 2:
            raise ScenarioError([Finding("wrong_value", "points", f"found {show(points)}", "give 2 or more")])
        one, two = FACTORS[factor_a], FACTORS[factor_b]
        pairs = [
            (float(a), float(b))
            for a in np.linspace(one.low, one.high, points)
            for b in np.linspace(two.low, two.high, points)
        ]
        changed = {
            f"{factor_a} {a:+.9g}, {factor_b} {b:+.9g}": partial(_changed, ((one, a), (two, b))) for a, b in pairs
        }
        table = _run(self.scenario, changed, self.task, executor, workers, Stretch())
        for place, (name, column) in enumerate(((factor_a, 0), (factor_b, 1))):
            table.insert(place, name, [pair[column] for pair in pairs])
        return table

    def plot(self, two_way: pd.DataFrame | None = None, *, theme: str = "light") -> Figure:
        """The tornado, the widest bar on top; given what `two_way` returned, a map of the two factors."""
        from bess_opt.plots.sizing import sensitivity as plots_sensitivity

        if two_way is None:
            return plots_sensitivity.tornado_figure(self, theme=theme)
        return plots_sensitivity.two_way_figure(self, two_way, theme=theme)


def sensitivity(
    scenario: Scenario,
    power_mw: Ranges,
    duration_h: Ranges,
    changes: Mapping[str, Sequence[float]] | Sequence[str] | None = None,
    objective: str = "npv",
    twin: Twin = "optimal",
    *,
    executor: Executor | None = None,
    workers: int | None = None,
    progress: ShowProgress = False,
    **steps: Any,
) -> Sensitivity:
    """Size `scenario` again under each change of one factor, and value the base size under it too.

    `changes` maps factors to amounts, or names factors to be changed by their usual amounts; by default all of
    `FACTORS` that the scenario has numbers for: capital cost, price level and price spread ±20 %, one-way efficiency
    of the cells ±2 % (never above 1), discount rate ±2 points. Ranges are those of `bess_opt.size`, by name for
    several batteries, which are sized together and whose efficiencies change together. `steps` are the other
    arguments of `bess_opt.size` (power_step_mw, module, budget, tolerance, price_years, …); price years change as the
    scenario does. Runs on any `executor`, on `workers`
    processes, or here; the same rows on each. `progress` is told a `Progress`, or says whether a bar is drawn;
    StopIteration from it ends the work with CancelledError.

    Raises what `size` raises, and ScenarioError for an unknown factor or one that the scenario has no number for.
    """
    amounts = _amounts(scenario, changes)
    changed = {
        f"{name} {amount:+.9g}": partial(_changed, ((FACTORS[name], amount),))
        for name, listed in amounts.items()
        for amount in listed
    }
    years = () if steps.get("price_years") is None else tuple(scenarios_of(steps["price_years"]))
    with followed(progress, "looking for the best size") as told:
        base = 1.0 / (1.0 + len(changed))
        best = sized(
            scenario, power_mw, duration_h, objective, twin, **steps, executor=executor, workers=workers,
            progress=told.part(0.0, base),
        )  # fmt: skip
        told.go_on()
        steps.pop("price_years", None)
        task = Task(_sizes_of(best), power_mw, duration_h, objective, twin, steps, years)
        table = _run(scenario, changed, task, executor, workers, told.part(base, 1.0))
    table.insert(0, "factor", [name for name, listed in amounts.items() for _ in listed])
    table.insert(1, "amount", [amount for listed in amounts.values() for amount in listed])
    figures = figures_of(best) | {"value_of_base_size": best.value}
    return Sensitivity(scenario, pd.Series(figures), table, task)


def _amounts(
    scenario: Scenario, changes: Mapping[str, Sequence[float]] | Sequence[str] | None
) -> dict[str, list[float]]:
    """The amounts of each factor."""
    if changes is None:
        return {name: [f.low, f.high] for name, f in FACTORS.items() if _applies(f, scenario)}
    names = [changes] if isinstance(changes, str) else list(changes)
    for name in names:
        _known(name)
    if isinstance(changes, Mapping):
        return {name: [float(amount) for amount in changes[name]] for name in names}
    return {name: [FACTORS[name].low, FACTORS[name].high] for name in names}


def _applies(factor: Factor, scenario: Scenario) -> bool:
    try:
        factor.change(scenario, 0.0)
    except ScenarioError:
        return False
    return True


def _run(
    scenario: Scenario, changes: Mapping[str, Change], task: Task, executor: Executor | None, workers: int | None,
    told: Stretch,
) -> pd.DataFrame:  # fmt: skip
    """A row per change. BessOptError where one could not be sized, CancelledError where it was ended."""
    if executor is None and workers is None:
        workers = 1
    changed = {name: change(scenario) for name, change in changes.items()}
    parts = [(changed, task)]
    if task.years:  # each change has price years of its own
        parts = [
            ({name: changed[name]}, replace(task, years=tuple(map(change, task.years))))
            for name, change in changes.items()
        ]
    tables = []
    for k, (some, own) in enumerate(parts):
        part = told.part(k / len(parts), (k + 1) / len(parts))
        tables.append(study(some, action=own, executor=executor, workers=workers, progress=part))
        told.go_on()
    table = pd.concat(tables)
    wrong = table[table["error_kind"] != ""]
    if len(wrong):
        raise BessOptError(f"{wrong.index[0]}: {wrong['error'].iloc[0]}")
    return table.drop(columns=["digest", "error_kind", "error"]).reset_index(drop=True)


def _changed(by: Sequence[tuple[Factor, float]], scenario: Scenario) -> Scenario:
    """`scenario` with each factor changed by its amount, one after the other."""
    for factor, amount in by:
        scenario = factor.change(scenario, amount)
    return scenario


def _known(name: str) -> None:
    if name not in FACTORS:
        raise ScenarioError([Finding("unknown_word", "changes", f"found {show(name)}", nearest(str(name), FACTORS))])


def _missing(name: str) -> ScenarioError:
    expected = "add it to [finance], or leave the factor out"
    return ScenarioError([Finding("missing_key", "changes", f"{name} has no number to change", expected)])
