"""Export cap: what is above it is stored, what is stored goes out below it, and the rest is lost."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.cases import Case, case, random_case
from support.twins import both, check_idle, check_replay, compared

import bess_opt as bo
from bess_opt.plant.audit import audit
from bess_opt.plant.from_scenario import plant_of
from bess_opt.strategies.shared.discovery import get

NOON = [0.0, 3.0, 3.0, 0.0, 0.0, 0.0]


def capped(options: dict[str, Any] | None = None, **more: Any) -> Case:
    """A lossless 1 MW, 2 MWh battery, empty at first, behind a cap of 2 MW."""
    given = {"cap_mw": 2.0} if options is None else options
    return case(**({"strategy": {"name": "export_cap"} | given, "solar_mw": NOON} | more))


def test_what_fits_is_stored_and_given_back() -> None:
    """1 MWh above the cap in each of two hours fits into 2 MWh. Without a battery 2 MWh are lost, with a cap
    that is not kept the export is 3 MW.
    """
    for twin in both(capped()):
        assert twin.metrics.score == pytest.approx(0.0, abs=1e-9)
        assert (twin.metrics.score_unit, twin.metrics.score_sense) == ("MWh curtailed", "min")
        assert twin.schedule["export_mw"].max() == pytest.approx(2.0)
    rule = bo.simulate(capped().scenario())
    assert rule.schedule["battery_mw"].tolist() == pytest.approx([0.0, -1.0, -1.0, 1.0, 1.0, 0.0])


def test_what_does_not_fit_is_lost() -> None:
    """4 MW of sun: 2 MW above the cap, the battery takes 1: 1 MWh is lost in each of two hours."""
    for twin in both(capped(solar_mw=[0.0, 4.0, 4.0, 0.0])):
        assert twin.metrics.score == pytest.approx(2.0)


def test_the_rule_is_empty_again_the_next_day() -> None:
    """Two such days: a rule that stays full after the first one loses 2 MWh on the second."""
    days = 2 * (NOON + [0.0] * 18)
    rule, best = both(capped(solar_mw=days))
    assert rule.metrics.score == pytest.approx(0.0, abs=1e-9)
    assert best.metrics.score == pytest.approx(0.0, abs=1e-9)
    assert rule.metrics.discharged_mwh == pytest.approx(4.0)


def test_only_the_free_room_is_filled() -> None:
    """1.5 MW of sun under a cap of 2 MW leave 0.5 MW for the battery."""
    rule = bo.simulate(capped(solar_mw=[3.0, 1.5, 1.5, 0.0]).scenario())
    assert rule.schedule["battery_mw"].tolist() == pytest.approx([-1.0, 0.5, 0.5, 0.0])


def test_target_soc_is_kept_by_the_rule() -> None:
    """Down to half of 2 MWh and no further; the window's lower end would be 0."""
    rule = bo.simulate(capped({"cap_mw": 2.0, "target_soc": 0.5}).scenario())
    assert rule.schedule["energy_mwh"].tolist() == pytest.approx([0.0, 1.0, 2.0, 1.0, 1.0, 1.0])


@pytest.mark.parametrize(
    ("site_mw", "cap_mw", "expected"), [(2.0, None, 0.0), (1.0, 2.0, 2.0), (2.0, 1.0, 2.0), (None, 1.0, 2.0)]
)
def test_the_tighter_limit_counts(site_mw: float | None, cap_mw: float | None, expected: float) -> None:
    """Above 1 MW there are 2 + 2 MWh, of which 1 + 1 are stored; above 2 MW 1 + 1, all stored."""
    options = {} if cap_mw is None else {"cap_mw": cap_mw}
    for twin in both(capped(options, site={} if site_mw is None else {"export_limit_mw": site_mw})):
        assert twin.metrics.score == pytest.approx(expected, abs=1e-9)
        assert twin.schedule["export_mw"].max() <= min(m for m in (site_mw, cap_mw) if m is not None) + 1e-9


def test_money_decides_among_plans_that_lose_nothing() -> None:
    """The 2 MWh go out at 50 and 90; the rule, which looks at no price, gives them at 20 and 50."""
    of = capped(price_per_mwh=[0.0, 0.0, 0.0, 20.0, 50.0, 90.0])
    rule, best = both(of)
    assert best.metrics.net_revenue == pytest.approx(140.0)
    assert rule.metrics.net_revenue == pytest.approx(70.0)
    assert best.metrics.score == pytest.approx(0.0, abs=1e-9)


def test_lost_energy_counts_before_money() -> None:
    """Below zero an export costs, yet the sun is not thrown away: 2 MWh go out at -10 in each hour of noon."""
    best = capped(price_per_mwh=[0.0, -10.0, -10.0, 5.0, 5.0, 5.0]).optimize()
    assert best.metrics.score == pytest.approx(0.0, abs=1e-9)
    assert best.metrics.net_revenue == pytest.approx(-40.0 + 10.0)


def test_what_the_inverter_clips_is_stored() -> None:
    """3 MW on the DC bus, an inverter of 2 MW below the cap of 5: 1 MW is stored in each hour, else it is lost."""
    of = capped(
        {"cap_mw": 5.0}, battery={"topology": "series_dc"}, site={"inverter_mw": 2.0}, solar_mw=None, solar_dc_mw=NOON
    )
    of = of.but(series=of.series[["solar_dc_mw"]])
    for twin in both(of):
        assert twin.metrics.score == pytest.approx(0.0, abs=1e-9)
        assert twin.schedule["charge_mw"].sum() == pytest.approx(2.0)


@pytest.mark.parametrize("grid_charging", [True, False])
def test_the_rule_meets_the_end(grid_charging: bool) -> None:
    """Half full at both ends: from the grid just in time, or, where that is forbidden, by keeping what there is."""
    of = capped(
        battery={"soc_start": 0.5, "soc_end": "at_least_start"},
        solar_mw=2 * (NOON + [0.0] * 18),
        site={"grid_charging": grid_charging},
    )
    rule, best = both(of)
    assert rule.metrics.end_shortfall_mwh == pytest.approx(0.0, abs=1e-9)
    assert rule.schedule["energy_mwh"].iloc[:24].min() == pytest.approx(0.0, abs=1e-9)
    assert (rule.metrics.import_mwh > 0.5) == grid_charging
    assert best.metrics.score <= rule.metrics.score + 1e-9


def test_hour_of_daylight_saving() -> None:
    """The 23-hour day in Berlin: clock times appear nowhere, each stamp is one hour."""
    sun = [0.0] * 10 + [3.0, 3.0] + [0.0] * 11
    for twin in both(capped(solar_mw=sun, start="2025-03-30 00:00", zone="Europe/Berlin")):
        assert len(twin.schedule) == 23
        assert twin.metrics.score == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("step_min", [60, 15, 5])
@pytest.mark.parametrize("topology", ["parallel_ac", "series_dc", "hybrid"])
def test_same_loss_at_every_step_length(topology: str, step_min: int) -> None:
    """6 MW for two hours, a cap of 2, 1 MW stored: the loss is 2·3 MWh, in steps of any length (rule 3)."""
    repeat = 60 // step_min
    site = {"dc_share": 0.5} if topology == "hybrid" else {}
    of = capped(
        solar_mw=np.repeat([0.0, 6.0, 6.0, 0.0, 0.0], repeat),
        step_min=step_min,
        battery={"topology": topology},
        site=site,
    )
    rule, best = both(of)
    assert best.metrics.score == pytest.approx(6.0)
    assert rule.metrics.score == pytest.approx(6.0)
    check_replay(best)


def test_the_rule_is_never_better() -> None:
    """Random cases over topologies, permissions, step lengths and end conditions."""
    seen = 0
    for seed in range(10):
        of = random_case(seed)
        if not any("solar" in name and of.series[name].any() for name in of.series):
            continue
        of = of.but(strategy={"name": "export_cap", "cap_mw": 0.8})
        found = compared(of)
        if found is not None:
            seen += found[0].metrics.score > 1e-6
            check_replay(found[1])
            check_idle(of)
    assert seen >= 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, r"strategy\.cap_mw: is missing, and not every step has an export limit; give one of the two"),
        ({"cap_mw": -1.0}, r"strategy\.cap_mw: found -1\.0; give a number >= 0 MW"),
        ({"cap_mw": 2.0, "target_soc": 1.5}, r"strategy\.target_soc: found 1\.5; give a number >= 0 and <= 1"),
        (
            {"cap_mw": 2.0, "target_soc": 0.05},
            r"strategy\.target_soc: found 0\.05; give a number in the SOC window, 0\.1 to 0\.95",
        ),
        ({"cap": 2.0}, r"unknown key 'cap'; did you mean 'cap_mw'\?"),
    ],
)  # fmt: skip
def test_wrong_options_are_refused(options: dict[str, Any], message: str) -> None:
    scenario = capped(options, battery={"technology": "modern_lfp", "soc_start": 0.5}).scenario()
    for verb in (bo.optimize, bo.simulate):
        with pytest.raises(bo.StrategyError, match=message):
            verb(scenario)
    assert any(f.code == "strategy" for f in bo.validate(scenario).errors)


def test_no_sun_nothing_to_cap() -> None:
    of = capped(solar_mw=[0.0, 0.0])
    with pytest.raises(bo.StrategyError, match="'export_cap' needs solar"):
        of.optimize()


def test_the_audit_reads_the_cap() -> None:
    """A schedule that exports 0.1 MW more than the cap is named, whatever the site's own limit."""
    of = capped()
    plan, options = of.optimize(), get("export_cap").options(cap_mw=2.0)
    plant = get("export_cap").restrict(plant_of(of.scenario()), options)
    checks = [lambda schedule, data: get("export_cap").checks(schedule, data, options)]
    assert audit(plan.schedule, plant, checks) == ()
    plan.schedule.loc[plan.schedule.index[1], "export_mw"] += 0.1
    assert "export_cap keeps the cap" in {v.law for v in audit(plan.schedule, plant, checks)}


@pytest.mark.parametrize("old", ["cap_shaving", "cap_shaving_balanced", "soft_cap_shaving"])
def test_old_names_lead_here(old: str) -> None:
    with pytest.raises(bo.StrategyError, match="it is now called 'export_cap'"):
        capped(strategy=old).optimize()
