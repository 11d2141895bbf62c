"""The price of wear in dispatch at which a battery is worth most over its life, with a bound over all prices.

Dispatch at a dearer wear earns less in its first years and wears the cells less, so that later years earn more. At
each price of wear the optimal plan gives cash R and wear W, and a line that no plan exceeds: R <= bound + price · W.
The value over life is a function of R and W alone, rising in R. Below the lowest of the lines it is looked for
everywhere: that is the bound, and where it is highest is the next price to try.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding
from bess_opt.common.progress import ShowProgress
from bess_opt.common.progress_bar import followed
from bess_opt.common.wording import show
from bess_opt.dispatch.result import Dispatch
from bess_opt.inputs.scenario import Scenario
from bess_opt.investment.lifetime.counted_year import counted_scenario
from bess_opt.investment.lifetime.repeated_end import ONCE, free_ends
from bess_opt.investment.lifetime.site_wear_price import (
    MOST_PLANS,
    SAME_PRICE,
    USUAL_PLANS,
    SiteWearPrice,
    planned_at,
    site_wear_price,
    with_wear_prices,
)
from bess_opt.investment.lifetime.worn_life import Cells, LifeValue, cells_of, life_values_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LARGEST = 1e6  # of the first price tried: dearer wear than that leaves no battery at work


@dataclass(frozen=True)
class WearPrice:
    """The factor on the stated wear at which the value over life is highest, currency.

    Where the scenario states no wear by depth, `factor` is `wear_cost_per_mwh` itself, currency per MWh discharged.
    `value` is the net present value over life of the plan made at it, `bound` what no factor reaches; `gap` is their
    distance as a share of what the battery earns. `table` has a row for each factor tried, in order: net_revenue and
    wear of a horizon (wear at the stated prices, else MWh discharged), equivalent_full_cycles, life_used_per_year (of
    the cycle life) and value. `scenario` has the factor applied, `plan` is its optimal plan. `assumptions` says in
    one line what the life assumes.
    """

    factor: float
    value: float
    bound: float
    gap: float
    table: pd.DataFrame = field(compare=False)
    scenario: Scenario = field(compare=False, repr=False)
    plan: Dispatch = field(compare=False, repr=False)
    assumptions: str = ""
    by_depth: bool = False

    def plot(self, *, theme: str = "light") -> Figure:
        """Value over life against the price of wear, with the bound."""
        from bess_opt.plots.sizing.wear_price import wear_price_figure

        unit = "factor on the stated wear" if self.by_depth else "wear cost in dispatch [per MWh discharged]"
        return wear_price_figure(
            self.table,
            (self.factor, self.value, self.bound),
            label=unit,
            currency=self.scenario.site.currency,
            theme="dark" if theme == "dark" else "light",
        )


def wear_price(
    scenario: Scenario, *, tolerance: float = 1e-6, progress: ShowProgress = False
) -> WearPrice | SiteWearPrice:
    """The wear cost in dispatch at which the battery of `scenario` is worth most over its life.

    With `battery.wear` stated it is a factor on all its prices, else `battery.wear_cost_per_mwh`. Cells last as their
    technology does: what a full cycle uses of the cycle life is shared out over depths as the stated wear is (without
    it by the energy that leaves the cells), capacity is the smaller of calendar and cycle capacity, and the battery's
    part of the net revenue goes with it; cells are new after each replacement of [finance]. The search ends when no
    plan of a further price can be better by more than `tolerance` of what the battery earns.

    Several batteries have a factor each, searched together: a `SiteWearPrice`. What they earn goes with the capacity
    of all nameplate, as in `ageing`.

    `progress` is told a `Progress` after each plan, or says whether a bar is drawn; StopIteration from it ends the
    search with the prices planned so far and the bound that holds for them, before the first with CancelledError.

    ScenarioError without [finance] and its rates, beside `fade_per_year` or `present_value_factor`, for a technology
    without `cycle_life`, for `soc_end = "free"`, and for a strategy that does not maximise money.
    """
    _check(scenario, tolerance)
    counted = counted_scenario(scenario)
    each = cells_of(counted)
    lives = life_values_of(counted, each)
    if len(each) > 1:
        with followed(progress, "planning at prices of wear") as told:
            return site_wear_price(counted, each, lives, tolerance, told)
    cells, life = each[0], lives[0]
    search = _Search(counted, cells, life)
    first = [0.0, cells.usual_price, 4.0 * cells.usual_price]
    with followed(progress, "planning at each price of wear") as told:
        told.step(0.0)
        while not told.cancelled and len(search.tried) < MOST_PLANS:
            price = first.pop(0) if first else search.next_price(tolerance)
            if price is None:
                break
            search.add(price)
            share = len(search.tried) / (len(search.tried) + USUAL_PLANS)
            told.tell(share, best=search.best.value, bound=search.bound())
    return _result(scenario, search, cells, life)


@dataclass(frozen=True)
class _Tried:
    """A price of wear with its plan, and the line cash <= most + price · wear that holds for every plan."""

    price: float
    cash: float
    wear: float
    value: float
    most: float
    plan: Dispatch

    @property
    def line(self) -> tuple[float, float]:
        """(most, price)."""
        return self.most, self.price


class _Search:
    """Prices tried so far, in order of the price."""

    def __init__(self, scenario: Scenario, cells: Cells, life: LifeValue) -> None:
        self.scenario, self.cells, self.life = scenario, cells, life
        self.tried: list[_Tried] = []

    def add(self, price: float) -> _Tried:
        """Plan at a price of wear. Raises what `optimize` raises, and ScenarioError where it is not about money."""
        found = planned_at(self.scenario, [price], [self.cells])
        (wear,) = found.wear
        made = _Tried(price, found.cash, wear, self.life.of(found.cash, wear), found.most, found.plan)
        self.tried = sorted([*self.tried, made], key=lambda tried: tried.price)
        return made

    @property
    def best(self) -> _Tried:
        """The highest value so far."""
        return max(self.tried, key=lambda tried: tried.value)

    def bound(self) -> float:
        """What no price reaches."""
        most = max(tried.wear for tried in self.tried)
        return max(self.life.highest([tried.line for tried in self.tried], 0.0, most), self.best.value)

    def next_price(self, tolerance: float) -> float | None:
        """The price that tells most of the plans that may still be better; None where none is left."""
        enough = self.best.value + tolerance * self.scale()
        looked_at = ((self.life.highest(lines, low, high), price) for lines, low, high, price in self._gaps())
        most, price = max(looked_at, default=(-np.inf, 0.0))
        return price if most > enough else None

    def scale(self) -> float:
        """What the battery earns over its life while nothing fades."""
        return self.life.scale(max(tried.cash for tried in self.tried))

    def _gaps(self) -> list[tuple[list[tuple[float, float]], float, float, float]]:
        """(lines, least wear, most wear, price) of the plans between two that were made, and below the least worn.

        The lines are those of the two. The price is that at which they are worth the same; where a plan was made at
        it there is no other.
        """
        points = {tried.wear: tried for tried in sorted(self.tried, key=lambda t: (t.wear, t.cash))}
        ordered = [points[wear] for wear in sorted(points)]
        known = np.array([tried.price for tried in self.tried])
        gaps = []
        least, dearest = ordered[0], self.tried[-1]
        if least.wear > SAME_PRICE * ordered[-1].wear and dearest.price < LARGEST * self.cells.usual_price:
            gaps.append(([dearest.line], 0.0, least.wear, 4.0 * dearest.price))
        for low, high in pairwise(ordered):
            price = (high.cash - low.cash) / (high.wear - low.wear)
            if price > 0.0 and np.abs(known - price).min() > SAME_PRICE * max(price, self.cells.usual_price):
                gaps.append(([low.line, high.line], low.wear, high.wear, price))
        return gaps


def _result(scenario: Scenario, search: _Search, cells: Cells, life: LifeValue) -> WearPrice:
    best, bound = search.best, search.bound()
    rows = [
        {
            "factor": tried.price,
            "net_revenue": tried.cash,
            "wear": tried.wear,
            "equivalent_full_cycles": tried.plan.metrics.equivalent_full_cycles,
            "life_used_per_year": cells.used_per_year(tried.wear),
            "value": tried.value,
        }
        for tried in search.tried
    ]
    return WearPrice(
        factor=best.price,
        value=best.value,
        bound=bound,
        gap=(bound - best.value) / search.scale(),
        table=pd.DataFrame(rows),
        scenario=with_wear_prices(scenario, [best.price]),
        plan=best.plan,
        assumptions=life.assumptions,
        by_depth=scenario.battery.wear is not None,
    )


def _check(scenario: Scenario, tolerance: float) -> None:
    finance, problems = scenario.finance, []
    if not 0.0 < tolerance < 1.0:
        problems.append(
            Finding("wrong_value", "tolerance", f"found {show(tolerance)}", "give a share above 0, below 1")
        )
    if finance is None:
        expected = "give capital, discount_rate and lifetime_years"
        raise ScenarioError([*problems, Finding("missing_table", "finance", "is missing", expected)])
    for key in ("fade_per_year", "present_value_factor"):
        if getattr(finance, key):
            found = "leaves no life that wear could shorten"
            problems.append(Finding("contradiction", f"finance.{key}", found, "leave it out"))
    problems += free_ends(scenario.batteries, "and the horizon repeats", ONCE)
    if problems:
        raise ScenarioError(problems)
