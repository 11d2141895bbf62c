"""Caps on cycles as a user states them: so many full equivalent cycles in a period, or in any so many hours."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from bess_opt.common.findings import Finding
from bess_opt.common.input_table import Number, Table, Text, quantity, reject
from bess_opt.common.wording import show

CyclePeriod = Literal["day", "month", "year", "horizon"]
Counts = Literal["discharged", "charged"]
LONGEST = (0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)  # days of each month, in a leap year


def _date_of_year(text: str) -> str:
    found = re.fullmatch(r"(\d{2})-(\d{2})", text)
    month, day = (int(found[1]), int(found[2])) if found else (0, 0)
    if not 1 <= month <= 12 or not 1 <= day <= LONGEST[month]:
        reject([Finding("wrong_value", "", f"found {show(text)}", 'give a date of the year "MM-DD"')])
    return text


class CycleLimit(Table):
    """At most `count` full equivalent cycles per local period, or within any `hours`."""

    where: ClassVar[str] = "max_cycles"

    count: Annotated[Number, quantity("full equivalent cycles: energy moved over nameplate energy", "1", ge=0)]
    per: Annotated[
        CyclePeriod | None,
        Field(description='"day", "month", "year" (all local) or "horizon"; this or hours'),
    ] = None
    hours: Annotated[
        Number | None,
        quantity("in any steps within so many hours; this or per", "h", gt=0),
    ] = None
    used: Annotated[
        Number,
        quantity(
            "cycles already used: of the period in which the horizon begins, or in the hours before it", "1", ge=0
        ),
    ] = 0.0
    counts: Annotated[
        Counts, Field(description='"discharged", energy that leaves the cells, or "charged", energy that enters them')
    ] = "discharged"
    begins: Annotated[
        Text | None,
        AfterValidator(lambda text: None if text is None else _date_of_year(text)),
        Field(description='per "year": the local date "MM-DD" on which a year begins; default: 1 January'),
    ] = None

    @model_validator(mode="after")
    def _one_period(self) -> Self:
        if (self.per is None) == (self.hours is None):
            found = "neither per nor hours is given" if self.per is None else "per stands beside hours"
            reject([Finding("contradiction", "per", found, "give exactly one of per and hours")])
        if self.begins is not None and self.per != "year":
            remedy = 'a date begins a year: give per = "year", or leave begins out'
            reject([Finding("contradiction", "begins", f"found {show(self.begins)}", remedy)])
        return self

    @property
    def period(self) -> str:
        """The period in words: "day", "12 h"."""
        return self.per or f"{self.hours:g} h"
