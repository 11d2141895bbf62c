"""The tariff: energy and demand prices by month, kind of day and local hour."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from bess_opt.common.clock import Days, calendar_mask
from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding
from bess_opt.common.input_table import Count, Number, Table, Text, plain, quantity, reject
from bess_opt.common.wording import show

_ALL_YEAR = tuple(range(1, 13))


def _months(value: object) -> object:
    months = _listed(value)
    whole = all(isinstance(m, int) and not isinstance(m, bool) and 1 <= m <= 12 for m in months)
    if not months or not whole or len(set(months)) < len(months):
        expected = "give a list of different months, 1 to 12"
        reject([Finding("wrong_value", "", f"found {show(value)}", expected)])
    return tuple(months)


def _hours(value: object) -> object:
    hours = [h for h in _listed(value) if isinstance(h, int | float) and not isinstance(h, bool)]
    two = len(hours) == len(_listed(value)) == 2
    if not two or not 0 <= hours[0] < 24 or not 0 <= hours[1] <= 24 or hours[0] == hours[1]:
        expected = (
            "give [from, to] in local hours, 0 <= from < 24, 0 <= to <= 24, not equal; "
            "[0, 24] is all day, [22, 6] wraps over midnight"
        )
        reject([Finding("wrong_value", "", f"found {show(value)}", expected)])
    return tuple(hours)


def _stamps(value: object) -> object:
    stamps = [_stamp(item) for item in _listed(value)]
    if not stamps or None in stamps:
        expected = 'give a list of times with their offset from UTC: ["2025-07-15T17:00+02:00"]'
        reject([Finding("wrong_value", "", f"found {show(value)}", expected)])
    return tuple(stamps)


def _stamp(item: object) -> str | None:
    """A time with its offset as ISO text; None for anything else."""
    try:
        time = dt.datetime.fromisoformat(item) if isinstance(item, str) else item
    except ValueError:
        return None
    return time.isoformat() if isinstance(time, dt.datetime) and time.tzinfo is not None else None


def _listed(value: object) -> list[Any]:
    """Items of a list, tuple, range or array; nothing for anything else."""
    return [plain(item) for item in value] if isinstance(value, list | tuple | range | np.ndarray) else []


Months = Annotated[
    tuple[Annotated[Count, Field(ge=1, le=12)], ...],
    BeforeValidator(_months),
    Field(description="months in which the row applies, 1 to 12 each"),
]
Hours = Annotated[
    tuple[Annotated[Number, Field(ge=0, lt=24)], Annotated[Number, Field(ge=0, le=24)]],
    BeforeValidator(_hours),
    Field(description="[from, to): local hours, half-open, wraps over midnight if from > to [h]"),
]
DayKind = Annotated[Days, Field(description="days on which the row applies")]


class EnergyRate(Table):
    """An energy price and when it applies: in its months, on its days, in its local hours."""

    where: ClassVar[str] = "tariff.energy"

    price_per_mwh: Annotated[Number, quantity("price of energy from the grid", "currency/MWh")]
    months: Months = _ALL_YEAR
    days: DayKind = "all"
    hours: Hours = (0.0, 24.0)


class Ratchet(Table):
    """A share of an earlier peak that is billed at least."""

    where: ClassVar[str] = "ratchet"

    share: Annotated[Number, quantity("share of the highest earlier peak billed at least", "1", ge=0, le=1)]
    months: Annotated[Count, quantity("how many months an earlier peak counts", "month", ge=1)]
    history_mw: Annotated[
        tuple[Annotated[Number, Field(ge=0)], ...],
        Field(description="a list of numbers >= 0: peaks of the months before the horizon, latest last [MW]"),
    ] = ()


class DemandRate(Table):
    """A price on the highest mean import of a billing interval within each period.

    A month that the horizon covers in part is billed pro rata by its hours in the horizon; a year or horizon
    at its hours in the billed months over 730.5, the hours of a mean month.
    """

    where: ClassVar[str] = "tariff.demand"

    price_per_mw_month: Annotated[Number, quantity("price of the period's peak", "currency/MW/month", ge=0)]
    months: Months = _ALL_YEAR
    days: DayKind = "all"
    hours: Hours = (0.0, 24.0)
    interval_min: Annotated[
        Number | None,
        quantity("billing interval, a whole number of steps; default: one step", "min", gt=0, le=44_640),
    ] = None
    period: Annotated[Literal["month", "year", "horizon"], Field(description="period that has one peak")] = "month"
    incurred_mw: Annotated[Number, quantity("peak already there at the start", "MW", ge=0)] = 0.0
    minimum_mw: Annotated[Number, quantity("billed at least in each period", "MW", ge=0)] = 0.0
    ratchet: Annotated[
        Ratchet | None, Field(description="a table: the share of an earlier month's peak billed at least")
    ] = None
    coincident: Annotated[
        tuple[Text, ...] | None,
        BeforeValidator(lambda value: value if value is None else _stamps(value)),
        Field(
            description="a list of times with offset: only the billing intervals that contain one are "
            "measured, and the highest of a period is its peak; default: every interval is measured"
        ),
    ] = None

    @model_validator(mode="after")
    def _measured_one_way(self) -> Self:
        if self.coincident is not None and (self.days != "all" or self.hours != (0.0, 24.0)):
            found = "names the times that are measured, but days or hours do so too"
            reject([Finding("keys_in_conflict", "coincident", found, "leave days and hours out")])
        return self


Export = Annotated[
    Annotated[Literal["same", "none"], Tag("(word)")] | Annotated[Number, Tag("(number)")],
    Discriminator(lambda value: "(word)" if isinstance(value, str) else "(number)"),
]


class Tariff(Table):
    """Energy rows, of which exactly one applies to each step; demand rows, which add up; pay for export."""

    where: ClassVar[str] = "tariff"

    energy: Annotated[tuple[EnergyRate, ...], Field(description="a list of tables [[tariff.energy]]")] = ()
    demand: Annotated[tuple[DemandRate, ...], Field(description="a list of tables [[tariff.demand]]")] = ()
    export: Annotated[Export, Field(description='"same" as the import price, "none", or a price [currency/MWh]')] = (
        "same"
    )


def energy_price(tariff: Tariff, index: pd.DatetimeIndex) -> npt.NDArray[np.float64]:
    """Import price of each step [currency/MWh]; zeros without energy rows.

    ScenarioError unless exactly one row applies to each step; it names the first such local time.
    """
    price = np.zeros(len(index))
    if not tariff.energy:
        return price
    rows = np.zeros(len(index), dtype=np.int64)
    for rate in tariff.energy:
        mask = calendar_mask(index, rate.months, rate.days, rate.hours)
        price[mask] = rate.price_per_mwh
        rows += mask
    problems = [
        *_offence(rows == 0, "no row applies to", "add a row that covers it", index),
        *_offence(rows > 1, "several rows apply to", "make the rows exclude each other", index),
    ]
    if problems:
        raise ScenarioError(problems)
    return price


def _offence(wrong: npt.NDArray[np.bool_], found: str, expected: str, index: pd.DatetimeIndex) -> list[Finding]:
    if not wrong.any():
        return []
    first = index[int(np.argmax(wrong))].isoformat(sep=" ", timespec="minutes")
    text = f"{found} {int(wrong.sum())} of {len(index)} steps, first at {first}"
    return [Finding("tariff_rows", "tariff.energy", text, expected)]
