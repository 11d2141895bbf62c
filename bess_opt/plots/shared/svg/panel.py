"""A panel: what pictures call on matplotlib's axes, kept until the page is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import Colormap, Normalize, to_hex
from matplotlib.patches import Patch
from matplotlib.ticker import FixedFormatter, FixedLocator
from matplotlib.transforms import Affine2D, Transform, blended_transform_factory
from numpy.typing import ArrayLike, NDArray

from bess_opt.plots.shared.style import GRID_PT, TEXT_PT
from bess_opt.plots.shared.svg.axis import Axis, Box
from bess_opt.plots.shared.svg.letters import Words
from bess_opt.plots.shared.svg.marks import Mark, Points, dashes_of, mark_of
from bess_opt.plots.shared.svg.picture import Picture

if TYPE_CHECKING:
    from bess_opt.plots.shared.svg.page import SvgPage

MARGIN = 0.05  # of the data, beyond it
_ONE_VALUE = 1e-15  # of a value: data that spans less is a single value and gets room around it
_PADS = {"borderaxes": 0.5, "border": 0.4, "rows": 0.5, "text": 0.8}  # of a legend, in heights of its letters
_HANDLE = 1.5


class Spines:
    """The frame: left and lower line are drawn, the others never."""

    def __getitem__(self, names: Sequence[str]) -> Spines:
        return self

    def set_visible(self, shown: bool) -> None:
        """Nothing: the upper and the right line have no say here."""


class Panel:
    """One panel of an `SvgPage`, with the names that matplotlib gives to what it can do.

    What no picture of a report calls is not there, and fails with AttributeError.
    """

    def __init__(self, page: SvgPage, box: Box, *, beyond: bool = False) -> None:
        self.figure, self.box, self.ink = page, box, page.ink
        self.xaxis, self.yaxis = Axis(page.ink, upright=False), Axis(page.ink, upright=True, beyond=beyond)
        self.xaxis.room, self.yaxis.room = box[2], box[3]
        self.transAxes = Affine2D().scale(box[2], box[3]).translate(box[0], box[1])
        self.transData = Affine2D()
        self.spines, self.frame = Spines(), not beyond
        self.marks: list[Mark] = []
        self.pictures: list[Picture] = []
        self.words: list[tuple[tuple[float, float], Transform, dict[str, Any]]] = []
        self.heading: tuple[str, float, float] | None = None
        self.legend_entries: tuple[list[Mark], float, tuple[float, float], str] | None = None
        self.data = np.array([[np.inf, np.inf], [-np.inf, -np.inf]])
        self.sticky: tuple[list[float], list[float]] = ([], [])
        self.stated: list[tuple[float, float] | None] = [None, None]
        self.beside: list[tuple[Axis, Callable[[Any], Any]]] = []

    # ---- what stands around

    def get_figure(self, *, root: bool = True) -> SvgPage:  # noqa: ARG002 - as matplotlib has it
        """The page."""
        return self.figure

    def set_facecolor(self, colour: str) -> None:
        """Nothing: a panel has the colour of its page."""

    def set_axisbelow(self, below: bool) -> None:
        """Nothing: the grid is always below the data."""

    def xaxis_date(self, zone: Any) -> None:
        """Nothing: times come as numbers, with their names."""

    def set_title(self, text: str, *, loc: str, fontsize: float, fontweight: str, pad: float) -> None:  # noqa: ARG002
        """The heading, `pad` points above the left corner."""
        self.heading = (text, fontsize, pad)

    def set_xlabel(self, text: str, *, fontsize: float = TEXT_PT, color: str | None = None) -> None:
        """The name of the axis below."""
        self._name(self.xaxis, text, fontsize, color)

    def set_ylabel(self, text: str, *, fontsize: float = TEXT_PT, color: str | None = None) -> None:
        """The name of the axis at the left."""
        self._name(self.yaxis, text, fontsize, color)

    def _name(self, axis: Axis, text: str, size: float, colour: str | None) -> None:
        axis.name, axis.name_size, axis.name_colour = text, size, to_hex(colour or self.ink)

    def tick_params(self, axis: str = "both", which: str = "major", **said: Any) -> None:
        """Lengths and pads [pt], colours and size of ticks."""
        for one in self._axes(axis):
            one.ink, one.size = to_hex(said.get("colors", one.ink)), said.get("labelsize", one.size)
            for ticks in (one.major, one.minor) if which == "both" else (getattr(one, which),):
                ticks.length, ticks.pad = said.get("length", ticks.length), said.get("pad", ticks.pad)

    def grid(self, *, visible: bool, axis: str = "both", color: str | None = None, **_said: Any) -> None:
        """Lines at the marks, or none."""
        for one in self._axes(axis):
            one.grid_colour = to_hex(color or self.ink) if visible else None

    def _axes(self, name: str) -> tuple[Axis, ...]:
        return {"x": (self.xaxis,), "y": (self.yaxis,)}.get(name, (self.xaxis, self.yaxis))

    def set_xticks(self, places: ArrayLike, labels: list[str]) -> None:
        """Marks below, with what they say."""
        self._fix(self.xaxis, places, labels)

    def set_yticks(self, places: ArrayLike, labels: list[str]) -> None:
        """Marks at the left, with what they say."""
        self._fix(self.yaxis, places, labels)

    def _fix(self, axis: Axis, places: ArrayLike, labels: list[str]) -> None:
        axis.set_major_locator(FixedLocator(np.asarray(places, dtype=float).tolist()))
        axis.set_major_formatter(FixedFormatter(labels))

    def secondary_yaxis(self, side: str, functions: tuple[Callable[[Any], Any], Callable[[Any], Any]]) -> Panel:  # noqa: ARG002
        """An axis at the right for the same values in another unit: `functions` lead there and back."""
        right = Panel(self.figure, self.box, beyond=True)
        self.beside.append((right.yaxis, functions[0]))
        return right

    def inset_axes(self, bounds: tuple[float, float, float, float]) -> Panel:
        """A panel in coordinates of this one, its axis at the right."""
        left, bottom, wide, high = self.box
        x, y, w, h = bounds
        return self.figure.entered(
            Panel(self.figure, (left + x * wide, bottom + y * high, w * wide, h * high), beyond=True)
        )

    # ---- limits

    def set_xlim(self, left: float, right: float) -> None:
        """The values at both ends."""
        self.stated[0] = (float(left), float(right))

    def set_ylim(self, bottom: float | None = None, top: float | None = None) -> None:
        """The values at both ends; one that is left out is that of the data so far."""
        low, high = self.limits(1)
        self.stated[1] = (low if bottom is None else float(bottom), high if top is None else float(top))

    def limits(self, axis: int) -> tuple[float, float]:
        """The ends of x (0) or y (1): as stated, else the data's with a margin, none where bars stand."""
        stated, (low, high) = self.stated[axis], self.data[:, axis].tolist()
        if stated is not None:
            return stated
        if not low <= high:
            return 0.0, 1.0
        if high - low <= _ONE_VALUE * max(abs(low), abs(high)):
            low, high = low - MARGIN * (abs(low) or 1.0), high + MARGIN * (abs(high) or 1.0)
        sticky = [*self.sticky[axis], *(one for mark in self.marks if axis for one in mark.sticky)]
        below, above = (0.0 if end in sticky else MARGIN * (high - low) for end in (low, high))
        return low - below, high + above

    def update_datalim(self, points: Points) -> None:
        """The data reaches these points too."""
        known = points[np.isfinite(points).all(axis=1)]
        if len(known):
            self.data = np.array(
                [np.minimum(self.data[0], known.min(axis=0)), np.maximum(self.data[1], known.max(axis=0))]
            )

    def autoscale_view(self) -> None:
        """Nothing: limits are found when the page is written."""

    def get_xaxis_transform(self) -> Transform:
        """The data across, the panel upwards."""
        return blended_transform_factory(self.transData, self.transAxes)

    # ---- what is drawn

    def add_artist(self, patch: Patch) -> None:
        """A path of matplotlib."""
        self.marks.append(mark_of(patch, self.transData))

    def _line(self, x: ArrayLike, y: ArrayLike, transform: Transform | None, **look: Any) -> Mark:
        points = np.column_stack([np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)])
        if transform is None:
            self.update_datalim(points)
        mark = Mark(points, transform or self.transData, **look)
        self.marks.append(mark)
        return mark

    def plot(self, x: ArrayLike, y: ArrayLike, **said: Any) -> list[Mark]:
        """A line through points, or dots at them."""
        if said.get("drawstyle") == "steps-post":
            x, y = np.repeat(np.asarray(x), 2)[1:], np.repeat(np.asarray(y), 2)[:-1]
        style = said.get("linestyle", "-")
        look = {
            "edge": to_hex(said["color"]), "width": said.get("linewidth", 1.5) if style else 0.0,
            "dashes": dashes_of(style) if style else None, "clip": said.get("clip_on", True),
            "dots": said.get("markersize", 6.0) if said.get("marker") else 0.0, "label": said.get("label", ""),
            "zorder": said.get("zorder", 2.0), "cap": "square",
        }  # fmt: skip
        return [self._line(x, y, said.get("transform"), **look)]

    def step(self, x: ArrayLike, y: ArrayLike, *, where: str, **said: Any) -> list[Mark]:  # noqa: ARG002
        """A line that has each value up to its place."""
        return self.plot(np.repeat(np.asarray(x), 2)[:-1], np.repeat(np.asarray(y), 2)[1:], **said)

    def axhline(self, y: float, *, color: str, linewidth: float, linestyle: Any = "-", label: str = "") -> Mark:
        """A line across the panel."""
        across = blended_transform_factory(self.transAxes, self.transData)
        mark = self._across([[0.0, y], [1.0, y]], across, color, linewidth, linestyle)
        mark.set_label(label)
        self.data[:, 1] = min(self.data[0, 1], y), max(self.data[1, 1], y)
        return mark

    def axvline(self, x: float, *, color: str, linewidth: float, linestyle: Any = "-") -> None:
        """A line upwards through the panel."""
        self._across([[x, 0.0], [x, 1.0]], self.get_xaxis_transform(), color, linewidth, linestyle)
        self.data[:, 0] = min(self.data[0, 0], x), max(self.data[1, 0], x)

    def _across(self, ends: list[list[float]], way: Transform, color: str, linewidth: float, linestyle: Any) -> Mark:
        look = {"edge": to_hex(color), "width": linewidth, "dashes": dashes_of(linestyle), "zorder": 2.0}
        self.marks.append(Mark(np.array(ends), way, **look))  # type: ignore[arg-type]
        return self.marks[-1]

    def axvspan(
        self, first: float, last: float, *, facecolor: str, alpha: float, zorder: float, **_said: Any
    ) -> None:
        """A band of the panel's height."""
        corners = np.array([[first, 0.0], [last, 0.0], [last, 1.0], [first, 1.0]])
        self.marks.append(
            Mark(corners, self.get_xaxis_transform(), face=to_hex(facecolor), alpha=alpha, zorder=zorder)
        )

    def fill_between(self, x: ArrayLike, low: ArrayLike, high: ArrayLike | None = None, **said: Any) -> Mark:
        """The area between two lines, or one and zero."""
        x, one = np.asarray(x, dtype=np.float64), np.asarray(low, dtype=np.float64)
        other = np.zeros(len(x)) if high is None else np.asarray(high, dtype=np.float64)
        if said.get("step") == "post":
            x, one, other = np.repeat(x, 2)[1:], np.repeat(one, 2)[:-1], np.repeat(other, 2)[:-1]
        colour, edge = said["facecolor" if "facecolor" in said else "color"], said.get("edgecolor", "none")
        return self._line(
            np.concatenate([x, x[::-1]]), np.concatenate([one, other[::-1]]), None, face=to_hex(colour),
            edge=None if edge == "none" else to_hex(edge), width=said.get("linewidth", 1.0),
            alpha=said.get("alpha", 1.0), hatch=said.get("hatch") or "", label=said.get("label", ""),
        )  # fmt: skip

    def barh(self, places: ArrayLike, values: ArrayLike, *, color: Sequence[str], height: float) -> None:
        """Lying bars from zero, a colour each."""
        for place, value, colour in zip(np.asarray(places), np.asarray(values), color, strict=True):
            low, high = float(place) - height / 2.0, float(place) + height / 2.0
            self._line([0.0, value, value, 0.0], [low, low, high, high], None, face=to_hex(colour))
        self.sticky[0].append(0.0)

    def imshow(
        self, grid: NDArray[np.float64], *, cmap: Colormap, norm: Normalize, extent: Any, **_said: Any
    ) -> Picture:
        """A grid of colours, its lowest row first."""
        picture = Picture(grid, cmap, norm, tuple(float(end) for end in extent))  # type: ignore[arg-type]
        self.pictures.append(picture)
        self.set_xlim(*picture.extent[:2])
        self.set_ylim(*picture.extent[2:])
        return picture

    def text(self, x: float, y: float, text: str, *, transform: Transform | None = None, **said: Any) -> None:
        """Words in the panel."""
        self._say((x, y), transform or self.transData, (0.0, 0.0), text, said)

    def annotate(self, text: str, xy: tuple[float, float], *, xytext: tuple[float, float], **said: Any) -> None:
        """Words `xytext` points away from a place of the data."""
        self._say(xy, self.transData, xytext, text, said)

    def _say(self, at: tuple[float, float], way: Transform, off: tuple[float, float], text: str, said: Any) -> None:
        look = {"text": text, "off": off, "size": said["fontsize"], "colour": to_hex(said["color"])}
        self.words.append((at, way, look | {"ha": said.get("ha", "left"), "va": said.get("va", "baseline")}))

    def legend(
        self,
        *,
        handles: list[Any],
        bbox_to_anchor: tuple[float, float],
        fontsize: float,
        labelcolor: str,
        **_said: Any,
    ) -> None:
        """What marks mean, from the upper left corner at `bbox_to_anchor` in widths and heights of the panel."""
        marks = [mark_of(one, self.transData) if isinstance(one, Patch) else one for one in handles]
        self.legend_entries = (marks, fontsize, bbox_to_anchor, to_hex(labelcolor))

    # ---- writing

    def svg(self, prefix: str, hatches: dict[str, str], used: set[tuple[str, bool]]) -> str:
        """The panel as SVG; patterns and letters that it needs are entered."""
        tall, (left, bottom, wide, high) = self.figure.height, self.box
        (x0, x1), (y0, y1) = self.limits(0), self.limits(1)
        across, up = wide / (x1 - x0), high / (y1 - y0)
        self.transData.set_matrix(
            np.array([[across, 0.0, left - x0 * across], [0.0, up, bottom - y0 * up], [0.0, 0.0, 1.0]])
        )
        self.xaxis.view, self.yaxis.view = (x0, x1), (y0, y1)
        places = (lambda x: left + (x - x0) * across), (lambda y: bottom + (y - y0) * up)
        clip = f"{prefix}-clip"
        frame = f'x="{left:.2f}" y="{tall - bottom - high:.2f}" width="{wide:.2f}" height="{high:.2f}"'
        parts = [f'<defs><clipPath id="{clip}"><rect {frame}/></clipPath></defs>']
        parts += [picture.svg(self._over(picture), tall) for picture in self.pictures]
        parts += [axis.lines(self.box, at, tall) for axis, at in zip((self.xaxis, self.yaxis), places, strict=True)]
        for mark in sorted(self.marks, key=lambda one: one.zorder):
            drawn = mark.svg(prefix, tall, self.box, hatches)
            parts.append(f'<g clip-path="url(#{clip})">{drawn}</g>' if mark.clip else drawn)
        words: list[Words] = self._spoken()
        for axis, at in zip((self.xaxis, self.yaxis), places, strict=True):
            drawn, said = axis.beside(self.box, at, tall)
            parts, words = [*parts, drawn], [*words, *said]
        for axis, scaled in self.beside:
            drawn, said = self._second(axis, scaled, (y0, y1))
            parts, words = [*parts, drawn], [*words, *said]
        if self.frame:
            corner = f"M{left:.2f} {tall - bottom - high:.2f}v{high:.2f}h{wide:.2f}"
            look = f"fill: none; stroke: {self.ink}; stroke-width: {GRID_PT:g}; stroke-linecap: square"
            parts.append(f'<path d="{corner}" style="{look}"/>')
        if self.legend_entries is not None:
            drawn, said = self._legend(prefix, hatches)
            parts, words = [*parts, drawn], [*words, *said]
        return "".join([*parts, *(one.svg(self.figure.prefix, tall, used) for one in words)])

    def _over(self, picture: Picture) -> Box:
        first, last = self.transData.transform([picture.extent[::2], picture.extent[1::2]])
        return float(first[0]), float(first[1]), float(last[0] - first[0]), float(last[1] - first[1])

    def _second(self, axis: Axis, scaled: Callable[[Any], Any], view: tuple[float, float]) -> tuple[str, list[Words]]:
        """An axis at the right, with a line of its own."""
        left, bottom, wide, high = self.box
        low, top = (float(scaled(end)) for end in view)
        axis.view = (low, top)
        drawn, said = axis.beside(
            self.box, lambda value: bottom + (value - low) / (top - low) * high, self.figure.height
        )
        line = f"M{left + wide:.2f} {self.figure.height - bottom:.2f}v{-high:.2f}"
        return f'{drawn}<path d="{line}" style="fill: none; stroke: {self.ink}; stroke-width: {GRID_PT:g}"/>', said

    def _spoken(self) -> list[Words]:
        left, bottom, _, high = self.box
        found = []
        if self.heading is not None and self.heading[0]:
            text, size, pad = self.heading
            found.append(Words(text, left, bottom + high + pad, size, self.ink, bold=True))
        for at, way, look in self.words:
            x, y = way.transform(at).tolist()
            off = look["off"]
            rest = {key: value for key, value in look.items() if key != "off"}
            found.append(Words(x=x + off[0], y=y + off[1], **rest))
        return found

    def _legend(self, prefix: str, hatches: dict[str, str]) -> tuple[str, list[Words]]:
        marks, size, anchor, colour = self.legend_entries or ([], TEXT_PT, (0.0, 0.0), self.ink)
        left, bottom, wide, high = self.box
        pad = (_PADS["borderaxes"] + _PADS["border"]) * size
        x, y = left + anchor[0] * wide + pad, bottom + anchor[1] * high - pad
        parts, words = [], []
        for mark in marks:
            name = Words(mark.label, x + (_HANDLE + _PADS["text"]) * size, y, size, colour, va="top")
            base = y - name.rise
            parts.append(mark.swatch(prefix, self.figure.height, (x, base), size, hatches))
            words.append(name)
            y -= name.height + _PADS["rows"] * size
        return "".join(parts), words
