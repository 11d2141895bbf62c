"""Arbitrage: buy, store and sell where the prices make it worth while.

Optimal twin: maximise the whole ledger at import and export prices: energy revenue less variable operating
cost, wear and unserved load, plus the stated value of stored energy. Score: net revenue (cash).

Rule twin: two price thresholds per day, from that day's published prices.

Use it for a merchant battery, alone or beside solar. When not to use: where the load's bill has a demand
charge that matters, or where energy must be in a stated window whatever it pays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bess_opt.common.arrays import Array
from bess_opt.models.ledger import money_terms
from bess_opt.plant.ledger import net_revenue
from bess_opt.plant.plant import Plant
from bess_opt.plant.rule import Rule, State
from bess_opt.strategies.shared.contract import NoOptions, Objective, Strategy, no_checks
from bess_opt.strategies.shared.cycle_budget import DailyBudget, has_lasting_caps


def build(m: Any, _plant: Plant, _options: NoOptions) -> Sequence[Objective]:
    """max Σ ledger."""
    return [money_terms(m)]


def rule(plant: Plant, _options: NoOptions) -> Rule:
    """Charge at or below the day's buying threshold, discharge at or above its selling threshold.

    Each local day has two thresholds, taken from its published prices: as many of its cheapest steps as fill
    the battery, as many of its dearest as empty it, and fewer until selling pays: p_sell·η > p_buy + wear·η, with
    the wear of that depth of cycle, and until a cap on the cycles of a longer time lasts to its end.
    """
    ladder, day = Ladder.of(plant), plant.day.tolist()
    if not has_lasting_caps(plant):
        return _between(*(price[plant.day].tolist() for price in ladder.of_days()))
    budget, today = DailyBudget(plant), -1
    low, high = -np.inf, np.inf

    def decide(state: State) -> float:
        nonlocal today, low, high
        t = state.step
        budget.begin(state)
        if day[t] != today:
            today = day[t]
            low, high = ladder.thresholds(today, budget.left_today_mwh())
        if state.import_price <= low:
            return -state.charge_room_mw
        return state.discharge_room_mw if state.export_price >= high else 0.0

    return decide


def _between(low: list[float], high: list[float]) -> Rule:
    """The rule of thresholds that are known for every step beforehand."""

    def decide(state: State) -> float:
        t = state.step
        if state.import_price <= low[t]:
            return -state.charge_room_mw
        return state.discharge_room_mw if state.export_price >= high[t] else 0.0

    return decide


@dataclass(frozen=True)
class Ladder:
    """Steps of each local day in the order in which they pay: a row a day, a column for each step of charge.

    `bought` and `sold` are the prices at which that many steps are bought and their energy sold, `worth` whether the
    last of them pays; `step_mwh` is what a step brings into the cells.
    """

    bought: Array
    sold: Array
    worth: Array
    step_mwh: float

    @classmethod
    def of(cls, plant: Plant) -> Ladder:
        """The ladders of all days from their published prices."""
        storage, day = plant.together, plant.day
        usable = storage.ceiling_mwh[-1] - storage.floor_mwh[-1]
        step_mwh = storage.charge_max_mw * storage.eta_charge * plant.step_h
        fill = max(1, round(usable / step_mwh))
        drain = max(1, round(usable * storage.eta_discharge / (storage.discharge_max_mw * plant.step_h)))
        eta, length = storage.eta_charge * storage.eta_discharge, np.bincount(day)
        cheap = _sorted_by_day(plant.import_price, day, length)
        dear = -_sorted_by_day(-plant.export_price, day, length)
        share = np.arange(1, min(fill, cheap.shape[1]) + 1)
        paired = np.clip(np.ceil(share * drain / fill).astype(int), 1, length[:, None]) - 1
        sold, bought = np.take_along_axis(dear, paired, axis=1), cheap[:, : len(share)]
        most = np.minimum(length, np.maximum(1, np.rint(length * fill / drain).astype(int)))
        wear = storage.wear_cost_per_mwh + storage.variable_om_per_mwh + _wear_at_depth(plant, share / fill)
        return cls(bought, sold, ((sold - wear) * eta > bought) & (share <= most[:, None]), step_mwh)

    def of_days(self) -> tuple[Array, Array]:
        """`thresholds` of every day where no budget holds them."""
        last = self.worth.shape[1] - 1 - np.argmax(self.worth[:, ::-1], axis=1)
        at, pays = np.arange(len(last)), self.worth.any(axis=1)
        return np.where(pays, self.bought[at, last], -np.inf), np.where(pays, self.sold[at, last], np.inf)

    def thresholds(self, day: int, budget_mwh: float = np.inf) -> tuple[float, float]:
        """(buying, selling) price threshold of a day; -inf and inf where nothing pays or the budget is empty."""
        steps = np.arange(self.worth.shape[1]) * self.step_mwh < budget_mwh  # the last may go beyond it
        pays = np.flatnonzero(self.worth[day] & steps)
        if not len(pays):
            return -np.inf, np.inf
        return float(self.bought[day, pays[-1]]), float(self.sold[day, pays[-1]])


def _wear_at_depth(plant: Plant, depth: Array) -> Array:
    """What a MWh at the port wears in the last part of a cycle that reaches `depth`, as shares of the window.

    Of several batteries that of the one that wears least there, which a plan would use first.
    """
    costs = []
    for battery in plant.batteries:
        usable = battery.ceiling_mwh[-1] - battery.floor_mwh[-1]
        if battery.wear is None or usable <= 0.0:
            return np.zeros(len(depth))
        falls = np.concatenate([[0.0], np.minimum(depth, 1.0) * usable])
        paid, moved = np.diff(battery.wear.of_falls(falls)), np.diff(falls)
        each = np.divide(paid, moved, out=np.full(len(depth), battery.wear.price_per_mwh[-1]), where=moved > 0.0)
        costs.append(each / battery.eta_discharge)
    least: Array = np.min(costs, axis=0)
    return least


def _sorted_by_day(price: Array, day: Array, length: Array) -> Array:
    """Ascending prices, a row per local day; +inf where a day is shorter than the longest."""
    rows = np.full((len(length), int(length.max())), np.inf)
    rows[day, np.arange(len(day)) - np.repeat(np.cumsum(length) - length, length)] = price
    return np.sort(rows, axis=1)


def score(schedule: pd.DataFrame, plant: Plant, _options: NoOptions) -> float:
    """Net revenue over the horizon."""
    return net_revenue(schedule, plant)


STRATEGY = Strategy(
    name="arbitrage",
    summary="buy low, sell high at import and export prices",
    options=NoOptions,
    needs=("prices",),
    score_unit="currency",
    score_sense="max",
    build=build,
    rule=rule,
    score=score,
    checks=no_checks,
    old_names=("arbitrage_aggressive",),
)
