"""Rows of a study: how one is made in a worker, and how it is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from bess_opt.common.atomic_files import clear_leftovers, new_file
from bess_opt.common.atomic_folders import not_writable, problem
from bess_opt.common.errors import BessOptError
from bess_opt.dispatch.optimize import optimize
from bess_opt.dispatch.result import Dispatch
from bess_opt.dispatch.simulate import simulate
from bess_opt.inputs.scenario import Scenario

Row = dict[str, Any]
HEAD = ("digest", "error_kind", "error")
REPORTED = ("status", "objective", "bound", "gap")
ACTIONS: dict[str, Callable[[Scenario], Dispatch]] = {"optimize": optimize, "simulate": simulate}
TABLE, PARTS = "study.parquet", "parts"


@dataclass(frozen=True)
class Action:
    """What is done with each scenario, and the name under which its rows are kept."""

    name: str
    work: Callable[[Scenario], Any]


@dataclass(frozen=True)
class Made:
    """A row, and whether it would come out the same again: a foreign error or a dead worker need not."""

    row: Row
    final: bool = True


def made_of(action: Action, digest: str, scenario: Scenario) -> Made:
    """The figures of a scenario, or its error as a row: what a worker runs."""
    try:
        return Made({"digest": digest, "error_kind": "", "error": "", **_figures(action.work(scenario))})
    except Exception as error:
        return failed(digest, error)


def failed(digest: str, error: Exception) -> Made:
    """The row of a scenario that ended in `error`."""
    kind = type(error).__name__
    row = {"digest": digest, "error_kind": kind, "error": str(error).strip() or f"{kind}, without a word"}
    return Made(row, isinstance(error, BessOptError))


def _figures(made: Any) -> Row:
    if isinstance(made, Dispatch):
        report = {name: getattr(made.report, name) for name in REPORTED} if made.report is not None else {}
        made = {**made.metrics.to_dict(), **_of_products(made), **made.figures, **report}
    if not isinstance(made, Mapping):
        raise TypeError(f"action: returned {type(made).__name__}; give a Dispatch or a mapping of single values")
    taken = [name for name in HEAD if name in made]
    if taken:
        raise ValueError(f"action: returned {taken[0]!r}, a column of the study's own; give it another name")
    return {str(name): _single(str(name), value) for name, value in made.items()}


def _of_products(made: Dispatch) -> Row:
    """The figures of each market product, "fcr.mean_mw", and the least that is left in the worst call of any."""
    if not made.scenario.product:
        return {}
    found: Row = {
        f"{name}.{figure}": value
        for name, figures in made.products.to_dict("index").items()
        for figure, value in figures.items()
    }
    return found | {key: float(made.delivery[key].min()) + 0.0 for key in ("margin_mw", "margin_mwh")}


def _single(name: str, value: Any) -> Any:
    """A plain number, text or flag; None, which is no figure, as NaN."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None:
        return np.nan
    if not isinstance(value, bool | int | float | str):
        raise TypeError(f"action: {name!r} is {type(value).__name__}; give single numbers, texts or flags")
    return value


@dataclass(frozen=True)
class Parts:
    """Where rows are kept: a file for each, named by its key; None keeps nothing."""

    folder: Path | None
    table: Path | None

    @classmethod
    def at(cls, out: str | Path | None) -> Parts:
        """In the folder `out`, or beside the file `out` that ends in .parquet. ScenarioError if it is taken."""
        if out is None:
            return cls(None, None)
        place = Path(out)
        single = place.suffix == ".parquet"
        folder = place.with_name(f"{place.name}.parts") if single else place / PARTS
        held = folder if single else place
        if held.exists() and not held.is_dir():
            raise problem("target_taken", held, "is a file", "name a folder or a .parquet file")
        if single and place.exists() and not folder.is_dir():
            expected = "name a new file, or that of a study to go on with"
            raise problem("target_taken", place, "is there already and not a study's", expected)
        foreign = [] if single or folder.is_dir() or not place.is_dir() else sorted(p.name for p in place.iterdir())
        if foreign:
            expected = "name a new folder, or that of a study to go on with"
            raise problem("target_taken", place, f"holds other files ({foreign[0]}), which are left alone", expected)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            clear_leftovers(folder)
            clear_leftovers(place.parent, place.name) if single else clear_leftovers(place, TABLE)
        except OSError as error:
            raise not_writable(place, error) from None
        return cls(folder, place if single else place / TABLE)

    def read(self, key: str) -> Row | None:
        """The row kept under `key`; None if there is none that can be read."""
        if self.folder is None or not (file := self.folder / f"{key}.parquet").exists():
            return None
        try:
            kept: list[Row] = pq.read_table(file).to_pylist()
        except (OSError, pa.ArrowException):
            return None
        return kept[0]

    def write(self, key: str, made: Made) -> None:
        """Keep a final row: whole under its name, or not at all. ScenarioError if the disk refuses."""
        if self.folder is not None and made.final:
            table = pa.Table.from_pylist([made.row])
            _write(self.folder / f"{key}.parquet", lambda file: pq.write_table(table, file))

    def finish(self, table: pd.DataFrame) -> None:
        """Write the whole table. ScenarioError if the disk refuses."""
        if self.table is not None:
            _write(self.table, lambda file: table.to_parquet(file))


def _write(file: Path, write: Callable[[Path], Any]) -> None:
    try:
        with new_file(file) as parts:
            write(parts)
    except OSError as error:
        raise not_writable(file, error) from None
