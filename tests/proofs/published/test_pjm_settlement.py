"""What PJM paid for regulation in each hour of January 2017, from its prices, its mileage ratio and the MW."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest

from bess_opt.plant.money import pjm_credit

NAME = "regulation_pjm/pjm_reg_hourly_jan2017_prices_mileage_credit.csv"


def settled() -> pd.DataFrame:
    path = Path(os.environ.get("BESS_OPT_DATA", "")) / NAME
    if "BESS_OPT_DATA" not in os.environ or not path.is_file():
        pytest.skip("BESS_OPT_DATA does not lead to PJM's regulation settlement")
    return pd.read_csv(path)


def credits_of(hours: pd.DataFrame, *, capability: float = 1.0, performance: float = 1.0) -> pd.Series:
    """Every hour's credit. The file's MW are effective ones: MW · RMCCP is the published capability credit to
    the last digit, so that the score is in them already and counts as 1.
    """
    credit: pd.Series = pjm_credit(
        hours["integrated_mw"], 1.0, capability * hours["rmccp"], hours["mileage_ratio"], performance * hours["rmpcp"]
    )
    return credit


@pytest.mark.real_data
def test_credits_of_a_month() -> None:
    """743 hours, 1,284.79276 $; without the mileage ratio the performance part would be another."""
    hours = settled()
    credit = credits_of(hours)
    assert len(credit) == 743
    assert credit.to_numpy() == pytest.approx(hours["credit_total_usd"].to_numpy(), rel=1e-12)
    assert credit.sum() == pytest.approx(1284.79276, abs=5e-6)


@pytest.mark.real_data
def test_parts_of_the_credits() -> None:
    """Capability 925.63700 $ and performance 359.15576 $."""
    hours = settled()
    assert credits_of(hours, performance=0.0).sum() == pytest.approx(925.63700, abs=5e-6)
    assert credits_of(hours, capability=0.0).sum() == pytest.approx(359.15576, abs=5e-6)
    flat = hours.assign(mileage_ratio=1.0)
    assert abs(credits_of(flat).sum() - 1284.79276) > 1.0


def test_a_score_scales_both_parts() -> None:
    """2 MW · 0.9 · (10 + 1.5 · 4) = 28.8; a score on one part only would give 30.8 or 30.0."""
    assert pjm_credit(2.0, 0.9, 10.0, 1.5, 4.0) == pytest.approx(28.8)
