"""What money may be unnoticed: per kWh, in cents, per kW, counted twice, or a gain that needs no battery."""

from __future__ import annotations

import numpy as np

from bess_opt.common.findings import Finding
from bess_opt.inputs.batteries import place_of
from bess_opt.inputs.finance import REPLACEMENT_COSTS
from bess_opt.inputs.scenario import Scenario
from bess_opt.plant.plant import Plant

# Currencies of which a MWh costs tens to hundreds; orders of magnitude say nothing about the others.
KNOWN = {"EUR", "USD", "GBP", "CHF", "AUD", "CAD", "NZD"}
PER_KWH_MOST = 2.0  # currency/MWh: highest price of a series or tariff that is likely per kWh
CENTS_MOST = 50.0  # currency/MWh: highest price of a tariff that is likely in cents per kWh
MINOR_LEAST = 3000.0  # currency/MWh: median price that is likely in cents per MWh
DEMAND_LEAST = 200.0  # currency/MW/month
CAPITAL = {  # key: (least, most) that is usual; below, the unit is likely a thousand times smaller
    "capital_per_mw": (5_000.0, 5_000_000.0, "per kW"),
    "capital_per_mwh": (5_000.0, 5_000_000.0, "per kWh"),
    "fixed_om_per_mw_year": (100.0, 500_000.0, "per kW"),
}
VARIABLE_OM_MOST = 200.0


def money_findings(scenario: Scenario, plant: Plant) -> list[Finding]:
    """All findings about prices, tariff and finance."""
    found = [
        *_export_above_import(plant),
        *_unused(scenario),
        *_ageing_twice(scenario),
    ]
    if scenario.site.currency in KNOWN:
        found += [*_series_prices(scenario), *_tariff_prices(scenario), *_capital(scenario)]
    return found


def _series_prices(scenario: Scenario) -> list[Finding]:
    series, found = scenario.series, []
    for name in ("price_per_mwh", "import_price_per_mwh", "export_price_per_mwh"):
        if name not in series:
            continue
        price = np.abs(series[name].to_numpy())
        highest, middle = float(price.max()), float(np.median(price))
        if 0.0 < highest <= PER_KWH_MOST:
            what = f"is at most {highest:.4g} {scenario.site.currency}/MWh"
            found.append(_price("price_per_kwh", f"series.{name}", what, "multiply by 1000 if these are per kWh"))
        elif middle >= MINOR_LEAST:
            what = f"has a median of {middle:.4g} {scenario.site.currency}/MWh"
            found.append(_price("price_in_cents", f"series.{name}", what, "divide by 100 if these are cents"))
    return found


def _tariff_prices(scenario: Scenario) -> list[Finding]:
    tariff, currency = scenario.tariff, scenario.site.currency
    if tariff is None:
        return []
    found = []
    highest = max((abs(price) for rate in tariff.energy for _, price in rate.prices), default=0.0)
    beside_series = any("price_per_mwh" in str(name) for name in scenario.series.columns)
    what = f"is at most {highest:.4g} {currency}/MWh"
    if 0.0 < highest <= PER_KWH_MOST:
        found.append(_price("price_per_kwh", "tariff.energy", what, "multiply by 1000 if these are per kWh"))
    elif 0.0 < highest <= CENTS_MOST and not beside_series:
        remedy = "multiply by 10 if these are cents per kWh"
        found.append(_price("price_in_cents", "tariff.energy", what, remedy, sure=False))
    for number, row in enumerate(tariff.demand):
        dearest = max(price for _, price in row.prices)
        if 0.0 < dearest < DEMAND_LEAST:
            what = f"found {dearest:g} {currency} per MW and month"
            where = f"tariff.demand[{number}].price_per_mw_month"
            found.append(_price("demand_price_per_kw", where, what, "multiply by 1000 if it is per kW"))
    return found


def _price(code: str, where: str, found: str, remedy: str, *, sure: bool = True) -> Finding:
    return Finding(
        code, where, found, f"give currency per MWh or MW; {remedy}", "warning" if sure else "recommendation"
    )


def _capital(scenario: Scenario) -> list[Finding]:
    """Costs a thousand times too small, or far too large."""
    finance, currency, found = scenario.finance, scenario.site.currency, []
    if finance is None:
        return []
    for key, (least, most, other) in CAPITAL.items():
        value, what = getattr(finance, key), f"found {getattr(finance, key):g} {currency}"
        if 0.0 < value < least:
            expected = f"{least:,.0f} to {most:,.0f} is usual; multiply by 1000 if it is {other}"
            found.append(Finding("capital_too_small", f"finance.{key}", what, expected, "warning"))
        elif value > most:
            expected = (
                f"{least:,.0f} to {most:,.0f} is usual; it is a cost per unit of size, not of the whole battery"
            )
            found.append(Finding("capital_too_large", f"finance.{key}", what, expected, "warning"))
    if finance.variable_om_per_mwh > VARIABLE_OM_MOST:
        what = f"found {finance.variable_om_per_mwh:g} {currency} per MWh discharged"
        expected = f"at most {VARIABLE_OM_MOST:g} is usual; it is cash and keeps the battery idle"
        found.append(Finding("variable_om_large", "finance.variable_om_per_mwh", what, expected, "warning"))
    return found


def _export_above_import(plant: Plant) -> list[Finding]:
    """Steps in which buying and selling at once would pay without any battery."""
    if not plant.has_prices:
        return []
    gain = plant.export_price - plant.import_price
    over = gain > 1e-9 * np.maximum(np.abs(plant.import_price), 1.0)
    if not over.any():
        return []
    first, most = plant.index[int(np.argmax(over))], float(gain.max())
    found = f"is above the import price in {int(over.sum())} of {plant.steps} steps, first at {first:%Y-%m-%d %H:%M}"
    expected = "such a gain needs no battery: check both prices; no step may import and export at once"
    return [Finding("export_above_import", "export price", f"{found}, by up to {most:.4g}", expected, "warning")]


def _unused(scenario: Scenario) -> list[Finding]:
    """Stated money that something else stands in for."""
    finance, found = scenario.finance, []
    if finance is not None and finance.present_value_factor is not None:
        beside = [key for key in ("discount_rate", "lifetime_years") if getattr(finance, key) is not None]
        if beside:
            what, expected = f"stands beside {', '.join(beside)}", "the factor is used in their place"
            found.append(Finding("rates_unused", "finance.present_value_factor", what, expected, "recommendation"))
    return found


def _ageing_twice(scenario: Scenario) -> list[Finding]:
    """Wear in dispatch and a replacement in the books: the same ageing, in two places."""
    finance, batteries = scenario.finance, scenario.batteries
    worn = [battery for battery in batteries if battery.wear_cost_per_mwh or battery.wear is not None]
    paid = [key for key in REPLACEMENT_COSTS if finance is not None and getattr(finance, key)]
    if not worn or not paid:
        return []
    place, by_depth = place_of(worn[0], batteries), worn[0].wear
    where = f"{place}.wear_cost_per_mwh" if by_depth is None else f"{place}.wear"
    wear = f"{worn[0].wear_cost_per_mwh:g} per MWh" if by_depth is None else "wear by depth of cycle"
    stated = ", ".join(f"{key} = {getattr(finance, key):g}" for key in paid)
    found = f"{wear} stands beside {stated}"
    expected = (
        "wear is a shadow price for dispatch and never cash; do not add it to the replacement in your own books"
    )
    return [Finding("wear_beside_replacement", where, found, expected, "recommendation")]
