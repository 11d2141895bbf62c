"""A bill that is cut and taken up with `bo.used` comes out as if the horizon had never been cut."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.peers.tariffs import Case, random_case

import bess_opt as bo

NO_CUT = {126, 190}  # within one day; a clock set by half an hour, after which no step of 20 minutes begins an hour
IDLE = {"power_mw": 1.0, "duration_h": 1.0, "soc_end": "free"}


def case_of(seed: int) -> Case:
    """A random tariff without what a cut changes by its meaning: charges by hours of the horizon."""
    case = random_case(seed)
    rows = case.tariff["demand"]
    case.tariff["demand"] = [
        row for row in rows if row.get("period") != "horizon" and row.get("part_months") != "share"
    ]
    case.tariff.setdefault("minimum_per_month", 0.0)  # so that the money so far is handed on
    return case


def scenario_of(case: Case, series: pd.DataFrame) -> bo.Scenario:
    site: dict[str, Any] = {"time_zone": case.zone, "curtailment": False} | (
        {"holidays": case.holidays} if case.holidays else {}
    )
    still = series.assign(charge_limit_mw=0.0, discharge_limit_mw=0.0)
    return bo.Scenario(battery=IDLE, series=still, site=site, tariff=case.tariff, strategy="arbitrage")


def months_of(bill: bo.Bill) -> pd.Series:
    return bill.table.groupby("month").money.sum()


def check(seed: int) -> None:
    case = case_of(seed)
    rng = np.random.default_rng(seed + 3 * 10**6)
    days = case.series.index.strftime("%Y-%m-%d")
    cut = int(rng.choice([at for at in range(2, len(days) - 2) if days[at] != days[at - 1]]))
    whole = bo.bill(scenario_of(case, case.series))
    before = bo.optimize(scenario_of(case, case.series.iloc[:cut]))
    assert before.metrics.discharged_mwh == 0.0
    rest = scenario_of(case, case.series.iloc[cut:])
    taken_up = rest.replace(**{key: value for key, value in bo.used(before).items() if key == "tariff"})
    after = months_of(bo.bill(taken_up))
    wanted = months_of(whole)
    month = rest.series.index[0].strftime("%Y-%m")
    so_far = taken_up.tariff.billed_so_far
    if month == case.series.index[0].strftime("%Y-%m"):
        so_far -= case.tariff.get("billed_so_far", 0.0)
    after[month] += so_far
    scale = max(1.0, float(np.abs(wanted).sum()))
    for name in after.index:
        assert after[name] == pytest.approx(wanted[name], rel=0.0, abs=1e-9 * scale), name


@pytest.mark.parametrize("seed", range(8))
def test_bill_taken_up(seed: int) -> None:
    check(seed)


@pytest.mark.second_tier
@pytest.mark.parametrize("seed", [seed for seed in range(200) if seed not in NO_CUT])
def test_every_bill_taken_up(seed: int) -> None:
    check(seed)
