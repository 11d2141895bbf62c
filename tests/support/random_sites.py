"""Random sites to size for, with everything that makes a value bend: kinks, equal limits, flat prices, large loads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

import bess_opt as bo

TOPOLOGIES = ("parallel_ac", "parallel_ac", "series_dc", "hybrid")


@dataclass(frozen=True)
class Question:
    """A scenario and what `bo.size` is asked about it."""

    scenario: bo.Scenario
    ranges: dict[str, Any]
    objective: str

    def sizes(self, points: int) -> list[tuple[float, float]]:
        """A grid of the sizes that may be bought, (MW, MWh); no battery is left out."""
        (p0, p1), (h0, h1) = self.ranges["power_mw"], self.ranges["duration_h"]
        if "module" in self.ranges:
            power, energy = self.ranges["module"]
            blocks = [(n * power, n * energy) for n in range(1, int(p1 / power + 1e-9) + 1)]
            return [(p, e) for p, e in blocks if p0 - 1e-9 <= p and h0 - 1e-9 <= e / p <= h1 + 1e-9]
        powers, hours = np.linspace(p0, p1, points), np.linspace(h0, h1, points)
        step_p, step_e = self.ranges.get("power_step_mw"), self.ranges.get("energy_step_mwh")
        if step_p:
            powers = step_p * np.arange(np.ceil(p0 / step_p - 1e-9), np.floor(p1 / step_p + 1e-9) + 1)
        if not step_e:
            return [(float(p), float(p * h)) for p in powers for h in hours if p > 0.0 and h > 0.0]
        energies = step_e * np.arange(1, np.floor(p1 * h1 / step_e + 1e-9) + 1)
        return [
            (float(p), float(e)) for p in powers for e in energies if p > 0.0 and h0 * p - 1e-9 <= e <= h1 * p + 1e-9
        ]


def question(seed: int) -> Question:
    """Number `seed` of the random questions; the same each time."""
    rng = np.random.default_rng([20, seed])
    hours = int(rng.choice([12, 24, 36]))
    at = pd.date_range("2025-06-02", periods=hours, freq="h", tz="UTC", name="time")
    size = float(rng.choice([0.5, 1.0, 2.0, 5.0]))
    columns: dict[str, Any] = {"price_per_mwh": _prices(rng, hours)}
    site: dict[str, Any] = {}
    topology = str(rng.choice(TOPOLOGIES))
    if topology != "parallel_ac" or rng.random() < 0.3:
        sun = np.clip(np.sin((np.arange(hours) % 24 - 6) / 12 * np.pi), 0.0, None)
        columns["solar_mw"] = sun * size * float(rng.choice([0.5, 1.0, 3.0]))
        if rng.random() < 0.6:
            site["export_limit_mw"] = size * float(rng.choice([0.5, 1.0, 2.0]))
    if topology != "parallel_ac" and rng.random() < 0.7:
        site["inverter_mw"] = size * float(rng.choice([1.0, 1.5, 3.0]))
    if topology == "hybrid":
        site["dc_share"] = float(rng.choice([0.3, 0.6, 1.0]))
    tariff: dict[str, Any] = {}
    strategy = "arbitrage"
    if rng.random() < 0.5:
        large = size * float(rng.choice([1.0, 10.0, 100.0, 1000.0]))
        columns["load_mw"] = large + size * rng.choice([0.0, 0.5, 1.0, 2.0], hours)
        strategy = str(rng.choice(["arbitrage", "self_consumption", "peak_shaving"]))
        if strategy == "peak_shaving" or rng.random() < 0.3:
            tariff["demand"] = [
                {"price_per_mw_month": float(rng.choice([500.0, 5000.0, 15000.0])), "period": "horizon"}
            ]
        if rng.random() < 0.3:
            site["import_limit_mw"] = large + size
            site["unserved_price_per_mwh"] = float(rng.choice([1000.0, 10000.0]))
    c_rate = float(rng.choice([0.25, 0.5, 1.0, 2.0]))
    eta = float(rng.choice([1.0, 0.95, 0.8]))
    battery = {
        "power_mw": size, "duration_h": 2.0, "topology": topology,
        "technology": {"eta_charge": eta, "eta_discharge": eta, "soc_min": 0.0, "soc_max": 1.0, "c_rate_max": c_rate},
        "soc_start": float(rng.choice([0.0, 0.5, 1.0])),
        "soc_end": str(rng.choice(["at_least_start", "equal"])),
        "self_discharge_per_h": float(rng.choice([0.0, 0.0, 0.002])),
    }  # fmt: skip
    if rng.random() < 0.5:
        battery["converters"] = {"ac_to_dc": 1.0, "dc_to_ac": 1.0, "dc_to_dc": 1.0}
    if rng.random() < 0.25:
        battery["max_cycles_per_day"] = float(rng.choice([0.5, 1.0]))
    finance, objective = None, "net_revenue"
    if rng.random() < 0.8:
        objective = "npv"
        finance = {
            "capital_per_mw": float(rng.choice([0.0, 1e3, 3e4, 2e5])), "capital_per_mwh": float(rng.choice([1e3, 3e4, 2e5])),
            "lifetime_years": 10, "discount_rate": 0.06, "horizons_per_year": 8760.0 / hours,
            "capital_fixed": float(rng.choice([0.0, 0.0, 1e4])), "fade_per_year": float(rng.choice([0.0, 0.03])),
        }  # fmt: skip
        if rng.random() < 0.3:
            finance |= {"replacement_years": [5], "replacement_per_mwh": 1e4}
    scenario = bo.Scenario(
        battery=battery, site=site, series=pd.DataFrame(columns, index=at), strategy=strategy, tariff=tariff or None,
        finance=finance,
    )  # fmt: skip
    return Question(scenario, _ranges(rng, size, c_rate), objective)


def _prices(rng: np.random.Generator, hours: int) -> np.ndarray:
    kind = rng.integers(5)
    hour = np.arange(hours)
    if kind == 0:
        return np.where(hour % 12 < 6, 0.0, 100.0)
    if kind == 1:
        return np.full(hours, float(rng.choice([0.0, 40.0])))
    if kind == 2:
        return rng.choice([0.0, 20.0, 20.0, 80.0], hours)
    wave = 50.0 + 40.0 * np.sin((hour - 9) / 24 * 2 * np.pi) + rng.normal(0.0, 15.0, hours)
    return np.round(wave - (60.0 if kind == 3 else 0.0), 2)


def _ranges(rng: np.random.Generator, size: float, c_rate: float) -> dict[str, Any]:
    """Ranges that hold the kink where the C-rate limit is the rated power, now and then on their edge."""
    low = float(rng.choice([0.0, 0.2, 0.5])) * size
    ranges: dict[str, Any] = {"power_mw": (low, 2.0 * size)}
    kind = rng.integers(3)
    if kind == 0:
        ranges["duration_h"] = (1.0 / c_rate, 1.0 / c_rate)
    elif kind == 1:
        ranges["duration_h"] = (0.5 / c_rate, 2.0 / c_rate)
    else:
        ranges["duration_h"] = (0.5, 6.0)
    steps = rng.random()
    if steps < 0.12:
        ranges["module"] = (0.25 * size, 0.25 * size * ranges["duration_h"][0])
    elif steps < 0.24:
        ranges["power_step_mw"] = 0.25 * size
    elif steps < 0.36:
        ranges |= {"power_step_mw": 0.5 * size, "energy_step_mwh": 0.5 * size}
    return ranges
