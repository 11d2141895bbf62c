"""Yardsticks of a price series: what a MW earns a year by duration, and the spreads of its days."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib import dates as mdates
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bess_opt.plots.shared.page import Row, new_page
from bess_opt.plots.shared.parts import money_text
from bess_opt.plots.shared.style import TEXT_PT, Theme, ThemeName, drawing, dress, heading, theme_of

_MONTH_DAYS = 45  # from so many days on the spreads are drawn as means of weeks


def price_index_figure(
    table: pd.DataFrame, daily: pd.DataFrame, *, currency: str = "EUR", theme: ThemeName = "light"
) -> Figure:
    """Bars of `table` (`PriceIndex.table`) by hours of storage, and the top-bottom spreads of `daily` over time."""
    look = theme_of(theme)
    with drawing(look):
        page, (bars, spreads) = new_page(None, [Row(3.6), Row(2.6, above_in=0.6)], "", look)
        _draw_bars(bars, table, currency, look)
        _draw_spreads(spreads, daily, currency, look)
    return page


def _draw_bars(axes: Axes, table: pd.DataFrame, currency: str, look: Theme) -> None:
    dress(axes, look)
    hours = sorted(table["hours"].unique())
    kinds = list(table[["yardstick", "cycles_per_day"]].drop_duplicates().itertuples(index=False, name=None))
    colours = {
        "top_bottom": look.curtailed,
        "day_ahead": look.price,
        "perfect_sight": look.discharge,
        "rule": look.charge,
    }
    width = 0.86 / len(kinds)
    for place, (name, cycles) in enumerate(kinds):
        same = table["cycles_per_day"].isna() if np.isnan(cycles) else table["cycles_per_day"] == cycles
        part = table[(table["yardstick"] == name) & same].set_index("hours")["per_mw_year"]
        at = np.arange(len(hours)) + (place - (len(kinds) - 1) / 2) * width
        words = str(name).replace("_", " ") + ("" if np.isnan(cycles) else f", {cycles:g} a day")
        faint = 0.55 if cycles == 1.0 else 1.0
        values = part.reindex(hours).to_numpy(dtype=float)
        axes.bar(at, values, width=0.92 * width, color=colours[name], alpha=faint, label=words)
        for x, value in zip(at, values, strict=True):
            axes.annotate(
                money_text(value), (x, max(value, 0.0)), xytext=(0, 3), textcoords="offset points", ha="center",
                va="bottom", rotation=90, fontsize=TEXT_PT - 2, color=look.ink,
            )  # fmt: skip
    axes.set_xticks(np.arange(len(hours)), [f"{h:g} h" for h in hours])
    axes.grid(visible=False, axis="x")
    axes.margins(y=0.28)
    axes.axhline(0.0, color=look.ink, linewidth=0.8)
    axes.set_ylabel(f"{currency} per MW and year", fontsize=TEXT_PT, color=look.ink)
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False, fontsize=TEXT_PT - 1)
    heading(axes, "What 1 MW earns a year, by hours of storage and cycles a day")


def _draw_spreads(axes: Axes, daily: pd.DataFrame, currency: str, look: Theme) -> None:
    dress(axes, look)
    long = len(daily) > _MONTH_DAYS
    shown = daily.rolling(7, min_periods=1).mean() if long else daily
    colours = (look.price, look.discharge, look.charge)
    days = pd.DatetimeIndex(shown.index).tz_localize(None)
    stamps = days.append(days[-1:] + pd.Timedelta(days=1))  # the last day has its width too
    for hours, colour in zip(shown.columns, colours, strict=True):
        axes.step(
            stamps,
            [*shown[hours], shown[hours].iloc[-1]],
            where="post",
            color=colour,
            linewidth=1.4,
            label=f"{hours} h",
        )
    axes.margins(x=0.0)
    locator = mdates.AutoDateLocator(minticks=4, maxticks=10)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    axes.set_ylabel(f"{currency} per MWh", fontsize=TEXT_PT, color=look.ink)
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), frameon=False, fontsize=TEXT_PT)
    mean = ", mean of seven days" if long else ""
    heading(axes, f"Dearest hours less cheapest hours of each day{mean}")
