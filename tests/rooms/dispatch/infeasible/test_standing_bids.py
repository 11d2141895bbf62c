"""Why no plan holds a bid of a market product that stands already."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import bess_opt as bo


@pytest.mark.parametrize(
    ("row", "load", "said"),
    [
        ({"held_mw": 5.0}, 0.0, r"the bid of 5 MW of 'fcr' that stands; cannot hold together with the power of its"),
        ({"held_mw": 1.9, "headroom_h": 3.0}, 0.0, r"the bid of 1\.9 MW of 'fcr' that stands; .* energy for calls"),
        ({"held_mw": 3.0}, 1.0, r"the bid of 3 MW of 'fcr' that stands and the load of 1 MW; cannot hold together"),
    ],
    ids=["power", "energy", "beside a load"],
)
def test_a_standing_bid_beyond_the_battery_is_named_with_its_place(
    row: dict[str, Any], load: float, said: str
) -> None:
    at = pd.date_range("2025-06-01", periods=24, freq="h", tz="UTC")
    series = pd.DataFrame({"price_per_mwh": 50.0, "fcr_price_per_mw": 10.0, "load_mw": load}, index=at)
    free = {"name": "other"}
    scenario = bo.Scenario(
        battery={"power_mw": 2.0, "duration_h": 4.0},
        series=series.assign(other_price_per_mw=1.0),
        product=[free, {"name": "fcr", "block_h": 4.0} | row],
        strategy="arbitrage",
    )
    with pytest.raises(bo.InfeasibleError, match=rf"product\[1\]\.held_mw: .*{said}"):
        bo.optimize(scenario)
