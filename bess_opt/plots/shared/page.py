"""The page that a picture stands on: its size, its panels, and its bytes."""

from __future__ import annotations

import base64
import gc
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from typing import cast

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bess_opt.plots.shared.style import TITLE_PT, Theme, drawing, dress, theme_of
from bess_opt.plots.shared.svg.page import SvgPage, is_written_as_svg
from bess_opt.plots.shared.time_axes import without_names

DPI = 120
WIDTH_IN, LEFT_IN, RIGHT_IN, BOTTOM_IN, GAP_IN = 13.0, 1.0, 2.45, 0.8, 0.55
POWER_IN, LINE_IN, MAP_IN, TIME_LABELS_IN = 3.6, 1.7, 1.9, 0.65

SMALL_DPI = 64


class NotebookFigure(Figure):
    """A Figure that a notebook shows by itself, although pyplot does not know it."""

    def _repr_png_(self) -> bytes:
        return figure_png(self)


def figure_png(figure: Figure, *, dpi: float = DPI) -> bytes:
    """The figure as PNG bytes, without date, version or another trace of when it was made."""
    buffer = io.BytesIO()
    with drawing(theme_of("light")):
        paper = figure.get_facecolor()
        figure.savefig(buffer, format="png", dpi=dpi, facecolor=paper, metadata={"Software": None})
    return buffer.getvalue()


@dataclass(frozen=True)
class Row:
    """A panel of the page: its height, and the room that the panel above needs for its time labels."""

    height_in: float
    above_in: float = 0.0


def blank_page(height_in: float, look: Theme) -> Figure:
    """An empty page; while pages are `written_as_svg` one that stands in for a figure, for `figure_svg` alone."""
    if is_written_as_svg():
        return cast(Figure, SvgPage(WIDTH_IN, height_in, look.paper))
    return NotebookFigure(figsize=(WIDTH_IN, height_in), facecolor=look.paper)


def new_page(figure: Figure | None, rows: list[Row], title: str, look: Theme) -> tuple[Figure, list[Axes]]:
    """A figure with one empty panel per row, from the top down, and room for legends at the right."""
    head = 0.95 if title else 0.5
    used = [row.height_in + (i > 0) * (GAP_IN + row.above_in) for i, row in enumerate(rows)]
    height = head + sum(used) + BOTTOM_IN
    page = blank_page(height, look) if figure is None else figure
    page.set_facecolor(look.paper)
    if title:
        place = (LEFT_IN / WIDTH_IN, 1 - 0.2 / height)
        page.text(*place, title, fontsize=TITLE_PT, fontweight="bold", va="top", color=look.ink)
    bottoms = height - head - np.cumsum(used)
    left, width = LEFT_IN / WIDTH_IN, (WIDTH_IN - LEFT_IN - RIGHT_IN) / WIDTH_IN
    panels = [
        page.add_axes((left, bottom / height, width, row.height_in / height))
        for row, bottom in zip(rows, bottoms, strict=True)
    ]
    return page, panels


def label_lowest(panels: list[Axes]) -> None:
    """Time labels under the lowest panel only."""
    for axes in panels[:-1]:
        without_names(axes)


def figure_svg(figure: Figure, *, prefix: str) -> str:
    """The figure as an SVG element for a page, without date or random names; `prefix` keeps its ids its own.

    Letters are drawn, so that it looks the same on any machine. Two figures on one page need two prefixes.
    """
    if isinstance(figure, SvgPage):
        return figure.svg(prefix)
    buffer = io.StringIO()
    own = mpl.rc_context({"svg.hashsalt": prefix, "svg.fonttype": "path"})
    with drawing(theme_of("light")), own, collection_paused():
        paper = figure.get_facecolor()
        figure.savefig(buffer, format="svg", facecolor=paper, metadata={"Date": None, "Creator": None})
    return buffer.getvalue()[buffer.getvalue().index("<svg") :]


@contextmanager
def collection_paused() -> Iterator[None]:
    """No search for garbage meanwhile: the many small objects of a picture live until it is written."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


@contextmanager
def one_panel(axes: Axes | None, look: Theme, *, title: str, height_in: float = POWER_IN) -> Iterator[Axes]:
    """The caller's axes, or the only panel of a new page, dressed for `look`; settings hold while drawing."""
    with drawing(look):
        panel = new_page(None, [Row(height_in)], title, look)[1][0] if axes is None else axes
        dress(panel, look)
        yield panel


def figure_of(axes: Axes) -> Figure:
    """The figure that axes stand on, also where they stand in a part of it."""
    figure = axes.get_figure(root=True)
    if figure is None:
        raise ValueError("axes stand on no figure; make them with figure.add_subplot()")
    return figure


def picture_html(figure: Figure, text: str) -> str:
    """A small picture as HTML that needs no file; `text` says what it shows to those who cannot see it."""
    content = base64.b64encode(figure_png(figure, dpi=SMALL_DPI)).decode()
    return f'<img style="max-width:100%" alt="{escape(text)}" src="data:image/png;base64,{content}">'
