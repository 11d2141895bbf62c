"""Sites to size for: a merchant battery with negative prices, a plant behind a limit, and their money."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

import bess_opt as bo
from support.places import ROOT

SCENARIOS = ROOT / "scenarios"
MONEY = {
    "capital_per_mw": 90_000.0,
    "capital_per_mwh": 110_000.0,
    "fixed_om_per_mw_year": 4_000.0,
    "discount_rate": 0.07,
    "lifetime_years": 15,
    "fade_per_year": 0.0,
}


def merchant(
    days: int = 10, seed: int = 1, *, spread: float = 60.0, lowest: float = -30.0, **changes: Any
) -> bo.Scenario:
    """A battery alone on hourly prices with a daily swing, noise and some negative hours."""
    rng = np.random.default_rng(seed)
    hour = np.arange(24 * days)
    price = 45.0 + spread * np.sin((hour - 9) / 24 * 2 * np.pi) + rng.normal(0.0, 15.0, len(hour))
    index = pd.date_range("2025-03-03", periods=len(hour), freq="h", tz="UTC")
    base = bo.Scenario(
        battery=bo.Battery(power_mw=1.0, duration_h=2.0),
        site={"time_zone": "UTC"},
        series=pd.DataFrame({"price_per_mwh": np.maximum(price, lowest).round(2)}, index=index),
        strategy="arbitrage",
        finance=MONEY | {"horizons_per_year": 365.0 / days},
    )
    return base.replace(**changes) if changes else base


def solar_plant(days: int = 7, **changes: Any) -> bo.Scenario:
    """A week of the shipped plant behind a limit of its connection, without wear."""
    base = bo.load(SCENARIOS / "solar_merchant")
    cut = base.replace(
        series=base.series.loc["2025-04-07":].iloc[: 24 * days],
        battery={"wear_cost_per_mwh": 0.0},
        site={"export_limit_mw": 6.0},
        strategy="arbitrage",
        finance=MONEY | {"horizons_per_year": 365.0 / days},
    )
    return cut.replace(**changes) if changes else cut


def at_size(scenario: bo.Scenario, power_mw: float, energy_mwh: float) -> bo.Scenario:
    return scenario.replace(battery={"power_mw": power_mw, "duration_h": energy_mwh / power_mw})


def npv(plan: bo.Dispatch) -> float:
    """Net present value by hand: yearly cash over the years, less what was paid."""
    finance, battery = plan.scenario.finance, plan.scenario.battery
    assert finance is not None
    assert finance.discount_rate is not None
    assert finance.lifetime_years is not None
    years = sum((1.0 + finance.discount_rate) ** -y for y in range(1, finance.lifetime_years + 1))
    yearly = plan.metrics.net_revenue * (finance.horizons_per_year or 1.0)
    yearly -= finance.fixed_om_per_mw_year * battery.power_mw
    paid = finance.capital_per_mw * battery.power_mw + finance.capital_per_mwh * battery.energy_mwh
    return years * yearly - paid - finance.capital_fixed
