"""Definitions of market products as data: one file a market, each product with its versions by date and their source.

Files of the package and of the folders that `BESS_OPT_PRODUCTS` lists are read alike; a file `gb.toml` with a table
`[[dc_low]]` defines `gb.dc_low`. A user's own file stands before a shipped one of the same name.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import pandas as pd

from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding
from bess_opt.common.names import nearest
from bess_opt.common.wording import show

FOLDERS = "BESS_OPT_PRODUCTS"
# What a product asks; a key of this table that is none of a definition's own words.
KEYS = (
    "direction", "block_h", "time_zone", "headroom_h", "min_bid_mw", "step_mw", "max_mw", "share_of_power",
    "exclusive_group", "acceptance_share", "mileage_ratio", "performance_score", "performance_price_per_mw",
    "months", "from", "to", "days", "hours",
)  # fmt: skip
_WORDS = ("meaning", "source", "simplified")
_OWN = (*_WORDS, "in_force", "expires", "assumed", "published")


@dataclass(frozen=True)
class Definition:
    """One version of a product: its `keys`, in force from a date on, to be looked at again after `expires`.

    `published`: the names that files of the market's prices give it, in small letters.
    """

    name: str
    market: str
    currency: str
    in_force: date
    expires: date | None
    meaning: str
    source: str
    simplified: str
    assumed: tuple[str, ...]
    published: tuple[str, ...]
    keys: Mapping[str, Any]


def definition(
    name: str, at: pd.Timestamp, until: pd.Timestamp | None = None
) -> tuple[Mapping[str, Any], list[Finding]]:
    """(keys of a `[[product]]` table, findings about them) of the definition `name` in force at `at`.

    ScenarioError, placed at "use", for a name that is no definition and for a time before the first of its versions.
    Findings are warnings: a definition past its expiry, or one that changes before `until`.
    """
    known = _catalogue()
    if name not in known:
        remedy = f"{nearest(name, list(known))}; or leave use out and state the product's keys"
        raise ScenarioError([Finding("unknown_product", "use", f"no definition is named {show(name)}", remedy)])
    versions = known[name]
    day, last = _day(at, versions[0]), _day(at if until is None else until, versions[0])
    place = sum(version.in_force <= day for version in versions) - 1
    if place < 0:
        found = f"{name} is defined from {versions[0].in_force} on, and the horizon begins on {day}"
        raise ScenarioError([Finding("unknown_product", "use", found, "leave use out and state the product's keys")])
    chosen = versions[place]
    notes = []
    if place + 1 < len(versions) and versions[place + 1].in_force <= last:
        found = f"{name} changes on {versions[place + 1].in_force}, and the horizon takes what holds on {day} for all"
        notes.append(Finding("product_changes", "use", found, "cut the horizon there", "warning"))
    if chosen.expires is not None and day > chosen.expires and place + 1 == len(versions):
        found = f"{name} was looked at for times up to {chosen.expires}, and the horizon begins on {day}"
        expected = f"see whether it still holds, and state the keys that changed; its source: {chosen.source}"
        notes.append(Finding("product_expired", "use", found, expected, "warning"))
    return chosen.keys, notes


def published_as(market: str, word: str) -> str | None:
    """The definition, "caiso.reg_up", that files of a market's prices call `word`; None where none is shipped."""
    for name, versions in _catalogue().items():
        if name.startswith(f"{market}.") and word in versions[-1].published:
            return name
    return None


def _day(at: pd.Timestamp, version: Definition) -> date:
    """The date at a time, on the clock of the product's blocks."""
    zone = version.keys.get("time_zone")
    return (at if zone is None or at.tzinfo is None else at.tz_convert(zone)).date()


def products(at: str | pd.Timestamp | None = None) -> pd.DataFrame:
    """Definitions of market products, one row per key, as `[[product]]` takes them in `use`.

    In force at the date `at`, else the latest of each: what it is, its market and currency, its keys, from when it is
    `in_force`, after which date it `expires` and should be looked at again, what is `simplified` in it, which figures
    are `assumed` because no source was found for them, `earlier` versions, and the source. Folders that the
    environment variable `BESS_OPT_PRODUCTS` lists add to them. ScenarioError for a file that is no such list, and for
    a folder that is not there.
    """
    day = None if at is None else pd.Timestamp(at).date()
    known = _catalogue()
    used = {key for versions in known.values() for version in versions for key in version.keys}
    shown = [key for key in KEYS if key in used]
    rows: dict[str, dict[str, Any]] = {}
    for name, versions in known.items():
        held = [version for version in versions if day is None or version.in_force <= day]
        if not held:
            continue
        one = held[-1]
        rows[name] = {"meaning": one.meaning, "market": one.market, "currency": one.currency}
        rows[name] |= {key: one.keys.get(key) for key in shown}
        rows[name] |= {"in_force": one.in_force, "expires": one.expires, "simplified": one.simplified}
        rows[name] |= {"assumed": ", ".join(one.assumed), "earlier": ", ".join(str(v.in_force) for v in held[:-1])}
        rows[name]["source"] = one.source
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(index="product")


def _catalogue() -> dict[str, tuple[Definition, ...]]:
    """Versions of every product by name, in the order of their dates."""
    known = dict(_shipped())
    for folder in os.environ.get(FOLDERS, "").split(os.pathsep):
        if not folder:
            continue
        if not Path(folder).is_dir():
            expected = "name folders that hold a file.toml a market, or leave the variable out"
            raise ScenarioError([Finding("no_folder", FOLDERS, f"{show(folder)} is no folder", expected)])
        for file in sorted(Path(folder).glob("*.toml")):
            known |= _of_file(file.name, file.stem, file.read_bytes())
    return known


@cache
def _shipped() -> dict[str, tuple[Definition, ...]]:
    known: dict[str, tuple[Definition, ...]] = {}
    for file in sorted(files("bess_opt.inputs.products").iterdir(), key=lambda file: file.name):
        if file.name.endswith(".toml"):
            known |= _of_file(file.name, file.name.removesuffix(".toml"), file.read_bytes())
    return known


def _of_file(file: str, market: str, content: bytes) -> dict[str, tuple[Definition, ...]]:
    try:
        tables = tomllib.loads(content.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ScenarioError([Finding("unreadable_file", file, str(error), "give a TOML file")]) from None
    head = {key: str(tables.pop(key, "")) for key in ("market", "currency")}
    known = {}
    for key, rows in tables.items():
        versions = rows if isinstance(rows, list) else [rows]
        made = [_definition(f"{file} {key}", f"{market}.{key}", head, row) for row in versions]
        known[f"{market}.{key}"] = tuple(sorted(made, key=lambda version: version.in_force))
    return known


def _definition(where: str, name: str, head: Mapping[str, str], row: Any) -> Definition:
    """A version from its table. ScenarioError for one without date or source, or with a word that is none."""
    if not isinstance(row, Mapping):
        raise ScenarioError([Finding("wrong_value", where, f"found {show(row)}", f"give a table [[{name}]]")])
    problems = [
        Finding("unknown_key", f"{where}.{key}", "is no word of a definition", nearest(key, [*_OWN, *KEYS]))
        for key in row
        if key not in (*_OWN, *KEYS)
    ]
    for key in ("meaning", "source"):
        if not isinstance(row.get(key), str) or not row[key]:
            problems.append(Finding("missing_key", f"{where}.{key}", "is not stated", f"give {key} as a text"))
    for key, needed in (("in_force", True), ("expires", False)):
        if (needed or key in row) and not isinstance(row.get(key), date):
            found = f"found {show(row.get(key))}"
            problems.append(Finding("wrong_value", f"{where}.{key}", found, "give a date, such as 2025-10-01"))
    if problems:
        raise ScenarioError(problems)
    keys = {key: row[key] for key in KEYS if key in row}
    assumed: Sequence[str] = row.get("assumed", ())
    published: Sequence[str] = row.get("published", ())
    return Definition(
        name, head["market"], head["currency"], row["in_force"], row.get("expires"), row["meaning"], row["source"],
        str(row.get("simplified", "")), tuple(assumed), tuple(published), keys,
    )  # fmt: skip
