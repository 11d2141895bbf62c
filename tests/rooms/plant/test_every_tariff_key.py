"""Every key that a tariff is read with changes the bill, and no mutated tariff is read in part or breaks anything."""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.random_tariffs import OFF, random_billed

import bess_opt as bo
from bess_opt.common.input_table import keys_of
from bess_opt.inputs.tariff import DemandRate, EnergyRate, HighestPeaks, Ratchet, Tariff

INF = float("inf")
RISING = [[10.0, 50.0], [INF, 90.0]]
BATTERY = {"power_mw": 1.0, "duration_h": 2.0}


def total(tariff: dict[str, Any], holidays: list[str] | None = None) -> float:
    """The bill of a fixed month and a half, 20 January to 5 March, with import and export."""
    index = pd.date_range("2025-01-20", "2025-03-06", freq="30min", tz="UTC", inclusive="left", name="time")
    net = np.random.default_rng(7).normal(0.5, 1.0, len(index))
    series = pd.DataFrame({"load_mw": np.maximum(net, 0.0), "solar_mw": np.maximum(-net, 0.0)}, index=index)
    site = {"holidays": ["2025-01-29"] if holidays is None else holidays}
    return bo.bill(bo.Scenario(battery=BATTERY, series=series, site=site, tariff=tariff)).total


def energy(row: dict[str, Any], *others: dict[str, Any], **tariff: Any) -> dict[str, Any]:
    return {"export": "none", "energy": [row, *others]} | tariff


def demand(**row: Any) -> dict[str, Any]:
    return {"export": "none", "energy": [{"price_per_mwh": 1.0}], "demand": [{"price_per_mw_month": 1000.0} | row]}


FLAT, DEAR = {"price_per_mwh": 60.0}, {"price_per_mwh": 90.0}
LONG = {"share": 1.0, "months": 11}
ENERGY = {
    "price_per_mwh": (energy(FLAT), energy(DEAR)),
    "direction": (
        {"energy": [FLAT], "export": "none"},
        {"energy": [FLAT, DEAR | {"direction": "export"}]},
    ),
    "tiers": (energy({"tiers": RISING}), energy({"tiers": [[20.0, 50.0], [INF, 90.0]]})),
    "tier_period": (energy({"tiers": RISING}), energy({"tiers": RISING, "tier_period": "day"})),
    "used_mwh": (energy({"tiers": RISING}), energy({"tiers": RISING, "used_mwh": 5.0})),
    "months": (
        energy(FLAT | {"months": [1, 2]}, DEAR | {"months": [3]}),
        energy(FLAT | {"months": [1]}, DEAR | {"months": [2, 3]}),
    ),
    "from": (
        energy(FLAT | {"from": "01-01", "to": "02-10"}, DEAR | {"from": "02-11", "to": "12-31"}),
        energy(FLAT | {"from": "02-03", "to": "02-10"}, DEAR | {"from": "02-11", "to": "02-02"}),
    ),
    "to": (
        energy(FLAT | {"from": "01-01", "to": "02-10"}, DEAR | {"from": "02-11", "to": "12-31"}),
        energy(FLAT | {"from": "01-01", "to": "02-28"}, DEAR | {"from": "03-01", "to": "12-31"}),
    ),
    "days": (
        energy(FLAT | {"days": "weekday"}, DEAR | {"days": "weekend"}),
        energy(FLAT | {"days": ["weekday"]}, DEAR | {"days": ["saturday", "sunday", "holiday"]}),
    ),
    "hours": (
        energy(FLAT | {"hours": [6, 18]}, DEAR | {"hours": [18, 6]}),
        energy(FLAT | {"hours": ["06:30", 18]}, DEAR | {"hours": [[18, 24], [0, 6.5]]}),
    ),
}  # fmt: skip
DEMAND = {
    "price_per_mw_month": (demand(), demand(price_per_mw_month=2000.0)),
    "tiers": (
        demand(),
        {"export": "none", "energy": [{"price_per_mwh": 1.0}], "demand": [{"tiers": [[1.0, 1000.0], [INF, 500.0]]}]},
    ),
    "interval_min": (demand(), demand(interval_min=120)),
    "period": (demand(), demand(period="rolling_12")),
    "part_months": (demand(), demand(part_months="share")),
    "incurred_mw": (demand(), demand(incurred_mw=9.0)),
    "history_mw": (demand(ratchet=LONG), demand(ratchet=LONG, history_mw=[8.0])),
    "minimum_mw": (demand(), demand(minimum_mw=9.0)),
    "ratchet": (demand(incurred_mw=9.0), demand(incurred_mw=9.0, ratchet={"share": 0.9})),
    "peaks": (demand(), demand(peaks={"n": 3, "distinct": "day"})),
    "coincident": (demand(), demand(coincident=["2025-02-01T12:00Z"])),
    "contracted_mw": (
        demand(contracted_mw=1.0, overrun_price_per_mw_month=5000.0),
        demand(contracted_mw=2.0, overrun_price_per_mw_month=5000.0),
    ),
    "overrun_price_per_mw_month": (
        demand(contracted_mw=1.0, overrun_price_per_mw_month=5000.0),
        demand(contracted_mw=1.0, overrun_price_per_mw_month=6000.0),
    ),
    "months": (demand(), demand(months=[2, 3])),
    "from": (demand(**{"from": "01-01", "to": "12-31"}), demand(**{"from": "02-01", "to": "12-31"})),
    "to": (demand(**{"from": "01-01", "to": "12-31"}), demand(**{"from": "01-01", "to": "02-28"})),
    "days": (demand(), demand(days=["holiday"])),
    "hours": (demand(), demand(hours=[3, 4])),
}
RATCHET = {
    "share": (demand(incurred_mw=9.0, ratchet={"share": 0.9}), demand(incurred_mw=9.0, ratchet={"share": 0.8})),
    "months": (
        demand(incurred_mw=9.0, ratchet={"share": 0.9, "months": 1}),
        demand(incurred_mw=9.0, ratchet={"share": 0.9, "months": 2}),
    ),
    "named_months": (
        demand(incurred_mw=9.0, ratchet={"share": 0.9}),
        demand(incurred_mw=9.0, ratchet={"share": 0.9, "named_months": [2]}),
    ),
    "history_mw": (demand(ratchet=LONG), demand(ratchet=LONG | {"history_mw": [8.0]})),
}
PEAKS = {
    "n": (demand(peaks={"n": 2}), demand(peaks={"n": 9})),
    "distinct": (demand(peaks={"n": 9}), demand(peaks={"n": 9, "distinct": "day"})),
}
TARIFF = {
    "energy": (energy(FLAT), energy(DEAR)),
    "demand": (energy(FLAT), energy(FLAT, demand=[{"price_per_mw_month": 9.0}])),
    "export": (energy(FLAT), energy(FLAT, export=40.0)),
    "net_metering": (energy(FLAT, export=40.0), energy(FLAT, export=40.0, net_metering="month")),
    "fixed_per_month": (energy(FLAT), energy(FLAT, fixed_per_month=3.0)),
    "minimum_per_month": (energy(FLAT), energy(FLAT, minimum_per_month=1e6)),
    "credit_months": (energy(FLAT, export=300.0), energy(FLAT, export=300.0, credit_months=1)),
    "billed_so_far": (
        energy(FLAT, minimum_per_month=1e6),
        energy(FLAT, minimum_per_month=1e6, billed_so_far=70.0),
    ),
    "credit_so_far": (energy(FLAT, credit_months=2), energy(FLAT, credit_months=2, credit_so_far=[50.0])),
}
KINDS = {EnergyRate: ENERGY, DemandRate: DEMAND, Ratchet: RATCHET, HighestPeaks: PEAKS, Tariff: TARIFF}


@pytest.mark.parametrize("kind", list(KINDS), ids=lambda kind: kind.where)
def test_every_key_that_is_read_is_listed(kind: Any) -> None:
    assert sorted(KINDS[kind]) == sorted(keys_of(kind))


@pytest.mark.parametrize(
    ("before", "after"),
    [pytest.param(*pair, id=f"{kind.where}.{key}") for kind, pairs in KINDS.items() for key, pair in pairs.items()],
)
def test_every_key_changes_the_bill(before: dict[str, Any], after: dict[str, Any]) -> None:
    one, other = total(before), total(after)
    assert abs(one - other) > 1e-6 * max(abs(one), 1.0)


def test_holidays_change_the_bill() -> None:
    rows = energy(FLAT | {"days": ["weekday"]}, DEAR | {"days": ["saturday", "sunday", "holiday"]})
    assert total(rows, ["2025-01-29"]) > total(rows, []) + 1.0


WRONG = [
    None, True, "", "x", "all", -1, 0, 1.5, 13, 25, 1e300, math.nan, INF, -INF, [], {}, [1], [1, 1], [3, 2], [[0, 6], [3, 9]],
    "06:30", "24:00", ["25:00", 3], "2025-01-01", "02-30", [["x", 1]], [[1.0, 2.0]], [[5.0, 1.0], [2.0, 3.0], [INF, 1.0]],
    {"share": 2.0}, {"n": 0}, {"share": 0.5, "n": 3}, "month", "day", ["holiday", "feast"], ["weekday", "weekday"], [0.5] * 400,
]  # fmt: skip


VALUES = {  # right in itself, wherever it may lead
    "months": [1, 4, 7, 10], "days": "weekday", "hours": [8, 20], "period": "year", "export": 20.0, "ratchet": {"share": 0.4},
    "peaks": {"n": 2}, "tiers": [[1.0, 30.0], [INF, 20.0]], "interval_min": 60, "credit_months": 1, "tier_period": "day",
}  # fmt: skip


def places(table: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths to all keys of nested tables and lists of tables."""
    found = []
    for key, value in table.items() if isinstance(table, dict) else enumerate(table):
        if not isinstance(table, list):
            found.append((*at, key))
        if isinstance(value, dict) or (isinstance(value, list) and value and isinstance(value[0], dict)):
            found += places(value, (*at, key))
    return found


def mutated(tariff: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """A copy with one or two keys removed, renamed, moved or set to something else."""
    made = copy.deepcopy(tariff)
    for _ in range(int(rng.integers(1, 3))):
        paths = places(made)
        if not paths:
            break
        path = paths[rng.integers(len(paths))]
        inner = made
        for part in path[:-1]:
            inner = inner[part]
        kind, key = int(rng.integers(5)), path[-1]
        if kind == 0:
            del inner[key]
        elif kind == 1:
            inner[f"{key[:-1]}" if rng.random() < 0.5 else f"{key}_x"] = inner.pop(key)
        elif kind == 2:
            other = paths[rng.integers(len(paths))][-1]
            inner[other] = copy.deepcopy(inner[key])
        elif kind == 3 and isinstance(inner[key], float):
            inner[key] *= float(rng.choice([-1.0, 0.0, 0.5, 2.0]))
        elif kind == 3:
            inner[key] = copy.deepcopy(VALUES.get(key, inner[key]))
        else:
            inner[key] = copy.deepcopy(WRONG[rng.integers(len(WRONG))])
    return made


def stated_keys(table: Any) -> Any:
    """The keys that a plain table states, tables within included; a key without a value states nothing."""
    return {key: value for key, value in table.items() if value is not None}


def read(series: pd.DataFrame, tariff: dict[str, Any]) -> tuple[bo.Scenario | None, list[Any]]:
    """The scenario, or its problems."""
    try:
        site = {"holidays": list(OFF)}
        return bo.Scenario(battery=BATTERY, series=series, site=site, tariff=tariff), []
    except bo.ScenarioError as error:
        return None, list(error.problems)


def hold(seed: int) -> bool:
    """Whether the mutated tariff is taken. Refusals name their place; what is taken keeps every key and has a bill."""
    rng = np.random.default_rng([11, seed])
    of = random_billed(seed % 400, days=2, step_min=60)
    tariff = mutated(of.tariff, rng)
    series = of.series.assign(solar_mw=of.export_mw)
    scenario, problems = read(series, tariff)
    if scenario is None:
        assert all(problem.where and problem.found and problem.expected for problem in problems), seed
        assert any("tariff" in problem.where or "price" in problem.where for problem in problems), seed
        return False
    taken = scenario.tariff
    assert taken is not None
    assert set(stated_keys(tariff)) <= set(taken.stated()), seed
    for name in ("energy", "demand"):
        for given, row in zip(tariff.get(name) or [], getattr(taken, name), strict=True):
            assert set(stated_keys(given)) <= set(row.stated()), seed
    made = bo.bill(scenario)
    assert math.isfinite(made.total), seed
    return True


def test_mutated_tariffs() -> None:
    taken = [hold(seed) for seed in range(60)]
    assert 5 < sum(taken) < 55


@pytest.mark.second_tier
@pytest.mark.parametrize("block", range(10))
def test_two_thousand_mutated_tariffs(block: int) -> None:
    for seed in range(60 + 200 * block, 260 + 200 * block):
        hold(seed)
