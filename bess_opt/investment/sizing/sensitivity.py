"""What the best size, and its worth, hang on: one factor changed at a time, or two together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
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
from bess_opt.inputs.batteries import require_one_battery
from bess_opt.inputs.scenario import Scenario
from bess_opt.investment.sizing.grid import planned
from bess_opt.investment.sizing.objective_units import unit_of
from bess_opt.investment.sizing.objectives import Twin, goal_of
from bess_opt.investment.sizing.region import Range
from bess_opt.investment.sizing.size import size
from bess_opt.investment.sizing.sized_program import resized
from bess_opt.plots.shared.units import Unit

if TYPE_CHECKING:
    from matplotlib.figure import Figure

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
    """Both one-way efficiencies of the cells times 1 + amount, at most 1."""
    cells = scenario.battery.tech
    etas = {name: min(getattr(cells, name) * (1.0 + amount), 1.0) for name in ("eta_charge", "eta_discharge")}
    kept = {name: getattr(cells, name) for name in ("soc_min", "soc_max", "c_rate_max")}
    return scenario.replace(battery={"technology": etas | kept})


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

    base: tuple[float, float]  # MW, MWh
    power_mw: Range
    duration_h: Range
    objective: str
    twin: Twin
    steps: Mapping[str, Any]

    def __call__(self, scenario: Scenario) -> dict[str, float]:
        """One row of the table."""
        best = size(
            scenario, self.power_mw, self.duration_h, self.objective, self.twin,
            **self.steps, workers=1, progress=False,
        )  # fmt: skip
        kept = best.value
        if (best.power_mw, best.energy_mwh) != self.base:
            goal = goal_of(scenario, self.objective, self.twin)
            kept = goal.value(planned(resized(scenario, *self.base), self.twin))
        return {
            "power_mw": best.power_mw,
            "duration_h": best.duration_h,
            "energy_mwh": best.energy_mwh,
            "value": best.value,
            "value_of_base_size": kept,
        }


@dataclass(frozen=True)
class Sensitivity:
    """How value and best size answer to each factor.

    `table` has a row per factor and amount, in the order given: factor, amount (a share of what is stated, or added
    for rates), then of the best size under the changed factor power_mw, duration_h, energy_mwh and value, and
    `value_of_base_size`: what the size that is best today would be worth then. `base` has the same figures unchanged.
    """

    scenario: Scenario
    base: pd.Series
    table: pd.DataFrame
    task: Task

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
            f"{factor_a} {a:+.9g}, {factor_b} {b:+.9g}": two.change(one.change(self.scenario, a), b) for a, b in pairs
        }
        table = _run(changed, self.task, executor, workers, Stretch())
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
    power_mw: Range,
    duration_h: Range,
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
    of the cells ±2 % (never above 1), discount rate ±2 points. `steps` are the other arguments of `bess_opt.size`
    (power_step_mw, module, budget, tolerance, …). Runs on any `executor`, on `workers` processes, or here; the same
    rows on each. `progress` is told a `Progress`, or says whether a bar is drawn; StopIteration from it ends the work
    with CancelledError.

    Raises what `size` raises, and ScenarioError for an unknown factor or one that the scenario has no number for.
    """
    require_one_battery(scenario.batteries, "sensitivity")
    amounts = _amounts(scenario, changes)
    changed = {
        f"{name} {amount:+.9g}": FACTORS[name].change(scenario, amount)
        for name, listed in amounts.items()
        for amount in listed
    }
    with followed(progress, "looking for the best size") as told:
        base = 1.0 / (1.0 + len(changed))
        best = size(
            scenario, power_mw, duration_h, objective, twin, **steps, executor=executor, workers=workers,
            progress=told.part(0.0, base),
        )  # fmt: skip
        told.go_on()
        task = Task((best.power_mw, best.energy_mwh), power_mw, duration_h, objective, best.twin, steps)
        table = _run(changed, task, executor, workers, told.part(base, 1.0))
    table.insert(0, "factor", [name for name, listed in amounts.items() for _ in listed])
    table.insert(1, "amount", [amount for listed in amounts.values() for amount in listed])
    figures = {name: getattr(best, name) for name in ("power_mw", "duration_h", "energy_mwh", "value")}
    return Sensitivity(scenario, pd.Series(figures | {"value_of_base_size": best.value}), table, task)


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
    changed: Mapping[str, Scenario], task: Task, executor: Executor | None, workers: int | None, told: Stretch
) -> pd.DataFrame:
    """A row per changed scenario. BessOptError where one could not be sized, CancelledError where it was ended."""
    if executor is None and workers is None:
        workers = 1
    table = study(changed, action=task, executor=executor, workers=workers, progress=told)
    told.go_on()
    wrong = table[table["error_kind"] != ""]
    if len(wrong):
        raise BessOptError(f"{wrong.index[0]}: {wrong['error'].iloc[0]}")
    return table.drop(columns=["digest", "error_kind", "error"]).reset_index(drop=True)


def _known(name: str) -> None:
    if name not in FACTORS:
        raise ScenarioError([Finding("unknown_word", "changes", f"found {show(name)}", nearest(str(name), FACTORS))])


def _missing(name: str) -> ScenarioError:
    expected = "add it to [finance], or leave the factor out"
    return ScenarioError([Finding("missing_key", "changes", f"{name} has no number to change", expected)])
