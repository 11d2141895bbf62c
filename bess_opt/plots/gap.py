"""Where a rule loses against the optimum: the gap over the days of a horizon and the hours of a day, by cause."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter

from bess_opt.plots.shared.page import figure_of, one_panel
from bess_opt.plots.shared.parts import draw_bars, held, legend_beside, money_text
from bess_opt.plots.shared.style import TEXT_PT, Theme, ThemeName, heading, paler, theme_of

if TYPE_CHECKING:  # the gap comes with the solver, and a picture does not need it
    from bess_opt.comparison.gap import Gap

LONG_DAYS = 45  # days beyond which bars touch and their axis shows Mondays
WEEKLY_DAYS = 120  # days beyond which it shows months
SHOWN = 6  # causes with a colour of their own; the rest is "other"
OTHER = "other"


def gap_figure(
    gap: Gap, *, unit: str = "EUR", title: str = "", axes: Axes | None = None, theme: ThemeName = "light"
) -> Figure:
    """What the rule loses per local day, by cause, in units of the strategy's objective (`unit`).

    ValueError for a gap without any cause: the rule is as good as the optimum.
    """
    if gap.table.empty:
        raise ValueError("the gap has no cause: the rule is as good as the optimum, and there is nothing to draw")
    look = theme_of(theme)
    with one_panel(axes, look, title=title, height_in=2.6) as panel:
        draw_gap_days(panel, gap, unit, look)
        heading(panel, f"Where the rule loses {money_text(gap.objective)} {unit}, by local day")
    return figure_of(panel)


def draw_gap_days(axes: Axes, split: Gap, unit: str, look: Theme) -> None:
    """The gap per local day, stacked by cause: what the rule loses up, what it gains down."""
    by_day = split.by_day()
    days = pd.DatetimeIndex(by_day.index)
    handles = _stack(axes, np.arange(len(days)) + 0.5, by_day, split, look)
    axes.set_xlim(0.0, len(days))
    every = 1 + len(days) // 12
    months = len(days) > WEEKLY_DAYS
    mondays = np.flatnonzero(days.day_of_week == 0)
    long = np.flatnonzero(days.day == 1) if months else mondays
    named = long if len(days) > LONG_DAYS else np.arange(0, len(days), every)
    form = "%b" if months else "%d %b"
    middle = 0.0 if len(days) > LONG_DAYS else 0.5
    axes.set_xticks(named + middle, [day.strftime(form) for day in days[named]])
    axes.set_xlabel(f"local date, from {days[0]:%Y-%m-%d} to {days[-1]:%Y-%m-%d}", fontsize=TEXT_PT)
    axes.set_ylabel(f"lost per day [{unit}]", fontsize=TEXT_PT)
    legend_beside(axes, handles, look)


def draw_gap_hours(axes: Axes, split: Gap, unit: str, look: Theme) -> None:
    """The same per local hour of the day, summed over the horizon."""
    by_hour = split.by_hour()
    _stack(axes, by_hour.index.to_numpy(dtype=float) + 0.5, by_hour, split, look)
    axes.set_xlim(0.0, 24.0)
    axes.xaxis.set_major_locator(FixedLocator(list(range(0, 25, 3))))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda hour, _: f"{hour:02.0f}:00"))
    axes.set_xlabel("local time [h]", fontsize=TEXT_PT)
    axes.set_ylabel(f"lost in all [{unit}]", fontsize=TEXT_PT)


def _stack(axes: Axes, middles: np.ndarray, sums: pd.DataFrame, split: Gap, look: Theme) -> list[Artist]:
    """Bars of the causes, what the rule loses up, what it gains down; their handles.

    Bars that touch are one outline: a year of single ones would take most of the time of a report.
    """
    handles: list[Artist] = []
    long = len(sums) > LONG_DAYS
    edges = np.append(middles - 0.5, middles[-1:] + 0.5)
    above, below = np.zeros(len(sums)), np.zeros(len(sums))
    shown = _shown(split)
    colours = _colours(list(shown), look)
    table, place = sums.to_numpy(), {str(cause): at for at, cause in enumerate(sums.columns)}
    for cause, members in shown.items():
        values = table[:, [place[member] for member in members]].sum(axis=1)
        bottom = np.where(values >= 0.0, above, below)
        colour = colours[cause]
        if long:
            lower, upper = held(bottom), held(bottom + values)
            bars: Artist = axes.fill_between(edges, lower, upper, step="post", color=colour, label=cause, linewidth=0)
        else:
            bars = draw_bars(axes, middles, values, bottoms=bottom, width=0.9, colour=colour, label=cause)
        handles.append(bars)
        above, below = above + np.maximum(values, 0.0), below + np.minimum(values, 0.0)
    span = float(above.max() - below.min()) or 1.0
    lowest = float(below.min()) if below.min() < -0.001 * span else 0.0
    axes.set_ylim(1.05 * lowest, float(above.max()) + 0.05 * span)
    axes.axhline(0.0, color=look.ink, linewidth=0.8)
    axes.grid(visible=False, axis="x")
    return handles


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
    full |= {cause: paler(colour, look, 0.45) for cause, colour in pale.items()}
    named = {full[cause] for cause in causes if cause in full}
    spare = (look.missing, look.imported, look.exported, look.solar, look.unserved, look.ink, look.curtailed)
    left = iter([colour for colour in spare if colour not in named])
    return {cause: full[cause] if cause in full else next(left) for cause in causes}
