"""Market products that hold capacity, one table [[product]] each: what a held MW asks and when it may be held."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Annotated, Any, ClassVar, Literal, Self

import pandas as pd
from pydantic import BeforeValidator, Field, model_validator

from bess_opt.common.clock import is_zone
from bess_opt.common.columns import REGULATION, SCHEDULE, product_of
from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding
from bess_opt.common.input_table import Number, Text, quantity, read_table, reject
from bess_opt.common.names import nearest
from bess_opt.common.wording import show
from bess_opt.inputs.calendar.keys import CalendarKeys, edge_findings
from bess_opt.inputs.products.catalogue import definition

WEEK_H = 168.0
# Stems that columns of a series or of the schedule bear already.
TAKEN = frozenset(
    """solar solar_dc load charge discharge battery inverter inverter_loss import export grid curtailed curtailed_dc
loss unserved shed base drawn product price""".split()  # noqa: SIM905
)


def _name(value: object) -> object:
    if not isinstance(value, str) or re.fullmatch(r"[a-z][a-z0-9_]{0,49}", value) is None:
        expected = "give a name of small letters, digits and _, up to 50, a letter first: columns begin with it"
        reject([Finding("wrong_value", "", f"found {show(value)}", expected)])
    if value in TAKEN or value in REGULATION or f"{value}_mw" in SCHEDULE:
        reject([Finding("wrong_value", "", f"found {show(value)}, whose columns exist already", "give another name")])
    return value


def _zone(value: object) -> object:
    if value is not None and not (isinstance(value, str) and is_zone(value)):
        expected = 'give the IANA name of a time zone, such as "Europe/Berlin"'
        reject([Finding("wrong_value", "", f"found {show(value)}", expected)])
    return value


def _block(value: object) -> object:
    if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
        day = 24.0 / value
        if value != WEEK_H and (value > 24.0 or abs(day - round(day)) > 1e-9):
            expected = "give hours of which a whole number makes a day, or 168, a week from Monday"
            reject([Finding("wrong_value", "", f"found {show(value)}", expected)])
    return value


class MarketProduct(CalendarKeys):
    """A product that pays for capacity held, beside energy.

    A bid of the product is held for whole blocks of the local clock; in each step the batteries keep the power and
    the energy of a call. `use` takes the keys of a shipped definition, over which the table's own stand.
    """

    where: ClassVar[str] = "product"

    name: Annotated[
        Text,
        BeforeValidator(_name),
        Field(description="a text: what its columns begin with, fcr_price_per_mw of the series and fcr_mw of a plan"),
    ]
    use: Annotated[
        Text | None, Field(description='a shipped definition, such as "de.fcr"; own keys stand over its keys')
    ] = None
    direction: Annotated[
        Literal["symmetric", "up", "down"],
        Field(description='"up" is called to discharge, "down" to charge, "symmetric" either way'),
    ] = "symmetric"
    block_h: Annotated[
        Number | None,
        quantity("hours of the local clock in which a bid is constant; 168 is a week; default: one step", "h", gt=0),
        BeforeValidator(_block),
    ] = None
    time_zone: Annotated[
        Text | None, BeforeValidator(_zone), Field(description="clock of its blocks; default: site.time_zone")
    ] = None
    headroom_h: Annotated[
        Number, quantity("hours for which a full call can be served at any time", "h", ge=0, le=8_784)
    ] = 0.25
    min_bid_mw: Annotated[Number | None, quantity("least bid; below it none is held", "MW", ge=0)] = None
    step_mw: Annotated[Number | None, quantity("a bid is a multiple of this", "MW", gt=0)] = None
    max_mw: Annotated[Number | None, quantity("most capacity, of all batteries", "MW", ge=0)] = None
    share_of_power: Annotated[
        Number | None, quantity("most capacity as a share of rated power in its direction", "1", ge=0, le=1)
    ] = None
    exclusive_group: Annotated[
        Text | None, Field(description="a text: of the products that name the same group one has a bid in a step")
    ] = None
    acceptance_share: Annotated[
        Number, quantity("share of bids that the market accepts, of capacity pay and activation", "1", ge=0, le=1)
    ] = 1.0
    mileage_ratio: Annotated[
        Number, quantity("movement of the signal beside the reference signal's", "1", ge=0, le=1e6)
    ] = 1.0
    performance_score: Annotated[Number, quantity("share of the pay that performance earns", "1", ge=0, le=1)] = 1.0
    performance_price_per_mw: Annotated[Number, quantity("price of performance", "currency/MW/h")] = 0.0
    held_mw: Annotated[
        Number | None, quantity("bid that already stands in the block under way at the start", "MW", ge=0)
    ] = None
    bid_mw: Annotated[
        Number | None, quantity("bid that the rule holds in every block in which it fits; default: none", "MW", ge=0)
    ] = None

    @model_validator(mode="after")
    def _bids_that_fit(self) -> Self:
        wrong = [
            Finding("wrong_value", key, f"found {mw:g} MW", self.bids_in_words)
            for key, mw in (("held_mw", self.held_mw), ("bid_mw", self.bid_mw))
            if mw is not None and not self.is_bid(mw)
        ]
        if wrong:
            reject(wrong)
        return self

    @property
    def bids_in_words(self) -> str:
        """What a bid may be, as a remedy."""
        steps = "" if self.step_mw is None else f", a multiple of {self.step_mw:g} MW"
        most = "" if self.max_mw is None else f", at most {self.max_mw:g} MW"
        return f"give 0, or at least {self.min_bid_mw or 0.0:g} MW{steps}{most}"

    def is_bid(self, mw: float) -> bool:
        """Whether `mw` is a bid that the market takes: 0, or at least the least one, a whole number of steps."""
        if mw <= 0.0:
            return mw == 0.0
        steps = 0.0 if self.step_mw is None else abs(mw / self.step_mw - round(mw / self.step_mw))
        return mw >= (self.min_bid_mw or 0.0) - 1e-9 and steps <= 1e-6 and mw <= (self.max_mw or math.inf) + 1e-9

    @property
    def directions(self) -> tuple[Literal["up", "down"], ...]:
        """The directions in which it is called."""
        return ("up", "down") if self.direction == "symmetric" else (self.direction,)

    def to_plain(self) -> dict[str, Any]:
        """The keys that were given, as plain data: those of a definition stay with the definition."""
        return dict(self.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_unset=True))


def resolved(
    products: Sequence[MarketProduct], at: pd.Timestamp, until: pd.Timestamp | None = None
) -> tuple[tuple[MarketProduct, ...], list[Finding], list[Finding]]:
    """(products with the keys of definitions in force at `at`, the first step, problems, warnings).

    With `until`, the last step, a definition that changes by then is a warning.
    """
    found: list[MarketProduct] = []
    problems: list[Finding] = []
    notes: list[Finding] = []
    for n, product in enumerate(products):
        place = f"product[{n}]"
        if product.use is None:
            found.append(product)
            continue
        try:
            keys, told = definition(product.use, at, until)
        except ScenarioError as error:
            problems += [Finding(p.code, f"{place}.use", p.found, p.expected) for p in error.problems]
            continue
        whole, wrong = read_table(MarketProduct, _over(dict(keys), product.stated()), place)
        problems += [_as_used(finding, place, product) for finding in wrong]
        notes += [Finding(f.code, f"{place}.use", f.found, f.expected, f.severity) for f in told]
        found += [] if whole is None else [whole]
    return tuple(found), problems, notes


def _as_used(finding: Finding, place: str, product: MarketProduct) -> Finding:
    """What is wrong with a key that the definition states, and not the scenario, stands at `use`."""
    key = finding.where.removeprefix(f"{place}.")
    if key.partition(".")[0] in product.stated():
        return finding
    return replace(finding, where=f"{place}.use", found=f"{product.use} states {key}: {finding.found}")


def _over(keys: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Own keys over a definition's; of months and dates own ones replace either."""
    parts = {"months", "from", "to"}
    kept = {k: v for k, v in keys.items() if not (k in parts and parts & own.keys())}
    return {**kept, **own}


def product_findings(
    products: Sequence[MarketProduct], index: pd.DatetimeIndex, step_h: float, holidays: Collection[str] | None
) -> list[Finding]:
    """Problems between products, and between them and the steps."""
    counted, problems = Counter(product.name for product in products), list[Finding]()
    for n, product in enumerate(products):
        where = f"product[{n}]"
        if counted[product.name] > 1 and any(other.name == product.name for other in products[:n]):
            found = f"{product.name!r} is the name of another product"
            problems.append(Finding("same_name", f"{where}.name", found, "give another"))
        local = index if product.time_zone is None else index.tz_convert(product.time_zone)
        problems += edge_findings(product.calendar, where, local, step_h)
        if product.calendar.needs_holidays and holidays is None:
            expected = 'state site.holidays: a region such as "DE-BY", or a list of dates'
            problems.append(Finding("no_holidays", f"{where}.days", 'names "holiday", but none are stated', expected))
        problems += _block_findings(product, where, local, step_h)
    return problems


def _block_findings(product: MarketProduct, where: str, local: pd.DatetimeIndex, step_h: float) -> list[Finding]:
    """A block is a whole number of steps, and its edges are edges of steps on the product's clock."""
    if product.block_h is None:
        return []
    steps, remedy = product.block_h / step_h, f"steps are {step_h:g} h; give a whole number of them"
    if round(steps) < 1 or abs(steps - round(steps)) > 1e-9:
        return [Finding("odd_interval", f"{where}.block_h", f"found {product.block_h:g} h", remedy)]
    seconds = local.hour.to_numpy() * 3600 + local.minute.to_numpy() * 60 + local.second.to_numpy()
    step_s = round(step_h * 3600)
    inside = (seconds % min(step_s, 3600)) != 0
    if inside.any():
        found = f"steps begin at {local[int(inside.argmax())].strftime('%H:%M')}, so that blocks begin inside a step"
        return [Finding("edge_inside_step", f"{where}.block_h", found, "give a series whose steps begin on the hour")]
    return []


def column_findings(products: Sequence[MarketProduct], columns: Sequence[str]) -> list[Finding]:
    """A product without a price, columns of products that are not there, and signals stated twice."""
    names, problems = [product.name for product in products], list[Finding]()
    for column in columns:
        owner = product_of(column)
        if owner is not None and owner not in names and get_close_matches(owner, names, cutoff=0.7):
            found, hint = f"no product is named {owner!r}", nearest(owner, names)
            problems.append(Finding("unknown_column", f"series.{column}", found, hint))
    for n, product in enumerate(products):
        where, price = f"product[{n}].name", f"{product.name}_price_per_mw"
        if price not in columns:
            found = f"the series has no column {price}"
            problems.append(Finding("missing_column", where, found, f"add {price}, per MW and hour"))
        one, both = f"{product.name}_activation", {f"{product.name}_activation_up", f"{product.name}_activation_down"}
        stated = both & set(columns)
        if stated and one in columns:
            found = f"{one} stands beside {' and '.join(sorted(stated))}"
            problems.append(Finding("contradiction", f"series.{one}", found, "give one signal, or the two"))
        wrong = [c for c in sorted(stated) if c.rpartition("_")[2] not in product.directions]
        found = f"the product is called {product.direction}"
        problems += [Finding("contradiction", f"series.{c}", found, f"leave it out, or use {one}") for c in wrong]
    return problems


def unused_columns(products: Sequence[MarketProduct], columns: Sequence[str]) -> list[Finding]:
    """Columns of products that the scenario does not state."""
    names = [product.name for product in products]
    unused = sorted({owner for column in columns if (owner := product_of(column)) is not None and owner not in names})
    return [
        Finding(
            "product_not_stated",
            "product",
            f"the series has columns of {owner!r}, and no product has this name",
            f"add [[product]] with name = {show(owner)}, or leave the columns out",
            "warning",
        )
        for owner in unused
    ]


def sign_findings(products: Sequence[MarketProduct], series: pd.DataFrame) -> list[Finding]:
    """Signals below zero where a product is called one way, and calls that are more than a step holds."""
    problems: list[Finding] = []
    total = pd.Series(0.0, index=series.index)
    for product in products:
        one = f"{product.name}_activation"
        if one in series and product.direction != "symmetric" and (series[one] < 0.0).any():
            when = series.index[int((series[one] < 0.0).to_numpy().argmax())]
            found = f"is {series[one][when]:g} at {when.isoformat()}, and the product is called one way"
            problems.append(Finding("out_of_range", f"series.{one}", found, "give 0 to 1"))
        for suffix in ("activation", "activation_up", "activation_down"):
            column = f"{product.name}_{suffix}"
            if column in series:
                total += series[column].abs()
    if (total > 1.0 + 1e-9).any():
        when = series.index[int((total > 1.0 + 1e-9).to_numpy().argmax())]
        found = f"calls of all products take {total[when]:g} of the step at {when.isoformat()}"
        expected = "they count one after another: give at most 1 together"
        problems.append(Finding("out_of_range", "product", found, expected))
    return problems
