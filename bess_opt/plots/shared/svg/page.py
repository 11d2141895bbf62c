"""A page of panels that is written as SVG at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.colors import to_hex
from matplotlib.ticker import Locator
from matplotlib.transforms import Affine2D

from bess_opt.plots.shared.style import GRID_PT, TEXT_PT
from bess_opt.plots.shared.svg.letters import Words, outlines_svg
from bess_opt.plots.shared.svg.panel import Panel
from bess_opt.plots.shared.svg.picture import Picture

_WRITTEN: ContextVar[bool] = ContextVar("written", default=False)
_POINTED = 0.05  # of a colour bar, for the end that stands for all beyond it


@contextmanager
def written_as_svg() -> Iterator[None]:
    """Pages that are begun meanwhile are `SvgPage`s: many times as fast, for what a report draws."""
    token = _WRITTEN.set(True)
    try:
        yield
    finally:
        _WRITTEN.reset(token)


def is_written_as_svg() -> bool:
    """Whether a page that is begun now is an `SvgPage`."""
    return _WRITTEN.get()


class ColourBar:
    """The scale of a `Picture` beside it."""

    def __init__(self, panel: Panel) -> None:
        self.ax, self.outline = panel, self
        self.colour = panel.ink

    def set_edgecolor(self, colour: str) -> None:
        """The colour of its frame."""
        self.colour = to_hex(colour)

    def set_label(self, text: str, *, fontsize: float = TEXT_PT, color: str | None = None) -> None:
        """Its name and unit."""
        self.ax.set_ylabel(text, fontsize=fontsize, color=color)

    def svg(self, extend: str, picture: Picture, height: float) -> str:
        """The ends that stand for all beyond, and the frame around all."""
        left, bottom, wide, high = self.ax.box
        point, half = _POINTED * high / (1.0 - _POINTED * (1 + (extend == "both"))), left + wide / 2.0
        low, top = height - bottom, height - bottom - high
        under, over = (to_hex(picture.cmap(end)) for end in (0.0, 1.0))
        parts = []
        foot, head = f"H{left:.2f}", ""
        if extend in ("min", "both"):
            foot = f"L{half:.2f} {low + point:.2f}L{left:.2f} {low:.2f}"
            parts.append(f'<path d="M{left + wide:.2f} {low:.2f}{foot}Z" style="fill: {under}"/>')
        if extend in ("max", "both"):
            head = f"L{half:.2f} {top - point:.2f}"
            parts.append(f'<path d="M{left:.2f} {top:.2f}{head}L{left + wide:.2f} {top:.2f}Z" style="fill: {over}"/>')
        frame = f"M{left:.2f} {top:.2f}{head}L{left + wide:.2f} {top:.2f}V{low:.2f}{foot}Z"
        parts.append(f'<path d="{frame}" style="fill: none; stroke: {self.colour}; stroke-width: {GRID_PT:g}"/>')
        return "".join(parts)


class SvgPage:
    """A page of `width` by `height` inches, with the names that matplotlib gives to what it can do."""

    def __init__(self, width_in: float, height_in: float, paper: str) -> None:
        self.width, self.height, self.paper = width_in * 72.0, height_in * 72.0, to_hex(paper)
        self.ink = to_hex(str(mpl.rcParams["text.color"]))
        self.dpi_scale_trans = Affine2D().scale(72.0)
        self.axes: list[Panel] = []
        self.prefix = ""
        self.title: list[Words] = []
        self.bars: list[tuple[ColourBar, str, Picture]] = []

    def set_facecolor(self, colour: str) -> None:
        """The colour of the paper."""
        self.paper = to_hex(colour)

    def add_axes(self, share: tuple[float, float, float, float]) -> Panel:
        """An empty panel: left, bottom, width and height as shares of the page."""
        left, bottom, wide, high = share
        box = (left * self.width, bottom * self.height, wide * self.width, high * self.height)
        return self.entered(Panel(self, box))

    def entered(self, panel: Panel) -> Panel:
        """The panel, once it stands on the page."""
        self.axes.append(panel)
        return panel

    def text(self, x: float, y: float, text: str, *, fontsize: float, color: str, **_said: Any) -> None:
        """The title, its upper left corner at shares of the page."""
        self.title.append(Words(text, x * self.width, y * self.height, fontsize, to_hex(color), va="top", bold=True))

    def colorbar(
        self, picture: Picture, *, cax: Panel, ticks: Locator, extend: str = "neither", label: str = ""
    ) -> ColourBar:
        """The scale of a picture in a panel of its own; `extend` says at which ends values lie beyond it."""
        ends = (extend in ("min", "both"), extend in ("max", "both"))
        left, bottom, wide, high = cax.box
        part = _POINTED * high
        cax.box = (left, bottom + ends[0] * part, wide, high - sum(ends) * part)
        low, top = picture.norm.vmin or 0.0, picture.norm.vmax or 0.0
        cax.imshow(
            np.linspace(low, top, 256)[:, None], cmap=picture.cmap, norm=picture.norm, extent=(0.0, 1.0, low, top)
        )
        cax.xaxis.set_visible(False)
        cax.yaxis.set_major_locator(ticks)
        bar = ColourBar(cax)
        bar.set_label(label)
        self.bars.append((bar, extend, picture))
        return bar

    def svg(self, prefix: str) -> str:
        """The page as an SVG element; `prefix` keeps its ids its own."""
        self.prefix = prefix
        used: set[tuple[str, bool]] = set()
        hatches: dict[str, str] = {}
        parts = [panel.svg(f"{prefix}-{place}", hatches, used) for place, panel in enumerate(self.axes)]
        parts += [bar.svg(extend, picture, self.height) for bar, extend, picture in self.bars]
        parts += [one.svg(prefix, self.height, used) for one in self.title]
        patterns = "".join(
            f'<pattern id="{name}" patternUnits="userSpaceOnUse" {drawn}</pattern>' for name, drawn in hatches.items()
        )
        size = f'width="{self.width:g}pt" height="{self.height:g}pt" viewBox="0 0 {self.width:g} {self.height:g}"'
        spaces = 'xmlns:xlink="http://www.w3.org/1999/xlink" xmlns="http://www.w3.org/2000/svg" version="1.1"'
        paper = f'<rect width="100%" height="100%" style="fill: {self.paper}"/>'
        defined = f"<defs>{patterns}</defs>{outlines_svg(prefix, used)}"
        return f"<svg {spaces} {size}>{defined}{paper}{''.join(parts)}</svg>\n"
