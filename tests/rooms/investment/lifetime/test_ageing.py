"""Ageing: published rainflow and calendar figures, hand-solved cycles, and what they do to the money."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from support.cases import Case
from support.cases import case as any_case

import bess_opt as bo
from bess_opt.investment.lifetime.ageing import calendar_loss, rainflow_cycles

DAY = [10.0] * 2 + [50.0] * 2 + [20.0] * 20  # two hours in, two hours out, then rest


def case(*, battery: dict[str, Any] | None = None, **more: Any) -> Case:
    """A case whose end holds what its start held, as a horizon that repeats must."""
    return any_case(battery={"soc_end": "at_least_start"} | (battery or {}), **more)


def plan_of(finance: dict[str, Any] | None = None, **battery: Any) -> bo.Dispatch:
    """One full cycle in a day of 24 h, lossless."""
    return case(price_per_mwh=DAY, battery=battery, finance=finance).optimize()


def test_astm_rainflow() -> None:
    """ASTM E1049's own example: ranges 3: 0.5, 4: 1.5, 6: 0.5, 8: 1, 9: 0.5 cycles."""
    found = rainflow_cycles(np.array([-2.0, 1, -3, 5, -1, 3, -4, 4, -2]))
    assert found.groupby("depth")["count"].sum().to_dict() == {3.0: 0.5, 4.0: 1.5, 6.0: 0.5, 8.0: 1.0, 9.0: 0.5}


def test_rest_is_no_cycle() -> None:
    """A state of charge that stays put counts nothing."""
    assert rainflow_cycles(np.full(10, 0.4)).empty


def test_sams_calendar() -> None:
    """SAM's lithium-ion calendar test: 4.85 °C, an hour at 20 % and then 90 %: 101.78 after 500 h, 101.69 after
    1,000 h, 97.67 after 200,000 h.
    """
    rate = bo.AgeingModel().calendar_rate(np.where(np.arange(200_000) < 1, 0.2, 0.9), 4.85)
    found = [100 * (1.02 - calendar_loss(rate[:hours], 1.0)) for hours in (500, 1000, 200_000)]
    assert found == pytest.approx([101.78, 101.69, 97.67], abs=0.005)


def test_the_calendar_goes_on_where_it_stopped() -> None:
    """Two halves are the whole, and the loss tends to k·√t whatever the step."""
    rate = np.full(2000, 0.003)
    assert calendar_loss(rate[1000:], 1.0, calendar_loss(rate[:1000], 1.0)) == calendar_loss(rate, 1.0)
    assert calendar_loss(rate, 1.0) == pytest.approx(0.003 * math.sqrt(2000 / 24), rel=1e-2)
    assert calendar_loss(np.repeat(rate, 4), 0.25) == pytest.approx(calendar_loss(rate, 1.0), rel=2e-3)


def test_the_cycle_table_between_and_beyond_its_rows() -> None:
    """On a line in log-log: rows 0.25 → 4,000 and 1 → 1,000 mean cycles = 1,000 / depth, everywhere."""
    model = bo.AgeingModel(cycles_to_failure=((0.25, 4000.0), (1.0, 1000.0)))
    depth = np.array([0.1, 0.25, 0.5, 1.0])
    assert model.cycles(depth) == pytest.approx(1000.0 / depth)
    bent = bo.AgeingModel(cycles_to_failure=((0.25, 4000.0), (0.5, 2000.0), (1.0, 500.0)))
    assert bent.cycles(np.array([0.1, 0.5**1.5, 0.5**0.5])) == pytest.approx([10000.0, 1000 * 2**1.5, 1000.0])


def test_cycle_fade_by_hand() -> None:
    """One cycle of depth 1 a day as two half ones; 3,650 of them to 0.8: a tenth of the life and 0.02 a year.

    At k = 0 the calendar stays at 1.02, so the capacity is the cycles': 0.98 after a year, 0.8 after ten.
    """
    model = bo.AgeingModel(calendar_a=0.0, cycles_to_failure=((0.5, 7300.0), (1.0, 3650.0)))
    found = bo.ageing(plan_of(), model, years=12)
    assert found.cycles["depth"].to_list() == pytest.approx([1.0, 1.0])
    assert found.cycles["count"].to_list() == [0.5, 0.5]
    assert found.damage_per_year == pytest.approx(0.1)
    assert found.path["cycle"].to_numpy() == pytest.approx(1 - 0.02 * np.arange(13))
    assert (found.path["calendar"] == 1.02).all()
    assert found.path["capacity"].equals(found.path["cycle"].rename("capacity"))
    assert found.mean_capacity[1] == pytest.approx(0.99)
    assert found.years_to_end_of_life == pytest.approx(10.0)
    assert bo.ageing(plan_of(), model, years=12, end_of_life=0.85).years_to_end_of_life == pytest.approx(7.5)
    assert math.isnan(bo.ageing(plan_of(), model, years=9).years_to_end_of_life)


def test_calendar_fade_by_hand() -> None:
    """k ≈ 0.01/√day, no dependence on heat or charge: 1.02 − 0.01·√(365·y), and cycles that never end.

    The smaller of the two counts, and the first year starts from 1, not from 1.02.
    """
    model = bo.AgeingModel(
        calendar_a=0.01, calendar_b=0.0, calendar_c=0.0, cycles_to_failure=((0.5, 1e9), (1.0, 1e9))
    )
    found = bo.ageing(plan_of(), model, years=3)
    scaled = 1.02 - 0.01 * math.exp(0.0) * np.sqrt(365 * np.arange(4.0))
    assert found.path["calendar"].to_numpy() == pytest.approx(scaled, abs=2e-3)
    assert found.path["capacity"].to_list() == pytest.approx([1.0, *scaled[1:]], abs=2e-3)


def test_heat_ages() -> None:
    """Warmer cells fade faster, as a number and step by step."""
    plan = plan_of()
    cool, warm = (bo.ageing(plan, bo.AgeingModel(temperature_c=t), years=2).path["calendar"][2] for t in (15.0, 35.0))
    stepwise = bo.ageing(plan, years=2, temperature_c=[35.0] * 24).path["calendar"][2]
    assert warm < cool
    assert stepwise == pytest.approx(warm, abs=1e-12)


def test_a_replacement_makes_cells_new() -> None:
    """Replaced after year 3: year 4 is like year 1; the years are the lifetime's."""
    finance = {"lifetime_years": 6, "discount_rate": 0.1, "replacement_year": 3, "horizons_per_year": 365}
    found = bo.ageing(plan_of(finance))
    assert list(found.path.index) == list(range(7))
    assert found.path.loc[4].to_list() == found.path.loc[1].to_list()
    assert found.mean_capacity[6] == found.mean_capacity[3]
    assert found.replaced_after == (3,)


LIFE = {"lifetime_years": 3, "discount_rate": 0.0, "horizons_per_year": 365}


def test_ageing_scales_the_revenue() -> None:
    """80 a day, 29,200 a year, times the mean capacity of each year: 0.99, 0.97, 0.95, together 2.91.

    730 MWh a year fade alike, and what they were charged with: LCOS = 10 + 10,000 / (730·2.91).
    """
    plan = plan_of(LIFE | {"capital_fixed": 10000.0})
    aged = bo.ageing(plan, bo.AgeingModel(calendar_a=0.0, cycles_to_failure=((0.5, 7300.0), (1.0, 3650.0))))
    found = bo.financials(plan, ageing=aged)
    assert found.cash_flow is not None
    assert found.cash_flow["revenue"].to_list() == pytest.approx([0.0, *(29200 * x for x in (0.99, 0.97, 0.95))])
    assert found.npv == pytest.approx(29200 * 2.91 - 10000)
    assert found.lcos_per_mwh == pytest.approx(10 + 10000 / (730 * 2.91))
    assert found.ageing_basis.endswith("mean capacity, the schedule repeated; cycle life as stated")
    assert "cycle life of older cells, the default" in bo.ageing(plan).basis


def test_only_the_batterys_own_revenue_fades() -> None:
    """Solar sells for 400 with or without the battery; the 80 that it adds fade to 79.2 in year 1."""
    plan = case(price_per_mwh=DAY, solar_mw=[1.0] + [0.0] * 23, finance=LIFE).optimize()
    idle = bo.simulate(plan.scenario, rule=lambda state: 0.0)
    aged = bo.ageing(plan, bo.AgeingModel(calendar_a=0.0, cycles_to_failure=((0.5, 7300.0), (1.0, 3650.0))))
    assert bo.financials(plan, idle, ageing=aged).yearly_revenue == pytest.approx(365 * 80 * 0.99)


def test_dispatch_anew_at_the_faded_energy() -> None:
    """A dear hour 60 beside one of 50, 1 MW: what is lost first is the cheaper hour.

    New: buys 2 MWh at 10, sells at 60 and 50, 90. With 1.8 MWh: 0.8 MWh at 50, 60 − 10 + 0.8·40 = 82, where a
    scaled schedule says 81. Years between are interpolated by capacity.
    """
    price = [10.0, 10.0, 60.0, 50.0] + [20.0] * 20
    plan = case(price_per_mwh=price, finance=LIFE).optimize()
    model = bo.AgeingModel(calendar_a=0.0, cycles_to_failure=((0.5, 1460.0), (1.0, 730.0)))  # 0.1 a year
    aged = bo.ageing(plan, model)
    faded = bo.faded_dispatch(plan, aged, years=(1, 3))
    assert faded.table["capacity"].to_list() == pytest.approx([1.0, 0.95, 0.75])
    assert faded.table["net_revenue"].to_list() == pytest.approx([90.0, 50 + 0.9 * 40, 50 + 0.5 * 40])
    assert faded.table["discharged_mwh"].to_list() == pytest.approx([2.0, 1.9, 1.5])
    yearly, share = faded.course(plan, 6.0)
    assert yearly == pytest.approx((80.0, 72.0, 64.0))
    assert share == pytest.approx((0.95, 0.85, 0.75))
    found = bo.financials(plan, ageing=faded)
    assert found.npv == pytest.approx(365 * (86 + 78 + 70))
    assert "faded energy of years 1, 3; other years interpolated by capacity; cycle life as" in found.ageing_basis


def test_a_rule_is_run_anew_by_its_own_twin() -> None:
    """The rule's plans follow the rule, which leaves here something to the optimum."""
    price = [30.0, 10.0, 60.0, 20.0, 50.0, 15.0, 40.0, 35.0] * 3
    scenario = case(price_per_mwh=price, finance=LIFE, battery={"duration_h": 3.0}).scenario()
    rule = bo.simulate(scenario)
    faded = bo.faded_dispatch(rule, bo.ageing(rule), years=[1])
    smaller = scenario.replace(battery={"duration_h": 3.0 * faded.table.loc[1, "capacity"]})
    assert faded.table.loc[1, "net_revenue"] == bo.simulate(smaller).metrics.net_revenue
    assert faded.table.loc[1, "net_revenue"] < bo.optimize(smaller).metrics.net_revenue - 1.0


def test_a_battery_that_stands_still_has_no_throughput_to_fade() -> None:
    """One price all day: nothing moves, and nothing is divided by nothing."""
    plan = case(price_per_mwh=[10.0] * 24, finance=LIFE).optimize()
    assert bo.faded_dispatch(plan, bo.ageing(plan), years=[1]).course(plan, 0.0)[1] == (1.0, 1.0, 1.0)


def test_what_is_wrong_is_said() -> None:
    """Years, temperatures, curves, sampled years, another plan, and ageing counted twice."""
    plan = plan_of(LIFE)
    aged = bo.ageing(plan)
    with pytest.raises(bo.ScenarioError, match="years: found 0; give 1 or more"):
        bo.ageing(plan, years=0)
    with pytest.raises(
        bo.ScenarioError, match="temperature_c: found 3 values; give a finite one for each of 24 steps"
    ):
        bo.ageing(plan, temperature_c=[1.0, 2.0, 3.0])
    with pytest.raises(bo.ScenarioError, match=r"end_of_life: found 1\.2; give a number > 0 and < 1"):
        bo.ageing(plan, end_of_life=1.2)
    for curve in (
        (),
        ((0.5, 100.0),),
        ((0.8, 100.0), (0.2, 500.0)),
        ((0.2, 100.0), (0.8, 500.0)),
        ((0.0, 9.0), (1.0, 8.0)),
    ):
        with pytest.raises(bo.ScenarioError, match="give two rows or more, depth rising within 0 to 1"):
            bo.AgeingModel(cycles_to_failure=curve)
    with pytest.raises(bo.ScenarioError, match=r"years: found \[1, 4\]; give years from 1 to 3"):
        bo.faded_dispatch(plan, aged, years=[1, 4])
    with pytest.raises(bo.ScenarioError, match="plan: is a replay; give an optimal plan or a rule's"):
        bo.faded_dispatch(bo.replay(plan), aged, years=[1])
    faded = bo.faded_dispatch(plan, aged, years=[1])
    with pytest.raises(bo.ScenarioError, match="holds plans that follow another one; make it from this plan"):
        bo.financials(plan_of(LIFE, duration_h=1.0), ageing=faded)
    twice = plan_of(LIFE | {"fade_per_year": 0.01})
    with pytest.raises(bo.ScenarioError, match=r"fade_per_year: stands beside ageing"):
        bo.financials(twice, ageing=bo.ageing(twice))
    short = bo.ageing(plan, years=2)
    with pytest.raises(bo.ScenarioError, match="knows 2 years of operation, the lifetime has 3"):
        bo.financials(plan, ageing=short)


@pytest.mark.parametrize(("start", "days", "years"), [("2024-01-01", 366, 366.0), ("2024-01-01", 100, 365.0)])
def test_a_year_of_cycles(start: str, days: int, years: float) -> None:
    """A cycle a day: a leap year has 366 of them, any shorter horizon is repeated to 365 days."""
    scenario = case(price_per_mwh=DAY * days, start=start).scenario()
    plan = bo.simulate(scenario, rule=lambda state: (-1.0, -1.0, 1.0, 1.0, *[0.0] * 20)[state.step % 24])
    model = bo.AgeingModel(cycles_to_failure=((0.5, 7300.0), (1.0, 3650.0)))
    assert bo.ageing(plan, model, years=1).damage_per_year == pytest.approx(years / 3650)
