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
_UNCHANGED = ("fixedmonthlycharge", "fixedchargefirstmeter", "minmonthlycharge", "annualmincharge", "mincharge")
_RATCHETS = ("demandratchetpercentage", "lookbackpercent", "lookbackPercent")


def from_urdb(source: str, text: str, export: float | str | None) -> tuple[dict[str, Any], list[Finding]]:
    """Tables of a tariff from URDB's JSON, and notes. ScenarioError as in `read_tariff`."""
    rate = _rate_in(source, text)
    for key in _RATCHETS:
        if any(_listed(rate.get(key))):
            raise problem(
                "no_such_row", f"{source} {key}", "states a ratchet", "take it out and state it in the scenario"
            )
    energy = _prices(source, rate, "energyratestructure")
    rows = [
        {"price_per_mwh": per_thousand(energy[period]), "months": months, "days": days, "hours": hours}
        for period, windows in _windows(source, rate, "energy", len(energy)).items()
        for months, days, hours in windows
    ]
    demand = _flat_demand(source, rate) + _timed_demand(source, rate)
    window = rate.get("demandwindow")
    for row in demand:
        row |= {"interval_min": float(window)} if window else {}
    notes = [note(source, "rates per kWh and kW are made per MWh and MW; hours are local, from the hour's start")]
    left = [key for key in _UNCHANGED if rate.get(key)]
    if left:
        what = "is left out: no battery changes it"
        notes.append(note(f"{source} {', '.join(left)}", what, "add it where the whole bill counts", warns=True))
    pay, said = _export(source, rate) if export is None else (export, stated_export(source, export))
    return {"energy": rows, "demand": demand, "export": pay}, [*notes, said]


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


def _prices(source: str, rate: Mapping[str, Any], key: str) -> list[float]:
    """One price per period: the rate and its adjustment, the same in all of its tiers."""
    prices = []
    for number, tiers in enumerate(_listed(rate.get(key))):
        each = {float(tier.get("rate", 0.0)) + float(tier.get("adj", 0.0)) for tier in tiers}
        units = {str(tier.get("unit", "")).lower() for tier in tiers} - {"", "kwh", "kw"}
        if len(each) != 1 or units:
            found = (
                f"has {len(each)} different rates by usage" if len(each) != 1 else f"is in {', '.join(sorted(units))}"
            )
            raise problem("no_such_row", f"{source} {key}[{number}]", found, "give one rate per kWh or kW")
        prices.append(each.pop())
    return prices


def _export(source: str, rate: Mapping[str, Any]) -> tuple[float | str, Finding]:
    sells = {tier.get("sell") for tiers in rate["energyratestructure"] for tier in tiers}
    where = f"{source} sell"
    if sells == {None}:
        return "none", note(where, "no sell rate: export is not paid", "state export if it is", warns=True)
    if len(sells) > 1:
        found = f"{len(sells)} different sell rates"
        raise problem("no_such_row", where, found, "state export, or give export_price_per_mwh as a series")
    price = per_thousand(float(sells.pop()))
    return price, note(where, f"export is paid {price:g} per MWh")


def _flat_demand(source: str, rate: Mapping[str, Any]) -> list[dict[str, Any]]:
    prices = _prices(source, rate, "flatdemandstructure")
    months = defaultdict(list)
    for month, period in enumerate(_listed(rate.get("flatdemandmonths")), start=1):
        months[int(period)].append(month)
    return [
        {"price_per_mw_month": per_thousand(price), "months": months[period]}
        for period, price in enumerate(prices)
        if price and months[period]
    ]


def _timed_demand(source: str, rate: Mapping[str, Any]) -> list[dict[str, Any]]:
    prices = _prices(source, rate, "demandratestructure")
    if not any(prices):
        return []
    rows = []
    for period, windows in _windows(source, rate, "demand", len(prices)).items():
        if not prices[period]:
            continue
        seen = [month for months, _, _ in windows for month in months]
        if len(seen) > len(set(seen)):
            twice = next(month for month in seen if seen.count(month) > 1)
            found = f"period {period} is measured in several windows of month {twice}"
            raise problem("no_such_row", f"{source} demandratestructure", found, "give one daily window per period")
        price = per_thousand(prices[period])
        rows += [{"price_per_mw_month": price, "months": m, "days": days, "hours": h} for m, days, h in windows]
    return rows


def _windows(
    source: str, rate: Mapping[str, Any], what: str, periods: int
) -> dict[int, list[tuple[list[int], str, tuple[int, int]]]]:
    """(months, days, hours) of each period: months with the same windows together, days alike as "all"."""
    both = {kind: _schedule(source, rate, f"{what}{kind}schedule", periods) for kind in ("weekday", "weekend")}
    found: dict[int, dict[tuple[str, tuple[int, int]], list[int]]] = defaultdict(lambda: defaultdict(list))
    for month in range(1, 13):
        weekday, weekend = both["weekday"][month - 1], both["weekend"][month - 1]
        for period in range(periods):
            work, rest = runs(weekday, period), runs(weekend, period)
            if work == rest:
                kinds: dict[str, list[tuple[int, int]]] = {"all": work}
            else:
                kinds = {"weekday": work, "weekend": rest}
            for days, windows in kinds.items():
                for hours in windows:
                    found[period][days, hours].append(month)
    return {
        period: [(months, days, hours) for (days, hours), months in windows.items()]
        for period, windows in found.items()
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
