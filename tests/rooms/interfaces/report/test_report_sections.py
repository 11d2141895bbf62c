"""The parts of a report: figures that can be added up by hand, left out where a site has nothing to show."""

from __future__ import annotations

import re
from html import unescape

import numpy as np
import pandas as pd
import pytest

import bess_opt as bo
from bess_opt.common.wording import number
from bess_opt.comparison.compare import NONE, OPTIMAL
from bess_opt.interfaces.report.days import three_days
from bess_opt.interfaces.report.sections import Section, sections_of
from bess_opt.strategies.shared.activation import prepare

IDEAL = {"eta_charge": 1.0, "eta_discharge": 1.0, "soc_min": 0.0, "soc_max": 1.0, "c_rate_max": 4.0}
LOSSLESS = {"ac_to_dc": 1.0, "dc_to_ac": 1.0, "dc_to_dc": 1.0}
HELD = {
    "power_mw": 1.0, "duration_h": 2.0, "technology": IDEAL, "converters": LOSSLESS, "soc_start": 0.0,
    "soc_end": "at_least_start",
}  # fmt: skip


def sections(scenario: bo.Scenario) -> dict[str, Section]:
    made = bo.compare(scenario)
    plans = {rung: plan for (_, rung), plan in made.plans.items()}
    found = sections_of(plans, prepare(scenario).plant, made.lines)
    days = three_days(plans[OPTIMAL], plans.get(NONE))
    return {part.title: part for part in ([*found, days] if days is not None else found)}


def row(section: Section, name: str) -> dict[str, str]:
    (cells,) = [one for one in section.rows if one[0] == name]
    return dict(zip(section.heads, cells, strict=True))


def two_months(**more: object) -> bo.Scenario:
    """Twenty days about the end of June: 10 at night, 50 in four hours of the evening, 90 on the third of July."""
    index = pd.date_range("2025-06-21", periods=20 * 24, freq="h", tz="Europe/Berlin", name="time")
    price = np.where(index.hour >= 20, 50.0, 10.0)
    price[(index.hour >= 20) & (index.month == 7) & (index.day == 3)] = 90.0
    parts = {"battery": HELD, "series": pd.DataFrame({"price_per_mwh": price}, index=index), "strategy": "arbitrage"}
    return bo.Scenario(**(parts | more))


def test_months_peaks_and_money_by_hand() -> None:
    """2 MWh a day at a spread of 40: 800 in ten days of June, 80 more on a day of July; 1 MW at the meter, 0 without."""
    found = sections(two_months())
    june, july = (row(found["The year at a glance"], month) for month in ("2025-06", "2025-07"))
    assert (june["with the battery [EUR]"], june["energy money without [EUR]"]) == ("800", "0")
    assert july["with the battery [EUR]"] == "880"
    assert june["charged [MWh]"] == "20"
    peak = row(found["Peaks before and after"], "2025-06")
    assert (peak["import without [MW]"], peak["import with [MW]"], peak["export with [MW]"]) == ("0", "1", "1")
    money = row(found["Where the money comes from"], "energy")
    assert (money["no battery"], money["optimal plan"], money["worth of the battery"]) == ("0", "1,680", "1,680")
    assert row(found["Where the money comes from"], "sum")["worth of the battery"] == "1,680"


def test_hours_at_limits_and_cycles_by_hand() -> None:
    """Two hours up and two down each day at full power; a cycle a day; nothing at the meter limits."""
    found = sections(two_months(battery=HELD | {"max_cycles_per_day": 1.0}))
    limits = found["What limits it"]
    assert row(limits, "charging as fast as it can")["hours"] == "40"
    assert row(limits, "discharging as fast as it can")["share of the time"] == "8.3%"
    assert "import at its limit" not in [cells[0] for cells in limits.rows]
    wear = found["Wear and life"]
    assert row(wear, "full cycles of the horizon")["value"] == "20"
    assert row(wear, "full cycles a year at this pace")["value"] == "365"
    assert row(wear, "max_cycles_per_day")["value"] == "1 full cycles a day"


def test_three_days_are_the_best_the_worst_and_the_peak() -> None:
    """The day of the high price earns most; each day is another one, said in its caption and drawn."""
    days = sections(two_months())["Three days worth seeing"]
    captions = [text for text, _ in days.pictures]
    assert "2025-07-03: the battery earns most with energy." in captions
    assert len({text[:10] for text in captions}) == 3
    assert any("earns least" in text for text in captions)
    assert any("the highest peak of import" in text for text in captions)
    short = two_months(series=two_months().series.iloc[: 5 * 24])
    assert "Three days worth seeing" not in sections(short)


def test_clauses_by_hand() -> None:
    """Export of 0.5 MW at most from 20 to 22 h costs nothing else: two hours a day at the cap, none beyond."""
    clauses = [{"name": "evening", "export_mw": 0.5, "hours": [20, 22]}]
    cells = row(sections(two_months(connection=clauses))["Connection clauses"], "evening")
    assert (cells["most"], cells["active [h]"], cells["above it [MWh]"]) == ("export 0.5 MW", "40", "0")
    assert float(cells["at a cap [h]"]) <= 40.0
    soft = [clauses[0] | {"overrun_price_per_mwh": 5.0, "hours": [20, 24]}]
    cells = row(sections(two_months(connection=soft))["Connection clauses"], "evening")
    assert cells["above it [MWh]"] == "0"
    tight = [soft[0] | {"hours": [20, 24], "export_mw": 0.25}]
    cells = row(sections(two_months(connection=tight))["Connection clauses"], "evening")
    assert cells["above it [MWh]"] == "20"
    assert cells["for overruns [EUR]"] == "100"


def test_an_outage_by_hand() -> None:
    """Two hours without the grid at 0.5 MW of load, half of it critical: what is served comes from the battery."""
    index = pd.date_range("2025-06-02", periods=6, freq="h", tz="UTC", name="time")
    scenario = bo.Scenario(
        battery=HELD | {"soc_start": 0.5, "soc_end": "free"},
        series=pd.DataFrame({"price_per_mwh": 10.0, "load_mw": 0.5}, index=index),
        outage=[{"start": "2025-06-02T02:00+00:00", "hours": 2.0, "critical_share": 0.5}],
        strategy="self_consumption",
    )
    part = sections(scenario)["Outages"]
    cells = row(part, "2025-06-02 02:00")
    ((caption, figure),) = part.pictures
    assert caption.startswith("Hours survived by an outage from each start, 50.0% of the load")
    assert figure.axes[0].get_title(loc="left") == "Starts that survive at least so many hours"
    assert (cells["for [h]"], cells["load [MWh]"], cells["critical"]) == ("2", "1", "50.0%")
    served, shed = float(cells["served [MWh]"]), float(cells["shed free of charge [MWh]"])
    assert served + shed == pytest.approx(1.0)
    assert served >= 0.5


def test_each_battery_has_its_row_and_its_limits() -> None:
    twice = [HELD | {"name": "north"}, HELD | {"name": "south", "duration_h": 1.0}]
    found = sections(two_months(battery=twice))
    batteries = found["The batteries"]
    assert row(batteries, "north")["discharged [MWh]"] == "40"
    assert row(batteries, "south")["full cycles"] == "20"
    assert len(batteries.pictures) == 1
    assert row(found["What limits it"], "south: charging as fast as it can")["hours"] == "20"


def test_products_are_named_with_what_they_are_paid() -> None:
    """1 MW held down and up for 20 and 10 a MW and hour, as far as the stored energy allows."""
    index = pd.date_range("2025-06-01", periods=8, freq="h", tz="UTC", name="time")
    series = pd.DataFrame(
        {"price_per_mwh": 50.0, "regulation_up_price_per_mw": 20.0, "regulation_down_price_per_mw": 10.0}, index=index
    )
    strategy = {"name": "frequency_regulation", "headroom_h": 0.5}
    scenario = bo.Scenario(battery=HELD | {"soc_start": 0.5}, series=series, strategy=strategy)
    found = sections(scenario)["Products"]
    plan = bo.optimize(scenario)
    up = float(plan.schedule["regulation_up_mw"].sum() * 20.0)
    assert row(found, "regulation up")["paid for capacity [EUR]"] == f"{up:.4g}"


def test_products_say_what_calls_leave() -> None:
    """1 MW called upward for half of each hour, energy that is bought: without calls there would be more in store."""
    index = pd.date_range("2025-06-01", periods=8, freq="h", tz="UTC", name="time")
    columns = {"up_price_per_mw": 20.0, "up_activation": 0.5, "up_activation_price_per_mwh": 90.0}
    series = pd.DataFrame({"price_per_mwh": 50.0, **columns}, index=index)
    rows = [{"name": "up", "direction": "up", "headroom_h": 0.5, "max_mw": 0.5}]
    battery = HELD | {"soc_start": 0.5}
    scenario = bo.Scenario(battery=battery, series=series, product=rows, strategy="arbitrage")
    parts = sections(scenario)
    found, plan = parts["Products"], bo.optimize(scenario)
    assert [text.partition(":")[0] for text, _ in found.pictures] == ["The local day whose capacity pays most"]
    for line, column in (("up capacity", "capacity_revenue"), ("up activation", "activation_revenue")):
        assert row(parts["Where the money comes from"], line)["optimal plan"] == number(
            plan.products.loc["up", column]
        )
    told = row(found, "up")
    assert told["paid for calls [EUR]"] == f"{plan.products.loc['up', 'activation_revenue']:.4g}"
    assert told["left when called [MWh]"] == number(float(plan.delivery["margin_mwh"].min()))
    assert told["if no call comes [MWh]"] == number(float(plan.delivery["quiet_market_mwh"].min()))
    assert told["if each block is called [MWh]"] == number(float(plan.delivery["every_block_mwh"].min()))


def test_a_plain_site_has_no_part_that_it_lacks() -> None:
    found = sections(two_months())
    assert not {"Connection clauses", "Products", "The batteries", "Outages"} & set(found)


def test_with_a_sizing_nothing_is_solved_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page is about the best size, from its own plan, and the map from the planes of the search."""
    finance = {
        "capital_per_mwh": 2e4, "capital_per_mw": 1e4, "lifetime_years": 10, "discount_rate": 0.05,
        "horizons_per_year": 18.0,
    }  # fmt: skip
    scenario = two_months(finance=finance)
    best = bo.size(scenario, (0.5, 2.0), (1.0, 4.0))

    def solved(*_args: object, **_more: object) -> None:
        raise AssertionError("a program was solved")

    monkeypatch.setattr("highspy.Highs.run", solved)
    monkeypatch.setattr("bess_opt.investment.sizing.sized_program.SizedProgram.__init__", solved)
    monkeypatch.setattr("bess_opt.investment.sizing.result.surface_of", solved)
    monkeypatch.setattr("bess_opt.investment.sizing.result.operated", solved)
    monkeypatch.setattr("bess_opt.interfaces.report.report.forecast_driven", solved)
    monkeypatch.setattr("bess_opt.dispatch.optimum.solve_scenario.solve_plant", solved)
    with pytest.raises(AssertionError, match="a program was solved"):
        bo.optimize(scenario)
    page = unescape(bo.report(scenario, sizing=best))
    assert f"Build {best.power_mw:.4g} MW" in page
    assert re.search(r"The value over power and duration", page)
    assert "what it is worth on forecasts is not run: state a forecast" in page
    gained = bo.report(best.scenario, sizing=best)
    assert "Operated at its best" not in gained
