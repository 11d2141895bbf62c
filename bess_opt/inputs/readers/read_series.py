"""The verbs that read users' own files: prices, loads and solar power, put on our clock and in our units."""

from __future__ import annotations

from pathlib import Path

from bess_opt.inputs.readers.arguments import MEANINGS, StampKind, Stated
from bess_opt.inputs.readers.pipeline import read_file
from bess_opt.inputs.series.imported import ImportedSeries

_SHARED = """
    What a file does not say, or says in a way that fits two readings, is stated. An argument that changes nothing is
    an error, so that none is believed in vain.

{arguments}

    `.notes` says what was done, `.reading` each decision and what it rests on; `print(series.reading)` shows it.
    ScenarioError for an unknown format, naming what was found, and for whatever is unclear or does not fit.
    """


def read_prices(
    file: str | Path,
    *,
    time_zone: str | None = None,
    clock: str | None = None,
    column: str | None = None,
    place: str | None = None,
    unit: str | None = None,
    stamps: StampKind | None = None,
    day_first: bool | None = None,
    decimal: str | None = None,
    time_column: str | None = None,
    period_column: str | None = None,
    missing: float | None = None,
    year: int | None = None,
    step_min: float | None = None,
) -> ImportedSeries:
    """Prices of a file as `price_per_mwh` [currency/MWh], index: start of each step, tz-aware."""
    given = {name: value for name, value in locals().items() if name != "file"}
    return read_file(file, Stated("price", given))


def read_load(
    file: str | Path,
    *,
    time_zone: str | None = None,
    clock: str | None = None,
    column: str | None = None,
    place: str | None = None,
    unit: str | None = None,
    stamps: StampKind | None = None,
    day_first: bool | None = None,
    decimal: str | None = None,
    time_column: str | None = None,
    period_column: str | None = None,
    missing: float | None = None,
    year: int | None = None,
    step_min: float | None = None,
) -> ImportedSeries:
    """Load of a file as `load_mw` [MW], mean over each step, index: start of each step, tz-aware.

    `unit` is one of GW, MW, kW, W, or MWh, kWh, Wh per step.
    """
    given = {name: value for name, value in locals().items() if name != "file"}
    return read_file(file, Stated("load", given))


def read_solar(
    file: str | Path,
    *,
    capacity_mw: float | None = None,
    time_zone: str | None = None,
    clock: str | None = None,
    column: str | None = None,
    place: str | None = None,
    unit: str | None = None,
    stamps: StampKind | None = None,
    day_first: bool | None = None,
    decimal: str | None = None,
    time_column: str | None = None,
    period_column: str | None = None,
    missing: float | None = None,
    year: int | None = None,
    step_min: float | None = None,
) -> ImportedSeries:
    """Solar power of a file as `solar_mw` [MW] at the AC side, index: start of each step, tz-aware.

    `capacity_mw` is the rated power of a file that gives shares of it. Power slightly below zero, which inverters
    draw at night, becomes 0 with a note. Weather without power goes through `bess_opt.solar`.
    """
    given = {name: value for name, value in locals().items() if name != "file"}
    return read_file(file, Stated("solar", given))


_LINES = "\n".join(f"    `{name}`: {meaning}." for name, meaning in MEANINGS.items() if name != "capacity_mw")
for _verb in (read_prices, read_load, read_solar):
    _verb.__doc__ = f"{(_verb.__doc__ or '').rstrip()}\n{_SHARED.format(arguments=_LINES)}"
