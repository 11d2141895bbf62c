"""What a day sells beside energy: capacity held on the base point, the energy of its calls, the prices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bess_opt.plots.shared.page import LINE_IN, POWER_IN, Row, label_lowest, new_page
from bess_opt.plots.shared.parts import NOISE_MW, draw_steps, held, legend_beside, name_y
from bess_opt.plots.shared.style import LINE_PT, Theme, ThemeName, drawing, dress, heading, theme_of, tones
from bess_opt.plots.shared.time_axes import (
    Floats,
    day_text,
    local_days,
    local_index,
    step_edges,
    step_length,
    time_axis,
)

HATCHES = ("", "///", "...", "xx", "\\\\\\", "++")  # beside the tones, for eyes that do not tell these apart


def product_stack_figure(
    schedule: pd.DataFrame,
    prices: pd.DataFrame,
    directions: Mapping[str, Sequence[str]],
    *,
    power_mw: tuple[float, float],
    room_mwh: pd.DataFrame,
    currency: str = "EUR",
    title: str = "",
    day: str | None = None,
    theme: ThemeName = "light",
    step_h: float | None = None,
) -> Figure:
    """One local day: bids as a stack of MW on the base point, stored energy between what calls ask, capacity prices.

    `schedule` has `battery_mw` (or `base_mw`) and `<product>_mw` for each column of `prices` [currency/MW/h];
    `directions` says for each "up", "down" or both. `power_mw` is rated (discharging, charging). `room_mwh` has
    `energy` at the end of each step, and `least` and `most` that leave the energy of all calls. `day` is a local
    date, by default the one whose capacity pays most. ValueError for a date off the horizon.
    """
    look = theme_of(theme)
    index = local_index(schedule)
    names = [str(name) for name in prices]
    paid = sum((prices[name] * schedule[f"{name}_mw"] for name in names), pd.Series(0.0, index=index))
    days = local_days(index)
    shown = np.datetime64(day) if day is not None else days[0]
    if day is None:
        shown = paid.groupby(days).sum().idxmax()
    rows = np.flatnonzero(days == np.datetime64(shown))
    if not len(rows):
        raise ValueError(f'day "{day}" is outside the horizon, which runs from {days[0]} to {days[-1]}')
    hours = step_length(index, step_h) / pd.Timedelta(hours=1)
    part = schedule.iloc[rows]
    with drawing(look):
        page, panels = new_page(None, [Row(POWER_IN), Row(LINE_IN), Row(LINE_IN)], title, look)
        _draw_stack(panels[0], part, names, directions, power_mw, look, hours)
        _draw_energy(panels[1], room_mwh.iloc[rows], look, hours)
        _draw_prices(panels[2], prices.iloc[rows], currency, look, hours)
        heading(panels[0], f"Base point and capacity held on it: {day_text(index[rows[0]])}")
        heading(panels[1], "Stored energy, between what calls of all products of a direction ask")
        heading(panels[2], "Capacity prices")
        label_lowest(panels)
    return page


def _draw_stack(
    axes: Axes,
    part: pd.DataFrame,
    names: Sequence[str],
    directions: Mapping[str, Sequence[str]],
    power_mw: tuple[float, float],
    look: Theme,
    hours: float,
) -> None:
    """Bids on the base point, upward ones above it and downward ones below; lines at rated power."""
    dress(axes, look)
    time_axis(axes, part, hours, look)
    edges = step_edges(part, hours)
    base = held(part["base_mw" if "base_mw" in part else "battery_mw"].to_numpy(dtype=float))
    handles: list[Artist] = []
    for way, sign in (("up", 1.0), ("down", -1.0)):
        level = base.copy()
        for place, (name, colour) in enumerate(zip(names, tones(look.price, look, len(names)), strict=True)):
            bid = part[f"{name}_mw"].to_numpy(dtype=float)
            if way not in directions[name] or bid.max() <= NOISE_MW:
                continue
            top = level + sign * held(bid)
            area = axes.fill_between(
                edges, level, top, step="post", facecolor=colour, edgecolor=look.paper, linewidth=0.0,
                hatch=HATCHES[place % len(HATCHES)], label=name,
            )  # fmt: skip
            if way == directions[name][0]:
                handles.append(area)
            level = top
    # Paper around the line, so that it stands apart from areas of any colour.
    axes.plot(edges, base, drawstyle="steps-post", color=look.paper, linewidth=3.0 * LINE_PT)
    handles.append(draw_steps(axes, edges, base[:-1], look.ink, "base point"))
    limits = [
        axes.axhline(rated, color=look.unserved, linestyle="--", linewidth=LINE_PT, label="rated power")
        for rated in (power_mw[0], -power_mw[1])
    ]
    handles.append(limits[0])
    axes.axhline(0.0, color=look.ink, linewidth=0.8)
    name_y(axes, "power, + discharges [MW]", look)
    legend_beside(axes, handles, look)


def _draw_energy(axes: Axes, room: pd.DataFrame, look: Theme, hours: float) -> None:
    dress(axes, look)
    time_axis(axes, room, hours, look)
    edges = step_edges(room, hours)
    least, most = (held(room[name].to_numpy(dtype=float)) for name in ("least", "most"))
    band = axes.fill_between(edges, least, most, step="post", color=look.soc, alpha=0.18, linewidth=0.0)
    band.set_label("leaves the calls")
    ends: Floats = edges[1:]
    line = axes.plot(ends, room["energy"], color=look.soc, linewidth=LINE_PT, label="stored, end of step")[0]
    axes.set_ylim(bottom=0.0)
    name_y(axes, "energy [MWh]", look)
    legend_beside(axes, [line, band], look)


def _draw_prices(axes: Axes, prices: pd.DataFrame, currency: str, look: Theme, hours: float) -> None:
    dress(axes, look)
    time_axis(axes, prices, hours, look)
    edges = step_edges(prices, hours)
    styles = ("-", "--", "-.", ":")
    handles = []
    for place, (name, colour) in enumerate(zip(prices, tones(look.price, look, len(prices.columns)), strict=True)):
        style = styles[place % len(styles)]
        handles.append(draw_steps(axes, edges, prices[name].to_numpy(dtype=float), colour, str(name), style))
    name_y(axes, f"price [{currency}/MW/h]", look)
    legend_beside(axes, handles, look)
