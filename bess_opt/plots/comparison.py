"""The ladder from nothing to the optimum as a picture, with the gap by day and by hour of the day.

Made as all pictures are: plain data in, no pyplot, the same input gives the same picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from bess_opt.plots.gap import draw_gap_days, draw_gap_hours
from bess_opt.plots.shared.page import LEFT_IN, RIGHT_IN, WIDTH_IN, blank_page
from bess_opt.plots.shared.parts import money_text
from bess_opt.plots.shared.style import TEXT_PT, TITLE_PT, Theme, drawing, dress, heading, theme_of

if TYPE_CHECKING:  # the gap comes with the solver, and a picture does not need it
    from bess_opt.comparison.gap import Gap

RUNG_IN, BARS_IN, HEAD_IN, SPACE_IN, FOOT_IN = 0.48, 2.6, 0.95, 1.05, 0.75


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
        lost = f"{money_text(shown.objective)} {_short_unit(table, currency)}"
        panels += [_Panel(BARS_IN, f"Where the rule loses {lost}, by local day")]
        panels += [_Panel(BARS_IN, "The same by local hour of the day")]
    with drawing(look):
        page, axes = _page(panels, title, look)
        for place, part in zip(axes, ladders.values(), strict=False):
            _draw_ladder(place, part, look)
        if shown is not None:
            unit = _short_unit(table, currency)
            draw_gap_days(axes[-2], shown, unit, look)
            draw_gap_hours(axes[-1], shown, unit, look)
    return page


def _page(panels: list[_Panel], title: str, look: Theme) -> tuple[Figure, list[Axes]]:
    """A figure with one empty panel each, from the top down, and room for legends at the right."""
    tops = np.cumsum([HEAD_IN] + [panel.height_in + SPACE_IN for panel in panels])
    height = float(tops[-1]) - SPACE_IN + FOOT_IN
    page = blank_page(height, look)
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


def _unit(table: pd.DataFrame, currency: str) -> str:
    return str(table["score_unit"].iloc[0]).replace("currency", currency)


def _short_unit(table: pd.DataFrame, currency: str) -> str:
    """The unit of a score without what it says beside it: an axis has little room."""
    return _unit(table, currency).partition(" (")[0].partition(" in ")[0]


def _ladder_text(label: str, part: pd.DataFrame, currency: str) -> str:
    better = "more" if part["score_sense"].iloc[0] == "max" else "less"
    text = f"{label}: score [{_unit(part, currency)}], {better} is better"
    if not {"forecast-driven", "perfect forecast"} <= set(part.index):
        return text
    scores = part["score"].astype(float).to_dict()
    worth = scores["perfect forecast"] - scores["forecast-driven"]
    return f"{text}; worth of a perfect forecast {money_text(worth if better == 'more' else -worth)}"


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
    for place, (rung, row) in enumerate(part.iterrows()):
        text = money_text(row["score"])
        if rung in own and np.isfinite(row["captured"]):
            text += f", {round(row['captured'], 2) + 0.0:.0%} of the possible gain"
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
