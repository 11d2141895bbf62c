"""A month's import and the peaks that its bill is about."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from bess_opt.plots.shared.page import figure_of, one_panel
from bess_opt.plots.shared.parts import draw_steps, legend_beside, name_y
from bess_opt.plots.shared.style import ThemeName, theme_of
from bess_opt.plots.shared.time_axes import date_numbers, local_days, step_edges, step_length, time_axis


def bill_figure(
    import_mw: pd.Series,
    without_mw: pd.Series | None,
    month: str,
    peaks_mw: pd.Series,
    *,
    title: str = "",
    theme: ThemeName = "light",
) -> Figure:
    """Import [MW] of a local `month` ("2025-03"), without and with the battery, and the peaks that it pays for.

    `peaks_mw` has the mean of each billing interval that set a peak, at its start; other months are not drawn.
    """
    look = theme_of(theme)
    whole = pd.DatetimeIndex(import_mw.index)
    of_month = local_days(whole).astype("datetime64[M]") == np.datetime64(month, "M")
    index = whole[of_month]
    step = step_length(whole, None)
    edges = step_edges(import_mw[of_month], step / pd.Timedelta(hours=1))
    with one_panel(None, look, title=title) as panel:
        drawn = []
        if without_mw is not None:
            drawn.append(draw_steps(panel, edges, without_mw[of_month].to_numpy(), look.load, "without battery"))
        drawn.append(draw_steps(panel, edges, import_mw[of_month].to_numpy(), look.imported, "import"))
        inside = peaks_mw[np.isin(peaks_mw.index, index)]
        if len(inside):
            drawn += panel.plot(
                date_numbers(pd.DatetimeIndex(inside.index)), inside.to_numpy(),
                linestyle="", marker="o", color=look.price, markersize=7.0, label="sets a peak", zorder=4,
            )  # fmt: skip
        panel.set_ylim(bottom=0.0)
        time_axis(panel, import_mw[of_month], step / pd.Timedelta(hours=1), look)
        name_y(panel, "import [MW]", look)
        legend_beside(panel, drawn, look)
        return figure_of(panel)
