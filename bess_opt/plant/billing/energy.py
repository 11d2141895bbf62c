"""Energy rates as prices per step, and as counters where a price depends on what a row has counted.

Most steps have a price that is known before. With tiers the price changes while the row's energy of a month or
day adds up, and with net metering a month's import and export are set against each other first: such rows have a
counter for each period. The price per step is then that of the tier under way when the period begins (with net
metering that of a surplus), and the counter's curve says what comes on top.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bess_opt.common.arrays import Array, Integers
from bess_opt.common.clock import period_number
from bess_opt.common.errors import ScenarioError
from bess_opt.inputs.tariff import EnergyRate, Tariff
from bess_opt.inputs.tariff_checks import row_of_step
from bess_opt.plant import money
from bess_opt.plant.billing.curve import Curve, curve_of, netted
from bess_opt.plant.billing.periods import Months

IMPORT, EXPORT, NET = "import", "export", "net"


@dataclass(frozen=True)
class Counter:
    """A row's energy in one period: `before_mwh` and then that of `steps`, priced by `curve`.

    `counts` says what: "import", "export", or "net", import less export. `month` is the place of its month.
    """

    row: int
    label: str
    counts: str
    month: int
    steps: Integers
    before_mwh: float
    curve: Curve

    @property
    def ahead(self) -> Curve:
        """The curve as far as it may still be reached: with net metering all of it."""
        return self.curve if self.counts == NET else self.curve.within(self.before_mwh, np.inf)

    def energy_mwh(self, import_mwh: Array, export_mwh: Array) -> Array:
        """What each of its steps counts."""
        bought, sold = import_mwh[self.steps], export_mwh[self.steps]
        return bought - sold if self.counts == NET else bought if self.counts == IMPORT else sold

    def cost(self, amount_mwh: Array | float) -> Array:
        """What the counter has cost (export: brought) once it stands at an amount, from its start on."""
        paid: Array = self.curve.cost(np.asarray(amount_mwh)) - self.curve.cost(self.before_mwh)
        return paid


@dataclass(frozen=True)
class EnergyRates:
    """Energy prices of a horizon: what `import_price` and `export_price` say per step, and counters beside them.

    `series_import` and `series_export` are the parts of these prices that no row states; NaN where the scenario
    has none. `import_row` and `export_row` number the row of each step, −1 for none.
    """

    import_price: Array
    export_price: Array
    series_import: Array
    series_export: Array
    import_row: Integers
    export_row: Integers
    counters: tuple[Counter, ...]
    step_h: float
    month_of_step: Integers

    def settled(self, import_mw: Array, export_mw: Array) -> tuple[Array, Array, Array]:
        """(import price, export price, revenue) of each step once all of it is known.

        A step has the price of the tier in which its last MWh falls, filled in the order of time; net metering is
        booked in the last step of each month.
        """
        buy, sell = self.import_price.copy(), self.export_price.copy()
        revenue = np.asarray(money.energy_revenue(import_mw, export_mw, buy, sell, self.step_h), dtype=float)
        bought, sold = import_mw * self.step_h, export_mw * self.step_h
        for counter in self.counters:
            energy, steps = counter.energy_mwh(bought, sold), counter.steps
            amount = counter.before_mwh + np.cumsum(energy)
            if counter.counts == NET:
                last = amount[-1:] if len(amount) else np.array([counter.before_mwh])
                buy[steps] = sell[steps] = float(counter.curve.marginal(last)[0])
                revenue[steps] = 0.0
                continue
            before = np.concatenate([[counter.before_mwh], amount[:-1]])
            base, sign = counter.ahead.price, -1.0 if counter.counts == IMPORT else 1.0
            price = buy if counter.counts == IMPORT else sell
            price[steps] += counter.curve.marginal(amount) - base
            revenue[steps] += sign * (counter.curve.cost(amount) - counter.curve.cost(before) - base * energy)
        for counter in self.counters:
            if counter.counts == NET:
                end = int(np.flatnonzero(self.month_of_step == counter.month)[-1])
                total = counter.before_mwh + float(counter.energy_mwh(bought, sold).sum())
                revenue[end] -= float(counter.cost(total))
        return buy, sell, revenue


def energy_rates_of(
    tariff: Tariff | None,
    columns: Mapping[str, Array],
    index: pd.DatetimeIndex,
    step_h: float,
    months: Months,
    holidays: Collection[str],
) -> EnergyRates:
    """Prices and counters of a tariff beside the price series in `columns`.

    ScenarioError unless exactly one row of a direction that has rows applies to each step.
    """
    n = len(index)
    unknown, nothing = np.full(n, np.nan), np.zeros(n)
    both = columns.get("price_per_mwh")
    series_import = both if both is not None else columns.get("import_price_per_mwh", unknown)
    stated = columns.get("export_price_per_mwh")
    tariff = tariff or Tariff()
    import_row, missing = row_of_step(tariff, IMPORT, index, holidays)
    export_row, unpaid = row_of_step(tariff, EXPORT, index, holidays)
    if missing or unpaid:
        raise ScenarioError([*missing, *unpaid])
    counters = _counters(tariff, index, months, import_row, export_row)
    rate = _base(tariff, import_row, counters)
    buying = import_row[:1] >= 0
    buy = np.nan_to_num(series_import, nan=0.0) + rate if buying.any() else series_import.copy()
    word = tariff.export if isinstance(tariff.export, str) else ""
    if stated is not None or not word or (export_row >= 0).any():
        series_export = nothing if stated is None else stated
        sell = series_export + (0.0 if word else float(tariff.export)) + _base(tariff, export_row, counters)
    elif tariff.net_metering is not None:
        series_export, sell = nothing, buy.copy()
    elif word == "none":
        series_export, sell = nothing, nothing.copy()
    else:
        series_export = unknown if both is None else both
        sell = np.nan_to_num(series_export, nan=0.0) + rate if buying.any() else series_export.copy()
    if tariff.net_metering is not None:
        sell = buy.copy()
    return EnergyRates(
        buy, sell, series_import, series_export, import_row, export_row, counters, step_h, months.of_step
    )


def _base(tariff: Tariff, row: Integers, counters: tuple[Counter, ...]) -> Array:
    """Price of each step by its row: that of a counter is the price with which it begins."""
    price = np.zeros(len(row))
    for number, rate in enumerate(tariff.energy):
        price[row == number] = rate.price_per_mwh or 0.0
    for counter in counters:
        if (row[counter.steps] == counter.row).all():
            price[counter.steps] = counter.ahead.price
    return price


def _counters(
    tariff: Tariff, index: pd.DatetimeIndex, months: Months, import_row: Integers, export_row: Integers
) -> tuple[Counter, ...]:
    found = []
    for number, rate in enumerate(tariff.energy):
        netting = tariff.net_metering is not None and rate.direction == IMPORT
        if rate.tiers is None and not netting:
            continue
        mine = np.flatnonzero((import_row if rate.direction == IMPORT else export_row) == number)
        period, labels = period_number(index, "day" if rate.tier_period == "day" else "month")
        curve = netted(rate.prices, _surplus_price(tariff, rate)) if netting else curve_of(rate.prices)
        for p in np.unique(period[mine]).tolist():
            steps = mine[period[mine] == p]
            before = rate.used_mwh if p == 0 else 0.0
            label = f"tariff.energy[{number}] {labels[p]}"
            month = int(months.of_step[steps[0]])
            found.append(Counter(number, label, NET if netting else rate.direction, month, steps, before, curve))
    return tuple(found)


def _surplus_price(tariff: Tariff, rate: EnergyRate) -> float:
    if isinstance(tariff.export, str):
        return 0.0 if tariff.export == "none" else float(rate.price_per_mwh or 0.0)
    return float(tariff.export)
