"""The rule of peak shaving, row by row: what is billed anyway is taken, and nothing above it, by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.cases import case

import bess_opt as bo


def rule(
    rows: list[dict[str, Any]], load: list[float], start: str, *, soc: float = 1.0, target: float = 1.0
) -> bo.Dispatch:
    """1 MW and 2 MWh without losses, at 50 per MWh: the rule recharges whenever the target leaves room."""
    rows = [row if "tiers" in row else {"price_per_mw_month": 1000.0} | row for row in rows]
    of = case(
        strategy={"name": "peak_shaving", "target_mw": target},
        battery={"soc_start": soc},
        tariff={"demand": rows},
        start=start,
        load_mw=load,
        price_per_mwh=50.0,
    )
    return bo.simulate(of.scenario())


SUMMER, NEW_YEAR = "2025-06-02 00:00", "2025-12-31 22:00"
BY_HAND: dict[str, tuple[list[dict[str, Any]], list[float], str, float, list[float], float]] = {
    "each row its own floor in its own hours": (
        [{"hours": [0, 2], "minimum_mw": 3.0}, {"hours": [2, 4], "minimum_mw": 2.0}],
        [3.0] * 4, SUMMER, 1.0, [3.0, 3.0, 2.0, 2.0], 5000.0,
    ),
    "of two rows at one time the lower": (
        [{"minimum_mw": 3.0}, {"minimum_mw": 2.0}], [2.5, 3.0], SUMMER, 1.0, [2.0, 2.0], 5000.0,
    ),
    "a month that is not listed costs nothing": (
        [{"months": [9]}], [2.0] * 4, "2025-09-30 22:00", 1.0, [1.0, 1.0, 3.0, 3.0], 1000.0,
    ),
    "a month that a ratchet looks back to is free up to what later ones pay anyway": (
        [{"months": [10], "ratchet": {"share": 0.5, "months": 11}, "history_mw": [5.0]}],
        [2.0, 2.0, 3.0, 3.0], "2025-09-30 22:00", 0.0, [3.0, 3.0, 2.5, 2.5], 2500.0,
    ),
    "a ratchet raises what the next month pays anyway": (
        [{"ratchet": {"share": 0.5, "months": 11}}],
        [5.0, 5.0, 2.0, 3.0], "2025-09-30 22:00", 0.0, [5.0, 5.0, 2.5, 2.5], 7500.0,
    ),
    "named months alone count": (
        [{"ratchet": {"share": 0.5, "named_months": [7]}, "history_mw": [3.0, 9.0]}],
        [3.0, 3.0], "2025-09-01 00:00", 1.0, [2.0, 2.0], 2000.0,
    ),
    "twelve months that roll, the thirteenth is gone": (
        [{"period": "rolling_12", "history_mw": [9.0] + [3.0] * 11}],
        [2.0, 2.0, 4.0], SUMMER, 0.0, [3.0, 3.0, 3.0], 3000.0,
    ),
    "a peak so far holds in its year alone": (
        [{"period": "year", "incurred_mw": 2.5}], [3.0] * 4, NEW_YEAR, 1.0, [2.5, 2.5, 2.0, 3.0], 66_000.0,
    ),
    "a peak so far holds in its month alone": (
        [{"incurred_mw": 2.5}], [3.0] * 4, NEW_YEAR, 1.0, [2.5, 2.5, 2.0, 3.0], 5500.0,
    ),
    "several peaks so far leave the least of them": (
        [{"peaks": {"n": 2, "distinct": "day"}, "incurred_mw": [3.0, 2.5]}],
        [3.0, 3.0], SUMMER, 1.0, [2.5, 2.5], 2750.0,
    ),
    "contracted power is paid for anyway": (
        [{"contracted_mw": 2.0, "overrun_price_per_mw_month": 9000.0}], [1.0, 3.0], SUMMER, 0.5, [2.0, 2.0], 2000.0,
    ),
    "a first tier without a price": (
        [{"tiers": [[2.0, 0.0], [float("inf"), 1000.0]]}], [3.0, 3.0], SUMMER, 1.0, [2.0, 2.0], 0.0,
    ),
    "only the hour of a coincident stamp": (
        [{"coincident": ["2025-06-02T02:00+00:00"]}], [2.0] * 4, SUMMER, 0.0, [3.0, 3.0, 1.0, 3.0], 1000.0,
    ),
    "a row without a price beside one that has": (
        [{"price_per_mw_month": 0.0, "hours": [0, 2]}, {"hours": [2, 4]}],
        [2.0] * 4, SUMMER, 0.0, [3.0, 3.0, 1.0, 1.0], 1000.0,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BY_HAND)
def test_the_rule_holds_each_row_by_hand(name: str) -> None:
    """Import of each step, and demand charges and overruns of the bill."""
    rows, load, start, soc, imported, money = BY_HAND[name]
    made = rule(rows, load, start, soc=soc)
    assert made.schedule["import_mw"].tolist() == pytest.approx(imported, abs=1e-9)
    assert made.metrics.demand_charges + made.metrics.overrun_charges == pytest.approx(money, rel=1e-9, abs=1e-9)


def test_a_floor_of_a_mean_is_free_for_each_day_of_it() -> None:
    """May's peak of 5 MW makes June pay 4: two days are held at 4, and neither takes the other's part.

    1 MW is charged at 0 and 1 o'clock, given at noon against 5 MW, and charged again at 13 o'clock.
    """
    day = [3.0] * 12 + [5.0] + [3.0] * 11
    row = {"peaks": {"n": 2, "distinct": "day"}, "ratchet": {"share": 0.8, "months": 11}}
    made = rule([row], [5.0, 5.0, *day, *day], "2025-05-31 22:00", soc=0.0)
    first, second = made.schedule["import_mw"].to_numpy()[2:].reshape(2, 24)
    assert first.tolist() == pytest.approx([4.0, 4.0, *[3.0] * 10, 4.0, 4.0, *[3.0] * 10])
    assert second.tolist() == pytest.approx([*[3.0] * 12, 4.0, 4.0, *[3.0] * 10])
    assert made.metrics.demand_charges == pytest.approx(5000.0 + 4000.0)


def test_of_several_days_the_least_of_the_highest_is_free() -> None:
    """Noon peaks of 4, 5 and 6 MW become 3, 4 and 5; on the third day 3 MW cost nothing more: 3.5 are held there.

    (5 + 4) / 2 MW are billed. A rule that holds 1 MW until it is broken would give 1 MW at 10 o'clock.
    """
    days = np.full((3, 24), 0.5)
    days[:, 12] = [4.0, 5.0, 6.0]
    days[2, 10] = 3.5
    made = rule([{"peaks": {"n": 2, "distinct": "day"}}], days.ravel().tolist(), "2025-06-02 00:00")
    imported = made.schedule["import_mw"].to_numpy().reshape(3, 24)
    assert imported[:, 12].tolist() == pytest.approx([3.0, 4.0, 5.0])
    assert imported[2, 10] == pytest.approx(3.0)
    assert made.metrics.demand_charges == pytest.approx(4500.0)


def test_the_highest_intervals_need_not_be_of_different_days() -> None:
    """Peaks of 4 and 4 in two hours of one day: the third hour may reach 4 too, which leaves the mean of two."""
    made = rule([{"peaks": {"n": 2}}], [4.0, 4.0, 4.5], SUMMER, soc=0.0)
    assert made.schedule["import_mw"].tolist() == pytest.approx([4.0, 4.0, 4.5])
    full = rule([{"peaks": {"n": 2}}], [5.0, 5.0, 4.0, 3.0], SUMMER, soc=1.0)
    assert full.schedule["import_mw"].tolist() == pytest.approx([4.0, 4.0, 4.0, 4.0])
