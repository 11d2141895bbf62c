"""A bill added up step by step with pandas from a tariff's plain tables: a second opinion that shares no code.

Nothing of the package is imported. `holidays` are local dates as text. Amounts are costs, positive when paid.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd


def minutes(edge: Any) -> float:
    """Minutes after midnight of an edge of a window: hours as a number, or "HH:MM"."""
    if isinstance(edge, str):
        hour, minute = edge.split(":")
        return int(hour) * 60 + int(minute)
    return float(edge) * 60


def windows(row: dict[str, Any]) -> list[tuple[float, float]]:
    """The windows of a row as minutes."""
    hours = row.get("hours", [0, 24])
    several = hours if isinstance(hours[0], list | tuple) else [hours]
    return [(minutes(a), minutes(b)) for a, b in several]


def in_months(row: dict[str, Any], at: pd.Timestamp) -> bool:
    """Whether a date lies in the row's part of the year."""
    if "from" in row:
        day, first, last = at.strftime("%m-%d"), row["from"], row["to"]
        return first <= day <= last if first <= last else day >= first or day <= last
    return at.month in row.get("months", range(1, 13))


def on_day(row: dict[str, Any], at: pd.Timestamp, holidays: set[str]) -> bool:
    """Whether a date is of the row's kinds of days."""
    days, of_week = row.get("days", "all"), at.day_of_week
    if isinstance(days, str):
        return {"all": True, "weekday": of_week < 5, "weekend": of_week >= 5}[days]
    if at.strftime("%Y-%m-%d") in holidays:
        return "holiday" in days
    return ("weekday" if of_week < 5 else "saturday" if of_week == 5 else "sunday") in days


def applies(row: dict[str, Any], at: pd.Timestamp, holidays: set[str], *, anywhere: bool = False) -> bool:
    """Whether a step that starts at local `at` belongs to the row; `anywhere` in the year."""
    clock = at.hour * 60 + at.minute
    inside = any(a <= clock < b if a < b else clock >= a or clock < b for a, b in windows(row))
    return inside and on_day(row, at, holidays) and (anywhere or in_months(row, at))


def tiered(tiers: list[list[float]], amount: float) -> float:
    """Marginal tiers over an amount from 0 up."""
    total, low = 0.0, 0.0
    for top, price in tiers:
        total += price * max(min(amount, float(top)) - low, 0.0)
        low = float(top)
    return total


def priced(row: dict[str, Any], amount: float, key: str) -> float:
    """Price or tiers of a row over an amount."""
    return tiered(row["tiers"], amount) if "tiers" in row else row[key] * amount


class Bill:
    """The parts of a bill over the steps of `index`, which is local and tz-aware."""

    def __init__(
        self,
        tariff: dict[str, Any],
        index: pd.DatetimeIndex,
        import_mw: np.ndarray,
        export_mw: np.ndarray,
        series: dict[str, np.ndarray] | None = None,
        holidays: set[str] = frozenset(),
    ) -> None:
        self.tariff, self.index, self.holidays = tariff, list(index), set(holidays)
        self.step = index[1] - index[0]
        self.h = self.step / pd.Timedelta(hours=1)
        self.bought, self.sold, self.series = np.asarray(import_mw), np.asarray(export_mw), series or {}
        self.month_of = [(t.year, t.month) for t in self.index]
        self.months = sorted(set(self.month_of))
        self.years = sorted({y for y, _ in self.months})
        self.energy = dict.fromkeys(self.months, 0.0)
        self.demand = dict.fromkeys(self.months, 0.0)
        self.overrun = dict.fromkeys(self.months, 0.0)
        self.outside = self.outside_overrun = 0.0
        if tariff.get("net_metering"):
            self._net_metering()
        else:
            self._energy()
        for row in tariff.get("demand", []):
            self._demand(row)
        self._month_charges()

    @property
    def total(self) -> float:
        """Everything: what the site pays."""
        return (
            sum(self.energy.values()) + sum(self.demand.values()) + sum(self.overrun.values()) + self.outside
            + self.outside_overrun + self.fixed + self.minimum + self.credits
        )  # fmt: skip

    def lines(self) -> dict[str, float]:
        """The parts by the names that the metrics have."""
        return {
            "energy_revenue": -sum(self.energy.values()),
            "demand_charges": sum(self.demand.values()) + self.outside,
            "overrun_charges": sum(self.overrun.values()) + self.outside_overrun,
            "fixed_charges": self.fixed,
            "minimum_charges": self.minimum,
            "credits": self.credits,
        }

    # ------------------------------------------------------------------------------------------------ energy

    def _rows(self, direction: str) -> list[dict[str, Any]]:
        return [r for r in self.tariff.get("energy", []) if r.get("direction", "import") == direction]

    def _energy(self) -> None:
        export, both = self.tariff.get("export", "same"), self.series.get("price_per_mwh")
        selling = self._rows("export")
        own = self.series.get("export_price_per_mwh")
        counted: dict[tuple[int, Any], float] = {}
        first: dict[int, Any] = {}
        for i, at in enumerate(self.index):
            bought, sold = self.bought[i] * self.h, self.sold[i] * self.h
            base = (
                both[i] if both is not None else self.series.get("import_price_per_mwh", np.zeros(len(self.index)))[i]
            )
            cost = base * bought + self._through(self._rows("import"), at, bought, counted, first)
            stated = own is not None or selling or not isinstance(export, str)
            if stated:
                cost -= own[i] * sold if own is not None else 0.0
                cost -= export * sold if not isinstance(export, str) else 0.0
                cost -= self._through(selling, at, sold, counted, first) if selling else 0.0
            elif export == "same":
                rate = sum(r["price_per_mwh"] for r in self._rows("import") if applies(r, at, self.holidays))
                cost -= (base + rate) * sold
            self.energy[self.month_of[i]] += cost

    def _through(self, rows: list[dict[str, Any]], at: pd.Timestamp, mwh: float, counted: dict, first: dict) -> float:
        """What a step's energy costs under the one row that applies, on the row's counter."""
        here = [r for r in rows if applies(r, at, self.holidays)]
        if not rows:
            return 0.0
        (row,) = here
        if "tiers" not in row:
            return row["price_per_mwh"] * mwh
        period = (at.year, at.month, at.day) if row.get("tier_period", "month") == "day" else (at.year, at.month)
        start = self.index[0]
        begun = (start.year, start.month, start.day)[: len(period)]
        before = counted.setdefault((id(row), period), row.get("used_mwh", 0.0) if period == begun else 0.0)
        counted[id(row), period] = before + mwh
        return tiered(row["tiers"], before + mwh) - tiered(row["tiers"], before)

    def _net_metering(self) -> None:
        export = self.tariff.get("export", "same")
        for row in self._rows("import"):
            surplus = row["price_per_mwh"] if export == "same" else 0.0 if export == "none" else export

            def money(net: float, row: dict[str, Any] = row, surplus: float = surplus) -> float:
                return priced(row, net, "price_per_mwh") if net > 0 else surplus * net

            for month in self.months:
                net = sum(
                    (self.bought[i] - self.sold[i]) * self.h
                    for i, at in enumerate(self.index)
                    if self.month_of[i] == month and applies(row, at, self.holidays)
                )
                before = row.get("used_mwh", 0.0) if month == self.months[0] else 0.0
                self.energy[month] += money(before + net) - money(before)

    # ------------------------------------------------------------------------------------------------ demand

    def _intervals(self, row: dict[str, Any]) -> list[list[int]]:
        """Steps of each billing interval: multiples of the local clock, begun anew at each change of it."""
        length = row.get("interval_min") or self.step / pd.Timedelta(minutes=1)
        found: list[list[int]] = []
        last = None
        for i, at in enumerate(self.index):
            place = (at.date(), at.utcoffset(), (at.hour * 60 + at.minute) // length)
            if place != last:
                found.append([])
            found[-1].append(i)
            last = place
        return found

    def _peak(self, row: dict[str, Any], chosen: Any, incurred: list[float]) -> float:
        """Highest mean, or mean of the n highest, over the intervals whose first step `chosen` takes."""
        means = [
            (self.index[steps[0]].date(), float(np.mean(self.bought[steps])))
            for steps in self._intervals(row)
            if applies(row, self.index[steps[0]], self.holidays, anywhere=True) and chosen(self.index[steps[0]])
        ]
        peaks = row.get("peaks")
        if peaks is None:
            return max([0.0, *(m for _, m in means), *incurred])
        values = [m for _, m in means]
        if peaks.get("distinct") == "day":
            of_day: dict[Any, float] = {}
            for day, mean in means:
                of_day[day] = max(of_day.get(day, 0.0), mean)
            values = list(of_day.values())
        best = sorted([*values, *incurred], reverse=True)[: peaks["n"]]
        return float(np.mean(best)) if best else 0.0

    def _demand(self, row: dict[str, Any]) -> None:
        if "coincident" in row:
            self._coincident(row)
            return
        given = row.get("incurred_mw", 0.0)
        incurred = list(given) if isinstance(given, list | tuple) else [given] if given else []
        period, least = row.get("period", "month"), row.get("minimum_mw", 0.0)
        if period == "year":
            for year in self.years:
                peak = self._peak(
                    row,
                    lambda t, y=year: t.year == y and in_months(row, t),
                    incurred if year == self.years[0] else [],
                )
                whole, over = self._charge(row, max(peak, least))
                self.outside += 12 * whole
                self.outside_overrun += 12 * over
        elif period == "horizon":
            peak = self._peak(row, lambda t: in_months(row, t), incurred)
            whole, over = self._charge(row, max(peak, least))
            hours = sum(self.h for t in self.index if in_months(row, t))
            self.outside += hours / 730.5 * whole
            self.outside_overrun += hours / 730.5 * over
        else:
            self._monthly(row, incurred, least, rolling=period == "rolling_12")

    def _monthly(self, row: dict[str, Any], incurred: list[float], least: float, *, rolling: bool) -> None:
        number = {month: month[0] * 12 + month[1] - 1 for month in self.months}
        start = number[self.months[0]]
        ratchet = row.get("ratchet")
        history = row.get("history_mw", (ratchet or {}).get("history_mw", []))
        measured = {start - len(history) + k: float(p) for k, p in enumerate(history)}
        for month in self.months:
            measured[number[month]] = self._peak(
                row, lambda t, m=month: (t.year, t.month) == m, incurred if month == self.months[0] else []
            )
        for month in self.months:
            k = number[month]
            if not in_months(row, pd.Timestamp(month[0], month[1], 15)):
                continue
            peak = measured[k]
            if rolling:
                peak = max(measured.get(j, 0.0) for j in range(k - 11, k + 1))
            if ratchet is not None:
                named = ratchet.get("named_months", range(1, 13))
                before = [
                    measured.get(j, 0.0) for j in range(k - ratchet.get("months", 11), k) if j % 12 + 1 in named
                ]
                peak = max([peak, *(ratchet["share"] * b for b in before)])
            whole, over = self._charge(row, max(peak, least))
            share = 1.0
            if row.get("part_months") == "share" and not rolling:
                share = self._share(month)
            self.demand[month] += share * whole
            self.overrun[month] += share * over

    def _share(self, month: tuple[int, int]) -> float:
        zone = self.index[0].tz
        begin = pd.Timestamp(month[0], month[1], 1)
        whole = (begin + pd.offsets.MonthBegin(1)).tz_localize(zone) - begin.tz_localize(zone)
        return self.month_of.count(month) * self.step / whole

    def _charge(self, row: dict[str, Any], peak: float) -> tuple[float, float]:
        """(charge, overrun) of a billed peak for one month."""
        if "contracted_mw" in row:
            held = row["contracted_mw"]
            return row["price_per_mw_month"] * held, row["overrun_price_per_mw_month"] * max(peak - held, 0.0)
        return priced(row, peak, "price_per_mw_month"), 0.0

    def _coincident(self, row: dict[str, Any]) -> None:
        for stamp in row["coincident"]:
            for steps in self._intervals(row):
                if self.index[steps[0]] <= pd.Timestamp(stamp) < self.index[steps[-1]] + self.step:
                    mean = float(np.mean(self.bought[steps]))
                    self.demand[self.month_of[steps[0]]] += priced(row, mean, "price_per_mw_month")

    # ------------------------------------------------------------------------------------- charges of the month

    def _month_charges(self) -> None:
        tariff = self.tariff
        each, least, keep = (tariff.get(k) for k in ("fixed_per_month", "minimum_per_month", "credit_months"))
        self.fixed = (each or 0.0) * len(self.months)
        self.minimum = self.credits = 0.0
        earlier = tariff.get("credit_so_far", [])
        number = {month: month[0] * 12 + month[1] - 1 for month in self.months}
        start = number[self.months[0]]
        pool = {start - len(earlier) + k: float(c) for k, c in enumerate(earlier)}
        for month in self.months:
            k = number[month]
            due = self.energy[month] + self.demand[month] + self.overrun[month] + (each or 0.0)
            due += tariff.get("billed_so_far", 0.0) if month == self.months[0] else 0.0
            if keep is not None:
                if due < 0.0:
                    pool[k] = -due
                    self.credits += -due
                    due = 0.0
                for origin in sorted(pool):
                    if k - keep <= origin < k:
                        used = min(pool[origin], max(due - (least or 0.0), 0.0))
                        pool[origin] -= used
                        due -= used
                        self.credits -= used
            if least is not None:
                self.minimum += max(least - due, 0.0)
