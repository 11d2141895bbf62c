"""What is drawn in a panel: paths with a line, a face and a label for the legend."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from matplotlib.colors import to_hex
from matplotlib.patches import Patch
from matplotlib.path import Path
from matplotlib.transforms import Transform
from numpy.typing import NDArray

from bess_opt.plots.shared.svg.letters import path_data

Points = NDArray[np.float64]
Dashes = tuple[float, ...] | None
_NAMED: dict[str, Dashes] = {
    "solid": None, "-": None, "dashed": (3.7, 1.6), "--": (3.7, 1.6), "dotted": (1.0, 1.65), ":": (1.0, 1.65),
    "dashdot": (6.4, 1.6, 1.0, 1.6), "-.": (6.4, 1.6, 1.0, 1.6),
}  # fmt: skip
_HATCH_IN, _HATCH_LINES, _HATCH_PT = 72.0, 6, 1.2  # matplotlib's: a square of an inch has 6 lines a letter


@dataclass
class Mark:
    """A path in coordinates of `transform`, with what it looks like; lengths in points."""

    vertices: Points
    transform: Transform
    codes: NDArray[np.uint8] | None = None
    face: str | None = None
    edge: str | None = None
    width: float = 1.0
    dashes: Dashes = None
    alpha: float = 1.0
    hatch: str = ""
    clip: bool = True
    zorder: float = 1.0
    label: str = ""
    cap: str = "butt"
    dots: float = 0.0
    sticky: list[float] = field(default_factory=list)

    def set_label(self, text: str) -> None:
        """What a legend says."""
        self.label = text

    def set_solid_capstyle(self, cap: Literal["butt", "round", "projecting"]) -> None:
        """How a line ends."""
        self.cap = {"projecting": "square"}.get(cap, cap)

    def svg(self, prefix: str, height: float, box: tuple[float, float, float, float], hatches: dict[str, str]) -> str:
        """The mark on a page of `height` [pt]; `box` is the panel, `hatches` collects patterns by their name."""
        path = Path(self.vertices, self.codes, closed=False)
        x, y, wide, high = box
        room = (x - 5.0, y - 5.0, x + wide + 5.0, y + high + 5.0) if self.clip and self.face is None else None
        drawn = path.cleaned(self.transform, clip=room, simplify=self.codes is None)
        points = np.asarray(drawn.vertices, dtype=np.float64) * (1.0, -1.0) + (0.0, height)
        parts = []
        if self.face is not None or self.edge is not None:
            data = path_data(points, np.asarray(drawn.codes, dtype=np.uint8))
            parts.append(f'<path d="{data}" style="{self._style(prefix, hatches)}"/>')
        if self.dots:
            centres = self.transform.transform(self.vertices)
            parts += [self._dot(across, height - up) for across, up in centres.tolist()]
        return "".join(parts)

    def swatch(
        self, prefix: str, height: float, at: tuple[float, float], size: float, hatches: dict[str, str]
    ) -> str:
        """The mark beside its name in a legend: `at` is the left end of the base of a letter, `size` its height."""
        (x, y), wide, high = at, 1.5 * size, 0.7 * size
        if self.face is not None:
            place = f'x="{x:.2f}" y="{height - y - high:.2f}" width="{wide:.2f}" height="{high:.2f}"'
            return f'<rect {place} style="{self._style(prefix, hatches)}"/>'
        middle = height - y - high / 2.0
        if self.dots:
            return self._dot(x + wide / 2.0, middle)
        return f'<path d="M{x:.2f} {middle:.2f}H{x + wide:.2f}" style="{self._style(prefix, hatches)}"/>'

    def _dot(self, x: float, y: float) -> str:
        return f'<circle cx="{x:.2f}" cy="{y:.2f}" r="{self.dots / 2.0:.2f}" style="fill: {self.edge}"/>'

    def _style(self, prefix: str, hatches: dict[str, str]) -> str:
        said = [f"fill: {self._fill(prefix, hatches)}"]
        if self.edge is not None and self.width > 0.0:
            said.append(f"stroke: {self.edge}; stroke-width: {self.width:g}; stroke-linejoin: round")
            said.append(f"stroke-linecap: {'butt' if self.dashes else self.cap}")
            if self.dashes:
                said.append(f"stroke-dasharray: {' '.join(f'{one * self.width:.2f}' for one in self.dashes)}")
        if self.alpha < 1.0:
            said.append(f"opacity: {self.alpha:g}")
        return "; ".join(said)

    def _fill(self, prefix: str, hatches: dict[str, str]) -> str:
        if self.face is None:
            return "none"
        if not self.hatch:
            return self.face
        name = f"{prefix}-h{len(hatches)}"
        drawn = _hatch_svg(self.hatch, self.face, self.edge or self.face)
        known = {pattern: own for own, pattern in hatches.items()}
        if drawn in known:
            return f"url(#{known[drawn]})"
        hatches[name] = drawn
        return f"url(#{name})"


def _hatch_svg(hatch: str, face: str, edge: str) -> str:
    """What stands in a pattern: lines to the right for "/", to the left for "\\", both for "x", upright and level
    ones for "+", dots for "."; closer for each further letter.
    """
    wide = 2.0 * _HATCH_IN / (_HATCH_LINES * len(hatch))
    up = f"M{-wide / 4:.2f} {wide / 4:.2f}L{wide / 4:.2f} {-wide / 4:.2f}M0 {wide:.2f}L{wide:.2f} 0"
    up += f"M{0.75 * wide:.2f} {1.25 * wide:.2f}L{1.25 * wide:.2f} {0.75 * wide:.2f}"
    down = f"M0 0L{wide:.2f} {wide:.2f}M{-wide / 4:.2f} {0.75 * wide:.2f}L{wide / 4:.2f} {1.25 * wide:.2f}"
    down += f"M{0.75 * wide:.2f} {-wide / 4:.2f}L{1.25 * wide:.2f} {wide / 4:.2f}"
    half = wide / 2.0
    level = f"M0 {half:.2f}H{wide:.2f}M{half:.2f} 0V{wide:.2f}"
    dots = "".join(f"M{x:.2f} {y:.2f}h0.01" for x, y in ((half / 2.0, half / 2.0), (1.5 * half, 1.5 * half)))
    drawn = {"/": up, "\\": down, "x": up + down, "+": level, ".": dots}
    lines = "".join(drawn[letter] for letter in dict.fromkeys(hatch))
    size = f'width="{wide:.2f}" height="{wide:.2f}"'
    stroke = f"fill: none; stroke: {edge}; stroke-width: {(2.5 if '.' in hatch else 1.0) * _HATCH_PT:g}"
    stroke += "; stroke-linecap: round" if "." in hatch else ""
    return f'{size}><rect {size} style="fill: {face}"/><path d="{lines}" style="{stroke}"/>'


def dashes_of(style: Any) -> Dashes:
    """Lengths of dashes and gaps in widths of the line, of a style as matplotlib names it."""
    return _NAMED[style] if isinstance(style, str) else tuple(float(one) for one in style[1])


def mark_of(patch: Patch, data: Transform) -> Mark:
    """A patch of matplotlib as a mark; one without a transform of its own is in coordinates of the `data`."""
    path, edge = patch.get_path(), patch.get_edgecolor()
    style = patch.get_linestyle()
    return Mark(
        np.asarray(path.vertices, dtype=np.float64),
        patch.get_transform() if patch.is_transform_set() else data,
        codes=None if path.codes is None else np.asarray(path.codes, dtype=np.uint8),
        face=_colour(patch.get_facecolor()),
        edge=_colour(edge) if patch.get_linewidth() > 0.0 else None,
        width=float(patch.get_linewidth()),
        dashes=dashes_of(style),
        alpha=float(patch.get_alpha() or 1.0),
        clip=patch.get_clip_on(),
        zorder=float(patch.get_zorder()),
        label=str(patch.get_label()),
        sticky=patch.sticky_edges.y,
    )


def _colour(rgba: Any) -> str | None:
    return None if rgba[3] == 0.0 else to_hex(rgba)
