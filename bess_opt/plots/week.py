"""A week of a dispatch: power, SOC and price under one another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bess_opt.plots.panels.power import draw_power
from bess_opt.plots.panels.price import draw_price
from bess_opt.plots.panels.soc import draw_soc, draw_socs
from bess_opt.plots.shared.page import LINE_IN, POWER_IN, Row, figure_of, label_lowest, new_page
from bess_opt.plots.shared.parts import prices_of, shade_away
from bess_opt.plots.shared.shown_days import ShownDays, shown_days_of
from bess_opt.plots.shared.style import ThemeName, drawing, heading, theme_of
from bess_opt.plots.shared.time_axes import HOUR, local_index, step_edges, step_length


def week_figure(
    schedule: pd.DataFrame,
    *,
    energy_mwh: float,
    currency: str = "EUR",
    title: str = "",
    week: str | None = None,
    axes: Sequence[Axes] | None = None,
    theme: ThemeName = "light",
    soc_start: float | None = None,
    step_h: float | None = None,
    units: Mapping[str, pd.DataFrame] | None = None,
    away: Sequence[bool] | None = None,
) -> Figure:
    """Power, SOC and price of one week; `week` is its first local date, by default the battery's busiest.

    `axes`, if given, are two panels, or three where there are prices, from the top down. `units` are the schedules of
    several batteries by name, each with a band and a line of its own; steps in which the grid is `away` are shaded.
    ValueError for another number of axes, or for a date that is not in the horizon.
    """
    look = theme_of(theme)
    index = local_index(schedule)
    step = step_length(index, step_h)
    window = shown_days_of(schedule, index, step, week)
    rows = week_rows(schedule.iloc[window.first : window.last])
    with drawing(look):
        page, panels = (None, list(axes)) if axes is not None else new_page(None, rows, title, look)
        if len(panels) != len(rows):
            raise ValueError(f"axes: found {len(panels)}, this schedule has {len(rows)} panels")
        draw_week(panels, schedule, window, theme, energy_mwh, currency, soc_start, step / HOUR, units, away)
    return figure_of(panels[0]) if page is None else page


def days_figure(
    schedule: pd.DataFrame,
    window: ShownDays,
    *,
    energy_mwh: float,
    currency: str = "EUR",
    theme: ThemeName = "light",
    soc_start: float | None = None,
    step_h: float | None = None,
    units: Mapping[str, pd.DataFrame] | None = None,
    away: Sequence[bool] | None = None,
) -> Figure:
    """The same panels over the rows of `window`, whose text is the heading."""
    look = theme_of(theme)
    step = step_length(local_index(schedule), step_h)
    with drawing(look):
        page, panels = new_page(None, week_rows(schedule.iloc[window.first : window.last]), "", look)
        draw_week(panels, schedule, window, theme, energy_mwh, currency, soc_start, step / HOUR, units, away)
    return page


def week_rows(part: pd.DataFrame) -> list[Row]:
    """The panels that a week needs: power, SOC, and price where there is one."""
    return [Row(POWER_IN), Row(LINE_IN)] + [Row(LINE_IN)] * bool(prices_of(part))


def draw_week(
    panels: list[Axes],
    schedule: pd.DataFrame,
    window: ShownDays,
    theme: ThemeName,
    energy_mwh: float,
    currency: str,
    soc_start: float | None,
    hours: float,
    units: Mapping[str, pd.DataFrame] | None = None,
    away: Sequence[bool] | None = None,
) -> None:
    """The panels of a week, with headings, and time labels under the lowest only.

    `units` are the schedules of several batteries by name; steps in which the grid is `away` are shaded.
    """
    shown = slice(window.first, window.last)
    part, own = schedule.iloc[shown], {name: unit.iloc[shown] for name, unit in (units or {}).items()}
    gone = None if away is None else away[shown]
    before = float(schedule["soc"].iloc[window.first - 1]) if window.first else soc_start
    draw_power(panels[0], part, theme=theme, step_h=hours, units=own, away=gone)
    if own:
        draw_socs(panels[1], {name: unit["soc"] for name, unit in own.items()}, theme=theme, step_h=hours)
    else:
        draw_soc(panels[1], part["soc"], energy_mwh=energy_mwh, before=before, theme=theme, step_h=hours)
    for axes in panels[2:]:
        draw_price(axes, part, currency=currency, theme=theme, step_h=hours)
    for axes in panels[1:]:
        shade_away(axes, step_edges(part, hours), gone, theme_of(theme))
    heading(panels[0], f"Power: {window.text}")
    heading(panels[1], "State of charge at the end of each step")
    label_lowest(panels)
