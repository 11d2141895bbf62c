"""The money around a battery that dispatch does not decide: capital, upkeep, time and tax."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from bess_opt.common.findings import Finding
from bess_opt.common.input_table import Count, Number, Table, plain, quantity, reject, show


def _zero_or_one(value: object) -> object:
    """A literal alone would take True for 1 and 1.0 for 1."""
    year = plain(value)
    if not isinstance(year, int) or isinstance(year, bool) or year not in (0, 1):
        reject([Finding("wrong_value", "", f"found {show(value)}", "give 0 or 1")])
    return year


class Finance(Table):
    """Costs are positive numbers; rates are fractions per year. All money is in the site's currency.

    Amounts are stated at the prices of the purchase. `discount_rate` and `escalation_rate` are both in the same
    `money`: "nominal" rates hold general inflation, "real" ones do not. Nothing is converted between the two.
    """

    where: ClassVar[str] = "finance"

    capital_per_mw: Annotated[Number, quantity("capital per rated power", "currency/MW", ge=0)] = 0.0
    capital_per_mwh: Annotated[Number, quantity("capital per nameplate energy", "currency/MWh", ge=0)] = 0.0
    capital_fixed: Annotated[Number, quantity("capital whatever the size", "currency", ge=0)] = 0.0
    fixed_om_per_mw_year: Annotated[Number, quantity("upkeep per rated power and year", "currency/MW/year", ge=0)] = (
        0.0
    )
    variable_om_per_mwh: Annotated[
        Number, quantity("upkeep per MWh discharged; cash, enters dispatch", "currency/MWh", ge=0)
    ] = 0.0
    lifetime_years: Annotated[Count | None, quantity("years of operation", "year", ge=1)] = None
    discount_rate: Annotated[Number | None, quantity("discount rate", "1/year", gt=-1, le=1)] = None
    money: Annotated[
        Literal["nominal", "real"], Field(description='"nominal" (rates with inflation) or "real" (without)')
    ] = "nominal"
    escalation_rate: Annotated[Number, quantity("yearly growth of revenue and upkeep", "1/year", gt=-1, le=1)] = 0.0
    first_payment_year: Annotated[
        Literal[0, 1],
        BeforeValidator(_zero_or_one),
        Field(description="0 or 1: the year whose end, counted from the purchase, sees the first payment"),
    ] = 1
    present_value_factor: Annotated[
        Number | None,
        quantity("years' worth of yearly revenue; in place of rates and lifetime", "year", gt=0),
    ] = None
    fade_per_year: Annotated[Number, quantity("share of revenue lost each year by ageing", "1/year", ge=0, lt=1)] = (
        0.0
    )
    replacement_year: Annotated[Count | None, quantity("year in which cells are replaced", "year", ge=1)] = None
    replacement_cost: Annotated[Number, quantity("cost of that replacement", "currency", ge=0)] = 0.0
    residual_share: Annotated[
        Number, quantity("share of the capital that its sale at the end of the lifetime brings", "1", ge=0, le=1)
    ] = 0.0
    tax_rate: Annotated[Number, quantity("tax on the yearly profit", "1", ge=0, lt=1)] = 0.0
    horizons_per_year: Annotated[
        Number | None,
        quantity("how many horizons of the series make a year; needed unless it is one", "1/year", gt=0),
    ] = None

    @model_validator(mode="after")
    def _replacement_is_complete(self) -> Self:
        if self.replacement_cost > 0 and self.replacement_year is None:
            found = f"replacement_cost is {self.replacement_cost:g} but replacement_year is missing"
            reject([Finding("missing_key", "replacement_year", found, "give the year of the replacement")])
        if self.replacement_year and self.lifetime_years and self.replacement_year > self.lifetime_years:
            found = f"found {self.replacement_year}, after the lifetime of {self.lifetime_years} years"
            reject([Finding("contradiction", "replacement_year", found, "give a year within the lifetime")])
        return self
