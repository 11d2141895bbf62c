"""Arbitrage: buy, store and sell where the prices make it worth while.

Optimal twin: maximise the whole ledger at import and export prices: energy revenue less variable operating
cost, wear and unserved load, plus the stated value of stored energy. Score: net revenue (cash).

Use it for a merchant battery, alone or beside solar. When not to use: where the load's bill has a demand
charge that matters, or where energy must be in a stated window whatever it pays.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from bess_opt.metrics import net_revenue
from bess_opt.models.ledger import money_terms
from bess_opt.plant import Plant
from bess_opt.strategy import NoOptions, Objective, Strategy, no_checks


def build(m: Any, _plant: Plant, _options: NoOptions) -> Sequence[Objective]:
    """max Σ ledger."""
    return [money_terms(m)]


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
    score=score,
    checks=no_checks,
    old_names=("arbitrage_aggressive",),
)
