"""A rule that cannot meet a limit ends with the limit and the time, never with a failed audit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.cases import IDEAL, case

import bess_opt as bo
from bess_opt.plant.from_scenario import plant_of
from bess_opt.plant.steps.transition import transition

HALF = IDEAL | {"soc_min": 0.5}

FORCED: dict[str, tuple[dict[str, Any], str]] = {
    "a reserve that rises faster than the battery charges": (
        {"price_per_mwh": [1.0, 1.0, 1.0], "energy_min_mwh": [0.0, 2.0, 2.0]},
        "series.energy_min_mwh: in the step at 2025-06-02 01:00 the battery comes to 1 MWh, "
        "the reserve asks for 2 MWh; keep more in store before, or give the battery more power",
    ),
    "self-discharge beyond rated power at the floor": (
        {
            "price_per_mwh": [1.0, 1.0],
            "battery": {"duration_h": 8.0, "technology": HALF, "soc_start": 0.5, "self_discharge_per_h": 0.5},
        },
        "battery.self_discharge_per_h: in the step at 2025-06-02 00:00 the battery comes to 3 MWh, "
        "the SOC window begins at 4 MWh",
    ),
    "a reserve that only the forbidden grid can fill": (
        {"price_per_mwh": [1.0, 1.0], "energy_min_mwh": [0.0, 0.5], "site": {"grid_charging": False}},
        "site.grid_charging: at 2025-06-02 01:00 the battery has to take 0.5 MW from the grid; "
        "keep more in store before, or allow it",
    ),
    "a ceiling that only the forbidden grid can help under": (
        {
            "price_per_mwh": [1.0, 1.0],
            "energy_max_mwh": [2.0, 1.5],
            "battery": {"soc_start": 1.0},
            "site": {"battery_export": False},
        },
        "site.battery_export: at 2025-06-02 01:00 the battery has to give 0.5 MW to the grid; "
        "keep less in store before, or allow it",
    ),
    "a load that takes more than a day's warranty cycles": (
        {
            "price_per_mwh": [1.0] * 4,
            "load_mw": [0.0, 2.0, 2.0, 0.0],
            "battery": {"soc_start": 1.0, "max_cycles_per_day": 0.5},
            "site": {"import_limit_mw": 1.0},
        },
        "battery.max_cycles_per_day: on 2025-06-02 the load asks for 1 cycles, the limit is 0.5; "
        "raise it, or site.import_limit_mw",
    ),
    "a load beyond connection and battery": (
        {"price_per_mwh": [1.0, 1.0], "load_mw": [0.0, 3.0], "site": {"import_limit_mw": 1.0}},
        "site.import_limit_mw: at 2025-06-02 01:00 the site takes 3 MW, the limit is 1 MW",
    ),
    "PV that may not be curtailed": (
        {
            "price_per_mwh": [1.0, 1.0],
            "solar_mw": [0.0, 3.0],
            "battery": {"soc_start": 1.0},
            "site": {"export_limit_mw": 1.0, "curtailment": False},
        },
        "site.export_limit_mw: at 2025-06-02 01:00 the site gives 3 MW, the limit is 1 MW",
    ),
}


@pytest.mark.parametrize("name", FORCED)
def test_a_forced_power_is_infeasible_with_the_time(name: str) -> None:
    """An idle rule runs into each limit; before, the first four ended as AuditError or broke rated power."""
    given, message = FORCED[name]
    with pytest.raises(bo.InfeasibleError) as caught:
        bo.simulate(case(**given).scenario(), rule=lambda _state: 0.0)
    assert message in str(caught.value)


def test_a_battery_that_may_not_feed_the_grid_is_not_made_to() -> None:
    """A ceiling cannot fall, so only a replay of set points could: those are cut back to the load."""
    given = case(
        price_per_mwh=[1.0, 1.0], load_mw=[0.2, 0.2], battery={"soc_start": 1.0}, site={"battery_export": False}
    )
    made = bo.simulate(given.scenario(), rule=lambda _state: 1.0)
    np.testing.assert_allclose(made.schedule["discharge_mw"], 0.2)


def test_a_step_never_exceeds_rated_power() -> None:
    """At the floor with 50 % self-discharge an hour, 4 MWh are missing and 1 MW is what the battery takes."""
    given = case(price_per_mwh=[1.0, 1.0], battery={"duration_h": 8.0, "self_discharge_per_h": 0.5})
    storage = plant_of(given.scenario()).storage
    power, after, by = transition(storage, 4.0, 0.0, 4.0, 8.0, 1.0)
    assert (power, by) == (-1.0, "energy")
    assert after == pytest.approx(3.0)
    power, after, by = transition(storage, 16.0, 0.0, 0.0, 4.0, 1.0)
    assert (power, by) == (1.0, "energy")
    assert after == pytest.approx(7.0)


def test_a_rule_that_misses_the_end_is_replayed() -> None:
    """The miss is a figure of the plan and of its replay, no fault."""
    site = case(price_per_mwh=[1.0, 1.0], battery={"soc_start": 0.5, "soc_end": "equal"}).scenario()
    ruled = bo.simulate(site, rule=lambda _state: 0.25)
    again = bo.replay(ruled)
    assert ruled.metrics.end_shortfall_mwh == pytest.approx(0.5)
    assert again.metrics.end_shortfall_mwh == pytest.approx(0.5)
