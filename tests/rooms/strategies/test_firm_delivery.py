"""Firm delivery: a block of net export in a window, given or found."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.cases import Case, case, random_case
from support.twins import both, check_idle, check_replay, compared

import bess_opt as bo
from bess_opt.models import assemble
from bess_opt.models.firm import deliveries
from bess_opt.models.one_way import add_one_way, pairs_of
from bess_opt.plant.from_scenario import plant_of
from bess_opt.solver.expand import expand
from bess_opt.solver.highs import Solver
from bess_opt.solver.program import Program
from bess_opt.strategies.shared.activation import activate

NO_GRID = {"grid_charging": False}
HOURS_16_TO_20 = "2025-06-02 16:00"


def firm(options: dict[str, Any] | None = None, **more: Any) -> Case:
    """A lossless 1 MW, 2 MWh battery, empty at first; four hours, of which the last two are the window."""
    given = {"window": ["18:00", "20:00"]} | (options or {})
    basis = {"strategy": {"name": "firm_delivery"} | given, "start": HOURS_16_TO_20, "solar_mw": [2.0, 2.0, 0.0, 0.0]}
    return case(**(basis | more))


def days(suns: list[float], **more: Any) -> Case:
    """Whole days with `suns` MWh at noon and a window of two hours in the evening; PV charges alone."""
    sun = np.zeros(24 * len(suns))
    for day, mwh in enumerate(suns):
        sun[24 * day + 11 : 24 * day + 13] = mwh / 2.0
    return firm(**({"solar_mw": sun, "start": "2025-06-02 00:00", "site": NO_GRID} | more))


# ------------------------------------------------------------------------------------------------- given block


@pytest.mark.parametrize(
    ("block_mw", "solar_mw", "expected"),
    [
        (1.0, [2.0, 2.0, 0.0, 0.0], 0.0),  # 2 MWh stored from PV: nothing is missing, without them 2 MWh
        (1.5, [2.0, 2.0, 0.0, 0.0], 1.0),  # the battery's 1 MW is 0.5 short in two hours
        (1.0, [1.0, 0.0, 0.0, 0.0], 1.0),  # one of two MWh is there
        (1.0, [1.0, 0.0, 2.0, 0.0], 0.0),  # surplus inside the window goes into its next hour
        (0.0, [0.0, 0.0, 0.0, 0.0], 0.0),
    ],
)
def test_shortfall_of_a_given_block(block_mw: float, solar_mw: list[float], expected: float) -> None:
    """MWh that the net export is below the block inside the window; what is above it does not count."""
    for twin in both(firm({"block_mw": block_mw}, solar_mw=solar_mw, site=NO_GRID)):
        assert twin.metrics.score == pytest.approx(expected, abs=1e-9)
        assert (twin.metrics.score_unit, twin.metrics.score_sense) == ("MWh", "min")


@pytest.mark.parametrize(("grid_charging", "expected"), [(True, 0.0), (False, 2.0)])
def test_the_grid_fills_what_the_sun_does_not(grid_charging: bool, expected: float) -> None:
    """No PV: with grid charging 2 MWh are there in time, without none."""
    rule, best = both(firm({"block_mw": 1.0}, solar_mw=[0.0] * 4, site={"grid_charging": grid_charging}))
    assert rule.metrics.score == pytest.approx(expected, abs=1e-9)
    assert best.metrics.score == pytest.approx(expected, abs=1e-9)


def test_the_rule_buys_just_in_time_and_no_more_than_the_block_needs() -> None:
    """A block of 0.5 MW for two hours: 1 MWh, bought in the last hour before the window."""
    rule = bo.simulate(firm({"block_mw": 0.5}, solar_mw=[0.0] * 4).scenario())
    assert rule.schedule["battery_mw"].tolist() == pytest.approx([0.0, -1.0, 0.5, 0.5])


def test_import_and_cut_load_are_missing_too() -> None:
    """An empty battery, a load of 0.5 MW: bought or cut off, 1.5 MW are missing to a block of 1 in two hours.

    Export alone would say 1 MW, and cutting the load would pass for delivery.
    """
    for site in ({}, {"unserved_price_per_mwh": 0.0, "import_limit_mw": 0.0}):
        of = firm({"block_mw": 1.0}, solar_mw=[0.0] * 4, load_mw=0.5, site=NO_GRID | site)
        for twin in both(of):
            assert twin.metrics.score == pytest.approx(3.0)


def test_money_decides_among_plans_without_shortfall() -> None:
    """The block takes 1 of 2 MWh in the window at 30; the other one is sold at 90 before it, not at 30."""
    of = firm(
        {"block_mw": 0.5},
        solar_mw=[2.0, 0.0, 0.0, 0.0],
        price_per_mwh=[0.0, 90.0, 30.0, 30.0],
        battery={"soc_start": 0.5},
    )
    best = of.optimize()
    assert best.metrics.score == pytest.approx(0.0, abs=1e-9)
    assert best.metrics.net_revenue == pytest.approx(1.0 * 90.0 + 1.0 * 30.0)


# -------------------------------------------------------------------------------------------------- firm block


@pytest.mark.parametrize(("window", "expected"), [(["18:00", "20:00"], 1.0), (["16:00", "20:00"], 0.5)])
def test_firm_block_is_what_the_energy_holds(window: list[str], expected: float) -> None:
    """2 MWh in store, no sun, no grid: 1 MW for two hours or half of it for four."""
    of = firm({"window": window}, solar_mw=[0.0] * 4, battery={"soc_start": 1.0}, site=NO_GRID)
    for twin in both(of):
        assert twin.metrics.score == pytest.approx(expected)
        assert (twin.metrics.score_unit, twin.metrics.score_sense) == ("MW", "max")


def test_firm_block_may_be_an_import() -> None:
    """A load of 3 MW and a battery of 1 MW: 2 MW of import in the best case."""
    for twin in both(firm(solar_mw=[0.0] * 4, load_mw=3.0)):
        assert twin.metrics.score == pytest.approx(-2.0)


def test_a_day_stands_alone_and_a_month_is_held_together() -> None:
    """2 MWh of sun on day 1, 1 on day 2. Each day alone: (1 + 0.5)/2 MW. The month: 3 MWh over four hours, if
    energy is carried over; the rule gives all away on day 1 and holds 0.5.
    """
    rule, best = both(days([2.0, 1.0]))
    assert best.metrics.score == pytest.approx(0.75)
    assert rule.metrics.score == pytest.approx(0.75)
    month = days([2.0, 1.0]).but(strategy={"name": "firm_delivery", "window": ["18:00", "20:00"], "period": "month"})
    rule, best = both(month)
    assert best.metrics.score == pytest.approx(0.75)
    assert best.schedule["export_mw"].between_time("18:00", "19:59").tolist() == pytest.approx([0.75] * 4)
    assert rule.metrics.score == pytest.approx(0.5)


@pytest.mark.parametrize(("share", "expected", "ruled"), [(1.0, 0.5, 0.0), (2 / 3, 1.0, 1.0), (0.67, 0.5, 0.0)])
def test_a_share_of_days_spares_the_weakest(share: float, expected: float, ruled: float) -> None:
    """Sun of 2, 0 and 2 MWh. All days: day 1's sun serves two evenings, 0.5 MW. Two of three: the dark day is
    spared, 1 MW. 0.67 of three days is more than two: none may be spared.
    """
    options = {"name": "firm_delivery", "window": ["18:00", "20:00"], "period": "month", "share_of_days": share}
    rule, best = both(days([2.0, 0.0, 2.0]).but(strategy=options))
    assert best.metrics.score == pytest.approx(expected)
    assert rule.metrics.score == pytest.approx(ruled, abs=1e-9)
    assert best.report is not None
    assert best.report.gap <= 1e-9
    check_replay(best)


def test_each_month_counts_alike() -> None:
    """Two days in May, one in June: the mean of the months' blocks, not of the days'."""
    options = {"name": "firm_delivery", "window": ["18:00", "20:00"], "period": "month"}
    of = days([1.0, 1.0, 2.0], start="2025-05-30 00:00").but(strategy=options)
    assert of.optimize().metrics.score == pytest.approx((0.5 + 1.0) / 2.0)


@pytest.mark.parametrize("seed", range(12))
def test_choices_and_one_way_are_exact_together(seed: int) -> None:
    """The plan's objective is that of one mixed-integer program with every binary at once."""
    options = {"name": "firm_delivery", "window": ["00:00", "23:00"], "period": "month", "share_of_days": 0.5}
    scenario = random_case(seed, steps=10).but(strategy=options, site={"curtailment": seed % 2 == 0}).scenario()
    try:
        plan = bo.optimize(scenario)
    except bo.InfeasibleError:
        return
    stated_plant = plant_of(scenario)
    active = activate(scenario, stated_plant)
    m, _ = assemble.model_of(stated_plant, active)
    add_one_way(m, stated_plant, pairs_of(stated_plant))
    joint = Solver(expand(m), scenario.solver, scale_mw=stated_plant.scale_mw).solve()
    assert plan.report is not None
    assert plan.report.objective == pytest.approx(-joint.objective, rel=1e-5, abs=1e-6)
    assert plan.metrics.score == pytest.approx(plan.report.objective, rel=1e-6, abs=1e-6)


def test_choices_that_turn_out_dearer_are_made_again_with_one_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first choice is spoilt: nobody spared, 0.5 MW. The bound says that it is not the best, so the choices
    and the one-way rule are decided together: 1 MW.
    """
    spoilt, held = [], Program.with_choices_held

    def first_spares_nobody(program: Program, x: np.ndarray) -> Program:
        x = x.copy()
        if not spoilt:
            x[program.variables["spared"].slice] = 0.0
        spoilt.append(program)
        return held(program, x)

    monkeypatch.setattr(Program, "with_choices_held", first_spares_nobody)
    options = {"name": "firm_delivery", "window": ["18:00", "20:00"], "period": "month", "share_of_days": 0.7}
    best = days([2.0, 0.0, 2.0, 2.0]).but(strategy=options).optimize()
    assert len(spoilt) == 2
    assert best.metrics.score == pytest.approx(1.0)
    assert best.report.gap <= 1e-9


# ------------------------------------------------------------------------------------------------------- clock


def test_a_window_over_midnight_is_one_delivery() -> None:
    """22:00 to 02:00 belongs to the day on which it begins, also in the last night of a month."""
    index = pd.date_range("2025-05-31 00:00", periods=48, freq="h", tz="UTC")
    found = deliveries(index, "22:00", "02:00", "month", 1.0)
    assert found.of_step[[0, 1, 2, 21, 22, 23, 24, 25, 26, 46]].tolist() == [0, 0, -1, -1, 1, 1, 1, 1, -1, 2]
    assert found.length.tolist() == [2, 4, 2]
    assert found.period.tolist() == [0, 0, 1]
    ending = deliveries(index, "22:00", "24:00", "day", 1.0)
    assert ending.of_step[[23, 24, 47]].tolist() == [0, -1, 1]


def test_hour_of_daylight_saving() -> None:
    """01:00 to 04:00 has two hours in Berlin on 30 March: 1 MW from 2 MWh; counted as three, 0.67."""
    of = firm(
        {"window": ["01:00", "04:00"]},
        solar_mw=[0.0] * 5,
        battery={"soc_start": 1.0},
        site=NO_GRID,
        start="2025-03-30 00:00",
        zone="Europe/Berlin",
    )
    for twin in both(of):
        assert twin.metrics.score == pytest.approx(1.0)


@pytest.mark.parametrize("step_min", [60, 15, 5])
@pytest.mark.parametrize("topology", ["parallel_ac", "series_dc", "hybrid"])
@pytest.mark.parametrize(("options", "expected"), [({"block_mw": 1.5}, 1.0), ({}, 1.0)])
def test_same_score_at_every_step_length(
    topology: str, step_min: int, options: dict[str, Any], expected: float
) -> None:
    """0.5 MW short for two hours, or 1 MW firm, in steps of any length (rule 3)."""
    sun = np.repeat([2.0, 2.0, 0.0, 0.0], 60 // step_min)
    site = NO_GRID | ({"dc_share": 0.5} if topology == "hybrid" else {})
    rule, best = both(firm(options, solar_mw=sun, step_min=step_min, battery={"topology": topology}, site=site))
    assert best.metrics.score == pytest.approx(expected)
    assert rule.metrics.score == pytest.approx(expected)
    check_replay(best)


def test_without_a_delivery_the_score_is_0_and_a_finding_says_so() -> None:
    of = firm({"window": ["03:00", "04:00"]})
    for twin in both(of):
        assert twin.metrics.score == 0.0
        assert [f.where for f in twin.findings.warnings] == ["strategy.window"]


# ---------------------------------------------------------------------------------------------- over all cases


@pytest.mark.parametrize(
    "options",
    [
        {"block_mw": 0.7},
        {},
        {"period": "month", "window": ["00:00", "23:00"]},
        {"period": "month", "window": ["00:00", "23:00"], "share_of_days": 0.5},
    ],
    ids=["block", "day", "month", "share"],
)
def test_the_rule_is_never_better(options: dict[str, Any]) -> None:
    """Random cases over topologies, permissions, step lengths and end conditions."""
    seen = 0
    for seed in range(9):
        given = {"name": "firm_delivery", "window": ["20:00", "22:00"]} | options
        found = compared(random_case(seed).but(strategy=given))
        if found is not None:
            seen += 1
            check_replay(found[1])
            check_idle(random_case(seed).but(strategy=given))
    assert seen > 3


def test_the_rule_meets_the_end() -> None:
    of = days([2.0, 2.0], battery={"soc_start": 0.5, "soc_end": "at_least_start"}, site={})
    rule, best = both(of)
    assert rule.metrics.end_shortfall_mwh == pytest.approx(0.0, abs=1e-9)
    assert best.metrics.score >= rule.metrics.score - 1e-9


# ----------------------------------------------------------------------------------------------------- options


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"window": ["18:00", "18:00"]}, r"strategy\.window: found \['18:00', '18:00'\]"),
        ({"block_mw": -1.0}, r"strategy\.block_mw: found -1\.0; give a number >= 0 MW"),
        ({"blok_mw": 1.0}, r"unknown key 'blok_mw'; did you mean 'block_mw'\?"),
        ({"period": "week"}, r"strategy\.period: found 'week'"),
        (
            {"period": "month", "share_of_days": 0.0},
            r"strategy\.share_of_days: found 0\.0; give a number > 0 and <= 1",
        ),
        (
            {"share_of_days": 0.9},
            r"share_of_days: found 0\.9 with period = \"day\"; a share of days needs period = \"month\"",
        ),
        ({"block_mw": 1.0, "period": "month"}, r"period: is given beside block_mw = 1; a given block has no period"),
        ({"block_mw": 1.0, "share_of_days": 0.9}, r"share_of_days: is given beside block_mw = 1"),
    ],
)  # fmt: skip
def test_wrong_options_are_refused(options: dict[str, Any], message: str) -> None:
    for verb in (bo.optimize, bo.simulate):
        with pytest.raises(bo.StrategyError, match=message):
            verb(firm(options).scenario())


def test_the_catalogue_shows_unit_and_sense_of_the_defaults() -> None:
    row = bo.strategies().loc["firm_delivery"]
    assert (row["score_unit"], row["score_sense"]) == ("MW", "max")


@pytest.mark.parametrize("old", ["flat_day", "firm_capacity"])
def test_old_names_lead_here(old: str) -> None:
    with pytest.raises(bo.StrategyError, match="it is now called 'firm_delivery'"):
        firm().but(strategy=old).optimize()
