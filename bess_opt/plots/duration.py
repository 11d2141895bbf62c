"""How long the battery stands at which charge: the SOC of all steps, from the highest to the lowest."""

from __future__ import annotations

from itertools import count

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, PercentFormatter

from bess_opt.plots.shared.page import figure_of, one_panel
from bess_opt.plots.shared.parts import legend_beside, name_y, unit_label
from bess_opt.plots.shared.style import LINE_PT, TEXT_PT, ThemeName, heading, theme_of

_OWN = {"optimal": 0, "rule": 1}
_STYLES = ("solid", "dashed", "dotted", "dashdot")


def soc_duration_figure(
    socs: pd.Series | dict[str, pd.Series],
    *,
    window: tuple[float, float] | None = None,
    title: str = "",
    axes: Axes | None = None,
    theme: ThemeName = "light",
) -> Figure:
    """SOC [1] over the share of time [%] that it is reached or exceeded.

    `socs` is the SOC of a plan, or several by name; `window` the lowest and highest SOC allowed, as lines.
    ValueError without any step.
    """
    look = theme_of(theme)
    named = socs if isinstance(socs, dict) else {"": socs}
    if not named or any(not len(soc) for soc in named.values()):
        raise ValueError("a figure needs at least one step")
    colours, places = (look.soc, look.charge, look.exported, look.price), _places(list(named))
    with one_panel(axes, look, title=title) as panel:
        lines = []
        for name, soc in named.items():
            level = np.sort(soc.to_numpy(dtype=float))[::-1]
            share = np.arange(len(level) + 1) / len(level) * 100.0
            place = places[name]
            style, colour = _STYLES[place % 4], colours[place % 4]
            lines += panel.step(
                share, np.append(level[:1], level), where="pre", color=colour, linestyle=style, linewidth=LINE_PT
            )
            lines[-1].set_label(name)
        for limit in window or ():
            panel.axhline(limit, color=look.curtailed, linewidth=1.2, linestyle=(0, (5, 3)))
        if window:
            panel.annotate(
                "SOC window", (1.0, window[1]), xytext=(0, 4), textcoords="offset points", fontsize=TEXT_PT,
                color=look.ink,
            )  # fmt: skip
        panel.set_xlim(0.0, 100.0)
        panel.set_ylim(-0.03, 1.09)
        panel.xaxis.set_major_formatter(PercentFormatter(decimals=0))
        panel.yaxis.set_major_locator(FixedLocator([0.0, 0.25, 0.5, 0.75, 1.0]))
        panel.set_xlabel("share of time at or above this SOC [%]", fontsize=TEXT_PT, color=look.ink)
        name_y(panel, f"SOC {unit_label('soc')}", look)
        heading(panel, "How long the battery stands at which charge")
        if len(named) > 1:
            legend_beside(panel, list(lines), look)
    return figure_of(panel)


def _places(names: list[str]) -> dict[str, int]:
    """The place of each name among the colours; optimum and rule have theirs in every picture."""
    taken = {name: _OWN[name] for name in names if name in _OWN}
    left = (place for place in count() if place not in taken.values())
    return {name: taken[name] if name in taken else next(left) for name in names}
