"""The map of all hours: local days across, clock hours upwards."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, MaxNLocator

from bess_opt.plots.shared.page import MAP_IN, figure_of, one_panel
from bess_opt.plots.shared.parts import BESIDE, NOISE_MW, name_y
from bess_opt.plots.shared.style import TICK_PT, PlainNumbers, ThemeName, drawing, dress, heading, theme_of
from bess_opt.plots.shared.time_axes import HOUR, Floats, date_axis, local_index, step_length


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
        name_y(axes, "local hour [h]", look)
        date_axis(axes, table.columns.to_numpy(dtype="datetime64[D]"), look)
        bar = axes.inset_axes((BESIDE, 0.0, 0.02, 1.0))
        known = grid[np.isfinite(grid)]
        beyond = {(0, 1): "max", (1, 0): "min", (1, 1): "both"}
        extend = beyond.get((int((known < low).any()), int((known > high).any())), "neither")
        scale = axes.figure.colorbar(image, cax=bar, extend=extend, label=label, ticks=MaxNLocator(5))
        bar.yaxis.set_major_formatter(PlainNumbers())
        bar.tick_params(colors=look.ink, labelsize=TICK_PT, labelfontfamily="DejaVu Sans")
        scale.outline.set_edgecolor(look.faint)


def day_hour_table(values: pd.Series, *, step_h: float | None = None) -> pd.DataFrame:
    """Means by clock hour (rows 0 to 23) and local day (columns); NaN where the clock has no such hour.

    An hour that the clock shows twice is the mean of both. A longer step counts in all its hours.
    """
    index = local_index(values)
    pieces = max(1, math.ceil(step_length(index, step_h) / HOUR))
    numbers = np.repeat(values.to_numpy(dtype=float), pieces)
    if pieces > 1:
        offsets = pd.to_timedelta(np.tile(np.arange(pieces), len(index)) * (step_length(index, step_h) / pieces))
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


def heat_map_figure(
    values: pd.Series,
    *,
    label: str,
    title: str = "",
    text: str = "",
    limits: tuple[float, float] | None = None,
    diverging: bool = False,
    axes: Axes | None = None,
    theme: ThemeName = "light",
    step_h: float | None = None,
) -> Figure:
    """Every hour of a horizon as a picture of its own: `draw_heat_map` with the heading `text`."""
    look = theme_of(theme)
    with one_panel(axes, look, title=title, height_in=1.4 * MAP_IN) as panel:
        draw_heat_map(panel, values, label=label, limits=limits, diverging=diverging, theme=theme, step_h=step_h)
        heading(panel, text)
    return figure_of(panel)
