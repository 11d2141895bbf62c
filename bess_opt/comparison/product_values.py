"""What each market product of a scenario adds: alone, last and in order, and what a further MW of it would earn."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding
from bess_opt.common.html import box, html_table
from bess_opt.common.progress import ShowProgress, Stretch
from bess_opt.common.progress_bar import followed
from bess_opt.common.wording import number
from bess_opt.dispatch.optimize import dispatch_of, optimize
from bess_opt.dispatch.optimum.marginals import duals_of
from bess_opt.dispatch.optimum.solve_scenario import Solved, solve_scenario
from bess_opt.dispatch.result import Dispatch
from bess_opt.inputs.scenario import Scenario

ENERGY, TOTAL = "without products", "total"


@dataclass(frozen=True)
class ProductValues:
    """What market products add to the best plan, in the currency of `currency` over the horizon.

    `table` has a row for each product in the order of the file, one without products before and the total after
    them. `capacity_revenue` and `activation_revenue` are the product's pay in the plan with all. `alone` is what it
    adds to the plan without products, `last` what it adds to the plan with all others, `in_order` what it adds to
    those before it: this column sums to the total. `blocks`, indexed by (product, start of the block), has `bid_mw`,
    `pay` [currency], `further_mw` (what one MW more of the product's maximum would earn in this block, 0 where
    another limit binds, NaN where bids are whole steps) and `binds`, the limits that bind in it.
    """

    table: pd.DataFrame
    blocks: pd.DataFrame
    currency: str

    def _repr_html_(self) -> str:
        header = ["product", *(f"{name.replace('_', ' ')} [{self.currency}]" for name in self.table.columns)]
        rows = [
            [str(name), *("" if np.isnan(value) else number(value) for value in row)]
            for name, row in zip(self.table.index, self.table.to_numpy(), strict=True)
        ]
        return box("What each market product adds", html_table(header, rows))


def product_values(scenario: Scenario, *, progress: ShowProgress = False) -> ProductValues:
    """What each market product of `scenario` adds to its best plan, alone, last and in order, and which limits bind.

    The value of a plan is the sum of its ledger [currency over the horizon]. Each comparison is a plan of its own,
    at most three for each product. `progress` is a callable that is told a `Progress`, or whether a bar is drawn.
    Raises ScenarioError for a scenario without products, else as `optimize` does.
    """
    products = scenario.product
    if not products:
        found = "the scenario has no market product"
        raise ScenarioError([Finding("no_products", "product", found, "add a table [[product]]")])
    names = [product.name for product in products]
    with followed(progress, "market products") as told:
        solved = solve_scenario(scenario)
        plan = dispatch_of(solved)
        worth = _worths(scenario, names, _value(plan), told)
    whole = frozenset(names)
    table = plan.products[["capacity_revenue", "activation_revenue"]].copy()
    none = worth[frozenset()]
    table["alone"] = [worth[frozenset([name])] - none for name in names]
    table["last"] = [worth[whole] - worth[whole - {name}] for name in names]
    before = [frozenset(names[:place]) for place in range(len(names) + 1)]
    table["in_order"] = [worth[more] - worth[less] for less, more in pairwise(before)]
    table.loc[ENERGY] = [np.nan, np.nan, np.nan, np.nan, none]
    table = table.loc[[ENERGY, *names]]
    paid = table.loc[names, ["capacity_revenue", "activation_revenue"]].sum()
    table.loc[TOTAL] = [*paid, np.nan, np.nan, worth[whole]]
    return ProductValues(table, _blocks(solved, plan), scenario.site.currency)


def _value(plan: Dispatch) -> float:
    return float(sum(plan.ledger.values()))


def _worths(scenario: Scenario, names: list[str], whole: float, told: Stretch) -> dict[frozenset[str], float]:
    """The value of the best plan with each set of products that is asked for."""
    every = frozenset(names)
    asked = [frozenset(names[:place]) for place in range(len(names))]
    asked += [frozenset([name]) for name in names] + [every - {name} for name in names]
    worth = {every: whole}
    todo = [kept for kept in dict.fromkeys(asked) if kept != every]
    for place, kept in enumerate(todo):
        told.step((place + 1) / (len(todo) + 1), "with " + (", ".join(n for n in names if n in kept) or "none"))
        rows = [product for product in scenario.product if product.name in kept]
        worth[kept] = _value(optimize(scenario.replace(product=rows)))
    return worth


def _blocks(solved: Solved, plan: Dispatch) -> pd.DataFrame:
    """A row for each block of each product: its bid, its pay, and what limits it."""
    reasons = plan.explain()
    binds = reasons[[name for name in reasons.columns if name.rpartition(".")[2] == "binds"]]
    duals, tables = duals_of(solved), {}
    for offer in solved.plant.offers:
        of_bid = solved.program.variables[f"{offer.component}_mw"].slice
        more = np.maximum(duals.column[of_bid], 0.0) if offer.step_mw is None else np.full(solved.plant.steps, np.nan)
        bid = plan.schedule[offer.column].to_numpy(dtype=float)
        first = np.append(offer.block_starts, solved.plant.steps)
        parts = [slice(a, b) for a, b in pairwise(first)]
        tables[offer.name] = pd.DataFrame(
            {
                "bid_mw": bid[offer.block_starts],
                "pay": np.add.reduceat(bid * offer.price * solved.plant.step_h, offer.block_starts),
                "further_mw": np.add.reduceat(more, offer.block_starts),
                "binds": [_limits_in(binds.iloc[part]) for part in parts],
            },
            index=plan.schedule.index[offer.block_starts],
        )
    return pd.concat(tables, names=["product", "block"])


def _limits_in(binds: pd.DataFrame) -> str:
    """Each limit that binds in one of the steps, once, in the order of their names."""
    named = {limit for texts in binds.to_numpy().ravel() for limit in str(texts).split(", ") if limit}
    return ", ".join(sorted(named))
