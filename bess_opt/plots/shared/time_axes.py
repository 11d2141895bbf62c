"""Local time on axes: where steps begin and end, and how days, weeks, months and years are written."""

from __future__ import annotations

import math
from datetime import tzinfo
from functools import lru_cache

import matplotlib.dates as mdates
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator
from matplotlib.transforms import ScaledTranslation, Transform, blended_transform_factory
from numpy.typing import NDArray

from bess_opt.plots.shared.style import GRID_PT, TEXT_PT, Theme

Floats = NDArray[np.float64]
HOUR = pd.Timedelta(hours=1)
DAY = pd.Timedelta(days=1)


def local_index(data: pd.DataFrame | pd.Series) -> pd.DatetimeIndex:
    """The index of starts of steps. ValueError if it has no zone or no step."""
    index = data.index
    if not isinstance(index, pd.DatetimeIndex) or index.tz is None:
        raise ValueError("a figure needs a time-zone-aware time index; use tz_localize or tz_convert first")
    if not len(index):
        raise ValueError("a figure needs at least one step")
    return index


def step_length(index: pd.DatetimeIndex, step_h: float | None) -> pd.Timedelta:
    """Length of a step: as stated, else the first distance; an hour for a single step."""
    if step_h is not None:
        return pd.Timedelta(hours=step_h)
    return index[1] - index[0] if len(index) > 1 else HOUR


def step_edges(data: pd.DataFrame | pd.Series, step_h: float | None) -> Floats:
    """Starts of the steps and the end of the last, as date numbers."""
    index = local_index(data)
    starts = date_numbers(index)
    return np.append(starts, starts[-1] + step_length(index, step_h) / DAY)


def date_numbers(index: pd.DatetimeIndex) -> Floats:
    """Times as matplotlib's date numbers [d]."""
    utc = index.tz_convert(None).to_numpy()
    return np.asarray(mdates.date2num(utc), dtype=np.float64)  # type: ignore[no-untyped-call]


def local_days(index: pd.DatetimeIndex) -> NDArray[np.datetime64]:
    """The local calendar day of each stamp."""
    return index.tz_localize(None).to_numpy().astype("datetime64[D]")


def midnights(days: NDArray[np.datetime64], index: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """When these local days begin; where the clock skips midnight, after the gap."""
    naive = pd.DatetimeIndex(days)
    first = np.ones(len(naive), dtype=bool)
    return naive.tz_localize(index.tz, nonexistent="shift_forward", ambiguous=first)


def day_text(time: pd.Timestamp) -> str:
    """A day for people: "Mon 23 Jun"."""
    return f"{time.day_name()[:3]} {time.day} {time.month_name()[:3]}"


def time_axis(axes: Axes, data: pd.DataFrame | pd.Series, step_h: float | None, look: Theme) -> None:
    """Days with their names in the middle, or clock times where there are less than two days."""
    index = local_index(data)
    edges = step_edges(data, step_h)
    axes.xaxis_date(index.tz)
    axes.set_xlim(edges[0], edges[-1])
    if edges[-1] - edges[0] > 1.6:
        _day_ticks(axes, index, edges, look)
        text = f"local time [day], {index.tz}"
    else:
        _clock_ticks(axes, index, edges, look)
        text = f"local time [h] from {day_text(index[0])} {index[0].year}, {index.tz}"
    axes.set_xlabel(text, fontsize=TEXT_PT, color=look.ink)


def _clock_ticks(axes: Axes, index: pd.DatetimeIndex, edges: Floats, look: Theme) -> None:
    """Clock times, as many as are read easily."""
    marks, names = _clock_marks(float(edges[0]), float(edges[-1]), index.tz)
    places = np.array(marks)
    _draw_grid(axes, places, look)
    _draw_marks(axes, places, look)
    axes.xaxis.set_major_locator(FixedLocator(places.tolist()))
    axes.xaxis.set_major_formatter(FixedFormatter(list(names)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.tick_params(axis="x", which="major", length=0, pad=7.0)
    axes.grid(visible=False, which="major", axis="x")


@lru_cache(maxsize=64)  # panels under one another ask for the same
def _clock_marks(begin: float, end: float, zone: tzinfo | None) -> tuple[tuple[float, ...], tuple[str, ...]]:
    """Date numbers between `begin` and `end` at which a clock in `zone` is read, and what it says there."""
    locator = mdates.AutoDateLocator(tz=zone, minticks=4, maxticks=10)  # type: ignore[no-untyped-call]
    first, last = mdates.num2date([begin, end], tz=zone)  # type: ignore[no-untyped-call]
    clock = mdates.DateFormatter("%H:%M", tz=zone)  # type: ignore[no-untyped-call]
    places = tuple(float(place) for place in locator.tick_values(first, last) if begin <= place <= end)  # type: ignore[no-untyped-call]
    return places, tuple(clock(place) for place in places)


def _day_ticks(axes: Axes, index: pd.DatetimeIndex, edges: Floats, look: Theme) -> None:
    marks = _day_marks(index[0], index[-1], index.tz, float(edges[0]), float(edges[-1]))
    bounds, middles, names = (np.array(one) for one in marks)
    _centred_labels(axes, bounds, middles, names.tolist(), look)
    _draw_upright(axes, middles, axes.get_xaxis_transform(), (0.0, 1.0), colour=look.faint, linestyle="dotted")


@lru_cache(maxsize=64)  # panels under one another ask for the same
def _day_marks(
    first: pd.Timestamp, last: pd.Timestamp, zone: tzinfo | None, begin: float, end: float
) -> tuple[tuple[float, ...], tuple[float, ...], tuple[str, ...]]:
    """Of the local days from `first` to `last`: their bounds, and middles and names of those that are named.

    Date numbers, between `begin` and `end`. Times of two zones may be equal, so `zone` tells their days apart.
    """
    stamps = pd.DatetimeIndex([first, last]).tz_convert(zone)
    days = local_days(stamps)
    inside = np.arange(days[0], days[1] + 1)
    bounds = np.clip(date_numbers(midnights(np.append(inside, days[1] + 1), stamps)), begin, end)
    names = [day_text(day).replace(" ", "\n", 1) for day in pd.DatetimeIndex(inside)]
    step = math.ceil(len(names) / 14)
    wide = [i for i in range(0, len(names), step) if bounds[i + 1] - bounds[i] > 0.4]
    middles = (bounds[:-1] + bounds[1:]) / 2
    return tuple(bounds.tolist()), tuple(middles[wide].tolist()), tuple(names[i] for i in wide)


def date_axis(axes: Axes, days: NDArray[np.datetime64], look: Theme) -> None:
    """Weeks, months or years under a map, each named in its middle."""
    stamps = pd.DatetimeIndex(days)
    first, last = stamps[0].year, stamps[-1].year
    years = f"{first}" if first == last else f"{first} to {last}"
    axes.set_xlabel(f"local date [day], {years}", fontsize=TEXT_PT, color=look.ink)
    if len(days) <= 62:
        mondays = np.flatnonzero(stamps.day_of_week == 0)
        names = [day_text(day) for day in stamps[mondays]]
        starts = mondays.astype(np.float64)
        _centred_labels(axes, starts, starts + 0.5, names, look)
        return
    unit = "datetime64[M]" if len(days) <= 800 else "datetime64[Y]"
    cuts = np.flatnonzero(np.diff(days.astype(unit).astype(int))) + 1
    bounds = np.concatenate([[0], cuts, [len(days)]])
    wide = np.flatnonzero(np.diff(bounds) > len(days) / 40)
    firsts = stamps[bounds[wide]]
    names = [day.month_name()[:3] if unit.endswith("[M]") else str(day.year) for day in firsts]
    edges = bounds.astype(np.float64)
    _centred_labels(axes, edges, (edges[wide] + edges[wide + 1]) / 2, names, look)


def _centred_labels(axes: Axes, bounds: Floats, middles: Floats, names: list[str], look: Theme) -> None:
    """Marks and grid at the bounds, names without marks in the middle."""
    if axes.xaxis.get_tick_params().get("gridOn", False):
        _draw_grid(axes, bounds, look)
    _draw_marks(axes, bounds, look)
    axes.xaxis.set_major_locator(NullLocator())
    axes.xaxis.set_minor_locator(FixedLocator(middles.tolist()))
    axes.xaxis.set_minor_formatter(FixedFormatter(names))
    axes.tick_params(axis="x", which="minor", length=0)


def without_names(axes: Axes) -> None:
    """Take the time labels off a panel that stands over another one; its grid and marks stay."""
    axes.set_xlabel("")
    axes.xaxis.set_visible(False)


def _draw_grid(axes: Axes, places: Floats, look: Theme) -> None:
    _draw_upright(axes, places, axes.get_xaxis_transform(), (0.0, 1.0), colour=look.faint)


def _draw_marks(axes: Axes, places: Floats, look: Theme) -> None:
    """Marks of 3.5 points under the axis."""
    inches = axes.figure.dpi_scale_trans + ScaledTranslation(0.0, 0.0, axes.transAxes)  # type: ignore[arg-type]
    across = blended_transform_factory(axes.transData, inches)
    _draw_upright(axes, places, across, (-3.5 / 72.0, 0.0), colour=look.ink, clip_on=False)


def _draw_upright(
    axes: Axes,
    places: Floats,
    across: Transform,
    ends: tuple[float, float],
    *,
    colour: str,
    linestyle: str = "solid",
    clip_on: bool = True,
) -> None:
    """Upright lines as one path: as ticks, with two marks and two labels each, they take half of a picture's time."""
    if not len(places):
        return
    vertices = np.column_stack([np.repeat(places, 2), np.tile(ends, len(places))])
    codes = np.tile([Path.MOVETO, Path.LINETO], len(places))
    axes.add_artist(
        PathPatch(
            Path(vertices, codes),
            facecolor="none",
            edgecolor=colour,
            linewidth=GRID_PT,
            linestyle=linestyle,
            transform=across,
            clip_on=clip_on,
            zorder=0.5,
        )
    )
