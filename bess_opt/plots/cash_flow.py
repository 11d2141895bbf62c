"""The cash flow of a battery's life: what comes in and goes out each year, and the sum so far."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from bess_opt.plots.shared.page import figure_of, one_panel
from bess_opt.plots.shared.parts import draw_bars, legend_beside, name_y
from bess_opt.plots.shared.style import LINE_PT, TEXT_PT, Theme, ThemeName, heading, theme_of

_KINDS = ("capital", "revenue", "fixed_om", "replacement", "augmentation", "tax")
_NAMES = {"fixed_om": "fixed O&M"}
_SUMS = ("net", "present_value")


def cash_flow_figure(
    cash_flow: pd.DataFrame,
    *,
    currency: str = "EUR",
    title: str = "",
    axes: Axes | None = None,
    theme: ThemeName = "light",
) -> Figure:
    """Money of each year by kind, received upwards, and two lines: the sum so far as paid, and at present value.

    `cash_flow` is `Financials.cash_flow`. Shown in thousands or millions where figures are large. ValueError for
    a table without years.
    """
    if not len(cash_flow):
        raise ValueError("a cash flow without years cannot be drawn")
    look = theme_of(theme)
    kinds = [name for name in _KINDS if name in cash_flow and cash_flow[name].abs().max() > 0.0]
    years = cash_flow.index.to_numpy(dtype=float)
    totals = {name: cash_flow[name].cumsum().to_numpy(dtype=float) for name in _SUMS}
    scale, word = _scale(float(np.abs(cash_flow[kinds].to_numpy(dtype=float)).max(initial=1.0)))
    colours = _colours(kinds, look)
    with one_panel(axes, look, title=title) as panel:
        above, below = np.zeros(len(years)), np.zeros(len(years))
        handles: list[Artist] = []
        for kind in kinds:
            values = cash_flow[kind].to_numpy(dtype=float) / scale
            bottom = np.where(values >= 0.0, above, below)
            name = _NAMES.get(kind, kind)
            handles.append(
                draw_bars(panel, years, values, bottoms=bottom, width=0.8, colour=colours[kind], label=name)
            )
            above, below = above + np.maximum(values, 0.0), below + np.minimum(values, 0.0)
        for name, style in zip(totals, ("solid", "dashed"), strict=False):
            label = "sum so far" if name == "net" else "sum, present value"
            line = panel.plot(
                years, totals[name] / scale, color=look.ink, linestyle=style, linewidth=LINE_PT, label=label
            )
            handles += line
        panel.axhline(0.0, color=look.ink, linewidth=1.0)
        panel.grid(visible=False, axis="x")
        panel.xaxis.set_major_locator(MaxNLocator(12, integer=True))
        panel.yaxis.set_major_locator(MaxNLocator(6))
        panel.set_xlabel("year of operation [1]; 0 is the start", fontsize=TEXT_PT, color=look.ink)
        name_y(panel, f"money [{word}{currency}]", look)
        heading(panel, "Cash flow by year")
        legend_beside(panel, handles, look)
    return figure_of(panel)


def _scale(most: float) -> tuple[float, str]:
    """A divisor and its word, so that figures have few digits."""
    for size, word in ((1e6, "million "), (1e3, "thousand ")):
        if most >= size:
            return size, word
    return 1.0, ""


def _colours(kinds: list[str], look: Theme) -> dict[str, str]:
    """What is received in the colour of export, what is paid in others."""
    own = {
        "capital": look.curtailed,
        "revenue": look.exported,
        "fixed_om": look.charge,
        "replacement": look.price,
        "augmentation": look.discharge,
        "tax": look.imported,
    }
    return {kind: own[kind] for kind in kinds}
