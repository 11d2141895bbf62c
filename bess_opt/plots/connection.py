"""What the clauses of a connection agreement cost: side by side, and the hours of the horizon for one of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from bess_opt.plots.shared.page import MAP_IN, Row, new_page
from bess_opt.plots.shared.parts import money_text
from bess_opt.plots.shared.style import TEXT_PT, Theme, ThemeName, drawing, dress, heading, theme_of
from bess_opt.plots.year_map import draw_heat_map

BAR_IN = 0.42  # of height for each clause


def connection_figure(
    price: pd.Series,
    lost: pd.Series,
    *,
    chosen: str,
    unit: str,
    currency: str = "EUR",
    title: str = "",
    theme: ThemeName = "light",
) -> Figure:
    """Money that each clause loses (`lost`, currency), and the hours in which one MW of `chosen` costs (`price`).

    `price` is in currency per step and `unit`, on a local index.
    """
    look = theme_of(theme)
    with drawing(look):
        rows = [Row(0.35 + BAR_IN * len(lost)), Row(1.4 * MAP_IN, above_in=0.7)]
        page, (bars, hours) = new_page(None, rows, f"{title}: what its connection costs" if title else "", look)
        _draw_lost(bars, lost, chosen, currency, look)
        most = float(np.nanmax(price.to_numpy(dtype=float), initial=0.0))
        label = f"{currency} {unit} and step"
        draw_heat_map(hours, price, label=label, limits=(0.0, most or 1.0), theme=theme)
        heading(hours, f"{chosen}: what one more would bring in each hour, the clause alone")
    return page


def _draw_lost(axes: Axes, lost: pd.Series, chosen: str, currency: str, look: Theme) -> None:
    """A bar for each clause, planned alone."""
    dress(axes, look)
    values = lost.to_numpy(dtype=float)
    most = float(np.nanmax(np.abs(values), initial=0.0)) or 1.0
    for place, (name, value) in enumerate(zip(lost.index, values, strict=True)):
        colour = look.price if name == chosen else look.faint
        if np.isfinite(value):
            axes.add_patch(Rectangle((0.0, place - 0.32), value, 0.64, color=colour))
        text = money_text(value) if np.isfinite(value) else "no plan"
        axes.annotate(
            text, (max(value, 0.0) if np.isfinite(value) else 0.0, place), xytext=(6, 0), textcoords="offset points",
            va="center", fontsize=TEXT_PT, color=look.ink,
        )  # fmt: skip
    axes.set_yticks(range(len(lost)), [str(name) for name in lost.index])
    axes.set_ylim(len(lost) - 0.4, -0.6)
    axes.set_xlim(min(0.0, float(np.nanmin(values, initial=0.0))), 1.18 * most)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    heading(axes, f"Money lost over the horizon with each clause alone [{currency}]")
