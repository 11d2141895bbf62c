"""Random sites with random tariffs: calendars, tiers, netting, credits, demand of every kind, clock changes."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import holidays as public
import numpy as np
import pandas as pd

Row = dict[str, Any]

ZONES = {  # zone and the local days around which its clock changes, or its year does
    "Europe/Berlin": ["2025-03-29", "2025-10-25", "2024-02-28", "2024-12-30"],
    "America/New_York": ["2024-03-09", "2024-11-02", "2023-12-31"],
    "Australia/Lord_Howe": ["2025-04-05", "2024-10-05", "2024-02-28"],
    "Australia/Sydney": ["2025-04-05", "2024-12-30"],
    "America/Santiago": ["2024-04-06", "2024-09-07"],
    "Asia/Kolkata": ["2024-02-27", "2025-06-29"],
    "UTC": ["2024-02-28", "2025-12-30"],
}
STEPS_MIN = [5, 10, 15, 20, 30, 60]


@dataclass
class Case:
    """Inputs of a scenario, as plain tables, and the dates that are holidays in it."""

    series: pd.DataFrame
    tariff: dict[str, Any]
    zone: str
    holidays: str | list[str] | None
    dates: list[str] = field(default_factory=list)

    @property
    def step_min(self) -> float:
        return float((self.series.index[1] - self.series.index[0]).total_seconds() / 60)


def clock_text(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def edge(rng: np.random.Generator, minute: int) -> float | str:
    return minute / 60 if minute % 15 == 0 and rng.random() < 0.6 else clock_text(minute)


def hour_cells(rng: np.random.Generator, grid_min: int) -> list[Row]:
    """Windows that partition the day, with edges on the grid."""
    kind = rng.choice(["none", "two", "midnight", "several"])
    slots = 1440 // grid_min
    if kind == "none" or slots < 5:
        return [{}]
    cuts = sorted(int(cut) * grid_min for cut in rng.choice(np.arange(1, slots), size=4, replace=False))
    a, b, c, d = (edge(rng, cut) for cut in cuts)
    if kind == "two":
        return [{"hours": [a, b]}, {"hours": [[0, a], [b, 24]]}]
    if kind == "midnight":
        return [{"hours": [d, a]}, {"hours": [a, d]}]
    return [{"hours": [[a, b], [c, d]]}, {"hours": [[0, a], [b, c], [d, "24:00"]]}]


def day_cells(rng: np.random.Generator, has_holidays: bool) -> list[Row]:
    kind = rng.choice(["none", "strings", "lists", "three"])
    if kind == "none":
        return [{}]
    if kind == "strings":
        return [{"days": "weekday"}, {"days": "weekend"}]
    holiday = ["holiday"] if has_holidays else []
    if kind == "lists":
        return [{"days": ["weekday", "saturday"]}, {"days": ["sunday", *holiday]}]
    return [{"days": ["weekday"]}, {"days": ["saturday", *holiday]}, {"days": ["sunday"]}]


def season_cells(rng: np.random.Generator) -> list[Row]:
    kind = rng.choice(["none", "months", "dates", "leap"])
    if kind == "none":
        return [{}]
    if kind == "months":
        summer = sorted(
            int(month) for month in rng.choice(np.arange(1, 13), size=int(rng.integers(1, 9)), replace=False)
        )
        return [{"months": summer}, {"months": [month for month in range(1, 13) if month not in summer]}]
    if kind == "leap":
        return [{"from": "02-29", "to": "10-25"}, {"from": "10-26", "to": "02-28"}]
    return [{"from": "12-31", "to": "03-29"}, {"from": "03-30", "to": "12-30"}]


def tiers(
    rng: np.random.Generator, scale: float, low: float, high: float, rising: bool | None = None
) -> list[list[float]]:
    count = int(rng.integers(2, 4))
    tops = sorted(round(float(top), 3) for top in rng.uniform(0.1, 1.3, size=count - 1) * scale)
    tops = [round(top + 0.002 * at, 3) for at, top in enumerate(tops)]
    prices = [round(float(price), 2) for price in rng.uniform(low, high, size=count)]
    if rising:
        prices.sort()
    return [[top, price] for top, price in zip([*tops, math.inf], prices, strict=True)]


def energy_rows(
    rng: np.random.Generator, case: Case, direction: str, tiered: bool, daily: bool, low: float, high: float
) -> list[Row]:
    hours = case.step_min / 60 * len(case.series)
    rows = []
    for season in season_cells(rng):
        for days in day_cells(rng, case.holidays is not None):
            for window in hour_cells(rng, int(case.step_min)):
                row: Row = {**season, **days, **window}
                if direction == "export":
                    row["direction"] = "export"
                if tiered and rng.random() < 0.7:
                    day = daily and rng.random() < 0.5
                    scale = 6.0 if day else 0.5 * hours
                    row["tiers"] = tiers(rng, scale, low, high)
                    if day:
                        row["tier_period"] = "day"
                    if rng.random() < 0.5:
                        row["used_mwh"] = round(float(rng.uniform(0, scale)), 3)
                else:
                    row["price_per_mwh"] = round(float(rng.uniform(low, high)), 2)
                rows.append(row)
    return rows


def energy_part(rng: np.random.Generator, case: Case) -> None:
    """Rows, price series and export price, in one of the combinations that may be stated."""
    tariff, series = case.tariff, case.series
    kind = rng.choice(["series", "both", "rows", "tiers", "sold", "netting", "netting tiers", "two series"])
    steps = len(series)
    number = round(float(rng.uniform(-20, 90)), 2)
    if kind in ("series", "both"):
        series["price_per_mwh"] = np.round(rng.normal(60, 60, steps), 2)
        tariff["export"] = [number, "same", "none"][int(rng.integers(3))]
    if kind in ("both", "rows"):
        tariff["energy"] = energy_rows(rng, case, "import", False, False, -20, 250)
        tariff["export"] = [number, "same", "none"][int(rng.integers(3))]
    if kind in ("tiers", "sold", "two series"):
        tariff["energy"] = energy_rows(rng, case, "import", True, True, 20, 250)
        tariff["export"] = [number, "none"][int(rng.integers(2))]
        if kind == "tiers" and rng.random() < 0.5:
            series["price_per_mwh"] = np.round(rng.normal(30, 40, steps), 2)
    if kind == "sold":
        del tariff["export"]
        tariff["energy"] += energy_rows(rng, case, "export", bool(rng.random() < 0.7), True, -10, 120)
        rng.shuffle(tariff["energy"])
    if kind == "two series":
        series["import_price_per_mwh"] = np.round(rng.normal(30, 40, steps), 2)
        if tariff["export"] != "none":
            series["export_price_per_mwh"] = np.round(rng.normal(20, 40, steps), 2)
        if rng.random() < 0.5 and tariff["export"] != "none":
            del tariff["export"]
    if kind.startswith("netting"):
        with_tiers = kind.endswith("tiers")
        tariff["energy"] = energy_rows(rng, case, "import", with_tiers, False, 20, 250)
        tariff["net_metering"] = "month"
        tariff["export"] = (
            [number, "none"][int(rng.integers(2))] if with_tiers else [number, "none", "same"][int(rng.integers(3))]
        )
        for row in tariff["energy"]:
            row.pop("used_mwh", None)
            if "tiers" in row and rng.random() < 0.5:
                row["used_mwh"] = round(float(rng.uniform(-20, 20)), 3)


def demand_row(rng: np.random.Generator, case: Case) -> Row:
    step = int(case.step_min)
    intervals = [step * k for k in (1, 2, 3, 4, 6) if 1440 % (step * k) == 0 and step * k <= 240]
    interval = int(rng.choice(intervals))
    row: Row = {"interval_min": interval} if interval != step or rng.random() < 0.5 else {}
    if rng.random() < 0.3:
        row["tiers"] = tiers(rng, 3.0, 500.0, 9000.0)
    else:
        row["price_per_mw_month"] = round(float(rng.uniform(500, 9000)), 1)
    index = case.series.index
    if rng.random() < 0.12:
        at = [
            index[int(step)] + pd.Timedelta(minutes=int(rng.integers(step + 1)) // 2)
            for step in rng.integers(0, len(index), 2)
        ]
        return row | {
            "coincident": [stamp.isoformat() for stamp in at] + [(index[0] - pd.Timedelta(days=40)).isoformat()]
        }
    row |= hour_cells(rng, interval)[0] | day_cells(rng, case.holidays is not None)[-1]
    months = sorted({int(month) for month in index.month})
    if rng.random() < 0.4:
        others = [int(month) for month in rng.choice(np.arange(1, 13), size=4, replace=False)]
        row["months"] = sorted({int(rng.choice(months)), *others})
    elif rng.random() < 0.2:
        row |= (
            {"from": "10-01", "to": "05-31"}
            if months[0] in (10, 11, 12, 1, 2, 3, 4, 5)
            else {"from": "06-01", "to": "09-30"}
        )
    period = str(rng.choice(["month", "month", "month", "year", "horizon", "rolling_12"]))
    if period != "month":
        row["period"] = period
    if rng.random() < 0.35:
        row["peaks"] = {"n": int(rng.integers(1, 6))} | ({"distinct": "day"} if rng.random() < 0.7 else {})
    if rng.random() < 0.4:
        row["incurred_mw"] = round(float(rng.uniform(0.5, 3)), 2)
        if "peaks" in row and rng.random() < 0.6:
            row["incurred_mw"] = [round(float(value), 2) for value in rng.uniform(0.5, 3, size=3)]
    if rng.random() < 0.25:
        row["minimum_mw"] = round(float(rng.uniform(0.5, 2.5)), 2)
    if period == "month" and rng.random() < 0.35:
        row["part_months"] = "share"
    history = [round(float(value), 2) for value in rng.uniform(0, 5, size=int(rng.integers(0, 15)))]
    if period == "rolling_12" and history:
        row["history_mw"] = history
    if period == "month" and rng.random() < 0.35:
        ratchet: Row = {"share": round(float(rng.uniform(0.3, 1)), 2)}
        if rng.random() < 0.5:
            ratchet["months"] = int(rng.integers(1, 14))
        if rng.random() < 0.4:
            ratchet["named_months"] = sorted(
                int(month) for month in rng.choice(np.arange(1, 13), size=5, replace=False)
            )
        if history and rng.random() < 0.5:
            ratchet["history_mw"] = history
        elif history:
            row["history_mw"] = history
        row["ratchet"] = ratchet
    if "tiers" not in row and "ratchet" not in row and period != "rolling_12" and rng.random() < 0.3:
        row["contracted_mw"] = round(float(rng.uniform(0.3, 2.5)), 2)
        row["overrun_price_per_mw_month"] = round(float(rng.uniform(500, 20000)), 1)
    return row


def month_part(rng: np.random.Generator, case: Case, total: float) -> None:
    tariff = case.tariff
    if rng.random() < 0.5:
        tariff["fixed_per_month"] = round(float(rng.uniform(0, 300)), 2)
    if rng.random() < 0.5:
        tariff["minimum_per_month"] = round(float(rng.uniform(0, 2 * total)), 2)
    if rng.random() < 0.5:
        tariff["credit_months"] = int(rng.integers(1, 4))
        if rng.random() < 0.6:
            count = min(int(rng.integers(1, 4)), tariff["credit_months"])
            tariff["credit_so_far"] = [round(float(value), 2) for value in rng.uniform(0, total, size=count)]
    if ("minimum_per_month" in tariff or "credit_months" in tariff) and rng.random() < 0.4:
        tariff["billed_so_far"] = round(float(rng.uniform(-total, total)), 2)


def random_case(seed: int, steps: int | None = None) -> Case:
    """A site's series and tariff; with `steps` a horizon of about so many."""
    rng = np.random.default_rng(seed)
    zone = str(rng.choice(list(ZONES)))
    step = int(rng.choice(STEPS_MIN if steps is None else [20, 30, 60]))
    step = 30 if zone == "Australia/Lord_Howe" and step == 60 else step  # its clock changes by half an hour
    day = (
        pd.Timestamp(str(rng.choice(ZONES[zone])))
        if rng.random() < 0.7
        else pd.Timestamp("2024-01-01") + pd.Timedelta(days=int(rng.integers(700)))
    )
    if rng.random() < 0.4:  # the last days of a month
        day = day + pd.offsets.MonthEnd(1) - pd.Timedelta(days=int(rng.integers(0, 2)))
    count = steps or int(rng.integers(150, 1500))
    start = day.tz_localize(zone, nonexistent="shift_forward")
    shift = int(rng.integers(0, 1440 // step)) if rng.random() < 0.5 else 0
    start = start + pd.Timedelta(minutes=step * shift)
    index = pd.date_range(start, periods=count, freq=f"{step}min", name="time")
    load = np.round(np.abs(rng.normal(1.2, 0.9, count)), 3)
    series = pd.DataFrame({"load_mw": load}, index=index)
    if rng.random() < 0.7:
        hour = index.hour + index.minute / 60
        sun = np.maximum(np.sin((hour - 6) / 12 * np.pi), 0) * rng.uniform(0.5, 6)
        series["solar_mw"] = np.round(sun * rng.uniform(0.3, 1, count), 3)
    kind = rng.choice(["none", "list", "region"])
    free: str | list[str] | None = None
    dates: list[str] = []
    if kind == "list":
        dates = sorted({str(index[int(step)].date()) for step in rng.integers(0, count, 2)} | {"2024-01-01"})
        free = dates
    elif kind == "region":
        free = str(rng.choice(["DE-BY", "US", "US-CA", "AU-NSW"]))
        country, _, region = free.partition("-")
        table = public.country_holidays(
            country, subdiv=region or None, years=sorted({int(year) for year in index.year})
        )
        dates = [str(date) for date in table]
    case = Case(series=series, tariff={}, zone=zone, holidays=free, dates=dates)
    energy_part(rng, case)
    case.tariff["demand"] = [demand_row(rng, case) for _ in range(int(rng.integers(0, 4)))]
    month_part(rng, case, total=float(load.sum()) * step / 60 * 100)
    return case
