"""Prices for capacity as markets publish them: a column for each product, on our clock, per MW and hour."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from bess_opt.inputs.readers.arguments import MEANINGS, Stated
from bess_opt.inputs.readers.choices import kept_rows, one_place
from bess_opt.inputs.readers.file.opened import open_file
from bess_opt.inputs.readers.file.table import Table
from bess_opt.inputs.readers.layout import Layout, matching
from bess_opt.inputs.readers.numbers import numbers
from bess_opt.inputs.readers.pipeline import Rows, in_order, table_of
from bess_opt.inputs.readers.prices import caiso, ercot, pjm
from bess_opt.inputs.readers.problems import listed, problem
from bess_opt.inputs.readers.reading import Log, Reading
from bess_opt.inputs.readers.step_times import timed_rows
from bess_opt.inputs.readers.times.steps import HOUR_NS, evened, step_of
from bess_opt.inputs.series.imported import ImportedSeries

KINDS = (
    "CAISO OASIS (PRC_AS), ERCOT (clearing prices for capacity), PJM Data Miner (ancillary services), "
    "regelleistung.net (results of capacity tenders)"
)
SUFFIX = "_price_per_mw"
_BERLIN, _BLOCK = "Europe/Berlin", "block start"
_PRODUCT = r"^(?P<way>NEGPOS|POS|NEG)_(?P<first>\d\d)_(?P<last>\d\d)$"
_ERCOT = r"^(REGUP|REGDN|RRS\w*|ECRS\w*|NSPIN\w*)$"
_PJM = r"^(regmcp|rmccp|rmpcp|reg_ccp|reg_pcp)$"
_ARGUMENTS = ("place", "column", "clock", "time_zone", "day_first", "decimal", "missing")


@dataclass(frozen=True)
class _Part:
    """Rows and column of one product; `block_h` hours of the local clock that a price is for, 0: it is per hour."""

    name: str
    table: Table
    column: str
    block_h: int = 0
    per_block: bool = False


@dataclass(frozen=True)
class _Found:
    """What a file is: its kind, the market as the shipped definitions name it, its times, products and currency."""

    kind: str
    market: str
    layout: Layout
    parts: list[_Part]
    currency: str


def read_products(
    file: str | Path,
    *,
    names: Mapping[str, str] | None = None,
    place: str | None = None,
    column: str | None = None,
    clock: str | None = None,
    time_zone: str | None = None,
    day_first: bool | None = None,
    decimal: str | None = None,
    missing: float | None = None,
) -> ImportedSeries:
    """Prices for capacity of a file, a column `<product>_price_per_mw` [currency/MW/h] for each product in it.

    Index: start of each step, tz-aware. Products are named as the file names them, in small letters (CAISO's RU is
    `ru_price_per_mw`), those of regelleistung.net `fcr`, `afrr_up`, `afrr_down`; `names` gives them others,
    {"RU": "reg_up"}. A price for a block is divided by the hours that pass in it, also where the clock changes.
    """
    given = {name: value for name, value in locals().items() if name in _ARGUMENTS}
    stated, log = Stated("price", given), Log(Path(file).name)
    table = table_of(open_file(file, stated, log), stated, log)
    found = _understood(table, stated, log)
    log.decide("kind", found.kind, "file")
    columns, zone = {}, _BERLIN
    for number, part in enumerate(found.parts):
        rows, zone = _rows(part, found.layout, stated, log if number == 0 else Log(log.source))
        index = pd.DatetimeIndex(rows.starts.astype("datetime64[ns]")).tz_localize("UTC")
        columns[part.name] = pd.Series(rows.values, index=index)
    steps = {step_of(pd.DatetimeIndex(series.index).asi8) for series in columns.values()}
    if len(steps) > 1:
        lengths = " and ".join(f"{step / HOUR_NS:g} h" for step in sorted(steps))
        raise problem("mixed_steps", table.source, f"its products have steps of {lengths}", "give one file for each")
    frame = pd.DataFrame(_named(columns, names, table.source))
    frame.index = pd.DatetimeIndex(frame.index).tz_convert(time_zone or zone).rename("time")
    _say_gaps(frame, log)
    log.decide("products", ", ".join(columns), "file", f"prices for {listed(list(columns))}, per MW and hour")
    stated.refuse_unused(table.source, found.kind)
    first, last = str(frame.index[0]), str(frame.index[-1])
    figures = {"steps": len(frame), "first_step": first, "last_step": last, "currency": found.currency}
    figures["market"] = found.market
    reading = Reading(table.source, found.kind, "capacity", stated.used, tuple(log.decisions), figures)
    frame.attrs["reading"] = reading.to_dict()
    return ImportedSeries.of(frame, tuple(log.notes))


_LINES = "\n".join(f"    `{name}`: {MEANINGS[name]}." for name in _ARGUMENTS)
read_products.__doc__ = f"""{(read_products.__doc__ or "").rstrip()}

    Kinds of file: {KINDS}. What a file does not say is stated; an argument that changes nothing is an error.

{_LINES}

    `.notes` says what was done. ScenarioError for a file of no such kind, and for whatever is unclear.
    """


def _understood(table: Table, stated: Stated, log: Log) -> _Found:
    """The kind of a file and its products. ScenarioError where it holds no prices for capacity that are known."""
    if caiso.KIND.knows(table) and table.has("ANC_TYPE", "MW"):
        return _caiso(table, stated, log)
    if table.has("DATE_FROM") and (table.has("PRODUCTNAME") or table.has("PRODUCT")):
        return _regelleistung(table, stated)
    if pjm.KIND.knows(table):
        return _pjm(table, stated, log)
    if ercot.KINDS[0].knows(table):
        return _ercot(table, stated, log)
    found = f"holds the columns {listed([name for name in table.names if name])}"
    raise problem("unknown_format", table.source, found, f"give prices for capacity of one of: {KINDS}")


def _caiso(table: Table, stated: Stated, log: Log) -> _Found:
    layout = replace(caiso.KIND.layout(table, stated, log), places=("ANC_REGION",))
    if table.has("XML_DATA_ITEM"):
        prices = [item for item in table.uniques("XML_DATA_ITEM") if "CLR_PRC" in item]
        if not prices:
            found = f"column XML_DATA_ITEM holds {listed(table.uniques('XML_DATA_ITEM'))}, no clearing price"
            raise problem("empty_series", table.source, found, "give the report PRC_AS")
        table = table.where(table.among("XML_DATA_ITEM", prices))
    if table.has("MARKET_RUN_ID") and len(runs := table.uniques("MARKET_RUN_ID")) > 1:
        found = f"column MARKET_RUN_ID holds {listed(runs)}"
        raise problem("several_places", table.source, found, "keep the rows of one market in the file")
    table = one_place(table, layout, stated, log)
    return _Found("CAISO OASIS", "caiso", layout, _by_cell(table, "ANC_TYPE", "MW"), "USD")


def _ercot(table: Table, stated: Stated, log: Log) -> _Found:
    layout = ercot.KINDS[0].layout(table, stated, log)
    kind = next(iter(matching(table, r"^Ancillary ?Type$")), None)
    if kind is not None and (price := matching(table, r"^MCPC$")):
        return _Found("ERCOT", "ercot", layout, _by_cell(table, kind, price[0]), "USD")
    return _Found("ERCOT", "ercot", layout, _by_column(table, _ERCOT), "USD")


def _pjm(table: Table, stated: Stated, log: Log) -> _Found:
    layout = replace(pjm.KIND.layout(table, stated, log), places=("locale",))
    table = one_place(kept_rows(table, layout, log), layout, stated, log)
    kind = next(iter(matching(table, r"^(ancillary_service|service)$")), None)
    if kind is not None and (price := matching(table, r"^(mcp|value)$")):
        return _Found("PJM Data Miner", "pjm", layout, _by_cell(table, kind, price[0]), "USD")
    return _Found("PJM Data Miner", "pjm", layout, _by_column(table, _PJM), "USD")


def _regelleistung(table: Table, stated: Stated) -> _Found:
    """Results of capacity tenders: a row for each block of a local day, "NEGPOS_00_04"; prices by country."""
    name = "PRODUCTNAME" if table.has("PRODUCTNAME") else "PRODUCT"
    products = [re.match(_PRODUCT, str(cell)) for cell in table.cells(name).to_pylist()]
    if None in products:
        where, cell = table.row(products.index(None)), table.cells(name)[products.index(None)].as_py()
        found, expected = f"column {name} holds {cell!r}", "give blocks of a day, such as NEGPOS_00_04"
        raise problem("unknown_format", where, found, expected)
    matched = [match for match in products if match is not None]
    lengths = {int(match["last"]) - int(match["first"]) for match in matched}
    if len(lengths) > 1:
        found = f"has blocks of {' and '.join(str(length) for length in sorted(lengths))} hours"
        raise problem("mixed_steps", table.source, found, "cut the file where the blocks change")
    column = _country_price(table, stated)
    days = pc.utf8_slice_codeunits(table.cells("DATE_FROM"), 0, 10)
    hours = pa.array([f" {match['first']}:00" for match in matched])
    table = table.with_column(_BLOCK, pc.binary_join_element_wise(days, hours, ""))
    reserve = table.first("TYPE_OF_RESERVES").lower() if table.has("TYPE_OF_RESERVES") else ""
    per_block = not column.endswith("/h]")
    parts = []
    for way in dict.fromkeys(match["way"] for match in matched):
        ending = {"NEGPOS": "", "POS": "up", "NEG": "down"}[way]
        product = "_".join(word for word in (reserve or ("" if ending else "fcr"), ending) if word)
        mask = np.array([match["way"] == way for match in matched])
        parts.append(_Part(product, table.where(mask), column, lengths.copy().pop(), per_block))
    layout = Layout(start=_BLOCK, stamps="start", clock=_BERLIN, zone=_BERLIN)
    return _Found("regelleistung.net", "de", layout, parts, "EUR")


def _country_price(table: Table, stated: Stated) -> str:
    """The stated column, else the settlement or the mean price of Germany, or of the country that `place` names."""
    word = stated.take("column")
    if word is not None:
        fitting = [name for name in table.names if str(word).lower() in name.lower()]
    else:
        country = stated.take("place")
        names = rf"({re.escape(str(country).upper())})" if country else "(GERMANY|DE)"
        fitting = matching(table, rf"^{names}_(SETTLEMENTCAPACITY|AVERAGE_CAPACITY)_PRICE")
    if len(fitting) != 1:
        prices = [name for name in table.names if "PRICE" in name]
        found = f"has {'no' if not fitting else 'more than one'} such price"
        raise problem("missing_column", table.source, found, f"state column, one of {listed(fitting or prices)}")
    return fitting[0]


def _by_cell(table: Table, kind: str, price: str) -> list[_Part]:
    """A product for each word of a column."""
    words = [word for word in table.uniques(kind) if word]
    return [_Part(_word(word), table.where(table.equal(kind, word)), price) for word in words]


def _by_column(table: Table, pattern: str) -> list[_Part]:
    """A product for each column of prices."""
    columns = matching(table, pattern)
    if not columns:
        found = f"holds the columns {listed([name for name in table.names if name])}, no price for capacity"
        raise problem("missing_column", table.source, found, f"give prices for capacity of one of: {KINDS}")
    return [_Part(_word(name), table, name) for name in columns]


def _word(text: str) -> str:
    """A product's name of a word of the file."""
    return re.sub(r"\W+", "_", text.strip().lower()).strip("_")


def _rows(part: _Part, layout: Layout, stated: Stated, log: Log) -> tuple[Rows, str]:
    """Hours, or the file's own steps, with the price per MW and hour; and the zone of its clock."""
    values = numbers(part.table, part.column, stated, log, layout.decimal)
    timed = timed_rows(part.table, layout, np.isnan(values), stated, log)
    rows = in_order(part.table.source, timed, values, log)
    if part.block_h:
        rows = _hours_of_blocks(rows, part)
        said = f"prices for blocks of {part.block_h} h are divided by the hours that pass in each"
        log.decide("blocks", f"{part.block_h} h", "file", said if part.per_block else "")
        return rows, timed.zone
    starts, even, _ = evened(rows.starts, rows.values, rows.lengths)
    return Rows(starts, even, np.full(len(starts), step_of(starts), dtype=np.int64)), timed.zone


def _hours_of_blocks(rows: Rows, part: _Part) -> Rows:
    """Each block as its hours, 23 or 25 of them on days on which the clock changes."""
    local = pd.DatetimeIndex(rows.starts.astype("datetime64[ns]")).tz_localize("UTC").tz_convert(_BERLIN)
    wall = local.tz_localize(None) + pd.Timedelta(hours=part.block_h)
    ends = wall.tz_localize(_BERLIN, ambiguous=np.zeros(len(wall), dtype=bool), nonexistent="shift_forward")
    hours = np.rint((ends.tz_convert("UTC").as_unit("ns").asi8 - rows.starts) / HOUR_NS).astype(np.int64)
    prices = rows.values / hours if part.per_block else rows.values
    first = np.repeat(np.cumsum(hours) - hours, hours)
    starts = np.repeat(rows.starts, hours) + (np.arange(int(hours.sum())) - first) * HOUR_NS
    return Rows(starts, np.repeat(prices, hours), np.full(len(starts), HOUR_NS, dtype=np.int64))


def _named(columns: Mapping[str, pd.Series], names: Mapping[str, str] | None, source: str) -> dict[str, pd.Series]:
    """Columns of the series, with the caller's names of products."""
    given = {_word(word): name for word, name in (names or {}).items()}
    for word in given:
        if word not in columns:
            found = f"{word!r} is no product of {source}"
            raise problem("unused_argument", "names", found, f"give names for {listed(list(columns))}")
    final: dict[str, Any] = {}
    for word, series in columns.items():
        name = given.get(word, word)
        if re.fullmatch(r"[a-z][a-z0-9_]{0,49}", name) is None or f"{name}{SUFFIX}" in final:
            expected = "give each product a name of its own: small letters, digits and _, a letter first"
            raise problem("wrong_value", f"names.{word}", f"found {name!r}", expected)
        final[f"{name}{SUFFIX}"] = series
    return final


def _say_gaps(frame: pd.DataFrame, log: Log) -> None:
    empty = int(frame.isna().to_numpy().sum())
    if empty:
        column, stamp = next((c, frame.index[frame[c].isna()][0]) for c in frame.columns if frame[c].isna().any())
        what = f"{empty:,} prices are missing, first {column} at {stamp}"
        expected = "state series_options={'fill': {...}}"
        log.decide("missing values", f"{empty:,}", "file", what, expected=expected, warns=True)
