"""Published tariffs as ours: JSON in the structure of the Utility Rate Database (URDB), and DER-VET's tables."""

from __future__ import annotations

from pathlib import Path

from pydantic import PrivateAttr

from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding, Findings
from bess_opt.inputs.readers.arguments import Stated
from bess_opt.inputs.readers.file.opened import FORMS, Opened, open_file
from bess_opt.inputs.readers.problems import note, problem
from bess_opt.inputs.readers.reading import Log
from bess_opt.inputs.readers.tariffs.dervet import from_dervet
from bess_opt.inputs.readers.tariffs.tariff_request import unknown_tariff
from bess_opt.inputs.readers.tariffs.urdb import from_urdb
from bess_opt.inputs.tariff import Tariff


class ImportedTariff(Tariff):
    """A `Tariff` as the scenario takes it, with `notes` on how it was read."""

    _notes: tuple[Finding, ...] = PrivateAttr(default=())

    @property
    def notes(self) -> Findings:
        """What was read, converted or left out."""
        return Findings(self._notes)


def read_tariff(file: str | Path, *, export: float | str | None = None) -> ImportedTariff:
    """The tariff of a file, ready for `bess_opt.Scenario(tariff=...)`; prices per MWh and per MW and month.

    Knows JSON with the keys of URDB (also inside "items" or "urdb_response") and DER-VET's CSV, in any encoding, also
    gzipped or alone in a zip. `export` is pay for export, a price per MWh, "same" or "none"; default: URDB's sell
    rate, or "none" where there is none.
    ScenarioError for another format, and by name for what is not taken: ratchets, coincident schedules, other units,
    one peak over hours that differ between weekdays and weekends.
    """
    log = Log(Path(file).name)
    opened = _opened(file, log)
    if opened.form not in ("json", "text"):
        raise unknown_tariff(opened.source, f"is {FORMS[opened.form]}")
    text = opened.text()
    tables, notes = (
        from_urdb(opened.source, text, export) if opened.form == "json" else from_dervet(opened.source, text, export)
    )
    made = ImportedTariff(**tables)
    made._notes = (
        *log.notes,
        *notes,
        note(opened.source, f"{len(made.energy)} energy rows and {len(made.demand)} demand rows"),
    )
    return made


def _opened(file: str | Path, log: Log) -> Opened:
    try:
        return open_file(file, Stated("price", {}), log)
    except ScenarioError as error:
        several = [p for p in error.problems if p.code == "several_places"]
        if not several:
            raise
        expected = "unpack it and give the one that is meant"
        raise problem("unreadable_file", several[0].where, several[0].found, expected) from None
