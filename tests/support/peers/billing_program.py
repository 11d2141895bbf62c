"""What a site pays under a tariff, as rows of a program; import and export are its variables."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from support.peers.bill import Meter, incurred, listed_months
from support.peers.program import Linear, Program, total
from support.peers.rates import (
    ALL_MONTHS,
    Row,
    active,
    day_keys,
    interval_keys,
    month_hours,
    month_keys,
    through,
    tiers_of,
)

Flows = list[Linear]


def of(flows: Flows, steps: np.ndarray, factor: float = 1.0) -> Linear:
    return total([flows[step] * factor for step in np.flatnonzero(steps)])


def counted(program: Program, meter: Meter, row: Row, flows: Flows, sign: float) -> dict[int, Linear]:
    """Money of one direction's energy under one row, by local month; `sign` -1 for what is received."""
    held = active(meter.index, row, meter.holidays)
    months = month_keys(meter.index)
    periods = day_keys(meter.index) if row.get("tier_period", "month") == "day" else months
    tiers = tiers_of(row, "price_per_mwh")
    pieces = [(top, sign * price) for top, price in tiers]
    money: dict[int, Linear] = {}
    for period in np.unique(periods):
        inside = periods == period
        used = float(row.get("used_mwh", 0.0)) if period == periods[0] else 0.0
        if not (inside & held).any():
            continue
        quantity = of(flows, inside & held, meter.step_h) + used
        month = int(months[inside][0])
        part = program.piecewise(quantity, pieces) - sign * through(tiers, used)
        money[month] = money.get(month, Linear()) + part
    return money


def netted(
    program: Program, meter: Meter, row: Row, tariff: dict[str, Any], bought: Flows, sold: Flows
) -> dict[int, Linear]:
    held = active(meter.index, row, meter.holidays)
    months = month_keys(meter.index)
    tiers = tiers_of(row, "price_per_mwh")
    export = tariff.get("export", "same")
    surplus = float({"none": 0.0, "same": row.get("price_per_mwh", 0.0)}.get(export, export))
    money = {}
    for month in np.unique(months):
        used = float(row.get("used_mwh", 0.0)) if month == months[0] else 0.0
        steps = (months == month) & held
        quantity = of(bought, steps, meter.step_h) - of(sold, steps, meter.step_h) + used
        money[int(month)] = program.piecewise(quantity, [(0.0, surplus), *tiers]) - through(tiers, used, surplus)
    return money


def energy(program: Program, meter: Meter, tariff: dict[str, Any], bought: Flows, sold: Flows) -> dict[int, Linear]:
    months = month_keys(meter.index)
    money = {int(month): Linear() for month in np.unique(months)}

    def add(part: dict[int, Linear]) -> None:
        for month, sum_ in part.items():
            money[month] = money[month] + sum_

    def priced(flows: Flows, prices: np.ndarray) -> None:
        for month in money:
            money[month] = money[month] + total(
                [flows[t] * (float(prices[t]) * meter.step_h) for t in np.flatnonzero(months == month)]
            )

    rows = tariff.get("energy", [])
    import_rows = [row for row in rows if row.get("direction", "import") == "import"]
    export_rows = [row for row in rows if row.get("direction", "import") == "export"]
    if tariff.get("net_metering") == "month":
        for row in import_rows:
            add(netted(program, meter, row, tariff, bought, sold))
        return money
    for row in import_rows:
        add(counted(program, meter, row, bought, 1.0))
    for row in export_rows:
        add(counted(program, meter, row, sold, -1.0))
    for series in (meter.import_price, meter.both_price):
        if series is not None:
            priced(bought, series)
    if meter.export_price is not None:
        priced(sold, -meter.export_price)
    export = tariff.get("export", "same")
    if isinstance(export, float | int):
        priced(sold, np.full(len(sold), -float(export)))
    elif export == "same" and not export_rows and meter.export_price is None:
        if meter.both_price is not None:
            priced(sold, -meter.both_price)
        for row in import_rows:
            priced(sold, -row["price_per_mwh"] * active(meter.index, row, meter.holidays))
    return money


def interval_means(meter: Meter, row: Row, bought: Flows) -> tuple[np.ndarray, dict[int, Linear]]:
    keys = interval_keys(meter.index, row.get("interval_min", meter.step_h * 60))
    means = {}
    for key in np.unique(keys):
        inside = keys == key
        means[int(key)] = of(bought, inside, 1.0 / inside.sum())
    return keys, means


def peak(program: Program, meter: Meter, row: Row, bought: Flows, steps: np.ndarray, further: list[float]) -> Linear:
    """No less than the peak of the steps, or than the mean of the n highest."""
    keys, means = interval_means(meter, row, bought)
    inside = [means[int(key)] for key in np.unique(keys[steps])]
    if "peaks" not in row:
        return program.at_least(0.0, *inside, *further)
    each = inside
    if row["peaks"].get("distinct") == "day":
        days = day_keys(meter.index)
        each = []
        for day in np.unique(days[steps]):
            here = steps & (days == day)
            each.append(program.at_least(0.0, *(means[int(key)] for key in np.unique(keys[here]))))
    each = each + [Linear(constant=value) for value in further]
    count = row["peaks"]["n"]
    if len(each) <= count:
        return total(each) * (1 / len(each)) if each else Linear()
    edge = program.variable(-1e4)
    above = [program.at_least(0.0, value - edge) for value in each]
    return edge + total(above) * (1 / count)


def charge(program: Program, row: Row, peak_mw: Linear) -> Linear:
    if "contracted_mw" in row:
        over = program.at_least(0.0, peak_mw - float(row["contracted_mw"]))
        return over * row["overrun_price_per_mw_month"] + row["contracted_mw"] * row["price_per_mw_month"]
    capped = program.variable(0.0, 1e3)
    program.keep(capped - peak_mw, low=0.0)
    return program.piecewise(capped, tiers_of(row, "price_per_mw_month"))


def coincident(program: Program, meter: Meter, row: Row, bought: Flows) -> dict[int, Linear]:
    keys, means = interval_means(meter, row, bought)
    months = month_keys(meter.index)
    money: dict[int, Linear] = {}
    for stamp in row["coincident"]:
        at = pd.Timestamp(stamp).tz_convert(meter.index.tz)
        step = int(meter.index.searchsorted(at, side="right")) - 1
        if step < 0 or at >= meter.index[-1] + pd.Timedelta(hours=meter.step_h):
            continue
        month = int(months[step])
        money[month] = money.get(month, Linear()) + charge(program, row, means[int(keys[step])])
    return money


def demand(program: Program, meter: Meter, row: Row, bought: Flows) -> tuple[dict[int, Linear], Linear]:
    """Charges of each month, and of periods that stand outside the months."""
    if "coincident" in row:
        return coincident(program, meter, row, bought), Linear()
    months = month_keys(meter.index)
    listed, period, least = listed_months(row), row.get("period", "month"), float(row.get("minimum_mw", 0.0))
    steps = active(meter.index, row, meter.holidays)
    if period in ("year", "horizon"):
        years = months // 12 if period == "year" else np.zeros(len(months), dtype=int)
        outside = Linear()
        for year in np.unique(years):
            further = incurred(row) if year == years[0] else []
            highest = peak(program, meter, row, bought, steps & (years == year), further)
            hours = float(np.isin(meter.index.month, listed).sum()) * meter.step_h
            scale = 12.0 if period == "year" else hours / 730.5
            outside = outside + charge(program, row, program.at_least(least, highest)) * scale
        return {}, outside
    anywhere = {key: value for key, value in row.items() if key not in ("months", "from", "to")}
    held = active(meter.index, anywhere, meter.holidays)
    first = int(months[0])
    peaks: dict[int, Linear] = {}
    for month in np.unique(months):
        further = incurred(row) if month == first else []
        peaks[int(month)] = peak(program, meter, row, bought, held & (months == month), further)
    history = row.get("history_mw", row.get("ratchet", {}).get("history_mw", []))
    for age, value in enumerate(reversed(history), start=1):
        peaks[first - age] = Linear(constant=float(value))
    money = {}
    for month in (int(month) for month in np.unique(months)):
        if month % 12 + 1 not in listed:
            continue
        floors: list[Linear | float] = [least, peaks[month]]
        if period == "rolling_12":
            floors += [peaks[month - age] for age in range(1, 12) if month - age in peaks]
        if "ratchet" in row:
            ratchet = row["ratchet"]
            ages = [age for age in range(1, ratchet.get("months", 11) + 1) if month - age in peaks]
            named = ratchet.get("named_months", ALL_MONTHS)
            floors += [peaks[month - age] * ratchet["share"] for age in ages if (month - age) % 12 + 1 in named]
        share = 1.0
        if row.get("part_months", "full") == "share" and period == "month":
            share = float((months == month).sum()) * meter.step_h / month_hours(month, meter.index.tz)
        money[month] = charge(program, row, program.at_least(*floors)) * share
    return money, Linear()


def settled(program: Program, sums: dict[int, Linear], tariff: dict[str, Any]) -> Linear:
    """What the months' sums come to after credits and the least bill."""
    least, lasts = tariff.get("minimum_per_month"), tariff.get("credit_months")
    first = min(sums)
    purse = {
        first - age: Linear(constant=float(c))
        for age, c in enumerate(reversed(tariff.get("credit_so_far", [])), start=1)
    }
    so_far = float(tariff.get("billed_so_far", 0.0))
    spent: dict[int, list[Linear]] = {}
    paid = []
    for month in sorted(sums):
        sum_ = sums[month] + (so_far if month == first else 0.0)
        if lasts is None:
            paid.append(sum_ if least is None else program.at_least(float(least), sum_))
            continue
        low, high = program.bounds(sum_)
        high = high if math.isfinite(high) else 1e7
        above, below = program.variable(0.0, max(high, 0.0) + 1), program.variable(0.0, max(-low, 0.0) + 1)
        program.not_both(above, below)
        program.keep(above - below - sum_, low=0.0, high=0.0)
        uses = []
        for origin in purse:
            if origin < month <= origin + lasts:
                use = program.variable()
                uses.append(use)
                spent.setdefault(origin, []).append(use)
        rest = above - total(uses)
        program.keep(rest, low=0.0)
        paid.append(program.at_least(float(least or 0.0), rest))
        purse[month] = below
    for origin, uses in spent.items():
        program.keep(total(uses) - purse[origin], high=0.0)
    return total(paid) - so_far


def add_bill(program: Program, meter: Meter, tariff: dict[str, Any], bought: Flows, sold: Flows) -> Linear:
    """The bill of import and export, no less than it is."""
    sums = energy(program, meter, tariff, bought, sold)
    outside = Linear()
    for row in tariff.get("demand", []):
        money, more = demand(program, meter, row, bought)
        outside = outside + more
        for month, sum_ in money.items():
            sums[month] = sums[month] + sum_
    fixed = float(tariff.get("fixed_per_month", 0.0))
    sums = {month: sum_ + fixed for month, sum_ in sums.items()}
    return settled(program, sums, tariff) + outside
