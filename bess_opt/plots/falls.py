"""Which segment of wear each MWh leaves, along the state of charge, beside what rainflow counting finds."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bess_opt.plots.shared.page import LINE_IN, POWER_IN, TIME_LABELS_IN, Row, new_page
from bess_opt.plots.shared.parts import legend_beside, name_y
from bess_opt.plots.shared.shown_days import shown_days_of
from bess_opt.plots.shared.style import LINE_PT, TEXT_PT, Theme, ThemeName, drawing, dress, heading, theme_of
from bess_opt.plots.shared.time_axes import Floats, local_index, step_edges, step_length, time_axis

SHADES = {"light": (0.0, 0.92), "dark": (0.35, 1.0)}  # of the scale of colours: what stands out from the paper


def falls_figure(
    schedule: pd.DataFrame,
    left_mwh: Floats,
    counted_mwh: Floats,
    price_per_mwh: Floats,
    *,
    soc_start: float,
    currency: str = "EUR",
    title: str = "",
    week: str | None = None,
    theme: ThemeName = "light",
    step_h: float | None = None,
) -> Figure:
    """The state of charge of a week, each fall in the colours of the segments that it empties, and two sums.

    `left_mwh` is what leaves each segment in each step of `schedule` (a row for each step), `counted_mwh` what
    rainflow counting of the whole horizon puts into each, `price_per_mwh` the segments' prices, cheapest first.
    """
    look = theme_of(theme)
    index = local_index(schedule)
    window = shown_days_of(schedule, index, step_length(index, step_h), week)
    part = schedule.iloc[window.first : window.last]
    soc = np.append(soc_start, schedule["soc"].to_numpy(dtype=float))[window.first : window.last + 1]
    colours = [look.sequential(share) for share in np.linspace(*SHADES[theme], len(price_per_mwh))]
    rows = [Row(POWER_IN), Row(LINE_IN, above_in=TIME_LABELS_IN)]
    with drawing(look):
        figure, (path, sums) = new_page(None, rows, title, look)
        for panel in (path, sums):
            dress(panel, look)
        time_axis(path, part, step_h, look)
        handles = _draw_path(
            path, step_edges(part, step_h), soc, left_mwh[window.first : window.last], colours, price_per_mwh, look
        )
        name_y(path, "state of charge", look)
        path.set_ylim(-0.03, 1.03)
        heading(path, f"Each fall in the colour of what it empties: {window.text}")
        legend_beside(path, [*handles], look)
        _draw_sums(sums, left_mwh.sum(axis=0), counted_mwh, colours, price_per_mwh, look)
        name_y(sums, "energy [MWh]", look)
        sums.set_xlabel(
            f"price of the segment [{currency}/MWh that leaves the cells]", fontsize=TEXT_PT, color=look.ink
        )
        heading(sums, "Over the whole horizon: left, what left the segments; right, hatched, by rainflow counting")
    return figure


def _draw_path(
    axes: Axes, edges: Floats, soc: Floats, left: Floats, colours: list[object], prices: Floats, look: Theme
) -> list[Artist]:
    """Rises thin, each fall a thick line whose parts are as long as what they take from each segment."""
    axes.plot(edges, soc, color=look.missing, linewidth=LINE_PT, zorder=1)
    for t in np.flatnonzero(left.sum(axis=1) > 0.0).tolist():
        share = np.concatenate([[0.0], np.cumsum(left[t]) / left[t].sum()])
        times, levels = (np.interp(share, [0.0, 1.0], [values[t], values[t + 1]]) for values in (edges, soc))
        for j, colour in enumerate(colours):
            if left[t, j] > 0.0:
                at = slice(j, j + 2)
                axes.plot(
                    times[at], levels[at], color=colour, linewidth=4.0 * LINE_PT, solid_capstyle="butt", zorder=2
                )
    return [
        *axes.plot([], [], color=look.missing, linewidth=LINE_PT, label="rises: free"),
        *(
            axes.plot([], [], color=colour, linewidth=4.0 * LINE_PT, label=f"falls at {price:.4g}/MWh")[0]
            for colour, price in zip(colours, prices, strict=True)
        ),
    ]


def _draw_sums(
    axes: Axes, modelled: Floats, counted: Floats, colours: list[object], prices: Floats, look: Theme
) -> None:
    """Two bars for each segment: by the model and, hatched, by rainflow counting."""
    at = np.arange(len(prices))
    axes.bar(at - 0.19, modelled, width=0.34, color=colours, edgecolor=look.paper, linewidth=0.8)
    axes.bar(at + 0.19, counted, width=0.34, color=colours, edgecolor=look.paper, linewidth=0.8, hatch="///")
    axes.set_xticks(at, [f"{price:.4g}" for price in prices])
