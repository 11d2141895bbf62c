"""Limits that change from step to step: on grid, battery power and stored energy, and energy drawn from the cells.

Worked out by hand for a lossless battery of 1 MW and 2 MWh.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import bess_opt as bo
from bess_opt.dispatch.without_battery import dispatch_without_battery
from bess_opt.investment.lifetime.without_battery import without_battery

LOSSLESS = {"eta_charge": 1.0, "eta_discharge": 1.0, "soc_min": 0.0, "soc_max": 1.0, "c_rate_max": 2.0}
CONVERTERS = {"ac_to_dc": 1.0, "dc_to_ac": 1.0, "dc_to_dc": 1.0}


def site(columns: dict[str, list[float]], *, strategy: Any = "arbitrage", **tables: Any) -> bo.Scenario:
    """Hours of 2 June 2025 in Berlin; the battery starts empty."""
    length = len(next(iter(columns.values())))
    index = pd.date_range("2025-06-02", periods=length, freq="h", tz="Europe/Berlin")
    battery = {
        "power_mw": 1.0, "duration_h": 2.0, "technology": LOSSLESS, "converters": CONVERTERS, "soc_start": 0.0,
        "soc_end": "free",
    } | tables.pop("battery", {})  # fmt: skip
    return bo.Scenario(battery=battery, series=pd.DataFrame(columns, index=index), strategy=strategy, **tables)


def test_the_lower_of_series_and_site_limit_holds() -> None:
    """Buys 0.5 + 0.3 at 0, sells both at 100. With the series alone 1.3 MWh, with the site's limit alone 1.0."""
    of = site({"price_per_mwh": [0.0, 0.0, 100.0], "import_limit_mw": [0.8, 0.3, 9.0]}, site={"import_limit_mw": 0.5})
    plan = bo.optimize(of)
    assert plan.schedule["import_mw"].tolist() == pytest.approx([0.5, 0.3, 0.0])
    assert plan.metrics.net_revenue == pytest.approx(80.0)


def test_an_export_limit_over_time() -> None:
    """Full by 02:00; 100 is paid where 0.2 MW may leave, 60 where 0.7 may."""
    of = site({"price_per_mwh": [0.0, 0.0, 100.0, 60.0], "export_limit_mw": [1.0, 1.0, 0.2, 0.7]})
    plan = bo.optimize(of)
    assert plan.metrics.net_revenue == pytest.approx(0.2 * 100.0 + 0.7 * 60.0)
    assert bo.replay(plan).metrics.net_revenue == pytest.approx(plan.metrics.net_revenue)


def test_charge_and_discharge_limits_over_time() -> None:
    of = site({
        "price_per_mwh": [0.0, 0.0, 100.0, 60.0],
        "charge_limit_mw": [0.4, 0.0, 1.0, 1.0],
        "discharge_limit_mw": [1.0, 1.0, 0.1, 1.0],
    })  # fmt: skip
    plan = bo.optimize(of)
    assert plan.schedule["battery_mw"].tolist() == pytest.approx([-0.4, 0.0, 0.1, 0.3])
    assert plan.metrics.net_revenue == pytest.approx(10.0 + 18.0)


def test_a_rule_is_held_to_the_limits_of_its_step() -> None:
    of = site({
        "price_per_mwh": [0.0, 0.0, 100.0, 60.0],
        "charge_limit_mw": [0.4, 0.2, 1.0, 1.0],
        "discharge_limit_mw": [1.0, 1.0, 0.1, 1.0],
        "import_limit_mw": [0.3, 1.0, 1.0, 1.0],
    })  # fmt: skip
    rooms: list[tuple[float, float]] = []

    def rule(state: Any) -> float:
        rooms.append((state.charge_room_mw, state.discharge_room_mw))
        return -1.0 if state.step < 2 else 1.0

    run = bo.simulate(of, rule=rule)
    assert run.schedule["battery_mw"].tolist() == pytest.approx([-0.3, -0.2, 0.1, 0.4])
    assert np.allclose(rooms, [(0.4, 0.0), (0.2, 0.3), (1.0, 0.1), (1.0, 0.4)])
    assert run.schedule["limited_by"].tolist() == ["import limit", "power", "power", "energy"]


def test_most_energy_holds_at_the_end_of_its_step() -> None:
    """0.5 MWh may be there at 01:00, 1.5 at 02:00: the row of 00:00 holds at 01:00."""
    of = site({"price_per_mwh": [-1.0, -1.0, 100.0], "energy_max_mwh": [0.5, 1.2, 9.0]})
    plan = bo.optimize(of)
    assert plan.schedule["energy_mwh"].tolist() == pytest.approx([0.5, 1.2, 0.2])


def test_what_is_drawn_is_taken_without_loss_and_must_be_met() -> None:
    """A car draws 1 MW from 01:00; charging in the same step counts. Cells at 0.8 on the way in."""
    lossy = LOSSLESS | {"eta_charge": 0.8}
    of = site(
        {"price_per_mwh": [10.0, 40.0, 45.0], "drawn_mw": [0.0, 1.0, 0.0]},
        battery={"technology": lossy, "soc_end": "equal"},
    )
    plan = bo.optimize(of)
    # 0.8 MWh at 10 fill the cells in the first hour, 0.2/0.8 MWh at 40 the rest; nothing is left to sell.
    assert plan.metrics.net_revenue == pytest.approx(-10.0 - 40.0 * 0.25)
    assert plan.metrics.drawn_mwh == pytest.approx(1.0)
    assert plan.metrics.losses_mwh == pytest.approx(0.2 * 1.25)
    assert plan.metrics.equivalent_full_cycles == pytest.approx(0.5)
    assert plan.metrics.balance_residual_mwh == pytest.approx(0.0, abs=1e-9)
    assert plan.metrics.energy_efficiency == pytest.approx(1.0 / 1.25)
    assert bo.replay(plan).schedule["energy_mwh"].tolist() == pytest.approx(plan.schedule["energy_mwh"].tolist())


def test_drawing_more_than_there_can_be_is_infeasible_with_the_time() -> None:
    of = site({"price_per_mwh": [1.0, 1.0, 1.0], "drawn_mw": [0.0, 2.5, 0.0]})
    with pytest.raises(bo.InfeasibleError, match="02:00") as caught:
        bo.optimize(of)
    assert any("drawn_mw" in reason.where for reason in caught.value.reasons)
    with pytest.raises(bo.InfeasibleError, match=r"series\.drawn_mw: in the step at 2025-06-02 01:00"):
        bo.simulate(of, rule=lambda state: -1.0)


def test_without_a_battery_nothing_is_drawn_from_it() -> None:
    """The site alone has its load to pay for, whatever cars the battery would have been."""
    of = site(
        {"price_per_mwh": [10.0, 10.0], "load_mw": [1.0, 1.0], "drawn_mw": [0.5, 0.0], "energy_max_mwh": [1.5, 0.0]},
        finance={"capital_per_mwh": 100.0, "present_value_factor": 1.0, "horizons_per_year": 1.0},
        battery={"soc_start": 0.5, "soc_end": 0.0},
    )
    assert dispatch_without_battery(of).metrics.net_revenue == pytest.approx(-20.0)
    assert without_battery(of) == pytest.approx(-20.0)


def test_charge_power_of_its_own() -> None:
    """Half a MW in, one MW out; the nameplate stays power times duration."""
    of = site({"price_per_mwh": [0.0, 0.0, 0.0, 100.0]}, battery={"charge_power_mw": 0.5})
    plan = bo.optimize(of)
    assert of.battery.energy_mwh == 2.0
    assert plan.schedule["charge_mw"].max() == pytest.approx(0.5)
    assert plan.metrics.net_revenue == pytest.approx(100.0)


def test_floor_above_ceiling_names_the_row() -> None:
    of = site({"price_per_mwh": [1.0, 1.0], "energy_min_mwh": [0.0, 1.0], "energy_max_mwh": [2.0, 0.5]})
    with pytest.raises(bo.InfeasibleError, match=r"energy_m.*2025-06-02 02:00"):
        bo.optimize(of)


@pytest.mark.parametrize("name", ["import_limit_mw", "charge_limit_mw", "energy_max_mwh", "drawn_mw"])
def test_a_limit_below_zero_is_refused(name: str) -> None:
    with pytest.raises(bo.ScenarioError, match=name):
        site({"price_per_mwh": [1.0, 1.0], name: [1.0, -0.1]})


def test_limits_that_never_bind_change_nothing() -> None:
    rng = np.random.default_rng(4)
    prices = {"price_per_mwh": rng.normal(50.0, 40.0, 72).tolist(), "solar_mw": rng.uniform(0.0, 2.0, 72).tolist()}
    wide = {name: [1e3] * 72 for name in ("import_limit_mw", "export_limit_mw", "charge_limit_mw", "energy_max_mwh")}
    plain, limited = bo.optimize(site(prices)), bo.optimize(site(prices | wide | {"drawn_mw": [0.0] * 72}))
    assert plain.schedule.equals(limited.schedule)


def test_sizing_under_limits_over_time_keeps_its_bound_and_the_share_of_charge_power() -> None:
    """No size of a grid is worth more than the bound, each with 0.6 MW of charge power per MW."""
    rng, steps = np.random.default_rng(1), 24
    of = site(
        {
            "price_per_mwh": rng.normal(60.0, 40.0, steps).clip(1.0).tolist(),
            "charge_limit_mw": rng.uniform(0.2, 3.0, steps).tolist(),
            "import_limit_mw": rng.uniform(0.5, 3.0, steps).tolist(),
            "energy_max_mwh": rng.uniform(1.0, 6.0, steps).tolist(),
        },
        battery={"soc_end": "equal", "charge_power_mw": 0.6},
        finance={
            "capital_per_mw": 100.0, "capital_per_mwh": 60.0, "present_value_factor": 1.0, "horizons_per_year": 1.0
        },
    )  # fmt: skip
    best = bo.size(of, (0.2, 3.0), (0.5, 4.0))
    assert best.value == pytest.approx(best.bound, rel=1e-3)
    for power in (0.2, 1.0, 1.45, 3.0):
        for duration in (0.5, 0.75, 2.0, 4.0):
            size = {"power_mw": power, "duration_h": duration, "charge_power_mw": 0.6 * power}
            revenue = bo.optimize(of.replace(battery=size)).metrics.net_revenue
            assert revenue - 100.0 * power - 60.0 * power * duration <= best.bound + 1e-6
