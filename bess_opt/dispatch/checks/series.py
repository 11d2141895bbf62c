"""What a series may be that its author did not notice: in kW, on another clock, not quite a year, not used."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bess_opt.common.arrays import Array
from bess_opt.common.findings import Finding
from bess_opt.inputs.batteries import battery_of_array
from bess_opt.inputs.scenario import Scenario
from bess_opt.plant.plant import Plant

RESERVE = "energy_min_mwh"
KILO = 100.0  # a series so many times larger than everything else of the site is likely in kW
NOON_H, NOON_WITHIN_H = 12.5, 4.0  # local clock at which the sun stands highest, give or take wide zones
YEAR_H = (8760.0, 8784.0)
NEAR_YEAR_H = 96.0
CAPACITY_MOST = {"solar_mw": 1.2, "solar_dc_mw": 2.0}  # of solar_capacity_mw, which may be the inverter's


def series_findings(scenario: Scenario, plant: Plant) -> list[Finding]:
    """All findings about the series and their clock."""
    series = scenario.series  # each reading of it is a copy
    reserves = [str(name) for name in series.columns if str(name).rpartition(".")[2] == RESERVE]
    return [
        *_power(scenario, series),
        *_capacity(scenario, series),
        *_noon(scenario, plant),
        *_year(plant),
        *(finding for name in reserves for finding in _reserve(series, plant, name)),
        *_unused(scenario, series),
    ]


def _reserve(series: pd.DataFrame, plant: Plant, name: str) -> list[Finding]:
    """A reserve holds at the end of its step, which a row named by its start does not say."""
    reserve = series[name].to_numpy()
    if not (reserve > 0.0).any():
        return []
    first = int(np.argmax(reserve > 0.0))
    begins = plant.index[first]
    ends = begins + pd.Timedelta(hours=plant.step_h)
    found = f"the row {begins:%Y-%m-%d %H:%M} asks for {reserve[first]:.4g} MWh at {ends:%H:%M}"
    expected = (
        "a reserve holds at the end of its step; state it a row earlier if it is to be there when the row begins"
    )
    return [Finding("reserve_at_end_of_step", f"series.{name}", found, expected, "recommendation")]


def _power(scenario: Scenario, series: pd.DataFrame) -> list[Finding]:
    """Powers that look like kW beside everything else that is stated in MW."""
    site, found = scenario.site, []
    ratings = [site.solar_capacity_mw, site.inverter_mw, site.pv_inverter_mw]
    known = [site.import_limit_mw, site.export_limit_mw, *ratings]
    largest = max(
        [*(battery.power_mw for battery in scenario.batteries), *(size for size in known if size is not None)]
    )
    for name in ("load_mw", "solar_mw", "solar_dc_mw"):
        highest = float(series[name].max()) if name in series else 0.0
        if highest >= KILO * largest:
            what = f"reaches {highest:.6g} MW, {highest / largest:.0f} times all else of the site ({largest:g} MW)"
            expected = "give MW; divide by 1000 if these are kW"
            found.append(Finding("power_in_kw", f"series.{name}", what, expected, "warning"))
    return found


def _capacity(scenario: Scenario, series: pd.DataFrame) -> list[Finding]:
    """Solar power above the array's stated capacity."""
    capacity, name = scenario.site.solar_capacity_mw, _solar_columns(scenario, series)[0]
    if not capacity or name not in series:
        return []
    highest = float(series[name].max())
    if highest <= CAPACITY_MOST[name] * capacity:
        return []
    found = f"is {capacity:g} MW, and series.{name} reaches {highest:.4g} MW"
    expected = "give the capacity at the side of the inverter at which the series stands"
    return [Finding("solar_above_capacity", "site.solar_capacity_mw", found, expected, "warning")]


def _solar_columns(scenario: Scenario, series: pd.DataFrame) -> tuple[str, str]:
    """(the solar column that is read, the other one)."""
    ac, dc = "solar_mw", "solar_dc_mw"
    first = (ac, dc) if battery_of_array(scenario.batteries).topology == "parallel_ac" else (dc, ac)
    return first if first[0] in series else (first[1], first[0])


def _noon(scenario: Scenario, plant: Plant) -> list[Finding]:
    """A local clock on which the sun shines at night."""
    solar = plant.solar_mw
    if plant.horizon_h < 24.0 or not solar.any():
        return []
    centre = _centre_h(plant.index, solar, plant.step_h)
    if centre is None or abs((centre - NOON_H + 12.0) % 24.0 - 12.0) <= NOON_WITHIN_H:
        return []
    clock = f"{int(centre):02d}:{int(centre % 1.0 * 60.0):02d}"
    found = f"is {scenario.time_zone!r}, and on its clock half of the solar energy comes before {clock}"
    expected = "state the zone of the site, or mend the times of the series"
    return [Finding("solar_at_night", "site.time_zone", found, expected, "warning")]


def _centre_h(index: pd.DatetimeIndex, solar: Array, step_h: float) -> float | None:
    """Local hour about which the solar energy lies, on the circle of the day; None if it lies about none."""
    hours = index.hour.to_numpy() + index.minute.to_numpy() / 60.0 + step_h / 2.0
    turn = np.exp(2j * np.pi * hours / 24.0) @ solar / solar.sum()
    return float(np.angle(turn) * 12.0 / np.pi % 24.0) if abs(turn) > 0.2 else None


def _year(plant: Plant) -> list[Finding]:
    """A horizon that is nearly a year."""
    hours, first = plant.horizon_h, plant.index[0]
    if min(abs(hours - year) for year in YEAR_H) > NEAR_YEAR_H:
        return []
    end = first.tz_convert("UTC") + pd.Timedelta(hours=hours)
    due = first.tz_localize(None) + pd.DateOffset(years=1)
    left = (end.tz_convert(first.tz).tz_localize(None) - due) / pd.Timedelta(hours=1)
    whole = hours in YEAR_H
    if left == 0.0 or (whole and abs(left) <= 1.0):  # the clock may change on another date in the next year
        return []
    word = "longer" if left > 0 else "shorter"
    found = f"has {plant.steps} steps, {hours:g} h from {first:%Y-%m-%d %H:%M}: {abs(left):g} h {word} than a year"
    expected = "give a whole year if yearly figures are wanted; leap years have 8784 h"
    return [Finding("not_a_year", "series", found, expected, "recommendation" if whole else "warning")]


def _unused(scenario: Scenario, series: pd.DataFrame) -> list[Finding]:
    """Columns that nothing reads."""
    columns, found = series.columns, []
    if {"solar_mw", "solar_dc_mw"} <= set(columns):
        unused = _solar_columns(scenario, series)[1]
        what = f"both solar columns are given and the topology is {battery_of_array(scenario.batteries).topology!r}"
        found.append(
            Finding("solar_column_unused", f"series.{unused}", what, "this one is not used", "recommendation")
        )
    names = {entry.name for entry in scenario.strategies}
    for name in columns:
        if str(name).startswith("regulation") and names and "frequency_regulation" not in names:
            what, expected = f"the strategy is {', '.join(sorted(names))!r}", "only 'frequency_regulation' uses it"
            found.append(Finding("column_unused", f"series.{name}", what, expected, "recommendation"))
    return found
