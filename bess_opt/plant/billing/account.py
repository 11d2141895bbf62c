"""What a month adds to its energy and demand: the fixed charge, the least bill, and credits that carry over."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.inputs.tariff import Tariff
from bess_opt.plant.billing.periods import Months


@dataclass(frozen=True)
class Account:
    """The parts of a month's bill that its sum decides. Money in currency per local month touched.

    A month's sum is its import energy less export revenue, its demand charges and overruns, the fixed charge, and
    for the first month what was billed before the horizon. `counts` is how often a month counts, 1 but in money
    over life.
    """

    months: int
    fixed: float = 0.0
    minimum: float | None = None
    credit_months: int | None = None
    billed_so_far: float = 0.0
    credit_so_far: tuple[float, ...] = ()
    counts: float = 1.0

    @property
    def minds_sums(self) -> bool:
        """Whether the sum of a month changes what is paid."""
        return self.minimum is not None or self.credit_months is not None

    def begins_with(self) -> Array:
        """What stands in each month's sum before its energy and demand: the fixed charge, and what was billed."""
        start = np.full(self.months, self.fixed)
        start[:1] += self.billed_so_far
        return start

    def settled(self, sums: Array) -> tuple[Array, Array, dict[int, float]]:
        """What the months' sums come to.

        (charge up to the minimum and credits withheld less used of each month; credits left after the last month by
        place of their month, below 0 before the start). A sum below zero is withheld as a credit of that month; the
        oldest credits pay later sums down to the minimum, each for `credit_months` months.
        """
        topped, kept = np.zeros(self.months), np.zeros(self.months)
        pool = {place - len(self.credit_so_far): credit for place, credit in enumerate(self.credit_so_far)}
        for month in range(self.months):
            due = float(sums[month])
            if self.credit_months is not None:
                if due < 0.0:
                    pool[month] = kept[month] = -due
                    due = 0.0
                for origin in sorted(pool):
                    if month - self.credit_months <= origin < month:
                        used = min(pool[origin], max(due - (self.minimum or 0.0), 0.0))
                        pool[origin] -= used
                        kept[month] -= used
                        due -= used
            if self.minimum is not None:
                topped[month] = max(self.minimum - due, 0.0)
        return topped, kept, pool

    def over_life(self, horizons_per_year: float) -> Account:
        """The same, counted so that horizons_per_year times its money is a year's."""
        return replace(self, counts=12.0 / self.months / horizons_per_year)


def account_of(tariff: Tariff | None, months: Months) -> Account:
    """The account of a tariff over the months touched."""
    if tariff is None:
        return Account(len(months.number))
    return Account(
        len(months.number),
        tariff.fixed_per_month,
        tariff.minimum_per_month,
        tariff.credit_months,
        tariff.billed_so_far,
        tariff.credit_so_far,
    )
