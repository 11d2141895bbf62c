"""Random sites to size for, with everything that makes a value bend: kinks, equal limits, flat prices, large loads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

import bess_opt as bo

TOPOLOGIES = ("parallel_ac", "parallel_ac", "series_dc", "hybrid")
PATIENCE_S = 20.0  # for one exact plan


@dataclass(frozen=True)
class Question:
    """A scenario and what `bo.size` is asked about it."""

    scenario: bo.Scenario
    ranges: dict[str, Any]
    objective: str

    def sizes(self, points: int, rng: np.random.Generator) -> list[tuple[float, float]]:
        """About `points` squared of the sizes that may be bought, (MW, MWh), the bends among them; never none."""
        (p0, p1), (h0, h1) = self.ranges["power_mw"], self.ranges["duration_h"]
        if "module" in self.ranges:
            power, energy = self.ranges["module"]
            blocks = [(n * power, n * energy) for n in range(1, int(p1 / power + 1e-9) + 1)]
            found = [(p, e) for p, e in blocks if p0 - 1e-9 <= p and h0 - 1e-9 <= e / p <= h1 + 1e-9]
        else:
            found = self._grid(points)
        limit = self.ranges.get("budget", np.inf)
        finance = self.scenario.finance
        if finance is not None:
            cost = finance.capital_fixed, finance.capital_per_mw, finance.capital_per_mwh
            found = [(p, e) for p, e in found if cost[0] + cost[1] * p + cost[2] * e <= limit * (1.0 + 1e-12)]
        found = [(p, e) for p, e in found if e >= self.ranges.get("energy_min_mwh", 0.0) * (1.0 - 1e-12)]
        if len(found) > points**2:
            found = [found[i] for i in rng.choice(len(found), points**2, replace=False)]
        return found

    def _grid(self, points: int) -> list[tuple[float, float]]:
        (p0, p1), (h0, h1) = self.ranges["power_mw"], self.ranges["duration_h"]
        powers, hours = np.linspace(p0, p1, points), np.linspace(h0, h1, points)
        cells = self.scenario.battery.tech
        bend = 1.0 / cells.c_rate_max
        if h0 <= bend <= h1:
            hours = np.append(hours, bend)
        if p0 <= self.scenario.battery.power_mw <= p1:
            powers = np.append(powers, self.scenario.battery.power_mw)
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
    step_h = float(rng.choice([1.0, 1.0, 0.5]))
    steps = int(rng.choice([12, 24, 36]))
    zone = str(rng.choice(["UTC", "Europe/Berlin"]))
    at = pd.date_range("2025-03-29", periods=steps, freq=pd.Timedelta(hours=step_h), tz=zone, name="time")
    size = float(rng.choice([0.5, 1.0, 2.0, 5.0]))
    columns: dict[str, Any] = {"price_per_mwh": _prices(rng, steps)}
    site: dict[str, Any] = {}
    topology = str(rng.choice(TOPOLOGIES))
    _solar(rng, topology, size, columns, site)
    tariff, strategy = _load(rng, size, columns, site)
    _limits(rng, size, columns, site)
    c_rate = float(rng.choice([0.25, 0.5, 1.0, 2.0]))
    battery = _battery(rng, size, topology, c_rate)
    if rng.random() < 0.12 and strategy == "arbitrage":
        strategy = _regulation(rng, columns)
    needed = "import_limit_mw" in site and "unserved_price_per_mwh" not in site
    finance, objective = _finance(rng, steps * step_h, needed=needed)
    scenario = bo.Scenario(
        battery=battery, site=site, series=pd.DataFrame(columns, index=at), strategy=strategy, tariff=tariff or None,
        finance=finance, solver={"time_limit_s": PATIENCE_S},
    )  # fmt: skip
    return Question(scenario, _ranges(rng, size, c_rate, finance), objective)


def _solar(
    rng: np.random.Generator, topology: str, size: float, columns: dict[str, Any], site: dict[str, Any]
) -> None:
    steps = len(columns["price_per_mwh"])
    if topology != "parallel_ac" or rng.random() < 0.3:
        sun = np.clip(np.sin((np.arange(steps) % 24 - 6) / 12 * np.pi), 0.0, None)
        columns["solar_mw"] = sun * size * float(rng.choice([0.5, 1.0, 3.0]))
        if rng.random() < 0.6:
            site["export_limit_mw"] = size * float(rng.choice([0.5, 1.0, 2.0]))
        if rng.random() < 0.15:
            site["battery_export"] = rng.choice(np.array([False, "strict"], dtype=object))
        if rng.random() < 0.15:
            site["grid_charging"] = False
    if topology != "parallel_ac" and rng.random() < 0.7:
        site["inverter_mw"] = size * float(rng.choice([1.0, 1.5, 3.0]))
    if topology == "hybrid":
        site["dc_share"] = float(rng.choice([0.3, 0.6, 1.0]))


def _load(
    rng: np.random.Generator, size: float, columns: dict[str, Any], site: dict[str, Any]
) -> tuple[dict[str, Any], Any]:
    """Tariff and strategy of a site with a load now and then, from as large as the battery to a thousand times."""
    tariff: dict[str, Any] = {}
    if rng.random() >= 0.5:
        return tariff, "arbitrage"
    steps = len(columns["price_per_mwh"])
    large = size * float(rng.choice([1.0, 10.0, 100.0, 1000.0]))
    columns["load_mw"] = large + size * rng.choice([0.0, 0.5, 1.0, 2.0], steps)
    strategy = str(rng.choice(["arbitrage", "self_consumption", "peak_shaving"]))
    if strategy == "peak_shaving" or rng.random() < 0.3:
        row = {"price_per_mw_month": float(rng.choice([500.0, 5000.0, 15000.0]))}
        row["period"] = str(rng.choice(["month", "horizon", "year"]))
        if rng.random() < 0.3:
            row["interval_min"] = 120
        if rng.random() < 0.2:
            row["minimum_mw"] = large + 0.5 * size
        tariff["demand"] = [row]
    kind = rng.random()
    if kind < 0.3:
        site |= {"import_limit_mw": large + size, "unserved_price_per_mwh": float(rng.choice([1e3, 1e4]))}
    elif kind < 0.42:  # the site needs a battery, where it can have one at all
        site["import_limit_mw"] = large + size * float(rng.choice([1.2, 1.6]))
    elif kind < 0.5 and columns["price_per_mwh"].min() >= 0.0:
        columns["import_limit_mw"] = large + size * rng.choice([1.5, 2.0, 3.0], steps)
        site["unserved_price_per_mwh"] = 2e3
    return tariff, strategy


def _limits(rng: np.random.Generator, size: float, columns: dict[str, Any], site: dict[str, Any]) -> None:
    """Limits over time, in the size's own magnitude so that they bind for some sizes only."""
    steps = len(columns["price_per_mwh"])
    for name, chance, shares in (
        ("charge_limit_mw", 0.12, (0.0, 0.5, 1.0, 3.0)),
        ("discharge_limit_mw", 0.12, (0.0, 0.5, 1.0, 3.0)),
        ("energy_max_mwh", 0.1, (0.5, 1.0, 2.0, 8.0)),
        ("energy_min_mwh", 0.08, (0.0, 0.0, 0.0, 0.1)),
        ("drawn_mw", 0.05, (0.0, 0.0, 0.0, 0.02)),
        ("export_limit_mw", 0.1, (0.0, 0.5, 1.0, 3.0)),
    ):
        if rng.random() < chance and not (name == "export_limit_mw" and name in site):
            columns[name] = size * rng.choice(np.array(shares), steps)


def _battery(rng: np.random.Generator, size: float, topology: str, c_rate: float) -> dict[str, Any]:
    eta = float(rng.choice([1.0, 0.95, 0.8]))
    window = float(rng.choice([0.0, 0.0, 0.1]))
    battery: dict[str, Any] = {
        "power_mw": size, "duration_h": 2.0, "topology": topology,
        "technology": {
            "eta_charge": eta, "eta_discharge": eta, "soc_min": window, "soc_max": 1.0 - window, "c_rate_max": c_rate
        },
        "soc_start": float(np.clip(rng.choice([0.0, 0.5, 1.0]), window, 1.0 - window)),
        "soc_end": rng.choice(np.array(["at_least_start", "equal", 0.5], dtype=object)),
        "self_discharge_per_h": float(rng.choice([0.0, 0.0, 0.002])),
    }  # fmt: skip
    if rng.random() < 0.5:
        battery["converters"] = {"ac_to_dc": 1.0, "dc_to_ac": 1.0, "dc_to_dc": 1.0}
    if rng.random() < 0.2:
        battery["max_cycles_per_day"] = float(rng.choice([0.5, 1.0]))
    elif rng.random() < 0.15:
        battery["max_cycles"] = [{"count": 0.7, "hours": 6.0}, {"count": 1.5, "per": "horizon", "counts": "charged"}]
    if rng.random() < 0.15:
        battery["charge_power_mw"] = size * float(rng.choice([0.5, 2.0]))
    if rng.random() < 0.1:
        battery["auxiliary_mw"] = 0.02 * size
    return battery


def _regulation(rng: np.random.Generator, columns: dict[str, Any]) -> dict[str, Any]:
    steps = len(columns["price_per_mwh"])
    for way in ("up", "down"):
        columns[f"regulation_{way}_price_per_mw"] = rng.choice([0.0, 5.0, 20.0], steps)
    return {
        "name": "frequency_regulation", "headroom_h": float(rng.choice([0.25, 1.0])),
        "activation_up": float(rng.choice([0.0, 0.1])), "activation_down": float(rng.choice([0.0, 0.2])),
    }  # fmt: skip


def _finance(rng: np.random.Generator, hours: float, *, needed: bool) -> tuple[dict[str, Any] | None, str]:
    """Money over life and the objective; every fifth question has none. A battery that is needed has no return."""
    if rng.random() < 0.2:
        return None, "net_revenue"
    finance: dict[str, Any] = {
        "capital_per_mw": float(rng.choice([0.0, 1e3, 3e4, 2e5])),
        "capital_per_mwh": float(rng.choice([1e3, 3e4, 2e5])),
        "capital_fixed": float(rng.choice([0.0, 0.0, 1e4])),
        "horizons_per_year": 8760.0 / hours,
    }
    if rng.random() < 0.15:
        return finance | {"present_value_factor": 9.0, "fixed_om_per_mw_year": 500.0}, "npv"
    finance |= {
        "lifetime_years": int(rng.choice([1, 10, 15])), "discount_rate": float(rng.choice([0.0, 0.06])),
        "fade_per_year": float(rng.choice([0.0, 0.03])), "escalation_rate": float(rng.choice([0.0, 0.02])),
        "first_payment_year": int(rng.choice([0, 1])), "residual_share": float(rng.choice([0.0, 0.1])),
        "tax_rate": float(rng.choice([0.0, 0.0, 0.25])), "variable_om_per_mwh": float(rng.choice([0.0, 0.0, 2.0])),
        "fixed_om_per_mw_year": float(rng.choice([0.0, 500.0])),
    }  # fmt: skip
    if finance["lifetime_years"] > 1 and rng.random() < 0.4:
        years = [5] if rng.random() < 0.5 else [3, 7]
        finance |= {"replacement_years": years, "replacement_per_mwh": 1e4}
        finance |= {
            "replacement_per_mw": float(rng.choice([0.0, 5e3])),
            "replacement_cost": float(rng.choice([0.0, 1e3])),
        }
    if needed or rng.random() < 0.8:
        return finance, "npv"
    return finance | {"first_payment_year": 1}, "irr"


def _prices(rng: np.random.Generator, steps: int) -> np.ndarray:
    kind = rng.integers(5)
    hour = np.arange(steps)
    if kind == 0:
        return np.where(hour % 12 < 6, 0.0, 100.0)
    if kind == 1:
        return np.full(steps, float(rng.choice([0.0, 40.0])))
    if kind == 2:
        return rng.choice([0.0, 20.0, 20.0, 80.0], steps)
    wave = 50.0 + 40.0 * np.sin((hour - 9) / 24 * 2 * np.pi) + rng.normal(0.0, 15.0, steps)
    return np.round(wave - (60.0 if kind == 3 else 0.0), 2)


def _ranges(rng: np.random.Generator, size: float, c_rate: float, finance: dict[str, Any] | None) -> dict[str, Any]:
    """Ranges that hold the kink where the C-rate limit is the rated power, now and then on their edge."""
    low = float(rng.choice([0.0, 0.2, 0.5])) * size
    ranges: dict[str, Any] = {"power_mw": (low, 2.0 * size)}
    kind = rng.integers(4)
    if kind == 0:
        ranges["duration_h"] = (1.0 / c_rate, 1.0 / c_rate)
    elif kind == 1:
        ranges["duration_h"] = (0.5 / c_rate, 2.0 / c_rate)
    else:
        ranges["duration_h"] = (0.0 if kind == 2 and low > 0.0 else 0.5, 6.0)
    if rng.random() < 0.08:
        ranges["power_mw"] = (size, size)
    steps = rng.random()
    if steps < 0.12:
        ranges["module"] = (0.25 * size, 0.25 * size * max(ranges["duration_h"][0], 0.5))
    elif steps < 0.24:
        ranges["power_step_mw"] = 0.25 * size
    elif steps < 0.3:
        ranges["energy_step_mwh"] = 0.5 * size
    elif steps < 0.38:
        ranges |= {"power_step_mw": 0.5 * size, "energy_step_mwh": 0.5 * size}
    if finance is not None and finance["capital_per_mw"] > 0.0 and rng.random() < 0.1:
        most = finance["capital_per_mw"] * 1.2 * size + finance["capital_per_mwh"] * 2.0 * size
        ranges["budget"] = finance["capital_fixed"] + most
    return ranges
