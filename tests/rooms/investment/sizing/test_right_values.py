"""Sizes that can be worked out by hand, where slopes, bills, life and the empty size are easy to get wrong."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest

import bess_opt as bo

IDEAL = {"eta_charge": 1.0, "eta_discharge": 1.0, "soc_min": 0.0, "soc_max": 1.0, "c_rate_max": 4.0}
LOSSLESS = {"ac_to_dc": 1.0, "dc_to_ac": 1.0, "dc_to_dc": 1.0}
DAYS = pd.date_range("2025-01-01", periods=24, freq="h", tz="Etc/GMT+5", name="time")  # one that repeats all year
JANUARY = pd.date_range("2025-01-01", periods=744, freq="h", tz="Etc/GMT+5", name="time")
ONCE = {"present_value_factor": 1.0, "horizons_per_year": 1.0}


def battery(**more: Any) -> dict[str, Any]:
    cells = IDEAL | more.pop("cells", {})
    return {"power_mw": 1.0, "duration_h": 2.0, "technology": cells, "converters": LOSSLESS, "soc_start": 0.0} | more


def four_hours(c_rate: float, limit_mw: float, **finance: float) -> bo.Scenario:
    """Buys for nothing in two hours, sells at 100 in two."""
    at = pd.date_range("2025-06-02", periods=4, freq="h", tz="UTC")
    return bo.Scenario(
        battery=battery(cells={"c_rate_max": c_rate}),
        series=pd.DataFrame({"price_per_mwh": [0.0, 0.0, 100.0, 100.0]}, index=at),
        strategy="arbitrage",
        site={"export_limit_mw": limit_mw},
        finance=finance | ONCE,
    )


def daily(price: np.ndarray, finance: dict[str, float | list[int]], **more: Any) -> bo.Scenario:
    series = pd.DataFrame({"price_per_mwh": price, **more.pop("columns", {})}, index=DAYS)
    money = {"horizons_per_year": 365.0} | finance
    return bo.Scenario(battery=battery(), series=series, strategy="arbitrage", finance=money, **more)


def annuity(rate: float, years: int, fade: float = 0.0) -> float:
    return sum((1.0 - fade) ** (y - 1) / (1.0 + rate) ** y for y in range(1, years + 1))


class TestKinks:
    @pytest.mark.parametrize(("c_rate", "limit"), [(0.5, 3.0), (0.5, 2.5), (0.25, 3.0)])
    def test_rated_power_at_the_c_rate_limit(self, c_rate: float, limit: float) -> None:
        """A ray on which the C-rate limit is the rated power: 1 MW sells 200, costs 100, up to the connection."""
        scenario = four_hours(c_rate, limit, capital_per_mw=100.0)
        best = bo.size(scenario, (1.0, 10.0), 1.0 / c_rate)
        assert best.power_mw == pytest.approx(limit)
        assert (best.value, best.bound) == pytest.approx((100.0 * limit, 100.0 * limit))
        assert best.gap == 0.0

    def test_what_one_more_adds_is_the_slope_upward(self) -> None:
        """At the connection's limit a further MW only costs; where power and energy fit, neither alone sells more."""
        found = bo.size(four_hours(0.5, 3.0, capital_per_mw=100.0), (1.0, 10.0), (0.5, 4.0))
        assert found.marginal_value is not None
        assert found.marginal_value["power_mw"] == pytest.approx(-100.0)
        small = bo.size(four_hours(4.0, 9.0, capital_per_mw=100.0), 1.0, 2.0)
        assert small.marginal_value == pytest.approx({"power_mw": -100.0, "energy_mwh": 0.0}, abs=1e-3)


def test_the_bill_of_a_large_load_hides_nothing() -> None:
    """300 MW and 1 MW more from 12 to 14: what a MW saves, 180,000 a year, is 0.07 % of the bill.

    The battery must not raise the peak while it charges: P MW shaved in 2 h are 2·P MWh over 22 h, P/11 MW. So P + P/11
    = 1: 11/12 MW, which earns 11/12·180,000 for ten years at 6 % and costs 300,000 per MW and 200,000 per MWh. It
    starts as full as the ten hours after 14 make it, so that the first day and the last are like all others.
    """
    load = 300.0 + np.where((JANUARY.hour >= 12) & (JANUARY.hour < 14), 1.0, 0.0)
    scenario = bo.Scenario(
        battery=battery(soc_start=10 / 22),
        series=pd.DataFrame({"load_mw": load}, index=JANUARY),
        strategy="peak_shaving",
        tariff={
            "export": "none",
            "energy": [{"price_per_mwh": 100.0}],
            "demand": [{"price_per_mw_month": 15000.0}],
        },
        finance={
            "capital_per_mw": 3e5,
            "capital_per_mwh": 2e5,
            "lifetime_years": 10,
            "discount_rate": 0.06,
            "horizons_per_year": 12,
        },
    )
    best = bo.size(scenario, power_mw=(0.05, 5.0), duration_h=(0.5, 6.0))
    right = 11 / 12 * (180_000 * annuity(0.06, 10) - 3e5 - 2 * 2e5)
    assert right == pytest.approx(572_748, abs=1)
    assert best.build
    assert best.without is not None
    assert best.value - best.without == pytest.approx(right, rel=1e-6)
    assert (best.power_mw, best.duration_h) == pytest.approx((11 / 12, 2.0), rel=1e-3)


class TestLife:
    DAY = np.full(24, 50.0)
    DAY[[2, 3, 4, 5]], DAY[[18, 19, 20, 21]] = [0.0, 10.0, 20.0, 30.0], [110.0, 100.0, 90.0, 80.0]
    FINANCE: ClassVar = {
        "capital_per_mwh": 3e5,
        "lifetime_years": 20,
        "discount_rate": 0.08,
        "replacement_years": [10],
    }

    def size(self, **finance: Any) -> bo.Sizing:
        return bo.size(daily(self.DAY, self.FINANCE | finance), power_mw=1.0, duration_h=(0.25, 4.0))

    def test_a_replacement_per_mwh_makes_a_smaller_battery(self) -> None:
        """A first hour earns 110 a day, a second 90; new cells in year 10 cost 100,000 per MWh.

        110·365·9.8181 − 300,000 − 100,000/1.08^10 = 47,878 for one hour; the second earns 322,000 and costs 346,000.
        """
        best = self.size(replacement_per_mwh=1e5)
        worth = annuity(0.08, 20)
        right = 110 * 365 * worth - 3e5 - 1e5 / 1.08**10
        assert right == pytest.approx(47_878, abs=2)
        assert (best.duration_h, best.value) == pytest.approx((1.0, right), rel=1e-6)
        assert best.costs["replacement"] == pytest.approx(1e5 / 1.08**10)

    def test_a_fixed_replacement_does_not(self) -> None:
        """The same sum whatever the size: the second hour pays, 90·365·9.8181 > 300,000."""
        best = self.size(replacement_cost=1e5)
        assert best.duration_h == pytest.approx(2.0)

    def test_replacements_of_several_years_grow(self) -> None:
        """Per MW and MWh, in years 7 and 14, at prices that grow by 3 %: each time both ratios to their power."""
        finance = {
            "replacement_years": [14, 7],
            "replacement_per_mw": 2e4,
            "replacement_per_mwh": 3e4,
            "escalation_rate": 0.03,
        }
        best = bo.size(daily(self.DAY, self.FINANCE | finance), power_mw=1.0, duration_h=1.0)
        growth = 1.03 / 1.08
        assert best.costs["replacement"] == pytest.approx(5e4 * (growth**7 + growth**14))
        again = bo.financials(best.plan)
        assert again.npv == pytest.approx(best.value)
        assert again.cash_flow is not None
        assert again.cash_flow["replacement"].loc[[7, 14]].tolist() == pytest.approx(
            [-5e4 * 1.03**7, -5e4 * 1.03**14]
        )

    def test_fade_is_the_batterys_own(self) -> None:
        """Four hours of 10 MW of sun sell alike whatever the cells do; only what the battery earns fades.

        100 a day (40 to 140) over 20 years at 8 % and 3 % of fade: 293,105, less 100,000; the plant 7,883,972.
        """
        sun = np.where((DAYS.hour >= 10) & (DAYS.hour < 14), 10.0, 0.0)
        price = np.full(24, 60.0)
        price[12], price[18] = 40.0, 140.0
        finance = {"capital_per_mwh": 1e5, "lifetime_years": 20, "discount_rate": 0.08, "fade_per_year": 0.03}
        best = bo.size(daily(price, finance, columns={"solar_mw": sun}), power_mw=1.0, duration_h=1.0)
        plant = 365 * 10 * (3 * 60 + 40) * annuity(0.08, 20)
        assert best.without == pytest.approx(plant)
        assert best.value == pytest.approx(plant + 36_500 * annuity(0.08, 20, 0.03) - 1e5)
        assert sum(v for k, v in best.costs.items() if k != "total") == pytest.approx(best.costs["total"])
        assert best.costs["total"] == pytest.approx(-best.value)
        assert best.costs["fade"] == pytest.approx(36_500 * (annuity(0.08, 20) - annuity(0.08, 20, 0.03)))

    def test_technologies_bring_their_fade(self) -> None:
        """Where nothing is stated the table's life counts, and the line of assumptions says so; a bare table has none."""
        finance = {"capital_per_mwh": 1e5, "lifetime_years": 10, "discount_rate": 0.08}
        plain = bo.size(daily(self.DAY, finance), power_mw=1.0, duration_h=1.0)
        assert "no fade, as the technology states no life" in plain.assumptions
        scenario = daily(self.DAY, finance).replace(battery={"technology": "modern_lfp", "soc_start": None})
        lfp = bo.size(scenario, power_mw=1.0, duration_h=1.0)
        fade = float(bo.technologies().loc["modern_lfp", "fade_per_year"])
        assert 0.01 < fade < 0.04
        earned = 365 * lfp.plan.metrics.net_revenue * annuity(0.08, 10, fade)
        assert lfp.value == pytest.approx(earned - 1e5)
        assert "6,000 full cycles or 16 years" in lfp.assumptions
        assert "knows every price beforehand" in lfp.assumptions
        assert "10 years at a discount rate of 8 % nominal" in lfp.assumptions
        stated = bo.size(scenario.replace(finance={"fade_per_year": 0.0}), power_mw=1.0, duration_h=1.0)
        assert stated.value > lfp.value

    def test_the_rule_and_forecasts_stand_beside(self) -> None:
        """The same day every day: a forecast of yesterday is as good as foresight, save on the first day."""
        month = pd.date_range(DAYS[0], periods=720, freq="h", name="time")
        series = pd.DataFrame({"price_per_mwh": np.tile(self.DAY, 30)}, index=month)
        scenario = daily(self.DAY, self.FINANCE | {"horizons_per_year": 12}).replace(series=series)
        best = bo.size(scenario, power_mw=1.0, duration_h=1.0)
        assert list(best.operated) == ["optimal", "rule", "forecast-driven"]
        assert best.operated["optimal"] == best.value
        assert best.operated["forecast-driven"] <= best.value
        assert best.operated["forecast-driven"] > best.value - 0.1 * 110 * 360 * annuity(0.08, 20)
        by_hand = bo.simulate(best.scenario).metrics.net_revenue * 12 * annuity(0.08, 20) - 3e5
        assert best.operated["rule"] == pytest.approx(by_hand)


def test_a_plan_beside_a_large_load_is_as_near_its_bound_as_without_it() -> None:
    """The gap at which a plan counts as optimal is a share of the site's bill: 30,000 MW of load hid 0.1 % of the value."""
    price = np.random.default_rng(2).normal(-10.0, 30.0, 24).round(2)
    worth = []
    for load in (0.0, 3e4):
        lossy = battery(cells={"eta_charge": 0.9, "eta_discharge": 0.9, "c_rate_max": 10.0}, soc_start=0.5)
        del lossy["converters"]
        series = pd.DataFrame({"price_per_mwh": price, "load_mw": np.full(24, load)}, index=DAYS)
        money = {"capital_per_mw": 20.0, "capital_per_mwh": 10.0} | ONCE
        site = bo.Scenario(battery=lossy, series=series, strategy="arbitrage", finance=money)
        best = bo.size(site.replace(solver={"engine": "highs", "rel_gap": 1e-5}), (0.1, 4.0), (1.0, 4.0))
        assert best.without is not None
        assert best.plan.scenario.solver.rel_gap == 1e-5
        worth.append(best.value - best.without)
    assert worth[1] == pytest.approx(worth[0], rel=1e-6)


class TestNoBattery:
    def shedding(self, price: float) -> bo.Scenario:
        """A MW of load beyond the connection for one hour of the day."""
        at = pd.date_range("2025", periods=24, freq="h", tz="UTC", name="time")
        series = pd.DataFrame({"load_mw": [0.5] * 18 + [2.0] + [0.5] * 5, "price_per_mwh": 50.0}, index=at)
        return bo.Scenario(
            battery=bo.Battery(power_mw=1, duration_h=1.5, soc_end="equal"), series=series,
            strategy="self_consumption", site={"import_limit_mw": 1.0, "unserved_price_per_mwh": price},
            finance={"capital_per_mw": 100.0, "present_value_factor": 10.0, "horizons_per_year": 365},
        )  # fmt: skip

    def test_unserved_load_is_a_cost_that_a_battery_saves(self) -> None:
        """1 MWh a day at 10,000 goes unserved without a battery: 36.5 million over ten years' worth."""
        best = bo.size(self.shedding(1e4), power_mw=(0.0, 2.0), duration_h=1.5)
        assert best.build
        assert best.without is not None
        assert best.value - best.without == pytest.approx(10 * 365 * (1e4 - 50), rel=0.01)
        assert best.power_mw >= 1.0 - 1e-6

    def test_nothing_is_a_size_like_any_other(self) -> None:
        """A battery that never pays: none is bought, its value is that of the site without one, and nothing beats it."""
        flat = daily(np.full(24, 50.0), {"capital_per_mwh": 1e5, "lifetime_years": 10, "discount_rate": 0.08})
        for ranges in ({"power_mw": (0, 5), "duration_h": 2.0}, {"power_mw": (0, 5), "duration_h": (0, 4)}):
            best = bo.size(flat, **ranges)
            assert (best.power_mw, best.energy_mwh, best.duration_h) == (0.0, 0.0, 0.0)
            assert (best.value, best.bound, best.gap, best.build) == (0.0, 0.0, 0.0, False)
            assert best.plan.metrics.discharged_mwh == 0.0

    def test_nothing_keeps_no_limit_of_the_stored_energy(self) -> None:
        """A limit that falls below the start empties a battery for a while; where none is bought nothing has to be emptied."""
        flat = np.full(24, 50.0)
        money: dict[str, float | list[int]] = {"capital_per_mwh": 1e5, "lifetime_years": 10, "discount_rate": 0.08}
        site = daily(flat, money, columns={"energy_max_mwh": abs(np.linspace(-1.0, 1.0, 24))})
        best = bo.size(site.replace(battery={"soc_start": 0.5, "soc_end": "at_least_start"}), (0, 5), 2.0)
        assert (best.power_mw, best.value, best.build) == (0.0, 0.0, False)
        assert best.plan.metrics.discharged_mwh == 0.0

    @pytest.mark.parametrize("more", [{}, {"power_step_mw": 0.5}, {"objective": "net_revenue"}])
    def test_nothing_is_left_where_no_battery_meets_the_limits(self, more: dict[str, Any]) -> None:
        """The load takes the whole import, so no battery can be charged; the site without one pays 24 x 0.1 x 50 a day."""
        money = {"capital_per_mwh": 1e5, "present_value_factor": 1.0, "horizons_per_year": 1.0}
        site = daily(np.full(24, 50.0), money, columns={"load_mw": np.full(24, 0.1)})
        full = site.replace(site={"import_limit_mw": 0.1}, battery={"soc_start": 0.5, "soc_end": 0.9})
        best = bo.size(full, (0.0, 5.0), 2.0, **more)
        assert (best.power_mw, best.energy_mwh, best.build) == (0.0, 0.0, False)
        assert (best.value, best.without) == pytest.approx((-120.0, -120.0))
        assert "do_not_build" in [one.code for one in best.findings]
        assert (best.bound, best.gap) == (best.value, 0.0)
        assert best.surface(2, 2)["value"].dropna().eq(best.value).all()
        assert best.plot()
        with pytest.raises(bo.InfeasibleError, match="no size of the range has a plan"):
            bo.size(full, (1.0, 5.0), 2.0, **more)

    def test_a_fixed_sum_is_not_paid_for_nothing(self) -> None:
        """1 MW sells 200 for 100; a fixed 150 turns the range from 0 on to nothing, and a fixed 90 does not."""
        for fixed, value in ((150.0, 0.0), (90.0, 10.0)):
            best = bo.size(four_hours(0.5, 1.0, capital_per_mw=100.0, capital_fixed=fixed), (0.0, 3.0), 2.0)
            assert (best.value, best.bound) == pytest.approx((value, value), abs=1e-6)
            assert best.power_mw == pytest.approx(1.0 if value else 0.0)

    def test_steps_begin_at_nothing(self) -> None:
        best = bo.size(four_hours(0.5, 1.0, capital_per_mw=100.0), (0.0, 3.0), 2.0, power_step_mw=0.4)
        assert (best.power_mw, best.value) == pytest.approx((0.8, 80.0))
        dear = bo.size(four_hours(0.5, 1.0, capital_per_mw=300.0), (0.0, 3.0), 2.0, power_step_mw=0.4)
        assert (dear.power_mw, dear.value, dear.build) == (0.0, 0.0, False)


def test_the_map_is_computed_once() -> None:
    """A second picture reads the values of the first; progress is told while they are made, and not again."""
    best = bo.size(four_hours(0.5, 3.0, capital_per_mw=100.0), (0.0, 4.0), (1.0, 4.0))
    told: list[float] = []
    first = best.surface(4, 3, progress=lambda event: told.append(event.share))
    assert told[-1] == 1.0
    assert best.surface(4, 3, progress=lambda event: told.append(-event.share)).equals(first)
    assert min(told) >= 0.0
    nothing = first[first["power_mw"] == 0.0]
    assert (nothing["value"] == 0.0).all()
    assert nothing["exact"].all()
