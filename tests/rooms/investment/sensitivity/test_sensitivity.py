"""One factor at a time, or two: each row is a sizing of its own under the changed scenario."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

import bess_opt as bo
from bess_opt.common.errors import BessOptError, ScenarioError
from bess_opt.investment.sizing.sensitivity import FACTORS
from bess_opt.plots import figure_png

pytestmark = pytest.mark.slow


def scenario(**finance: float) -> bo.Scenario:
    time = pd.date_range("2025-06-02", periods=48, freq="h", tz="Europe/Berlin")
    price = 80.0 + 50.0 * np.sin(np.arange(48) / 24 * 4 * np.pi) + 3.0 * np.cos(np.arange(48) * 1.3)
    stated = {
        "capital_per_mw": 150_000.0, "capital_per_mwh": 180_000.0, "lifetime_years": 15, "discount_rate": 0.06,
        "horizons_per_year": 182.0,
    }  # fmt: skip
    return bo.Scenario(
        battery=bo.Battery(power_mw=1, duration_h=2), series=pd.DataFrame({"price_per_mwh": price}, index=time),
        site=bo.Site(currency="EUR", import_limit_mw=4.0, export_limit_mw=4.0), strategy="arbitrage",
        finance=stated | finance,
    )  # fmt: skip


RANGES = (0.5, 6.0), (1.0, 6.0)


@pytest.fixture(scope="module")
def found() -> bo.Sensitivity:
    return bo.sensitivity(scenario(), *RANGES)


def test_by_default_every_factor_is_changed_both_ways(found: bo.Sensitivity) -> None:
    assert list(zip(found.table["factor"], found.table["amount"], strict=True)) == [
        (name, amount) for name, factor in FACTORS.items() for amount in (factor.low, factor.high)
    ]


def test_a_row_is_a_sizing_of_the_changed_scenario(found: bo.Sensitivity) -> None:
    row = found.table[(found.table["factor"] == "capital_cost") & (found.table["amount"] == 0.2)].iloc[0]
    dearer = scenario(capital_per_mw=180_000.0, capital_per_mwh=216_000.0)
    best = bo.size(dearer, *RANGES)
    assert (row["power_mw"], row["duration_h"], row["value"]) == (best.power_mw, best.duration_h, best.value)


def test_sizing_again_never_loses_against_the_base_size(found: bo.Sensitivity) -> None:
    """By more than the tolerance of the proof; and an unchanged factor changes nothing."""
    table = found.table
    slack = 2e-3 * table["value"].abs() + 2e-3 * abs(float(found.base["value"]))
    assert (table["value"] >= table["value_of_base_size"] - slack).all()
    same = bo.sensitivity(scenario(), *RANGES, changes={"price_level": [0.0]})
    assert same.table["value"].iloc[0] == pytest.approx(float(found.base["value"]), rel=1e-12)


def test_the_base_size_is_valued_under_the_changed_factor(found: bo.Sensitivity) -> None:
    """Capital moves the value of a fixed size by its capital, to the cent."""
    row = found.table[(found.table["factor"] == "capital_cost") & (found.table["amount"] == 0.2)].iloc[0]
    capital = 150_000.0 * found.base["power_mw"] + 180_000.0 * found.base["energy_mwh"]
    assert float(found.base["value"]) - row["value_of_base_size"] == pytest.approx(0.2 * capital, rel=1e-6)


def test_what_each_factor_changes() -> None:
    base = scenario().replace(battery={"technology": "premium"})
    level, spread = (
        FACTORS[name].change(base, 0.2).series["price_per_mwh"] for name in ("price_level", "price_spread")
    )
    price = base.series["price_per_mwh"]
    assert level.to_numpy() == pytest.approx(1.2 * price.to_numpy())
    assert spread.mean() == pytest.approx(price.mean())
    assert spread.std() == pytest.approx(1.2 * price.std())
    cells, better = base.battery.tech, FACTORS["efficiency"].change(base, 0.5).battery.tech
    assert (better.eta_charge, better.eta_discharge, better.c_rate_max) == (1.0, 1.0, cells.c_rate_max)
    worse = FACTORS["efficiency"].change(base, -0.1).battery.tech
    assert worse.eta_charge == pytest.approx(0.9 * cells.eta_charge)
    finance = FACTORS["discount_rate"].change(base, -0.02).finance
    assert finance is not None
    assert finance.discount_rate == pytest.approx(0.04)


def test_factors_without_numbers_are_left_out() -> None:
    bare = bo.sensitivity(scenario().replace(finance=None), 1.0, 2.0, objective="net_revenue")
    assert set(bare.table["factor"]) == {"price_level", "price_spread", "efficiency"}


@pytest.mark.second_tier
def test_any_executor_gives_the_same_rows(found: bo.Sensitivity) -> None:
    with ThreadPoolExecutor(2) as executor:
        other = bo.sensitivity(scenario(), *RANGES, ["capital_cost", "price_level"], executor=executor)
        pair = found.two_way("capital_cost", "efficiency", 2, executor=executor)
    pd.testing.assert_frame_equal(found.table.iloc[:4], other.table, check_exact=True)
    pd.testing.assert_frame_equal(pair, found.two_way("capital_cost", "efficiency", 2, workers=2), check_exact=True)


def test_two_factors_together(found: bo.Sensitivity) -> None:
    table = found.two_way("capital_cost", "discount_rate", 3)
    assert list(table.columns[:2]) == ["capital_cost", "discount_rate"]
    assert len(table) == 9
    alone = found.table[(found.table["factor"] == "capital_cost") & (found.table["amount"] == -0.2)].iloc[0]
    pair = table[(table["capital_cost"] == -0.2) & (table["discount_rate"] == 0.0)].iloc[0]
    assert pair["value"] == pytest.approx(alone["value"], rel=1e-12)


def test_pictures_name_factors_and_units(found: bo.Sensitivity) -> None:
    tornado, pair = found.plot(), found.two_way("capital_cost", "price_level", 2)
    axes = tornado.axes[0]
    names = [label.get_text() for label in axes.get_yticklabels()]
    widest = found.table.assign(far=(found.table["value"] - found.base["value"]).abs()).sort_values("far")
    assert names[-1] == FACTORS[widest["factor"].iloc[-1]].label
    assert sorted(names) == sorted(factor.label for factor in FACTORS.values())
    assert "EUR]" in axes.get_xlabel()
    two = found.plot(pair)
    assert two.axes[0].get_xlabel() == "change of capital cost"
    assert len(two.axes[0].texts) == 4
    assert figure_png(found.plot(theme="dark")) != figure_png(tornado) == figure_png(found.plot())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["capital_csot"], "changes: found 'capital_csot'; did you mean 'capital_cost'?"),
        ({"wind": [0.1]}, "changes: found 'wind';"),
    ],
)
def test_unknown_factors(changes: object, message: str) -> None:
    with pytest.raises(ScenarioError, match=re.escape(message)):
        bo.sensitivity(scenario(), 1.0, 2.0, changes=changes)  # type: ignore[arg-type]


def test_factors_that_have_no_number() -> None:
    bare = scenario().replace(finance=None)
    for name in ("capital_cost", "discount_rate"):
        with pytest.raises(ScenarioError, match=f"changes: {name} has no number to change; add it to"):
            bo.sensitivity(bare, 1.0, 2.0, [name], "net_revenue")
    priceless = bare.replace(
        series=bare.series.assign(solar_mw=1.0)[["solar_mw"]], tariff={"energy": [{"price_per_mwh": 50.0}]}
    )
    with pytest.raises(ScenarioError, match="changes: the series has no price to change; give a price column"):
        bo.sensitivity(priceless, 1.0, 2.0, ["price_level"], "net_revenue")


def test_two_way_is_checked(found: bo.Sensitivity) -> None:
    with pytest.raises(ScenarioError, match="factor_b: is 'efficiency' again; name another one"):
        found.two_way("efficiency", "efficiency")
    with pytest.raises(ScenarioError, match="points: found 1; give 2 or more"):
        found.two_way("efficiency", "capital_cost", 1)


def test_a_change_that_cannot_be_sized_is_named() -> None:
    """Ten times the capital leaves no size within the budget."""
    with pytest.raises(BessOptError, match=re.escape("capital_cost +9: power_mw: no size lies within ranges")):
        bo.sensitivity(scenario(), *RANGES, changes={"capital_cost": [9.0]}, budget=6e5)


def pair() -> bo.Scenario:
    own = {"north": {"duration_h": 1, "technology": "premium"}, "south": {"duration_h": 4, "technology": "standard"}}
    batteries = [{"name": name, "power_mw": 1} | keys for name, keys in own.items()]
    return scenario().replace(battery=batteries, site={"import_limit_mw": 1.5, "export_limit_mw": 1.5})


POWERS, DURATIONS = {"north": (0, 2), "south": (0, 2)}, {"north": 1.0, "south": 4.0}


@pytest.fixture(scope="module")
def of_two() -> bo.Sensitivity:
    return bo.sensitivity(pair(), POWERS, DURATIONS, {"capital_cost": [-0.2, 0.6], "efficiency": [-0.02, 0.0]})


def test_several_batteries_are_sized_together_under_each_change(of_two: bo.Sensitivity) -> None:
    assert [c for c in of_two.table if "." in c] == [
        f"{name}.{key}" for name in ("north", "south") for key in ("power_mw", "duration_h", "energy_mwh")
    ]
    dearer = bo.size(scenario(capital_per_mw=240_000.0, capital_per_mwh=288_000.0).replace(
        battery=[b.to_plain() for b in pair().batteries], site=pair().site.to_plain()), POWERS, DURATIONS)  # fmt: skip
    row = of_two.table.iloc[1]
    assert row["value"] == pytest.approx(dearer.value, rel=1e-9)
    assert {name: row[f"{name}.power_mw"] for name in POWERS} == pytest.approx(dearer.power_mw)
    base = of_two.base
    capital = sum(150_000.0 * base[f"{n}.power_mw"] + 180_000.0 * base[f"{n}.energy_mwh"] for n in POWERS)
    assert capital > 0.0
    assert base["value"] - row["value_of_base_size"] == pytest.approx(0.6 * capital, rel=1e-6)
    assert (of_two.table["value"] >= of_two.table["value_of_base_size"] - 2e-3 * abs(base["value"])).all()
    same = of_two.table.iloc[3]
    assert (same["value"], same["value_of_base_size"]) == pytest.approx((base["value"], base["value"]), rel=1e-9)
    assert of_two.table.iloc[2]["value"] < same["value"]


def test_pictures_name_each_battery(of_two: bo.Sensitivity) -> None:
    tornado = of_two.plot()
    assert any("north" in text.get_text() and "south" in text.get_text() for text in tornado.axes[0].texts)
    cells = of_two.plot(of_two.two_way("capital_cost", "discount_rate", 2)).axes[0].texts
    assert all("south" in text.get_text() for text in cells)


def test_better_cells_still_fade() -> None:
    """A change of nothing leaves the value as it is, the technology's life included."""
    base = scenario().replace(battery={"technology": "premium"})
    same = bo.sensitivity(base, 1.0, 2.0, {"efficiency": [0.0]})
    assert same.table["value"].iloc[0] == pytest.approx(float(same.base["value"]), rel=1e-9)
    assert FACTORS["efficiency"].change(base, -0.02).battery.tech.fade == base.battery.tech.fade > 0.0


def test_no_battery_at_all_stays_worth_nothing() -> None:
    """Where none is worth its cost today, cheaper ones may be; the base is still the site without one."""
    found = bo.sensitivity(scenario(capital_per_mwh=9e6), (0.0, 2.0), (1.0, 2.0), {"capital_cost": [-0.99, 0.2]})
    assert found.base["power_mw"] == 0.0
    assert list(found.table["value_of_base_size"]) == [0.0, 0.0]
    assert found.table["value"].iloc[0] > 0.0


def test_month_charges_count_alike_for_both_sizes() -> None:
    """The base size is counted over a year as the best one: unchanged, both are worth the same."""
    stated = scenario()
    base = stated.replace(
        series=stated.series.assign(load_mw=1.0), tariff={"demand": [{"price_per_mw_month": 5000.0}]}
    )
    found, best = bo.sensitivity(base, (0.5, 2.0), 2.0, {"price_level": [0.0]}), bo.size(base, (0.5, 2.0), 2.0)
    assert found.task.value_of_base(base, best) == pytest.approx(best.value, rel=1e-9)
