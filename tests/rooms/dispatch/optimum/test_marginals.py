"""Exact subgradients: what one more MW or MWh is worth, against the optimum of the changed scenario."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.cases import Case, case
from support.places import ROOT

import bess_opt as bo
from bess_opt.dispatch.optimum import explain
from bess_opt.dispatch.optimum.marginals import SIZES, Marginals, marginals, subgradient
from bess_opt.dispatch.optimum.solve_scenario import solve_scenario

SCENARIOS = ROOT / "scenarios"


def resized(scenario: bo.Scenario, size: str, change: float) -> bo.Scenario:
    battery = scenario.battery
    if size == "power_mw":
        power = battery.power_mw + change
        return scenario.replace(battery={"power_mw": power, "duration_h": battery.energy_mwh / power})
    if size == "energy_mwh":
        return scenario.replace(battery={"duration_h": (battery.energy_mwh + change) / battery.power_mw})
    return scenario.replace(site={size: getattr(scenario.site, size) + change})


def worth(scenario: bo.Scenario) -> float:
    return -solve_scenario(scenario).found.solution.objective


def differences(scenario: bo.Scenario, size: str) -> tuple[float, float]:
    """(slope below, slope above) of the re-solved optimum."""
    step = 1e-4
    here = worth(scenario)
    below, above = (worth(resized(scenario, size, change)) for change in (-step, step))
    return (here - below) / step, (above - here) / step


def agrees(scenario: bo.Scenario, sizes: tuple[str, ...] = SIZES) -> dict[str, float]:
    """Every stated size: slope and both finite differences are one."""
    slopes = subgradient(solve_scenario(scenario), sizes)
    kinks = 0
    for size, slope in slopes.items():
        if size not in ("power_mw", "energy_mwh") and getattr(scenario.site, size) is None:
            assert slope == 0.0
            continue
        below, above = differences(scenario, size)
        scale = max(1.0, abs(below), abs(above))
        assert above - 1e-4 * scale <= slope <= below + 1e-4 * scale, (size, above, slope, below)
        kinks += below - above > 1e-4 * scale
    assert kinks == 0
    return slopes


@pytest.mark.parametrize("power_mw", [2.3, 3.7])
def test_shipped_arbitrage_behind_a_limit(power_mw: float) -> None:
    """Wear, end condition, SOC window, power and both limits of the connection, with odd sizes: no kinks."""
    scenario = bo.load(SCENARIOS / "solar_merchant")
    cut = scenario.replace(
        series=scenario.series.loc["2025-01-06":"2025-01-19"],  # type: ignore[misc]
        battery={"power_mw": power_mw, "duration_h": 3.3},
        site={"import_limit_mw": 3.1, "export_limit_mw": 5.9},
    )
    slopes = agrees(cut)
    assert slopes["power_mw"] > 0.0
    assert slopes["energy_mwh"] > 0.0
    assert slopes["export_limit_mw"] > 0.0


def test_shipped_dc_plant() -> None:
    """A DC bus whose inverter clips: the inverter's rating is worth something too."""
    scenario = bo.load(SCENARIOS / "solar_evening")
    cut = scenario.replace(
        series=scenario.series.loc["2025-04-07":"2025-04-13"],  # type: ignore[misc]
        battery={"power_mw": 3.7},
        site={"inverter_mw": 4.9, "export_limit_mw": 7.0},
        strategy="arbitrage",
    )
    assert agrees(cut)["inverter_mw"] > 0.0


def demanding(**changes: Any) -> Case:
    """Three days with a load, a demand charge and a warranty; prices above zero."""
    rng = np.random.default_rng(11)
    basis: dict[str, Any] = {
        "power_mw": 0.83,
        "duration_h": 2.7,
        "technology": "modern_lfp",
        "soc_start": 0.4,
    }
    basis |= {"soc_end": "at_least_start", "max_cycles_per_day": 0.9, "wear_cost_per_mwh": 2.0}
    return case(
        battery=basis | changes,
        site={"import_limit_mw": 2.93},
        tariff={"demand": [{"price_per_mw_month": 4000.0, "interval_min": 60}]},
        step_min=30,
        load_mw=rng.uniform(0.6, 2.4, 144),
        price_per_mwh=rng.uniform(20.0, 90.0, 144),
    )


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"soc_end": {"value_per_mwh": 35.0}},
        {"soc_end": 0.7, "self_discharge_per_h": 0.002},
        {"technology": "standard", "duration_h": 1.3},
    ],
    ids=["warranty", "stored value", "stated end", "c-rate"],
)
def test_every_condition_that_carries_a_size(changes: dict[str, Any]) -> None:
    """Warranty rows, start and end energy, the value of what is stored, and the C-rate as the power limit."""
    agrees(demanding(**changes).scenario())


def test_hybrid_plant() -> None:
    """Part of the array on the DC bus, an inverter of its own: same slopes."""
    rng = np.random.default_rng(3)
    agrees(
        case(
            battery={
                "power_mw": 0.9,
                "duration_h": 1.7,
                "topology": "hybrid",
                "technology": "premium",
                "soc_start": 0.5,
            },
            site={"inverter_mw": 1.1, "dc_share": 0.6, "import_limit_mw": 1.3, "export_limit_mw": 1.45},
            solar_mw=np.clip(3.0 * np.sin(np.arange(48) / 24 * 2 * np.pi), 0.0, None),
            price_per_mwh=rng.uniform(10.0, 90.0, 48),
        ).scenario()
    )


def test_the_start_row_counts() -> None:
    """Full at the start, free at the end, one price: +1 MWh of nameplate is 1 MWh more to sell, at 40.

    A sum that leaves out the start's row sees only the window and calls it worthless.
    """
    solved = solve_scenario(case(price_per_mwh=[40.0] * 4, battery={"soc_start": 1.0}).scenario())
    assert subgradient(solved)["energy_mwh"] == pytest.approx(40.0)


def test_reserve_is_no_size() -> None:
    """A reserve in MWh does not grow with the battery: +1 MWh is free to trade from 10 to 60, worth 50."""
    scenario = case(
        price_per_mwh=[10.0, 60.0],
        energy_min_mwh=[1.0, 1.0],
        battery={"soc_start": 0.5, "duration_h": 2.0, "power_mw": 1.5},
    ).scenario()
    assert subgradient(solve_scenario(scenario))["energy_mwh"] == pytest.approx(
        differences(scenario, "energy_mwh")[1]
    )


def test_closed_ways_are_no_limits() -> None:
    """With the pattern of the one-way rule fixed, a column held at zero does not open with the power rating.

    At negative prices the plan of a lossy battery is cut by the one-way rule; its slope stays that of the pattern.
    """
    scenario = case(
        price_per_mwh=[-50.0, -40.0, -50.0, -45.0, 20.0, 35.0],
        battery={
            "technology": "modern_lfp",
            "soc_start": 0.9,
            "soc_end": "free",
            "power_mw": 0.7,
            "duration_h": 1.9,
        },
        site={"import_limit_mw": 3.0},
    ).scenario()
    solved = solve_scenario(scenario)
    assert len(solved.found.closed) > 0
    for size in ("power_mw", "energy_mwh"):
        below, above = differences(scenario, size)
        slope = subgradient(solved, (size,))[size]
        assert slope == pytest.approx((below + above) / 2, rel=1e-4, abs=1e-4)


def test_one_result_under_three_names() -> None:
    """The typed object, the mapping and the attribute of the explanation are the same figures."""
    plan = demanding().optimize()
    found = explain.marginals(plan)
    assert isinstance(found, Marginals)
    assert found.to_dict() == pytest.approx(subgradient(solve_scenario(plan.scenario)))
    assert plan.explain().attrs["marginals"] == pytest.approx(found.to_dict())
    assert marginals(solve_scenario(plan.scenario)).to_dict() == pytest.approx(found.to_dict())


def test_a_kink_gives_one_of_its_slopes() -> None:
    """A battery just as large as its connection: more of one alone brings nothing, less costs; both agree."""
    scenario = case(
        price_per_mwh=[10.0, 60.0],
        battery={"duration_h": 4.0},
        site={"import_limit_mw": 1.0, "export_limit_mw": 1.0},
    ).scenario()
    slopes = subgradient(solve_scenario(scenario))
    for size in ("power_mw", "import_limit_mw", "export_limit_mw"):
        below, above = differences(scenario, size)
        assert above - 1e-6 <= slopes[size] <= below + 1e-6
