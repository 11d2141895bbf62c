"""energy-py-linear, with its conventions translated, finds the same optimum: also at negative prices.

It needs pandas below 3 and cannot share an environment with this package: the environment variable
BESS_OPT_ENERGYPYLINEAR names the Python of an environment with it (`pip install energypylinear`).
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.cases import LOSSLESS, case

import bess_opt as bo

pytestmark = pytest.mark.second_tier

SCRIPT = Path(__file__).with_name("run_energypylinear.py")
PRICES = np.random.default_rng(20).normal(50.0, 60.0, 72).round(2)  # a third of them negative or near it
CELLS = {"eta_charge": 0.87, "eta_discharge": 1.0, "soc_min": 0.0, "soc_max": 1.0, "c_rate_max": 10.0}


def theirs(scenario: bo.Scenario) -> tuple[np.ndarray, np.ndarray]:
    """Import and export of their plan, MWh per step, for a battery with all losses on charging."""
    python = os.environ.get("BESS_OPT_ENERGYPYLINEAR")
    if python is None:
        pytest.skip("BESS_OPT_ENERGYPYLINEAR names no Python with energy-py-linear")
    battery, cells, series = scenario.battery, scenario.battery.tech, scenario.series
    assert cells.eta_discharge == 1.0
    assert cells.soc_min == 0.0
    words: dict[str, Any] = {
        "power_mw": battery.power_mw,
        "capacity_mwh": battery.energy_mwh,
        "efficiency_pct": cells.eta_charge,
        "initial_charge_mwh": battery.soc_start_resolved * battery.energy_mwh,
        "final_charge_mwh": float(battery.soc_end) * battery.energy_mwh,  # type: ignore[arg-type]
        "electricity_prices": series["import_price_per_mwh"].tolist(),
        "export_electricity_prices": series["export_price_per_mwh"].tolist(),
        "freq_mins": round(scenario.step_h * 60),
    }
    asked = json.dumps({"battery": words})
    done = subprocess.run(
        [python, str(SCRIPT)], input=asked, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr
    flows = json.loads(done.stdout.splitlines()[-1])
    return np.array(flows["import"]), np.array(flows["export"])


@pytest.mark.parametrize(
    ("step_min", "margin", "start"),
    [(60, 0.0, 0.0), (30, 4.0, 0.25), (15, 0.0, 0.5)],
    ids=["hour", "half hour, two prices", "quarter hour, half full"],
)
def test_same_objective(step_min: int, margin: float, start: float) -> None:
    """Net revenue of 72 steps to 1e-6, with prices of both signs and, once, a price to buy above that to sell."""
    battery = {"technology": CELLS, "converters": LOSSLESS, "soc_start": start, "soc_end": start, "power_mw": 1.5}
    columns = {"import_price_per_mwh": PRICES + margin, "export_price_per_mwh": PRICES}
    scenario = case(battery=battery, step_min=step_min, **columns).scenario()
    plan = bo.optimize(scenario)
    bought, sold = theirs(scenario)
    money = float(PRICES @ sold - (PRICES + margin) @ bought)
    assert plan.metrics.net_revenue == pytest.approx(money, rel=1e-6)
    assert plan.metrics.net_revenue > 100.0


def test_losses_on_another_side_are_another_optimum() -> None:
    """What the translation is for: the same round trip split evenly is off by far more than 1e-6."""
    battery = {"technology": CELLS, "converters": LOSSLESS, "soc_start": 0.0, "soc_end": 0.0}
    columns = {"import_price_per_mwh": PRICES, "export_price_per_mwh": PRICES}
    scenario = case(battery=battery, **columns).scenario()
    bought, sold = theirs(scenario)
    split = CELLS | {"eta_charge": 0.87**0.5, "eta_discharge": 0.87**0.5}
    other = bo.optimize(scenario.replace(battery={"technology": split})).metrics.net_revenue
    assert other != pytest.approx(float(PRICES @ (sold - bought)), rel=1e-3)
