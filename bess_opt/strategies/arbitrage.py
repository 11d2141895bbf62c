"""Arbitrage: buy, store and sell where the prices make it worth while.

Optimal twin: maximise the whole ledger at import and export prices: energy revenue less variable operating
cost, wear and unserved load, plus the stated value of stored energy. Score: net revenue (cash).

Rule twin: two price thresholds per day, from that day's published prices.

Use it for a merchant battery, alone or beside solar. When not to use: where the load's bill has a demand
charge that matters, or where energy must be in a stated window whatever it pays.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from bess_opt.common.arrays import Array
from bess_opt.models.ledger import money_terms
from bess_opt.plant.ledger import net_revenue
from bess_opt.plant.plant import Plant
from bess_opt.plant.rule import Rule, State
from bess_opt.strategies.shared.contract import NoOptions, Objective, Strategy, no_checks


def build(m: Any, _plant: Plant, _options: NoOptions) -> Sequence[Objective]:
    """max Σ ledger."""
    return [money_terms(m)]


def rule(plant: Plant, _options: NoOptions) -> Rule:
    """Charge at or below the day's buying threshold, discharge at or above its selling threshold.

    Each local day has two thresholds, taken from its published prices: as many of its cheapest steps as fill
    the battery, as many of its dearest as empty it, and fewer until selling pays: p_sell·η > p_buy + wear·η.
    """
    buy, sell = thresholds(plant)
    low, high = buy[plant.day].tolist(), sell[plant.day].tolist()

    def decide(state: State) -> float:
        t = state.step
        if state.import_price <= low[t]:
            return -state.charge_room_mw
        return state.discharge_room_mw if state.export_price >= high[t] else 0.0

    return decide


def thresholds(plant: Plant) -> tuple[Array, Array]:
    """(buying, selling) price threshold per local day; -inf and inf on a day that has no spread worth it."""
    storage, day = plant.together, plant.day
    usable = storage.ceiling_mwh[-1] - storage.floor_mwh[-1]
    fill = max(1, round(usable / (storage.charge_max_mw * storage.eta_charge * plant.step_h)))
    drain = max(1, round(usable * storage.eta_discharge / (storage.discharge_max_mw * plant.step_h)))
    eta = storage.eta_charge * storage.eta_discharge
    wear = storage.wear_cost_per_mwh + storage.variable_om_per_mwh
    length = np.bincount(day)
    cheap, dear = _sorted_by_day(plant.import_price, day, length), -_sorted_by_day(-plant.export_price, day, length)
    share = np.arange(1, min(fill, cheap.shape[1]) + 1)
    paired = np.clip(np.ceil(share * drain / fill).astype(int), 1, length[:, None]) - 1
    sold = np.take_along_axis(dear, paired, axis=1)
    bought = cheap[:, : len(share)]
    most = np.minimum(length, np.maximum(1, np.rint(length * fill / drain).astype(int)))
    worth = ((sold - wear) * eta > bought) & (share <= most[:, None])
    best = len(share) - 1 - np.argmax(worth[:, ::-1], axis=1)
    at, trades = np.arange(len(length)), worth.any(axis=1)
    return np.where(trades, bought[at, best], -np.inf), np.where(trades, sold[at, best], np.inf)


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
