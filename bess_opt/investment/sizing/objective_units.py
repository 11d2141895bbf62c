"""The unit in which an objective of sizing is drawn."""

from __future__ import annotations

import pandas as pd

from bess_opt.investment.sizing.objectives import OBJECTIVES
from bess_opt.plots.shared.units import Unit


def unit_of(objective: str, currency: str, values: pd.Series, score_unit: str = "currency") -> Unit:
    """Name and unit of `objective`; money in thousands or millions where `values` are large.

    `score_unit` is the unit of the strategy's own score, for the objective "score".
    """
    known = OBJECTIVES[objective]
    if known.unit not in ("", "{currency}"):
        return Unit(known.label, known.unit.format(currency=currency))
    unit = score_unit.replace("currency", currency) if objective == "score" else currency
    return Unit.money(known.label, unit, values)
