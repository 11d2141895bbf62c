"""Years of money: the linear view, the cash flow, and that they are one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.cases import case

import bess_opt as bo
from bess_opt.investment.lifetime.cash_flow import CASH_FLOW, Figures, cash_flow_of, weights_of, year_weight

DERVET = 14.454006150790656


def test_der_vets_present_value_factor() -> None:
    """Σ_{y=0..19} (1.022/1.06)^y, first payment in year 0: as EPRI DER-VET counts a yearly amount."""
    finance = bo.Finance(discount_rate=0.06, escalation_rate=0.022, first_payment_year=0, lifetime_years=20)
    assert weights_of(finance).revenue == pytest.approx(DERVET, rel=1e-14)


@pytest.mark.parametrize("stated", ["factor", "rates"])
def test_der_vets_site(stated: str) -> None:
    """The published optimum's costs: 800 $/kW·1,993 kW + 250 $/kWh·11,958 kWh = 4,583,900 capital, and
    10 $/kW-year·1,993 kW·14.454… = 288,068.343 upkeep, from the factor itself and from the rates behind it.
    """
    costs = {"capital_per_mw": 800e3, "capital_per_mwh": 250e3, "fixed_om_per_mw_year": 10e3}
    rates = {"discount_rate": 0.06, "escalation_rate": 0.022, "first_payment_year": 0, "lifetime_years": 20}
    linear = weights_of(bo.Finance(**costs, **({"present_value_factor": DERVET} if stated == "factor" else rates)))
    assert -linear.npv(0.0, 1.993, 11.958) == pytest.approx(4_583_900.0 + 288_068.343, abs=1e-3)
    assert linear.npv(1.0, 0.0, 0.0) == pytest.approx(DERVET)


def test_a_hand_solved_life() -> None:
    """2 years at 10 %, payments at year's end: capital 100·1 + 10·2 + 5 = 125, revenue 110 a year, upkeep 11.

    NPV = −125 + 99/1.1 + 99/1.21 = −125 + 90 + 81.818182 = 46.818182.
    """
    finance = bo.Finance(
        capital_per_mw=100,
        capital_per_mwh=10,
        capital_fixed=5,
        fixed_om_per_mw_year=11,
        lifetime_years=2,
        discount_rate=0.1,
    )
    linear, table = weights_of(finance), cash_flow_of(Figures(1.0, 2.0, 110.0), finance)
    assert linear.npv(110.0, 1.0, 2.0) == pytest.approx(-125 + 90 + 99 / 1.21)
    assert linear.per_mw == pytest.approx(100 + 11 / 1.1 + 11 / 1.21)
    assert (linear.per_mwh, linear.fixed) == (10.0, 5.0)
    assert list(table.columns) == list(CASH_FLOW)
    assert (table.index.name, list(table.index)) == ("year", [0, 1, 2])
    assert list(table["net"]) == [-125.0, 99.0, 99.0]
    assert list(table["cumulative"]) == [-125.0, -26.0, 73.0]
    assert table["present_value"].sum() == pytest.approx(46.81818181818)


def test_escalation_and_fade_start_where_they_say() -> None:
    """Revenue 100, 10 % escalation, 50 % fade, payments in years 1 and 2: 100·1.1 = 110, then 100·1.21·0.5 = 60.5.

    From year 0 on instead: 100, then 100·1.1·0.5 = 55, and nothing in year 2.
    """
    rates = {"lifetime_years": 2, "discount_rate": 0.0, "escalation_rate": 0.1, "fade_per_year": 0.5}
    late = cash_flow_of(Figures(1.0, 1.0, 100.0), bo.Finance(**rates))
    assert list(late["revenue"]) == pytest.approx([0.0, 110.0, 60.5])
    early = cash_flow_of(Figures(1.0, 1.0, 100.0), bo.Finance(**rates, first_payment_year=0))
    assert list(early["revenue"]) == pytest.approx([100.0, 55.0, 0.0])


def test_tax_depreciation_replacement_and_residual_by_hand() -> None:
    """Capital 100 over 2 years, revenue 80, replacement 30 in year 2, residual 20 %, tax 25 %, no discount.

    Depreciation 50 a year. Year 1: tax (80 − 50)/4 = 7.5. Year 2: (80 − 50 − 30 + 20)/4 = 5.
    NPV = −100 + 160 − 30 + 20 − 12.5 = 37.5.
    """
    finance = bo.Finance(
        capital_fixed=100, lifetime_years=2, discount_rate=0.0, replacement_year=2, replacement_cost=30,
        residual_share=0.2, tax_rate=0.25,
    )  # fmt: skip
    table = cash_flow_of(Figures(1.0, 1.0, 80.0), finance)
    assert list(table["tax"]) == [0.0, -7.5, -5.0]
    assert list(table["capital"]) == [-100.0, 0.0, 20.0]
    assert list(table["replacement"]) == [0.0, 0.0, -30.0]
    assert weights_of(finance).npv(80.0, 1.0, 1.0) == pytest.approx(37.5)


def test_a_loss_is_refunded() -> None:
    """No revenue, upkeep 8, capital 20 over 2 years, tax 25 %: (−8 − 10)/4 comes back each year."""
    finance = bo.Finance(capital_fixed=20, fixed_om_per_mw_year=8, lifetime_years=2, discount_rate=0.0, tax_rate=0.25)
    assert list(cash_flow_of(Figures(1.0, 1.0, 0.0), finance)["tax"]) == [0.0, 4.5, 4.5]


def test_another_rate_on_request() -> None:
    """`discount_rate` takes the place of the stated one, in both views: 100/2 at 100 %."""
    finance = bo.Finance(lifetime_years=1, discount_rate=0.1)
    assert weights_of(finance, discount_rate=1.0).revenue == 0.5
    assert cash_flow_of(Figures(1.0, 1.0, 100.0), finance, discount_rate=1.0)["present_value"].sum() == 50.0


def _money(most: float) -> st.SearchStrategy[float]:
    return st.floats(0.0, most, allow_nan=False)


@settings(max_examples=200, deadline=None)
@given(
    lifetime=st.integers(1, 40),
    rate=st.floats(-0.3, 0.5),
    other=st.none() | st.floats(-0.2, 0.6),
    growth=st.floats(-0.2, 0.2),
    first=st.sampled_from([0, 1]),
    fade=st.floats(0.0, 0.2),
    tax=st.floats(0.0, 0.6),
    residual=st.floats(0.0, 1.0),
    replaced=st.none() | st.integers(1, 40),
    costs=st.tuples(_money(1e6), _money(1e6), _money(1e6), _money(1e5), _money(1e6)),
    figures=st.tuples(st.floats(0.1, 100.0), st.floats(0.1, 400.0), st.floats(-1e6, 1e7), st.floats(0.1, 365.0)),
)
def test_the_cash_flow_sums_to_the_linear_view(
    lifetime: int, rate: float, other: float | None, growth: float, first: int, fade: float, tax: float,
    residual: float, replaced: int | None, costs: tuple[float, ...], figures: tuple[float, ...],
) -> None:  # fmt: skip
    """Two ways to write the same money, over a wide range of every key: equal to rounding, each year summed."""
    keys = ("capital_per_mw", "capital_per_mwh", "capital_fixed", "fixed_om_per_mw_year", "replacement_cost")
    stated: dict[str, Any] = dict(zip(keys, costs, strict=True))
    if replaced is None:
        stated["replacement_cost"] = 0.0
    finance = bo.Finance(
        **stated, lifetime_years=lifetime, discount_rate=rate, escalation_rate=growth, first_payment_year=first,
        fade_per_year=fade, tax_rate=tax, residual_share=residual,
        replacement_year=None if replaced is None else min(replaced, lifetime),
    )  # fmt: skip
    power, energy, revenue, weight = figures
    table = cash_flow_of(Figures(power, energy, revenue, weight), finance, discount_rate=other)
    linear = weights_of(finance, year_weight=weight, discount_rate=other)
    scale = table["present_value"].abs().sum() + table["revenue"].abs().max() + 1.0
    assert table["present_value"].sum() == pytest.approx(linear.npv(revenue, power, energy), abs=1e-9 * scale)
    parts = table[["capital", "revenue", "fixed_om", "replacement", "tax"]].sum(axis=1)
    assert np.allclose(parts, table["net"], atol=1e-9 * scale)


def test_what_is_missing_is_named() -> None:
    """Both keys at once, and the way out."""
    with pytest.raises(
        bo.ScenarioError, match=r"finance\.discount_rate: is missing; give discount_rate and"
    ) as error:
        weights_of(bo.Finance())
    assert [problem.where for problem in error.value.problems] == ["finance.discount_rate", "finance.lifetime_years"]
    with pytest.raises(bo.ScenarioError, match=r"finance\.lifetime_years: is missing"):
        cash_flow_of(Figures(1.0, 1.0, 1.0), bo.Finance(), discount_rate=0.1)
    with pytest.raises(bo.ScenarioError, match=r"found -1; give a rate > -1 per year"):
        weights_of(bo.Finance(lifetime_years=1), discount_rate=-1.0)


def test_a_bare_factor_hides_the_years() -> None:
    """What needs years is refused beside it, all at once; so is a rate to vary, and a cash flow."""
    finance = bo.Finance(present_value_factor=10.0, fade_per_year=0.02, tax_rate=0.2, residual_share=0.1)
    with pytest.raises(bo.ScenarioError, match="needs the years that present_value_factor replaces") as error:
        weights_of(finance)
    assert [p.where.removeprefix("finance.") for p in error.value.problems] == [
        "fade_per_year",
        "residual_share",
        "tax_rate",
    ]
    bare = bo.Finance(present_value_factor=10.0)
    with pytest.raises(bo.ScenarioError, match="replaces the rate that is to be varied"):
        weights_of(bare, discount_rate=0.1)
    with pytest.raises(bo.ScenarioError, match="knows no years, and a cash flow has them"):
        cash_flow_of(Figures(1.0, 1.0, 1.0), bare)


def test_years_that_are_known_one_by_one() -> None:
    """`yearly` stands in place of net revenue and fade; too few of them are refused."""
    finance = bo.Finance(lifetime_years=2, discount_rate=0.0)
    table = cash_flow_of(Figures(1.0, 1.0, 7.0, 10.0, (3.0, 2.0, 1.0)), finance)
    assert list(table["revenue"]) == [0.0, 30.0, 20.0]
    with pytest.raises(bo.ScenarioError, match="knows 1 years of operation, the lifetime has 2"):
        cash_flow_of(Figures(1.0, 1.0, 7.0, 1.0, (3.0,)), finance)


@pytest.mark.parametrize(("start", "days"), [("2025-01-01", 365), ("2024-01-01", 366)])
def test_a_year_weighs_one(start: str, days: int) -> None:
    """365 and 366 days, clock changes included."""
    scenario = case(price_per_mwh=[1.0] * (24 * days), start=start, zone="Europe/Berlin").scenario()
    assert year_weight(scenario) == 1.0


def test_another_horizon_needs_its_weight() -> None:
    """Two days: refused with the number that would be right if they followed one another, else as stated."""
    of = case(price_per_mwh=[1.0] * 48)
    with pytest.raises(bo.ScenarioError, match=r"horizons_per_year: is missing, and the horizon is 48 h.*182\.5"):
        year_weight(of.scenario())
    assert year_weight(of.but(finance={"horizons_per_year": 30}).scenario()) == 30.0


def test_the_index_is_the_year() -> None:
    """Whatever the input, rows are 0 to the lifetime."""
    table = cash_flow_of(Figures(1.0, 1.0, 1.0), bo.Finance(lifetime_years=3, discount_rate=0.0))
    pd.testing.assert_index_equal(table.index, pd.RangeIndex(4, name="year"))
