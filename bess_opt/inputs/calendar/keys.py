"""The keys that say when a row holds, the same in every table that follows a calendar."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Any, Self

import numpy as np
import pandas as pd
from pydantic import BeforeValidator, Field, model_validator

from bess_opt.common.calendar import (
    ALL_YEAR,
    DAY_MIN,
    KINDS,
    When,
    edge_minutes,
    overlapping,
    step_for_edge,
    window_text,
)
from bess_opt.common.findings import Finding
from bess_opt.common.input_table import Count, Number, Table, Text, plain, reject
from bess_opt.common.names import nearest
from bess_opt.common.wording import show

WORDS = ("all", "weekday", "weekend")
_HOURS = (
    'give [from, to] in local hours, numbers or "HH:MM", 0 <= from < 24, 0 <= to <= 24, not equal, or a list of such '
    "pairs that do not overlap; [0, 24] is all day, [22, 6] wraps over midnight"
)
_DATE = 'give a date of the year "MM-DD"'


def listed(value: object) -> list[Any]:
    """Items of a list, tuple, range or array; nothing for anything else."""
    return [plain(item) for item in value] if isinstance(value, list | tuple | range | np.ndarray) else []


def _months(value: object) -> object:
    months = listed(value)
    whole = all(isinstance(m, int) and not isinstance(m, bool) and 1 <= m <= 12 for m in months)
    if not months or not whole or len(set(months)) < len(months):
        expected = "give a list of different months, 1 to 12"
        reject([Finding("wrong_value", "", f"found {show(value)}", expected)])
    return tuple(months)


def _days(value: object) -> object:
    if isinstance(value, str):
        if value not in WORDS:
            hint = nearest(value, [*WORDS, *KINDS])
            expected = f"{hint} ({', '.join(map(repr, WORDS))}, or a list of {', '.join(map(repr, KINDS))})"
            reject([Finding("unknown_word", "", f"found {show(value)}", expected)])
        return value
    kinds = listed(value)
    if not kinds or any(kind not in KINDS for kind in kinds) or len(set(kinds)) < len(kinds):
        expected = f"give {', '.join(map(repr, WORDS))}, or a list of different {', '.join(map(repr, KINDS))}"
        reject([Finding("wrong_value", "", f"found {show(value)}", expected)])
    return tuple(kinds)


def _hours(value: object) -> object:
    items = listed(value)
    several = bool(items) and all(isinstance(item, list | tuple | np.ndarray) for item in items)
    pairs = [listed(item) for item in items] if several else [items]
    windows = [_window(pair) for pair in pairs]
    if not windows or None in windows or overlapping([w for w in windows if w is not None]):
        reject([Finding("wrong_value", "", f"found {show(value)}", _HOURS)])
    stated = tuple(tuple(edge if isinstance(edge, str) else float(edge) for edge in pair) for pair in pairs)
    return stated if several else stated[0]


def _window(pair: list[Any]) -> tuple[float, float] | None:
    """A pair of edges in minutes; None for anything else."""
    right = [isinstance(edge, str | int | float) and not isinstance(edge, bool) for edge in pair]
    try:
        first, last = (edge_minutes(edge) for edge in pair if all(right))
    except (ValueError, OverflowError):
        return None
    return (first, last) if 0 <= first < DAY_MIN and 0 <= last <= DAY_MIN and first != last else None


def _date(value: object) -> object:
    found = re.fullmatch(r"(\d{2})-(\d{2})", value) if isinstance(value, str) else None
    try:
        pd.Timestamp(f"2024-{value}" if found else "no date")  # a leap year: 02-29 is a date of its own
    except ValueError:
        reject([Finding("wrong_value", "", f"found {show(value)}", f'{_DATE}, such as "11-01"')])
    return value


Months = Annotated[
    tuple[Annotated[Count, Field(ge=1, le=12)], ...],
    BeforeValidator(_months),
    Field(description="a list of months, 1 to 12 each, in which the row applies"),
]
Edge = Annotated[Number, Field(ge=0, le=24)] | Text
Hours = Annotated[
    tuple[Edge, Edge] | tuple[tuple[Edge, Edge], ...],
    BeforeValidator(_hours),
    Field(description='[from, to) in local hours, numbers or "HH:MM"; several windows as a list of pairs [h]'),
]
DayKinds = Annotated[
    Text | tuple[Text, ...],
    BeforeValidator(_days),
    Field(
        description='"all", "weekday" (Monday to Friday), "weekend", or a list of "weekday", "saturday", "sunday", '
        '"holiday", in which a holiday is nothing else'
    ),
]
Date = Annotated[Text, BeforeValidator(_date)]


class CalendarKeys(Table):
    """When a row holds: in its months or between its dates, on its days, in its local hours."""

    months: Months = ALL_YEAR
    from_: Annotated[
        Date | None, Field(alias="from", description='first date of the year, "MM-DD", beside to; in place of months')
    ] = None
    to: Annotated[
        Date | None,
        Field(description='last date of the year, "MM-DD", inclusive; before from it is next year\'s'),
    ] = None
    days: DayKinds = "all"
    hours: Hours = (0.0, 24.0)

    @model_validator(mode="after")
    def _one_part_of_the_year(self) -> Self:
        if (self.from_ is None) != (self.to is None):
            here, there = ("from", "to") if self.to is None else ("to", "from")
            reject([Finding("missing_key", there, f"is missing beside {here}", _DATE)])
        if self.from_ is not None and self.months != ALL_YEAR:
            reject([Finding("keys_in_conflict", "months", "stands beside from and to", "give one of the two")])
        return self

    @property
    def calendar(self) -> When:
        """The conditions, edges in minutes."""
        several = isinstance(self.hours[0], tuple)
        pairs: Iterable[Any] = self.hours if several else (self.hours,)
        windows = tuple((edge_minutes(first), edge_minutes(last)) for first, last in pairs)
        return When(self.months, self.from_, self.to, self.days, windows)


def edge_findings(when: When, where: str, index: pd.DatetimeIndex, step_h: float) -> list[Finding]:
    """Edges of the row's windows that lie inside a step, each with the step that it would need."""
    problems = []
    for first, last in () if when.all_day else when.windows:
        steps = {minute: step_for_edge(index, step_h, minute) for minute in (first, last)}
        needed = [step for step in steps.values() if step is not None]
        if needed:
            found = f"the window {window_text(first, last)} has an edge inside a step of {step_h * 60:g} min"
            expected = f"give a series with steps of {min(needed):g} min, or move the edge"
            problems.append(Finding("edge_inside_step", f"{where}.hours", found, expected))
    return problems
