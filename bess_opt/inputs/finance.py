"""The money around a battery that dispatch does not decide: capital, upkeep, time and tax."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding
from bess_opt.common.input_table import Count, Number, Table, plain, quantity, reject
from bess_opt.common.wording import show


def _zero_or_one(value: object) -> object:
    """A literal alone would take True for 1 and 1.0 for 1."""
    year = plain(value)
    if not isinstance(year, int) or isinstance(year, bool) or year not in (0, 1):
        reject([Finding("wrong_value", "", f"found {show(value)}", "give 0 or 1")])
    return year


SEARCH = "search"
_Years = Annotated[
    Annotated[Literal["search"], Tag("(word)")] | Annotated[tuple[Count, ...], Tag("(list)")],
    Discriminator(lambda value: "(word)" if isinstance(value, str) else "(list)"),
]
_Added = Annotated[
    Annotated[Literal["search"], Tag("(word)")] | Annotated[tuple[tuple[Number, Number], ...], Tag("(list)")],
    Discriminator(lambda value: "(word)" if isinstance(value, str) else "(list)"),
]
REPLACEMENT_COSTS = ("replacement_per_mw", "replacement_per_mwh", "replacement_cost")


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
    lifetime_years: Annotated[Count | None, quantity("years of operation", "year", ge=1, le=1_000)] = None
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
    fade_per_year: Annotated[
        Number | None,
        quantity(
            "share of what the battery earns lost each year by ageing; default: the technology's",
            "1/year",
            ge=0,
            lt=1,
        ),
    ] = None
    replacement_year: Annotated[
        Count | None, quantity("year at whose end cells are replaced; the list of one", "year", ge=1)
    ] = None
    replacement_years: Annotated[
        _Years,
        Field(
            description="years at whose ends cells are replaced, each 1 or more [year], or "
            '"search" for the best ones of a plan'
        ),
    ] = ()
    replacement_per_mw: Annotated[
        Number, quantity("cost of each replacement per rated power, at purchase prices", "currency/MW", ge=0)
    ] = 0.0
    replacement_per_mwh: Annotated[
        Number, quantity("cost of each replacement per nameplate energy, at purchase prices", "currency/MWh", ge=0)
    ] = 0.0
    replacement_cost: Annotated[
        Number, quantity("cost of each replacement whatever the size, at purchase prices", "currency", ge=0)
    ] = 0.0
    augmentation: Annotated[
        _Added,
        Field(
            description="cells added at the ends of years, each [year, MWh], at capital_per_mwh; or "
            '"search" for the best years and MWh of a plan'
        ),
    ] = ()
    augmentation_price_change_per_year: Annotated[
        Number, quantity("yearly change of what added cells cost", "1/year", gt=-1, le=1)
    ] = 0.0
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
        if self.replacement_year is not None and self.replacement_years:
            stated = self.replacement_years
            found = f"stands beside replacement_years = {show(stated if isinstance(stated, str) else list(stated))}"
            reject([Finding("contradiction", "replacement_year", found, "give one of the two")])
        if self.searches_years:
            return self
        paid = [key for key in REPLACEMENT_COSTS if getattr(self, key) > 0.0]
        if paid and not self.replaced_after:
            found = f"{paid[0]} is {getattr(self, paid[0]):g} but replacement_year is missing"
            reject([Finding("missing_key", "replacement_year", found, "give the year of the replacement")])
        key = "replacement_year" if self.replacement_year is not None else "replacement_years"
        years = self.replaced_after
        if years and (years[0] < 1 or len(set(years)) < len(years)):
            found = f"found {list(self.replacement_years)}"
            reject([Finding("wrong_value", key, found, "give whole years of 1 or more, each once")])
        if self.lifetime_years and any(year > self.lifetime_years for year in years):
            found = f"found {years[-1]}, after the lifetime of {self.lifetime_years} years"
            reject([Finding("contradiction", key, found, "give a year within the lifetime")])
        return self

    @model_validator(mode="after")
    def _augmentation_is_complete(self) -> Self:
        stated = () if isinstance(self.augmentation, str) else self.augmentation
        years = [year for year, _ in stated]
        if any(year < 1 or year != int(year) for year in years) or len(set(years)) < len(years):
            expected = "give whole years of 1 or more, each once: [[8, 2.0]] adds 2 MWh at the end of year 8"
            reject([Finding("wrong_value", "augmentation", f"found the years {show(years)}", expected)])
        if any(energy <= 0.0 for _, energy in self.added):
            found = f"found {show([energy for _, energy in self.added])} MWh"
            reject([Finding("wrong_value", "augmentation", found, "give more than 0 MWh for each year")])
        if self.lifetime_years and any(year > self.lifetime_years for year in years):
            found = f"found {max(years):g}, after the lifetime of {self.lifetime_years} years"
            reject([Finding("contradiction", "augmentation", found, "give a year within the lifetime")])
        if self.augmentation and self.present_value_factor is not None:
            found = "has years, and stands beside present_value_factor, which has none"
            reject([Finding("contradiction", "augmentation", found, "give discount_rate and lifetime_years")])
        return self

    @property
    def added(self) -> tuple[tuple[int, float], ...]:
        """(year at whose end cells are added, MWh), in order; none where they are still to be looked for."""
        if isinstance(self.augmentation, str):
            return ()
        return tuple(sorted((int(year), energy) for year, energy in self.augmentation))

    @property
    def searches_augmentation(self) -> bool:
        """Whether the best years and MWh of added cells are to be looked for."""
        return self.augmentation == SEARCH

    @property
    def replaced_after(self) -> tuple[int, ...]:
        """Years at whose ends the cells are replaced, in order."""
        if isinstance(self.replacement_years, str):
            found = "is 'search', and this has no plan whose years it could look for"
            expected = "state the years; bo.financials(plan) says which are best"
            raise ScenarioError([Finding("years_to_search", "finance.replacement_years", found, expected)])
        one = () if self.replacement_year is None else (self.replacement_year,)
        return tuple(sorted((*one, *self.replacement_years)))

    @property
    def searches_years(self) -> bool:
        """Whether the best years of replacement are to be looked for."""
        return self.replacement_years == SEARCH

    def replacement(self, power_mw: float, energy_mwh: float) -> float:
        """What one replacement of a battery of this size costs, at the prices of the purchase, currency."""
        sized = self.replacement_per_mw * power_mw + self.replacement_per_mwh * energy_mwh
        return sized + self.replacement_cost
