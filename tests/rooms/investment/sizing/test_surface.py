"""The surface over the sizes: the same values whoever computes them, and those of plans made one by one."""

from __future__ import annotations

import re
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import numpy as np
import pandas as pd
import pytest

import bess_opt as bo
from bess_opt.common.errors import ScenarioError
from bess_opt.investment.sizing import recursed
from bess_opt.investment.sizing.sized_program import SizedProgram, resized

FINANCE = {
    "capital_per_mw": 60_000.0,
    "capital_per_mwh": 40_000.0,
    "lifetime_years": 15,
    "discount_rate": 0.06,
    "horizons_per_year": 52.0,
}


def week(low: float = 20.0, **more: object) -> bo.Scenario:
    """A solar plant behind a connection of 3 MW, prices of a week by the hour, least price `low`."""
    time = pd.date_range("2025-06-02", periods=168, freq="h", tz="Europe/Berlin")
    hour = np.arange(168)
    price = low + 60.0 * (1.0 - np.cos(2 * np.pi * (hour - 5) / 12)) + 7.0 * np.sin(hour * 1.7)
    solar = np.maximum(5.0 * np.sin((hour % 24 - 6) / 12 * np.pi), 0.0)
    series = pd.DataFrame({"price_per_mwh": price, "solar_mw": solar}, index=time)
    site = bo.Site(currency="EUR", export_limit_mw=3.0, import_limit_mw=3.0)
    battery = bo.Battery(power_mw=1.0, duration_h=2.0)
    return bo.Scenario(battery=battery, site=site, series=series, strategy="arbitrage", finance=FINANCE, **more)


@pytest.fixture(scope="module")
def sized() -> bo.Sizing:
    return bo.size(week(), (0.5, 6.0), (1.0, 5.0))


def test_rows_and_columns(sized: bo.Sizing) -> None:
    """Every duration with every power, energy their product, and every value is that of an exact plan."""
    table = sized.surface(4, 3)
    assert list(table.columns) == ["power_mw", "duration_h", "energy_mwh", "value", "exact"]
    assert sorted(set(table["power_mw"])) == pytest.approx(np.linspace(0.5, 6.0, 4))
    assert sorted(set(table["duration_h"])) == pytest.approx([1.0, 3.0, 5.0])
    assert len(table) == 12
    assert table["exact"].all()
    assert table["energy_mwh"].to_numpy() == pytest.approx(table["power_mw"] * table["duration_h"])


def test_values_are_those_of_plans(sized: bo.Sizing) -> None:
    """Prices above nought: the relaxation is exact, so each value is that of a plan made for its size alone."""
    for row in sized.surface(3, 3).to_dict("records"):
        plan = bo.optimize(resized(sized.scenario, row["power_mw"], row["energy_mwh"]))
        assert row["value"] == pytest.approx(sized.goal.value(plan), rel=1e-9)


@pytest.mark.parametrize(("limited", "read"), [(False, 3), (True, 6)])
def test_sizes_on_a_line_are_read_only_where_a_limit_bends(
    monkeypatch: pytest.MonkeyPatch, limited: bool, read: int
) -> None:
    """Ends and one size between show whether all limits are straight; a limit of 2 MW in some hours bends at 2 MW."""
    scenario = week(-20.0)
    if limited:
        given = np.where(np.arange(168) % 24 < 12, 2.0, 10.0)
        scenario = scenario.replace(series=scenario.series.assign(charge_limit_mw=given))
    sizes = [(power, 3.0 * power) for power in np.linspace(0.5, 6.0, 6).tolist()]
    alone = [recursed.values_of(scenario, [size])[0] for size in sizes]
    asked: list[tuple[float, float]] = []
    at = recursed.SizedModels.at
    monkeypatch.setattr(recursed.SizedModels, "at", lambda own, *size: (asked.append(size), at(own, *size))[1])
    assert recursed.values_of(scenario, sizes) == pytest.approx(alone, rel=1e-12)
    assert len(set(asked)) == read


def test_sizes_off_a_line_are_each_read() -> None:
    sizes = [(1.0, 2.0), (2.0, 5.0), (3.0, 5.0), (4.0, 9.0), (4.0, 10.0)]
    alone = [recursed.values_of(week(), [size])[0] for size in sizes]
    assert recursed.values_of(week(), sizes) == pytest.approx(alone, rel=1e-12)


def test_no_value_is_above_the_bound(sized: bo.Sizing) -> None:
    table = sized.surface(7, 7)
    assert sized.planes is not None
    bound = sized.planes.bound_at(sized.goal.priced, table["power_mw"].to_numpy(), table["energy_mwh"].to_numpy())
    assert (table["value"] <= bound + 1e-6 * np.abs(bound)).all()
    assert sized.bound_continuous is not None
    assert table["value"].max() <= sized.bound_continuous * (1 + 1e-9)


@pytest.mark.parametrize("low", [20.0, -40.0])
def test_value_functions_say_what_the_program_says(low: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Equal above nought; below, where the program is relaxed, exact plans' values and not above it. No HiGHS."""
    scenario = week(low)
    theirs = bo.size(scenario.replace(solver={"engine": "highs"}), (0.5, 6.0), (1.0, 5.0)).surface(4, 3)
    ours_of = bo.size(scenario, (0.5, 6.0), (1.0, 5.0))
    monkeypatch.setattr(SizedProgram, "row", None)
    ours = ours_of.surface(4, 3)
    assert ours["exact"].all()
    assert not theirs["exact"].any()
    scale = theirs["value"].abs().max()
    above = (ours["value"] - theirs["value"]).to_numpy() / scale
    assert above.max() < 1e-9
    if low > 0.0:
        assert above.min() > -1e-9
    for row in ours.iloc[[0, 5, 11]].to_dict("records"):
        plan = bo.optimize(resized(scenario, row["power_mw"], row["energy_mwh"]))
        assert row["value"] == pytest.approx(ours_of.goal.value(plan), rel=1e-9)


@pytest.mark.parametrize("engine", ["auto", "highs"])
@pytest.mark.parametrize("kind", ["threads", "processes", "workers"])
def test_every_executor_gives_the_same_bits(kind: str, engine: str) -> None:
    sized = bo.size(week(solver={"engine": engine}), (0.5, 6.0), (1.0, 5.0))
    serial = sized.surface(5, 4)
    if kind == "workers":
        other = sized.surface(5, 4, workers=2)
    else:
        pool = ThreadPoolExecutor(3) if kind == "threads" else ProcessPoolExecutor(2, get_context("spawn"))
        with pool as executor:
            other = sized.surface(5, 4, executor=executor)
    pd.testing.assert_frame_equal(serial, other, check_exact=True)


def test_a_row_does_not_depend_on_what_was_solved_before() -> None:
    """One solver object, asked in another order, and a fresh one given the basis only."""
    program = SizedProgram(week(-40.0), 3.0, 9.0, tight=True)
    rows = [[(p, p * h) for p in (0.5, 2.0, 4.0, 6.0)] for h in (1.0, 3.0, 5.0)]
    first = [program.row(row) for row in rows]
    assert [program.row(row) for row in reversed(rows)] == first[::-1]
    fresh = SizedProgram(week(-40.0), 3.0, 9.0, tight=True, basis=program.stored)
    assert fresh.calls == 0
    assert fresh.row(rows[1]) == first[1]
    assert program.revenue(2.0, 6.0) == pytest.approx(first[1][1], rel=1e-12)


def test_sizes_without_a_plan_are_nan() -> None:
    """A load beyond the connection that only a large battery can carry."""
    scenario = week()
    load = np.where(np.arange(168) % 24 == 20, 5.0, 0.0)
    needy = scenario.replace(series=scenario.series.assign(load_mw=load))
    program = SizedProgram(needy, 4.0, 16.0)
    assert np.isnan(program.row([(0.5, 2.0), (1.5, 6.0), (4.0, 16.0)])).tolist() == [True, True, False]


def test_a_rule_has_a_surface_of_exact_plans() -> None:
    found = bo.size(week(), (1.0, 2.0), 2.0, twin="rule", workers=1)
    table = found.surface(2, 5)
    assert len(table) == 2  # duration is fixed
    assert table["exact"].all()
    values = [found.goal.value(bo.simulate(resized(week(), p, 2.0 * p))) for p in (1.0, 2.0)]
    assert table["value"].tolist() == values


@pytest.mark.parametrize(
    ("powers", "durations", "name", "found"), [(0, 3, "powers", "0"), (3, 2.5, "durations", "2.5")]
)
def test_numbers_are_checked(sized: bo.Sizing, powers: int, durations: int, name: str, found: str) -> None:
    with pytest.raises(ScenarioError, match=re.escape(f"{name}: found {found}; give a whole number of 1 or more")):
        sized.surface(powers, durations)
