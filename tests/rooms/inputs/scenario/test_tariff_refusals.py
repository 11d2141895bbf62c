"""Every refusal of the tariff's tables: where, what was found, and what would be right."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import bess_opt as bo

INF = float("inf")
REFUSED: list[tuple[dict[str, Any], str]] = [
    (
        {"energy": [{"price_per_mwh": 100.0, "tiers": [[INF, 1.0]]}]},
        "tariff.energy[0].price_per_mwh: stands beside tiers; give a number or tiers, not both",
    ),
    ({"energy": [{}]}, "tariff.energy[0].price_per_mwh: is missing; give a number or tiers, not both"),
    (
        {"energy": [{"price_per_mwh": 100.0, "tier_period": "day"}]},
        "tariff.energy[0].tier_period: stands without tiers; give tiers too",
    ),
    (
        {"energy": [{"tiers": [[5, 1.0], [3, 2.0]]}]},
        "tariff.energy[0].tiers: found [[5, 1.0], [3, 2.0]]; give a list of [up to, price], thresholds a"
        "bove 0 and strictly rising, the last inf",
    ),
    (
        {"energy": [{"tiers": [[5, 1.0]]}]},
        "tariff.energy[0].tiers: found [[5, 1.0]]; give a list of [up to, price], thresholds above 0 and"
        " strictly rising, the last inf",
    ),
    (
        {"energy": [{"price_per_mwh": 100.0, "direction": "in"}]},
        "tariff.energy[0].direction: found 'in'; one of 'export', 'import'",
    ),
    (
        {"energy": [{"price_per_mwh": 100.0, "days": "weekdays"}]},
        "tariff.energy[0].days: found 'weekdays'; did you mean 'weekday'? ('all', 'weekday', 'weekend', "
        "or a list of 'weekday', 'saturday', 'sunday', 'holiday')",
    ),
    (
        {"energy": [{"price_per_mwh": 100.0, "hours": [12, 25]}]},
        'tariff.energy[0].hours: found [12, 25]; give [from, to] in local hours, numbers or "HH:MM", 0 <'
        "= from < 24, 0 <= to <= 24, not equal, or a list of such pairs that do not overlap; [0, 24] is "
        "all day, [22, 6] wraps over midnight",
    ),
    (
        {"energy": [{"price_per_mwh": 100.0, "months": [13]}]},
        "tariff.energy[0].months: found [13]; give a list of different months, 1 to 12",
    ),
    (
        {"energy": [{"price_per_mwh": 100.0, "from": "11-01"}]},
        'tariff.energy[0].to: is missing beside from; give a date of the year "MM-DD"',
    ),
    (
        {"energy": [{"price_per_mwh": 100.0, "from": "11-01", "to": "12-01", "months": [1]}]},
        "tariff.energy[0].months: stands beside from and to; give one of the two",
    ),
    (
        {"energy": [{"price_per_mwh": 100.0, "price_per_kwh": 0.1}]},
        "tariff.energy[0].price_per_kwh: unknown key 'price_per_kwh'; did you mean 'price_per_mwh'?",
    ),
    (
        {"demand": [{"price_per_mw_month": 1000.0, "price_per_kw_month": 1.0}]},
        "tariff.demand[0].price_per_kw_month: unknown key 'price_per_kw_month'; did you mean 'price_per_mw_month'?",
    ),
    (
        {"minimum_month": 5.0},
        "tariff.minimum_month: unknown key 'minimum_month'; one of 'billed_so_far', 'credit_months', 'cr"
        "edit_so_far', 'demand', 'energy', 'export', 'fixed_per_month', 'minimum_per_month', 'net_meteri"
        "ng'",
    ),
    (
        {"energy": [{"price_per_mwh": 100.0, "used_mwh": 5.0}]},
        "tariff.energy[0].used_mwh: has no effect; it needs tiers or net metering",
    ),
    ({"export": "nothing"}, "tariff.export: found 'nothing'; one of 'none', 'same'"),
    ({"net_metering": "year"}, "tariff.net_metering: found 'year'; one of 'month'"),
    ({"net_metering": "month"}, "tariff.net_metering: has no energy row; add [[tariff.energy]]"),
    (
        {"energy": [{"price_per_mwh": 100.0, "days": ["holiday"]}]},
        'tariff.energy[0].days: names "holiday", but none are stated; state site.holidays: a region such'
        ' as "DE-BY", or a list of dates',
    ),
    (
        {"energy": [{"price_per_mwh": 100.0, "hours": [0, 12]}]},
        "tariff.energy: no row applies to 24 of 48 steps, first at 2025-06-02 12:00+02:00; add a row that covers it",
    ),
    (
        {"energy": [{"price_per_mwh": 100.0}, {"price_per_mwh": 100.0}]},
        "tariff.energy: several rows apply to 48 of 48 steps, first at 2025-06-02 00:00+02:00; make the "
        "rows exclude each other",
    ),
    (
        {"demand": [{"price_per_mw_month": -1.0}]},
        "tariff.demand[0].price_per_mw_month: found -1.0; give a number >= 0 currency/MW/month (price of"
        " the period's peak; or tiers)",
    ),
    (
        {"demand": [{"price_per_mw_month": 1000.0, "interval_min": 7}]},
        "tariff.demand[0].interval_min: found 7, but steps are 60 min; give a whole number of steps, or "
        "a series with shorter steps",
    ),
    (
        {"demand": [{"price_per_mw_month": 1000.0, "interval_min": 420}]},
        "tariff.demand[0].interval_min: found 420, which does not divide 24 h; give 15, 30, 60, 120 ... min",
    ),
    (
        {"demand": [{"price_per_mw_month": 1000.0, "period": "year", "ratchet": {"share": 0.5}}]},
        'tariff.demand[0].ratchet: stands beside period = "year"; it needs period = "month"',
    ),
    (
        {"demand": [{"price_per_mw_month": 1000.0, "ratchet": {"share": 80}}]},
        "tariff.demand[0].ratchet.share: found 80; give a number >= 0 and <= 1 (share of the highest ear"
        "lier peak billed at least)",
    ),
    (
        {"demand": [{"price_per_mw_month": 1000.0, "ratchet": {"share": 0.5, "named_months": [0]}}]},
        "tariff.demand[0].ratchet.named_months: found [0]; give a list of different months, 1 to 12",
    ),
    (
        {"demand": [{"price_per_mw_month": 1000.0, "peaks": {"n": 0}}]},
        "tariff.demand[0].peaks.n: found 0; give a whole number >= 1 (how many of the highest peaks the "
        "mean is taken of)",
    ),
    (
        {"demand": [{"price_per_mw_month": 1000.0, "peaks": {"n": 2, "distinct": "month"}}]},
        "tariff.demand[0].peaks.distinct: found 'month'; one of 'day'",
    ),
    (
        {"demand": [{"price_per_mw_month": 1000.0, "coincident": ["2025-06-02 12:00"]}]},
        "tariff.demand[0].coincident: found ['2025-06-02 12:00']; give a list of times with their offset"
        ' from UTC: ["2025-07-15T17:00+02:00"]',
    ),
    (
        {"demand": [{"price_per_mw_month": 1000.0, "coincident": ["2025-06-02T12:00+02:00"], "minimum_mw": 1.0}]},
        "tariff.demand[0].coincident: stands beside minimum_mw, but the times alone say what is measured"
        " and billed; leave them out; a coincident row takes a price or tiers, interval_min and times",
    ),
    (
        {"demand": [{"price_per_mw_month": 1000.0, "contracted_mw": 1.0}]},
        "tariff.demand[0].overrun_price_per_mw_month: is missing beside contracted_mw; give both",
    ),
    (
        {"demand": [{"price_per_mw_month": 1000.0, "overrun_price_per_mw_month": 1.0}]},
        "tariff.demand[0].contracted_mw: is missing beside overrun_price_per_mw_month; give both",
    ),
    (
        {
            "demand": [
                {
                    "price_per_mw_month": 1000.0,
                    "contracted_mw": 1.0,
                    "overrun_price_per_mw_month": 2.0,
                    "ratchet": {"share": 0.5},
                }
            ]
        },
        "tariff.demand[0].contracted_mw: stands beside ratchet; state them in rows of their own",
    ),
    (
        {"demand": [{"price_per_mw_month": 1000.0, "history_mw": [1.0]}]},
        'tariff.demand[0].history_mw: has no effect in this row; it needs a ratchet or period = "rolling_12"',
    ),
    (
        {"demand": [{"price_per_mw_month": 1000.0, "incurred_mw": [1.0, 2.0]}]},
        "tariff.demand[0].incurred_mw: is a list, but without peaks there is one peak; give one number",
    ),
    (
        {"demand": [{"price_per_mw_month": 1000.0, "direction": "export"}]},
        "tariff.demand[0].direction: unknown key 'direction'; one of 'coincident', 'contracted_mw', 'day"
        "s', 'from', 'history_mw', 'hours', 'incurred_mw', 'interval_min', 'minimum_mw', 'months', 'over"
        "run_price_per_mw_month', 'part_months', 'peaks', 'period', 'price_per_mw_month', 'ratchet', 'ti"
        "ers', 'to'",
    ),
    (
        {"credit_months": 0},
        "tariff.credit_months: found 0; give a whole number >= 1 month (months for which a month's negat"
        "ive sum is kept against later ones)",
    ),
    ({"billed_so_far": 5.0}, "tariff.billed_so_far: has no effect; it needs minimum_per_month or credit_months"),
    ({"credit_so_far": [1.0]}, "tariff.credit_so_far: has no effect; it needs credit_months"),
    (
        {"demand": [{"price_per_mw_month": 1000.0, "from": "06-10", "to": "07-31"}]},
        "tariff.demand[0].from: 06-10 to 07-31 cuts month 6, which has one peak; give whole months, from"
        " 01 to the last day",
    ),
    (
        {"export": 5.0, "energy": [{"price_per_mwh": 100.0}, {"price_per_mwh": 100.0, "direction": "export"}]},
        'tariff.export: 5 stands beside energy rows with direction = "export"; give a number or rows, not both',
    ),
    (
        {"energy": [{"price_per_mwh": 100.0, "hours": [[0, 12], [10, 24]]}]},
        'tariff.energy[0].hours: found [[0, 12], [10, 24]]; give [from, to] in local hours, numbers or "'
        'HH:MM", 0 <= from < 24, 0 <= to <= 24, not equal, or a list of such pairs that do not overlap; '
        "[0, 24] is all day, [22, 6] wraps over midnight",
    ),
    (
        {"energy": [{"price_per_mwh": 100.0, "hours": [5, 5]}]},
        'tariff.energy[0].hours: found [5, 5]; give [from, to] in local hours, numbers or "HH:MM", 0 <= '
        "from < 24, 0 <= to <= 24, not equal, or a list of such pairs that do not overlap; [0, 24] is al"
        "l day, [22, 6] wraps over midnight",
    ),
    (
        {"energy": [{"price_per_mwh": 100.0, "hours": ["06:30", 24]}]},
        "tariff.energy[0].hours: the window 06:30 to 24:00 has an edge inside a step of 60 min; give a s"
        "eries with steps of 30 min, or move the edge",
    ),
    (
        {"demand": [{"price_per_mw_month": 1000.0, "part_months": "half"}]},
        "tariff.demand[0].part_months: found 'half'; one of 'full', 'share'",
    ),
    (
        {"demand": [{"price_per_mw_month": 1000.0, "period": "quarter"}]},
        "tariff.demand[0].period: found 'quarter'; one of 'horizon', 'month', 'rolling_12', 'year'",
    ),
    (
        {"fixed_per_month": -1.0},
        "tariff.fixed_per_month: found -1.0; give a number >= 0 currency/month (charge of each local mon"
        "th, whole also where the horizon cuts it)",
    ),
    (
        {"minimum_per_month": "500"},
        "tariff.minimum_per_month: found '500'; give a number >= 0 currency/month (least bill of each local month)",
    ),
    ({"demand": [{"tiers": [[INF, -1.0]]}]}, "tariff.demand[0].tiers: found ((inf, -1.0),); give prices >= 0"),
    (
        {"net_metering": "month", "energy": [{"tiers": [[5.0, 1.0], [INF, 2.0]]}]},
        'tariff.export: is "same" beside tiers, so that the price of a surplus is not clear; give a pric'
        'e of the surplus, or "none"',
    ),
]


@pytest.mark.parametrize(("tariff", "sentence"), REFUSED)
def test_a_wrong_tariff_is_refused_with_its_remedy(tariff: dict[str, Any], sentence: str) -> None:
    """Before any solve, two days of hours in Berlin without holidays."""
    index = pd.date_range("2025-06-02", periods=48, freq="h", tz="Europe/Berlin")
    series = pd.DataFrame({"load_mw": 1.0}, index=index)
    with pytest.raises(bo.ScenarioError) as refused:
        bo.Scenario(battery={"power_mw": 1, "duration_h": 2}, series=series, tariff=tariff)
    assert sentence in str(refused.value).splitlines()
