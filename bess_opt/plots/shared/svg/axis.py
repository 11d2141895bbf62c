"""One axis of a panel: its ticks, numbers and name, beside the panel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.ticker import AutoLocator, Formatter, Locator, NullFormatter, NullLocator

from bess_opt.plots.shared.style import GRID_PT, TICK_PT, PlainNumbers
from bess_opt.plots.shared.svg.letters import Words

Box = tuple[float, float, float, float]
"""Left, bottom, width and height [pt], from the lower left corner of the page."""
LABEL_PT = 4.0  # between numbers and the name of an axis
_NEAR = 1e-9  # of the view: a tick as near beyond its end is drawn


@dataclass
class Ticks:
    """Where the marks are and what they say; lengths in points."""

    locator: Locator
    formatter: Formatter
    length: float
    pad: float


class Axis:
    """The axis below (or, `upright`, left of) a panel; `beyond` puts it at the right."""

    def __init__(self, ink: str, *, upright: bool, beyond: bool = False) -> None:
        self.upright, self.beyond, self.ink = upright, beyond, ink
        self.major = Ticks(AutoLocator(), PlainNumbers(), 3.5, 3.5)
        self.minor = Ticks(NullLocator(), NullFormatter(), 2.0, 3.4)
        self.grid_colour: str | None = None
        self.visible, self.size = True, TICK_PT
        self.name, self.name_size, self.name_colour = "", TICK_PT, ink
        self.name_at: float | None = None
        self.view, self.room = (0.0, 1.0), 100.0

    # ---- what pictures call

    def set_major_locator(self, locator: Locator) -> None:
        """Where ticks stand."""
        self.major.locator = locator

    def set_major_formatter(self, formatter: Formatter) -> None:
        """What they say."""
        self.major.formatter = formatter

    def set_minor_locator(self, locator: Locator) -> None:
        """Where names without marks stand."""
        self.minor.locator = locator

    def set_minor_formatter(self, formatter: Formatter) -> None:
        """What these say."""
        self.minor.formatter = formatter

    def set_visible(self, shown: bool) -> None:
        """Whether marks, numbers and name are drawn."""
        self.visible = shown

    def set_label_coords(self, x: float, _y: float) -> None:
        """Where the name of an upright axis stands, in widths of the panel."""
        self.name_at = x

    def get_tick_params(self) -> dict[str, Any]:
        """Whether there is a grid, as matplotlib says it."""
        return {"gridOn": self.grid_colour is not None}

    # ---- what locators and formatters ask

    def get_view_interval(self) -> tuple[float, float]:
        """The values at both ends."""
        return self.view

    def get_tick_space(self) -> int:
        """How many ticks have room."""
        return int(self.room // (self.size * (2.0 if self.upright else 3.0)))

    # ---- drawing

    def ticks(self, ticks: Ticks) -> tuple[list[float], list[str]]:
        """Places in view with what is written there."""
        ticks.locator.set_axis(self)  # type: ignore[arg-type]
        ticks.formatter.set_axis(self)  # type: ignore[arg-type]
        low, high = sorted(self.view)
        places = [float(one) for one in np.asarray(ticks.locator.tick_values(low, high))]
        texts = ticks.formatter.format_ticks(places)
        near = _NEAR * (high - low)
        inside = [pair for pair in zip(places, texts, strict=True) if low - near <= pair[0] <= high + near]
        return [place for place, _ in inside], [text for _, text in inside]

    def lines(self, box: Box, at: Callable[[float], float], height: float) -> str:
        """The grid in the panel."""
        if self.grid_colour is None or not self.visible:
            return ""
        left, bottom, wide, high = box
        steps = [
            f"M{left:.2f} {height - at(one):.2f}h{wide:.2f}"
            if self.upright
            else f"M{at(one):.2f} {height - bottom:.2f}v{-high:.2f}"
            for one in self.ticks(self.major)[0]
        ]
        style = f"fill: none; stroke: {self.grid_colour}; stroke-width: {GRID_PT:g}"
        return f'<path d="{"".join(steps)}" style="{style}"/>' if steps else ""

    def beside(self, box: Box, at: Callable[[float], float], height: float) -> tuple[str, list[Words]]:
        """The marks as SVG; numbers and name as words."""
        if not self.visible:
            return "", []
        edge = (box[0] + box[2] if self.beyond else box[0]) if self.upright else box[1]
        away = 1.0 if self.beyond else -1.0
        steps, words, reach = [], [], 0.0
        for ticks in (self.major, self.minor):
            for place, text in zip(*self.ticks(ticks), strict=True):
                if ticks.length:
                    start = (edge, at(place)) if self.upright else (at(place), edge)
                    step = f"h{away * ticks.length:g}" if self.upright else f"v{ticks.length:g}"
                    steps.append(f"M{start[0]:.2f} {height - start[1]:.2f}{step}")
                if text:
                    one = self._number(text, edge + away * (ticks.length + ticks.pad), at(place))
                    words.append(one)
                    reach = max(reach, ticks.length + ticks.pad + (one.width if self.upright else one.height))
        if self.name:
            words.append(self._name(box, edge + away * (reach + LABEL_PT)))
        style = f"fill: none; stroke: {self.ink}; stroke-width: {GRID_PT:g}"
        return (f'<path d="{"".join(steps)}" style="{style}"/>' if steps else ""), words

    def _number(self, text: str, out: float, along: float) -> Words:
        if self.upright:
            ha, va = ("left" if self.beyond else "right"), "center_baseline"
            return Words(text, out, along, self.size, self.ink, ha, va)  # type: ignore[arg-type]
        return Words(text, along, out, self.size, self.ink, "center", "top")

    def _name(self, box: Box, out: float) -> Words:
        left, bottom, wide, high = box
        if not self.upright:
            return Words(self.name, left + wide / 2.0, out, self.name_size, self.name_colour, "center", "top")
        place = out if self.name_at is None else left + self.name_at * wide
        va, middle = ("top" if self.beyond else "bottom"), bottom + high / 2.0
        return Words(self.name, place, middle, self.name_size, self.name_colour, "center", va, turned=True)  # type: ignore[arg-type]
