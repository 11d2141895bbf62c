"""The sizes of a sizing over power and duration: value as colour, and where a better size could still lie."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from scipy.interpolate import RectBivariateSpline

from bess_opt.plots.shared.parts import colour_bar
from bess_opt.plots.shared.style import Theme
from bess_opt.plots.shared.time_axes import Floats
from bess_opt.plots.shared.units import Unit
from bess_opt.plots.sizing.marks import FINE, draw_optimum, draw_tried, line_handle, name_axes, room, square_handle

if TYPE_CHECKING:
    from bess_opt.investment.sizing.size import Sizing

CUBIC = 3
MOST_DOTS = 900  # allowed sizes beyond which they are not drawn one by one


def draw_size_map(
    axes: Axes, sizing: Sizing, values: pd.DataFrame, unit: Unit, look: Theme, *, limits: bool
) -> list[Artist]:
    """Draw the map of values over power and duration; returns the handles for the legend.

    `limits` says that the values of a proof are what a size can be worth at most.
    """
    (p0, p1), (h0, h1) = sizing.region.power_mw, sizing.region.duration_h
    known = values["value"].to_numpy(dtype=float) / unit.scale
    finite = known[np.isfinite(known)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    norm = Normalize(low, high if high > low else low + 1.0)
    handles: list[Artist] = []
    if sizing.planes is not None:
        coloured = _draw_filled(axes, values, known, norm, look)
        handles += _draw_certified(axes, sizing, look)
        handles.append(draw_tried(axes, sizing.table[~sizing.table["exact"]]))
        handles += _allowed(axes, sizing)
    else:
        shown = np.isfinite(known)
        coloured = axes.scatter(
            values["power_mw"][shown], values["duration_h"][shown], c=known[shown], cmap=look.sequential, norm=norm,
            s=_mark_area(len(values)), marker="s", linewidths=0.0, zorder=2,
        )  # fmt: skip
        handles.append(square_handle(look, "size planned"))
        if not shown.all():
            axes.scatter(
                values["power_mw"][~shown], values["duration_h"][~shown], marker="x", color=look.unserved, zorder=3
            )
            handles.append(line_handle(look.unserved, marker="x", label="size without a plan"))
    handles += _limits(axes, sizing, look)
    handles.append(draw_optimum(axes, sizing.power_mw, sizing.duration_h))
    pad = 0.03 if sizing.planes is None else 0.012
    axes.set_xlim(p0 - pad * (p1 - p0), p1 + pad * (p1 - p0))
    axes.set_ylim(h0 - pad * (h1 - h0), h1 + pad * (h1 - h0))
    name_axes(axes, "power [MW]", "duration [h]", look)
    most = ": at most" if sizing.goal.sign > 0 else ": at least"
    colour_bar(axes, coloured, f"{unit.label}{most if limits and sizing.planes is not None else ''}", look)
    return handles


def _draw_filled(axes: Axes, values: pd.DataFrame, known: Floats, norm: Normalize, look: Theme) -> Any:
    """Filled contours of a full grid, with labelled lines; grey where a size meets no limits."""
    powers, durations = (np.unique(values[name].to_numpy(dtype=float)) for name in ("power_mw", "duration_h"))
    grid = known.reshape(len(durations), len(powers))
    axes.set_facecolor(look.missing if np.isnan(grid).any() else look.paper)
    levels = MaxNLocator(13).tick_values(norm.vmin or 0.0, norm.vmax or 1.0)
    powers, durations, grid = _finer(powers, durations, grid)
    # Between the sizes that were solved the curve may pass the last level: such a place would stay white.
    shown = np.ma.masked_invalid(np.clip(grid, levels[0], levels[-1]))
    filled = axes.contourf(powers, durations, shown, levels=levels, cmap=look.sequential)
    axes.contour(powers, durations, shown, levels=levels, colors="#FFFFFF", linewidths=0.5, alpha=0.55)
    return filled


def _finer(powers: Floats, durations: Floats, grid: Floats) -> tuple[Floats, Floats, Floats]:
    """Between the sizes that were solved the value bends smoothly: lines of few corners would mislead the eye."""
    if np.isnan(grid).any() or min(grid.shape) <= CUBIC or max(grid.shape) >= FINE:
        return powers, durations, grid
    across, up = np.linspace(powers[0], powers[-1], FINE), np.linspace(durations[0], durations[-1], FINE)
    smooth: Floats = RectBivariateSpline(durations, powers, grid, kx=CUBIC, ky=CUBIC)(up, across)
    return across, up, smooth


def _draw_certified(axes: Axes, sizing: Sizing, look: Theme) -> list[Artist]:
    """Hatched: where the bound lies above the best value, the only sizes that could be better.

    Blocks lie on one line of the map, so that an area would say nothing of them.
    """
    (p0, p1), (h0, h1) = sizing.region.power_mw, sizing.region.duration_h
    powers, durations = np.meshgrid(np.linspace(p0, p1, FINE), np.linspace(h0, h1, FINE))
    energies = powers * durations
    a, b = sizing.region.halfplanes()
    above_best = room(sizing, powers, energies)
    slack = b - np.multiply.outer(powers, a[:, 0]) - np.multiply.outer(energies, a[:, 1])
    above = np.where((slack >= -1e-9 * np.abs(b)).all(axis=-1), above_best, np.nan)
    if sizing.region.module is not None or not (above > 0.0).any():
        return []
    # The best sizes have the palest colour where more is better, the darkest where less is.
    ink = "#1B1F24" if sizing.goal.sign > 0 else "#FFFFFF"
    axes.contourf(powers, durations, above, levels=[0.0, np.inf], colors="none", hatches=["////"]).set(
        edgecolor=ink, linewidth=0.0
    )
    axes.contour(powers, durations, above, levels=[0.0], colors="#FFFFFF", linewidths=2.2)
    axes.contour(powers, durations, above, levels=[0.0], colors="#1B1F24", linewidths=1.0)
    face = look.sequential(0.95 if sizing.goal.sign > 0 else 0.05)
    return [Patch(facecolor=face, edgecolor=ink, hatch="////", label="only here could a size be better")]


def _allowed(axes: Axes, sizing: Sizing) -> list[Artist]:
    """The sizes on the steps, where these are few enough to be told apart."""
    if not sizing.region.stepped:
        return []
    sizes = np.array(sizing.region.grid())
    if len(sizes) > MOST_DOTS:
        return []
    axes.plot(sizes[:, 0], sizes[:, 1] / sizes[:, 0], ".", color="#FFFFFF", markersize=4.0, zorder=3)
    return [line_handle("#FFFFFF", marker=".", label="size on the steps", edge="#7A828C")]


def _limits(axes: Axes, sizing: Sizing, look: Theme) -> list[Artist]:
    """What the budget allows, and the least energy, as lines; what lies beyond is dimmed."""
    region, handles = sizing.region, []
    powers = np.linspace(*region.power_mw, FINE)
    top, bottom = region.duration_h[1], region.duration_h[0]
    if region.budget is not None:
        left = region.budget - region.capital[2] - region.capital[0] * powers
        if region.capital[1] > 0.0:
            longest = left / (region.capital[1] * powers)
            axes.fill_between(
                powers, np.clip(longest, bottom, top), top, color=look.paper, alpha=0.45, linewidth=0, zorder=2.5
            )
            axes.plot(powers, longest, color=look.charge, linewidth=2.6, zorder=4)
            currency = sizing.scenario.site.currency
            handles.append(line_handle(look.charge, label=f"budget {_short(region.budget)} {currency}", width=2.6))
    if region.energy_min_mwh > 0.0:
        least = region.energy_min_mwh / powers
        axes.fill_between(
            powers, bottom, np.clip(least, bottom, top), color=look.paper, alpha=0.45, linewidth=0, zorder=2.5
        )
        axes.plot(powers, least, color=look.imported, linewidth=2.6, linestyle="--", zorder=4)
        text = f"at least {region.energy_min_mwh:g} MWh"
        handles.append(line_handle(look.imported, label=text, style="--", width=2.6))
    return handles


def _mark_area(count: int) -> float:
    """Area of a mark in square points: sizes side by side without covering each other."""
    return float(np.clip(24_000.0 / max(count, 1), 6.0, 420.0))


def _short(value: float) -> str:
    """Money as people say it."""
    for least, word in ((1e6, " million"), (1e3, " thousand")):
        if abs(value) >= least:
            return f"{value / least:.4g}{word}"
    return f"{value:.4g}"
