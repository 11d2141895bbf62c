"""A bill taken up where a plan left it comes out as if it had never been cut."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.random_tariffs import OFF, random_billed

import bess_opt as bo
from bess_opt.plant.from_scenario import plant_of


def scenario(series: pd.DataFrame, tariff: dict[str, Any]) -> bo.Scenario:
    return bo.Scenario(
        battery={"power_mw": 1.0, "duration_h": 2.0, "soc_end": "free"},
        series=series,
        site={"holidays": list(OFF)},
        tariff=tariff,
        strategy="self_consumption",
    )


def idle(of: bo.Scenario) -> bo.Dispatch:
    return bo.simulate(of, rule=lambda _state: 0.0)


def settled(of: bo.Scenario) -> tuple[Any, Any, dict[str, tuple[float, float]]]:
    """(plant, the bill's parts, money of each month charge by label)."""
    plant = plant_of(of)
    assert plant.billing is not None
    parts = plant.billing.settle(of.series["load_mw"].to_numpy(), of.series["solar_mw"].to_numpy())
    charges = zip(plant.billing.demand.charges, parts.demand, parts.overrun, strict=True)
    return plant, parts, {c.label: (d, o) for c, d, o in charges}


def cut_in_two(seed: int) -> None:
    of = random_billed(seed)
    tariff = {key: value for key, value in of.tariff.items() if key != "demand"}
    tariff["demand"] = [
        {key: value for key, value in row.items() if key != "part_months"}
        for row in of.tariff["demand"]
        if row.get("period") != "horizon"
    ]
    series = of.series.assign(load_mw=of.import_mw, solar_mw=of.export_mw)
    midnights = [t for t, before in zip(series.index[1:-1], series.index, strict=False) if t.date() != before.date()]
    if not midnights:
        return
    whole, now = scenario(series, tariff), midnights[len(midnights) * (seed % 3 + 1) // 4]
    rest = scenario(series.loc[now:], tariff).replace(**bo.used(idle(whole), until=now))
    before = scenario(series.loc[: now - pd.Timedelta(minutes=1)], tariff)
    (numbers, all_parts, all_charges), (later, parts, charges) = settled(whole), settled(rest)
    size = (
        np.abs(np.nan_to_num(all_parts.revenue)).sum() + sum(abs(d) + abs(o) for d, o in all_charges.values()) + 1.0
    )
    first = int(np.flatnonzero(numbers.billing.months.number == later.billing.months.number[0])[0])
    for label, money in charges.items():
        assert money == pytest.approx(all_charges[label], rel=1e-9), (seed, label)
    energy = np.nan_to_num(settled(before)[1].revenue).sum() + np.nan_to_num(parts.revenue).sum()
    assert energy == pytest.approx(np.nan_to_num(all_parts.revenue).sum(), abs=1e-9 * size), seed
    if later.billing.account.minds_sums:
        assert parts.sums == pytest.approx(all_parts.sums[first:], abs=1e-9 * size), seed
    assert parts.minimum == pytest.approx(all_parts.minimum[first:], abs=1e-9 * size), seed
    assert parts.credits == pytest.approx(all_parts.credits[first:], abs=1e-9 * size), seed
    again = scenario(series, tariff)
    assert settled(again.replace(**bo.used(idle(again), until=series.index[0])))[2] == all_charges


@pytest.mark.parametrize("seed", range(16))
def test_the_rest_of_a_bill(seed: int) -> None:
    """Months, tiers, peaks, ratchets, minimum and credits after the cut are those of the whole."""
    cut_in_two(seed)


@pytest.mark.second_tier
@pytest.mark.parametrize("block", range(6))
def test_the_rest_of_many_bills(block: int) -> None:
    for seed in range(16 + 30 * block, 46 + 30 * block):
        cut_in_two(seed)


def two_days(**tariff: Any) -> bo.Dispatch:
    index = pd.date_range("2025-03-30", periods=72, freq="h", tz="UTC", name="time")
    load = pd.Series(1.0, index=index)
    load.iloc[[5, 30, 60]] = [3.0, 4.0, 2.0]  # 30 and 31 March, 1 April
    return idle(
        scenario(pd.DataFrame({"load_mw": load}), {"export": "none", "energy": [{"price_per_mwh": 1.0}]} | tariff)
    )


def test_figures_by_hand() -> None:
    """72 MWh and 2 + 3 + 1 for the spikes; March has peaks of 3 and 4 MW on two days, April of 2 so far."""
    row = {"price_per_mw_month": 100.0, "history_mw": [7.0, 5.0], "ratchet": {"share": 0.5}}
    plan = two_days(
        energy=[{"tiers": [[10.0, 50.0], [float("inf"), 20.0]], "used_mwh": 4.0}],
        demand=[row, {"price_per_mw_month": 100.0, "peaks": {"n": 3, "distinct": "day"}}],
        minimum_per_month=10.0,
        credit_months=2,
        credit_so_far=[30.0],
        fixed_per_month=5.0,
    )
    now = bo.used(plan)["tariff"]
    assert now["energy"][0]["used_mwh"] == pytest.approx(25.0)
    assert (now["demand"][0]["incurred_mw"], now["demand"][0]["history_mw"]) == (2.0, [7.0, 5.0, 4.0])
    assert now["demand"][1]["incurred_mw"] == [2.0]
    assert now["billed_so_far"] == pytest.approx(10 * 50.0 + 15 * 20.0)
    assert now["credit_so_far"] == []
    earlier = bo.used(plan, until="2025-04-01")["tariff"]
    assert earlier["energy"][0]["used_mwh"] == earlier["billed_so_far"] == 0.0
    assert earlier["demand"][0]["history_mw"] == [7.0, 5.0, 4.0]
    march = bo.used(plan, until="2025-03-31")["tariff"]
    assert march["energy"][0]["used_mwh"] == pytest.approx(30.0)
    assert march["credit_so_far"] == [30.0]
    assert march["demand"][1]["incurred_mw"] == [3.0]


def test_what_is_no_plan_is_named() -> None:
    with pytest.raises(bo.ScenarioError, match=r"plan: found 3; give a plan, as bo.optimize"):
        bo.used(3)  # type: ignore[arg-type]


def test_a_day_cut_in_two_is_no_day() -> None:
    plan = two_days(demand=[{"price_per_mw_month": 100.0, "peaks": {"n": 3, "distinct": "day"}}])
    with pytest.raises(
        bo.ScenarioError, match=r"tariff.demand\[0\].peaks: 2025-03-31 05:00.* lies within a local day"
    ):
        bo.used(plan, until="2025-03-31 05:00")


def test_peaks_of_years_and_of_the_horizon() -> None:
    rows = [{"price_per_mw_month": 1.0, "period": period} for period in ("year", "horizon")]
    plan = two_days(demand=rows)
    assert [row["incurred_mw"] for row in bo.used(plan)["tariff"]["demand"]] == [4.0, 0.0]
    assert [row["incurred_mw"] for row in bo.used(plan, until="2025-03-31")["tariff"]["demand"]] == [3.0, 3.0]


def test_a_scenario_without_a_bill_has_none() -> None:
    assert bo.used(two_days(energy=[{"price_per_mwh": 3.0}])) == {}
