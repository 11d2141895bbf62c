"""A scenario of the user's own on the interactive page: its tables as text, and files that are brought."""

from __future__ import annotations

import base64
import binascii
import io
import re
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding
from bess_opt.common.wording import show
from bess_opt.inputs.readers.arguments import MEANINGS, read_argument
from bess_opt.inputs.readers.bring import Brought, Wanted, bring, joined
from bess_opt.inputs.reading.scenario_reading import read_toml
from bess_opt.inputs.scenario import Scenario, load
from bess_opt.interfaces.app.tables_text import toml_text

TABLES, SERIES = "scenario.toml", "series.csv"
_YEARS = (8760.0, 8784.0)
_NAME = re.compile(r"[^\w.+=-]+")


@dataclass(frozen=True)
class Taken:
    """A scenario that takes the place of the page's, and sentences on what was understood or left out."""

    scenario: Scenario
    notes: tuple[str, ...] = ()


def tables_text(scenario: Scenario) -> str:
    """The tables of a scenario as TOML: batteries, site, strategies, tariff, clauses, products, outages, money."""
    return toml_text(scenario.to_tables())


def edited(scenario: Scenario, text: str) -> Taken:
    """The scenario of an edited text, about the series that `scenario` has. ScenarioError for what is wrong."""
    with tempfile.TemporaryDirectory() as made:
        file = Path(made) / TABLES
        file.write_bytes(text.encode("utf-8", errors="replace"))
        tables = read_toml(file)
    options = tables.pop("series", None)
    if isinstance(options, dict):
        options.pop("file", None)
    if "battery" not in tables:
        raise ScenarioError([Finding("missing_key", "battery", "is missing", "write a table [battery]")])
    own = {key: value for key, value in tables.items() if key not in ("name", "series_options")}
    taken = Scenario(**own, series=scenario.series, series_options=options, name=scenario.name)
    return Taken(taken, tuple(note.sentence() for note in taken.notes))


def brought(scenario: Scenario, files: Mapping[str, bytes], stated: str) -> Taken:
    """The scenario that files make, by their names.

    With a TOML file among them it is that scenario, its series in the other files. Without one they are prices, load
    and solar power as people have them: they take the place of the series of `scenario`; `stated` says what no file
    says, as "clock=Europe/Berlin, unit=ct/kWh". ScenarioError for what cannot be understood.
    """
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "own"
        folder.mkdir()
        paths = [folder / (_NAME.sub("_", Path(name).name).lstrip(".") or "file") for name in files]
        for path, content in zip(paths, files.values(), strict=True):
            path.write_bytes(content)
        tables = [path for path in paths if path.suffix.lower() == ".toml"]
        if len(tables) > 1:
            found = f"are several: {', '.join(path.name for path in tables)}"
            raise ScenarioError([Finding("several_places", "files", found, "bring one scenario.toml at a time")])
        if tables:
            loaded = load(tables[0]).replace(name=tables[0].stem if tables[0].stem != "scenario" else "own")
            return Taken(loaded, tuple(note.sentence() for note in loaded.notes))
        arguments = _arguments(stated)
        read = bring([Wanted(path, None, {}) for path in paths], arguments)
        frame, said = joined(read, arguments.get("time_zone"))
        return _with_series(scenario, frame, read, said)


def packed(scenario: Scenario) -> bytes:
    """The scenario as a zip of scenario.toml and series.csv, which `load` reads again."""
    tables = scenario.to_tables()
    tables["series"] = {"file": SERIES} | tables["series"]
    frame = scenario.series
    stamps = pd.Index([stamp.isoformat() for stamp in frame.index], name="time")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as whole:
        whole.writestr(TABLES, toml_text(tables))
        whole.writestr(SERIES, frame.set_axis(stamps).to_csv(lineterminator="\n"))
    return buffer.getvalue()


def files_of(contents: Sequence[str], names: Sequence[str]) -> dict[str, bytes]:
    """Files by name, as the browser sends them. ScenarioError for what is no file."""
    try:
        return {
            str(name): base64.b64decode(content.partition(",")[2], validate=True)
            for name, content in zip(names, contents, strict=True)
        }
    except (binascii.Error, ValueError, AttributeError):
        problem = Finding("unreadable_file", "files", "cannot be decoded", "bring the files again")
        raise ScenarioError([problem]) from None


def _arguments(stated: str) -> dict[str, Any]:
    """What the caller says of the files: NAME=VALUE, separated by commas or lines."""
    arguments: dict[str, Any] = {}
    for part in re.split(r",\s+|\n|;", stated):
        if not part.strip():
            continue
        name, mark, value = (piece.strip() for piece in part.partition("="))
        if not mark or name not in MEANINGS:
            expected = f"write NAME=VALUE, NAME one of {', '.join(MEANINGS)}"
            raise ScenarioError(
                [Finding("unknown_word", "what no file says", f"found {show(part.strip())}", expected)]
            )
        arguments[name] = read_argument(name, value)
    return arguments


def _with_series(scenario: Scenario, frame: pd.DataFrame, found: Sequence[Brought], said: Sequence[str]) -> Taken:
    """`scenario` about another series; columns that it had and that fit the new steps stay."""
    before, start = scenario.series, pd.DatetimeIndex(frame.index)
    own = frame.set_axis(start.tz_convert(scenario.time_zone))
    rest = [name for name in before.columns if name not in frame.columns]
    kept = rest if before.index.equals(own.index) else []
    if {"price_per_mwh"} & set(frame.columns):
        kept = [name for name in kept if not str(name).endswith("_price_per_mwh")]
    lost = [str(name) for name in rest if name not in kept]
    series = own.join(before[kept])
    changes: dict[str, Any] = {}
    currencies = {
        str(one.series.reading.figures["currency"]) for one in found if "currency" in one.series.reading.figures
    }
    if len(currencies) == 1:
        changes["site"] = {"currency": currencies.pop()}
    if scenario.finance is not None:
        hours = (start[-1] - start[0]) / (len(start) - 1) * len(start) / pd.Timedelta(hours=1)
        changes["finance"] = {"horizons_per_year": 1.0 if hours in _YEARS else 8760.0 / hours}
    taken = scenario.replace(series=series, **changes)
    notes = [f"read as {one.quantity}: {one.series.reading.kind}" for one in found]
    notes += [*said, *(note.sentence() for note in taken.notes)]
    if lost:
        notes.append(f"no longer there, as the new files do not hold it: {', '.join(lost)}")
    return Taken(taken, tuple(notes))
