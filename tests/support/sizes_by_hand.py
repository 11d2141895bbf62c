"""Random sites with two batteries behind the grid's meter, and what any sizes of them earn, as arrays.

Nothing of the package is imported for the numbers: the program is written from the meaning of the keys, for prices of
which import is never below export and none is below zero, so that no plan gains from running in and out at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np
import pandas as pd

Size = tuple[float, float]  # MW, MWh
CAPITAL = (60.0, 25.0)  # per MW and per MWh, of a horizon of a day or two that is counted once
LIFE, RATE = 10, 0.05


@dataclass(frozen=True)
class TwoBatteries:
    """Tables of a scenario as plain data."""

    batteries: list[dict[str, Any]]
    site: dict[str, Any]
    series: pd.DataFrame

    @property
    def finance(self) -> dict[str, Any]:
        """Capital, and a life of equal years."""
        return {
            "capital_per_mw": CAPITAL[0] * self.years, "capital_per_mwh": CAPITAL[1] * self.years,
            "lifetime_years": LIFE, "discount_rate": RATE, "horizons_per_year": 1.0, "fade_per_year": 0.0,
        }  # fmt: skip

    @property
    def years(self) -> float:
        """Present value of one unit of money a year."""
        return sum((1.0 + RATE) ** -year for year in range(1, LIFE + 1))


def two_batteries(seed: int) -> TwoBatteries:
    """Ties, flat prices, equal limits, huge loads, C-rates that equal the power: whatever makes a value bend."""
    rng = np.random.default_rng([16, seed])
    steps = int(rng.choice([12, 18, 24]))
    kind = rng.integers(4)
    price = np.abs(rng.normal(60.0, 50.0, steps)).round(1)
    if kind == 0:
        price = np.maximum(rng.normal(20.0, 60.0, steps), 0.0).round(1)
    if kind == 1:
        price = np.round(price / 40.0) * 40.0
    columns = {"price_per_mwh": price}
    site: dict[str, Any] = {"curtailment": True}
    if rng.random() < 0.5:
        columns["solar_mw"] = np.maximum(rng.normal(1.0, 2.0, steps), 0.0).round(2)
    if rng.random() < 0.5:
        columns["load_mw"] = rng.choice([0.5, 1.0, 2.0], steps) + float(rng.choice([0.0, 0.0, 30.0, 300.0]))
    if rng.random() < 0.6:
        site["export_limit_mw"] = float(rng.choice([0.5, 1.0, 2.0]))
    cells = [
        {"eta_charge": 0.95, "eta_discharge": 0.95, "soc_min": 0.0, "soc_max": 1.0, "c_rate_max": 2.0},
        {"eta_charge": 0.9, "eta_discharge": 0.92, "soc_min": 0.1, "soc_max": 0.9, "c_rate_max": 0.5},
        {"eta_charge": 1.0, "eta_discharge": 1.0, "soc_min": 0.0, "soc_max": 1.0, "c_rate_max": 1.0},
    ]
    batteries = []
    for name in ("north", "south"):
        battery = {
            "name": name, "power_mw": 1.0, "duration_h": 2.0, "technology": cells[rng.integers(3)],
            "converters": {"ac_to_dc": 1.0, "dc_to_ac": 1.0}, "soc_end": str(rng.choice(["at_least_start", "equal"])),
        }  # fmt: skip
        if rng.random() < 0.25:
            battery["charge_power_mw"] = 0.5
        batteries.append(battery)
    index = pd.date_range("2025-03-01", periods=steps, freq="h", tz="UTC", name="time")
    return TwoBatteries(batteries, site, pd.DataFrame(columns, index=index))


class ByHand:
    """The linear program of a site, solved again for every choice of sizes."""

    def __init__(self, site: TwoBatteries) -> None:
        self._site, self._steps = site, len(site.series)
        self._highs = highspy.Highs()
        self._highs.setOptionValue("output_flag", False)
        t, price = self._steps, site.series["price_per_mwh"].to_numpy()
        inf = highspy.kHighsInf
        self._columns = {name: k * t for k, name in enumerate(self._names())}
        export = float(site.site.get("export_limit_mw", inf))
        solar = self._series("solar_mw")
        for name in self._names():
            cost = {"import": price, "export": -price}.get(name, np.zeros(t))
            upper = {"export": np.full(t, export), "curtailed": solar}.get(name, np.full(t, inf))
            for step in range(t):
                self._highs.addCol(float(cost[step]), 0.0, float(upper[step]), 0, [], [])
        self._rows()

    def _names(self) -> list[str]:
        own = [f"{kind}{k}" for k in range(2) for kind in ("charge", "discharge", "energy")]
        return [*own, "import", "export", "curtailed"]

    def _series(self, name: str) -> np.ndarray:
        series = self._site.series
        return series[name].to_numpy() if name in series else np.zeros(self._steps)

    def _rows(self) -> None:
        at, t = self._columns, self._steps
        net = self._series("load_mw") - self._series("solar_mw")
        for step in range(t):
            entries = {at["import"]: 1.0, at["export"]: -1.0, at["curtailed"]: -1.0}
            for k in range(2):
                entries |= {at[f"charge{k}"]: -1.0, at[f"discharge{k}"]: 1.0}
            self._row({column + step: value for column, value in entries.items()}, float(net[step]))
        self._first = []
        for k, battery in enumerate(self._site.batteries):
            cells = battery["technology"]
            for step in range(t):
                row = {at[f"energy{k}"] + step: 1.0, at[f"charge{k}"] + step: -cells["eta_charge"]}
                row[at[f"discharge{k}"] + step] = 1.0 / cells["eta_discharge"]
                if step:
                    row[at[f"energy{k}"] + step - 1] = -1.0
                else:
                    self._first.append(self._highs.getNumRow())
                self._row(row, 0.0)

    def _row(self, entries: dict[int, float], side: float) -> None:
        self._highs.addRow(side, side, len(entries), list(entries), list(entries.values()))

    def value(self, sizes: tuple[Size, Size]) -> float:
        """Present value of a choice, costs taken off; 0, 0 is no battery."""
        t, at = self._steps, self._columns
        for k, (battery, (power, energy)) in enumerate(zip(self._site.batteries, sizes, strict=True)):
            cells = battery["technology"]
            low, high = cells["soc_min"] * energy, cells["soc_max"] * energy
            begin, rate = (low + high) / 2.0, cells["c_rate_max"] * energy
            most = {
                "charge": min(power * battery.get("charge_power_mw", 1.0), rate), "discharge": min(power, rate),
                "energy": high,
            }  # fmt: skip
            for name, upper in most.items():
                lower = np.full(t, low if name == "energy" else 0.0)
                ends = np.full(t, upper)
                if name == "energy":
                    lower[-1] = begin
                    ends[-1] = begin if battery["soc_end"] == "equal" else upper
                columns = np.arange(at[f"{name}{k}"], at[f"{name}{k}"] + t, dtype=np.int32)
                self._highs.changeColsBounds(t, columns, lower, ends)
            self._highs.changeRowBounds(self._first[k], begin, begin)
        self._highs.run()
        if self._highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            raise AssertionError(f"{sizes} has no optimum")
        revenue = -self._highs.getObjectiveValue()
        cost = sum(CAPITAL[0] * power + CAPITAL[1] * energy for power, energy in sizes)
        return self._site.years * (revenue - cost)
