"""The ladder from nothing to the optimum as a picture, with the gap by day and by hour of the day.

Made as the figures of `bess_opt.plots` are: plain data in, no pyplot, the same input gives the same picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

from bess_opt.gap import Gap
from bess_opt.plots import BESIDE, LEFT_IN, RIGHT_IN, WIDTH_IN, NotebookFigure
from bess_opt.style import TEXT_PT, TITLE_PT, Theme, drawing, dress, heading, theme_of

RUNG_IN, BARS_IN, HEAD_IN, SPACE_IN, FOOT_IN = 0.48, 2.6, 0.95, 1.05, 0.75
LONG_DAYS = 45  # days beyond which their axis shows months
SHOWN = 6  # causes with a colour of their own; the rest is "other"
OTHER = "other"


@dataclass(frozen=True)
class _Panel:
    """A panel of the page and what its heading says."""

    height_in: float
    text: str


def ladder_figure(
    table: pd.DataFrame,
    gaps: Mapping[str, Gap],
    *,
    title: str = "",
    currency: str = "EUR",
    theme: str = "light",
) -> Figure:
    """Bars of the scores per strategy and rung; for a single strategy its gap by day and by hour below.

    `table` is `Comparison.table`. Beside each bar stands its score, beside the rule's and those of
    forecasts the share of the possible gain that they capture.
    """
    look = theme_of(theme)
    labels = list(dict.fromkeys(table.index.get_level_values("strategy")))
    names = table.index.get_level_values("strategy")
    ladders = {label: table[names == label].droplevel("strategy") for label in labels}
    split = gaps.get(labels[0]) if len(labels) == 1 else None
    shown = None if split is None or split.table.empty else split
    panels = [_Panel(RUNG_IN * len(part), _ladder_text(label, part, currency)) for label, part in ladders.items()]
    if shown is not None:
        panels += [_Panel(BARS_IN, f"Where the rule loses {_figure(shown.objective)} of the objective, by local day")]
        panels += [_Panel(BARS_IN, "The same by local hour of the day")]
    with drawing(look):
        page, axes = _page(panels, title, look)
        for place, part in zip(axes, ladders.values(), strict=False):
            _draw_ladder(place, part, look)
        if shown is not None:
            _draw_days(axes[-2], shown, look)
            _draw_hours(axes[-1], shown, look)
    return page


def _page(panels: list[_Panel], title: str, look: Theme) -> tuple[Figure, list[Axes]]:
    """A figure with one empty panel each, from the top down, and room for legends at the right."""
    tops = np.cumsum([HEAD_IN] + [panel.height_in + SPACE_IN for panel in panels])
    height = float(tops[-1]) - SPACE_IN + FOOT_IN
    page = NotebookFigure(figsize=(WIDTH_IN, height), facecolor=look.paper)
    if title:
        place = (LEFT_IN / WIDTH_IN, 1 - 0.2 / height)
        page.text(*place, title, fontsize=TITLE_PT, fontweight="bold", va="top", color=look.ink)
    width = (WIDTH_IN - LEFT_IN - RIGHT_IN) / WIDTH_IN
    axes = []
    for top, panel in zip(tops, panels, strict=False):
        bottom = 1.0 - (float(top) + panel.height_in) / height
        one = page.add_axes((LEFT_IN / WIDTH_IN, bottom, width, panel.height_in / height))
        dress(one, look)
        heading(one, panel.text)
        axes.append(one)
    return page, axes


def _figure(value: float) -> str:
    """A number as people write it, four digits or all before the point."""
    return f"{value:,.0f}" if abs(value) >= 1000.0 else f"{value:.4g}"


def _unit(table: pd.DataFrame, currency: str) -> str:
    return str(table["score_unit"].iloc[0]).replace("currency", currency)


def _ladder_text(label: str, part: pd.DataFrame, currency: str) -> str:
    better = "more" if part["score_sense"].iloc[0] == "max" else "less"
    text = f"{label}: score [{_unit(part, currency)}], {better} is better"
    if not {"forecast-driven", "perfect forecast"} <= set(part.index):
        return text
    scores = part["score"].astype(float).to_dict()
    worth = scores["perfect forecast"] - scores["forecast-driven"]
    return f"{text}; worth of a perfect forecast {_figure(worth if better == 'more' else -worth)}"


def _draw_ladder(axes: Axes, part: pd.DataFrame, look: Theme) -> None:
    """One bar per rung, the lowest rung at the bottom."""
    scores = part["score"].to_numpy(dtype=float)
    colours = [look.discharge if str(rung).startswith("optimal") else look.curtailed for rung in part.index]
    own = {"rule": look.charge, "forecast-driven": look.price, "perfect forecast": look.price}
    colours = [own.get(str(rung), c) for rung, c in zip(part.index, colours, strict=True)]
    places = np.arange(len(part))
    axes.barh(places, scores, color=colours, height=0.62)
    axes.axvline(0.0, color=look.ink, linewidth=0.8)
    axes.set_yticks(places, [_wrapped(str(rung)) for rung in part.index])
    axes.set_ylim(-0.6, len(part) - 0.4)
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    axes.xaxis.set_major_locator(MaxNLocator(7))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _figure(value)))
    for place, (rung, row) in enumerate(part.iterrows()):
        text = _figure(row["score"])
        if rung in own and np.isfinite(row["captured"]):
            text += f", {row['captured']:.0%} of the possible gain"
        _beside(axes, float(row["score"]), place, text, look, float(np.abs(scores).max()))


def _wrapped(rung: str) -> str:
    for part in ("optimal at ", "forecast-", "perfect "):
        rung = rung.replace(part, f"{part.rstrip()}\n")
    return rung


def _beside(axes: Axes, score: float, place: int, text: str, look: Theme, longest: float) -> None:
    """The text in a long bar's end, beside a short one."""
    inside = abs(score) > 0.5 * longest
    left = (score < 0.0) != inside
    axes.annotate(
        text,
        (score, place),
        xytext=(-6 if left else 6, 0),
        textcoords="offset points",
        ha="right" if left else "left",
        va="center",
        fontsize=TEXT_PT,
        color=look.paper if inside else look.ink,
    )


def _draw_days(axes: Axes, split: Gap, look: Theme) -> None:
    by_day = split.by_day()
    days = pd.DatetimeIndex(by_day.index)
    _stack(axes, np.arange(len(days)) + 0.5, by_day, split, look)
    axes.set_xlim(0.0, len(days))
    every = 1 + len(days) // 12
    named = np.flatnonzero(days.day == 1) if len(days) > LONG_DAYS else np.arange(0, len(days), every)
    form = "%b" if len(days) > LONG_DAYS else "%d %b"
    middle = 0.0 if len(days) > LONG_DAYS else 0.5
    axes.set_xticks(named + middle, [day.strftime(form) for day in days[named]])
    axes.set_xlabel(f"local date, from {days[0]:%Y-%m-%d} to {days[-1]:%Y-%m-%d}", fontsize=TEXT_PT)
    _legend(axes, look)


def _draw_hours(axes: Axes, split: Gap, look: Theme) -> None:
    by_hour = split.by_hour()
    _stack(axes, by_hour.index.to_numpy(dtype=float) + 0.5, by_hour, split, look)
    axes.set_xlim(0.0, 24.0)
    axes.xaxis.set_major_locator(FixedLocator(list(range(0, 25, 3))))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda hour, _: f"{hour:02.0f}:00"))
    axes.set_xlabel("local time [h]", fontsize=TEXT_PT)


def _stack(axes: Axes, middles: np.ndarray, sums: pd.DataFrame, split: Gap, look: Theme) -> None:
    """Bars of the causes, what the rule loses up, what it gains down."""
    above, below = np.zeros(len(sums)), np.zeros(len(sums))
    shown = _shown(split)
    colours = _colours(list(shown), look)
    wide = 1.0 if len(sums) > LONG_DAYS else 0.9
    for cause, members in shown.items():
        values = sums[members].sum(axis=1).to_numpy()
        bottom = np.where(values >= 0.0, above, below)
        axes.bar(middles, values, bottom=bottom, width=wide, color=colours[cause], label=cause, linewidth=0)
        above, below = above + np.maximum(values, 0.0), below + np.minimum(values, 0.0)
    span = float(above.max() - below.min()) or 1.0
    lowest = float(below.min()) if below.min() < -0.001 * span else 0.0
    axes.set_ylim(1.05 * lowest, float(above.max()) + 0.05 * span)
    axes.axhline(0.0, color=look.ink, linewidth=0.8)
    axes.grid(visible=False, axis="x")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _figure(value)))


def _shown(split: Gap) -> dict[str, list[str]]:
    """The largest causes on their own, the rest together."""
    sizes = split.table.abs().sum().sort_values(ascending=False, kind="stable")
    causes = [str(cause) for cause in sizes.index]
    own = causes if len(causes) <= SHOWN + 1 else causes[:SHOWN]
    rest = [cause for cause in causes if cause not in own]
    return {cause: [cause] for cause in own} | ({OTHER: rest} if rest else {})


def _colours(causes: list[str], look: Theme) -> dict[str, str]:
    """The colour of the thing, paler for what should not have been done; others take what is left."""
    full = {
        "missed charge": look.charge,
        "missed discharge": look.discharge,
        "not empty": look.price,
        "import": look.imported,
        "export": look.exported,
        "curtailment": look.curtailed,
        "peak": look.unserved,
        "cycles": look.solar,
        "end energy": look.ink,
        OTHER: look.faint,
    }
    pale = {"needless charge": look.charge, "needless discharge": look.discharge, "not full": look.price}
    full |= {cause: _paler(colour, look) for cause, colour in pale.items()}
    named = {full[cause] for cause in causes if cause in full}
    spare = (look.missing, look.imported, look.exported, look.solar, look.unserved, look.ink, look.curtailed)
    left = iter([colour for colour in spare if colour not in named])
    return {cause: full[cause] if cause in full else next(left) for cause in causes}


def _paler(colour: str, look: Theme) -> str:
    red, green, blue = (0.45 * c + 0.55 * p for c, p in zip(to_rgb(colour), to_rgb(look.paper), strict=True))
    return to_hex((red, green, blue))


def _legend(axes: Axes, look: Theme) -> None:
    axes.legend(
        loc="upper left",
        bbox_to_anchor=(BESIDE - 0.01, 1.03),
        frameon=False,
        fontsize=TEXT_PT,
        labelcolor=look.ink,
        handlelength=1.5,
    )
