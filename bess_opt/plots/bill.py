"""A month's import and the steps that its bill is about."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure

from bess_opt.plots.page import figure_of, one_panel
from bess_opt.plots.parts import legend_beside, name_y
from bess_opt.plots.style import ThemeName, theme_of


def bill_figure(
    import_mw: pd.Series,
    without_mw: pd.Series | None,
    month: str,
    marks: Sequence[pd.Timestamp],
    *,
    title: str = "",
    theme: ThemeName = "light",
) -> Figure:
    """Import [MW] of a local `month` ("2025-03"), without and with the battery, a mark at each step that costs."""
    look = theme_of(theme)
    of_month = pd.DatetimeIndex(import_mw.index).strftime("%Y-%m") == month
    shown = import_mw[of_month]
    index = pd.DatetimeIndex(shown.index)
    with one_panel(None, look, title=title) as panel:
        local = index.tz_localize(None)
        drawn = []
        if without_mw is not None:
            idle = without_mw[of_month].to_numpy()
            drawn += panel.plot(local, idle, color=look.load, linewidth=1.0, label="without battery")
        drawn += panel.plot(local, shown.to_numpy(), color=look.imported, linewidth=1.4, label="import")
        inside = [mark for mark in marks if mark in index]
        if inside:
            heights = [float(shown.loc[mark]) for mark in inside]
            stamps = pd.DatetimeIndex(inside).tz_convert(index.tz).tz_localize(None)
            drawn += panel.plot(
                stamps, heights, linestyle="", marker="o", color=look.price, markersize=7.0, label="sets a peak"
            )
        panel.set_ylim(bottom=0.0)
        name_y(panel, "MW", look)
        legend_beside(panel, drawn, look)
        return figure_of(panel)
