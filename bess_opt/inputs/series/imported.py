"""A series that came from somebody else's file: an ordinary DataFrame that also says what was done to it."""

from __future__ import annotations

from typing import Any, ClassVar

import pandas as pd

from bess_opt.common.findings import Finding, Findings
from bess_opt.inputs.readers.reading import Reading


class ImportedSeries(pd.DataFrame):
    """Columns and index as `bess_opt.Scenario(series=...)` wants them, and `notes` on how they were made.

    Slices, joins and arithmetic give plain DataFrames: what they hold is no longer what the notes tell of.
    """

    _metadata: ClassVar[list[str]] = ["_notes"]
    _notes: tuple[Finding, ...] = ()

    @classmethod
    def of(cls, frame: pd.DataFrame, notes: tuple[Finding, ...]) -> ImportedSeries:
        """`frame` with its notes."""
        made = cls(frame)
        made.attrs = dict(frame.attrs)
        object.__setattr__(made, "_notes", notes)
        return made

    @property
    def _constructor(self) -> Any:
        return pd.DataFrame

    @property
    def notes(self) -> Findings:
        """What was read, converted, moved or assumed, in the order in which it happened."""
        return Findings(self._notes)

    @property
    def reading(self) -> Reading:
        """How the file was understood: each decision and what it rests on; `str()` is a table."""
        return Reading.from_dict(self.attrs["reading"])
