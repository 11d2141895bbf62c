"""What a sizing hangs on as pictures: a tornado of single factors, a map of two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bess_opt.plots.shared.page import NotebookFigure
from bess_opt.plots.shared.parts import colour_bar
from bess_opt.plots.shared.style import TEXT_PT, TITLE_PT, Theme, drawing, dress, heading, theme_of
from bess_opt.plots.shared.units import Unit

if TYPE_CHECKING:
    from bess_opt.investment.sizing.sensitivity import Sensitivity

WIDTH_IN, BAR_IN, HEAD_IN, FOOT_IN = 11.0, 0.95, 1.15, 1.25
LEFT, RIGHT = 0.215, 0.945  # of the page
MAP_IN = 6.6


def tornado_figure(found: Sensitivity, *, theme: str = "light") -> Figure:
    """A pair of bars for each factor: the value of the best size under its least and its largest amount.

    The widest stands on top. A mark shows what the base size would be worth there; beside each bar stand the amount
    and the best size.
    """
    look = theme_of(theme)
    unit = _unit(found, found.table["value"])
    groups = {str(name): part for name, part in found.table.groupby("factor", sort=False)}
    base = float(found.base["value"])
    order = sorted(groups, key=lambda name: float((groups[name]["value"] - base).abs().max()))
    height = HEAD_IN + BAR_IN * len(order) + FOOT_IN
    with drawing(look):
        page = NotebookFigure(figsize=(WIDTH_IN, height), facecolor=look.paper)
        box = (LEFT, FOOT_IN / height, RIGHT - LEFT, BAR_IN * len(order) / height)
        axes = page.add_axes(box)
        dress(axes, look)
        title = f"{found.scenario.name}: what the best size hangs on"
        page.text(0.02, 1 - 0.2 / height, title, fontsize=TITLE_PT, fontweight="bold", va="top", color=look.ink)
        today = sizes_written(found.base, found.columns_before)
        several = len(found.columns_before) > 1
        at, best = ("", f": {today}") if several else (f" at {today}", "")
        heading(axes, f"{unit.name[0].upper()}{unit.name[1:]} of the best size; today {unit.text(base)}{at}")
        for place, name in enumerate(order):
            _draw_factor(axes, place, found, name, groups[name], unit, look)
        _frame(axes, [found.factors[name].label for name in order], base, unit, look, best)
    return page


def _draw_factor(
    axes: Axes, place: int, found: Sensitivity, name: str, part: pd.DataFrame, unit: Unit, look: Theme
) -> None:
    """The bars of a factor: the least amount above, the largest below."""
    factor, base = found.factors[name], float(found.base["value"])
    listed = part.sort_values("amount")
    ends = listed if len(listed) == 1 else listed.iloc[[0, -1]]
    zero = base / unit.scale
    for offset, row in zip((0.19, -0.19), _rows(ends), strict=False):
        value, kept = row["value"] / unit.scale, row["value_of_base_size"] / unit.scale
        colour = look.charge if row["amount"] < 0.0 else look.discharge
        axes.barh(place + offset, value - zero, left=zero, height=0.34, color=colour)
        axes.plot([kept], [place + offset], "d", color=look.paper, markeredgecolor=look.ink, markersize=7, zorder=4)
        text = f"{factor.written(row['amount'])}: {sizes_written(row, found.columns_before, between=chr(10))}"
        right = value >= zero
        edge = max(value, kept) if right else min(value, kept)
        axes.annotate(
            text,
            (edge, place + offset),
            xytext=(9 if right else -9, 0),
            textcoords="offset points",
            ha="left" if right else "right",
            va="center",
            fontsize=TEXT_PT - 1.5,
            color=look.ink,
        )


def _frame(axes: Axes, labels: list[str], base: float, unit: Unit, look: Theme, best: str) -> None:
    axes.axvline(base / unit.scale, color=look.ink, linewidth=1.2)
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(-0.6, len(labels) - 0.4)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.margins(x=0.8 if best else 0.6)  # room for the words beside the bars
    axes.set_xlabel(f"{unit.label}\n◇ the size that is best today{best}", fontsize=TEXT_PT, color=look.ink)


def two_way_figure(found: Sensitivity, table: pd.DataFrame, *, theme: str = "light") -> Figure:
    """A map of two factors: the best value as colour, and the best size written in every cell."""
    look = theme_of(theme)
    name_a, name_b = (str(name) for name in table.columns[:2])
    across, up = (np.unique(table[name].to_numpy(dtype=float)) for name in (name_a, name_b))
    unit = _unit(found, table["value"])
    grid = table["value"].to_numpy(dtype=float).reshape(len(across), len(up)).T / unit.scale
    with drawing(look):
        page = NotebookFigure(figsize=(WIDTH_IN, MAP_IN), facecolor=look.paper)
        axes = page.add_axes((0.13, 0.13, 0.68, 0.7))
        dress(axes, look, grid=False)
        title = f"{found.scenario.name}: {found.factors[name_a].label} and {found.factors[name_b].label}"
        page.text(0.02, 1 - 0.2 / MAP_IN, title, fontsize=TITLE_PT, fontweight="bold", va="top", color=look.ink)
        heading(axes, f"{unit.name[0].upper()}{unit.name[1:]} of the best size, which stands in each cell")
        image = axes.imshow(grid, origin="lower", aspect="auto", cmap=look.sequential)
        middle = float(np.nanmin(grid) + np.nanmax(grid)) / 2
        for row in _rows(table):
            place = int(np.searchsorted(across, row[name_a])), int(np.searchsorted(up, row[name_b]))
            dark = grid[place[1], place[0]] < middle
            axes.text(
                *place,
                sizes_written(row, found.columns_before, between="\n", within="\n"),
                ha="center",
                va="center",
                fontsize=TEXT_PT - (1 if len(found.columns_before) == 1 else 2.5),
                color="#FFFFFF" if dark else "#1B1F24",
            )
        axes.set_xticks(range(len(across)), [found.factors[name_a].written(amount) for amount in across])
        axes.set_yticks(range(len(up)), [found.factors[name_b].written(amount) for amount in up])
        axes.set_xlabel(f"change of {found.factors[name_a].label}", fontsize=TEXT_PT, color=look.ink)
        axes.set_ylabel(f"change of {found.factors[name_b].label}", fontsize=TEXT_PT, color=look.ink)
        colour_bar(axes, image, unit.label, look)
    return page


def sizes_written(
    row: Mapping[str, Any] | pd.Series, before: Sequence[str], *, between: str = "; ", within: str = ", "
) -> str:
    """The sizes of a row for people; of several batteries with their names, which begin the columns."""
    if len(before) == 1:
        return f"{row[f'{before[0]}power_mw']:.3g} MW{within}{row[f'{before[0]}duration_h']:.3g} h"
    return between.join(
        f"{name[:-1]} {row[f'{name}power_mw']:.3g} MW, {row[f'{name}duration_h']:.3g} h"
        if row[f"{name}power_mw"] > 0.0
        else f"{name[:-1]} left out"
        for name in before
    )


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def _unit(found: Sensitivity, values: pd.Series) -> Unit:
    return found.unit_of(values)
