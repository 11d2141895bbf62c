"""Windows of a horizon against the program that they are entries from, and against a solver that knows nothing of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from support.cases import Case, case, random_case

import bess_opt as bo
from bess_opt.dispatch.forecast_driven import rolling
from bess_opt.dispatch.forecast_driven.horizon import Horizon
from bess_opt.models.assemble import model_of
from bess_opt.models.one_way import pairs_of
from bess_opt.plant.from_scenario import plant_of
from bess_opt.solver.expand import expand
from bess_opt.solver.highs import Solver
from bess_opt.solver.one_way import steps_not_one_way
from bess_opt.solver.program import Program
from bess_opt.solver.solution import Solution
from bess_opt.strategies.shared.activation import activate
from bess_opt.strategies.shared.discovery import discover

pytestmark = pytest.mark.slow

STATED: dict[str, dict[str, Any]] = {
    "cycling": {"cycles_per_day": 0.5},
    "export_cap": {"cap_mw": 0.6},
    "firm_delivery": {"window": ["18:00", "23:00"]},
    "solar_smoothing": {"ramp_limit_per_min": 0.003, "ramp_window_min": 120},
    "frequency_regulation": {"block_h": 4.0},
}


def everything(name: str, steps: int = 60) -> Case:
    """Two and a half days of a DC-coupled site on which every strategy has something to do."""
    rng = np.random.default_rng(3)
    hour = np.arange(steps) % 24
    return case(
        price_per_mwh=rng.uniform(-10.0, 90.0, steps),
        solar_mw=np.clip(1.5 * np.sin((hour - 6) / 12 * np.pi), 0.0, None) * rng.uniform(0.4, 1.0, steps),
        load_mw=0.3 + 0.4 * rng.random(steps),
        regulation_up_price_per_mw=rng.uniform(2.0, 20.0, steps),
        regulation_down_price_per_mw=rng.uniform(2.0, 20.0, steps),
        battery={
            "technology": "modern_lfp", "topology": "series_dc", "soc_start": 0.5, "soc_end": "at_least_start",
            "max_cycles_per_day": 1.2,
        },
        site={"inverter_mw": 2.0, "import_limit_mw": 3.0, "export_limit_mw": 3.0},
        tariff={"demand": [
            {"price_per_mw_month": 3000.0, "interval_min": 120, "ratchet": {"share": 0.5, "months": 11}},
            {"price_per_mw_month": 2000.0, "hours": [16, 21]},
        ]},
        strategy={"name": name} | STATED.get(name, {}),
        start="2025-06-29 10:00",
    )  # fmt: skip


def program_of(of: Case) -> Program:
    scenario = of.scenario()
    stated_plant = plant_of(scenario)
    active = activate(scenario, stated_plant)
    return expand(model_of(active.restrict(stated_plant), active)[0], keep_zeros=True)


@pytest.mark.parametrize("name", sorted(discover()))
class TestEveryStrategy:
    def test_the_window_of_all_steps_is_the_program(self, name: str) -> None:
        """Nothing is left out, nothing is past, nothing is to come."""
        program = program_of(everything(name))
        entries = Horizon(program, 60).entries(0, 60)
        assert np.array_equal(entries.columns, np.arange(program.columns))
        assert np.array_equal(entries.rows, np.arange(program.rows))
        assert np.array_equal(entries.entry, np.arange(len(program.value)))
        assert len(entries.past) == len(entries.future) == 0

    def test_an_optimum_passes_every_window(self, name: str) -> None:
        """Started from its own state, each window of the optimum still has its rest: no row is too tight.

        And it asks enough: what the windows decide, put together, is the optimum again, in its value.
        """
        of = everything(name)
        best = bo.optimize(of.scenario())
        again = bo.control(of.scenario(), "perfect", horizon_h=60, every_h=1)
        sign = 1.0 if best.metrics.score_sense == "max" else -1.0
        lost = sign * (best.metrics.score - again.metrics.score)
        assert not [f for f in again.findings if f.code == "window_infeasible"]
        assert again.figures["deviation_mwh"] == pytest.approx(0.0, abs=1e-5)
        assert -1e-5 * max(1.0, abs(best.metrics.score)) <= lost
        assert lost <= 2e-3 * max(1.0, abs(best.metrics.score))

    def test_one_window_is_the_optimum(self, name: str) -> None:
        """Same objective, same schedule."""
        of = everything(name)
        best = bo.optimize(of.scenario())
        once = bo.control(of.scenario(), "perfect", horizon_h=60, every_h=60)
        assert once.metrics.score == pytest.approx(best.metrics.score, rel=1e-7, abs=1e-7)
        numbers = best.schedule.select_dtypes("number")
        assert np.abs(numbers.to_numpy() - once.schedule[numbers.columns].to_numpy()).max() < 1e-6

    @pytest.mark.parametrize("forecast", ["persistence", "observed"])
    def test_wrong_forecasts_break_nothing(self, name: str, forecast: str) -> None:
        """Audited, with the strategy's own laws; state carried wrongly would show there or as a entries order."""
        plan = bo.control(everything(name).scenario(), forecast, horizon_h=18)
        assert plan.twin == "control"

    def test_the_future_tells_nothing(self, name: str) -> None:
        """The same site with another future from step 30 on does the same until then, if forecasts do not know it."""
        of = everything(name)
        other = of.series.copy()
        other.iloc[30:] = of.series.iloc[30:].to_numpy()[::-1]
        plans = [bo.control(one.scenario(), "persistence", horizon_h=18) for one in (of, replace(of, series=other))]
        before = [plan.schedule.select_dtypes("number").iloc[:30].to_numpy() for plan in plans]
        assert np.abs(before[0] - before[1]).max() < 1e-6
        assert not plans[0].schedule.iloc[30:].equals(plans[1].schedule.iloc[30:])

    def test_a_solver_kept_is_as_good_as_a_new_one(self, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """Each window's objective is that of the same program solved from nothing."""
        kept, checked = rolling.Rolling._best, []

        def best(self: rolling.Rolling, solver: Solver, later: Any) -> list[Solution]:
            found = kept(self, solver, later)
            held = Program(**vars(solver.program) | {
                "cost": solver._cost, "lower": solver._lower, "upper": solver._upper,
                "row_lower": solver._row_lower, "row_upper": solver._row_upper,
                "start": solver.program.start, "column": solver.program.column, "value": solver.program.value,
            })  # fmt: skip
            loaded = next(k for k in self._solvers._held.values() if k.solver is solver)
            columns = solver.program.columns
            rows = loaded.keys // columns
            held.start = np.searchsorted(rows, np.arange(held.rows + 1)).astype(np.int32)
            held.column, held.value = (loaded.keys % columns).astype(np.int32), loaded.values
            fresh = Solver(held, self._options, scale_mw=self._plant.scale_mw).solve()
            checked.append(abs(fresh.objective - found[0].objective) / max(1.0, abs(fresh.objective)))
            return found

        monkeypatch.setattr(rolling.Rolling, "_best", best)
        scenario = everything(name).scenario().replace(solver={"engine": "highs"})
        bo.control(scenario, "persistence", horizon_h=18)
        assert len(checked) >= 60
        assert max(checked) < 1e-7


def test_steps_that_look_alike_are_cut_once_and_moved() -> None:
    """The short way of cutting gives what the long way gives."""
    of = case(price_per_mwh=[10.0, 50.0] * 12, solar_mw=[1.0] * 24)
    horizon = Horizon(program_of(of), 24)
    assert horizon._pace is not None
    horizon.entries(0, 6)
    for first in (1, 5, 18):
        quick, slow = horizon.entries(first, first + 6), horizon._new_entries(first, first + 6)
        for name, array in vars(slow).items():
            assert np.array_equal(getattr(quick, name), array), name
    assert Horizon(program_of(everything("arbitrage")), 60)._pace is None


def test_quantities_tied_together_cannot_be_carried() -> None:
    """Two lasting gauges in one row with decisions: nobody can say what each of them has used."""
    of = everything("arbitrage")
    program = program_of(of)
    measured, billed = program.variables["measured_mw"], program.variables["billed_mw"]
    row = program.constraints["measured_peak"].first
    at = int(np.flatnonzero(program.column[program.start[row] : program.start[row + 1]] == measured.first)[0])
    more = int(program.start[row]) + at
    program.column = np.insert(program.column, more, billed.first).astype(np.int32)
    program.value = np.insert(program.value, more, 1.0)
    program.start = program.start.copy()
    program.start[row + 1 :] += 1
    with pytest.raises(bo.StrategyError, match="its constraint 'measured_peak' ties several quantities"):
        Horizon(program, 60)


@pytest.mark.parametrize("seed", range(24))
def test_random_sites_operate(seed: int) -> None:
    """Random sites, all topologies: audited, one way, never better than the optimum, the same again to the last bit."""
    of = random_case(seed, plain=True).but(battery={"soc_end": "free"})
    scenario = of.scenario()
    step_h = of.step_h
    plan = bo.control(scenario, bo.Forecast("noisy", relative_error=0.3, absolute_error=5.0, seed=seed),
                      horizon_h=8 * step_h, every_h=2 * step_h)  # fmt: skip
    again = bo.control(scenario, bo.Forecast("noisy", relative_error=0.3, absolute_error=5.0, seed=seed),
                       horizon_h=8 * step_h, every_h=2 * step_h)  # fmt: skip
    assert plan.schedule.equals(again.schedule)
    best = bo.optimize(scenario)
    worth = [sum(p.ledger.values()) for p in (plan, best)]
    assert worth[0] <= worth[1] + 1e-6 * max(1.0, abs(worth[1]))
    assert np.minimum(plan.schedule["charge_mw"], plan.schedule["discharge_mw"]).max() == 0.0


def test_plans_that_are_not_one_way_are_met_in_these_tests() -> None:
    """The relaxation of the site above does run its converters in and out at once, so the one-way rule has work to do."""
    of = everything("arbitrage")
    scenario = of.scenario()
    program = program_of(of)
    x = Solver(program, scenario.solver, scale_mw=plant_of(scenario).scale_mw).solve().x
    assert len(steps_not_one_way(program, x, pairs_of(plant_of(scenario)), plant_of(scenario).scale_mw)) > 0
