"""Cells added during the life: what a stated plan of them brings, and the years and MWh that bring most.

A horizon brings V(E) with E MWh. Cells added at the end of year k bring V(E + x) − V(E) in year k + 1 and fade on
their own from then on: one unit of it is worth φ(k) today, and a MWh costs c(k). Where V is concave each further
MWh brings less, so that later MWh belong to later years, and each can be looked at for itself: at the slope s of V it
is worth max over k of φ(k)·s − c(k), or nothing. Between two energies whose values are known the slope lies between
those of the neighbouring chords; that gives the plan its bound, and says where to look next.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding
from bess_opt.dispatch.optimize import optimize
from bess_opt.dispatch.result import Dispatch, nameplate_mwh
from bess_opt.dispatch.simulate import simulate
from bess_opt.inputs.finance import Finance
from bess_opt.investment.lifetime.best_years import worth_of_years
from bess_opt.investment.lifetime.cash_flow import Added, Figures, augmentation_price
from bess_opt.investment.lifetime.counted_year import counted_plan
from bess_opt.investment.lifetime.faded_dispatch import with_capacities
from bess_opt.models.assemble import model_of
from bess_opt.solver.expand import expand
from bess_opt.strategies.shared.activation import prepare

BRACKET = 0.05  # of the energy: so far below it V is looked at, for the slope at the energy itself
STEP = 0.5  # of the energy: the first step upward, doubled while more cells still pay
MOST_VALUES = 24  # energies at which V is looked at
AS_CASH = 1e-9  # of the money: an objective as near is the money itself
CLOSE = 1e-3  # of what the added cells bring: a bound as near is good enough


@dataclass(frozen=True)
class Augmentation:
    """Cells to add, in order, and the most that the net present value could gain by any others.

    `missed` is NaN where V need not be concave, so that nothing is known; 0 where nothing was looked for.
    """

    added: tuple[Added, ...]
    missed: float = 0.0


class Yields:
    """Net revenue and discharge of the plan's horizon with other energies, each planned once."""

    def __init__(self, plan: Dispatch) -> None:
        self._plan, self._known = plan, dict[float, tuple[float, float]]()
        self.energy_mwh = nameplate_mwh(plan.scenario)
        self._known[self.energy_mwh] = plan.metrics.net_revenue, plan.metrics.discharged_mwh

    def __call__(self, energy_mwh: float) -> tuple[float, float]:
        """(net revenue, MWh discharged) of the horizon with so many MWh at the rated power of the plan.

        Several batteries have them in proportion to their nameplate.
        """
        if energy_mwh not in self._known:
            scenario = self._plan.scenario
            each = [energy_mwh / self.energy_mwh] * len(scenario.batteries)
            changed = scenario.replace(battery=with_capacities(scenario.batteries, each))
            made = counted_plan(optimize(changed) if self._plan.twin == "optimal" else simulate(changed))
            self._known[energy_mwh] = made.metrics.net_revenue, made.metrics.discharged_mwh
        return self._known[energy_mwh]


def augmentation_of(plan: Dispatch, figures: Figures, finance: Finance, fade: float) -> Augmentation:
    """The cells that [finance] adds, stated or looked for. ScenarioError for a plan that cannot be made anew."""
    if not finance.augmentation:
        return Augmentation(())
    if plan.twin not in ("optimal", "rule"):
        found = f"needs plans at other energies, and this one is of the twin {plan.twin!r}"
        expected = "give an optimal plan or a rule's, or leave augmentation out"
        raise ScenarioError([Finding("wrong_twin", "finance.augmentation", found, expected)])
    yields = Yields(plan)
    if finance.searches_augmentation:
        return _searched(yields, _Prices.of(finance, figures, fade), concave=_concave(plan))
    return Augmentation(_stated(yields, finance.added))


def _stated(yields: Yields, added: tuple[tuple[int, float], ...]) -> tuple[Added, ...]:
    found, energy = [], yields.energy_mwh
    for year, more in added:
        before, after = yields(energy), yields(energy + more)
        energy += more
        found.append(Added(year, more, after[0] - before[0], after[1] - before[1]))
    return tuple(found)


def _concave(plan: Dispatch) -> bool:
    """Whether the horizon's cash is known to be concave in the energy: it is maximised, in a linear program."""
    made, batteries = prepare(plan.scenario), plan.scenario.batteries
    plant, money = made.plant, plan.metrics.net_revenue
    negative = bool((plant.import_price < 0.0).any() or (plant.export_price < 0.0).any())
    worn = any(battery.wear is not None or battery.wear_cost_per_mwh > 0.0 for battery in batteries)
    if plan.report is None or negative or worn:
        return False
    if abs(plan.report.objective - money) > AS_CASH * max(abs(money), 1.0):
        return False
    return not bool(expand(model_of(plant, made.strategy)[0]).integer.any())


@dataclass(frozen=True)
class _Prices:
    """By year k of 1 to the lifetime − 1: `worth` φ(k) of a unit of yield from then on, `cost` c(k) of a MWh."""

    worth: Array
    cost: Array

    @classmethod
    def of(cls, finance: Finance, figures: Figures, fade: float) -> _Prices:
        yearly, years = worth_of_years(finance, figures), np.arange(finance.lifetime_years or 1)
        rate, kept = finance.discount_rate or 0.0, 1.0 - finance.tax_rate
        cells = [Added(int(k), 0.0, 0.0) for k in years[1:]]
        worth = [float(yearly @ one.share(years, fade)) for one in cells]
        cost = [kept * augmentation_price(finance, one.year) / (1.0 + rate) ** one.year for one in cells]
        return cls(np.array(worth), np.array(cost))

    def best(self, slope: float) -> tuple[float, int]:
        """(what a MWh is worth that brings `slope` in a horizon, year to add it); (0, 0) where none pays."""
        gain = self.worth * slope - self.cost
        if not len(gain) or gain.max() <= 0.0:
            return 0.0, 0
        return float(gain.max()), int(np.argmax(gain)) + 1


def _searched(yields: Yields, prices: _Prices, *, concave: bool) -> Augmentation:
    """The best years and MWh; looks at V where the bound is furthest from the plan."""
    first = yields.energy_mwh
    energies = [first * (1.0 - BRACKET), first]
    step = STEP * first
    while prices.best(_slope(yields, energies[-2], energies[-1]))[0] > 0.0 and len(energies) < MOST_VALUES // 2:
        energies.append(energies[-1] + step)
        step *= 2.0
    concave = concave and prices.best(_slope(yields, energies[-2], energies[-1]))[0] <= 0.0
    energies.append(energies[-1] + step)  # beyond the first energies that do not pay none do, if V is concave
    while len(energies) < MOST_VALUES:
        gains, missed = _by_interval(yields, energies, prices)
        worst = int(np.argmax(missed)) if len(missed) else 0
        if not len(missed) or missed[worst] <= 0.0 or missed.sum() <= CLOSE * gains.sum():
            break
        energies.insert(worst + 2, 0.5 * (energies[worst + 1] + energies[worst + 2]))
    _, missed = _by_interval(yields, energies, prices)
    by_year: dict[int, float] = {}
    for low, high in pairwise(energies[1:]):
        _, year = prices.best(_slope(yields, low, high))
        if year:
            by_year[year] = by_year.get(year, 0.0) + high - low
    added = _stated(yields, tuple(sorted(by_year.items())))
    return Augmentation(added, float(missed.sum()) if concave else float("nan"))


def _by_interval(yields: Yields, energies: list[float], prices: _Prices) -> tuple[Array, Array]:
    """(gain, most that is missed) of the MWh between each two energies, the first one left out.

    The slope inside falls from at most that of the chord before to at least that of the chord behind, and its mean is
    that of the chord itself: as a MWh's worth is convex in the slope, the two ends in that mean bound it.
    """
    slope = [_slope(yields, a, b) for a, b in pairwise(energies)]
    gain, missed = [], []
    for i in range(1, len(slope)):
        width, mean = energies[i + 1] - energies[i], slope[i]
        steep, flat = max(slope[i - 1], mean), min(slope[min(i + 1, len(slope) - 1)], mean)
        share = (mean - flat) / (steep - flat) if steep > flat else 1.0
        most = share * prices.best(steep)[0] + (1.0 - share) * prices.best(flat)[0]
        gain.append(width * prices.best(mean)[0])
        missed.append(width * most - gain[-1])
    return np.array(gain), np.maximum(np.array(missed), 0.0)


def _slope(yields: Callable[[float], tuple[float, float]], low: float, high: float) -> float:
    """What a MWh between two energies brings in a horizon, on average."""
    return (yields(high)[0] - yields(low)[0]) / (high - low)
