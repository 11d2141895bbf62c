"""The sizes of a sizing where power or duration is fixed: value as a curve, the proven bound above it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from bess_opt.plots.shared.style import LINE_PT, Theme
from bess_opt.plots.shared.units import Unit
from bess_opt.plots.sizing.marks import FINE, Style, draw_optimum, line_handle, name_axes, room

if TYPE_CHECKING:
    from bess_opt.investment.sizing.result import Sizing


def draw_size_curve(axes: Axes, sizing: Sizing, values: pd.DataFrame, unit: Unit, look: Theme) -> list[Artist]:
    """The value over the dimension that is free, the bound above it, and the handles of the legend."""
    (p0, p1), (h0, h1) = sizing.region.power_mw, sizing.region.duration_h
    free = "duration_h" if h1 > h0 else "power_mw"
    ends = (h0, h1) if h1 > h0 else (p0, p1)
    handles: list[Artist] = []
    table = values.dropna(subset="value").sort_values(free)
    known = table["value"].to_numpy(dtype=float) / unit.scale
    style: Style = "-" if sizing.planes is not None else "none"
    axes.plot(
        table[free], known, linestyle=style, marker="o", color=look.discharge, linewidth=LINE_PT, markersize=4.5
    )
    label = "value" if sizing.planes is not None else "size planned"
    handles.append(line_handle(look.discharge, marker="o", label=label, style=style))
    if sizing.planes is not None and ends[1] > ends[0]:
        handles += _draw_bound(axes, sizing, free, ends, unit, look)
    at = sizing.duration_h if free == "duration_h" else sizing.power_mw
    handles.append(draw_optimum(axes, at, sizing.value / unit.scale))
    fixed = f"at {p0:g} MW" if free == "duration_h" else f"at {h0:g} h"
    name_axes(axes, f"{'duration [h]' if free == 'duration_h' else 'power [MW]'} {fixed}", unit.label, look)
    axes.grid(visible=True, which="major", color=look.faint, linewidth=0.8)
    return handles


def _draw_bound(
    axes: Axes, sizing: Sizing, free: str, ends: tuple[float, float], unit: Unit, look: Theme
) -> list[Artist]:
    """The bound from the cuts, and the sizes at which it is above the best value."""
    along = np.linspace(*ends, FINE)
    power = np.full(FINE, sizing.region.power_mw[0]) if free == "duration_h" else along
    energy = power * (along if free == "duration_h" else sizing.region.duration_h[0])
    more = room(sizing, power, energy)
    handles: list[Artist] = []
    if not sizing.goal.kind.rate:
        bound = (sizing.value + sizing.goal.sign * more) / unit.scale
        axes.plot(along, bound, color=look.price, linewidth=LINE_PT, linestyle="--")
        handles.append(line_handle(look.price, label="proven bound", style="--"))
    low, high = axes.get_ylim()
    axes.fill_between(along, low, high, where=(more > 0.0).tolist(), color=look.price, alpha=0.2, linewidth=0)
    axes.set_ylim(low, high)
    return [*handles, Patch(facecolor=look.price, alpha=0.2, label="only here could a size be better")]
