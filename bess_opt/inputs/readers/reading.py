"""The record of how a file was understood: decision after decision, in the order in which they were made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from bess_opt.common.findings import Finding

Basis = Literal["stated", "file", "kind", "choice"]
BASES: dict[str, str] = {
    "stated": "stated by the caller",
    "file": "the file says so",
    "kind": "known of this kind of file",
    "choice": "chosen: check it",
}


@dataclass(frozen=True)
class Decision:
    """One thing decided about a file: `name` of the question, `value` taken, what it rests on, and a sentence."""

    name: str
    value: str
    basis: Basis
    sentence: str = ""


@dataclass
class Log:
    """Decisions about one file while it is read; `source` is its name, `progress` is told the share that is done."""

    source: str
    decisions: list[Decision] = field(default_factory=list)
    notes: list[Finding] = field(default_factory=list)
    progress: Callable[[float], None] | None = None

    def decide(
        self,
        name: str,
        value: object,
        basis: Basis,
        sentence: str = "",
        *,
        where: str = "",
        expected: str = "as the format says",
        warns: bool = False,
    ) -> None:
        """Write a decision down; one with a sentence is also a note to the user, a warning if `warns`."""
        self.decisions.append(Decision(name, str(value), basis, sentence))
        if sentence:
            place = f"{self.source} {where}".strip()
            severity: Literal["warning", "recommendation"] = "warning" if warns else "recommendation"
            self.notes.append(Finding("imported", place, sentence, expected, severity))


@dataclass(frozen=True)
class Reading:
    """How a file was read: its `file` name, `kind`, `quantity`, the arguments that reproduce it, decisions, figures.

    `str()` is a table for people. It is kept as plain data in `frame.attrs["reading"]`.
    """

    file: str
    kind: str
    quantity: str
    arguments: Mapping[str, Any]
    decisions: tuple[Decision, ...]
    figures: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Plain data, fit for JSON and TOML."""
        return {
            "file": self.file,
            "kind": self.kind,
            "quantity": self.quantity,
            "arguments": dict(self.arguments),
            "figures": dict(self.figures),
            "decisions": [
                {"name": d.name, "value": d.value, "basis": d.basis, "sentence": d.sentence} for d in self.decisions
            ],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Reading:
        """The reading that `to_dict` wrote."""
        decisions = tuple(Decision(**decision) for decision in data["decisions"])
        return cls(data["file"], data["kind"], data["quantity"], data["arguments"], decisions, data["figures"])

    def rows(self) -> list[tuple[str, str, str]]:
        """(question, answer, what it rests on) of each decision and figure."""
        lines = [
            (d.name, d.value, BASES[d.basis] + (f": {d.sentence}" if d.sentence else "")) for d in self.decisions
        ]
        return lines + [(name.replace("_", " "), str(value), "") for name, value in self.figures.items()]

    def __str__(self) -> str:
        rows = self.rows()
        widths = [max((len(row[i]) for row in rows), default=0) for i in (0, 1)]
        head = f"{self.file}: {self.quantity}, read as {self.kind}"
        lines = [f"  {name:<{widths[0]}}  {value:<{widths[1]}}  {why}".rstrip() for name, value, why in rows]
        return "\n".join([head, *lines])
