"""What one MWh more in the cells is worth, beside the prices that make it so."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from bess_opt.plots.page import figure_of, one_panel
from bess_opt.plots.parts import draw_steps, legend_beside, name_y, price_name, prices_of, unit_label
from bess_opt.plots.shown_days import shown_days_of
from bess_opt.plots.style import LINE_PT, ThemeName, heading, theme_of
from bess_opt.plots.time_axes import local_index, step_edges, step_length, time_axis


def stored_value_figure(
    value: pd.Series,
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

    The value stands at the ends of the steps. `week` is the first local date shown, by default that of the
    battery's busiest week. ValueError where value and schedule have different steps.
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
        lines = [
            draw_steps(
                panel, edges, price.to_numpy(dtype=float), colours.get(str(price.name), look.price), price_name(price)
            )
            for price in prices
        ]
        lines += panel.plot(
            edges[1:], worth.to_numpy(dtype=float), color=look.soc, linewidth=1.6 * LINE_PT, label="stored energy"
        )
        low = min([float(worth.min()), *(float(price.min()) for price in prices)])
        if low < 0.0:
            panel.axhline(0.0, color=look.ink, linewidth=1.0)
        panel.yaxis.set_major_locator(MaxNLocator(6))
        name_y(panel, f"worth of a MWh {unit_label('import_price_per_mwh', currency)}", look)
        heading(panel, f"What a MWh in store is worth: {window.text}")
        legend_beside(panel, lines, look)
    return figure_of(panel)
