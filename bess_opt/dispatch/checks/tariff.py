"""What a tariff may mean that its author did not notice: months billed whole, times outside, cheap shedding."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bess_opt.common.arrays import Array
from bess_opt.common.findings import Finding
from bess_opt.inputs.scenario import Scenario
from bess_opt.plant.billing import Billing
from bess_opt.plant.plant import Plant

NAMED = 3  # of many alike, so many are named
NOTHING = 1e-9  # of the least bill: what is missing by less is rounding


def tariff_findings(scenario: Scenario, plant: Plant) -> list[Finding]:
    """All findings about how the tariff meets the horizon."""
    return [
        *_holidays(scenario),
        *_part_months(scenario, plant),
        *_coincident(scenario, plant),
        *_months_outside(scenario, plant),
        *_cheap_shedding(plant),
    ]


def _holidays(scenario: Scenario) -> list[Finding]:
    """The dates that a region's name stands for."""
    stated = scenario.site.holidays
    if not isinstance(stated, str):
        return []
    dates = scenario.holidays
    found = f"{stated} has {len(dates)} in the horizon" + (f": {', '.join(dates)}" if dates else "")
    return [Finding("holidays", "site.holidays", found, "state a list of dates for others", "recommendation")]


def _part_months(scenario: Scenario, plant: Plant) -> list[Finding]:
    """Months that the horizon cuts are billed whole; a share has a meaning for months alone."""
    if scenario.tariff is None or plant.billing is None:
        return []
    months, found = plant.billing.months, []
    cut = [label for label, share in zip(months.labels, months.share.tolist(), strict=True) if share < 1.0]
    charges = plant.billing.demand.charges
    for number, rate in enumerate(scenario.tariff.demand):
        where = f"tariff.demand[{number}].part_months"
        if rate.part_months == "share" and (rate.period != "month" or rate.coincident is not None):
            what = f'"share" stands beside period = "{rate.period}"'
            found.append(
                Finding("share_unused", where, what, "it is for months; this row is billed whole", "warning")
            )
        mine = {months.labels[charge.month] for charge in charges if charge.row == number}
        whole = [label for label in cut if label in mine]
        if rate.part_months == "full" and rate.period == "month" and rate.coincident is None and whole:
            what = f"the horizon holds {' and '.join(whole)} in part"
            expected = 'a month is billed whole; state part_months = "share" to bill it by its hours'
            found.append(Finding("part_month", where, what, expected, "warning"))
    return found


def _coincident(scenario: Scenario, plant: Plant) -> list[Finding]:
    """Coincident times outside the horizon, which are not billed."""
    rows = scenario.tariff.demand if scenario.tariff is not None else ()
    first, end = plant.index[0], plant.index[-1] + pd.Timedelta(hours=plant.step_h)
    found = []
    for number, row in enumerate(rows):
        outside = [stamp for stamp in row.coincident or () if not first <= pd.Timestamp(stamp) < end]
        if outside:
            named = ", ".join(outside[:NAMED]) + (" ..." if len(outside) > NAMED else "")
            what = f"{len(outside)} of {len(row.coincident or ())} times lie outside the horizon: {named}"
            expected = f"they are not billed; the horizon is {first:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}"
            found.append(
                Finding("coincident_outside", f"tariff.demand[{number}].coincident", what, expected, "warning")
            )
    return found


def _months_outside(scenario: Scenario, plant: Plant) -> list[Finding]:
    """Rows of months that the horizon does not touch: nothing is billed, over a life either."""
    rows = scenario.tariff.demand if scenario.tariff is not None else ()
    billed = {charge.row for charge in plant.billing.demand.charges} if plant.billing is not None else set()
    return [
        Finding(
            "months_outside",
            f"tariff.demand[{number}].months",
            "none of the row's months lies in the horizon",
            "it bills nothing, over a life either; give a horizon that touches them",
            "warning",
        )
        for number, row in enumerate(rows)
        if row.coincident is None and number not in billed
    ]


def least_bill_findings(
    billing: Billing | None, import_mw: Array, export_mw: Array, settled_mw: tuple[Array, Array] | None = None
) -> list[Finding]:
    """Months that the horizon cuts and whose least bill binds: it is charged whole for a part of the month.

    `settled_mw` is what energy prices see of import and export, see `Billing.settle`.
    """
    if billing is None or billing.account.minimum is None:
        return []
    months = billing.months
    topped = billing.settle(import_mw, export_mw, settled_mw).minimum
    cut = [
        (label, amount)
        for label, amount, share in zip(months.labels, topped.tolist(), months.share.tolist(), strict=True)
        if share < 1.0 and amount > NOTHING * billing.account.minimum
    ]
    if not cut:
        return []
    named = " and ".join(f"{label} ({amount:,.2f} on top)" for label, amount in cut[:NAMED])
    found = f"the least bill of {billing.account.minimum:,.2f} binds in {named}, which the horizon holds in part"
    expected = "it is charged whole; give whole months, or what stands before the start in billed_so_far"
    return [Finding("minimum_binds", "tariff.minimum_per_month", found, expected, "warning")]


def _cheap_shedding(plant: Plant) -> list[Finding]:
    """Unserved load that is cheaper than energy, so that the optimum sheds load to save money."""
    price = plant.unserved_price_per_mwh
    if price is None or not plant.has_prices or not plant.sheddable_mw.any():
        return []
    dearest = max(float(plant.import_price.max()), float(plant.export_price.max()))
    if plant.billing is not None:
        for counter in plant.billing.energy.counters:
            dearest = max(dearest, float(np.cumsum([counter.curve.price, *counter.curve.change]).max()))
    if price > dearest:
        return []
    found = f"found {price:g}, which is not above every energy price (up to {dearest:g})"
    expected = "load is shed wherever that earns money; give a price above all energy prices"
    return [Finding("unserved_price_low", "site.unserved_price_per_mwh", found, expected, "warning")]
