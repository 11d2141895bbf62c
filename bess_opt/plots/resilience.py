"""How long a site lasts without the grid: the share of starts that survive so long, and the hours from each start."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, PercentFormatter

from bess_opt.plots.shared.page import MAP_IN, Row, new_page
from bess_opt.plots.shared.style import LINE_PT, TEXT_PT, Theme, ThemeName, drawing, dress, heading, theme_of
from bess_opt.plots.year_map import draw_heat_map


def resilience_figure(
    hours: pd.Series,
    curve: pd.Series,
    *,
    cover_h: float | None = None,
    title: str = "",
    theme: ThemeName = "light",
) -> Figure:
    """The curve of survival and the map of `hours` survived from each start (local index).

    `curve` is the share of starts [1] over the hours that they survive at least; `cover_h` a wanted time, as a line.
    """
    look = theme_of(theme)
    with drawing(look):
        rows = [Row(2.4), Row(1.4 * MAP_IN, above_in=0.9)]
        page, (survival, starts) = new_page(None, rows, f"{title}: without the grid" if title else "", look)
        _draw_curve(survival, curve, cover_h, look)
        most = float(hours.max())
        draw_heat_map(starts, hours, label="hours survived", limits=(0.0, most or 1.0), theme=theme)
        heading(starts, "Hours survived by an outage that begins in each hour")
    return page


def _draw_curve(axes: Axes, curve: pd.Series, cover_h: float | None, look: Theme) -> None:
    dress(axes, look)
    axes.step(curve.index, 100.0 * curve.to_numpy(), where="pre", color=look.soc, linewidth=LINE_PT)
    axes.set_ylim(0.0, 104.0)
    axes.set_xlim(0.0, max(float(curve.index[-1]), cover_h or 0.0, 1.0) * 1.02)
    axes.yaxis.set_major_locator(FixedLocator([0.0, 25.0, 50.0, 75.0, 100.0]))
    axes.yaxis.set_major_formatter(PercentFormatter(decimals=0))
    axes.set_xlabel("hours without the grid", fontsize=TEXT_PT, color=look.ink)
    if cover_h is not None:
        axes.axvline(cover_h, color=look.curtailed, linewidth=1.2, linestyle=(0, (5, 3)))
        axes.annotate(
            f"{cover_h:g} h wanted", (cover_h, 4.0), xytext=(6, 0), textcoords="offset points", fontsize=TEXT_PT,
            color=look.ink,
        )  # fmt: skip
    heading(axes, "Starts that survive at least so many hours")
