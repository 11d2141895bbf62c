"""Tariffs in the structure of the Utility Rate Database (URDB) as ours.

URDB holds, for each month and hour, the number of a period, once for weekdays and once for weekends; a period has a
rate. Source: openei.org/services/doc/rest/util_rates, version 7.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding
from bess_opt.common.wording import show
from bess_opt.inputs.readers.problems import note, problem
from bess_opt.inputs.readers.tariffs.tariff_request import per_thousand, stated_export, unknown_tariff

KEYS = ("energyratestructure", "energyweekdayschedule", "energyweekendschedule")
_MONTHLY = (  # ours, and URDB's amount with its unit
    ("fixed_per_month", "fixedmonthlycharge", "fixedmonthlychargeunits"),
    ("fixed_per_month", "fixedchargefirstmeter", "fixedchargeunits"),
    ("minimum_per_month", "minmonthlycharge", "minmonthlychargeunits"),
    ("minimum_per_month", "mincharge", "minchargeunits"),
)
_NOT_TAKEN = {  # URDB's key, and what to do about it
    "coincidentratestructure": "take it out, and state the hours of the system's peak in a row with `coincident`",
    "demandratchetpercentage": "take it out, and state a ratchet in the scenario's demand rows",
    "annualmincharge": "take it out, and state minimum_per_month",
    "demandreactivepowercharge": "take it out; reactive power is not billed",
    "fixedchargeeaaddl": "take it out, and state fixed_per_month for all meters",
}
_LOOKBACK = ("lookbackpercent", "lookbackPercent")
_DAILY, _TIERS_BY_DAY = "kW daily", "kwh daily"
DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
ENDLESS = 1e9  # kWh or kW: URDB writes a tier without end as a number so large


def from_urdb(source: str, text: str, export: float | str | None) -> tuple[dict[str, Any], list[Finding]]:
    """Tables of a tariff from URDB's JSON, and notes. ScenarioError as in `read_tariff`."""
    rate = _rate_in(source, text)
    _refuse(source, rate)
    energy = _tiers(source, rate, "energyratestructure")
    rows = _rows(source, rate, "energy", energy, "price_per_mwh")
    rows, notes = _fuel(source, rate, rows)
    flat, said = _flat_demand(source, rate)
    demand = flat + _timed_demand(source, rate)
    window = rate.get("demandwindow")
    for row in demand:
        row |= {"interval_min": float(window)} if window else {}
    converted = "rates per kWh and kW are made per MWh and MW; hours are local, from the hour's start"
    notes = [note(source, converted), *notes, *said]
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
    return tables | {"energy": rows}, [*notes, said_of_export, *_texts(source, rate)]


def _texts(source: str, rate: Mapping[str, Any]) -> list[Finding]:
    """Warnings for rates that the file states as text alone, which nothing here can bill."""
    expected = "it is not billed; state it in the scenario where it applies"
    stated = [(key, rate.get(key)) for key in ("energyattrs", "demandattrs", "fixedattrs")]
    return [note(f"{source} {key}", f"says {show(text)}", expected, warns=True) for key, text in stated if text]


def _refuse(source: str, rate: Mapping[str, Any]) -> None:
    """ScenarioError that names every part of the tariff which our tables cannot say."""
    found = [(key, "is stated", todo) for key, todo in _NOT_TAKEN.items() if _stated(rate.get(key))]
    for key in ("flatdemandunit", "demandrateunit"):
        unit = rate.get(key)
        taken = (None, "", "kW", _DAILY) if key == "flatdemandunit" else (None, "", "kW")
        if unit not in taken and rate.get(key.replace("unit", "structure")):
            found.append((key, f"is in {unit}", "give one rate per kW and month"))
    daily = rate.get("flatdemandunit") == _DAILY
    if daily and any(len(tiers) > 1 for tiers in _listed(rate.get("flatdemandstructure"))):
        found.append(("flatdemandstructure", "has tiers of daily peaks", "give one rate per kW and day"))
    share = _lookback(rate)
    if share and (daily or not any(map(_priced_at_all, _listed(rate.get("flatdemandstructure"))))):
        what = "looks back to daily peaks" if daily else "has no flat demand charge that it is about"
        found.append((next(key for key in _LOOKBACK if rate.get(key)), what, "take it out, and state a ratchet"))
    if rate.get("dgrules") in ("Net Metering", "Buy All Sell All"):
        expected = "take it out, and state tariff.net_metering or what export is paid in the scenario"
        found.append(("dgrules", f"is {rate['dgrules']!r}", expected))
    if found:
        raise ScenarioError([Finding("no_such_row", f"{source} {key}", what, todo) for key, what, todo in found])


def _stated(value: object) -> bool:
    """Whether a value says anything but nothing: tables of rates whose numbers are all 0 do not."""
    if isinstance(value, list):
        return any(map(_stated, value))
    return any(map(_stated, value.values())) if isinstance(value, dict) else bool(value)


def _priced_at_all(tiers: list[dict[str, Any]]) -> bool:
    return any(float(tier.get("rate") or 0.0) + float(tier.get("adj") or 0.0) for tier in tiers)


def _lookback(rate: Mapping[str, Any]) -> float:
    """Share of an earlier peak that flat demand bills at least; 0 for none."""
    return next((float(rate[key]) for key in _LOOKBACK if rate.get(key)), 0.0)


def _ratchet(rate: Mapping[str, Any]) -> dict[str, Any]:
    """The look-back of flat demand as a ratchet: over a number of months, or to named months of the year before."""
    share = _lookback(rate)
    if not share:
        return {}
    back = next((int(rate[key]) for key in ("lookbackrange", "lookbackRange") if rate.get(key)), 0)
    flags = next((rate[key] for key in ("lookbackmonths", "lookbackMonths") if _stated(rate.get(key))), ())
    named = [month for month, flag in enumerate(flags, start=1) if flag]
    of_months = {"named_months": named} if named else {}
    return {"ratchet": {"share": share, "months": back or 11} | of_months}


def _fuel(
    source: str, rate: Mapping[str, Any], rows: list[dict[str, Any]]
) -> tuple[list[dict[str, Any]], list[Finding]]:
    """Energy rows with the fuel adjustment of each month in their prices; a row for each adjustment."""
    key = "fueladjustmentsmonthly"
    if not _stated(rate.get(key)):
        return rows, []
    values = _listed(rate.get(key))
    if len(values) != 12 or not all(isinstance(value, int | float) for value in values):
        raise problem("wrong_value", f"{source} {key}", "is no list of 12 numbers", "give one per month, per kWh")
    by_month = [per_thousand(float(value)) for value in values]
    made = []
    for row in rows:
        for extra in dict.fromkeys(by_month[month - 1] for month in row["months"]):
            months = [month for month in row["months"] if by_month[month - 1] == extra]
            part = row | {"months": months}
            if "tiers" in row:
                part["tiers"] = [[top, round(price + extra, 9)] for top, price in row["tiers"]]
            else:
                part["price_per_mwh"] = round(row["price_per_mwh"] + extra, 9)
            made.append(part)
    return made, [note(f"{source} {key}", "is added to the energy prices of each month")]


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
        units -= {_TIERS_BY_DAY} if key == "energyratestructure" else set()
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


def _flat_demand(source: str, rate: Mapping[str, Any]) -> tuple[list[dict[str, Any]], list[Finding]]:
    """Rows of the demand of all hours, and notes. Daily peaks at a price each are their mean times a month's days."""
    months = defaultdict(list)
    daily = rate.get("flatdemandunit") == _DAILY
    for month, period in enumerate(_listed(rate.get("flatdemandmonths")), start=1):
        months[int(period), DAYS[month - 1] if daily else 0].append(month)
    structure = _tiers(source, rate, "flatdemandstructure")
    rows = []
    for (period, days), listed in sorted(months.items(), key=lambda item: (item[0][0], -item[0][1])):
        if not 0 <= period < len(structure):
            expected = f"give 12 numbers of periods, 0 to {len(structure) - 1}"
            raise problem("wrong_value", f"{source} flatdemandmonths", f"found period {period}", expected)
        tiers = structure[period]
        if not any(price for _, price in tiers):
            continue
        if daily:
            price = round(tiers[0][1] * days, 9)
            rows.append({"price_per_mw_month": price, "months": listed, "peaks": {"n": days, "distinct": "day"}})
        else:
            rows.append(_priced(tiers, "price_per_mw_month") | {"months": listed} | _ratchet(rate))
    notes = []
    if daily and rows:
        what = "a price for each day's peak is the mean of the daily peaks times the days of the month"
        notes.append(note(f"{source} flatdemandunit", what, "February counts 28 days", warns=True))
    if _lookback(rate):
        what = "the look-back is a ratchet of the flat demand rows; the peaks of earlier months are not known"
        notes.append(note(f"{source} {_LOOKBACK[0]}", what, "state history_mw in these rows", warns=True))
    return rows, notes


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
            units = {str(tier.get("unit", "")).lower() for tier in rate[f"{what}ratestructure"][period]}
            row |= {"tier_period": "day"} if "tiers" in row and _TIERS_BY_DAY in units else {}
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
