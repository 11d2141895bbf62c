"""The calendar of a solar profile: weather put on a year, and the local clock on which its steps begin."""

from __future__ import annotations

import calendar
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from bess_opt.common.clock import zone_name
from bess_opt.common.errors import ScenarioError
from bess_opt.common.wording import minutes, moment
from bess_opt.inputs.readers.problems import problem
from bess_opt.inputs.series.time_axis import check_step
from bess_opt.inputs.solar.pv_plant import SolarPlant
from bess_opt.inputs.solar.weather import TYPICAL_YEAR, Weather


def out_step(rows: Weather, plant: SolarPlant) -> pd.Timedelta:
    """Step of the result: a whole part or multiple of the file's, and one that scenarios can have."""
    out = rows.step if plant.step_min is None else pd.Timedelta(round(plant.step_min * 60_000), "ms")
    longer, shorter = max(out, rows.step), min(out, rows.step)
    if longer % shorter != pd.Timedelta(0):
        found = f"found {plant.step_min:g}, but {rows.source} has steps of {minutes(rows.step.value)}"
        raise problem("odd_step", "solar.step_min", found, "give a whole multiple or a whole part of that")
    problems = check_step("solar.step_min", int(out / pd.Timedelta(1, "ns")))
    if problems:
        raise ScenarioError(problems)
    return out


def on_calendar(rows: Weather, year: int | None) -> tuple[bool, Weather]:
    """(whole calendar years?, rows in order of time without gaps), put on `year` where that is needed."""
    real = bool((np.diff(rows.middle.asi8) == nanoseconds(rows.step)).all()) and not rows.typical
    years = rows.middle.year.unique()
    if real and year is not None and year in years:
        mine = np.asarray(rows.middle.year == year)
        rows = replace(rows, frame=rows.frame[mine].reset_index(drop=True), middle=rows.middle[mine])
    elif real and year is not None and rows.middle[-1] - rows.middle[0] > pd.Timedelta(days=366):
        found = f"found {year}, but {rows.source} covers {years[0]} to {years[-1]}"
        raise problem("outside_horizon", "solar.year", found, "give one of its years")
    elif not real or year is not None:
        own = int(years[0]) if len(years) == 1 and not rows.typical else TYPICAL_YEAR
        rows = _moved(rows, year or own)
    first, last = rows.middle[0], rows.middle[-1]
    start = pd.Timestamp(first.year, 1, 1, tz=first.tz)
    length = pd.Timestamp(last.year + 1, 1, 1, tz=first.tz) - start
    return len(rows.middle) * rows.step == length and first - start < rows.step, rows


def _moved(rows: Weather, year: int) -> Weather:
    """Every row on the same month, day and hour of `year`."""
    old, frame = rows.middle, rows.frame
    leap_day = np.asarray((old.month == 2) & (old.day == 29))
    if not calendar.isleap(year):
        old, frame = old[~leap_day], frame[~leap_day]
    days = pd.to_datetime({"year": year, "month": old.month, "day": old.day})
    clock = old.tz_localize(None)
    new = (pd.DatetimeIndex(days) + (clock - clock.normalize())).tz_localize(old.tz)
    if calendar.isleap(year) and not leap_day.any():
        day = np.asarray((new.month == 2) & (new.day == 28))
        ends = day.any() and bool((new.month == 3).any())
        again = new[day & ends] + pd.Timedelta(days=1)
        new, frame = pd.DatetimeIndex(new.append(again)), pd.concat([frame, frame[day & ends]])
    order = np.argsort(new.asi8, kind="stable")
    new = new[order].as_unit("ns")
    wrong = np.diff(new.asi8) != nanoseconds(rows.step)
    if wrong.any():
        at = moment(new[int(np.argmax(wrong))])
        found = f"rows of {minutes(nanoseconds(rows.step))} do not follow each other after {at}, all put on {year}"
        raise problem("gap", rows.source, found, "give every row of the period once")
    return replace(rows, frame=frame.iloc[order].reset_index(drop=True), middle=new)


def nanoseconds(span: pd.Timedelta) -> int:
    """A span as a whole number."""
    return int(span / pd.Timedelta(1, "ns"))


def zone_of(zone: Any) -> Any:
    """A named zone for a fixed offset of whole hours, so that days and windows have a clock."""
    if isinstance(zone, str):
        return zone
    shift = pd.Timestamp(2025, 1, 1, tz=zone).utcoffset()
    hours = shift.total_seconds() / 3600.0 if shift is not None else 0.0
    if zone_name(zone) is not None or hours != round(hours):
        return zone_name(zone) or zone
    return f"Etc/GMT{-round(hours):+d}" if hours else "UTC"


def clock_of(rows: Weather, whole: bool, out: pd.Timedelta, zone: Any) -> pd.DatetimeIndex:
    """Starts of the steps on the local clock: the whole local years, or all steps that the rows cover."""
    first, last = rows.middle[0], rows.middle[-1]
    if whole:
        start = pd.Timestamp(first.year, 1, 1, tz=zone)
        end = pd.Timestamp(last.year + 1, 1, 1, tz=zone)
    else:
        start, end = (first - rows.step / 2).tz_convert(zone), (last + rows.step / 2).tz_convert(zone)
        over = (start.tz_localize(None) - start.tz_localize(None).normalize()) % out
        start = start + (out - over) % out
    steps = (end - start) // out
    if steps < 1:
        raise problem(
            "too_short", rows.source, f"covers no whole step of {minutes(nanoseconds(out))}", "give more rows"
        )
    index = pd.date_range(start.tz_convert("UTC"), periods=steps, freq=out, name="time")
    return index.tz_convert(zone).as_unit("ns")


def around(rows: Weather) -> Weather:
    """A day more at both ends of whole years, taken from the other end."""
    day = round(pd.Timedelta(days=1) / rows.step)
    period = len(rows.middle) * rows.step
    middle = (rows.middle[-day:] - period).append([rows.middle, rows.middle[:day] + period])
    frame = pd.concat([rows.frame[-day:], rows.frame, rows.frame[:day]], ignore_index=True)
    return replace(rows, frame=frame, middle=pd.DatetimeIndex(middle))
