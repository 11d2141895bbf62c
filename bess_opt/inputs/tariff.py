"""The tariff: energy and demand prices by calendar, tiers, net metering, and the fixed parts of a month's bill."""

from __future__ import annotations

import datetime as dt
import math
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from bess_opt.common.findings import Finding
from bess_opt.common.input_table import Count, Number, Table, Text, plain, quantity, reject
from bess_opt.common.wording import show
from bess_opt.inputs.calendar.keys import CalendarKeys, Months, listed

LAST_TIER = "the last threshold must be inf"


def _stamps(value: object) -> object:
    stamps = [_stamp(item) for item in listed(value)]
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


def _tiers(value: object) -> object:
    """Pairs of threshold and price; thresholds rise strictly and the last is infinite."""
    pairs = [listed(item) for item in listed(value)]
    expected = "give a list of [up to, price], thresholds above 0 and strictly rising, the last inf"
    if not pairs or any(len(pair) != 2 or not all(map(_real, pair)) for pair in pairs):
        reject([Finding("wrong_value", "", f"found {show(value)}", expected)])
    tops, prices = [float(top) for top, _ in pairs], [float(price) for _, price in pairs]
    rising = all(low < high for low, high in zip([0.0, *tops], tops, strict=False))
    if not rising or not math.isinf(tops[-1]) or not all(math.isfinite(price) for price in prices):
        reject([Finding("wrong_value", "", f"found {show(value)}", expected)])
    return tuple(zip(tops, prices, strict=True))


def _real(value: object) -> bool:
    """Whether a cell is a number that is not absurd; infinity, a threshold, is written inf."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isinf(value) or abs(value) <= 1e12


def _one_or_several(value: object) -> object:
    """A number, or a list of numbers as a tuple."""
    return tuple(listed(value)) if isinstance(value, list | tuple | np.ndarray) else plain(value)


Tiers = Annotated[tuple[tuple[Annotated[float, Field(allow_inf_nan=True)], float], ...], BeforeValidator(_tiers)]
Peaks_MW = tuple[Annotated[Number, Field(ge=0)], ...]


class EnergyRate(CalendarKeys):
    """A price of energy and when it applies: in its months or dates, on its days, in its local hours."""

    where: ClassVar[str] = "tariff.energy"

    price_per_mwh: Annotated[Number | None, quantity("price of energy; or tiers", "currency/MWh")] = None
    direction: Annotated[
        Literal["import", "export"], Field(description='"import" from the grid, or "export": pay for energy to it')
    ] = "import"
    tiers: Annotated[
        Tiers | None,
        Field(description="a list of [up to MWh, price], the last up to inf: the price by what the row has counted"),
    ] = None
    tier_period: Annotated[
        Literal["month", "day"], Field(description="local period in which the tiers begin anew")
    ] = "month"
    used_mwh: Annotated[
        Number, quantity("what the row has counted at the start in the tier period under way", "MWh")
    ] = 0.0

    @model_validator(mode="after")
    def _price_or_tiers(self) -> Self:
        problems = _price_or_tiers(self, "price_per_mwh")
        if self.tiers is None and self.tier_period != "month":
            problems.append(Finding("keys_in_conflict", "tier_period", "stands without tiers", "give tiers too"))
        if problems:
            reject(problems)
        return self

    @property
    def prices(self) -> tuple[tuple[float, float], ...]:
        """(up to MWh, price) of each tier; one without end where there are none."""
        return self.tiers if self.tiers is not None else ((math.inf, float(self.price_per_mwh or 0.0)),)


def _price_or_tiers(row: Any, price: str) -> list[Finding]:
    if (getattr(row, price) is None) == (row.tiers is None):
        found = "is missing" if row.tiers is None else "stands beside tiers"
        code = "missing_key" if row.tiers is None else "keys_in_conflict"
        return [Finding(code, price, found, "give a number or tiers, not both")]
    return []


class Ratchet(Table):
    """A share of an earlier peak that is billed at least."""

    where: ClassVar[str] = "ratchet"

    share: Annotated[Number, quantity("share of the highest earlier peak billed at least", "1", ge=0, le=1)]
    months: Annotated[Count, quantity("how many months an earlier peak counts", "month", ge=1)] = 11
    named_months: Annotated[
        Months | None, Field(description="only peaks of these months count, 1 to 12; default: of all months")
    ] = None
    history_mw: Annotated[
        Peaks_MW,
        Field(description="a list of numbers >= 0: peaks of months before the horizon, latest last [MW]"),
    ] = ()


class HighestPeaks(Table):
    """How many of the highest peaks make up what is billed."""

    where: ClassVar[str] = "peaks"

    n: Annotated[Count, quantity("how many of the highest peaks the mean is taken of", "1", ge=1)]
    distinct: Annotated[
        Literal["day"] | None, Field(description='"day": one peak of each local day; default: of each interval')
    ] = None


class DemandRate(CalendarKeys):
    """A price on the highest mean import of a billing interval within each period.

    A month is billed whole, or with part_months = "share" by its hours in the horizon; a year at twelve months for
    each calendar year touched; the horizon at its hours in the row's months over 730.5, the hours of a mean month.
    """

    where: ClassVar[str] = "tariff.demand"

    price_per_mw_month: Annotated[
        Number | None, quantity("price of the period's peak; or tiers", "currency/MW/month", ge=0)
    ] = None
    tiers: Annotated[
        Tiers | None,
        Field(description="a list of [up to MW, price per MW and month], the last up to inf: marginal prices"),
    ] = None
    interval_min: Annotated[
        Number | None,
        quantity("billing interval, whole steps that divide 24 h; default: one step", "min", gt=0, le=1440),
    ] = None
    period: Annotated[
        Literal["month", "year", "horizon", "rolling_12"],
        Field(description='period that has one peak; "rolling_12": the highest of a month and the eleven before'),
    ] = "month"
    part_months: Annotated[
        Literal["full", "share"], Field(description="how a month that the horizon cuts is billed: whole, or by hours")
    ] = "full"
    incurred_mw: Annotated[
        Annotated[Annotated[Number, Field(ge=0)], Tag("(number)")] | Annotated[Peaks_MW, Tag("(list)")],
        Discriminator(lambda value: "(list)" if isinstance(value, tuple) else "(number)"),
        BeforeValidator(_one_or_several),
        Field(
            description="peak already there at the start in the period under way, or with peaks a list of peaks of "
            "its earlier days, each >= 0 [MW]"
        ),
    ] = 0.0
    history_mw: Annotated[
        Peaks_MW | None,
        Field(description="a list of numbers >= 0: peaks of months before the horizon, latest last [MW]"),
    ] = None
    minimum_mw: Annotated[Number, quantity("billed at least in each period", "MW", ge=0)] = 0.0
    ratchet: Annotated[
        Ratchet | None, Field(description="a table: the share of an earlier month's peak billed at least")
    ] = None
    peaks: Annotated[
        HighestPeaks | None, Field(description="a table: the mean of the n highest peaks is billed, not the highest")
    ] = None
    coincident: Annotated[
        tuple[Text, ...] | None,
        BeforeValidator(lambda value: value if value is None else _stamps(value)),
        Field(description="a list of times with offset: each bills the mean of the interval that holds it"),
    ] = None
    contracted_mw: Annotated[Number | None, quantity("power that is billed whatever the peak is", "MW", ge=0)] = None
    overrun_price_per_mw_month: Annotated[
        Number | None, quantity("price of the peak above the contracted power", "currency/MW/month", ge=0)
    ] = None

    @model_validator(mode="after")
    def _keys_agree(self) -> Self:
        problems = [
            *_price_or_tiers(self, "price_per_mw_month"),
            *self._coincident_alone(),
            *self._contract(),
            *self._history(),
        ]
        if any(price < 0.0 for _, price in self.tiers or ()):
            problems.append(Finding("wrong_value", "tiers", f"found {show(self.tiers)}", "give prices >= 0"))
        if self.ratchet is not None and self.period != "month":
            found = f'stands beside period = "{self.period}"'
            problems.append(Finding("keys_in_conflict", "ratchet", found, 'it needs period = "month"'))
        if isinstance(self.incurred_mw, tuple) and self.peaks is None:
            found = "is a list, but without peaks there is one peak"
            problems.append(Finding("keys_in_conflict", "incurred_mw", found, "give one number"))
        if problems:
            reject(problems)
        return self

    def _coincident_alone(self) -> list[Finding]:
        if self.coincident is None:
            return []
        taken = {"price_per_mw_month", "tiers", "interval_min", "coincident"}
        names = {key: "from" if key == "from_" else key for key in self.model_fields_set - taken}
        defaults = {key: field.get_default() for key, field in type(self).model_fields.items()}
        beside = sorted(name for key, name in names.items() if getattr(self, key) != defaults[key])
        if not beside:
            return []
        found = f"stands beside {', '.join(beside)}, but the times alone say what is measured and billed"
        expected = "leave them out; a coincident row takes a price or tiers, interval_min and times"
        return [Finding("keys_in_conflict", "coincident", found, expected)]

    def _contract(self) -> list[Finding]:
        stated = self.contracted_mw is not None, self.overrun_price_per_mw_month is not None
        if stated == (False, False):
            return []
        if not all(stated):
            here, there = ("contracted_mw", "overrun_price_per_mw_month")[:: 1 if stated[0] else -1]
            return [Finding("missing_key", there, f"is missing beside {here}", "give both")]
        beside = [key for key in ("tiers", "ratchet", "coincident") if getattr(self, key) is not None]
        beside += ['period = "rolling_12"'] if self.period == "rolling_12" else []
        if not beside:
            return []
        found = f"stands beside {', '.join(beside)}"
        return [Finding("keys_in_conflict", "contracted_mw", found, "state them in rows of their own")]

    def _history(self) -> list[Finding]:
        if self.history_mw is None:
            return []
        if self.ratchet is not None and self.ratchet.history_mw:
            found = "is stated in the row and in its ratchet"
            return [Finding("keys_in_conflict", "history_mw", found, "give it once")]
        if self.ratchet is None and self.period != "rolling_12":
            expected = 'it needs a ratchet or period = "rolling_12"'
            return [Finding("keys_in_conflict", "history_mw", "has no effect in this row", expected)]
        return []

    @property
    def prices(self) -> tuple[tuple[float, float], ...]:
        """(up to MW, price) of each tier; one without end where there are none."""
        return self.tiers if self.tiers is not None else ((math.inf, float(self.price_per_mw_month or 0.0)),)

    @property
    def known_peaks_mw(self) -> tuple[float, ...]:
        """Peaks of the period under way before the start: none, one, or with `peaks` several."""
        known = self.incurred_mw
        return known if isinstance(known, tuple) else (known,) if known > 0.0 else ()

    @property
    def months_before_mw(self) -> tuple[float, ...]:
        """Peaks of the months before the horizon, latest last."""
        if self.history_mw is not None:
            return self.history_mw
        return self.ratchet.history_mw if self.ratchet is not None else ()


Export = Annotated[
    Annotated[Literal["same", "none"], Tag("(word)")] | Annotated[Number, Tag("(number)")],
    Discriminator(lambda value: "(word)" if isinstance(value, str) else "(number)"),
]


class Tariff(Table):
    """Energy rows, of which exactly one of a direction applies to each step; demand rows, which add up; the month."""

    where: ClassVar[str] = "tariff"

    energy: Annotated[tuple[EnergyRate, ...], Field(description="a list of tables [[tariff.energy]]")] = ()
    demand: Annotated[tuple[DemandRate, ...], Field(description="a list of tables [[tariff.demand]]")] = ()
    export: Annotated[
        Export,
        Field(
            description='"same" as the import price, "none", or a price; with net metering that of the surplus '
            "[currency/MWh]"
        ),
    ] = "same"
    net_metering: Annotated[
        Literal["month"] | None,
        Field(description='"month": import and export of each energy row are set against each other by local month'),
    ] = None
    fixed_per_month: Annotated[
        Number, quantity("charge of each local month, whole also where the horizon cuts it", "currency/month", ge=0)
    ] = 0.0
    minimum_per_month: Annotated[
        Number | None, quantity("least bill of each local month", "currency/month", ge=0)
    ] = None
    credit_months: Annotated[
        Count | None,
        quantity("months for which a month's negative sum is kept against later ones", "month", ge=1),
    ] = None
    billed_so_far: Annotated[Number, quantity("money of the month under way before the start", "currency")] = 0.0
    credit_so_far: Annotated[
        tuple[Annotated[Number, Field(ge=0)], ...],
        Field(description="a list of numbers >= 0: credits left of the months before the horizon, latest last"),
    ] = ()

    @model_validator(mode="after")
    def _parts_agree(self) -> Self:
        problems = [*_export_findings(self), *_net_metering_findings(self)]
        if self.billed_so_far and self.minimum_per_month is None and self.credit_months is None:
            expected = "it needs minimum_per_month or credit_months"
            problems.append(Finding("keys_in_conflict", "billed_so_far", "has no effect", expected))
        if self.credit_so_far and self.credit_months is None:
            problems.append(Finding("keys_in_conflict", "credit_so_far", "has no effect", "it needs credit_months"))
        for number, row in enumerate(self.energy):
            limit = 0.0 if self.net_metering is None else -math.inf
            unused = row.used_mwh and row.tiers is None and self.net_metering is None
            where = f"energy[{number}].used_mwh"
            if row.used_mwh < limit:
                expected = "give a number >= 0 MWh, or net metering"
                problems.append(Finding("wrong_value", where, f"found {row.used_mwh:g}", expected))
            elif unused:
                problems.append(Finding("keys_in_conflict", where, "has no effect", "it needs tiers or net metering"))
        if problems:
            reject(problems)
        return self

    def rows(self, direction: str) -> list[tuple[int, EnergyRate]]:
        """The energy rows of a direction with their places."""
        return [(number, row) for number, row in enumerate(self.energy) if row.direction == direction]


def _export_findings(tariff: Tariff) -> list[Finding]:
    """A number, a word and export rows that contradict each other, as far as the tariff alone shows."""
    selling = tariff.rows("export")
    if selling and not isinstance(tariff.export, str):
        found = f'{tariff.export:g} stands beside energy rows with direction = "export"'
        return [Finding("keys_in_conflict", "export", found, "give a number or rows, not both")]
    if selling and tariff.export == "none" and any(price for _, row in selling for _, price in row.prices):
        found = '"none" stands beside energy rows with direction = "export"'
        return [Finding("keys_in_conflict", "export", found, "leave one of the two out")]
    return []


def _net_metering_findings(tariff: Tariff) -> list[Finding]:
    if tariff.net_metering is None:
        return []
    problems = []
    if not tariff.rows("import"):
        problems.append(Finding("missing_key", "net_metering", "has no energy row", "add [[tariff.energy]]"))
    if tariff.rows("export"):
        found = 'stands beside energy rows with direction = "export"'
        problems.append(Finding("keys_in_conflict", "net_metering", found, "state the price of a surplus in export"))
    for number, row in tariff.rows("import"):
        if row.tiers is not None and row.tier_period == "day":
            where = f"energy[{number}].tier_period"
            found = 'is "day" beside net metering by month'
            problems.append(Finding("keys_in_conflict", where, found, 'give "month"'))
    return problems
