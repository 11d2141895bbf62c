"""The market's usual yardsticks on the user's own prices: what a MW of storage would have earned a year."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bess_opt.common.arrays import Array
from bess_opt.common.clock import day_number
from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding, Findings, findings_table
from bess_opt.common.html import box, html_table
from bess_opt.common.input_table import plain
from bess_opt.common.wording import number, show
from bess_opt.dispatch.optimize import optimize
from bess_opt.dispatch.simulate import simulate
from bess_opt.inputs.scenario import Scenario

if TYPE_CHECKING:
    from matplotlib.figure import Figure

HOURS = (1, 2, 4)
CYCLES = (1, 2)
YEAR_H = 8760.0
PRICE = "price_per_mwh"
_TOP_BOTTOM = "https://modoenergy.com/benchmarking/methodology/tbs"
_PERFECT = "https://regelleistung-online.de/german-energy-storage-revenue-index/bess-revenue-index-2h"
# yardstick: what it is, and where the market's own definition stands
DEFINITIONS = {
    "top_bottom": (
        "of each local day the dearest hours less the cheapest, 1 MW in each, whatever their order, without losses",
        f"top-bottom (TB) spread as in Modo Energy's TBs methodology, {_TOP_BOTTOM}",
    ),
    "day_ahead": (
        "the best plan for each local day alone with all prices of that day known, from empty to empty",
        f"one day at a time, with a cap on cycles, as in the revenue index of regelleistung-online, {_PERFECT}",
    ),
    "perfect_sight": (
        "the best plan with all prices of the horizon known, energy kept over midnight where that pays",
        "the optimum of this package's strategy `arbitrage`",
    ),
    "rule": (
        "two price thresholds a day, from its published prices: buy the cheapest steps, sell the dearest",
        "the rule of this package's strategy `arbitrage`",
    ),
}


@dataclass(frozen=True)
class PriceIndex:
    """Yardsticks of a price series.

    `table` has a row for each yardstick, duration and cap on cycles: `hours` of storage, `cycles_per_day` (NaN where
    none is set), `per_mw_year` [currency/MW/year], `spread_per_mwh` (top-bottom only: the mean of the dearest less
    that of the cheapest hours), `cycles` (equivalent full cycles a day that were made), `definition` and `source`.
    `daily` has the top-bottom spread of each whole local day [currency/MWh], a column for each number of hours.
    `notes` say what was left out.
    """

    table: pd.DataFrame
    daily: pd.DataFrame
    currency: str
    round_trip_efficiency: float
    notes: Findings

    def plot(self, *, theme: str = "light") -> Figure:
        """The yardsticks as bars by duration, and the daily spreads over the horizon."""
        from bess_opt.plots import price_index_figure

        return price_index_figure(
            self.table, self.daily, currency=self.currency, theme="dark" if theme == "dark" else "light"
        )

    def _repr_html_(self) -> str:
        header, rows = price_index_table(self)
        notes = findings_table(list(self.notes)) if len(self.notes) else ""
        title = f"{self.currency} per MW and year, {self.round_trip_efficiency:.0%} of the energy comes back"
        return box(title, html_table(header, rows) + notes)


def index(
    prices: pd.Series | pd.DataFrame,
    *,
    round_trip_efficiency: float = 0.9,
    time_zone: str | None = None,
    currency: str | None = None,
) -> PriceIndex:
    """What 1 MW of storage for 1, 2 and 4 hours would have earned on `prices`, by the market's usual yardsticks.

    `prices` [currency/MWh] is a series, or a table with the column `price_per_mwh`, on an index of equal steps with a
    time zone; an hour must be a whole number of steps. Whole local days count, in `time_zone` or the zone of the
    index; what is cut off at either end is said in `notes`. Four yardsticks: the top-bottom spread, which no battery
    earns whole; the best plan for each day alone, the best one over all days, and the rule of `arbitrage`, each with
    one and two cycles a day and `round_trip_efficiency` from port to port. All are scaled to a year of 8,760 hours;
    none has fees, wear or a grid limit in it. Raises ScenarioError for prices that are no such series, hold a gap, or
    less than a whole local day.
    """
    efficiency = _efficiency(round_trip_efficiency)
    series, notes = _whole_days(_series_of(prices), time_zone)
    known = prices.attrs.get("reading", {}).get("figures", {}).get("currency")
    step_h = float((series.index[1] - series.index[0]).total_seconds() / 3600.0)
    daily = _spreads(series, step_h)
    days_a_year = YEAR_H / (len(series) * step_h) * len(daily)
    rows = []
    for hours in HOURS:
        spread = float(daily[hours].mean())
        rows.append(_row("top_bottom", hours, spread_per_mwh=spread, per_mw_year=spread * hours * days_a_year))
    asked = [(hours, cycles) for hours in HOURS for cycles in CYCLES]
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for found in pool.map(lambda size: _earned(series, step_h, size, efficiency), asked):
            rows += found
    table = pd.DataFrame(rows)
    order = {name: place for place, name in enumerate(DEFINITIONS)}
    table = table.sort_values("yardstick", key=lambda column: column.map(order), kind="stable")
    return PriceIndex(table.reset_index(drop=True), daily, currency or known or "EUR", efficiency, notes)


def _row(name: str, hours: int, **figures: float) -> dict[str, object]:
    definition, source = DEFINITIONS[name]
    empty = {"cycles_per_day": np.nan, "per_mw_year": np.nan, "spread_per_mwh": np.nan, "cycles": np.nan}
    words = {"definition": definition, "source": source}
    return {"yardstick": name, "hours": hours} | empty | figures | words


def _efficiency(given: object) -> float:
    value = plain(given)
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0.0 < value <= 1.0:
        found = f"found {show(given)}"
        raise ScenarioError([Finding("wrong_value", "round_trip_efficiency", found, "give a number > 0 and <= 1")])
    return float(value)


def _series_of(prices: object) -> pd.Series:
    """The one series of prices, on its index with a time zone."""
    if isinstance(prices, pd.DataFrame):
        if PRICE not in prices:
            found = f"has the columns {', '.join(map(str, prices.columns))}"
            raise ScenarioError([Finding("missing_column", "prices", found, f"give a column {PRICE}, or a series")])
        prices = prices[PRICE]
    if not isinstance(prices, pd.Series):
        found = f"found {show(prices)}"
        raise ScenarioError([Finding("wrong_value", "prices", found, f"give a series, or a table with {PRICE}")])
    return prices.rename(PRICE)


def _whole_days(prices: pd.Series, time_zone: str | None) -> tuple[pd.Series, Findings]:
    """The prices of whole local days, checked as every series is; a note on what was left out."""
    site = {} if time_zone is None else {"time_zone": time_zone}
    battery = {"power_mw": 1.0, "duration_h": 1.0}
    read = Scenario(battery=battery, site=site, series=prices.to_frame(), strategy="arbitrage")
    series = pd.Series(read.series[PRICE].tz_convert(read.time_zone))
    step = pd.Timedelta(hours=read.step_h)
    if pd.Timedelta(hours=1) % step != pd.Timedelta(0):
        found = f"steps are {read.step_h * 60.0:g} min long"
        expected = "give prices of which a whole number make an hour"
        raise ScenarioError([Finding("wrong_value", "prices", found, expected)])
    stamps = pd.DatetimeIndex(series.index)
    first, last = stamps[0], stamps[-1] + step
    begin = first if first == first.normalize() else first.normalize() + pd.DateOffset(days=1)
    end = last.normalize()
    kept = series[(stamps >= begin) & (stamps < end)]
    if kept.empty:
        found = f"from {first} to {last} there is no whole local day"
        raise ScenarioError([Finding("too_short", "prices", found, "give a day or more, midnight to midnight")])
    left = len(series) - len(kept)
    if not left:
        return kept, Findings([])
    found = f"{left * read.step_h:g} h outside whole local days are left out"
    return kept, Findings([Finding("part_days", "prices", found, "give whole local days", "warning")])


def _spreads(series: pd.Series, step_h: float) -> pd.DataFrame:
    """Mean of the dearest less mean of the cheapest hours of each local day, a column for each number of hours."""
    stamps = pd.DatetimeIndex(series.index)
    groups = series.groupby(stamps.normalize())
    spreads: dict[pd.Timestamp, list[float]] = {}
    for day, values in groups:
        ordered: Array = np.sort(values.to_numpy(dtype=float))
        counts = [round(hours / step_h) for hours in HOURS]
        spreads[day] = [float(ordered[-n:].mean() - ordered[:n].mean()) for n in counts]
    return pd.DataFrame.from_dict(spreads, orient="index", columns=list(HOURS)).rename_axis(index="day")


def _earned(series: pd.Series, step_h: float, size: tuple[int, int], efficiency: float) -> list[dict[str, object]]:
    """What the best plans and the rule earn with a battery of `size`: its hours, and its cycles a day."""
    hours, cycles = size
    one_way = float(np.sqrt(efficiency))
    cells = {"eta_charge": one_way, "eta_discharge": one_way, "soc_min": 0.0, "soc_max": 1.0, "c_rate_max": 10.0}
    battery = {
        "power_mw": 1.0, "duration_h": float(hours), "technology": cells, "soc_start": 0.0, "soc_end": "free",
        "converters": {"ac_to_dc": 1.0, "dc_to_ac": 1.0, "dc_to_dc": 1.0}, "max_cycles_per_day": float(cycles),
    }  # fmt: skip
    stamps = pd.DatetimeIndex(series.index)
    site = {"time_zone": str(stamps.tz)}
    frame, last_of_day = series.to_frame(), np.append(np.diff(day_number(stamps)) != 0, True)
    emptied = frame.assign(energy_max_mwh=np.where(last_of_day, 0.0, float(hours)))
    scale = YEAR_H / (len(series) * step_h)
    ways = ("day_ahead", emptied, optimize), ("perfect_sight", frame, optimize), ("rule", frame, simulate)
    found = []
    for name, columns, operate in ways:
        plan = operate(Scenario(battery=battery, site=site, series=columns, strategy="arbitrage"))
        earned, made = plan.metrics.net_revenue * scale, plan.metrics.cycles_per_day
        found.append(_row(name, hours, cycles_per_day=float(cycles), per_mw_year=earned, cycles=made))
    return found


def price_index_table(found: PriceIndex) -> tuple[list[str], list[list[str]]]:
    """Header and rows of the yardsticks as text."""
    header = ["yardstick", "hours", "cycles a day, at most", "per MW and year", "spread per MWh", "cycles made a day"]
    rows = []
    for row in found.table.to_dict("records"):
        cells = [row["cycles_per_day"], row["per_mw_year"], row["spread_per_mwh"], row["cycles"]]
        texts = ["" if np.isnan(cell) else number(cell) for cell in cells]
        rows.append([str(row["yardstick"]).replace("_", " "), str(row["hours"]), *texts])
    return header, rows
