"""Tariffs in the structure of the Utility Rate Database (URDB) as ours.

URDB holds, for each month and hour, the number of a period, once for weekdays and once for weekends; a period has a
rate. Source: openei.org/services/doc/rest/util_rates, version 7.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from bess_opt.common.findings import Finding
from bess_opt.inputs.readers.problems import note, problem
from bess_opt.inputs.readers.tariffs.tariff_request import per_thousand, stated_export, unknown_tariff

KEYS = ("energyratestructure", "energyweekdayschedule", "energyweekendschedule")
_MONTHLY = (  # ours, and URDB's amount with its unit
    ("fixed_per_month", "fixedmonthlycharge", "fixedmonthlychargeunits"),
    ("fixed_per_month", "fixedchargefirstmeter", "fixedchargeunits"),
    ("minimum_per_month", "minmonthlycharge", "minmonthlychargeunits"),
    ("minimum_per_month", "mincharge", "minchargeunits"),
)
_NOT_TAKEN = (
    "demandratchetpercentage", "lookbackpercent", "lookbackPercent", "annualmincharge", "coincidentratestructure",
    "fueladjustmentsmonthly", "demandreactivepowercharge", "fixedchargeeaaddl",
)  # fmt: skip
ENDLESS = 1e9  # kWh or kW: URDB writes a tier without end as a number so large


def from_urdb(source: str, text: str, export: float | str | None) -> tuple[dict[str, Any], list[Finding]]:
    """Tables of a tariff from URDB's JSON, and notes. ScenarioError as in `read_tariff`."""
    rate = _rate_in(source, text)
    _refuse(source, rate)
    energy = _tiers(source, rate, "energyratestructure")
    rows = _rows(source, rate, "energy", energy, "price_per_mwh")
    demand = _flat_demand(source, rate) + _timed_demand(source, rate)
    window = rate.get("demandwindow")
    for row in demand:
        row |= {"interval_min": float(window)} if window else {}
    notes = [note(source, "rates per kWh and kW are made per MWh and MW; hours are local, from the hour's start")]
    tables: dict[str, Any] = {"demand": demand}
    for ours, key, unit in _MONTHLY:
        amount, said = _monthly(source, rate, key, unit)
        notes += said
        if amount:
            tables[ours] = tables.get(ours, 0.0) + amount
    pay, said_of_export = _export(source, rate) if export is None else (export, stated_export(source, export))
    if isinstance(pay, list):
        rows += _rows(source, rate, "energy", pay, "price_per_mwh", direction="export")
    else:
        tables["export"] = pay
    return tables | {"energy": rows}, [*notes, said_of_export]


def _refuse(source: str, rate: Mapping[str, Any]) -> None:
    """ScenarioError that names the first part of the tariff which our tables cannot say."""
    for key in _NOT_TAKEN:
        if any(_listed(rate.get(key))):
            raise problem("no_such_row", f"{source} {key}", "is stated", "take it out and state it in the scenario")
    for key in ("flatdemandunit", "demandrateunit", "coincidentrateunit"):
        unit = rate.get(key)
        if unit not in (None, "", "kW"):
            raise problem("no_such_row", f"{source} {key}", f"is in {unit}", "give one rate per kW and month")
    if rate.get("dgrules") in ("Net Metering", "Buy All Sell All"):
        expected = "take it out, and state tariff.net_metering or what export is paid in the scenario"
        raise problem("no_such_row", f"{source} dgrules", f"is {rate['dgrules']!r}", expected)


def _monthly(source: str, rate: Mapping[str, Any], key: str, unit: str) -> tuple[float, list[Finding]]:
    """An amount per month, and what was done to one per day."""
    amount, stated = float(rate.get(key) or 0.0), str(rate.get(unit) or "$/month")
    if not amount or stated == "$/month":
        return amount, []
    if stated != "$/day":
        raise problem("no_such_row", f"{source} {unit}", f"is {stated!r}", 'give "$/month" or "$/day"')
    month = amount * 365.25 / 12.0
    what = f"{amount:g} per day counts as {month:.6g} for every month, a twelfth of 365.25 days"
    return month, [note(f"{source} {key}", what, "state fixed_per_month for another", warns=True)]


def _rate_in(source: str, text: str) -> dict[str, Any]:
    """The table with URDB's keys, wherever it stands in the file."""
    try:
        content = json.loads(text)
    except ValueError as error:
        raise problem("unreadable_file", source, f"cannot be read: {error}", "mend the JSON there") from None
    places = [content]
    while places:
        place = places.pop(0)
        if isinstance(place, dict):
            if all(key in place for key in KEYS):
                return place
            places += list(place.values())
        elif isinstance(place, list) and all(isinstance(item, dict) for item in place):
            places += place
    keys = ", ".join(list(content)[:12]) if isinstance(content, dict) else type(content).__name__
    raise unknown_tariff(source, f"has the keys {keys}")


def _tiers(source: str, rate: Mapping[str, Any], key: str, field: str = "rate") -> list[list[list[float]]]:
    """(up to MWh or MW, price) of each period's tiers, neighbours of one price together."""
    found = []
    for number, tiers in enumerate(_listed(rate.get(key))):
        units = {str(tier.get("unit", "")).lower() for tier in tiers} - {"", "kwh", "kw"}
        if units:
            text = f"is in {', '.join(sorted(units))}"
            raise problem("no_such_row", f"{source} {key}[{number}]", text, "give rates per kWh or kW")
        steps: list[list[float]] = []
        for tier in tiers:
            extra = float(tier.get("adj") or 0.0) if field == "rate" else 0.0
            price = per_thousand(float(tier.get(field) or 0.0) + extra)
            top = float(tier.get("max") or ENDLESS)
            if steps and steps[-1][1] == price:
                steps.pop()
            steps.append([top / 1000.0 if top < ENDLESS else float("inf"), price])
        if steps:
            steps[-1][0] = float("inf")
        found.append(steps or [[float("inf"), 0.0]])
    return found


def _priced(tiers: list[list[float]], price: str) -> dict[str, Any]:
    return {price: tiers[0][1]} if len(tiers) == 1 else {"tiers": tiers}


def _export(source: str, rate: Mapping[str, Any]) -> tuple[float | str | list[list[list[float]]], Finding]:
    sells = {tier.get("sell") for tiers in rate["energyratestructure"] for tier in tiers}
    where = f"{source} sell"
    if sells == {None}:
        return "none", note(where, "no sell rate: export is not paid", "state export if it is", warns=True)
    if len(sells) > 1:
        return _tiers(source, rate, "energyratestructure", "sell"), note(where, "export is paid by period")
    price = per_thousand(float(sells.pop()))
    return price, note(where, f"export is paid {price:g} per MWh")


def _flat_demand(source: str, rate: Mapping[str, Any]) -> list[dict[str, Any]]:
    months = defaultdict(list)
    for month, period in enumerate(_listed(rate.get("flatdemandmonths")), start=1):
        months[int(period)].append(month)
    return [
        _priced(tiers, "price_per_mw_month") | {"months": months[period]}
        for period, tiers in enumerate(_tiers(source, rate, "flatdemandstructure"))
        if any(price for _, price in tiers) and months[period]
    ]


def _timed_demand(source: str, rate: Mapping[str, Any]) -> list[dict[str, Any]]:
    tiers = _tiers(source, rate, "demandratestructure")
    priced = [any(price for _, price in steps) for steps in tiers]
    if not any(priced):
        return []
    return _rows(source, rate, "demand", tiers, "price_per_mw_month", only=priced)


def _rows(
    source: str,
    rate: Mapping[str, Any],
    what: str,
    tiers: list[list[list[float]]],
    price: str,
    *,
    direction: str = "import",
    only: list[bool] | None = None,
) -> list[dict[str, Any]]:
    """A row for each period, its months with alike windows, and kind of day; what is counted together stays so."""
    rows = []
    for period, parts in _windows(source, rate, what, len(tiers)).items():
        if only is not None and not only[period]:
            continue
        months = [month for part, _, _ in parts for month in part]
        together = what == "demand" or len(tiers[period]) > 1
        if together and len(months) > len(set(months)):
            twice = next(month for month in months if months.count(month) > 1)
            found = f"period {period} has other hours on weekdays than at weekends in month {twice}, counted together"
            raise problem("no_such_row", f"{source} {what}ratestructure", found, "give it the same hours on all days")
        for of_months, days, hours in parts:
            row = _priced(tiers[period], price) | {"months": of_months, "days": days}
            row["hours"] = list(hours[0]) if len(hours) == 1 else [list(window) for window in hours]
            rows.append(row | ({"direction": direction} if direction != "import" else {}))
    return rows


def _windows(
    source: str, rate: Mapping[str, Any], what: str, periods: int
) -> dict[int, list[tuple[list[int], str, tuple[tuple[int, int], ...]]]]:
    """(months, days, windows) of each period: months with the same windows together, days alike as "all"."""
    both = {kind: _schedule(source, rate, f"{what}{kind}schedule", periods) for kind in ("weekday", "weekend")}
    found: dict[int, dict[tuple[str, tuple[tuple[int, int], ...]], list[int]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for month in range(1, 13):
        weekday, weekend = both["weekday"][month - 1], both["weekend"][month - 1]
        for period in range(periods):
            work, rest = runs(weekday, period), runs(weekend, period)
            kinds = {"all": work} if work == rest else {"weekday": work, "weekend": rest}
            for days, windows in kinds.items():
                if windows:
                    found[period][days, tuple(windows)].append(month)
    return {
        period: [(months, days, windows) for (days, windows), months in parts.items()]
        for period, parts in found.items()
    }


def _schedule(source: str, rate: Mapping[str, Any], key: str, periods: int) -> list[list[int]]:
    table = rate.get(key)
    rows = table if isinstance(table, list) else []
    right = len(rows) == 12 and all(isinstance(row, list) and len(row) == 24 for row in rows)
    if not right or not all(isinstance(p, int) and 0 <= p < periods for row in rows for p in row):
        expected = f"give 12 rows of 24 numbers of periods, 0 to {periods - 1}"
        raise problem("wrong_value", f"{source} {key}", "is no table of months and hours", expected)
    return rows


def runs(hours: Sequence[int], period: int) -> list[tuple[int, int]]:
    """[from, to) of the hours with this period; a run over midnight is one."""
    starts = [h for h in range(24) if hours[h] == period and hours[h - 1] != period]
    if not starts:
        return [(0, 24)] if hours[0] == period else []
    found = []
    for start in starts:
        length = next(n for n in range(1, 25) if hours[(start + n) % 24] != period)
        end = start + length
        found.append((start, end if end <= 24 else end - 24))
    return sorted(found)


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
