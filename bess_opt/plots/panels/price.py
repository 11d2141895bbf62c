"""The prices of a schedule in steps."""

from __future__ import annotations

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from bess_opt.plots.shared.parts import draw_steps, legend_beside, name_y, price_name, prices_of, unit_label
from bess_opt.plots.shared.style import ThemeName, drawing, dress, heading, theme_of
from bess_opt.plots.shared.time_axes import step_edges, time_axis


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
    edges = step_edges(schedule, step_h)
    prices = prices_of(schedule)
    colours = {"import_price_per_mwh": look.imported, "export_price_per_mwh": look.exported}
    with drawing(look):
        dress(axes, look)
        time_axis(axes, schedule, step_h, look)
        lines: list[Artist] = []
        for price in prices:
            name = str(price.name)
            colour = colours[name] if len(prices) > 1 else look.price
            label = price_name(price)
            lines.append(draw_steps(axes, edges, price.to_numpy(dtype=float), colour, label))
        if any(price.min() < 0 for price in prices):
            axes.axhline(0.0, color=look.ink, linewidth=1.0)
        axes.yaxis.set_major_locator(MaxNLocator(5))
        name_y(axes, f"price {unit_label('import_price_per_mwh', currency)}", look)
        if len(lines) > 1:
            legend_beside(axes, lines, look)
        heading(axes, "Price" if len(prices) > 1 else price_name(prices[0]).capitalize())
