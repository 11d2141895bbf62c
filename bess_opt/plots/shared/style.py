"""The look of every figure: one meaning per colour, two themes, letters that survive half size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal

import matplotlib as mpl
import matplotlib.style as mpl_style
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, LinearSegmentedColormap, to_hex, to_rgb, to_rgba
from matplotlib.ticker import Formatter

ThemeName = Literal["light", "dark"]

TITLE_PT, HEADING_PT, TEXT_PT, TICK_PT, LINE_PT, GRID_PT = 17.0, 13.5, 12.5, 11.5, 1.8, 0.8


@dataclass(frozen=True)
class Theme:
    """Paper, ink and one colour per meaning, after Okabe and Ito so that they differ for all eyes.

    `missing` is where there is no data.
    """

    paper: str
    ink: str
    faint: str
    missing: str
    solar: str
    charge: str
    discharge: str
    imported: str
    exported: str
    load: str
    curtailed: str
    unserved: str
    price: str
    soc: str

    @property
    def diverging(self) -> Colormap:
        """Charge, nothing, discharge: the two ends in the colours they have everywhere else, fading to the paper.

        Zero is clear, not white: a picture that follows the reader's scheme has dark paper under it.
        """
        ends = (
            (0.0, self.charge, 1.0),
            (0.5, self.charge, 0.0),
            (0.5, self.discharge, 0.0),
            (1.0, self.discharge, 1.0),
        )
        stops = [(place, to_rgba(colour, share)) for place, colour, share in ends]
        return LinearSegmentedColormap.from_list("battery", stops).with_extremes(bad=self.missing)

    @property
    def sequential(self) -> Colormap:
        """Colours from low to high values, apart in brightness for grey print and colour-blind eyes."""
        return mpl.colormaps["cividis"].with_extremes(bad=self.missing)


LIGHT = Theme(
    paper="#FFFFFF",
    ink="#1B1F24",
    faint="#D5D9DE",
    missing="#B8BDC4",
    solar="#F3D43B",
    charge="#D55E00",
    discharge="#0072B2",
    imported="#CC79A7",
    exported="#009E73",
    load="#1B1F24",
    curtailed="#7A828C",
    unserved="#A50026",
    price="#6A4A9C",
    soc="#0072B2",
)

DARK = Theme(
    paper="#14181D",
    ink="#E8EBEE",
    faint="#343B44",
    missing="#5A626C",
    solar="#F0DC55",
    charge="#F0803C",
    discharge="#4AA8E0",
    imported="#DB93BC",
    exported="#2CC295",
    load="#E8EBEE",
    curtailed="#9AA3AE",
    unserved="#FF5A6E",
    price="#B79BEA",
    soc="#4AA8E0",
)


_DRAWN_IN: ContextVar[Theme | None] = ContextVar("drawn_in", default=None)


def theme_of(name: str) -> Theme:
    """The theme of that name, or a ValueError that lists the names."""
    themes: dict[str, Theme] = {"light": LIGHT, "dark": DARK}
    if name not in themes:
        raise ValueError(f'theme "{name}" is unknown; known are {", ".join(themes)}')
    return themes[name]


def paler(colour: str, theme: Theme, share: float) -> str:
    """`share` of a colour on the theme's paper, opaque: a transparent hatch loses its lines in SVG."""
    red, green, blue = (
        share * c + (1.0 - share) * p for c, p in zip(to_rgb(colour), to_rgb(theme.paper), strict=True)
    )
    return to_hex((red, green, blue))


def tones(colour: str, theme: Theme, count: int) -> list[str]:
    """`count` tones of one colour for things of one kind, the first the colour itself, apart in brightness."""
    return [colour, *(paler(colour, theme, 1.0 - 0.55 * place / (count - 1)) for place in range(1, count))]


@contextmanager
def drawing(theme: Theme) -> Iterator[None]:
    """Settings while artists are made, on the library's defaults: a user's matplotlibrc changes nothing.

    Panels state them again for callers of their own: within the same theme nothing is set twice.
    """
    if _DRAWN_IN.get() is theme:
        yield
        return
    look = {
        "font.family": "DejaVu Sans",
        "font.size": TEXT_PT,
        "text.color": theme.ink,
        "axes.labelcolor": theme.ink,
        "axes.edgecolor": theme.ink,
        "hatch.linewidth": 1.2,
        "text.parse_math": False,  # a name or currency with dollar signs is text
        "figure.facecolor": theme.paper,
        "axes.titley": 1.0,  # stated, so that no panel measures all its labels to place its heading
    }
    with mpl_style.context(["default", look]):
        token = _DRAWN_IN.set(theme)
        try:
            yield
        finally:
            _DRAWN_IN.reset(token)


class PlainNumbers(Formatter):
    """Numbers on an axis as people write them: thousands apart, all with the same decimals, a true minus."""

    def __call__(self, value: float, pos: int | None = None) -> str:  # noqa: ARG002 - matplotlib passes it
        """A number by itself, as the cursor shows it."""
        return _written(value, _decimals(value))

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        """The numbers of an axis, with the decimals of the finest."""
        most = max((_decimals(value) for value in values), default=0)
        return [_written(value, most) for value in values]


def _decimals(value: float) -> int:
    return len(f"{value:.8f}".rstrip("0").partition(".")[2])


def _written(value: float, decimals: int) -> str:
    return f"{value + 0.0:,.{decimals}f}".replace("-", "\N{MINUS SIGN}")


def dress(axes: Axes, theme: Theme, *, grid: bool = True) -> None:
    """Paper, numbers, ticks and grid, stated on the axes: ticks are made when drawn and would miss the theme."""
    axes.set_facecolor(theme.paper)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PlainNumbers())
    axes.tick_params(
        which="both", colors=theme.ink, labelcolor=theme.ink, labelsize=TICK_PT, labelfontfamily="DejaVu Sans"
    )
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_axisbelow(True)
    if grid:
        axes.grid(visible=True, which="major", color=theme.faint, linewidth=GRID_PT)


def heading(axes: Axes, text: str, *, pad: float = 9.0) -> None:
    """A panel's heading, `pad` points above its left corner."""
    axes.set_title(text, loc="left", fontsize=HEADING_PT, fontweight="bold", pad=pad)
