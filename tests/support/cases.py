"""Small scenarios in one line each, and seeded random ones over everything that a scenario can say.

A `Case` is plain data, so that a formulation that knows nothing of the package can read it too.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

import bess_opt as bo

TOPOLOGIES = ("parallel_ac", "series_dc", "hybrid")
LOSSLESS = {"ac_to_dc": 1.0, "dc_to_ac": 1.0, "dc_to_dc": 1.0}
IDEAL = {"eta_charge": 1.0, "eta_discharge": 1.0, "soc_min": 0.0, "soc_max": 1.0, "c_rate_max": 10.0}


@dataclass(frozen=True)
class Case:
    """The tables and series of a scenario as plain data."""

    battery: dict[str, Any]
    series: pd.DataFrame
    site: dict[str, Any] = field(default_factory=dict)
    strategy: Any = "arbitrage"
    finance: dict[str, Any] | None = None
    tariff: dict[str, Any] | None = None
    connection: Any = None
    outage: Any = None
    product: Any = None

    def scenario(self, **more: Any) -> bo.Scenario:
        """The package's scenario."""
        return bo.Scenario(
            battery=self.battery,
            series=self.series,
            site=self.site,
            strategy=self.strategy,
            finance=self.finance,
            tariff=self.tariff,
            connection=self.connection,
            outage=self.outage,
            product=self.product,
            **more,
        )

    def optimize(self, **more: Any) -> bo.Dispatch:
        """The package's optimal plan."""
        return bo.optimize(self.scenario(**more))

    def but(
        self, *, battery: dict[str, Any] | None = None, site: dict[str, Any] | None = None, **changes: Any
    ) -> Case:
        """The same case with some keys of its tables changed."""
        tables = {"battery": self.battery | (battery or {}), "site": self.site | (site or {})}
        return dataclasses.replace(self, **(tables | changes))

    @property
    def step_h(self) -> float:
        """Length of a step in hours."""
        return (self.series.index[1] - self.series.index[0]) / pd.Timedelta(hours=1)


def frame(*, start: str = "2025-06-02 00:00", step_min: int = 60, zone: str = "UTC", **columns: Any) -> pd.DataFrame:
    """A series from lists; a number stands for every step."""
    steps = max(len(c) for c in columns.values() if np.ndim(c))
    index = pd.date_range(start, periods=steps, freq=f"{step_min}min", tz=zone)
    return pd.DataFrame(
        {name: np.broadcast_to(np.asarray(c, dtype=float), steps) for name, c in columns.items()}, index=index
    )


def case(
    *,
    battery: dict[str, Any] | None = None,
    site: dict[str, Any] | None = None,
    strategy: Any = "arbitrage",
    finance: dict[str, Any] | None = None,
    tariff: dict[str, Any] | None = None,
    start: str = "2025-06-02 00:00",
    step_min: int = 60,
    zone: str = "UTC",
    **columns: Any,
) -> Case:
    """A lossless 1 MW, 2 MWh battery, empty at the start and free at the end, unless `battery` says
    otherwise.
    """
    basis = {
        "power_mw": 1.0,
        "duration_h": 2.0,
        "technology": IDEAL,
        "converters": LOSSLESS,
        "soc_start": 0.0,
        "soc_end": "free",
    }
    series = frame(start=start, step_min=step_min, zone=zone, **columns)
    return Case(basis | (battery or {}), series, {"time_zone": zone} | (site or {}), strategy, finance, tariff)


# --------------------------------------------------------------------------------------- random scenarios


def random_case(seed: int, *, steps: int | None = None, plain: bool = False) -> Case:
    """A random case; equal seeds give equal cases. `plain` leaves out what may make it infeasible."""
    rng = np.random.default_rng(seed)

    def maybe(share: float) -> bool:
        return bool(rng.random() < share)

    n = int(rng.integers(6, 25)) if steps is None else steps
    step_min = int(rng.choice([15, 30, 60]))
    topology = TOPOLOGIES[seed % 3]
    columns = _prices(rng, n)
    columns |= _solar_and_load(rng, n, topology)
    battery = _battery(rng, topology, plain)
    low, high = _window(battery)
    energy = battery["power_mw"] * battery["duration_h"]
    if not plain and maybe(0.2):
        columns["energy_min_mwh"] = np.round(energy * rng.uniform(0.0, low + 0.4 * (high - low), n), 3)
    site: dict[str, Any] = {"time_zone": "UTC"}
    site["grid_charging"], site["battery_export"] = not maybe(0.25), not maybe(0.25)
    site["curtailment"] = plain or not maybe(0.25)
    if maybe(0.4):
        site["export_limit_mw"] = float(np.round(rng.uniform(0.0, 4.0), 2))
    if maybe(0.4):
        site["import_limit_mw"] = float(np.round(rng.uniform(1.0, 5.0), 2))
    if plain or maybe(0.4):
        site["unserved_price_per_mwh"] = float(rng.choice([0.0, 40.0, 1000.0]))
    if topology != "parallel_ac" and maybe(0.6):
        site["inverter_mw"] = float(np.round(rng.uniform(0.5, 4.0), 2))
    if topology == "hybrid":
        site["dc_share"] = float(rng.choice([0.0, 0.3, 0.6, 1.0]))
    if "solar_dc_mw" in columns and maybe(0.5):
        site["pv_inverter_mw"] = float(np.round(rng.uniform(0.5, 3.0), 2))
    finance = {"variable_om_per_mwh": 1.5} if maybe(0.2) else None
    series = frame(start="2025-06-02 18:00", step_min=step_min, **columns)
    return Case(battery, series, site, "arbitrage", finance)


def _prices(rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
    kind = int(rng.integers(4))
    if kind == 0:
        return {"price_per_mwh": np.round(rng.uniform(0.0, 120.0, n), 1)}
    if kind == 1:
        return {"price_per_mwh": np.round(rng.normal(10.0, 70.0, n), 1)}
    if kind == 2:  # few levels: ties
        return {"price_per_mwh": rng.choice([-50.0, -10.0, 0.0, 30.0, 80.0], n)}
    bought = np.round(rng.normal(30.0, 60.0, n), 1)
    return {
        "import_price_per_mwh": bought,
        "export_price_per_mwh": np.round(bought + rng.normal(-10.0, 25.0, n), 1),
    }


def _solar_and_load(rng: np.random.Generator, n: int, topology: str) -> dict[str, np.ndarray]:
    columns = {}
    shape = np.clip(np.sin(np.linspace(-0.5, 3.6, n)) + rng.normal(0.0, 0.2, n), 0.0, None)
    if rng.random() < 0.7:
        columns["solar_dc_mw" if rng.random() < 0.4 else "solar_mw"] = np.round(rng.uniform(0.5, 4.0) * shape, 2)
    if rng.random() < 0.6:
        columns["load_mw"] = np.round(rng.uniform(0.0, 2.0, n), 2)
    return columns


def _battery(rng: np.random.Generator, topology: str, plain: bool) -> dict[str, Any]:
    own = {"eta_charge": 0.9, "eta_discharge": 1.0, "soc_min": 0.0, "soc_max": 1.0, "c_rate_max": 0.4}
    technology = ["standard", "modern_lfp", "premium", own][int(rng.integers(4))]
    battery: dict[str, Any] = {
        "power_mw": float(np.round(rng.uniform(0.3, 3.0), 2)),
        "duration_h": float(rng.choice([0.5, 1.0, 2.0, 4.0])),
        "technology": technology,
        "topology": topology,
        "converters": {"ac_to_dc": 0.95, "dc_to_ac": 0.97, "dc_to_dc": 0.985},
    }
    low, high = _window(battery)
    inside = np.round(np.linspace(low, high, 5), 3)
    if rng.random() < 0.6:
        battery["soc_start"] = float(rng.choice(inside))
    kinds: list[Any] = [
        "at_least_start",
        "equal",
        "free",
        float(inside[2]),
        {"value_per_mwh": 35.0},
        {"value_per_mwh": -20.0},
    ]
    battery["soc_end"] = kinds[int(rng.choice([0, 2, 4])) if plain else int(rng.integers(6))]
    if rng.random() < 0.3:
        battery["wear_cost_per_mwh"] = float(rng.choice([2.0, 15.0]))
    if rng.random() < 0.3:
        battery["max_cycles_per_day"] = float(rng.choice([0.25, 0.6, 1.0]))
    if not plain and rng.random() < 0.3:
        battery["self_discharge_per_h"] = float(rng.choice([0.001, 0.03]))
    if rng.random() < 0.2:
        battery["auxiliary_mw"] = 0.05
    return battery


def _window(battery: dict[str, Any]) -> tuple[float, float]:
    technology = battery["technology"]
    if isinstance(technology, dict):
        return technology["soc_min"], technology["soc_max"]
    return {"standard": (0.20, 0.90), "modern_lfp": (0.10, 0.95), "premium": (0.05, 0.95)}[technology]
