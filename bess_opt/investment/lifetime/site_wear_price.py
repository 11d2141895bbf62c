"""The prices of wear in dispatch, one for each battery of a site, at which they are worth most over their life.

At prices p of the batteries' wear W the optimal plan gives cash R and a line that no plan exceeds:
R <= bound + p · W. The value over life is a function of R and W alone, rising in R. Where it is highest below all
lines is the bound, and what wear is worth there are the next prices to try.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.optimize import linprog

from bess_opt.common.arrays import Array
from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding
from bess_opt.common.progress import Stretch
from bess_opt.dispatch.optimize import optimize
from bess_opt.dispatch.result import Dispatch
from bess_opt.inputs.scenario import Scenario
from bess_opt.investment.lifetime.worn_life import Cells, LifeValue
from bess_opt.investment.lifetime.worn_site import Limit, Line, SiteLife
from bess_opt.plant.from_scenario import plant_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_PLANS = 80
USUAL_PLANS = 12  # that most searches need, for the share that is told
SAME_PRICE = 1e-9  # of a price: nearer ones are one
SAME_MONEY = 1e-6  # of the turnover: by how much an objective may miss its own cash and wear


@dataclass(frozen=True)
class SiteWearPrice:
    """The factor on each battery's stated wear at which the value over life is highest, currency.

    `factor` is by the batteries' names; of a battery that states no wear by depth it is `wear_cost_per_mwh` itself,
    currency per MWh discharged. `value` is the net present value over life of the plan made at them, `bound` what no
    factors reach; `gap` is their distance as a share of what the batteries earn. `table` has a row for all factors
    tried together, in the order tried: of each battery `north.factor`, `north.wear` of a horizon (wear at the stated
    prices, else MWh discharged) and `north.life_used_per_year` (of its cycle life), of the site net_revenue,
    equivalent_full_cycles and value. `scenario` has the factors applied, `plan` is its optimal plan. `assumptions`
    says in one line what the life assumes, `by_depth` which batteries state wear by depth.
    """

    factor: dict[str, float]
    value: float
    bound: float
    gap: float
    table: pd.DataFrame = field(compare=False)
    scenario: Scenario = field(compare=False, repr=False)
    plan: Dispatch = field(compare=False, repr=False)
    assumptions: str = ""
    by_depth: dict[str, bool] = field(default_factory=dict)

    def plot(self, *, theme: str = "light") -> Figure:
        """Value over life against the price of each battery's wear, with the bound."""
        from bess_opt.plots.sizing.wear_price import site_wear_price_figure

        words = {True: "factor on the stated wear", False: "wear cost in dispatch [per MWh discharged]"}
        units = {name: f"{name}: {words[deep]}" for name, deep in self.by_depth.items()}
        return site_wear_price_figure(
            self.table,
            (self.factor, self.value, self.bound),
            labels=units,
            currency=self.scenario.site.currency,
            theme="dark" if theme == "dark" else "light",
        )


@dataclass(frozen=True)
class Tried:
    """Prices of wear with their plan, and the line cash <= most + Σ prices · wear that holds for every plan."""

    prices: tuple[float, ...]
    cash: float
    wear: tuple[float, ...]
    most: float
    plan: Dispatch

    @property
    def line(self) -> Line:
        """(most, prices)."""
        return self.most, self.prices


def planned_at(scenario: Scenario, prices: Sequence[float], cells: Sequence[Cells]) -> Tried:
    """The plan at a price of wear for each battery.

    Raises what `optimize` raises, and ScenarioError where it is not about money.
    """
    plan = optimize(with_wear_prices(scenario, prices))
    cash, wear = plan.metrics.net_revenue, tuple(own.wear_of(plan) for own in cells)
    paid, report = float(np.dot(prices, wear)), plan.report
    money = cash - paid + plan.metrics.stored_value
    scale = max(abs(cash), abs(paid), 1.0)
    if report is None or abs(report.objective - money) > SAME_MONEY * scale:
        found = "the strategy's objective is not the site's money"
        expected = "give a strategy that maximises money: arbitrage, self_consumption or peak_shaving"
        raise ScenarioError([Finding("no_money", "strategy", found, expected)])
    return Tried(tuple(prices), cash, wear, report.bound - _least_stored(scenario), plan)


def _least_stored(scenario: Scenario) -> float:
    """The least that stored energy can be worth at the end, over what it is at the start."""
    total = 0.0
    for battery in plant_of(scenario).batteries:
        ends = np.array([battery.floor_mwh[-1], battery.ceiling_mwh[-1]]) - battery.start_mwh
        total += float((battery.end_value_per_mwh * ends).min())
    return total


def with_wear_prices(scenario: Scenario, factors: Sequence[float]) -> Scenario:
    """`scenario` with each battery's wear by depth times its factor, or without such wear with that as wear cost."""
    changed: list[object] = []
    for battery, factor in zip(scenario.batteries, factors, strict=True):
        wear = battery.wear
        priced: dict[str, object] = {"wear_cost_per_mwh": factor}
        if wear is not None:
            prices = [factor * price for price in wear.cost_per_mwh]
            priced = {"wear": {"depth": list(wear.depth), "cost_per_mwh": prices}}
        changed.append(battery.merged(priced))
    return scenario.replace(battery=changed)


def site_wear_price(
    scenario: Scenario, cells: Sequence[Cells], lives: Sequence[LifeValue], tolerance: float, told: Stretch
) -> SiteWearPrice:
    """`wear_price` of several batteries, whose money counts as a year counts it."""
    energy = np.array([own.storage.energy_mwh for own in cells])
    most = tuple(own.most_wear(len(scenario.series)) for own in cells)
    life = SiteLife(tuple(lives), tuple((energy / energy.sum()).tolist()), most)
    usual = np.array([own.usual_price for own in cells])
    first = [0.0 * usual, usual, 4.0 * usual]
    tried: list[Tried] = []
    limit: Limit | None = None
    told.step(0.0)
    while not told.cancelled and len(tried) < MOST_PLANS:
        if not first and (limit is None or limit.value <= _enough(life, tried, tolerance)):
            break
        if not first and limit is not None:
            first = _unknown(limit, tried, usual)
        if not first:
            break
        tried.append(planned_at(scenario, first.pop(0).tolist(), cells))
        limit = life.highest([one.line for one in tried], _enough(life, tried, tolerance))
        best = _best(life, tried)
        share = len(tried) / (len(tried) + USUAL_PLANS)
        told.tell(share, best=best, bound=max(limit.value, best))
    return _result(scenario, life, tried, np.inf if limit is None else limit.value)


def _unknown(limit: Limit, tried: Sequence[Tried], usual: Array) -> list[Array]:
    """The prices of the limit if they were not tried, else those at which the plans around it are worth the same."""
    known = np.array([one.prices for one in tried])
    for asked in (np.array(limit.prices), _alike(tried, np.array(limit.wear))):
        if asked is not None:
            same = np.abs(known - asked) <= SAME_PRICE * np.maximum(asked, usual)
            if not same.all(axis=1).any():
                return [asked]
    return []


def _alike(tried: Sequence[Tried], wear: Array) -> Array | None:
    """The prices at which the plans whose mix earns most at a wear are worth the same; None below all their wear."""
    cash, worn = np.array([one.cash for one in tried]), np.array([one.wear for one in tried])
    unit, span = max(float(np.abs(cash).max()), 1e-300), np.maximum(worn.max(axis=0), 1e-300)
    found = linprog(
        -cash / unit,
        A_ub=(worn / span).T,
        b_ub=wear / span,
        A_eq=np.ones((1, len(tried))),
        b_eq=[1.0],
        bounds=(0.0, None),
        method="highs",
    )
    if not found.success:
        return None
    prices: Array = np.maximum(-found.ineqlin.marginals, 0.0) * unit / span
    return prices


def _best(life: SiteLife, tried: Sequence[Tried]) -> float:
    return max(life.of(one.cash, one.wear) for one in tried)


def _enough(life: SiteLife, tried: Sequence[Tried], tolerance: float) -> float:
    """The value that a further plan has to pass to be worth making."""
    return _best(life, tried) + tolerance * life.scale(max(one.cash for one in tried))


def _result(scenario: Scenario, life: SiteLife, tried: Sequence[Tried], bound: float) -> SiteWearPrice:
    best = max(tried, key=lambda one: life.of(one.cash, one.wear))
    value, names = life.of(best.cash, best.wear), [own.cells.storage.name for own in life.lives]
    rows = []
    for one in tried:
        row: dict[str, float] = {}
        for name, own, price, wear in zip(names, life.lives, one.prices, one.wear, strict=True):
            row |= {f"{name}.factor": price, f"{name}.wear": wear}
            row[f"{name}.life_used_per_year"] = own.cells.used_per_year(wear)
        cycles = one.plan.metrics.equivalent_full_cycles
        rows.append(
            row | {"net_revenue": one.cash, "equivalent_full_cycles": cycles, "value": life.of(one.cash, one.wear)}
        )
    bound = max(bound, value)
    return SiteWearPrice(
        factor=dict(zip(names, best.prices, strict=True)),
        value=value,
        bound=bound,
        gap=(bound - value) / life.scale(max(one.cash for one in tried)),
        table=pd.DataFrame(rows),
        scenario=with_wear_prices(scenario, best.prices),
        plan=best.plan,
        assumptions=life.lives[0].assumptions,
        by_depth={name: battery.wear is not None for name, battery in zip(names, scenario.batteries, strict=True)},
    )
