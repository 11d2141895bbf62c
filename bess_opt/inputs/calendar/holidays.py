"""Public holidays of a region, or dates that are stated, as local dates of a horizon."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

import pandas as pd
from pydantic import BeforeValidator, Field

from bess_opt.common.findings import Finding
from bess_opt.common.input_table import Text, reject
from bess_opt.common.names import nearest
from bess_opt.common.wording import show

_EXPECTED = 'give a country or region ("DE", "DE-BY", "US-CA"), or a list of dates ["2025-12-24"]'


def _holidays(value: object) -> object:
    """A region that the package of public holidays knows, or dates as text."""
    if isinstance(value, str):
        _require_region(value)
        return value
    if not isinstance(value, list | tuple):
        reject([Finding("wrong_value", "", f"found {show(value)}", _EXPECTED)])
    return tuple(_date(item) for item in value)


def _date(item: Any) -> str:
    try:
        date = dt.date.fromisoformat(item) if isinstance(item, str) else item
    except ValueError:
        date = None
    if not isinstance(date, dt.date) or isinstance(date, dt.datetime):
        reject([Finding("wrong_value", "", f"found {show(item)}", 'give dates with their year: "2025-12-24"')])
    return str(date.isoformat())


def _require_region(text: str) -> None:
    from holidays import list_supported_countries

    country, _, region = text.partition("-")
    known = list_supported_countries()
    if country not in known:
        expected = f"{nearest(country, known)}; {_EXPECTED}"
        reject([Finding("unknown_word", "", f"found {show(text)}, whose country is not known", expected)])
    if region and region not in known[country]:
        expected = f"give one of {', '.join(known[country])}" if known[country] else f'give "{country}"'
        reject([Finding("unknown_word", "", f"found {show(text)}, whose region is not known", expected)])


Holidays = Annotated[
    Text | tuple[Text, ...],
    BeforeValidator(lambda value: value if value is None else _holidays(value)),
    Field(description='a country or region ("DE-BY", public holidays with observed days), or a list of local dates'),
]


def holidays_in(stated: str | tuple[str, ...] | None, index: pd.DatetimeIndex) -> tuple[str, ...]:
    """The stated holidays that fall on local dates of the steps of `index`, "YYYY-MM-DD" in order."""
    if not stated:
        return ()
    first, last = index[0].date().isoformat(), index[-1].date().isoformat()
    dates = set(_of_region(stated, range(index[0].year, index[-1].year + 1)) if isinstance(stated, str) else stated)
    return tuple(sorted(date for date in dates if first <= date <= last))


def _of_region(text: str, years: range) -> list[str]:
    from holidays import country_holidays

    country, _, region = text.partition("-")
    return [date.isoformat() for date in country_holidays(country, subdiv=region or None, years=years, observed=True)]
