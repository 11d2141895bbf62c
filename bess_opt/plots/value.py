"""What one MWh more in the cells is worth, beside the prices that make it so."""

from __future__ import annotations

from itertools import cycle

import matplotlib.patheffects as effects
import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from bess_opt.plots.shared.page import POWER_IN, figure_of, one_panel
from bess_opt.plots.shared.parts import BESIDE, draw_steps, legend_beside, name_y, price_name, prices_of, unit_label
from bess_opt.plots.shared.shown_days import shown_days_of
from bess_opt.plots.shared.style import (
    LINE_PT,
    TICK_PT,
    PlainNumbers,
    Theme,
    ThemeName,
    dress,
    heading,
    theme_of,
    tones,
)
from bess_opt.plots.shared.time_axes import Floats, local_index, step_edges, step_length, time_axis


def stored_value_figure(
    value: pd.Series | pd.DataFrame,
    schedule: pd.DataFrame,
    *,
    currency: str = "EUR",
    title: str = "",
    week: str | None = None,
    axes: Axes | None = None,
    theme: ThemeName = "light",
    step_h: float | None = None,
) -> Figure:
    """`Dispatch.stored_energy_value` over a week, and the prices of `schedule`: the battery sells above it.

    The value stands at the ends of the steps, of several batteries a line each, by name. `week` is the first local
    date shown, by default that of the battery's busiest week. ValueError where value and schedule have
    different steps.
    """
    if not value.index.equals(schedule.index):
        raise ValueError("the value and the schedule have different steps; take both from one plan")
    look = theme_of(theme)
    index = local_index(schedule)
    window = shown_days_of(schedule, index, step_length(index, step_h), week)
    part, worth = schedule.iloc[window.first : window.last], value.iloc[window.first : window.last]
    edges = step_edges(part, step_h)
    prices = prices_of(part)
    colours = {"import_price_per_mwh": look.imported, "export_price_per_mwh": look.exported}
    with one_panel(axes, look, title=title) as panel:
        time_axis(panel, part, step_h, look)
        lines: list[Artist] = [
            draw_steps(
                panel, edges, price.to_numpy(dtype=float), colours.get(str(price.name), look.price), price_name(price)
            )
            for price in prices
        ]
        lines += _worth(panel, edges[1:], worth, look)
        low = min([float(worth.to_numpy().min()), *(float(price.min()) for price in prices)])
        if low < 0.0:
            panel.axhline(0.0, color=look.ink, linewidth=1.0)
        panel.yaxis.set_major_locator(MaxNLocator(6))
        name_y(panel, f"worth of a MWh {unit_label('import_price_per_mwh', currency)}", look)
        heading(panel, f"What a MWh in store is worth: {window.text}")
        legend_beside(panel, lines, look)
    return figure_of(panel)


def _worth(panel: Axes, ends: Floats, worth: pd.Series | pd.DataFrame, look: Theme) -> list[Artist]:
    """A line of what stored energy is worth, or one for each battery, which also differ in style."""
    if isinstance(worth, pd.Series):
        kept = worth.to_numpy(dtype=float)
        return list(panel.plot(ends, kept, color=look.soc, linewidth=1.6 * LINE_PT, label="stored energy"))
    found: list[Artist] = []
    styles = cycle(("-", (0, (4, 1.5)), (0, (1.5, 1.2))))
    for name, tone, style in zip(worth.columns, tones(look.soc, look, len(worth.columns)), styles, strict=False):
        kept = worth[name].to_numpy(dtype=float)
        found += panel.plot(ends, kept, color=tone, linewidth=1.6 * LINE_PT, linestyle=style, label=f"stored, {name}")
    return found


def value_map_figure(
    worth: pd.DataFrame,
    stored_mwh: pd.Series,
    *,
    before_mwh: float,
    currency: str = "EUR",
    title: str = "",
    text: str = "",
    axes: Axes | None = None,
    theme: ThemeName = "light",
    step_h: float | None = None,
) -> Figure:
    """What one MWh more in store is worth, over time and energy in store, with the plan's way through it.

    `worth` has a row per step, for its end, and a column per energy, the lower end of an interval [MWh]; NaN where
    the limits allow no such energy. Its last column is NaN: where the last interval ends. `stored_mwh` is the
    plan's energy at the ends of these steps, `before_mwh` at the first start.
    """
    look = theme_of(theme)
    edges = step_edges(worth, step_h)
    levels = worth.columns.to_numpy(dtype=float)
    grid = worth.to_numpy(dtype=float)[:, :-1].T
    with one_panel(axes, look, title=title, height_in=1.2 * POWER_IN) as panel:
        dress(panel, look, grid=False)
        time_axis(panel, worth, step_h, look)
        mesh = panel.pcolormesh(
            edges, levels, grid, cmap=look.sequential, norm=Normalize(*_ends(grid)), rasterized=True
        )
        path = np.append(before_mwh, stored_mwh.to_numpy(dtype=float))
        line = panel.plot(edges, path, color="white", linewidth=1.3 * LINE_PT, label="planned energy")[0]
        line.set_path_effects([effects.Stroke(linewidth=2.6 * LINE_PT, foreground="black"), effects.Normal()])
        panel.set_ylim(levels[0], levels[-1])
        panel.yaxis.set_major_locator(MaxNLocator(6))
        name_y(panel, f"energy in store, line: planned {unit_label('energy_mwh')}", look)
        heading(panel, text or "What a MWh in store is worth")
        _scale(panel, mesh, f"worth of a MWh {unit_label('import_price_per_mwh', currency)}", look, grid)
    return figure_of(panel)


def _ends(grid: Floats) -> tuple[float, float]:
    """Ends of the colours: the first and the last percentile, so that one spike does not take all of them."""
    known = grid[np.isfinite(grid)]
    low, high = (float(q) for q in np.percentile(known, [1, 99])) if known.size else (0.0, 1.0)
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def _scale(panel: Axes, mesh: QuadMesh, label: str, look: Theme, grid: Floats) -> None:
    """The bar of colours at the right, with points where values lie beyond its ends."""
    (low, high), known = _ends(grid), grid[np.isfinite(grid)]
    beyond = {(0, 1): "max", (1, 0): "min", (1, 1): "both"}
    extend = beyond.get((int((known < low).any()), int((known > high).any())), "neither")
    bar = panel.inset_axes((BESIDE, 0.0, 0.02, 1.0))
    scale = panel.figure.colorbar(mesh, cax=bar, extend=extend, label=label, ticks=MaxNLocator(6))
    bar.yaxis.set_major_formatter(PlainNumbers())
    bar.tick_params(colors=look.ink, labelsize=TICK_PT, labelfontfamily="DejaVu Sans")
    scale.outline.set_edgecolor(look.faint)
