"""Value over life against the price of wear in dispatch, with the bound over all prices."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.figure import Figure

from bess_opt.plots.shared.page import figure_of, one_panel
from bess_opt.plots.shared.parts import legend_beside, name_y
from bess_opt.plots.shared.style import LINE_PT, TEXT_PT, ThemeName, heading, theme_of

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
    largest = float(np.abs(table["value"]).max())
    scale, word = next(((size, name) for size, name in SCALES if largest >= size), (1.0, ""))
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
