"""Long programs start from segments stitched together: near the optimum, the same everywhere, and never another answer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.places import ROOT

import bess_opt as bo
from bess_opt.inputs.solver_options import SolverOptions
from bess_opt.models.assemble import model_of
from bess_opt.plant.from_scenario import plant_of
from bess_opt.solver import warm_start
from bess_opt.solver.expand import expand
from bess_opt.solver.highs import Solver
from bess_opt.solver.program import Program
from bess_opt.solver.search import segments
from bess_opt.solver.solution import AT_LOWER, BASIC, InfeasibleProgramError, basis_at
from bess_opt.solver.warm_start import at_rest
from bess_opt.strategies.shared.activation import activate

SHIPPED = ROOT / "scenarios"
STEPS = 600
PLANTS: dict[str, dict[str, Any]] = {
    "storage with solar": {},
    "behind the meter": {"battery_export": False, "grid_charging": False},
    "no connection to spare": {"export_limit_mw": 3.0, "import_limit_mw": 2.6},
    "demand charges": {"import_limit_mw": 9.0},
    "series_dc": {"solar_capacity_mw": 8.0, "inverter_mw": 5.0},
    "hybrid": {"solar_capacity_mw": 8.0, "inverter_mw": 5.0, "dc_share": 0.5},
}
MORE: dict[str, dict[str, Any]] = {
    "demand charges": {"tariff": {"demand": [{"price_per_mw_month": 9000.0}]}},
    "series_dc": {"topology": "series_dc"},
    "hybrid": {"topology": "hybrid"},
}


def site(name: str = "storage with solar", steps: int = STEPS, **battery: Any) -> bo.Scenario:
    """Weeks of solar, load and a price with two peaks a day and a seeded noise, some of it negative."""
    index = pd.date_range("2025-03-01", periods=steps, freq="h", tz="UTC")
    hour, noise = index.hour.to_numpy(), np.random.default_rng(4).normal(0.0, 15.0, steps)
    series = pd.DataFrame(
        {
            "price_per_mwh": (45.0 + 30.0 * np.cos((hour - 19.0) / 12.0 * np.pi) + noise).round(2),
            "solar_mw": np.maximum(0.0, 8.0 * np.sin((hour - 6.0) / 12.0 * np.pi)).round(3),
            "load_mw": (2.0 + np.sin(hour / 24.0 * 2.0 * np.pi)).round(3),
        },
        index=index,
    )
    more = MORE.get(name, {})
    table = {"power_mw": 2.0, "duration_h": 4.0} | battery | {k: v for k, v in more.items() if k == "topology"}
    tariff = {k: v for k, v in more.items() if k == "tariff"}
    of: bo.Scenario = bo.Scenario(battery=table, site=PLANTS[name], series=series, strategy="arbitrage", **tariff)
    return of


def built(of: bo.Scenario) -> tuple[Program, float]:
    plant = plant_of(of)
    active = activate(of, plant)
    plant = active.restrict(plant)
    return expand(model_of(plant, active)[0]), plant.scale_mw


@pytest.fixture
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows of three days, so that a few weeks are a long program."""
    for name, steps in (("SHORTEST", 100), ("OWN_STEPS", 72), ("BEYOND_STEPS", 24), ("CHUNK_STEPS", 150)):
        monkeypatch.setattr(warm_start, name, steps)


@pytest.mark.parametrize("name", PLANTS)
def test_the_battery_at_rest_is_a_basis_to_begin_with(name: str) -> None:
    """As many basic ones as rows, not singular, and solved from there the optimum is the same."""
    program, scale_mw = built(site(name))
    column, row = at_rest(program)
    assert (column == BASIC).sum() + (row == BASIC).sum() == program.rows
    solver = Solver(program, scale_mw=scale_mw)
    solver.set_basis(basis_at(column, row))
    cold = Solver(program, scale_mw=scale_mw).solve()
    assert solver.solve().objective == pytest.approx(cold.objective, rel=1e-9)


@pytest.mark.usefixtures("small_segments")
@pytest.mark.parametrize("name", PLANTS)
def test_the_optimum_is_that_of_a_cold_start(name: str) -> None:
    """In fewer steps of the simplex method, with or without what ties the segments to each other."""
    program, scale_mw = built(site(name))
    cold = Solver(program, scale_mw=scale_mw).solve()
    solver = Solver(program, scale_mw=scale_mw)
    warm_start.start_near_optimum(solver, scale_mw)
    found = solver.solve()
    assert found.objective == pytest.approx(cold.objective, rel=1e-9)
    assert found.iterations < 0.5 * cold.iterations
    if name != "demand charges":  # a peak is shared by all segments of its month
        assert found.iterations <= 0.02 * cold.iterations


def test_a_year_of_the_shipped_plant_is_optimal_as_stitched() -> None:
    """Every segment ends where the battery rests: the whole needs no step more."""
    program, scale_mw = built(bo.load(SHIPPED / "solar_merchant"))
    solver = Solver(program, scale_mw=scale_mw)
    warm_start.start_near_optimum(solver, scale_mw)
    assert solver.solve().iterations == 0


@pytest.mark.usefixtures("small_segments")
def test_a_battery_that_never_rests_costs_time_not_exactness() -> None:
    """Two hundred hours deep: segments hand over what they have, whatever comes much later."""
    program, scale_mw = built(site(power_mw=0.2, duration_h=200.0, soc_start=0.5))
    solver = Solver(program, scale_mw=scale_mw)
    warm_start.start_near_optimum(solver, scale_mw)
    cold = Solver(program, scale_mw=scale_mw).solve()
    assert solver.solve().objective == pytest.approx(cold.objective, rel=1e-9)


@pytest.mark.usefixtures("small_segments")
@pytest.mark.parametrize("name", ["storage with solar", "hybrid"])
def test_energy_held_for_products_keeps_segments_short(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls leave the energy off its bounds for weeks: segments hand over between them, and their bases fit."""
    of = site(name)
    prices = of.series.assign(fcr_price_per_mw=60.0 + 0.2 * np.arange(STEPS) % 7.0)
    product = {"name": "fcr", "headroom_h": 1.0, "block_h": 1.0}
    program, scale_mw = built(of.replace(series=prices, product=[product]))
    cold = Solver(program, scale_mw=scale_mw).solve()
    longest, cut = [], segments.Cutter.slice
    monkeypatch.setattr(
        segments.Cutter, "slice", lambda own, part: (longest.append(part.last - part.first), cut(own, part))[1]
    )
    solver = Solver(program, scale_mw=scale_mw)
    warm_start.start_near_optimum(solver, scale_mw)
    found = solver.solve()
    assert found.objective == pytest.approx(cold.objective, rel=1e-9)
    assert found.iterations <= 0.02 * cold.iterations
    assert max(longest) <= 2 * (36 + 24)


@pytest.mark.usefixtures("small_segments")
@pytest.mark.parametrize(("held", "far"), [(True, True), (False, False)])
def test_a_segment_begins_as_days_before_it_where_rest_is_far(
    held: bool, far: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Products held in every hour are far from rest; a plain battery is near it, and ties ask for rest."""
    of, seen = site(), []
    product = [{"name": "fcr", "headroom_h": 1.0, "block_h": 1.0}] if held else []
    monkeypatch.setattr(warm_start._Segments, "_begin_as_before", lambda _own, *steps: seen.append(steps))
    program, scale_mw = built(of.replace(series=of.series.assign(fcr_price_per_mw=60.0), product=product))
    warm_start.stitched(program, STEPS, SolverOptions(), scale_mw)
    assert bool(seen) == far


@pytest.mark.usefixtures("small_segments")
def test_the_same_basis_whatever_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    program, scale_mw = built(site())
    found = []
    for cores in (1, 3):
        monkeypatch.setattr("os.cpu_count", lambda cores=cores: cores)
        found.append(np.concatenate(warm_start.stitched(program, STEPS, SolverOptions(), scale_mw)))
    assert np.array_equal(found[0], found[1])


@pytest.mark.usefixtures("small_segments")
def test_rows_that_slide_know_what_was_used_before_a_segment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cap in any 12 hours crosses every instant; segments end all the same, and few steps are left for the whole."""
    program, scale_mw = built(site(duration_h=2.0, max_cycles={"count": 0.5, "hours": 12.0}))
    cold = Solver(program, scale_mw=scale_mw).solve()
    found, longest, cut = [], [], segments.Cutter.slice
    monkeypatch.setattr(
        segments.Cutter, "slice", lambda own, part: (longest.append(part.last - part.first), cut(own, part))[1]
    )
    for cores in (1, 3):
        monkeypatch.setattr("os.cpu_count", lambda cores=cores: cores)
        solver = Solver(program, scale_mw=scale_mw)
        warm_start.start_near_optimum(solver, scale_mw)
        found.append(solver.solve())
    assert found[0].objective == pytest.approx(cold.objective, rel=1e-9)
    assert found[0].iterations <= 0.12 * cold.iterations
    assert max(longest) <= 2 * (36 + 24)  # the look around a place at which chunks may meet
    assert (found[0].iterations, found[0].x.tolist()) == (found[1].iterations, found[1].x.tolist())


@pytest.mark.usefixtures("small_segments")
def test_what_has_no_plan_still_has_none() -> None:
    """A load beyond connection and battery for one day in the third week: the segments there give nothing."""
    of = site("no connection to spare")
    load = of.series["load_mw"].copy()
    load.iloc[400:424] = 12.0
    program, scale_mw = built(of.replace(series=of.series.assign(load_mw=load)))
    solver = Solver(program, scale_mw=scale_mw)
    warm_start.start_near_optimum(solver, scale_mw)
    with pytest.raises(InfeasibleProgramError):
        solver.solve()


@pytest.mark.usefixtures("small_segments")
@pytest.mark.parametrize("name", PLANTS)
def test_the_plan_is_the_same_to_the_plain_path(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`optimize` from segments and from nothing: equal money and, by the rule for ties, equal schedules."""
    of = site(name).replace(solver={"engine": "highs"})
    seeded = bo.optimize(of)
    monkeypatch.setattr(warm_start, "SHORTEST", 10**9)
    plain = bo.optimize(of)
    assert "seed" in seeded.report.seconds
    assert seeded.report.objective == pytest.approx(plain.report.objective, rel=1e-7)
    columns = ["charge_mw", "discharge_mw", "import_mw", "export_mw"]
    assert np.allclose(seeded.schedule[columns], plain.schedule[columns], rtol=0.0, atol=1e-6)


def test_short_programs_start_from_nothing() -> None:
    program, scale_mw = built(site(steps=48))
    solver = Solver(program, scale_mw=scale_mw)
    warm_start.start_near_optimum(solver, scale_mw)
    assert not np.any(np.asarray(solver.basis().valid))


def test_a_basis_short_of_basics_is_completed() -> None:
    column, row = np.array([BASIC, AT_LOWER, BASIC]), np.array([AT_LOWER, BASIC])
    warm_start.complete(column, row)
    assert (column == BASIC).sum() + (row == BASIC).sum() == 2
    column, row = np.array([AT_LOWER, AT_LOWER]), np.array([AT_LOWER, AT_LOWER])
    warm_start.complete(column, row)
    assert (row == BASIC).all()


@pytest.mark.usefixtures("small_segments")
def test_a_time_limit_ends_the_segments_too() -> None:
    """With no time at all nothing is solved: what is left is the battery at rest."""
    program, scale_mw = built(site())
    column, row = warm_start.stitched(program, STEPS, SolverOptions(time_limit_s=1e-9), scale_mw)
    rest = at_rest(program)
    assert np.array_equal(column, rest[0])
    assert np.array_equal(row, rest[1])
