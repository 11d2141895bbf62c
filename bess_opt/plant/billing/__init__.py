"""The bill of a site over a horizon: energy rates, demand charges, and what a month adds to them.

One arithmetic for all: the model's rows and costs, the metrics, what rules know of peaks, the table of a bill, and
money over life are made of the same prices, counters, peaks, charges and months.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from bess_opt.common.arrays import Array
from bess_opt.inputs.tariff import Tariff
from bess_opt.plant.billing.account import Account, account_of
from bess_opt.plant.billing.demand import Demand, demand_of
from bess_opt.plant.billing.energy import EnergyRates, energy_rates_of
from bess_opt.plant.billing.periods import Months, months_of


@dataclass(frozen=True)
class Settled:
    """A bill's parts for flows that are known: per step, per charge, per month. Currency, positive when paid."""

    import_price: Array
    export_price: Array
    revenue: Array  # per step, received
    demand: Array  # per charge
    overrun: Array  # per charge
    minimum: Array  # per month
    credits: Array  # per month, withheld less used
    credit_left: Mapping[int, float]
    sums: Array  # of each month, before minimum and credits


@dataclass(frozen=True)
class Billing:
    """What a site pays for its import and is paid for its export."""

    months: Months
    energy: EnergyRates
    demand: Demand
    account: Account

    def settle(self, import_mw: Array, export_mw: Array, settled_mw: tuple[Array, Array] | None = None) -> Settled:
        """The bill's parts for the site's import and export.

        `settled_mw` is what energy prices see of them, (import, export), where that differs: calls of market
        products that have a price of their own.
        """
        buy, sell, revenue = self.energy.settled(*(settled_mw or (import_mw, export_mw)))
        demand, overrun = self.demand.amounts(import_mw)
        sums = self.account.begins_with()
        if self.account.minds_sums:
            sums -= np.bincount(self.months.of_step, np.nan_to_num(revenue), minlength=len(sums))
            for charge, amount in zip(self.demand.charges, (demand + overrun).tolist(), strict=True):
                sums[charge.month] += 0.0 if charge.apart else amount
        topped, kept, left = self.account.settled(sums)
        return Settled(buy, sell, revenue, demand, overrun, topped, kept, left, sums)

    def amounts(
        self, import_mw: Array, export_mw: Array, settled_mw: tuple[Array, Array] | None = None
    ) -> dict[str, float]:
        """Charges of the horizon beside energy, currency paid, by line of the ledger; flows as in `settle`."""
        parts, account = self.settle(import_mw, export_mw, settled_mw), self.account
        counts = np.array([charge.counts for charge in self.demand.charges])
        return {
            "demand": float(counts @ parts.demand) if len(counts) else 0.0,
            "overrun": float(counts @ parts.overrun) if len(counts) else 0.0,
            "fixed": account.counts * account.fixed * account.months,
            "minimum": account.counts * float(parts.minimum.sum()),
            "credits": account.counts * float(parts.credits.sum()),
        }

    def over_life(self, horizons_per_year: float) -> Billing:
        """The same bill, in which horizons_per_year times each charge is what a year pays.

        A row's month charges count (its months of a year) / (those billed, or the sum of their shares), charges of
        a year and of coincident times once per year touched, those of the horizon with the horizon, fixed charges
        twelve months. Energy counts with the horizon as it is.
        """
        return replace(
            self,
            demand=self.demand.over_life(horizons_per_year),
            account=self.account.over_life(horizons_per_year),
        )

    @property
    def whole_months(self) -> bool:
        """Whether the horizon holds every month that it touches in full, which least bills over life need."""
        return bool((self.months.share == 1.0).all())


def billing_of(
    tariff: Tariff | None,
    columns: Mapping[str, Array],
    index: pd.DatetimeIndex,
    step_h: float,
    holidays: Collection[str] = (),
) -> Billing:
    """The billing of `tariff` beside the price series in `columns`, over the steps of `index`.

    Raises `ScenarioError` if a billing interval does not fit the steps, and unless one energy row of each stated
    direction applies to each step.
    """
    months = months_of(index, step_h)
    rows = () if tariff is None else tariff.demand
    return Billing(
        months,
        energy_rates_of(tariff, columns, index, step_h, months, holidays),
        demand_of(rows, index, step_h, months, holidays),
        account_of(tariff, months),
    )
