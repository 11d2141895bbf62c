"""Published tariffs as ours: JSON in the structure of the Utility Rate Database (URDB), and DER-VET's tables."""

from __future__ import annotations

from pathlib import Path

from pydantic import PrivateAttr

from bess_opt.common.findings import Finding, Findings
from bess_opt.inputs.readers.problems import note, problem
from bess_opt.inputs.readers.tariffs.dervet import from_dervet
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

    Knows JSON with the keys of URDB (also inside "items" or "urdb_response") and DER-VET's CSV. `export` is pay for
    export, a price per MWh, "same" or "none"; default: URDB's sell rate, or "none" where there is none.
    ScenarioError for another format, and by name for what is not taken: ratchets, coincident schedules, other units,
    one peak over hours that differ between weekdays and weekends.
    """
    path = Path(file)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise problem("unreadable_file", str(path), f"cannot be read: {reason}", "give a JSON or CSV file") from None
    tables, notes = (
        from_urdb(path.name, text, export) if text.lstrip()[:1] in "{[" else from_dervet(path.name, text, export)
    )
    made = ImportedTariff(**tables)
    made._notes = (*notes, note(path.name, f"{len(made.energy)} energy rows and {len(made.demand)} demand rows"))
    return made
