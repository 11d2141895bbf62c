"""What a proof of the best size found."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from bess_opt.common.findings import Finding
from bess_opt.dispatch.result import Dispatch
from bess_opt.investment.sizing.planes import Planes


@dataclass(frozen=True)
class Proven:
    """What the proof found: the winner with its exact plan, bounds in the objective's unit, and the work it took.

    `scale` is what a gap is a share of, `rounding` a difference of values that means nothing. `whole_bids`: not any
    bid is taken, so that the bound may stay open; `notes` say what ended the search.
    """

    power_mw: float
    energy_mwh: float
    plan: Dispatch
    bound: float
    bound_continuous: float
    scale: float
    rounding: float
    table: pd.DataFrame
    marginal_value: dict[str, float] | None
    calls: int
    seconds: dict[str, float]
    planes: Planes
    whole_bids: bool
    notes: list[Finding]
