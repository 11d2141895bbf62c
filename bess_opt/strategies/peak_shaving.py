"""Peak shaving: lower what a load pays for energy and for its highest demand.

Optimal twin: least bill: maximise the whole ledger, energy at import and export prices less Σ price·billed
peak over the tariff's demand rows (mean import of billing intervals, windows, minimum, incurred peak,
ratchet, coincident times), variable operating cost, wear and unserved load. Score: the bill, −net revenue;
less is better.

Rule twin: a demand target per billing period. Above it the battery discharges; below it recharges, up to the
target, while the price is in the cheapest quarter of its day. The target is `target_mw` or what the last seven days
would have allowed, and never below what the period is billed anyway: it rises when it is broken.

Use it for a load with demand charges, with or without PV. When not to use: without demand rows, where
`self_consumption` and `arbitrage` say the same more plainly.
"""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
import pandas as pd

from bess_opt.common.arrays import Array
from bess_opt.common.findings import Finding
from bess_opt.common.input_table import Number, Table, quantity
from bess_opt.inputs.tariff import DemandRate, Tariff
from bess_opt.models.ledger import money_terms
from bess_opt.plant.billing import billing_of
from bess_opt.plant.billing.demand import NO_DEMAND, Demand
from bess_opt.plant.billing.intervals import Intervals
from bess_opt.plant.ledger import net_revenue
from bess_opt.plant.plant import Plant
from bess_opt.plant.rule import Rule, State
from bess_opt.strategies.shared.contract import Objective, Strategy, no_checks
from bess_opt.strategies.shared.rule_parts import LAST_H, balancing, meeting_end

INFINITE = float("inf")
DAYS_KNOWN = 7  # days before the present one from which the rule guesses its target


class PeakShavingOptions(Table):
    """Options of `peak_shaving`."""

    target_mw: Annotated[
        Number | None,
        quantity(
            "mean import that the rule holds in each period until it is broken; default: what the battery "
            "could have held on the last seven days",
            "MW",
            ge=0,
        ),
    ] = None


def notes(plant: Plant, _options: PeakShavingOptions) -> list[Finding]:
    """Whether there is a demand charge at all."""
    if plant.billing is not None and plant.billing.demand.charges:
        return []
    expected = "the optimum lowers the energy bill alone; add [[tariff.demand]] rows"
    return [Finding("no_demand_charge", "tariff.demand", "no row is stated", expected, "warning")]


def build(m: Any, _plant: Plant, _options: PeakShavingOptions) -> Sequence[Objective]:
    """max Σ ledger, of which the demand charges."""
    return [money_terms(m)]


def rule(plant: Plant, options: PeakShavingOptions) -> Rule:
    """Hold the import at the target; under it, recharge while the price is low.

    In the last 24 hours the price no longer matters below the energy that `soc_end` asks for.
    """
    needed, watch, low = balancing(plant), DemandWatch(plant, options), _cheap(plant).tolist()
    last_hours, end = plant.steps - round(LAST_H / plant.step_h), plant.together.end_min_mwh

    def decide(state: State) -> float:
        t = state.step
        power = needed(t, -watch.allowed_mw(t, state.last_grid_mw))
        if power >= 0.0:
            return power
        if state.import_price <= low[t] or (t >= last_hours and state.energy_mwh < end):
            return max(power, -state.charge_room_mw)
        surplus = needed(t, 0.0) if state.export_price <= low[t] else 0.0
        return min(max(power, surplus), 0.0)

    return meeting_end(plant, decide)


def _cheap(plant: Plant) -> Array:
    """Lower quartile of the import price on each step's local day, published before the day begins."""
    days = pd.Series(plant.import_price).groupby(plant.day)
    cheap: Array = days.quantile(0.25, interpolation="lower").to_numpy()[plant.day]
    return cheap


class DemandWatch:
    """What the rule knows of the demand charges while the steps go by.

    Per billing interval: the import so far, so that a step may still take what its interval's mean leaves. Per
    measured peak: what it has reached, and up to where it costs nothing more: what is billed anyway (floors, shares
    of earlier peaks, contracted power, a free tier), or where several days count the least of them.
    """

    def __init__(self, plant: Plant, options: PeakShavingOptions) -> None:
        self._demand = demand = plant.billing.demand if plant.billing is not None else NO_DEMAND
        if not demand.charges:
            self._demand = demand = _unpriced(plant)
        intervals = demand.intervals
        self._node, self._length = demand.node.tolist(), intervals.length.tolist()
        self._end = (intervals.first + intervals.length).tolist()
        self._sum = [0.0] * len(self._node)
        self._covering = _covering(intervals, plant.steps)
        self._reached = [0.0] * demand.nodes
        self._peak_of = {node: p for p, peak in enumerate(demand.peaks) for node in peak.nodes}
        self._billed = [max(charge.floor_mw, charge.free_mw) for charge in demand.charges]
        self._bills: list[list[tuple[int, float]]] = [[] for _ in demand.peaks]
        self._own: dict[int, int] = {}
        for c, charge in enumerate(demand.charges):
            self._own[charge.sources[0][0]] = c
            for p, share in charge.sources:
                self._bills[p].append((c, share))
        # (mean, node) of the n + 1 highest of each peak; what is known from before has no node.
        self._highest = [
            [(mw, -1) for mw in sorted(peak.known_mw, reverse=True)[: peak.counted + 1]] for peak in demand.peaks
        ]
        self._free: list[float | None] = [None] * demand.nodes  # kept until a peak is higher
        for p in range(len(demand.peaks)):
            self._raise_bills(p)
        row = np.array([demand.peaks[self._peak_of[node]].row for node in self._node])
        guesses = {int(r): _guess(plant, intervals.at(row == r), options) for r in set(row)}
        self._guess = [guesses[r] for r in row.tolist()]

    def allowed_mw(self, t: int, last_grid_mw: float) -> float:
        """Most import in step t that breaks no target; infinite where no interval is measured."""
        if t:
            self._book(t - 1, -last_grid_mw if last_grid_mw < 0.0 else 0.0)
        allowed = INFINITE
        for i in self._covering[t]:
            node = self._node[i]
            free, guess = self._free[node], self._guess[i][t]
            if free is None:
                free = self._free[node] = self._free_mw(node)
            target = guess if guess > free else free
            left = (target * self._length[i] - self._sum[i]) / (self._end[i] - t)
            if left < allowed:
                allowed = left
        return allowed if allowed > 0.0 else 0.0

    def _book(self, t: int, import_mw: float) -> None:
        for i in self._covering[t]:
            self._sum[i] += import_mw
            if self._end[i] == t + 1:
                node, mean = self._node[i], self._sum[i] / self._length[i]
                if mean > self._reached[node]:
                    self._reached[node] = mean
                    self._update(self._peak_of[node], node)

    def _update(self, p: int, node: int) -> None:
        """What a node has reached raises what is billed, in its own period and in those that look back to it."""
        n = self._demand.peaks[p].counted
        highest = [pair for pair in self._highest[p] if pair[1] != node]
        bisect.insort(highest, (self._reached[node], node), key=lambda pair: -pair[0])
        self._highest[p] = highest[: n + 1]
        self._free = [None] * self._demand.nodes
        self._raise_bills(p)

    def _raise_bills(self, p: int) -> None:
        n = self._demand.peaks[p].counted
        if n:
            mean = sum(mw for mw, _ in self._highest[p][:n]) / n
            for c, share in self._bills[p]:
                self._billed[c] = max(self._billed[c], share * mean)

    def _free_mw(self, node: int) -> float:
        """Up to where the highest mean of a node raises no bill.

        That is what its period is billed anyway; in one that bills nothing, the least of what those are billed that
        look back to it. Where a mean of n peaks is billed it is also the least of the n, and the others count.
        """
        p = self._peak_of[node]
        if p in self._own:
            most = self._billed[self._own[p]]
        else:
            most = min((self._billed[c] / share for c, share in self._bills[p] if share), default=INFINITE)
        n, reached = self._demand.peaks[p].counted, self._reached[node]
        if n == 1 or most == INFINITE:
            return max(most, reached)
        others = [mw for mw, of in self._highest[p] if of != node]
        least = others[n - 1] if len(others) >= n else 0.0
        return max(reached, least, min(most, n * most - sum(others[: n - 1])))


def _covering(intervals: Intervals, steps: int) -> list[list[int]]:
    """Numbers of the billing intervals that each step lies in."""
    covering: list[list[int]] = [[] for _ in range(steps)]
    interval = np.repeat(np.arange(len(intervals.first)), intervals.length)
    before = np.cumsum(intervals.length) - intervals.length
    within = np.arange(len(interval)) - np.repeat(before, intervals.length)
    for t, i in zip((intervals.first[interval] + within).tolist(), interval.tolist(), strict=True):
        covering[t].append(i)
    return covering


def _unpriced(plant: Plant) -> Demand:
    """Months measured step by step, where the tariff has no demand row."""
    alike = Tariff(demand=(DemandRate(price_per_mw_month=1.0),))
    return billing_of(alike, {}, plant.index, plant.step_h).demand


def _guess(plant: Plant, of_row: Intervals, options: PeakShavingOptions) -> list[float]:
    """Target of a row at each step: stated, else the highest level of the last days, else today's mean."""
    if options.target_mw is not None:
        return [options.target_mw] * plant.steps
    marks = np.zeros(plant.steps + 1)
    np.add.at(marks, of_row.first, 1.0)
    np.add.at(marks, of_row.first + of_row.length, -1.0)
    inside = np.cumsum(marks[:-1]) > 0
    net = np.where(inside, _net_import(plant), -np.inf)
    before = pd.Series(_levels(plant, net)).rolling(DAYS_KNOWN, min_periods=1).max().shift(1, fill_value=-np.inf)
    known = before.to_numpy()[plant.day]
    counted = pd.Series(np.where(inside, net, 0.0)).groupby(plant.day).cumsum()
    hours = pd.Series(inside.astype(float)).groupby(plant.day).cumsum()
    today = counted.to_numpy() / np.maximum(hours.to_numpy(), 1.0)
    guess: list[float] = np.where(np.isfinite(known), known, today).tolist()
    return guess


def _net_import(plant: Plant) -> Array:
    """Import with an idle battery; negative where PV exceeds the load."""
    from_dc = 0.0 if plant.bus is None else np.minimum(plant.solar_dc_mw * plant.bus.eta_out, plant.bus.inverter_mw)
    net: Array = plant.load_mw - plant.solar_ac_mw - from_dc
    return net


def _levels(plant: Plant, net_mw: Array) -> Array:
    """Least import per local day that a full battery could have held; -inf for a day without a value."""
    storage, day = plant.together, plant.day
    starts = np.searchsorted(day, np.arange(int(day[-1]) + 1))
    place = np.arange(plant.steps) - starts[day]
    days = np.full((len(starts), int(place.max()) + 1), -np.inf)
    days[day, place] = net_mw
    days = -np.sort(-days, axis=1)
    to_ac = 1.0 if plant.bus is None else plant.bus.eta_out
    usable = (storage.ceiling_mwh[0] - storage.floor_mwh[0]) * storage.eta_discharge * to_ac
    count = np.arange(1, days.shape[1] + 1)
    by_energy = ((np.cumsum(days, axis=1) - usable / plant.step_h) / count).max(axis=1)
    level: Array = np.maximum(by_energy, days[:, 0] - float(np.max(storage.discharge_limit_mw)) * to_ac)
    return np.where(np.isfinite(level), np.maximum(level, 0.0), -np.inf)


def score(schedule: pd.DataFrame, plant: Plant, _options: PeakShavingOptions) -> float:
    """Bill of the horizon: energy and demand charges and variable operating cost, less what export brings."""
    return -net_revenue(schedule, plant)


STRATEGY = Strategy(
    name="peak_shaving",
    summary="least bill of energy and demand charges for a load",
    options=PeakShavingOptions,
    needs=("load", "prices"),
    score_unit="currency",
    score_sense="min",
    build=build,
    rule=rule,
    score=score,
    checks=no_checks,
    notes=notes,
)
