"""Schedules by value functions are those of HiGHS with binaries: value, limits, ties, proof, and who is refused."""

from __future__ import annotations

import contextlib
import os
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support.cases import case
from support.stepwise import Referee, stepwise_scenario

import bess_opt as bo
from bess_opt.solver.value_function import in_order, recursion, sources
from bess_opt.solver.value_function.modes import modes_of
from bess_opt.solver.value_function.plan import NotProvenError, ValueFunctionPlan, solve_by_value_functions
from bess_opt.solver.value_function.recursion import RecursionFailedError
from bess_opt.solver.value_function.step_program import NotStepwiseError, read

FEW, QUICK, LONG, TIED, MANY_TIED = 60, 300, 2_000, 40, 300
ROOMS = (1e-12, 1e-11, 1e-10, 1e-9, 1e-8)  # of an objective
DAY = [10.0, 20.0, 5.0, 80.0, 90.0, 30.0]
TWO_DAYS = DAY * 8
PURE = {"ac_to_dc": 1.0, "dc_to_ac": 1.0, "dc_to_dc": 1.0}
LOSSY = {"eta_charge": 0.95, "eta_discharge": 0.95, "soc_min": 0.0, "soc_max": 1.0, "c_rate_max": 2.0}

pytestmark = pytest.mark.skipif(recursion.compiled_part() is None, reason="the compiled part was not built")


def compared(first: int, wanted: int, most_steps: int) -> int:
    """Hold random scenarios to HiGHS until so many plans have been compared; the number of scenarios drawn."""
    planned = 0
    for seed in range(first, first + 4 * wanted):
        planned += against_binaries(seed, most_steps)
        if planned == wanted:
            return seed + 1 - first
    pytest.fail(f"{planned} plans among {4 * wanted} scenarios")


def against_binaries(seed: int, most_steps: int) -> bool:
    """Hold one random scenario to HiGHS; whether it had a plan that was compared."""
    try:
        scenario = stepwise_scenario(seed, most_steps=most_steps)
        referee = Referee(scenario)
    except bo.BessOptError:
        return False  # refused as input, or a series that the strategy needs is all zero
    right = referee.best()
    try:
        plan = solve(referee)
    except RecursionFailedError as error:
        if error.no_plan and right is not None:
            pytest.fail(f"seed {seed}: {error}, where {right} is possible")
        return False  # what a step can do may have a true gap, which HiGHS is asked for
    assert right is not None, f"seed {seed}: a plan where none exists"
    assert plan.objective == pytest.approx(right, rel=0.0, abs=1e-9 * referee.scale), f"seed {seed}"
    proof = plan.certificate()
    size = max(referee.plant.scale_mw, referee.plant.storage.energy_mwh)
    assert proof.primal_violation <= 1e-9 * size, f"seed {seed}"
    assert abs(proof.dual - proof.primal) <= 1e-9 * referee.scale, f"seed {seed}: {proof}"
    assert proof.dual_violation <= 1e-9 * np.abs(referee.linear.cost).max(), f"seed {seed}: {proof}"
    for first, second in plan.step_program.pairs:
        both = np.minimum(plan.schedule.flow[first], plan.schedule.flow[second])
        assert both.max() <= 1e-9 * size, f"seed {seed}"
    return True


def solve(referee: Referee) -> ValueFunctionPlan:
    """The value functions' plan of the referee's model, without its binaries."""
    scenario_model, objectives = referee.without_binaries()
    return solve_by_value_functions(scenario_model, objectives, referee.pairs)


def test_random_scenarios_equal_binaries() -> None:
    """All topologies, permissions, limits, ends and strategies that qualify; the one-way rule exact, the proof closed."""
    assert compared(0, FEW, 14) < 2 * FEW


@pytest.mark.slow
def test_hundreds_of_random_scenarios_equal_binaries() -> None:
    assert compared(2 * FEW, QUICK, 14) < 2 * QUICK


@pytest.mark.parametrize("seed", [434, 473, 785, 2776, 3116])
def test_found_by_longer_runs(seed: int) -> None:
    """A plan through a valley between humps; two objectives equal where humps meet; a window shut at one instant;
    a tie that only rounding breaks; a plan that brings nothing where a MWh not served costs 5,000.
    """
    assert against_binaries(seed, 20) == (seed != 785)


@pytest.mark.second_tier
def test_many_random_scenarios_equal_binaries() -> None:
    assert compared(2 * QUICK, LONG, 18) < 2 * LONG


def second_objective_is_best(monkeypatch: pytest.MonkeyPatch, seed: int) -> bool:
    """Hold both objectives of a scenario to HiGHS; whether the first has humps, so that a weight was looked for."""
    weighed, plan_in_order = [], in_order.plan_in_order
    monkeypatch.setattr(
        "bess_opt.solver.value_function.plan.plan_in_order",
        lambda *asked: (weighed.append(1), plan_in_order(*asked))[1],
    )
    try:
        referee = Referee(stepwise_scenario(seed, most_steps=12))
        plan = solve(referee)
    except (bo.BessOptError, RecursionFailedError):
        return False
    if not weighed:
        return False
    first, second = (float(level @ plan.found.x) for level in referee.levels[:2])
    right = referee.best()
    assert right is not None
    assert plan.objective == pytest.approx(right, rel=0.0, abs=1e-9 * referee.scale), f"seed {seed}"
    least = referee.least(1, [first + 1e-9 * max(referee.scale, 1.0)])
    largest = float(np.abs(referee.levels[1]).max()) * referee.plant.scale_mw
    assert second <= least + 1e-6 * largest, f"seed {seed}"
    proof = plan.certificate()
    assert abs(proof.dual - proof.primal) <= 1e-9 * referee.scale, f"seed {seed}: {proof}"
    return True


def test_two_objectives_count_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the first has several humps too: no plan as good in it is better in the second."""
    assert sum(second_objective_is_best(monkeypatch, seed) for seed in range(30)) >= 5


@pytest.mark.second_tier
def test_two_objectives_of_many_scenarios(monkeypatch: pytest.MonkeyPatch) -> None:
    assert sum(second_objective_is_best(monkeypatch, seed) for seed in range(1_000, 2_000)) >= 100


def test_no_weight_that_makes_a_plan_the_best_in_both(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the weighed plan does not prove is not believed: HiGHS solves, and the report says why."""
    scenario = stepwise_scenario(5, most_steps=12)
    assert second_objective_is_best(monkeypatch, 5)
    right = bo.optimize(scenario)
    assert right.report is not None
    assert right.report.engine == "value_function"
    monkeypatch.setattr(in_order, "EXACT", -1.0)
    plan = bo.optimize(scenario)
    assert plan.report is not None
    assert (plan.report.engine, plan.report.engine_reasons) == ("highs", (in_order.NO_WEIGHT,))
    assert plan.metrics.score == pytest.approx(right.metrics.score, abs=1e-6)


def ties_broken(seed: int) -> bool:
    """Hold one scenario of flat and few prices to HiGHS; whether it had a plan.

    No plan of the same money has less of the tie-break's cost (rule 11).
    """
    try:
        referee = Referee(stepwise_scenario(seed, most_steps=10, ties=True))
        plan = solve(referee)
    except (bo.BessOptError, RecursionFailedError):
        return False
    x = plan.found.x
    own = [float(level @ x) for level in referee.levels]
    least = np.nan
    for share in ROOMS:  # as little as HiGHS can keep: what is given away of one objective buys much of the next
        sizes = [float(np.abs(level).max()) * referee.plant.scale_mw for level in referee.levels[:-1]]
        room = [value + share * max(size, 1.0) for value, size in zip(own[:-1], sizes, strict=True)]
        with contextlib.suppress(AssertionError):
            least = referee.least(len(own) - 1, room)
            break
    assert own[-1] <= least + 1e-6 * abs(least) + 1e-6, f"seed {seed}"
    return True


def test_ties_are_broken_as_the_rule_says() -> None:
    assert sum(ties_broken(seed) for seed in range(TIED)) > TIED // 2


def test_ties_between_humps_are_broken_as_the_rule_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tie-break's cost jumps where two humps of equal money cross, which its slopes alone do not tell."""
    assert ties_broken(1167)
    monkeypatch.setattr(in_order, "WEIGHTS", ())
    with pytest.raises(AssertionError, match="seed 1167"):
        ties_broken(1167)


def test_a_plan_that_loses_money_breaks_no_tie(monkeypatch: pytest.MonkeyPatch) -> None:
    """A weight that is too large buys less throughput with money: the plan of most money stands."""
    right = solve(Referee(stepwise_scenario(1167, most_steps=10, ties=True)))
    monkeypatch.setattr(in_order, "WEIGHTS", (1e3, 1e-4))
    assert solve(Referee(stepwise_scenario(1167, most_steps=10, ties=True))).objective == right.objective
    monkeypatch.setattr(in_order, "WEIGHTS", (1e3,))
    kept = solve(Referee(stepwise_scenario(1167, most_steps=10, ties=True)))
    assert kept.objective == pytest.approx(right.objective, rel=1e-12)
    assert kept.schedule.humps


@pytest.mark.second_tier
def test_ties_of_many_scenarios_are_broken_as_the_rule_says() -> None:
    held, seed = 0, 1_000
    while held < MANY_TIED:
        held += ties_broken(seed)
        seed += 1


def test_wasting_energy_at_a_flat_negative_price() -> None:
    """240 hours at −10: charging pays, discharging costs, and what is wasted can only be wasted one way at a time."""
    at = pd.date_range("2025-06-02", periods=240, freq="h", tz="UTC")
    battery = {"power_mw": 1.0, "duration_h": 2.0, "soc_start": 0.5, "technology": LOSSY, "converters": PURE}
    series = pd.DataFrame({"price_per_mwh": np.full(240, -10.0)}, index=at)
    plan = bo.optimize(bo.Scenario(battery=battery, series=series, strategy="arbitrage"))
    assert plan.report is not None
    assert (plan.report.engine, plan.report.gap) == ("value_function", 0.0)
    assert plan.metrics.net_revenue == pytest.approx(132.603878, abs=1e-6)


def test_a_day_by_hand() -> None:
    """2 MWh bought at 5 and 10, sold at 80 and 90: 155; one MWh more at the end of a step is worth what it would earn."""
    plan = case(price_per_mwh=DAY).optimize()
    assert plan.report is not None
    assert plan.metrics.net_revenue == pytest.approx(155.0, abs=1e-12)
    assert plan.report.engine_reasons == ()
    assert plan.report.certificate is not None
    assert plan.report.certificate.gap <= 1e-15


@pytest.mark.parametrize("name", ["solar_merchant", "solar_evening"])
def test_a_year_equals_highs_in_every_step(name: str) -> None:
    scenario = bo.load(Path(__file__).parents[4] / "scenarios" / name)
    ours, theirs = bo.optimize(scenario), bo.optimize(scenario.replace(solver={"engine": "highs"}))
    assert ours.report is not None
    assert theirs.report is not None
    assert (ours.report.engine, theirs.report.engine) == ("value_function", "highs")
    assert ours.report.objective == pytest.approx(theirs.report.objective, rel=1e-9)
    numbers = ours.schedule.select_dtypes("number").columns
    assert np.allclose(ours.schedule[numbers], theirs.schedule[numbers], rtol=0.0, atol=1e-6)


@pytest.mark.real_data
@pytest.mark.parametrize(("step", "right"), [("15min", 129_130.0266), ("h", 82_511.8691)])
def test_german_intraday_prices_of_2021(step: str, right: float) -> None:
    """1 MW, 2 MWh, 0.95 each way, empty at the start and free at the end: the exact optimum, one way at a time."""
    if "BESS_OPT_DATA" not in os.environ:
        pytest.skip("BESS_OPT_DATA is not set")
    file = Path(os.environ["BESS_OPT_DATA"]) / "prices_de_id1" / "electricity_prices_germany_2021.csv"
    prices = bo.read_prices(file, column="ID1")
    series = prices.iloc[:, :1].set_axis(["price_per_mwh"], axis=1).resample(step).mean()
    battery = {"power_mw": 1.0, "duration_h": 2.0, "soc_start": 0.0, "soc_end": "free"}
    battery |= {"technology": LOSSY, "converters": PURE}
    scenario = bo.Scenario(battery=battery, series=series, strategy="arbitrage", solver={"engine": "value_function"})
    plan = bo.optimize(scenario)
    assert plan.report is not None
    assert plan.report.gap == 0.0
    assert plan.metrics.net_revenue == pytest.approx(right, abs=6e-5)


@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e4])
def test_size_does_not_matter(scale: float) -> None:
    prices = np.random.default_rng(7).normal(20.0, 40.0, 96).round(2)
    battery = {"power_mw": scale, "technology": LOSSY, "soc_start": 0.5}
    plan = case(price_per_mwh=prices, load_mw=0.5 * scale, battery=battery).optimize()
    unit = case(price_per_mwh=prices, load_mw=0.5, battery=battery | {"power_mw": 1.0}).optimize()
    assert plan.report is not None
    assert plan.report.engine == "value_function"
    assert plan.metrics.net_revenue == pytest.approx(scale * unit.metrics.net_revenue, rel=1e-12)


def test_a_horizon_in_parts_gives_the_same_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond a number of steps the value functions are not all kept: the parts meet without a seam."""
    prices = np.random.default_rng(5).normal(20.0, 40.0, 200).round(2)
    of = case(price_per_mwh=prices, battery={"technology": LOSSY, "self_discharge_per_h": 0.01, "soc_start": 0.5})
    whole = of.optimize()
    monkeypatch.setattr(recursion, "CHUNK", 17)
    parts = of.optimize()
    pd.testing.assert_frame_equal(whole.schedule, parts.schedule)
    assert parts.report is not None
    assert parts.report.certificate is not None
    assert parts.report.certificate.gap <= 1e-14


# ---- who is refused


def test_rows_that_tie_steps_together_ask_for_highs() -> None:
    plan = case(price_per_mwh=DAY * 8, battery={"max_cycles_per_day": 1.0}).optimize()
    assert plan.report is not None
    assert plan.report.engine == "highs"
    assert plan.report.engine_reasons == ("cycles_per_day: is not one row for each step",)


@pytest.mark.parametrize(
    ("changes", "row"),
    [
        ({"battery": {"max_cycles_per_day": 1.0}}, "cycles_per_day"),
        ({"tariff": {"demand": [{"price_per_mw_month": 100.0, "interval_min": 180.0}]}}, "measured_mw"),
        ({"strategy": "cycling"}, "stated_cycles_per_day"),
    ],
)
def test_asking_for_what_does_not_qualify_names_the_rows(changes: dict[str, object], row: str) -> None:
    scenario = case(price_per_mwh=DAY * 8, load_mw=1.0).scenario()
    with pytest.raises(bo.ScenarioError) as raised:
        bo.optimize(scenario.replace(solver={"engine": "value_function"}, **changes))
    (problem,) = raised.value.problems
    assert (problem.code, problem.where, problem.expected) == (
        "engine_refused",
        "solver.engine",
        "give 'auto' or 'highs'",
    )
    assert row in problem.found


def test_an_engine_must_be_known() -> None:
    with pytest.raises(bo.ScenarioError, match=r"solver\.engine"):
        case(price_per_mwh=DAY).scenario().replace(solver={"engine": "gurobi"})


def test_without_the_compiled_part_highs_solves_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bess_opt.solver.value_function.plan.compiled_part", lambda: None)
    monkeypatch.setattr("bess_opt.solver.value_function.engine.compiled_part", lambda: None)
    plan = case(price_per_mwh=DAY).optimize()
    assert plan.report is not None
    assert (plan.report.engine, plan.metrics.net_revenue) == ("highs", pytest.approx(155.0))
    assert "was not built" in plan.report.engine_reasons[0]
    assert [f.where for f in plan.findings if f.code == "engine_not_built"] == ["solver.engine"]


def test_no_plan_is_known_at_once_and_explained() -> None:
    """Less must be in store at the end than at the start, and nothing may take it: wasting would need both ways."""
    of = case(price_per_mwh=[50.0] * 6, battery={"technology": LOSSY, "soc_start": 0.5, "soc_end": 0.2})
    with pytest.raises(bo.InfeasibleError) as raised:
        bo.optimize(of.scenario().replace(site={"battery_export": False}))
    assert {relaxation.where for relaxation in raised.value.relaxations} >= {"site.battery_export"}


def test_a_schedule_that_does_not_earn_its_value_is_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """The recursion's value is the proof; it is computed again from the flows."""
    referee = Referee(case(price_per_mwh=DAY).scenario())
    plan = solve(referee)
    plan.schedule.value[0] += 1e-3
    with pytest.raises(NotProvenError, match=r"brings 155 where its value function says 155\.001"):
        plan.require_proof()


def test_without_a_proof_highs_solves_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of this engine costs nobody a plan; who insists on it is told."""
    monkeypatch.setattr(ValueFunctionPlan, "rounding", lambda _plan, _money: -1.0)
    scenario = case(price_per_mwh=DAY).scenario()
    plan = bo.optimize(scenario)
    assert plan.report is not None
    assert (plan.report.engine, plan.metrics.net_revenue) == ("highs", pytest.approx(155.0))
    assert plan.report.engine_reasons[0].startswith("proof: the schedule brings 155 where")
    with pytest.raises(NotProvenError):
        bo.optimize(scenario.replace(solver={"engine": "value_function"}))


def test_the_time_limit_stops_the_recursion() -> None:
    """It is looked at in every step; no plan comes of half a recursion."""
    prices = np.random.default_rng(1).normal(20.0, 40.0, 60_000).round(2)
    scenario = case(price_per_mwh=prices, step_min=5, battery={"technology": LOSSY}).scenario()
    referee = Referee(scenario)
    model, objectives = referee.without_binaries()
    asked = recursion.Recursion(program := read(model, objectives, referee.pairs), modes_of(program))
    with asked.within(0.0), pytest.raises(RecursionFailedError, match="the time limit ended the recursion"):
        asked.schedule()
    assert asked.schedule().pieces > 1
    with pytest.raises(bo.SolveError, match="time_limit_s"):
        solve_by_value_functions(model, objectives, referee.pairs, time_limit_s=1e-3)


def test_a_library_of_other_sources_is_not_called(monkeypatch: pytest.MonkeyPatch) -> None:
    """What an earlier installation left in place counts as not built; without sources there is nothing to compare."""
    monkeypatch.setattr(recursion, "checksum", lambda _folder: 1)
    assert recursion.compiled_part.__wrapped__() is None
    monkeypatch.setattr(recursion, "checksum", lambda _folder: None)
    assert recursion.compiled_part.__wrapped__() is not None


def test_the_checksum_is_that_of_every_source(tmp_path: Path) -> None:
    folder = Path(recursion.__file__).parent
    names = [*(f"{name}.c" for name in sources.LIBRARIES), *(f"{name}.h" for name in sources.HEADERS)]
    assert {file.name for file in folder.glob("*.[ch]")} == set(names)
    for changed in names:
        for name in names:
            more = "/* */" if name == changed else ""
            (tmp_path / name).write_text((folder / name).read_text() + more)
        assert sources.checksum(tmp_path) != sources.checksum(folder)
    (tmp_path / names[0]).unlink()
    assert sources.checksum(tmp_path) is None


def test_more_pieces_than_there_is_room_for_at_first(monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = case(price_per_mwh=np.random.default_rng(2).normal(20.0, 40.0, 300).round(2)).scenario()
    right = bo.optimize(scenario).metrics.net_revenue
    monkeypatch.setattr(recursion, "ROOM", 12)
    assert bo.optimize(scenario).metrics.net_revenue == right
    monkeypatch.setattr(recursion, "MOST_ROOM", 12)
    plan = bo.optimize(scenario)
    assert plan.report is not None
    assert plan.report.engine == "highs"
    assert "too many pieces" in plan.report.engine_reasons[0]


def test_errors_cross_processes_whole() -> None:
    for error in (RecursionFailedError(3, 7), NotStepwiseError(["a: b"])):
        again = pickle.loads(pickle.dumps(error))
        assert (str(again), again.rows) == (str(error), error.rows)


def test_curtailing_on_either_bus_brings_the_same() -> None:
    """Paid to import, with PV on both buses: where it is cut makes no difference to money, but each can cut only its own.

    1.68 MW of import at -37.28 for a quarter-hour, the battery charges at full power, 2.16 MW of PV are cut.
    """
    at = pd.date_range("2025-11-02 19:30", periods=2, freq="15min", tz="UTC")
    columns = {"import_price_per_mwh": [-37.28, 68.9], "load_mw": [0.181, 0.336], "solar_dc_mw": [2.279, 0.778]}
    cells = {"eta_charge": 0.99, "eta_discharge": 0.93, "soc_min": 0.08, "soc_max": 0.99, "c_rate_max": 0.84}
    battery = {
        "power_mw": 1.48, "duration_h": 1.4, "technology": cells, "topology": "hybrid", "auxiliary_mw": 0.02,
        "converters": {"ac_to_dc": 0.99, "dc_to_ac": 0.93, "dc_to_dc": 0.95},
    }  # fmt: skip
    site = {"dc_share": 0.33, "import_limit_mw": 1.68}
    plans = [
        bo.optimize(
            bo.Scenario(
                battery=battery, series=pd.DataFrame(columns, index=at), site=site, tariff={"export": 48.18},
                strategy="arbitrage", solver={"engine": engine},
            )
        )
        for engine in ("value_function", "highs")
    ]  # fmt: skip
    assert [plan.report.objective for plan in plans] == pytest.approx([33.860419079131496] * 2, rel=1e-9)
    assert plans[0].schedule["curtailed_mw"].iloc[0] == pytest.approx(2.156325, abs=1e-5)
