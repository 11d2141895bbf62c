"""PyPSA, with its conventions translated, finds the same optimum for arbitrage and for a site with sun and load."""

from __future__ import annotations

import logging
import warnings
from typing import Any

import numpy as np
import pytest
from support.cases import LOSSLESS, case

import bess_opt as bo

pypsa = pytest.importorskip("pypsa", reason="the extra peers is not installed", exc_type=ImportError)
pytestmark = [pytest.mark.second_tier, pytest.mark.filterwarnings("ignore")]

HOURS = np.arange(24 * 14)
PRICES = (60.0 + 30.0 * np.sin(HOURS * 2 * np.pi / 24) + np.random.default_rng(4).normal(0.0, 8.0, len(HOURS))).clip(
    1
)
CELLS = {"eta_charge": 0.95, "eta_discharge": 0.93, "soc_min": 0.1, "soc_max": 0.9, "c_rate_max": 10.0}
BATTERY = {"technology": CELLS, "converters": LOSSLESS, "soc_start": 0.3, "soc_end": 0.5, "wear_cost_per_mwh": 1.5}
FLOORLESS = CELLS | {"soc_min": 0.0, "soc_max": 1.0}  # their standing loss does not see what lies below the window


def network(scenario: bo.Scenario) -> Any:
    """The scenario as a PyPSA network: one bus, grid both ways, sun, load and a storage unit."""
    battery, cells, series, site = scenario.battery, scenario.battery.tech, scenario.series, scenario.site
    n = pypsa.Network(snapshots=series.index.tz_localize(None))
    n.snapshot_weightings = n.snapshot_weightings.astype(float) * scenario.step_h
    n.add("Bus", "site")
    both = series.get("price_per_mwh")
    buy, sell = (series[f"{way}_price_per_mwh"] if both is None else both for way in ("import", "export"))
    n.add("Generator", "import", bus="site", p_nom=site.import_limit_mw or 1e3, marginal_cost=buy.to_numpy())
    n.add(
        "Generator", "export", bus="site", p_nom=site.export_limit_mw or 1e3, p_min_pu=-1.0, p_max_pu=0.0,
        marginal_cost=sell.to_numpy(),
    )  # fmt: skip
    if "solar_mw" in series:
        peak = series["solar_mw"].max()
        n.add("Generator", "sun", bus="site", p_nom=peak, p_max_pu=series["solar_mw"].to_numpy() / peak)
    if "load_mw" in series:
        n.add("Load", "load", bus="site", p_set=series["load_mw"].to_numpy())
    usable = (cells.soc_max - cells.soc_min) * battery.energy_mwh
    start = (battery.soc_start_resolved - cells.soc_min) * battery.energy_mwh
    start *= (1.0 - battery.self_discharge_per_h) ** scenario.step_h  # theirs does not fade in the first step
    end = np.full(len(series), np.nan)
    end[-1] = (float(battery.soc_end) - cells.soc_min) * battery.energy_mwh  # type: ignore[arg-type]
    n.add(
        "StorageUnit", "battery", bus="site", p_nom=battery.power_mw, max_hours=usable / battery.power_mw,
        efficiency_store=cells.eta_charge, efficiency_dispatch=cells.eta_discharge,
        standing_loss=battery.self_discharge_per_h, marginal_cost=battery.wear_cost_per_mwh,
        state_of_charge_initial=start,
        cyclic_state_of_charge=False, state_of_charge_set=end,
    )  # fmt: skip
    return n


def theirs(scenario: bo.Scenario) -> float:
    """Their optimum as money received."""
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            n = network(scenario)
            status, condition = n.optimize(solver_name="highs", log_to_console=False)
    finally:
        logging.disable(logging.NOTSET)
    assert (status, condition) == ("ok", "optimal")
    return -float(n.objective)


CASES: dict[str, dict[str, Any]] = {
    "arbitrage": {"price_per_mwh": PRICES},
    "quarter hours": {"price_per_mwh": PRICES, "step_min": 15},
    "self-discharge": {
        "price_per_mwh": PRICES,
        "battery": BATTERY | {"technology": FLOORLESS, "self_discharge_per_h": 0.002},
        "step_min": 30,
    },
    "sun and load behind limits": {
        "import_price_per_mwh": PRICES + 20.0,
        "export_price_per_mwh": PRICES - 15.0,
        "solar_mw": 4.0 * np.maximum(0.0, np.sin((HOURS - 6) * np.pi / 12)),
        "load_mw": 1.0 + 0.5 * np.cos(HOURS / 7.0),
        "site": {"import_limit_mw": 2.0, "export_limit_mw": 1.5},
    },
}


@pytest.mark.parametrize("name", CASES)
def test_same_objective(name: str) -> None:
    """Cash less wear over 336 steps, to 1e-6. Prices are positive, so that no converter gains by running in and out at once."""
    scenario = case(**({"battery": BATTERY} | CASES[name])).scenario()
    plan = bo.optimize(scenario)
    assert plan.report is not None
    assert plan.report.objective == pytest.approx(theirs(scenario), rel=1e-6)
    assert abs(plan.report.objective) > 100.0
    assert plan.metrics.equivalent_full_cycles > 1.0


def test_the_translation_matters() -> None:
    """Nameplate energy in place of the usable one is off by percents: equality above is no accident."""
    scenario = case(battery=BATTERY, price_per_mwh=PRICES).scenario()
    wide = case(battery=BATTERY | {"technology": FLOORLESS}, price_per_mwh=PRICES).scenario()
    assert theirs(scenario) != pytest.approx(theirs(wide), rel=1e-2)
