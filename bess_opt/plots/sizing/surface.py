"""A sizing as a picture: a map of value over power and duration, or a curve where one of them is fixed.

Made as the figures of `bess_opt.plots` are: no pyplot, the same input gives the same picture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bess_opt.plots.shared.page import NotebookFigure
from bess_opt.plots.shared.style import TEXT_PT, TITLE_PT, Theme, drawing, dress, heading, theme_of
from bess_opt.plots.shared.units import Unit
from bess_opt.plots.sizing.bounds import bound_table
from bess_opt.plots.sizing.curve import draw_size_curve
from bess_opt.plots.sizing.size_map import draw_size_map

if TYPE_CHECKING:
    from bess_opt.investment.sizing.size import Sizing

WIDTH_IN, HEIGHT_IN = 11.0, 7.4
PLACE = (0.085, 0.215, 0.74, 0.64)  # of the panel on the page: left, bottom, width, height


def surface_figure(sizing: Sizing, *, theme: str = "light", surface: pd.DataFrame | None = None) -> Figure:
    """Value over power [MW] and duration [h], with the optimum, the sizes tried and where a better one may lie.

    The colour is what each size can be worth at most, by the planes of the search: nothing is solved for the picture.
    A `surface`, what `sizing.surface()` gives, puts values of their own there. Without a proof only the sizes that
    were planned are shown, each as a mark of its own. With one dimension fixed the picture is a curve through the
    sizes that were solved, the proven bound above it. Hatched is the certified region: no size outside it can be
    better than the best.
    """
    look = theme_of(theme)
    ranges = sizing.region.power_mw, sizing.region.duration_h
    flat = any(low >= high for low, high in ranges)
    values = sizing.table if surface is None else surface
    if sizing.planes is not None and surface is None and not flat:
        values = bound_table(sizing, sizing.planes)
    unit = sizing.unit_of(values["value"])
    with drawing(look):
        page, axes = _page(sizing, unit, look)
        if flat:
            handles = draw_size_curve(axes, sizing, values, unit, look)
        else:
            handles = draw_size_map(axes, sizing, values, unit, look, limits=surface is None)
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
