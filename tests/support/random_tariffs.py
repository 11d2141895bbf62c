"""Random tariffs over everything that a tariff can say, and the horizons that they are billed over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

INF = float("inf")
STARTS = ("2024-02-27", "2025-03-28", "2025-10-24", "2025-12-29", "2025-04-04", "2025-06-14", "2024-08-31")
ZONES = ("UTC", "Europe/Berlin", "Australia/Lord_Howe", "America/Santiago", "Asia/Kolkata")
OFF = ("2025-12-25", "2026-01-01", "2025-06-19", "2024-02-29", "2025-10-27")


@dataclass(frozen=True)
class Billed:
    """A tariff with the steps, prices and flows that it bills."""

    tariff: dict[str, Any]
    series: pd.DataFrame
    import_mw: np.ndarray
    export_mw: np.ndarray

    @property
    def prices(self) -> dict[str, np.ndarray]:
        """The price columns."""
        return {name: self.series[name].to_numpy() for name in self.series if "price" in name}


def random_billed(seed: int, *, days: int | None = None, step_min: int | None = None) -> Billed:
    """A random case; equal seeds give equal cases."""
    rng = np.random.default_rng(seed)
    zone = str(rng.choice(ZONES))
    step = int(rng.choice([5, 15, 30, 60])) if step_min is None else step_min
    if zone == "Asia/Kolkata" or zone == "Australia/Lord_Howe":
        step = min(step, 30)
    length = int(rng.integers(1, 75 if step >= 30 else 8)) if days is None else days
    index = pd.date_range(
        f"{rng.choice(STARTS)} {int(rng.integers(24)):02d}:00",
        periods=length * 1440 // step,
        freq=f"{step}min",
        tz=zone,
    )
    n = len(index)
    net = rng.normal(1.0, 1.5, n)
    columns: dict[str, Any] = {"load_mw": np.maximum(net, 0.0)}
    tariff = _energy(rng, columns, n)
    tariff["demand"] = [_demand(rng, index, step) for _ in range(int(rng.integers(0, 4)))]
    tariff |= _month(rng)
    return Billed(tariff, pd.DataFrame(columns, index=index), np.maximum(net, 0.0), np.maximum(-net, 0.0))


def _tiers(rng: np.random.Generator, size: float, price: float, most: int = 4) -> list[list[float]]:
    count = int(rng.integers(1, most))
    tops = np.cumsum(rng.uniform(0.1, 1.0, count - 1)) * size
    prices = np.round(rng.uniform(0.2, 1.5, count) * price, 2)
    return [[round(float(top), 3), float(p)] for top, p in zip([*tops, INF], prices, strict=True)]


def _part_of_year(rng: np.random.Generator) -> dict[str, Any]:
    kind = rng.random()
    if kind < 0.6:
        return {}
    if kind < 0.8:
        return {"months": sorted(rng.choice(np.arange(1, 13), int(rng.integers(3, 11)), replace=False).tolist())}
    first, last = (int(m) for m in rng.choice(np.arange(1, 13), 2, replace=False))
    return {
        "from": f"{first:02d}-01",
        "to": pd.Timestamp(2024, last, 1).days_in_month and f"{last:02d}-{pd.Timestamp(2024, last, 1).days_in_month}",
    }


def _energy(rng: np.random.Generator, columns: dict[str, Any], n: int) -> dict[str, Any]:
    netting, kind = rng.random() < 0.2, int(rng.integers(4))
    tariff: dict[str, Any] = {"export": "none"}
    if kind == 0 and not netting:
        columns["price_per_mwh"] = rng.normal(50.0, 40.0, n)
        tariff["export"] = rng.choice(["same", "none"]).item()
    elif kind == 1 and not netting:
        columns["import_price_per_mwh"] = rng.normal(50.0, 40.0, n)
        columns["export_price_per_mwh"] = rng.normal(30.0, 30.0, n)
        tariff["export"] = "same" if rng.random() < 0.5 else float(np.round(rng.normal(10.0, 20.0), 1))
    if kind == 0 and rng.random() < 0.3 and not netting:
        return tariff
    parts = [
        [{"days": "weekday"}, {"days": "weekend"}],
        [{"hours": [7, 21]}, {"hours": [21, 7]}],
        [{"days": ["weekday"], "hours": [[6, 9], ["17:00", 20]]}, {"days": ["weekday"], "hours": [[9, 17], [20, 6]]},
         {"days": ["saturday", "sunday", "holiday"]}],
        [{"from": "03-15", "to": "10-31"}, {"from": "11-01", "to": "03-14"}],
        [{}],
    ][int(rng.integers(5))]  # fmt: skip
    rows = [dict(part) for part in parts]
    tiered = rng.random() < 0.5
    for row in rows:
        if tiered and rng.random() < 0.8:
            row["tiers"] = _tiers(rng, 60.0, 80.0)
            if not netting:
                row["tier_period"] = str(rng.choice(["month", "day"]))
            row["used_mwh"] = float(np.round(rng.uniform(0.0, 40.0), 2))
        else:
            row["price_per_mwh"] = float(np.round(rng.normal(80.0, 40.0), 1))
    tariff["energy"] = rows
    if netting:
        tariff["net_metering"] = "month"
        for row in rows:
            row["used_mwh"] = float(np.round(rng.normal(0.0, 30.0), 2))
        plain = not any("tiers" in row for row in rows)
        tariff["export"] = "same" if plain and rng.random() < 0.4 else float(np.round(rng.uniform(0.0, 60.0), 1))
        return tariff
    if any("tiers" in row for row in rows) and tariff["export"] == "same" and "export_price_per_mwh" not in columns:
        tariff["export"] = "none"
    if tariff["export"] == "none" and rng.random() < 0.4:
        tariff["export"] = float(np.round(rng.uniform(0.0, 60.0), 1))
    elif (tariff["export"] == "same" and rng.random() < 0.4) or (kind == 3 and tariff["export"] == "none"):
        tariff.pop("export")
        rows.append({"direction": "export", "tiers": _tiers(rng, 30.0, 50.0), "used_mwh": 3.0})
    return tariff


def _demand(rng: np.random.Generator, index: pd.DatetimeIndex, step: int) -> dict[str, Any]:
    priced = {"price_per_mw_month": float(np.round(rng.uniform(500.0, 9000.0)))}
    if rng.random() < 0.4:
        priced = {"tiers": _tiers(rng, 2.0, 8000.0)}
    row: dict[str, Any] = dict(priced)
    options = [m for m in (5, 15, 30, 60, 120, 180) if m % step == 0]
    interval = int(rng.choice(options))
    if rng.random() < 0.7:
        row["interval_min"] = float(interval)
    if rng.random() < 0.15:
        at = index[rng.integers(len(index), size=2)]
        row["coincident"] = [t.isoformat() for t in at] + ["2020-01-01T00:00Z"]
        return row
    row |= _part_of_year(rng)
    if rng.random() < 0.5:
        row["days"] = [["weekday", "saturday"], "weekday", "weekend", ["holiday", "sunday"]][int(rng.integers(4))]
    if rng.random() < 0.5:
        row["hours"] = [[6, 18], [18, 6], [[0, 6], [12, 18]]][int(rng.integers(3))]
    row["period"] = str(rng.choice(["month", "month", "month", "year", "horizon", "rolling_12"]))
    if rng.random() < 0.3:
        row["minimum_mw"] = float(np.round(rng.uniform(0.0, 3.0), 2))
    if rng.random() < 0.3 and row["period"] == "month":
        row["part_months"] = "share"
    if rng.random() < 0.3:
        row["incurred_mw"] = float(np.round(rng.uniform(0.0, 4.0), 2))
    if rng.random() < 0.3:
        row["peaks"] = {"n": int(rng.integers(1, 6))} | ({"distinct": "day"} if rng.random() < 0.6 else {})
        if rng.random() < 0.5:
            row["incurred_mw"] = np.round(rng.uniform(0.0, 4.0, int(rng.integers(1, 4))), 2).tolist()
    history = np.round(rng.uniform(0.0, 5.0, int(rng.integers(1, 14))), 2).tolist()
    if row["period"] == "rolling_12":
        row["history_mw"] = history
    elif rng.random() < 0.25 and "tiers" not in row:
        over = float(np.round(rng.uniform(500.0, 9000.0)))
        row |= {"contracted_mw": float(np.round(rng.uniform(0.0, 3.0), 2)), "overrun_price_per_mw_month": over}
    elif row["period"] == "month" and rng.random() < 0.4:
        row["ratchet"] = {"share": float(np.round(rng.uniform(0.3, 1.0), 2))}
        if rng.random() < 0.5:
            row["ratchet"]["months"] = int(rng.integers(1, 14))
        if rng.random() < 0.5:
            row["ratchet"]["named_months"] = [6, 7, 8, 9, 12, 1]
        if rng.random() < 0.7:
            row["history_mw"] = history
    return row


def _month(rng: np.random.Generator) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if rng.random() < 0.4:
        found["fixed_per_month"] = 250.0
    if rng.random() < 0.4:
        found["minimum_per_month"] = float(np.round(rng.uniform(0.0, 40_000.0)))
    if rng.random() < 0.3:
        found["credit_months"] = int(rng.integers(1, 4))
        found["credit_so_far"] = np.round(rng.uniform(0.0, 5000.0, 3), 2).tolist()
    if found.keys() & {"minimum_per_month", "credit_months"} and rng.random() < 0.5:
        found["billed_so_far"] = float(np.round(rng.normal(0.0, 5000.0)))
    return found
