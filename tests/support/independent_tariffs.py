"""The least bill that a battery can reach under a tariff: an exact mixed-integer program, written once more.

Nothing of the package is imported. Every direction is a binary in every step, every tier a block with a binary of
its own, every peak an epigraph, and SciPy's own copy of HiGHS solves the whole at gap 0. The calendar and the
intervals are those of `bill_by_hand`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import scipy.optimize as so
import scipy.sparse as sp

from support.bill_by_hand import applies, in_months

Terms = dict[int, float]  # column -> factor
FAR = 1e7


@dataclass
class Program:
    """min cost·x with rows low <= A x <= high, built term by term; `fixed` is a cost whatever x is."""

    cost: list[float] = field(default_factory=list)
    lower: list[float] = field(default_factory=list)
    upper: list[float] = field(default_factory=list)
    whole: list[int] = field(default_factory=list)
    rows: list[tuple[Terms, float, float]] = field(default_factory=list)

    def column(self, lower: float = 0.0, upper: float = np.inf, *, binary: bool = False) -> int:
        """A new column."""
        self.cost.append(0.0)
        self.lower.append(lower)
        self.upper.append(1.0 if binary else upper)
        self.whole.append(int(binary))
        return len(self.cost) - 1

    def row(self, terms: Terms, low: float, high: float) -> None:
        """A new row."""
        self.rows.append((terms, low, high))

    def value_of(self, terms: Terms, constant: float = 0.0) -> int:
        """A free column that equals an expression."""
        made = self.column(-np.inf)
        self.row({made: 1.0} | {c: -f for c, f in terms.items()}, constant, constant)
        return made

    def at_least(self, column: int, terms: Terms, constant: float = 0.0) -> None:
        """column >= expression."""
        self.row({column: 1.0} | {c: -f for c, f in terms.items()}, constant, np.inf)

    def tiered(
        self, amount: int, tiers: list[list[float]], most: float, below: tuple[float, float] = (0.0, 0.0)
    ) -> int:
        """What an amount up to `most` costs in blocks; `below` is (how far under 0 it may be, the price there)."""
        blocks: Terms = {}
        paid: Terms = {}
        start, last = -below[0], None
        for top, price in [[0.0, below[1]], *tiers]:
            end = min(float(top), most)
            if end <= start and not (top == 0.0 and below[0]):
                continue
            block = self.column(0.0, end - start)
            if last is not None:  # a block is open only once the one before is full
                full = self.column(binary=True)
                self.row({block: 1.0, full: -(end - start)}, -np.inf, 0.0)
                self.row({last[0]: 1.0, full: -last[1]}, 0.0, np.inf)
            blocks[block], paid[block] = 1.0, price
            last, start = (block, end - start), end
        self.row({amount: 1.0} | dict.fromkeys(blocks, -1.0), -below[0], -below[0])
        return self.value_of(paid, -below[0] * below[1])

    def solved(self) -> float:
        """The least cost."""
        entries = [(r, c, f) for r, (terms, _, _) in enumerate(self.rows) for c, f in terms.items()]
        r, c, f = zip(*entries, strict=True)
        matrix = sp.csr_array((f, (r, c)), shape=(len(self.rows), len(self.cost)))
        for presolve in (True, False):
            found = so.milp(
                np.array(self.cost),
                integrality=np.array(self.whole),
                bounds=so.Bounds(np.array(self.lower), np.array(self.upper)),
                constraints=so.LinearConstraint(matrix, [low for _, low, _ in self.rows], [h for *_, h in self.rows]),
                options={"mip_rel_gap": 0.0, "presolve": presolve},
            )
            if found.status == 0:
                return float(found.fun)
        raise AssertionError(found.message)


class LeastBill:
    """The program of a tariff over a series with `load_mw`, `solar_mw` and prices, for a battery of plain numbers."""

    def __init__(self, tariff: dict[str, Any], series: pd.DataFrame, battery: dict[str, Any], off: set[str]) -> None:
        self.tariff, self.series, self.off = tariff, series, off
        self.at = list(series.index)
        self.n = len(self.at)
        self.h = (self.at[1] - self.at[0]) / pd.Timedelta(hours=1)
        self.month = [t.year * 12 + t.month - 1 for t in self.at]
        self.months = sorted(set(self.month))
        self.p = Program()
        self.energy: dict[int, list[tuple[Terms, float]]] = {m: [] for m in self.months}
        self.monthly: dict[int, list[tuple[Terms, float]]] = {m: [] for m in self.months}
        self.apart: list[tuple[Terms, float]] = []
        self._plant(battery)
        self._energy()
        for row in tariff.get("demand", []):
            self._demand(row)
        self._months()

    @property
    def total(self) -> float:
        """The least bill."""
        return self.p.solved() + self.constant

    def _plant(self, battery: dict[str, Any]) -> None:
        p, n, power = self.p, self.n, battery["power_mw"]
        tech = battery["technology"]
        size = power * battery["duration_h"]
        low, high, start = tech["soc_min"] * size, tech["soc_max"] * size, battery["soc_start"] * size
        load, sun = self.series["load_mw"].to_numpy(), self.series["solar_mw"].to_numpy()
        self.most_in, self.most_out = load + power, sun + power
        new = lambda upper: [p.column(0.0, float(u)) for u in np.broadcast_to(upper, n)]  # noqa: E731
        charge, discharge, thrown = new(power), new(power), new(sun)
        self.bought, self.sold = new(self.most_in), new(self.most_out)
        stored = [p.column(low if t < n - 1 else max(low, start), high) for t in range(n)]
        for t in range(n):
            before = {stored[t - 1]: -1.0} if t else {}
            side = 0.0 if t else start
            gain, drain = -self.h * tech["eta_charge"], self.h / tech["eta_discharge"]
            p.row({stored[t]: 1.0, charge[t]: gain, discharge[t]: drain} | before, side, side)
            net = float(load[t] - sun[t])
            p.row(
                {self.bought[t]: 1.0, discharge[t]: 1.0, charge[t]: -1.0, self.sold[t]: -1.0, thrown[t]: -1.0},
                net,
                net,
            )
            for one, other, m1, m2 in (
                (charge[t], discharge[t], power, power),
                (self.bought[t], self.sold[t], self.most_in[t], self.most_out[t]),
            ):
                way = p.column(binary=True)
                p.row({one: 1.0, way: -float(m1)}, -np.inf, 0.0)
                p.row({other: 1.0, way: float(m2)}, -np.inf, float(m2))

    # ------------------------------------------------------------------------------------------------ energy

    def _rows(self, direction: str) -> list[dict[str, Any]]:
        return [r for r in self.tariff.get("energy", []) if r.get("direction", "import") == direction]

    def _mine(self, row: dict[str, Any]) -> list[int]:
        return [t for t in range(self.n) if applies(row, self.at[t], self.off)]

    def _energy(self) -> None:
        export, series = self.tariff.get("export", "same"), self.series
        if self.tariff.get("net_metering"):
            self._netting(export)
            return
        both, own_in, own_out = (
            series[k].to_numpy() if k in series else None
            for k in ("price_per_mwh", "import_price_per_mwh", "export_price_per_mwh")
        )
        buy = both if both is not None else own_in if own_in is not None else np.zeros(self.n)
        self._linear(self.bought, buy, 1.0)
        self._through(self._rows("import"), self.bought, self.most_in, 1.0)
        selling = self._rows("export")
        if own_out is not None or selling or not isinstance(export, str):
            self._linear(self.sold, own_out if own_out is not None else np.zeros(self.n), -1.0)
            self._linear(self.sold, np.full(self.n, 0.0 if isinstance(export, str) else export), -1.0)
            self._through(selling, self.sold, self.most_out, -1.0)
        elif export == "same":
            rate = np.zeros(self.n)
            for row in self._rows("import"):
                rate[self._mine(row)] = row["price_per_mwh"]
            self._linear(self.sold, buy + rate, -1.0)

    def _linear(self, flow: list[int], price: np.ndarray, sign: float) -> None:
        for m in self.months:
            here = {flow[t]: sign * self.h * float(price[t]) for t in range(self.n) if self.month[t] == m}
            self.energy[m].append((here, 0.0))

    def _through(self, rows: list[dict[str, Any]], flow: list[int], most: np.ndarray, sign: float) -> None:
        for row in rows:
            mine = self._mine(row)
            if "tiers" not in row:
                price = np.zeros(self.n)
                price[mine] = row["price_per_mwh"]
                self._linear(flow, price, sign)
                continue
            day = row.get("tier_period", "month") == "day"
            period = lambda t, day=day: self.at[t].date() if day else self.month[t]  # noqa: E731
            for one in sorted({period(t) for t in mine}):
                steps = [t for t in mine if period(t) == one]
                used = row.get("used_mwh", 0.0) if one == period(0) else 0.0
                amount = self.p.value_of({flow[t]: self.h for t in steps}, used)
                reach = used + self.h * float(most[steps].sum()) + 1.0
                paid = self.p.tiered(amount, row["tiers"], reach)
                self.energy[self.month[steps[0]]].append(({paid: sign}, -sign * tiered_at(row["tiers"], used)))

    def _netting(self, export: Any) -> None:
        for row in self._rows("import"):
            tiers = row.get("tiers") or [[np.inf, row.get("price_per_mwh", 0.0)]]
            surplus = row.get("price_per_mwh") if export == "same" else 0.0 if export == "none" else export
            for m in self.months:
                steps = [t for t in self._mine(row) if self.month[t] == m]
                if not steps:
                    continue
                used = row.get("used_mwh", 0.0) if m == self.months[0] else 0.0
                flows = {self.bought[t]: self.h for t in steps} | {self.sold[t]: -self.h for t in steps}
                amount = self.p.value_of(flows, used)
                up = max(used, 0.0) + self.h * float(self.most_in[steps].sum()) + 1.0
                down = max(-used, 0.0) + self.h * float(self.most_out[steps].sum()) + 1.0
                paid = self.p.tiered(amount, tiers, up, (down, surplus))
                before = tiered_at(tiers, used) if used > 0 else surplus * used
                self.energy[m].append(({paid: 1.0}, -before))

    # ------------------------------------------------------------------------------------------------ demand

    def _intervals(self, row: dict[str, Any]) -> list[list[int]]:
        length = row.get("interval_min") or self.h * 60
        found: list[list[int]] = []
        last = None
        for t, at in enumerate(self.at):
            place = (at.date(), at.utcoffset(), (at.hour * 60 + at.minute) // length)
            if place != last:
                found.append([])
            found[-1].append(t)
            last = place
        return found

    def _mean(self, steps: list[int]) -> Terms:
        return {self.bought[t]: 1.0 / len(steps) for t in steps}

    def _peak(self, row: dict[str, Any], of_year: bool, chosen: Any, known: list[float]) -> int:
        """A column that is at least the peak (or mean of the n highest) of the chosen intervals."""
        spans = [
            steps
            for steps in self._intervals(row)
            if applies(row, self.at[steps[0]], self.off, anywhere=not of_year) and chosen(self.at[steps[0]])
        ]
        peak = self.p.column()
        several = row.get("peaks")
        if several is None:
            for steps in spans:
                self.p.at_least(peak, self._mean(steps))
            for mw in known:
                self.p.at_least(peak, {}, mw)
            return peak
        groups: dict[Any, list[list[int]]] = {}
        for k, steps in enumerate(spans):
            groups.setdefault(self.at[steps[0]].date() if several.get("distinct") else k, []).append(steps)
        tops = []
        for group in groups.values():
            tops.append(self.p.column())
            for steps in group:
                self.p.at_least(tops[-1], self._mean(steps))
        tops += [self.p.column(mw, mw) for mw in known]
        n = min(several["n"], len(tops))
        if n:
            level, over = self.p.column(), {}
            for top in tops:
                above = self.p.column()
                self.p.at_least(above, {top: 1.0, level: -1.0})
                over[above] = 1.0 / n
            self.p.at_least(peak, {level: 1.0} | over)
        return peak

    def _charged(self, row: dict[str, Any], sources: list[tuple[int, float]], floor: float) -> tuple[Terms, float]:
        """What a billed peak costs for one month: terms and a constant."""
        billed = self.p.column(floor, FAR)
        for peak, share in sources:
            self.p.at_least(billed, {peak: share})
        if "contracted_mw" in row:
            over = self.p.column()
            self.p.at_least(over, {billed: 1.0}, -row["contracted_mw"])
            price = row["overrun_price_per_mw_month"]
            return {over: price}, row["price_per_mw_month"] * row["contracted_mw"]
        if "tiers" not in row:
            return {billed: row["price_per_mw_month"]}, 0.0
        most = max([floor, float(self.most_in.max()), *(self.p.lower[peak] for peak, _ in sources), 40.0])
        self.p.upper[billed] = most
        return {self.p.tiered(billed, row["tiers"], most): 1.0}, 0.0

    def _demand(self, row: dict[str, Any]) -> None:
        if "coincident" in row:
            self._coincident(row)
            return
        given = row.get("incurred_mw", 0.0)
        known = list(given) if isinstance(given, list) else [given] if given else []
        period, least = row.get("period", "month"), row.get("minimum_mw", 0.0)
        if period in ("year", "horizon"):
            years = sorted({t.year for t in self.at})
            for year in years if period == "year" else years[:1]:
                chosen = (lambda t, y=year: t.year == y) if period == "year" else (lambda _t: True)
                peak = self._peak(row, True, chosen, known if year == years[0] else [])
                hours = sum(self.h for t in self.at if in_months(row, t))
                times = 12.0 if period == "year" else hours / 730.5
                terms, fixed = self._charged(row, [(peak, 1.0)], least)
                self.apart.append(({c: f * times for c, f in terms.items()}, fixed * times))
            return
        self._monthly(row, known, least, rolling=period == "rolling_12")

    def _monthly(self, row: dict[str, Any], known: list[float], least: float, *, rolling: bool) -> None:
        ratchet, first = row.get("ratchet"), self.months[0]
        history = row.get("history_mw") or (ratchet or {}).get("history_mw") or []
        past = {first - len(history) + k: float(mw) for k, mw in enumerate(history)}
        peaks = {
            m: self._peak(row, False, lambda t, m=m: t.year * 12 + t.month - 1 == m, known if m == first else [])
            for m in self.months
        }
        for m in self.months:
            if not in_months(row, pd.Timestamp(m // 12, m % 12 + 1, 15)):
                continue
            looks = [(1.0, 11, range(1, 13))] if rolling else []
            if ratchet:
                looks.append((ratchet["share"], ratchet.get("months", 11), ratchet.get("named_months", range(1, 13))))
            sources, floor = [(peaks[m], 1.0)], least
            for share, back, named in looks:
                sources += [(peaks[k], share) for k in self.months if m - back <= k < m and k % 12 + 1 in named]
                floor = max([floor, *(share * mw for k, mw in past.items() if m - back <= k and k % 12 + 1 in named)])
            terms, fixed = self._charged(row, sources, floor)
            part = self._share(m) if row.get("part_months") == "share" and not rolling else 1.0
            self.monthly[m].append(({c: f * part for c, f in terms.items()}, fixed * part))

    def _share(self, month: int) -> float:
        begin = pd.Timestamp(month // 12, month % 12 + 1, 1)
        zone = self.at[0].tz
        whole = (begin + pd.offsets.MonthBegin(1)).tz_localize(zone) - begin.tz_localize(zone)
        return self.month.count(month) * self.h / (whole / pd.Timedelta(hours=1))

    def _coincident(self, row: dict[str, Any]) -> None:
        for stamp in row["coincident"]:
            for steps in self._intervals(row):
                if self.at[steps[0]] <= pd.Timestamp(stamp) < self.at[steps[-1]] + pd.Timedelta(hours=self.h):
                    mean = self.p.value_of(self._mean(steps))
                    terms, fixed = self._charged(row, [(mean, 1.0)], 0.0)
                    self.monthly[self.month[steps[0]]].append((terms, fixed))

    # ------------------------------------------------------------------------------------------------ the month

    def _pay(self, terms: Terms, constant: float = 0.0) -> None:
        for column, factor in terms.items():
            self.p.cost[column] += factor
        self.constant += constant

    def _months(self) -> None:
        tariff, p = self.tariff, self.p
        each, least, keep = (tariff.get(k) for k in ("fixed_per_month", "minimum_per_month", "credit_months"))
        self.constant = 0.0
        for terms, fixed in self.apart:
            self._pay(terms, fixed)
        sums: dict[int, tuple[Terms, float]] = {}
        for m in self.months:
            terms, constant = {}, float(each or 0.0)
            for part, fixed in [*self.energy[m], *self.monthly[m]]:
                for column, factor in part.items():
                    terms[column] = terms.get(column, 0.0) + factor
                constant += fixed
            self._pay(terms, constant)
            sums[m] = terms, constant + (tariff.get("billed_so_far", 0.0) if m == self.months[0] else 0.0)
        if least is None and keep is None:
            return
        earlier, first = tariff.get("credit_so_far", []), self.months[0]
        left: dict[int, Terms | float] = {first - len(earlier) + k: float(c) for k, c in enumerate(earlier)}
        used: dict[int, Terms] = {origin: {} for origin in left}
        for m in self.months:
            due = p.value_of(*sums[m])
            net: Terms = {due: 1.0}
            if keep is not None:
                above, below, is_credit = p.column(), p.column(), p.column(binary=True)
                p.row({due: 1.0, above: -1.0, below: 1.0}, 0.0, 0.0)
                p.row({above: 1.0, is_credit: FAR}, -np.inf, FAR)
                p.row({below: 1.0, is_credit: -FAR}, -np.inf, 0.0)
                self._pay({below: 1.0})
                net = {above: 1.0}
                for origin in left:
                    if m - keep <= origin < m:
                        use = p.column()
                        used[origin][use] = 1.0
                        self._pay({use: -1.0})
                        net[use] = -1.0
                left[m], used[m] = {below: 1.0}, {}
            topped = p.column(0.0, np.inf if least is not None else 0.0)
            p.row(net | {topped: 1.0}, float(least or 0.0), np.inf) if keep is not None or least is not None else None
            self._pay({topped: 1.0})
        for origin, stock in left.items():
            if used[origin]:
                stated = stock if isinstance(stock, float) else 0.0
                taken = {} if isinstance(stock, float) else {c: -f for c, f in stock.items()}
                p.row(used[origin] | taken, -np.inf, stated)


def tiered_at(tiers: list[list[float]], amount: float) -> float:
    """Cost of a known amount."""
    total, low = 0.0, 0.0
    for top, price in tiers:
        total += price * max(min(amount, float(top)) - low, 0.0)
        low = float(top)
    return total
