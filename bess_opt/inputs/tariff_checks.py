"""What must hold between a tariff and the steps, prices and holidays beside it."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd

from bess_opt.common.arrays import Array, Integers
from bess_opt.common.findings import Finding
from bess_opt.inputs.calendar.keys import CalendarKeys, edge_findings
from bess_opt.inputs.tariff import DemandRate, Tariff

DAY_S = 86_400


def tariff_findings(
    tariff: Tariff, index: pd.DatetimeIndex, step_h: float, holidays: Collection[str] | None
) -> list[Finding]:
    """Problems between a tariff and the steps of `index`; `holidays` is None where the site states none."""
    problems: list[Finding] = []
    rows: list[tuple[str, CalendarKeys]] = [(f"tariff.energy[{n}]", row) for n, row in enumerate(tariff.energy)]
    rows += [(f"tariff.demand[{n}]", row) for n, row in enumerate(tariff.demand)]
    for where, row in rows:
        problems += edge_findings(row.calendar, where, index, step_h)
        if row.calendar.needs_holidays and holidays is None:
            expected = 'state site.holidays: a region such as "DE-BY", or a list of dates'
            problems.append(Finding("no_holidays", f"{where}.days", 'names "holiday", but none are stated', expected))
    years = range(index[0].year, index[-1].year + 1)
    for number, rate in enumerate(tariff.demand):
        where = f"tariff.demand[{number}]"
        problems += interval_findings(rate, where, round(step_h * 3600))
        cut = rate.calendar.months_cut(years) if rate.from_ is not None else []
        if cut:
            found = f"{rate.from_} to {rate.to} cuts month {', '.join(map(str, cut))}, which has one peak"
            problems.append(
                Finding("month_cut", f"{where}.from", found, "give whole months, from 01 to the last day")
            )
    if not any(problem.code == "no_holidays" for problem in problems):
        for direction in ("import", "export"):
            problems += row_of_step(tariff, direction, index, holidays or ())[1]
    return problems


def interval_findings(rate: DemandRate, where: str, step_s: int) -> list[Finding]:
    """What is wrong with a row's interval, and with edges of its windows that are not edges of intervals."""
    if rate.interval_min is None:
        return []
    interval_s = round(rate.interval_min * 60)
    found, place = f"found {rate.interval_min:g}", f"{where}.interval_min"
    if interval_s < 1 or interval_s % step_s:
        text = f"{found}, but steps are {step_s / 60:g} min"
        return [Finding("odd_interval", place, text, "give a whole number of steps, or a series with shorter steps")]
    if DAY_S % interval_s:
        return [
            Finding("odd_interval", place, f"{found}, which does not divide 24 h", "give 15, 30, 60, 120 ... min")
        ]
    when, problems = rate.calendar, []
    for first, last in () if when.all_day else when.windows:
        if any(round(minute * 60) % interval_s for minute in (first, last)):
            text = f"an edge of {first / 60:g} to {last / 60:g} h lies inside an interval of {interval_s / 60:g} min"
            problems.append(Finding("odd_interval", f"{where}.hours", text, "give edges at which intervals begin"))
    return problems


def row_of_step(
    tariff: Tariff, direction: str, index: pd.DatetimeIndex, holidays: Collection[str]
) -> tuple[Integers, list[Finding]]:
    """Number of the energy row of a direction that applies to each step, −1 where the direction has none.

    Beside it a problem for each way in which not exactly one applies, which names the first local time.
    """
    found, rows = np.full(len(index), -1, dtype=np.int64), np.zeros(len(index), dtype=np.int64)
    stated = tariff.rows(direction)
    for number, rate in stated:
        mask = rate.calendar.mask(index, holidays)
        found[mask] = number
        rows += mask
    if not stated:
        return found, []
    name = "row" if direction == "import" else "export row"
    return found, [
        *_offence(rows == 0, f"no {name} applies to", "add a row that covers it", index),
        *_offence(rows > 1, f"several {name}s apply to", "make the rows exclude each other", index),
    ]


def _offence(wrong: Array, found: str, expected: str, index: pd.DatetimeIndex) -> list[Finding]:
    if not wrong.any():
        return []
    first = index[int(np.argmax(wrong))].isoformat(sep=" ", timespec="minutes")
    text = f"{found} {int(wrong.sum())} of {len(index)} steps, first at {first}"
    return [Finding("tariff_rows", "tariff.energy", text, expected)]


def price_findings(tariff: Tariff | None, series: Mapping[str, Array]) -> list[Finding]:
    """Whether it is clear what export is paid, and what net metering nets, beside the price series."""
    tariff = tariff or Tariff()
    both, bought, sold = (
        "price_per_mwh" in series,
        "import_price_per_mwh" in series,
        "export_price_per_mwh" in series,
    )
    expected = 'state export_price_per_mwh, a number in tariff.export, export rows, or tariff.export = "none"'
    if tariff.net_metering is not None:
        return _netting(tariff, [name for name in series if "price_per_mwh" in name])
    if tariff.export == "none" and sold and np.asarray(series["export_price_per_mwh"]).any():
        found = '"none" stands beside the series export_price_per_mwh'
        return [Finding("export_unclear", "tariff.export", found, "leave one of the two out")]
    stated = sold or tariff.rows("export") or tariff.export != "same"
    if stated or not (bought or tariff.rows("import")):
        return []
    if bought and not both:
        found = "the series has import_price_per_mwh, and nothing says what export is paid"
        return [Finding("export_unclear", "tariff.export", found, expected)]
    if any(row.tiers is not None for _, row in tariff.rows("import")):
        found = 'is "same" beside tiers on import, whose price depends on what is used'
        return [Finding("export_unclear", "tariff.export", found, expected)]
    return []


def _netting(tariff: Tariff, priced: list[str]) -> list[Finding]:
    problems = []
    if priced:
        found = f"stands beside the series {', '.join(sorted(priced))}"
        problems.append(Finding("keys_in_conflict", "tariff.net_metering", found, "leave one of the two out"))
    if tariff.export == "same" and any(row.tiers is not None for _, row in tariff.rows("import")):
        found = 'is "same" beside tiers, so that the price of a surplus is not clear'
        problems.append(Finding("export_unclear", "tariff.export", found, 'give a price of the surplus, or "none"'))
    return problems


def price_notes(tariff: Tariff | None, columns: list[str]) -> list[Finding]:
    """Prices of a series beside those of the tariff: both are paid, and the user should know."""
    if tariff is None:
        return []
    notes, expected = [], "leave one of them out unless both are paid"
    priced = [name for name in ("price_per_mwh", "import_price_per_mwh") if name in columns]
    if priced and tariff.rows("import"):
        found = f"stands beside the series {priced[0]}: the two add up"
        notes.append(Finding("prices_add_up", "tariff.energy", found, expected, "warning"))
    if "export_price_per_mwh" in columns:
        beside = ["tariff.energy"] if tariff.rows("export") else []
        beside += ["tariff.export"] if not isinstance(tariff.export, str) else []
        found = "stands beside the series export_price_per_mwh: the two add up"
        notes += [Finding("prices_add_up", where, found, expected, "warning") for where in beside]
    return notes
