"""Pieces that several pictures share: labels with units, legends beside the data, lines that hold a step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.container import Container
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import Transform

from bess_opt.common.columns import SCHEDULE
from bess_opt.plots.shared.style import LINE_PT, TEXT_PT, TICK_PT, PlainNumbers, Theme
from bess_opt.plots.shared.time_axes import Floats

BESIDE = 1.02
"""Where legends and colour bars begin, right of the data, in widths of the panel."""
NOISE_MW = 1e-6


def unit_label(name: str, currency: str = "EUR") -> str:
    """The unit of a schedule's column in brackets, with the site's currency."""
    unit = SCHEDULE[name if name in SCHEDULE else f"import_{name}"].unit
    return f"[{unit.replace('currency', currency)}]"


def name_y(axes: Axes, text: str, look: Theme) -> None:
    """A name for the axis at the left, in line with those of other panels."""
    axes.set_ylabel(text, fontsize=TEXT_PT, color=look.ink)
    axes.yaxis.set_label_coords(-0.062, 0.5)


def legend_beside(axes: Axes, handles: Sequence[Artist | Container], look: Theme) -> None:
    """A legend right of the data; none without handles."""
    if handles:
        axes.legend(
            handles=list(handles),
            loc="upper left",
            bbox_to_anchor=(BESIDE - 0.01, 1.03),
            frameon=False,
            fontsize=TEXT_PT,
            labelcolor=look.ink,
            handlelength=1.5,
        )


def draw_steps(axes: Axes, edges: Floats, values: Floats, colour: str, label: str, style: str = "-") -> Artist:
    """A line that holds each value over its step."""
    look: dict[str, Any] = {"color": colour, "linewidth": LINE_PT, "linestyle": style, "label": label}
    return axes.plot(edges, held(values), drawstyle="steps-post", **look)[0]


def draw_bars(
    axes: Axes,
    middles: Floats,
    heights: Floats,
    *,
    width: float | Floats,
    colour: str,
    bottoms: float | Floats = 0.0,
    label: str = "",
    transform: Transform | None = None,
) -> PathPatch:
    """Upright bars of one colour as one path: as single artists they take several times as long.

    A bar runs from `bottoms` by `heights`, negative ones downwards, in coordinates of the data, or in those of
    `transform`, which leave the limits of the axes as they are.
    """
    left, right = middles - np.asarray(width) / 2.0, middles + np.asarray(width) / 2.0
    low = np.broadcast_to(np.asarray(bottoms, dtype=np.float64), left.shape)
    high = low + heights
    corners = [(left, low), (right, low), (right, high), (left, high), (left, low)]
    vertices = np.stack([np.column_stack(corner) for corner in corners], axis=1).reshape(-1, 2)
    codes = np.tile([Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY], len(left))
    bars = PathPatch(Path(vertices, codes), facecolor=colour, edgecolor="none", linewidth=0.0, label=label)
    if transform is not None:
        bars.set_transform(transform)
    axes.add_artist(bars)
    if transform is None:
        bars.sticky_edges.y.append(0.0)
        axes.update_datalim(vertices)
        axes.autoscale_view()
    return bars


def shade_away(axes: Axes, edges: Floats, away: Sequence[bool] | None, look: Theme) -> list[Artist]:
    """Shade the steps in which the grid is away; the handle for the legend, none where it never is."""
    mask = np.zeros(len(edges) - 1, dtype=bool) if away is None else np.asarray(away, dtype=bool)
    bounds = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(int), [0]])))
    for first, last in zip(bounds[::2], bounds[1::2], strict=True):
        axes.axvspan(edges[first], edges[last], facecolor=look.missing, alpha=0.45, linewidth=0.0, zorder=0.1)
    return (
        [Rectangle((0.0, 0.0), 1.0, 1.0, facecolor=look.missing, alpha=0.45, label="grid away")] if mask.any() else []
    )


def held(values: Floats) -> Floats:
    """The values with the last one again, for the end of the last step."""
    return np.append(values, values[-1:])


def prices_of(schedule: pd.DataFrame) -> list[pd.Series]:
    """The prices that exist, once if import and export are the same."""
    bought, sold = schedule["import_price_per_mwh"], schedule["export_price_per_mwh"]
    values = [price.to_numpy(dtype=float) for price in (bought, sold)]
    there = [price for price, of in zip((bought, sold), values, strict=True) if not np.isnan(of).all()]
    if len(there) == 2 and _alike(*values):
        return [bought.rename("price_per_mwh")]
    return there


def _alike(one: Floats, other: Floats) -> bool:
    """Whether two series of prices are the same but for rounding, not stated at the same times."""
    if np.array_equal(one, other, equal_nan=True):
        return True
    return bool(np.allclose(one, other, rtol=0.0, atol=1e-9, equal_nan=True))


def price_name(price: pd.Series) -> str:
    """A price's column name as words."""
    return str(price.name).removesuffix("_per_mwh").replace("_", " ")


def money_text(value: float) -> str:
    """A number as people write it, four digits or all before the point."""
    return f"{value:,.0f}" if abs(value) >= 1000.0 else f"{value:.4g}"


def colour_bar(axes: Axes, coloured: Any, label: str, look: Theme) -> None:
    """A colour bar right of a panel."""
    bar = axes.inset_axes((1.025, 0.0, 0.03, 1.0))
    levels = getattr(coloured, "levels", None)
    scale = axes.figure.colorbar(coloured, cax=bar, ticks=MaxNLocator(7) if levels is None else levels[::2])
    scale.set_label(label, fontsize=TEXT_PT, color=look.ink)
    scale.ax.yaxis.set_major_formatter(PlainNumbers())
    bar.tick_params(colors=look.ink, labelsize=TICK_PT, labelfontfamily="DejaVu Sans")
    scale.outline.set_edgecolor(look.faint)
