"""A bill line by line and month by month: quantity, rate, money, and which steps set a peak."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from bess_opt.common.arrays import Array
from bess_opt.plant.billing import Billing, Settled
from bess_opt.plant.billing.demand import Charge, Demand
from bess_opt.plant.billing.energy import EXPORT, IMPORT, NET, EnergyRates

COLUMNS = ("month", "line", "quantity", "unit", "rate", "money", "step")
NOTHING = 1e-12  # of a peak: closer is the same peak
Row = tuple[str, str, float, str, float, float, str]


def bill_table(
    billing: Billing,
    index: pd.DatetimeIndex,
    import_mw: Array,
    export_mw: Array,
    settled_mw: tuple[Array, Array] | None = None,
) -> pd.DataFrame:
    """The bill of flows that are known, one row per month and line; `settled_mw` as in `Billing.settle`.

    `money` is paid where positive, received where negative, and adds up to the bill; `rate` is money over quantity.
    Charges of a year or of the horizon stand under the last month touched. `step` names the start of the billing
    interval that set a peak, several for a mean of peaks, and is empty where history or a floor set it.
    """
    rows = [
        *_energy(billing, *(settled_mw or (import_mw, export_mw))),
        *_demand(billing, index, import_mw),
        *_months(billing, billing.settle(import_mw, export_mw, settled_mw)),
    ]
    order = {label: place for place, label in enumerate(billing.months.labels)}
    rows.sort(key=lambda row: order[row[0]])
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _row(month: str, line: str, quantity: float, unit: str, money: float, step: str = "") -> Row:
    return month, line, quantity, unit, money / quantity if quantity else np.nan, money + 0.0, step


def _energy(billing: Billing, import_mw: Array, export_mw: Array) -> Iterator[Row]:
    """Energy by month and row: what the series prices, what each row prices, and net metering."""
    rates, labels = billing.energy, billing.months.labels
    bought, sold = import_mw * rates.step_h, export_mw * rates.step_h
    for direction, energy, sign in ((IMPORT, bought, 1.0), (EXPORT, sold, -1.0)):
        series = np.nan_to_num(rates.series_import if direction == IMPORT else rates.series_export)
        for month, label in enumerate(labels):
            here = rates.month_of_step == month
            if series[here].any():
                paid = sign * float(series[here] @ energy[here])
                yield _row(label, f"{direction} at the series' price", float(energy[here].sum()), "MWh", paid)
    yield from _rows_of(rates, labels, bought, sold)


def _rows_of(rates: EnergyRates, labels: list[str], bought: Array, sold: Array) -> Iterator[Row]:
    counted: dict[tuple[int, int], list[float]] = {}
    names: dict[int, str] = {}
    taken = {direction: np.zeros(len(bought), dtype=bool) for direction in (IMPORT, EXPORT)}
    for counter in rates.counters:
        energy = counter.energy_mwh(bought, sold)
        sign = -1.0 if counter.counts == EXPORT else 1.0
        line = counted.setdefault((counter.month, counter.row), [0.0, 0.0])
        line[0] += float(energy.sum())
        line[1] += sign * float(counter.cost(counter.before_mwh + energy.sum()))
        names[counter.row] = f"tariff.energy[{counter.row}] {counter.counts}"
        for direction in (IMPORT, EXPORT) if counter.counts == NET else (counter.counts,):
            taken[direction][counter.steps] = True
    for direction, energy, row, sign in (
        (IMPORT, bought, rates.import_row, 1.0),
        (EXPORT, sold, rates.export_row, -1.0),
    ):
        price = rates.import_price - np.nan_to_num(rates.series_import)
        if direction == EXPORT:
            price = rates.export_price - np.nan_to_num(rates.series_export)
        free = ~taken[direction] & np.isfinite(price)
        for month in range(len(labels)):
            for number in np.unique(row[free & (rates.month_of_step == month)]).tolist():
                here = free & (rates.month_of_step == month) & (row == number)
                amount, paid = float(energy[here].sum()), sign * float(price[here] @ energy[here])
                if number < 0 and not price[here].any():
                    continue
                name = f"tariff.energy[{number}] {direction}" if number >= 0 else f"{direction} at tariff.export"
                key = number if number >= 0 else -1 - (direction == EXPORT)
                names[key] = name
                line = counted.setdefault((month, key), [0.0, 0.0])
                line[0] += amount
                line[1] += paid
    for (month, key), (amount, paid) in sorted(counted.items()):
        yield _row(labels[month], names[key], amount, "MWh", paid)


def _demand(billing: Billing, index: pd.DatetimeIndex, import_mw: Array) -> Iterator[Row]:
    demand, labels = billing.demand, billing.months.labels
    node_mw = demand.node_mw(import_mw)
    peak_mw = np.array([peak.of(node_mw) for peak in demand.peaks])
    means = demand.intervals.means(import_mw)
    for charge in demand.charges:
        billed = charge.billed_mw(peak_mw)
        setting = _setting(demand, charge, billed, peak_mw, node_mw, means)
        step = ", ".join(index[first].isoformat(sep=" ", timespec="minutes") for first, _ in setting)
        paid = charge.counts * charge.demand(billed)
        quantity = charge.contracted_mw if charge.contract else billed
        yield _row(labels[charge.month], charge.label, quantity, "MW", paid, step)
        over = charge.counts * charge.overruns(billed)
        if over:
            above = billed - charge.contracted_mw
            yield _row(labels[charge.month], f"{charge.label}, overrun", above, "MW", over, step)


def peaks_set(billing: Billing, index: pd.DatetimeIndex, import_mw: Array) -> pd.Series:
    """The means [MW] that set billed peaks, by the start of their billing interval; the highest where several do."""
    demand = billing.demand
    node_mw = demand.node_mw(import_mw)
    peak_mw = np.array([peak.of(node_mw) for peak in demand.peaks])
    means = demand.intervals.means(import_mw)
    found: dict[pd.Timestamp, float] = {}
    for charge in demand.charges:
        billed = charge.billed_mw(peak_mw)
        for first, mw in _setting(demand, charge, billed, peak_mw, node_mw, means):
            found[index[first]] = max(mw, found.get(index[first], 0.0))
    return pd.Series(found, dtype=float, name="peak").sort_index()


def _setting(
    demand: Demand, charge: Charge, billed: float, peak_mw: Array, node_mw: Array, means: Array
) -> list[tuple[int, float]]:
    """(first step, mean) of the intervals that set a billed peak, the first of equal ones; none for a floor."""
    if not billed or billed <= charge.floor_mw:
        return []
    for p, share in charge.sources:
        if share * peak_mw[p] < billed * (1.0 - NOTHING):
            continue
        peak = demand.peaks[p]
        values = [*((float(node_mw[n]), n) for n in peak.nodes), *((mw, -1) for mw in peak.known_mw)]
        values.sort(key=lambda item: -item[0])
        chosen = [(node, mw) for mw, node in values[: peak.counted] if node >= 0]
        return sorted((_first(demand, node, node_mw, means), mw) for node, mw in chosen)
    return []


def _first(demand: Demand, node: int, node_mw: Array, means: Array) -> int:
    """First step of the first interval that reaches a node's highest mean."""
    mine = np.flatnonzero(demand.node == node)
    return int(demand.intervals.first[mine[int(np.argmax(means[mine] >= node_mw[node] * (1.0 - NOTHING)))]])


def _months(billing: Billing, parts: Settled) -> Iterator[Row]:
    account, labels = billing.account, billing.months.labels
    lines = {
        "fixed charge": np.full(account.months, account.fixed),
        "up to the minimum": parts.minimum,
        "credits withheld less used": parts.credits,
    }
    for line, amounts in lines.items():
        for label, amount in zip(labels, amounts.tolist(), strict=True):
            if amount:
                yield _row(label, line, 1.0, "month", account.counts * amount)
