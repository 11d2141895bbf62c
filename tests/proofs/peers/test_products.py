"""The most money of random sites with market products, by a program written from the meaning of the keys alone."""

from __future__ import annotations

import pandas as pd
import pytest
from support.peers.plant_program import SiteCase
from support.peers.product_program import ProductCase, blocks_of, most_money

LOSSLESS = {"eta_charge": 1.0, "eta_discharge": 1.0, "soc_min": 0.0, "soc_max": 1.0, "c_rate_max": 10.0}
BATTERY = {
    "power_mw": 1.0,
    "duration_h": 2.0,
    "technology": LOSSLESS,
    "converters": {"ac_to_dc": 1.0, "dc_to_ac": 1.0, "dc_to_dc": 1.0},
    "soc_start": 0.5,
    "soc_end": "equal",
}


def test_one_block_of_four_hours_by_hand() -> None:
    """1 MW half full can be called half an hour either way at any time: 1 MW x 4 h x 10."""
    hours = pd.date_range("2025-06-01", periods=4, freq="h", tz="UTC")
    series = pd.DataFrame({"price_per_mwh": 50.0, "fcr_price_per_mw": 10.0}, index=hours)
    product = {"name": "fcr", "block_h": 4.0, "headroom_h": 0.5}
    assert most_money(ProductCase(SiteCase(series, [BATTERY]), [product])) == pytest.approx(40.0)


@pytest.mark.parametrize(
    ("day", "block_h", "lengths"),
    [
        ("2025-10-26", 4.0, [5, 4, 4, 4, 4, 4]),  # the repeated hour makes the first block longer
        ("2025-03-30", 4.0, [3, 4, 4, 4, 4, 4]),
        ("2025-10-26", 1.0, [1] * 25),  # the repeated hour is a block of its own
        ("2025-10-26", 3.0, [3, 1, 3, 3, 3, 3, 3, 3, 3]),  # set back where the first block has just ended
        ("2025-10-26", 168.0, [25]),
    ],
)
def test_blocks_of_a_day_in_berlin(day: str, block_h: float, lengths: list[int]) -> None:
    start = pd.Timestamp(day, tz="Europe/Berlin")
    hours = pd.date_range(start, start + pd.DateOffset(days=1), freq="h", inclusive="left")
    numbers = pd.Series(blocks_of(hours, {"block_h": block_h}, 1.0))
    assert numbers.value_counts(sort=False).sort_index().tolist() == lengths
