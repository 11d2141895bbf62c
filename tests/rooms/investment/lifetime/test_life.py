"""Money over life by hand: fade that starts anew with new cells, what does not fade, and what is assumed where."""

from __future__ import annotations

import math
from typing import Any

import pytest
from support.cases import IDEAL, case

import bess_opt as bo
from bess_opt.investment.lifetime.assumptions import fade_of
from bess_opt.investment.lifetime.cash_flow import Figures, cash_flow_of, weights_of
from bess_opt.investment.lifetime.operation import by_operation, forecast_driven, operation_table

SPREAD = [10.0, 10.0, 50.0, 50.0]
LIFE = {"lifetime_years": 2, "discount_rate": 0.1, "horizons_per_year": 100}
HELD = {"soc_end": "at_least_start"}


def test_new_cells_start_anew() -> None:
    """36,500 a year over 20 years at 8 %, 2.5 % of fade, 200,000 at first, 100,000 for new cells in year 10.

    Years 11 to 20 earn what years 1 to 10 did: NPV = 36,500·a·(1 + 1.08^-10) − 200,000 − 100,000/1.08^10.
    """
    finance = bo.Finance(
        capital_fixed=2e5, lifetime_years=20, discount_rate=0.08, fade_per_year=0.025, replacement_year=10,
        replacement_cost=1e5,
    )  # fmt: skip
    ten = sum(0.975 ** (y - 1) / 1.08**y for y in range(1, 11))
    right = 36_500 * ten * (1 + 1.08**-10) - 2e5 - 1e5 / 1.08**10
    assert right == pytest.approx(79_414, abs=1)
    assert weights_of(finance).npv(36_500.0, 1.0, 1.0) == pytest.approx(right)
    table = cash_flow_of(Figures(1.0, 1.0, 36_500.0), finance)
    assert table["present_value"].sum() == pytest.approx(right)
    assert table["revenue"][11] == pytest.approx(table["revenue"][1])
    assert table["revenue"][10] == pytest.approx(36_500 * 0.975**9)


def test_a_list_of_one_is_the_one_year() -> None:
    one = bo.Finance(
        lifetime_years=9, discount_rate=0.05, replacement_year=4, replacement_per_mw=7.0, fade_per_year=0.1
    )
    listed = one.model_copy(update={"replacement_year": None, "replacement_years": (4,)})
    assert weights_of(one) == weights_of(listed)
    assert one.replacement(2.0, 5.0) == 14.0


@pytest.mark.parametrize(
    ("finance", "message"),
    [
        (
            {"replacement_per_mwh": 5},
            "replacement_year: replacement_per_mwh is 5 but replacement_year is missing; give",
        ),
        (
            {"replacement_year": 3, "replacement_years": [4]},
            r"replacement_year: stands beside replacement_years = \[4\]",
        ),
        (
            {"replacement_years": [4, 4]},
            r"replacement_years: found \[4, 4\]; give whole years of 1 or more, each once",
        ),
        ({"replacement_years": [0]}, r"replacement_years: found \[0\]; give whole years"),
        (
            {"replacement_years": [4, 12], "lifetime_years": 10},
            "replacement_years: found 12, after the lifetime of 10",
        ),
        ({"replacement_years": 4}, "replacement_years"),
    ],
)
def test_replacements_that_make_no_sense(finance: dict[str, Any], message: str) -> None:
    with pytest.raises(bo.ScenarioError, match=message):
        bo.Finance(**finance)


def test_a_free_end_that_repeats_is_refused() -> None:
    """Sold empty once it is income once: 100 at 50 a MWh; a hundred times a year it would be 5,000 out of nothing."""
    plan = case(price_per_mwh=[50.0] * 4, battery={"soc_start": 1.0, "soc_end": "free"}, finance=LIFE).optimize()
    with pytest.raises(
        bo.ScenarioError, match=r'battery.soc_end: is "free", and the horizon repeats; state "at_least_start"'
    ):
        bo.financials(plan)
    once = {"present_value_factor": 1.0, "horizons_per_year": 1.0}
    alone = case(price_per_mwh=[50.0] * 4, battery={"soc_start": 1.0, "soc_end": "free"}, finance=once).optimize()
    assert bo.financials(alone).npv == pytest.approx(100.0)


def test_an_end_without_a_floor_is_a_free_one() -> None:
    """At most the whole of it is no limit at all: money over life, sizing and the price of wear refuse it alike."""
    sold = case(price_per_mwh=[50.0] * 4, battery={"soc_start": 1.0, "soc_end": {"at_most": 1.0}}, finance=LIFE)
    asked = (
        lambda: bo.financials(sold.optimize()),
        lambda: bo.size(sold.scenario(), (1.0, 2.0), 2.0),
        lambda: bo.wear_price(sold.scenario()),
    )
    for ask in asked:
        with pytest.raises(bo.ScenarioError, match=r'battery.soc_end: has no at_least.*; state "at_least_start"'):
            ask()


def test_an_end_below_the_start_is_warned_of() -> None:
    sold = case(price_per_mwh=[50.0] * 4, battery={"soc_start": 1.0, "soc_end": 0.0}, finance=LIFE)
    for findings in (bo.financials(sold.optimize()).findings, bo.size(sold.scenario(), 1.0, 2.0).findings):
        (finding,) = (one for one in findings if one.code == "stored_energy_sold")
        assert finding.severity == "warning"
        assert "ends with 2 MWh less than it began" in finding.found


def test_the_plant_does_not_fade_without_a_baseline_either() -> None:
    """Solar sells 120 a horizon with or without; the battery's 80 fall to 40 in year 2 by a fade of a half."""
    finance = LIFE | {"capital_fixed": 1.0, "fade_per_year": 0.5}
    plan = case(price_per_mwh=SPREAD, solar_mw=[1.0] * 4, battery=HELD, finance=finance).optimize()
    whole = bo.financials(plan)
    assert whole.cash_flow is not None
    assert whole.cash_flow["revenue"].to_list() == pytest.approx([0.0, 20000.0, 16000.0])
    model = bo.AgeingModel(calendar_a=0.0, cycles_to_failure=((0.5, 100.0), (1.0, 50.0)))
    plain = case(price_per_mwh=SPREAD, solar_mw=[1.0] * 4, battery=HELD, finance=LIFE).optimize()
    aged = bo.ageing(plain, model)
    earned = bo.financials(plain, ageing=aged).cash_flow
    assert earned is not None
    assert earned["revenue"][1] == pytest.approx(100 * (120 + 80 * aged.mean_capacity[1]))


def test_a_site_that_needs_its_battery_takes_no_fade() -> None:
    """Nothing says which part of such a bill the battery earns: a warning, and no fade."""
    finance = LIFE | {"fade_per_year": 0.5}
    needy = case(
        price_per_mwh=SPREAD,
        load_mw=[0.0, 0.0, 2.0, 0.0],
        site={"import_limit_mw": 1.0},
        battery=HELD,
        finance=finance,
    )
    found = bo.financials(needy.optimize())
    assert "fade_left_out" in [finding.code for finding in found.findings]
    assert found.cash_flow is not None
    assert found.cash_flow["revenue"][1] == pytest.approx(found.cash_flow["revenue"][2])
    sized = bo.size(needy.scenario(), 1.0, 2.0)
    assert "fade_left_out" in [finding.code for finding in sized.findings]
    assert sized.value == pytest.approx(found.npv)


def test_every_technology_says_how_long_it_lives() -> None:
    """Fade is both lives to 0.8 of the capacity at a cycle a day; each figure has its source."""
    table = bo.technologies()
    for name, row in table.iterrows():
        assert row["ageing_source"], name
        by_hand = 0.2 * (1 / row["calendar_life_years"] + 365 / row["cycle_life"])
        assert row["fade_per_year"] == pytest.approx(by_hand)
    assert table.loc["modern_lfp", "fade_per_year"] == pytest.approx(0.2 * (1 / 16 + 365 / 6000))
    assert list(table["fade_per_year"].rank()) == [3.0, 2.0, 1.0]


@pytest.mark.parametrize(
    ("battery", "finance", "per_year", "words"),
    [
        ({"technology": "premium"}, {}, 0.2 * (1 / 20 + 365 / 20000), "of premium, 20,000 full cycles or 20 years"),
        ({"technology": "premium"}, {"fade_per_year": 0.0}, 0.0, "fade of 0 a year as stated"),
        ({"technology": IDEAL}, {}, 0.0, "no fade, as the technology states no life"),
        ({"technology": IDEAL | {"cycle_life": 7300.0}}, {}, 0.01, "of the technology, 7,300 full cycles to 0.8"),
        ({"technology": IDEAL | {"fade_per_year": 0.04}}, {}, 0.04, "of the technology, as it states"),
    ],
)
def test_where_the_fade_comes_from(
    battery: dict[str, Any], finance: dict[str, Any], per_year: float, words: str
) -> None:
    scenario = case(
        price_per_mwh=SPREAD, battery=HELD | {"soc_start": None} | battery, finance=LIFE | finance
    ).scenario()
    fade = fade_of(scenario)
    assert fade.per_year == pytest.approx(per_year)
    assert words in fade.basis
    assert fade.basis in bo.financials(bo.optimize(scenario)).assumptions


def test_a_bare_factor_has_no_fade() -> None:
    finance = {"present_value_factor": 5.0, "horizons_per_year": 100}
    found = bo.financials(
        case(
            price_per_mwh=SPREAD, battery=HELD | {"technology": "modern_lfp", "soc_start": None}, finance=finance
        ).optimize()
    )
    assert found.npv == pytest.approx(500 * found.yearly_revenue / 100)
    assert "no fade, as present_value_factor has no years" in found.assumptions


def test_cells_of_today_live_long_enough() -> None:
    """A cycle a day: the default LFP cells reach the end of life after more than a decade, not after two years."""
    day = [10.0] * 2 + [50.0] * 2 + [20.0] * 20
    battery = HELD | {"technology": "modern_lfp", "soc_start": None}
    plan = case(price_per_mwh=day, battery=battery, finance=LIFE | {"horizons_per_year": 365}).optimize()
    aged = bo.ageing(plan, years=25)
    assert 12.0 < aged.years_to_end_of_life < 20.0
    assert aged.path["calendar"][16] == pytest.approx(0.8, abs=0.02)
    assert "6,000 full cycles or 16 years" in aged.basis
    stated = bo.AgeingModel.of_technology(
        bo.Battery(power_mw=1, duration_h=1, technology=IDEAL | {"cycle_life": 500}).tech
    )
    assert stated.cycles_to_failure == ((0.1, 5000.0), (1.0, 500.0))
    assert stated.calendar_a == 0.0


def test_worth_by_who_operates() -> None:
    """Optimum, rule and forecasts against the same site without a battery, in one table with one unit each."""
    days = case(price_per_mwh=([30.0] * 6 + [90.0] * 6 + [10.0] * 6 + [70.0] * 6) * 4, battery=HELD, finance=LIFE)
    plan = days.optimize()
    plans = {
        "optimal": plan,
        "rule": bo.simulate(days.scenario()),
        "forecast-driven": forecast_driven(days.scenario()),
    }
    found = by_operation(plans, None)
    assert list(found) == ["optimal", "rule", "forecast-driven"]
    assert found["optimal"].npv >= found["forecast-driven"].npv
    assert "knows every price beforehand" in found["optimal"].assumptions
    assert "operated by the rule" in found["rule"].assumptions
    assert "made on forecasts" in found["forecast-driven"].assumptions
    header, rows = operation_table(found)
    assert len(rows) == 3
    assert "net present value [EUR]" in header
    assert math.isfinite(found["rule"].npv)
