"""Net present value, return, payback and levelised cost of plans that can be solved by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest
from support.cases import Case
from support.cases import case as any_case

import bess_opt as bo
from bess_opt.investment.lifetime.cash_flow import weights_of
from bess_opt.investment.lifetime.levelised import charging_cost

LIFE = {"lifetime_years": 2, "discount_rate": 0.1, "horizons_per_year": 100}
SPREAD = [10.0, 10.0, 50.0, 50.0]


def case(*, battery: dict[str, Any] | None = None, **more: Any) -> Case:
    """A case whose end holds what its start held, as a horizon that repeats must."""
    return any_case(battery={"soc_end": "at_least_start"} | (battery or {}), **more)


def of(finance: dict[str, Any], **more: Any) -> Case:
    """1 MW, 2 MWh, lossless: buys 2 MWh at 10 and sells them at 50, 80 a horizon."""
    return case(**({"price_per_mwh": SPREAD} | more), finance=LIFE | finance)


def test_a_plan_by_hand() -> None:
    """80 a horizon, 100 horizons a year: 8,000 a year, capital 12,000.

    NPV = −12,000 + 8,000/1.1 + 8,000/1.21 = 1,884.30. IRR: 12 = 8/x + 8/x², x = (1 + √7)/3 = 1.2152504.
    Payback 1.5 years; discounted 1 + (12,000 − 7,272.73)/6,611.57 = 1.715. LCOS: a year charges 200 MWh for
    2,000 and discharges 200: (12,000 + 2,000·1.735537)/(200·1.735537) = 44.571.
    """
    found = bo.financials(of({"capital_per_mwh": 6000.0}).optimize())
    assert found.npv == pytest.approx(-12000 + 8000 / 1.1 + 8000 / 1.21)
    assert found.irr == pytest.approx((1 + 7**0.5) / 3 - 1)
    linear = weights_of(bo.Finance(capital_per_mwh=6000.0, **LIFE), year_weight=100, discount_rate=found.irr)
    assert linear.npv(80.0, 1.0, 2.0) == pytest.approx(0.0, abs=1e-6)
    assert found.payback_years == pytest.approx(1.5)
    assert found.discounted_payback_years == pytest.approx(1 + (12000 - 8000 / 1.1) / (8000 / 1.21))
    worth = 1 / 1.1 + 1 / 1.21
    assert found.lcos_per_mwh == pytest.approx((12000 + 2000 * worth) / (200 * worth))
    assert (found.capital, found.yearly_revenue, found.yearly_charging_cost) == pytest.approx((12000, 8000, 2000))
    assert (found.revenue_basis, found.money, found.year_weight) == ("the whole site", "nominal", 100.0)
    assert len(found.findings) == 0
    assert found.cash_flow is not None
    assert found.cash_flow["present_value"].sum() == pytest.approx(found.npv)


def test_the_dictionary_holds_the_figures() -> None:
    """Same names, same values, no table."""
    found = bo.financials(of({"money": "real"}).optimize())
    assert found.to_dict()["npv"] == found.npv
    assert found.to_dict()["money"] == "real"
    assert not {"cash_flow", "findings"} & found.to_dict().keys()


def test_variable_om_is_paid_and_wear_is_not() -> None:
    """Variable O&M 5 per MWh: 80 − 10 a horizon. Wear 5 per MWh steers alike, and all 80 are cash."""
    paid = bo.financials(of({"variable_om_per_mwh": 5.0}).optimize())
    assert paid.yearly_revenue == pytest.approx(7000.0)
    assert paid.lcos_per_mwh == pytest.approx(10.0 + 5.0)
    worn = bo.financials(of({}, battery={"wear_cost_per_mwh": 5.0}).optimize())
    assert worn.yearly_revenue == pytest.approx(8000.0)


def test_stored_energy_left_over_is_not_cash() -> None:
    """A full start sold out once: 2·50 + 80; the value of energy at the end is not in the year's cash."""
    full = of({}, price_per_mwh=[10.0] * 4, battery={"soc_end": {"value_per_mwh": 40.0}})
    plan = full.optimize()
    assert plan.metrics.stored_value == pytest.approx(80.0)
    assert bo.financials(plan).yearly_revenue == pytest.approx(100 * plan.metrics.net_revenue)
    assert plan.metrics.net_revenue == pytest.approx(-20.0)


def test_a_battery_earns_what_the_site_earns_more() -> None:
    """1 MW of solar sells 1 MWh at 10, 10, 50, 50 = 120 without the battery and 200 with it: 80 are its own.

    Without a baseline the 200 count, and a warning says so.
    """
    plan = of({"capital_fixed": 1.0}, solar_mw=[1.0] * 4).optimize()
    idle = bo.simulate(plan.scenario, rule=lambda state: 0.0)
    against = bo.financials(plan, idle)
    assert (against.yearly_revenue, against.revenue_basis) == (pytest.approx(8000.0), "against the baseline")
    assert len(against.findings) == 0
    whole = bo.financials(plan)
    assert whole.yearly_revenue == pytest.approx(20000.0)
    assert [finding.code for finding in whole.findings] == ["whole_site"]
    assert [finding.code for finding in bo.financials(plan, plan).findings] == ["baseline_has_battery"]


def test_what_never_pays_is_undefined() -> None:
    """8,000 twice do not bring back 20,000 of capital: no payback; without revenue no return either."""
    found = bo.financials(of({"capital_fixed": 20000.0}).optimize())
    assert math.isnan(found.payback_years)
    assert found.irr == pytest.approx(-0.1365, abs=1e-3)
    flat = bo.financials(of({"capital_fixed": 1.0}, price_per_mwh=[10.0] * 4).optimize())
    assert math.isnan(flat.irr)
    assert math.isnan(flat.lcos_per_mwh)


def test_no_capital_is_paid_back_at_once() -> None:
    """Nothing to pay back: 0 years, and no rate at which it breaks even."""
    found = bo.financials(of({}).optimize())
    assert (found.payback_years, found.discounted_payback_years) == (0.0, 0.0)
    assert math.isnan(found.irr)


def test_a_bare_factor() -> None:
    """Factor 5, upkeep 200 a year: NPV = 5·(8,000 − 200) − 12,000 = 27,000; LCOS = (12,000 + 5·2,200)/(5·200)."""
    finance = {
        "present_value_factor": 5.0,
        "horizons_per_year": 100,
        "capital_fixed": 12000.0,
        "fixed_om_per_mw_year": 200.0,
    }
    found = bo.financials(case(price_per_mwh=SPREAD, finance=finance).optimize())
    assert found.npv == pytest.approx(27000.0)
    assert found.lcos_per_mwh == pytest.approx(23.0)
    assert found.cash_flow is None
    assert all(math.isnan(x) for x in (found.irr, found.payback_years, found.discounted_payback_years))


def test_month_charges_of_two_halves_are_worth_what_those_of_the_whole_are() -> None:
    """Two batteries of half the size earn over life, charges of a year counted, what one of the whole size does."""
    tariff = {"energy": [{"price_per_mwh": 30.0}], "demand": [{"price_per_mw_month": 500.0}]}
    whole = (
        of({"horizons_per_year": 365 * 6, "capital_per_mw": 100.0}, load_mw=[0.5, 1.5, 2.0, 0.5])
        .scenario()
        .replace(tariff=tariff)
    )
    own = whole.batteries[0].to_plain()
    halves = [own | {"name": name, "power_mw": 0.5} for name in ("north", "south")]
    value = [bo.financials(bo.optimize(one)).npv for one in (whole, whole.replace(battery=halves))]
    assert value[0] == pytest.approx(value[1], rel=1e-9)


def test_levelised_cost_has_replacement_residual_fade_and_escalation() -> None:
    """No discount, 2 years, escalation 100 %, fade 50 %, upkeep 100, variable O&M 1, capital 1,000, 10 % residual,
    replacement 300, which grows to 1,200. Years' growth 2 and 4, share 1 and 0.5; running 2,000 + 200 a year.

    Cost 1,000 − 100 + 1,200 + 100·(2 + 4) + 2,200·(2 + 2) = 11,500; energy 200·1.5 = 300 MWh.
    """
    plan = of({
        "discount_rate": 0.0, "escalation_rate": 1.0, "fade_per_year": 0.5, "fixed_om_per_mw_year": 100.0,
        "variable_om_per_mwh": 1.0, "capital_fixed": 1000.0, "residual_share": 0.1, "replacement_year": 2,
        "replacement_cost": 300.0,
    }).optimize()  # fmt: skip
    assert bo.financials(plan).lcos_per_mwh == pytest.approx(11500 / 300)


def test_solar_in_the_battery_costs_what_its_export_would_have_brought() -> None:
    """Solar 1.5 MW, connection 1 MW, prices 10 then 50: 0.5 MWh an hour could not have been carried.

    Each charging hour stores 1 MWh and exports 0.5: 0.5 forgone at 10, the rest was lost anyway. 2·5 = 10.
    """
    plan = of({}, solar_mw=[1.5, 1.5, 0.0, 0.0], site={"export_limit_mw": 1.0}).optimize()
    assert plan.metrics.charged_mwh == pytest.approx(2.0)
    assert charging_cost(plan) == pytest.approx(10.0)


def test_import_price_for_what_is_bought_and_export_price_for_the_rest() -> None:
    """Solar 0.4 MW, import at 20, export at 10: an hour's 1 MWh is 0.6 bought and 0.4 forgone, 12 + 4 = 16."""
    plan = case(
        import_price_per_mwh=[20.0] * 2 + [99.0] * 2, export_price_per_mwh=[10.0] * 2 + [50.0] * 2,
        solar_mw=[0.4, 0.4, 0.0, 0.0], finance=LIFE,
    )  # fmt: skip
    assert charging_cost(plan.optimize()) == pytest.approx(32.0)


@pytest.mark.parametrize("topology", ["series_dc", "hybrid"])
def test_charging_on_a_dc_bus(topology: str) -> None:
    """Inverter 0.8 each way, price 10 then 50, 2 MWh charged: from the grid 2/0.8·10 = 25; from a DC array of
    1 MW its export of 0.8 MW is forgone, 2·0.8·10 = 16.
    """
    battery = {"topology": topology, "converters": {"ac_to_dc": 0.8, "dc_to_ac": 0.8, "dc_to_dc": 1.0}}
    site = {"dc_share": 1.0} if topology == "hybrid" else {}
    bought = of({}, battery=battery, site=site).optimize()
    assert (bought.metrics.charged_mwh, charging_cost(bought)) == pytest.approx((2.0, 25.0))
    own = of({}, battery=battery, site=site | {"grid_charging": False}, solar_dc_mw=[1.0, 1.0, 0.0, 0.0]).optimize()
    assert (own.metrics.charged_mwh, charging_cost(own)) == pytest.approx((2.0, 16.0))


def test_charging_from_array_and_grid_in_one_step() -> None:
    """An hour's 1 MWh on the DC bus: 0.4 of the array, 0.32 of export forgone, and 0.6/0.8 = 0.75 bought, at 10."""
    battery = {"topology": "series_dc", "converters": {"ac_to_dc": 0.8, "dc_to_ac": 0.8, "dc_to_dc": 1.0}}
    plan = of({}, battery=battery, solar_dc_mw=[0.4, 0.4, 0.0, 0.0]).optimize()
    assert (plan.metrics.charged_mwh, charging_cost(plan)) == pytest.approx((2.0, 2 * (3.2 + 7.5)))


def test_without_prices_charging_has_no_cost_to_state() -> None:
    """A curtailment plan without prices: LCOS is undefined, not nought."""
    plan = case(
        solar_mw=[2.0, 2.0, 0.0, 0.0], site={"export_limit_mw": 1.0}, strategy="export_cap", finance=LIFE
    ).optimize()
    assert math.isnan(bo.financials(plan).lcos_per_mwh)


def test_wear_beside_a_replacement_is_noted() -> None:
    """Both may stand for the same cells."""
    plan = of({"replacement_year": 1, "replacement_cost": 9.0}, battery={"wear_cost_per_mwh": 1.0}).optimize()
    (finding,) = bo.financials(plan).findings
    assert (finding.code, finding.severity) == ("wear_and_replacement", "warning")


def test_what_is_wrong_is_said() -> None:
    """No [finance], no weight for a short horizon, a baseline of other steps."""
    plain = case(price_per_mwh=SPREAD).optimize()
    with pytest.raises(bo.ScenarioError, match="finance: is missing; give capital, discount_rate and lifetime_years"):
        bo.financials(plain)
    short = case(price_per_mwh=SPREAD, finance={"lifetime_years": 1, "discount_rate": 0.1}).optimize()
    with pytest.raises(bo.ScenarioError, match=r"horizons_per_year: is missing, and the horizon is 4 h"):
        bo.financials(short)
    with pytest.raises(
        bo.ScenarioError, match=r"baseline: has 2 steps from 2025-06-02 00:00:00\+00:00, the plan other"
    ):
        bo.financials(of({}).optimize(), case(price_per_mwh=[1.0, 1.0]).optimize())
