"""Value over life against the price of wear in dispatch, with the bound over all prices."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.figure import Figure

from bess_opt.plots.shared.page import LINE_IN, TIME_LABELS_IN, Row, figure_of, new_page, one_panel
from bess_opt.plots.shared.parts import legend_beside, name_y
from bess_opt.plots.shared.style import LINE_PT, TEXT_PT, ThemeName, drawing, dress, heading, theme_of

SCALES = ((1e6, "million "), (1e3, "thousand "))


def wear_price_figure(
    table: pd.DataFrame,
    best: tuple[float, float, float],
    *,
    label: str,
    currency: str = "EUR",
    theme: ThemeName = "light",
) -> Figure:
    """The values of `table` (columns factor, value, life_used_per_year) over their factors; `best` is the
    (factor, value, bound) that was found, `label` what a factor is. ValueError for a table without rows.
    """
    if not len(table):
        raise ValueError("a search without prices cannot be drawn")
    look = theme_of(theme)
    scale, word = _scale(table)
    factor, value, bound = best
    with one_panel(None, look, title="") as panel:
        handles: list[Artist] = [
            *panel.plot(
                table["factor"],
                table["value"] / scale,
                color=look.discharge,
                marker="o",
                linewidth=LINE_PT,
                markersize=4.5,
                label="prices tried",
            ),
            panel.axhline(bound / scale, color=look.price, linestyle="--", linewidth=LINE_PT, label="proven bound"),
            *panel.plot([factor], [value / scale], color=look.ink, marker="D", linestyle="none", label="highest"),
        ]
        panel.set_xlabel(label, fontsize=TEXT_PT, color=look.ink)
        name_y(panel, f"value over life [{word}{currency}]", look)
        heading(panel, "Value over life by the price of wear")
        legend_beside(panel, handles, look)
    return figure_of(panel)


def site_wear_price_figure(
    table: pd.DataFrame,
    best: tuple[Mapping[str, float], float, float],
    *,
    labels: Mapping[str, str],
    currency: str = "EUR",
    theme: ThemeName = "light",
) -> Figure:
    """A panel for each battery of `labels`: the values of `table` over its factors, `north.factor`.

    `best` is the (factor by name, value, bound) that was found. ValueError for a table without rows.
    """
    if not len(table):
        raise ValueError("a search without prices cannot be drawn")
    look = theme_of(theme)
    scale, word = _scale(table)
    factors, value, bound = best
    with drawing(look):
        rows = [Row(1.5 * LINE_IN, TIME_LABELS_IN if place else 0.0) for place in range(len(labels))]
        page, panels = new_page(None, rows, "", look)
        for panel, (name, label) in zip(panels, labels.items(), strict=True):
            dress(panel, look)
            handles: list[Artist] = [
                *panel.plot(
                    table[f"{name}.factor"],
                    table["value"] / scale,
                    color=look.discharge,
                    linestyle="none",
                    marker="o",
                    markersize=4.5,
                    label="prices tried together",
                ),
                panel.axhline(
                    bound / scale, color=look.price, linestyle="--", linewidth=LINE_PT, label="proven bound"
                ),
                *panel.plot(
                    [factors[name]], [value / scale], color=look.ink, marker="D", linestyle="none", label="highest"
                ),
            ]
            panel.set_xlabel(label, fontsize=TEXT_PT, color=look.ink)
            name_y(panel, f"value over life [{word}{currency}]", look)
            if panel is panels[0]:
                heading(panel, "Value over life by the price of each battery's wear")
                legend_beside(panel, handles, look)
    return page


def _scale(table: pd.DataFrame) -> tuple[float, str]:
    """(size, word) of the unit in which values are drawn."""
    largest = float(np.abs(table["value"]).max())
    return next(((size, name) for size, name in SCALES if largest >= size), (1.0, ""))
