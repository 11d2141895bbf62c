"""The sizes of a sizing as a picture: value over power and duration, and where a better size could still lie.

Made as the figures of `bess_opt.plots` are: no pyplot, the same input gives the same picture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from bess_opt.key_figures import OBJECTIVES
from bess_opt.plots_page import NotebookFigure
from bess_opt.plots_time import Floats
from bess_opt.style import LINE_PT, TEXT_PT, TICK_PT, TITLE_PT, Theme, drawing, dress, heading, theme_of

if TYPE_CHECKING:
    from bess_opt.sizing import Sizing

WIDTH_IN, HEIGHT_IN = 11.0, 7.4
PLACE = (0.085, 0.215, 0.74, 0.64)  # of the panel on the page: left, bottom, width, height
FINE = 241  # points per direction where the bound is drawn
Style = Literal["-", "--", "none"]
MOST_DOTS = 900  # allowed sizes beyond which they are not drawn one by one


def surface_figure(sizing: Sizing, *, theme: str = "light", surface: pd.DataFrame | None = None) -> Figure:
    """Value over power [MW] and duration [h], with the optimum, the sizes tried and where a better one may lie.

    `surface` is what `sizing.surface()` gives; it is computed if it is left out. Without a proof only the sizes that
    were planned are shown, each as a mark of its own. With one dimension fixed the picture is a curve, the proven
    bound above it. Hatched is the certified region: no size outside it can be better than the best.
    """
    look = theme_of(theme)
    ranges = sizing.region.power_mw, sizing.region.duration_h
    flat = any(low >= high for low, high in ranges)
    values = (sizing.surface() if surface is None else surface) if sizing.cuts is not None else sizing.table
    score_unit = str(sizing.plan.metrics.score_unit)
    unit = Unit.named(sizing.objective, sizing.scenario.site.currency, values["value"], score_unit)
    with drawing(look):
        page, axes = _page(sizing, unit, look)
        handles = (_draw_curve if flat else _draw_map)(axes, sizing, values, unit, look)
        axes.legend(
            handles=handles,
            loc="upper center",
            bbox_to_anchor=(0.5, -0.125),
            ncols=3,
            frameon=False,
            fontsize=TEXT_PT,
            labelcolor=look.ink,
            columnspacing=1.6,
        )
    return page


class Unit:
    """How an objective is written: its name, the power of ten of its money, and its unit."""

    def __init__(self, name: str, unit: str, scale: float = 1.0) -> None:
        self.name, self.unit, self.scale = name, unit, scale

    @classmethod
    def named(cls, objective: str, currency: str, values: pd.Series, score_unit: str = "currency") -> Unit:
        """The unit of an objective, money in thousands or millions where it is large."""
        name = OBJECTIVES[objective]
        if objective == "lcos":
            return cls(name, f"{currency}/MWh")
        if objective in ("energy_efficiency", "curtailment", "irr"):
            return cls(name, "1/year" if objective == "irr" else "1")
        unit = score_unit.replace("currency", currency) if objective == "score" else currency
        return cls.money(name, unit, values)

    @classmethod
    def money(cls, name: str, unit: str, values: pd.Series) -> Unit:
        """Thousands or millions where the largest of `values` is large."""
        size = float(np.nanmax(np.abs(values.to_numpy(dtype=float)), initial=0.0))
        for least, scale, word in ((2e6, 1e6, "million "), (2e4, 1e3, "thousand ")):
            if size >= least:
                return cls(name, word + unit, scale)
        return cls(name, unit)

    @property
    def label(self) -> str:
        """For an axis or a colour bar."""
        return f"{self.name} [{self.unit}]"

    def text(self, value: float) -> str:
        """A value with its unit."""
        unit = "" if self.unit == "1" else f" {self.unit}"
        return f"{value / self.scale:,.4g}{unit}"

    def small(self, value: float) -> str:
        """A value that is small beside the others, in the plain unit."""
        plain = self.unit.removeprefix("million ").removeprefix("thousand ")
        return Unit(self.name, plain).text(float(f"{value:.3g}"))


def _page(sizing: Sizing, unit: Unit, look: Theme) -> tuple[Figure, Axes]:
    """A figure with one empty panel, its title and what was found."""
    page = NotebookFigure(figsize=(WIDTH_IN, HEIGHT_IN), facecolor=look.paper)
    title = f"{sizing.scenario.name}: {sizing.power_mw:.4g} MW, {sizing.duration_h:.4g} h is best"
    if not sizing.build:
        title += ", but not building is better"
    page.text(PLACE[0], 1 - 0.2 / HEIGHT_IN, title, fontsize=TITLE_PT, fontweight="bold", va="top", color=look.ink)
    axes = page.add_axes(PLACE)
    dress(axes, look, grid=False)
    heading(axes, f"{unit.name[0].upper()}{unit.name[1:]} {unit.text(sizing.value)}{_claim(sizing, unit)}")
    return page, axes


def _claim(sizing: Sizing, unit: Unit) -> str:
    """What is known of all other sizes."""
    if sizing.bound is None:
        return "; a better size may lie between those planned"
    more = max(sizing.goal.sign * (sizing.bound - sizing.value), 0.0)
    word = "more" if sizing.goal.sign > 0 else "less"
    if more <= 1e-9 * max(abs(sizing.value), 1.0):
        return "; proven, no other size has more" if sizing.goal.sign > 0 else "; proven, no other size has less"
    return f"; proven, no size has over {unit.small(more)} {word}"


# ---- two dimensions


def _draw_map(axes: Axes, sizing: Sizing, values: pd.DataFrame, unit: Unit, look: Theme) -> list[Artist]:
    """The map, and the handles of its legend."""
    (p0, p1), (h0, h1) = sizing.region.power_mw, sizing.region.duration_h
    known = values["value"].to_numpy(dtype=float) / unit.scale
    finite = known[np.isfinite(known)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    norm = Normalize(low, high if high > low else low + 1.0)
    handles: list[Artist] = []
    if sizing.cuts is not None:
        coloured = _draw_filled(axes, values, known, norm, look)
        handles += _draw_certified(axes, sizing, look)
        handles.append(_tried(axes, sizing.table[~sizing.table["exact"]]))
        handles += _allowed(axes, sizing)
    else:
        shown = np.isfinite(known)
        coloured = axes.scatter(
            values["power_mw"][shown], values["duration_h"][shown], c=known[shown], cmap=look.sequential, norm=norm,
            s=_mark_area(len(values)), marker="s", linewidths=0.0, zorder=2,
        )  # fmt: skip
        handles.append(_square(look, "size planned"))
        if not shown.all():
            axes.scatter(
                values["power_mw"][~shown], values["duration_h"][~shown], marker="x", color=look.unserved, zorder=3
            )
            handles.append(_line(look.unserved, marker="x", label="size without a plan"))
    handles += _limits(axes, sizing, look)
    handles.append(_optimum(axes, sizing.power_mw, sizing.duration_h))
    pad = 0.03 if sizing.cuts is None else 0.012
    axes.set_xlim(p0 - pad * (p1 - p0), p1 + pad * (p1 - p0))
    axes.set_ylim(h0 - pad * (h1 - h0), h1 + pad * (h1 - h0))
    _names(axes, "power [MW]", "duration [h]", look)
    colour_bar(axes, coloured, unit.label, look)
    return handles


def _draw_filled(axes: Axes, values: pd.DataFrame, known: Floats, norm: Normalize, look: Theme) -> Any:
    """Filled contours of a full grid, with labelled lines; grey where a size meets no limits."""
    powers, durations = (np.unique(values[name].to_numpy(dtype=float)) for name in ("power_mw", "duration_h"))
    grid = known.reshape(len(durations), len(powers))
    axes.set_facecolor(look.missing if np.isnan(grid).any() else look.paper)
    levels = MaxNLocator(13).tick_values(norm.vmin or 0.0, norm.vmax or 1.0)
    filled = axes.contourf(powers, durations, np.ma.masked_invalid(grid), levels=levels, cmap=look.sequential)
    axes.contour(
        powers, durations, np.ma.masked_invalid(grid), levels=levels, colors="#FFFFFF", linewidths=0.5, alpha=0.55
    )
    return filled


def _draw_certified(axes: Axes, sizing: Sizing, look: Theme) -> list[Artist]:
    """Hatched: where the bound lies above the best value, the only sizes that could be better.

    Blocks lie on one line of the map, so that an area would say nothing of them.
    """
    (p0, p1), (h0, h1) = sizing.region.power_mw, sizing.region.duration_h
    powers, durations = np.meshgrid(np.linspace(p0, p1, FINE), np.linspace(h0, h1, FINE))
    energies = powers * durations
    a, b = sizing.region.halfplanes()
    room = _room(sizing, powers, energies)
    slack = b - np.multiply.outer(powers, a[:, 0]) - np.multiply.outer(energies, a[:, 1])
    above = np.where((slack >= -1e-9 * np.abs(b)).all(axis=-1), room, np.nan)
    if sizing.region.module is not None or not (above > 0.0).any():
        return []
    axes.contourf(powers, durations, above, levels=[0.0, np.inf], colors="none", hatches=["////"]).set(
        edgecolor="#FFFFFF", linewidth=0.0
    )
    axes.contour(powers, durations, above, levels=[0.0], colors="#FFFFFF", linewidths=2.2)
    axes.contour(powers, durations, above, levels=[0.0], colors="#1B1F24", linewidths=1.0)
    face = look.sequential(0.75)
    return [Patch(facecolor=face, edgecolor="#FFFFFF", hatch="////", label="only here could a size be better")]


def _room(sizing: Sizing, power_mw: Floats, energy_mwh: Floats) -> Floats:
    """How far the bound at sizes lies above the best value, 0 or less where no size can be better; maximised."""
    if sizing.cuts is None:
        return np.full(np.shape(power_mw), np.nan)
    priced, best = sizing.goal.priced_at(sizing.value)
    return sizing.cuts.bound_at(priced, power_mw, energy_mwh) - best


def _allowed(axes: Axes, sizing: Sizing) -> list[Artist]:
    """The sizes on the steps, where these are few enough to be told apart."""
    if not sizing.region.stepped:
        return []
    sizes = np.array(sizing.region.grid())
    if len(sizes) > MOST_DOTS:
        return []
    axes.plot(sizes[:, 0], sizes[:, 1] / sizes[:, 0], ".", color="#FFFFFF", markersize=4.0, zorder=3)
    return [_line("#FFFFFF", marker=".", label="size on the steps", edge="#7A828C")]


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
            handles.append(_line(look.charge, label=f"budget {_short(region.budget)} {currency}", width=2.6))
    if region.energy_min_mwh > 0.0:
        least = region.energy_min_mwh / powers
        axes.fill_between(
            powers, bottom, np.clip(least, bottom, top), color=look.paper, alpha=0.45, linewidth=0, zorder=2.5
        )
        axes.plot(powers, least, color=look.imported, linewidth=2.6, linestyle="--", zorder=4)
        text = f"at least {region.energy_min_mwh:g} MWh"
        handles.append(_line(look.imported, label=text, style="--", width=2.6))
    return handles


# ---- one dimension


def _draw_curve(axes: Axes, sizing: Sizing, values: pd.DataFrame, unit: Unit, look: Theme) -> list[Artist]:
    """The value over the dimension that is free, the bound above it, and the handles of the legend."""
    (p0, p1), (h0, h1) = sizing.region.power_mw, sizing.region.duration_h
    free = "duration_h" if h1 > h0 else "power_mw"
    ends = (h0, h1) if h1 > h0 else (p0, p1)
    handles: list[Artist] = []
    table = values.sort_values(free)
    known = table["value"].to_numpy(dtype=float) / unit.scale
    style: Style = "-" if sizing.cuts is not None else "none"
    axes.plot(
        table[free], known, linestyle=style, marker="o", color=look.discharge, linewidth=LINE_PT, markersize=4.5
    )
    label = "value" if sizing.cuts is not None else "size planned"
    handles.append(_line(look.discharge, marker="o", label=label, style=style))
    if sizing.cuts is not None and ends[1] > ends[0]:
        handles += _draw_bound(axes, sizing, free, ends, unit, look)
    at = sizing.duration_h if free == "duration_h" else sizing.power_mw
    handles.append(_optimum(axes, at, sizing.value / unit.scale))
    fixed = f"at {p0:g} MW" if free == "duration_h" else f"at {h0:g} h"
    _names(axes, f"{'duration [h]' if free == 'duration_h' else 'power [MW]'} {fixed}", unit.label, look)
    axes.grid(visible=True, which="major", color=look.faint, linewidth=0.8)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.4g}"))
    return handles


def _draw_bound(
    axes: Axes, sizing: Sizing, free: str, ends: tuple[float, float], unit: Unit, look: Theme
) -> list[Artist]:
    """The bound from the cuts, and the sizes at which it is above the best value."""
    along = np.linspace(*ends, FINE)
    power = np.full(FINE, sizing.region.power_mw[0]) if free == "duration_h" else along
    energy = power * (along if free == "duration_h" else sizing.region.duration_h[0])
    room = _room(sizing, power, energy)
    handles: list[Artist] = []
    if sizing.goal.name != "irr":
        bound = (sizing.value + sizing.goal.sign * room) / unit.scale
        axes.plot(along, bound, color=look.price, linewidth=LINE_PT, linestyle="--")
        handles.append(_line(look.price, label="proven bound", style="--"))
    low, high = axes.get_ylim()
    axes.fill_between(along, low, high, where=(room > 0.0).tolist(), color=look.price, alpha=0.2, linewidth=0)
    axes.set_ylim(low, high)
    return [*handles, Patch(facecolor=look.price, alpha=0.2, label="only here could a size be better")]


# ---- parts


def _tried(axes: Axes, table: pd.DataFrame) -> Artist:
    axes.plot(
        table["power_mw"], table["duration_h"], "o", color="none", markersize=7, markeredgewidth=1.4, zorder=5,
        markeredgecolor="#1B1F24", markerfacecolor="#FFFFFF",
    )  # fmt: skip
    return _line("#FFFFFF", marker="o", label="size solved for the proof", edge="#1B1F24")


def _optimum(axes: Axes, x: float, y: float) -> Artist:
    axes.plot(
        [x], [y], "*", markersize=21, color="#D55E00", markeredgecolor="#FFFFFF", markeredgewidth=1.4, zorder=6,
        clip_on=False,
    )  # fmt: skip
    return Line2D([], [], linestyle="none", marker="*", markersize=15, color="#D55E00", label="best size")


def _line(
    colour: str, *, label: str, marker: str = "", style: Style | None = None, width: float = LINE_PT, edge: str = ""
) -> Artist:
    shown: Style = style or ("none" if marker else "-")
    return Line2D(
        [], [], color=colour, linestyle=shown, linewidth=width, marker=marker or "none", markersize=7,
        markeredgecolor=edge or colour, label=label,
    )  # fmt: skip


def _square(look: Theme, label: str) -> Artist:
    return Line2D([], [], color=look.sequential(0.75), linestyle="none", marker="s", markersize=9, label=label)


def _mark_area(count: int) -> float:
    """Area of a mark in square points: sizes side by side without covering each other."""
    return float(np.clip(24_000.0 / max(count, 1), 6.0, 420.0))


def _names(axes: Axes, x: str, y: str, look: Theme) -> None:
    axes.set_xlabel(x, fontsize=TEXT_PT, color=look.ink)
    axes.set_ylabel(y, fontsize=TEXT_PT, color=look.ink)


def colour_bar(axes: Axes, coloured: Any, label: str, look: Theme) -> None:
    """A colour bar right of a panel."""
    bar = axes.inset_axes((1.025, 0.0, 0.03, 1.0))
    levels = getattr(coloured, "levels", None)
    scale = axes.figure.colorbar(coloured, cax=bar, ticks=MaxNLocator(7) if levels is None else levels[::2])
    scale.set_label(label, fontsize=TEXT_PT, color=look.ink)
    bar.tick_params(colors=look.ink, labelsize=TICK_PT, labelfontfamily="DejaVu Sans")
    scale.outline.set_edgecolor(look.faint)


def _short(value: float) -> str:
    """Money as people say it."""
    for least, word in ((1e6, " million"), (1e3, " thousand")):
        if abs(value) >= least:
            return f"{value / least:.4g}{word}"
    return f"{value:.4g}"
