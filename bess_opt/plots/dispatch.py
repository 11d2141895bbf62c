"""A whole dispatch on one page: a week of power, SOC and price, and maps of every hour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bess_opt.plots.shared.page import MAP_IN, TIME_LABELS_IN, Row, label_lowest, new_page
from bess_opt.plots.shared.parts import price_name, prices_of, unit_label
from bess_opt.plots.shared.shown_days import ShownDays, shown_days_of
from bess_opt.plots.shared.style import Theme, ThemeName, drawing, heading, theme_of
from bess_opt.plots.shared.time_axes import HOUR, local_days, local_index, step_length
from bess_opt.plots.week import draw_week, week_rows
from bess_opt.plots.year_map import draw_heat_map


def dispatch_figure(
    schedule: pd.DataFrame,
    *,
    energy_mwh: float,
    currency: str = "EUR",
    title: str = "",
    week: str | None = None,
    theme: ThemeName = "light",
    soc_start: float | None = None,
    step_h: float | None = None,
    units: Mapping[str, pd.DataFrame] | None = None,
    away: Sequence[bool] | None = None,
    figure: Figure | None = None,
) -> Figure:
    """A dispatch on one page: power, SOC and price of one week, then maps of every hour of the horizon.

    The week starts at the local date `week`, or is the last of the horizon if that date is nearer to the end
    than seven days. By default it is the week from Monday to Sunday with the largest battery throughput, the
    earliest of equals. A horizon shorter than ten days is shown whole and without maps. `soc_start` begins
    the SOC line where the horizon begins. `step_h` matters only for a single step that is not an hour. A
    given `figure` is drawn into and keeps its size. `units` are the schedules of several batteries by name, each with
    a band and a line of its own in the week; steps in which the grid is `away` are shaded there.
    """
    look = theme_of(theme)
    index = local_index(schedule)
    step = step_length(index, step_h)
    window = shown_days_of(schedule, index, step, week)
    hours = step / HOUR
    maps = [] if window.whole else _mapped(schedule)
    rows = week_rows(schedule.iloc[window.first : window.last])
    lines = len(rows)
    rows += [Row(MAP_IN, above_in=TIME_LABELS_IN * (i == 0)) for i in range(len(maps))]
    with drawing(look):
        page, panels = new_page(figure, rows, title, look)
        draw_week(panels[:lines], schedule, window, theme, energy_mwh, currency, soc_start, hours, units, away)
        for axes, values in zip(panels[lines:], maps, strict=True):
            _draw_named_map(axes, values, currency=currency, theme=theme, step_h=hours)
            _mark_days(axes, index, window, look)
        label_lowest(panels[lines:])
    return page


def _mapped(schedule: pd.DataFrame) -> list[pd.Series]:
    """What the maps show: the battery, and the price that moves it, or the SOC where no price moves."""
    moving = [price for price in prices_of(schedule) if price.nunique() > 1]
    return [schedule["battery_mw"], moving[0] if moving else schedule["soc"]]


def _draw_named_map(axes: Axes, values: pd.Series, *, currency: str, theme: ThemeName, step_h: float) -> None:
    name = str(values.name)
    battery, soc = name == "battery_mw", name == "soc"
    label = "power" if battery else "SOC" if soc else "price"
    text = (
        "Battery, + discharge − charge" if battery else "State of charge" if soc else price_name(values).capitalize()
    )
    draw_heat_map(
        axes,
        values,
        label=f"{label} {unit_label(name, currency)}",
        limits=(0.0, 1.0) if soc else None,
        diverging=battery,
        theme=theme,
        step_h=step_h,
    )
    heading(axes, f"{text}: every local day and hour (bar: the week above)", pad=15)


def _mark_days(axes: Axes, index: pd.DatetimeIndex, window: ShownDays, look: Theme) -> None:
    """A bar over the days that the panels of the week show."""
    days = local_days(index[[0, window.first, window.last - 1]])
    first, last = (days[1:] - days[0]).astype(int)
    place = axes.get_xaxis_transform()
    bar = axes.plot([first, last + 1], [1.03, 1.03], transform=place, color=look.ink, linewidth=5, clip_on=False)
    bar[0].set_solid_capstyle("butt")
