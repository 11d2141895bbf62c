"""What the map and the curve of a sizing share: the marks of sizes, their handles, the room under the bound."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from bess_opt.plots.shared.style import LINE_PT, TEXT_PT, Theme
from bess_opt.plots.shared.time_axes import Floats

if TYPE_CHECKING:
    from bess_opt.investment.sizing.result import Sizing

FINE = 241  # points per direction where the bound is drawn
Style = Literal["-", "--", "none"]

ROUNDING = 1e-8  # of a value: a bound above it by less is the value


def room(sizing: Sizing, power_mw: Floats, energy_mwh: Floats) -> Floats:
    """How far the bound at sizes lies above the best value and its rounding, 0 or less where none can be better."""
    if sizing.planes is None:
        return np.full(np.shape(power_mw), np.nan)
    priced, best = sizing.goal.priced_at(sizing.value)
    return sizing.planes.bound_at(priced, power_mw, energy_mwh) - best - ROUNDING * abs(best)


def draw_tried(axes: Axes, table: pd.DataFrame) -> Artist:
    """Rings at the sizes that were solved, and their handle."""
    axes.plot(
        table["power_mw"], table["duration_h"], "o", color="none", markersize=7, markeredgewidth=1.4, zorder=5,
        markeredgecolor="#1B1F24", markerfacecolor="#FFFFFF",
    )  # fmt: skip
    return line_handle("#FFFFFF", marker="o", label="size solved for the proof", edge="#1B1F24")


def draw_optimum(axes: Axes, x: float, y: float) -> Artist:
    """Draw a star at the best size; returns the handle for the legend."""
    axes.plot(
        [x], [y], "*", markersize=21, color="#D55E00", markeredgecolor="#FFFFFF", markeredgewidth=1.4, zorder=6,
        clip_on=False,
    )  # fmt: skip
    return Line2D([], [], linestyle="none", marker="*", markersize=15, color="#D55E00", label="best size")


def line_handle(
    colour: str, *, label: str, marker: str = "", style: Style | None = None, width: float = LINE_PT, edge: str = ""
) -> Artist:
    """The handle of a line or, without a style, of a mark."""
    shown: Style = style or ("none" if marker else "-")
    return Line2D(
        [], [], color=colour, linestyle=shown, linewidth=width, marker=marker or "none", markersize=7,
        markeredgecolor=edge or colour, label=label,
    )  # fmt: skip


def square_handle(look: Theme, label: str) -> Artist:
    """The legend's handle for the sizes that were tried, which are drawn as coloured squares."""
    return Line2D([], [], color=look.sequential(0.75), linestyle="none", marker="s", markersize=9, label=label)


def name_axes(axes: Axes, x: str, y: str, look: Theme) -> None:
    """Write the names `x` and `y` under and beside the axes."""
    axes.set_xlabel(x, fontsize=TEXT_PT, color=look.ink)
    axes.set_ylabel(y, fontsize=TEXT_PT, color=look.ink)
