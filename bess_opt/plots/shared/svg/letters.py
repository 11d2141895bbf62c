"""Letters as outlines: each is taken from the font once, and words are put together from them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from html import escape
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.path import Path
from matplotlib.textpath import text_to_path
from numpy.typing import NDArray

Horizontal = Literal["left", "center", "right"]
Vertical = Literal["top", "center", "center_baseline", "baseline", "bottom"]
# Of DejaVu Sans, for matplotlib up to 3.10, which does not read the end of its table.
TYPOGRAPHIC = {"sTypoAscender": 1556, "sTypoDescender": -492, "sTypoLineGap": 410}
EM = 100.0  # of an outline, units of its coordinates
_BETWEEN = " "  # what stands after the last letter: nothing draws nearer to it
MOST_PAIRS = 4096  # of letters, whose distance is remembered
_PAIRS: dict[tuple[str, str, bool], float] = {}
_POINT = "%.2f %.2f"
_STEPS = {
    int(Path.MOVETO): (f"M{_POINT}", 1), int(Path.LINETO): (f"L{_POINT}", 1), int(Path.CLOSEPOLY): ("Z", 1),
    int(Path.CURVE3): (f"Q{_POINT} {_POINT}", 2), int(Path.CURVE4): (f"C{_POINT} {_POINT} {_POINT}", 3),
}  # fmt: skip
_STRAIGHT = {kind: step for kind, (step, count) in _STEPS.items() if count == 1}


@dataclass(frozen=True)
class Words:
    """Lines of text at a point: `x` and `y` in points from the lower left corner, `turned` reads upwards."""

    text: str
    x: float
    y: float
    size: float
    colour: str
    ha: Horizontal = "left"
    va: Vertical = "baseline"
    bold: bool = False
    turned: bool = False

    @property
    def width(self) -> float:
        """Of the longest line [pt]."""
        return max(line_width(line, self.bold) for line in self.text.split("\n")) * self.size / EM

    @property
    def height(self) -> float:
        """Of all lines [pt]."""
        lines = self.text.count("\n") + 1
        return sum(_line(lines)) * self.size * lines

    @property
    def rise(self) -> float:
        """From the base of the first line to the top [pt]."""
        return _line(self.text.count("\n") + 1)[0] * self.size

    def svg(self, prefix: str, height: float, used: set[tuple[str, bool]]) -> str:
        """The letters as references on a page of `height` [pt]; those that are `used` are entered."""
        lines = self.text.split("\n")
        above, below = (part * self.size for part in _line(len(lines)))
        whole = (above + below) * len(lines)
        tops: dict[Vertical, float] = {
            "top": 0.0, "center": whole / 2.0, "center_baseline": (whole - below) / 2.0, "baseline": whole - below,
            "bottom": whole,
        }  # fmt: skip
        scale, parts = self.size / EM, []
        for place, line in enumerate(lines):
            left = {"left": 0.0, "center": 0.5, "right": 1.0}[self.ha] * line_width(line, self.bold) * scale
            down = place * (above + below) + above - tops[self.va]
            across, up = (down, -left) if self.turned else (-left, -down)
            turn = " rotate(-90)" if self.turned else ""
            at = f"translate({self.x + across:.2f} {height - self.y - up:.2f}){turn} scale({scale:.5g} {-scale:.5g})"
            parts.append(f"<!-- {escape(line, quote=False).replace('--', '- -')} -->")
            parts.append(f'<g style="fill: {self.colour}" transform="{at}">{_line_svg(line, self.bold, prefix)}</g>')
            used |= {(letter, self.bold) for letter in line}
        return "".join(parts)


def outlines_svg(prefix: str, used: set[tuple[str, bool]]) -> str:
    """The outlines that `Words.svg` refers to."""
    drawn = [f'<path id="{_name(prefix, *one)}" d="{_outline(*one)}"/>' for one in sorted(used)]
    return f"<defs>{''.join(drawn)}</defs>"


def line_width(line: str, bold: bool) -> float:
    """How far a line runs [1/100 em]."""
    return sum(_advances(line, bold))


def _line_svg(line: str, bold: bool, prefix: str) -> str:
    at, parts = 0.0, []
    for letter, advance in zip(line, _advances(line, bold), strict=True):
        if not letter.isspace():
            parts.append(f'<use xlink:href="#{_name(prefix, letter, bold)}" x="{at:.1f}"/>')
        at += advance
    return "".join(parts)


def _name(prefix: str, letter: str, bold: bool) -> str:
    return f"{prefix}-{'b' if bold else 'n'}{ord(letter):x}"


@lru_cache
def _line(lines: int) -> tuple[float, float]:
    """How far one of `lines` lines reaches above and below its base [em]."""
    font = get_font(_file(False))
    head, table = font.get_sfnt_table("head"), font.get_sfnt_table("OS/2")
    if head is None or table is None:
        raise ValueError("the font of the pictures has no table of its own size; install matplotlib anew")
    em = float(head["unitsPerEm"])
    size: dict[str, Any] = {**TYPOGRAPHIC, **table}
    gap = size["sTypoLineGap"] / em / 2.0 if lines > 1 else 0.0
    return size["sTypoAscender"] / em + gap, -size["sTypoDescender"] / em + gap


@lru_cache
def _file(bold: bool) -> str:
    return findfont(FontProperties(family="DejaVu Sans", weight="bold" if bold else "normal"))


def _laid(text: str, bold: bool) -> tuple[list[float], list[tuple[NDArray[np.float64], NDArray[np.uint8]]]]:
    """Where the letters of `text` stand and their outlines, [1/100 em]."""
    font = get_font(_file(bold))
    font.set_size(EM, 72.0)
    placed, outlines, _ = text_to_path.get_glyphs_with_font(font, text)
    return [float(one[1]) for one in placed], [outlines[one[0]] for one in placed]


@lru_cache(maxsize=4096)
def _advances(line: str, bold: bool) -> tuple[float, ...]:
    """From where each letter of a line stands to where the next one does [1/100 em].

    Several pairs that no line has had are laid out with the line at once, unless letters share a shape.
    """
    pairs = [(*pair, bold) for pair in zip(line, line[1:] + _BETWEEN, strict=True)]
    known = [_PAIRS.get(pair) for pair in pairs]
    if known.count(None) > 1:
        places = _laid(line + _BETWEEN, bold)[0]
        if len(places) == len(line) + 1:
            known = [right - left for left, right in pairwise(places)]
    found = tuple(_advance(*pair) if one is None else one for pair, one in zip(pairs, known, strict=True))
    if len(_PAIRS) > MOST_PAIRS:
        _PAIRS.clear()
    _PAIRS.update(zip(pairs, found, strict=True))
    return found


def _advance(letter: str, after: str, bold: bool) -> float:
    """From where `letter` stands to where `after` does [1/100 em]."""
    places = _laid(letter + after, bold)[0]
    if len(places) == 2:
        return places[1] - places[0]
    return 0.0 if after == _BETWEEN else _advance(letter, _BETWEEN, bold)  # one shape for the two: set them apart


@lru_cache(maxsize=1024)
def _outline(letter: str, bold: bool) -> str:
    """A letter as path data."""
    return "".join(path_data(vertices, codes) for vertices, codes in _laid(letter, bold)[1])


def path_data(vertices: NDArray[np.float64], codes: NDArray[np.uint8]) -> str:
    """Vertices and matplotlib's codes as the data of a path, as far as a code says stop."""
    kinds = codes.tolist()
    kinds = kinds[: kinds.index(Path.STOP)] if Path.STOP in kinds else kinds
    held = np.asarray(kinds) != Path.CLOSEPOLY
    return _steps_of(kinds) % tuple(vertices[: len(kinds)][held].ravel().tolist())


def _steps_of(kinds: list[int]) -> str:
    """The steps of a path, a place for each coordinate; most are straight lines of thousands of points."""
    if _STRAIGHT.keys() >= set(kinds):
        return "".join(map(_STRAIGHT.__getitem__, kinds))
    steps, place = [], 0
    while place < len(kinds):
        step, count = _STEPS[kinds[place]]
        steps.append(step)
        place += count
    return "".join(steps)
