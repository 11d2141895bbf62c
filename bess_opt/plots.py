"""Figures from plain data: no pyplot, no global state, the same input gives the same picture.

`dispatch_figure` shows a whole dispatch; each `draw_*` function draws one panel on axes of the caller.
Time is local everywhere. A power holds from its stamp to the end of its step, a SOC is drawn at the end.
"""

from __future__ import annotations

import datetime as dt
import io
import math
from dataclasses import dataclass
from typing import Any

import matplotlib.dates as mdates
import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import Normalize, to_rgba
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator, MaxNLocator, NullFormatter
from numpy.typing import NDArray

from bess_opt.columns import SCHEDULE
from bess_opt.style import (
    LINE_PT,
    TEXT_PT,
    TICK_PT,
    TITLE_PT,
    Theme,
    ThemeName,
    drawing,
    dress,
    heading,
    theme_of,
)

Floats = NDArray[np.float64]

DPI = 120
SHORT_DAYS = 10
WEEK_DAYS = 7
NOISE_MW = 1e-6
HOUR = pd.Timedelta(hours=1)
DAY = pd.Timedelta(days=1)
BESIDE = 1.02
"""Where legends and colour bars begin, right of the data, in widths of the panel."""

WIDTH_IN, LEFT_IN, RIGHT_IN, BOTTOM_IN, GAP_IN = 13.0, 1.0, 2.45, 0.8, 0.55
POWER_IN, LINE_IN, MAP_IN, TIME_LABELS_IN = 3.6, 1.7, 1.9, 0.65


class NotebookFigure(Figure):
    """A Figure that a notebook shows by itself, although pyplot does not know it."""

    def _repr_png_(self) -> bytes:
        return figure_png(self)


def figure_png(figure: Figure, *, dpi: float = DPI) -> bytes:
    """The figure as PNG bytes, without date, version or another trace of when it was made."""
    buffer = io.BytesIO()
    with drawing(theme_of("light")):
        paper = figure.get_facecolor()
        figure.savefig(buffer, format="png", dpi=dpi, facecolor=paper, metadata={"Software": None})
    return buffer.getvalue()


# ---- the overview


def dispatch_figure(
    schedule: pd.DataFrame,
    *,
    energy_mwh: float,
    currency: str = "EUR",
    title: str = "",
    week: str | None = None,
    theme: ThemeName = "light",
    soc_start: float | None = None,
    step_h: float | None = None,
    figure: Figure | None = None,
) -> Figure:
    """A dispatch on one page: power, SOC and price of one week, then maps of every hour of the horizon.

    The week starts at the local date `week`, or is the last of the horizon if that date is nearer to the end
    than seven days. By default it is the week from Monday to Sunday with the largest battery throughput, the
    earliest of equals. A horizon shorter than ten days is shown whole and without maps. `soc_start` begins
    the SOC line where the horizon begins. `step_h` matters only for a single step that is not an hour. A
    given `figure` is drawn into and keeps its size.
    """
    look = theme_of(theme)
    index = _local(schedule)
    step = _step(index, step_h)
    window = _window(schedule, index, step, week)
    part = schedule.iloc[window.first : window.last]
    before = float(schedule["soc"].iloc[window.first - 1]) if window.first else soc_start
    hours = step / HOUR
    maps = [] if window.whole else _mapped(schedule)
    rows = [_Row(POWER_IN), _Row(LINE_IN)] + [_Row(LINE_IN)] * bool(_prices(part))
    lines = len(rows)
    rows += [_Row(MAP_IN, above_in=TIME_LABELS_IN * (i == 0)) for i in range(len(maps))]
    with drawing(look):
        page, panels = _page(figure, rows, title, look)
        draw_power(panels[0], part, theme=theme, step_h=hours)
        draw_soc(panels[1], part["soc"], energy_mwh=energy_mwh, before=before, theme=theme, step_h=hours)
        for axes in panels[2:lines]:
            draw_price(axes, part, currency=currency, theme=theme, step_h=hours)
        heading(panels[0], f"Power: {window.text}")
        heading(panels[1], "State of charge at the end of each step")
        for axes, values in zip(panels[lines:], maps, strict=True):
            _draw_named_map(axes, values, currency=currency, theme=theme, step_h=hours)
            _mark_days(axes, index, window, look)
        _label_lowest(panels[:lines])
        _label_lowest(panels[lines:])
    return page


@dataclass(frozen=True)
class _Row:
    """A panel of the page: its height, and the room that the panel above needs for its time labels."""

    height_in: float
    above_in: float = 0.0


def _page(figure: Figure | None, rows: list[_Row], title: str, look: Theme) -> tuple[Figure, list[Axes]]:
    """A figure with one empty panel per row, from the top down, and room for legends at the right."""
    head = 0.95 if title else 0.5
    used = [row.height_in + (i > 0) * (GAP_IN + row.above_in) for i, row in enumerate(rows)]
    height = head + sum(used) + BOTTOM_IN
    page = NotebookFigure(figsize=(WIDTH_IN, height)) if figure is None else figure
    page.set_facecolor(look.paper)
    if title:
        place = (LEFT_IN / WIDTH_IN, 1 - 0.2 / height)
        page.text(*place, title, fontsize=TITLE_PT, fontweight="bold", va="top", color=look.ink)
    bottoms = height - head - np.cumsum(used)
    left, width = LEFT_IN / WIDTH_IN, (WIDTH_IN - LEFT_IN - RIGHT_IN) / WIDTH_IN
    panels = [
        page.add_axes((left, bottom / height, width, row.height_in / height))
        for row, bottom in zip(rows, bottoms, strict=True)
    ]
    return page, panels


def _label_lowest(panels: list[Axes]) -> None:
    for axes in panels[:-1]:
        axes.tick_params(which="both", labelbottom=False)
        axes.set_xlabel("")


def _mapped(schedule: pd.DataFrame) -> list[pd.Series]:
    """What the maps show: the battery, and the price that moves it, or the SOC where no price moves."""
    moving = [price for price in _prices(schedule) if price.nunique() > 1]
    return [schedule["battery_mw"], moving[0] if moving else schedule["soc"]]


def _draw_named_map(axes: Axes, values: pd.Series, *, currency: str, theme: ThemeName, step_h: float) -> None:
    name = str(values.name)
    battery, soc = name == "battery_mw", name == "soc"
    label = "power" if battery else "SOC" if soc else "price"
    text = (
        "Battery, + discharge − charge" if battery else "State of charge" if soc else _price_name(values).capitalize()
    )
    draw_heat_map(
        axes,
        values,
        label=f"{label} {_unit(name, currency)}",
        limits=(0.0, 1.0) if soc else None,
        diverging=battery,
        theme=theme,
        step_h=step_h,
    )
    heading(axes, f"{text}: every local day and hour (bar: the week above)", pad=15)


def _mark_days(axes: Axes, index: pd.DatetimeIndex, window: _Window, look: Theme) -> None:
    """A bar over the days that the panels of the week show."""
    days = _local_days(index[[0, window.first, window.last - 1]])
    first, last = (days[1:] - days[0]).astype(int)
    place = axes.get_xaxis_transform()
    bar = axes.plot([first, last + 1], [1.03, 1.03], transform=place, color=look.ink, linewidth=5, clip_on=False)
    bar[0].set_solid_capstyle("butt")


# ---- which week is shown


@dataclass(frozen=True)
class _Window:
    """The rows that are shown, from `first` to before `last`, and how to call them."""

    first: int
    last: int
    whole: bool
    text: str


def _window(schedule: pd.DataFrame, index: pd.DatetimeIndex, step: pd.Timedelta, week: str | None) -> _Window:
    end = index[-1] + step
    asked = None if week is None else _asked_day(week, index)
    if end - index[0] < SHORT_DAYS * DAY:
        return _Window(0, len(index), True, _span_text(index))
    days = _local_days(index[[0, -1]])
    starts = _midnights(np.arange(days[0], days[1] - WEEK_DAYS + 2), index)
    if asked is None:
        begin = _busiest(schedule, index, step, starts)
    else:
        begin = min(int((asked - days[0]).astype(int)), len(starts) - 1)
    stop = _midnights(days[:1] + begin + WEEK_DAYS, index)
    first, last = index.searchsorted(starts[begin]), index.searchsorted(stop[0])
    chosen = asked is None and schedule["battery_mw"].iloc[first:last].any()
    text = _span_text(index[first:last]) + (", the battery's busiest week" if chosen else "")
    return _Window(int(first), int(last), False, text)


def _asked_day(week: str, index: pd.DatetimeIndex) -> np.datetime64:
    try:
        day = np.datetime64(dt.date.fromisoformat(week))
    except ValueError:
        raise ValueError(f'week "{week}" is not a date; write it like "{index[0]:%Y-%m-%d}"') from None
    first, last = _local_days(index[[0, -1]])
    if not first <= day <= last:
        raise ValueError(f'week "{week}" is outside the horizon, which runs from {first} to {last}')
    return day


def _busiest(schedule: pd.DataFrame, index: pd.DatetimeIndex, step: pd.Timedelta, starts: pd.DatetimeIndex) -> int:
    """The start with the most throughput, the earliest of equals; Mondays, if a whole week starts on one."""
    both = (schedule["charge_mw"] + schedule["discharge_mw"]).to_numpy(dtype=float)
    running = np.concatenate([[0.0], np.cumsum(both)])
    stops = _midnights(_local_days(starts) + WEEK_DAYS, index)
    total = np.round(running[index.searchsorted(stops)] - running[index.searchsorted(starts)], 6)
    inside = (starts >= index[0]) & (stops <= index[-1] + step)
    monday = inside & (starts.day_of_week == 0)
    allowed = monday if monday.any() else inside
    return int(np.argmax(np.where(allowed, total, -1.0)))


def _span_text(index: pd.DatetimeIndex) -> str:
    first, last = _day_text(index[0]), _day_text(index[-1])
    if first == last:
        return f"{first} {index[-1].year}"
    year = f" {index[0].year}" if index[0].year != index[-1].year else ""
    return f"{first}{year} to {last} {index[-1].year}"


# ---- the panels


@dataclass(frozen=True)
class _Layer:
    label: str
    values: Floats
    colour: str
    hatch: str | None = None


def draw_power(
    axes: Axes, schedule: pd.DataFrame, *, theme: ThemeName = "light", step_h: float | None = None
) -> None:
    """Sources stacked above zero, charge and export below, the load as a line; all-zero ones are left out."""
    look = theme_of(theme)
    edges = _edges(schedule, step_h)
    mw = {name: schedule[name].to_numpy(dtype=float) for name in SCHEDULE if name.endswith("_mw")}
    used = np.maximum(mw["solar_mw"] - mw["curtailed_mw"], 0.0)
    sources = [
        _Layer("solar used", used, look.solar),
        _Layer("battery discharge", mw["discharge_mw"], look.discharge),
        _Layer("import", mw["import_mw"], look.imported),
        _Layer("unserved load", mw["unserved_mw"], look.unserved, "xx"),
        _Layer("solar curtailed", mw["curtailed_mw"], look.curtailed, "///"),
    ]
    sinks = [
        _Layer("battery charge", mw["charge_mw"], look.charge),
        _Layer("export", mw["export_mw"], look.exported),
    ]
    with drawing(look):
        dress(axes, look)
        _time_axis(axes, schedule, step_h, look)
        handles = _stack(axes, edges, sources, 1.0)[::-1]
        if mw["load_mw"].max() > NOISE_MW:
            handles.append(_steps(axes, edges, mw["load_mw"], look.load, "load"))
        handles += _stack(axes, edges, sinks, -1.0)
        axes.axhline(0.0, color=look.ink, linewidth=1.0)
        if not handles:
            axes.set_ylim(-1.0, 1.0)
        _name_y(axes, f"power {_unit('grid_mw')}", look)
        _legend(axes, handles, look)


def _stack(axes: Axes, edges: Floats, layers: list[_Layer], sign: float) -> list[Artist]:
    """The layers on top of each other, away from zero; the drawn ones come back for the legend."""
    base = np.zeros(len(edges))
    drawn: list[Artist] = []
    for layer in layers:
        if layer.values.max() <= NOISE_MW:
            continue
        top = base + sign * _held(layer.values)
        face, edge = (to_rgba(layer.colour, 0.3), layer.colour) if layer.hatch else (layer.colour, "none")
        area = axes.fill_between(
            edges, base, top, step="post", facecolor=face, edgecolor=edge, hatch=layer.hatch, linewidth=0.0
        )
        area.set_label(layer.label)
        drawn.append(area)
        base = top
    return drawn


def _steps(axes: Axes, edges: Floats, values: Floats, colour: str, label: str) -> Artist:
    """A line that holds each value over its step."""
    held = _held(values)
    return axes.plot(edges, held, drawstyle="steps-post", color=colour, linewidth=LINE_PT, label=label)[0]


def _held(values: Floats) -> Floats:
    """The values with the last one again, for the end of the last step."""
    return np.append(values, values[-1:])


def draw_soc(
    axes: Axes,
    soc: pd.Series,
    *,
    energy_mwh: float | None = None,
    before: float | None = None,
    theme: ThemeName = "light",
    step_h: float | None = None,
) -> None:
    """SOC as a line through the ends of the steps; `before` is the SOC at the first start, if known."""
    look = theme_of(theme)
    edges = _edges(soc, step_h)
    x, y = edges[1:], soc.to_numpy(dtype=float)
    if before is not None:
        x, y = edges, np.concatenate([[before], y])
    with drawing(look):
        dress(axes, look)
        _time_axis(axes, soc, step_h, look)
        axes.fill_between(x, y, color=look.soc, alpha=0.18, linewidth=0)
        axes.plot(x, y, color=look.soc, linewidth=LINE_PT, marker="o" if len(x) == 1 else None, clip_on=False)
        axes.set_ylim(-0.03, 1.05)
        axes.yaxis.set_major_locator(FixedLocator([0.0, 0.25, 0.5, 0.75, 1.0]))
        _name_y(axes, f"SOC {_unit('soc')}", look)
        if energy_mwh:
            _energy_axis(axes, energy_mwh, look)


def _energy_axis(axes: Axes, energy_mwh: float, look: Theme) -> None:
    def scaled(soc: Any) -> Any:
        return soc * energy_mwh

    def unscaled(energy: Any) -> Any:
        return energy / energy_mwh

    right = axes.secondary_yaxis("right", functions=(scaled, unscaled))
    right.tick_params(colors=look.ink, labelsize=TICK_PT, labelfontfamily="DejaVu Sans")
    right.yaxis.set_major_locator(MaxNLocator(4))
    right.set_ylabel(f"energy {_unit('energy_mwh')}", fontsize=TEXT_PT, color=look.ink)


def draw_price(
    axes: Axes,
    schedule: pd.DataFrame,
    *,
    currency: str = "EUR",
    theme: ThemeName = "light",
    step_h: float | None = None,
) -> None:
    """The price in steps, import and export apart where they differ; a zero line if any is negative."""
    look = theme_of(theme)
    edges = _edges(schedule, step_h)
    prices = _prices(schedule)
    colours = {"import_price_per_mwh": look.imported, "export_price_per_mwh": look.exported}
    with drawing(look):
        dress(axes, look)
        _time_axis(axes, schedule, step_h, look)
        lines: list[Artist] = []
        for price in prices:
            name = str(price.name)
            colour = colours[name] if len(prices) > 1 else look.price
            label = _price_name(price)
            lines.append(_steps(axes, edges, price.to_numpy(dtype=float), colour, label))
        if any(price.min() < 0 for price in prices):
            axes.axhline(0.0, color=look.ink, linewidth=1.0)
        axes.yaxis.set_major_locator(MaxNLocator(5))
        _name_y(axes, f"price {_unit('import_price_per_mwh', currency)}", look)
        if len(lines) > 1:
            _legend(axes, lines, look)
        heading(axes, "Price" if len(prices) > 1 else _price_name(prices[0]).capitalize())


def _price_name(price: pd.Series) -> str:
    return str(price.name).removesuffix("_per_mwh").replace("_", " ")


def _prices(schedule: pd.DataFrame) -> list[pd.Series]:
    """The prices that exist, once if import and export are the same."""
    bought, sold = schedule["import_price_per_mwh"], schedule["export_price_per_mwh"]
    there = [price for price in (bought, sold) if price.notna().any()]
    if len(there) == 2 and np.allclose(bought, sold, rtol=0.0, atol=1e-9, equal_nan=True):
        return [bought.rename("price_per_mwh")]
    return there


def draw_heat_map(
    axes: Axes,
    values: pd.Series,
    *,
    label: str,
    limits: tuple[float, float] | None = None,
    diverging: bool = False,
    theme: ThemeName = "light",
    step_h: float | None = None,
) -> None:
    """Local days across, clock hours upwards, colour by hourly mean; an hour that the clock skips is blank.

    `diverging` puts the neutral colour at zero and both ends equally far. Otherwise `limits` bound the
    colours, by default the first and the last percentile, so that one spike does not take all of them.
    """
    look = theme_of(theme)
    table = day_hour_table(values, step_h=step_h)
    grid = table.to_numpy(dtype=float)
    low, high = _colour_limits(grid, limits, diverging)
    cmap = look.diverging if diverging else look.sequential
    with drawing(look):
        dress(axes, look, grid=False)
        extent = (0.0, float(grid.shape[1]), 0.0, 24.0)
        image = axes.imshow(
            grid,
            cmap=cmap,
            norm=Normalize(low, high),
            origin="lower",
            aspect="auto",
            extent=extent,
            interpolation="nearest",
        )
        axes.yaxis.set_major_locator(FixedLocator([0, 6, 12, 18, 24]))
        _name_y(axes, "local hour [h]", look)
        _date_axis(axes, table.columns.to_numpy(dtype="datetime64[D]"), look)
        bar = axes.inset_axes((BESIDE, 0.0, 0.02, 1.0))
        known = grid[np.isfinite(grid)]
        beyond = {(0, 1): "max", (1, 0): "min", (1, 1): "both"}
        extend = beyond.get((int((known < low).any()), int((known > high).any())), "neither")
        scale = axes.figure.colorbar(image, cax=bar, extend=extend, label=label, ticks=MaxNLocator(5))
        bar.tick_params(colors=look.ink, labelsize=TICK_PT, labelfontfamily="DejaVu Sans")
        scale.outline.set_edgecolor(look.faint)


def day_hour_table(values: pd.Series, *, step_h: float | None = None) -> pd.DataFrame:
    """Means by clock hour (rows 0 to 23) and local day (columns); NaN where the clock has no such hour.

    An hour that the clock shows twice is the mean of both. A longer step counts in all its hours.
    """
    index = _local(values)
    pieces = max(1, math.ceil(_step(index, step_h) / HOUR))
    numbers = np.repeat(values.to_numpy(dtype=float), pieces)
    if pieces > 1:
        offsets = pd.to_timedelta(np.tile(np.arange(pieces), len(index)) * (_step(index, step_h) / pieces))
        index = index.repeat(pieces) + offsets
    clock = index.tz_localize(None).to_numpy().astype("datetime64[h]")
    first, last = clock.min().astype("datetime64[D]"), clock.max().astype("datetime64[D]")
    days = np.arange(first, last + 1)
    cell = (clock - first).astype(int)
    there = np.isfinite(numbers)
    size = 24 * len(days)
    count = np.bincount(cell[there], minlength=size)
    total = np.bincount(cell[there], weights=numbers[there], minlength=size)
    mean = np.divide(total, count, out=np.full(size, np.nan), where=count > 0)
    return pd.DataFrame(mean.reshape(-1, 24).T, index=range(24), columns=pd.DatetimeIndex(days))


def _colour_limits(grid: Floats, limits: tuple[float, float] | None, diverging: bool) -> tuple[float, float]:
    known = grid[np.isfinite(grid)]
    if diverging:
        most = float(np.abs(known).max(initial=0.0))
        reach = most if most > NOISE_MW else 1.0
        return -reach, reach
    if limits is not None:
        return limits
    low, high = (float(q) for q in np.percentile(known, [1, 99])) if known.size else (0.0, 1.0)
    return (low, high) if high > low else (low - 0.5, low + 0.5)


# ---- time and axes


def _local(data: pd.DataFrame | pd.Series) -> pd.DatetimeIndex:
    index = data.index
    if not isinstance(index, pd.DatetimeIndex) or index.tz is None:
        raise ValueError("a figure needs a time-zone-aware time index; use tz_localize or tz_convert first")
    if not len(index):
        raise ValueError("a figure needs at least one step")
    return index


def _step(index: pd.DatetimeIndex, step_h: float | None) -> pd.Timedelta:
    if step_h is not None:
        return pd.Timedelta(hours=step_h)
    return index[1] - index[0] if len(index) > 1 else HOUR


def _edges(data: pd.DataFrame | pd.Series, step_h: float | None) -> Floats:
    """Starts of the steps and the end of the last, as date numbers."""
    index = _local(data)
    starts = _numbers(index)
    return np.append(starts, starts[-1] + _step(index, step_h) / DAY)


def _numbers(index: pd.DatetimeIndex) -> Floats:
    utc = index.tz_convert("UTC").tz_localize(None).to_numpy()
    return np.asarray(mdates.date2num(utc), dtype=np.float64)  # type: ignore[no-untyped-call]


def _local_days(index: pd.DatetimeIndex) -> NDArray[np.datetime64]:
    return index.tz_localize(None).to_numpy().astype("datetime64[D]")


def _midnights(days: NDArray[np.datetime64], index: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """When these local days begin; where the clock skips midnight, after the gap."""
    naive = pd.DatetimeIndex(days)
    first = np.ones(len(naive), dtype=bool)
    return naive.tz_localize(index.tz, nonexistent="shift_forward", ambiguous=first)


def _day_text(time: pd.Timestamp) -> str:
    return f"{time.day_name()[:3]} {time.day} {time.month_name()[:3]}"


def _time_axis(axes: Axes, data: pd.DataFrame | pd.Series, step_h: float | None, look: Theme) -> None:
    """Days with their names in the middle, or clock times where there are less than two days."""
    index = _local(data)
    edges = _edges(data, step_h)
    axes.xaxis_date(index.tz)
    axes.set_xlim(edges[0], edges[-1])
    if edges[-1] - edges[0] > 1.6:
        _day_ticks(axes, index, edges, look)
        text = f"local time [day], {index.tz}"
    else:
        locator = mdates.AutoDateLocator(tz=index.tz, minticks=4, maxticks=10)  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_locator(locator)
        clock = mdates.DateFormatter("%H:%M", tz=index.tz)  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_formatter(clock)
        text = f"local time [h] from {_day_text(index[0])} {index[0].year}, {index.tz}"
    axes.set_xlabel(text, fontsize=TEXT_PT, color=look.ink)


def _day_ticks(axes: Axes, index: pd.DatetimeIndex, edges: Floats, look: Theme) -> None:
    days = _local_days(index[[0, -1]])
    inside = np.arange(days[0], days[1] + 1)
    bounds = _numbers(_midnights(np.append(inside, days[1] + 1), index))
    bounds = np.clip(bounds, edges[0], edges[-1])
    names = [_day_text(day).replace(" ", "\n", 1) for day in pd.DatetimeIndex(inside)]
    step = math.ceil(len(names) / 14)
    wide = [i for i in range(0, len(names), step) if bounds[i + 1] - bounds[i] > 0.4]
    middles = (bounds[:-1] + bounds[1:]) / 2
    _centred_labels(axes, bounds, middles[wide], [names[i] for i in wide])
    axes.grid(visible=True, which="minor", axis="x", color=look.faint, linewidth=0.8, linestyle=":")


def _date_axis(axes: Axes, days: NDArray[np.datetime64], look: Theme) -> None:
    """Weeks, months or years under a map, each named in its middle."""
    stamps = pd.DatetimeIndex(days)
    first, last = stamps[0].year, stamps[-1].year
    years = f"{first}" if first == last else f"{first} to {last}"
    axes.set_xlabel(f"local date [day], {years}", fontsize=TEXT_PT, color=look.ink)
    if len(days) <= 62:
        mondays = np.flatnonzero(stamps.day_of_week == 0)
        names = [_day_text(day) for day in stamps[mondays]]
        starts = mondays.astype(np.float64)
        _centred_labels(axes, starts, starts + 0.5, names)
        return
    unit = "datetime64[M]" if len(days) <= 800 else "datetime64[Y]"
    cuts = np.flatnonzero(np.diff(days.astype(unit).astype(int))) + 1
    bounds = np.concatenate([[0], cuts, [len(days)]])
    wide = np.flatnonzero(np.diff(bounds) > len(days) / 40)
    firsts = stamps[bounds[wide]]
    names = [day.month_name()[:3] if unit.endswith("[M]") else str(day.year) for day in firsts]
    edges = bounds.astype(np.float64)
    _centred_labels(axes, edges, (edges[wide] + edges[wide + 1]) / 2, names)


def _centred_labels(axes: Axes, bounds: Floats, middles: Floats, names: list[str]) -> None:
    """Ticks and grid at the bounds, names without ticks in the middle."""
    axes.xaxis.set_major_locator(FixedLocator(bounds.tolist()))
    axes.xaxis.set_major_formatter(NullFormatter())
    axes.xaxis.set_minor_locator(FixedLocator(middles.tolist()))
    axes.xaxis.set_minor_formatter(FixedFormatter(names))
    axes.tick_params(axis="x", which="minor", length=0)


def _unit(name: str, currency: str = "EUR") -> str:
    unit = SCHEDULE[name if name in SCHEDULE else f"import_{name}"].unit
    return f"[{unit.replace('currency', currency)}]"


def _name_y(axes: Axes, text: str, look: Theme) -> None:
    axes.set_ylabel(text, fontsize=TEXT_PT, color=look.ink)
    axes.yaxis.set_label_coords(-0.062, 0.5)


def _legend(axes: Axes, handles: list[Artist], look: Theme) -> None:
    if handles:
        axes.legend(
            handles=handles,
            loc="upper left",
            bbox_to_anchor=(BESIDE - 0.01, 1.03),
            frameon=False,
            fontsize=TEXT_PT,
            labelcolor=look.ink,
            handlelength=1.5,
        )
