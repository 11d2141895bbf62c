"""What an input check found: one typed record, and the collection of them that reaches the caller."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Literal

Severity = Literal["error", "warning", "recommendation"]


@dataclass(frozen=True)
class Finding:
    """One problem: `code` names its kind, `where` the input, `found` what is there, `expected` the remedy."""

    code: str
    where: str
    found: str
    expected: str
    severity: Severity = "error"

    def sentence(self) -> str:
        """The finding as one line for people."""
        return f"{self.where}: {self.found}; {self.expected}"

    def to_dict(self) -> dict[str, str]:
        """The finding as plain data, keys as the attributes."""
        return asdict(self)


class Findings:
    """An ordered collection of `Finding`, split by severity."""

    def __init__(self, findings: Iterable[Finding] = ()) -> None:
        self._all = tuple(findings)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    def __repr__(self) -> str:
        return (
            f"Findings({len(self.errors)} errors, {len(self.warnings)} warnings, "
            f"{len(self.recommendations)} recommendations)"
        )

    def _repr_html_(self) -> str:
        from bess_opt.common import html as notebook

        return notebook.findings_html(self)

    @property
    def errors(self) -> tuple[Finding, ...]:
        """Findings that make the scenario unusable."""
        return tuple(f for f in self._all if f.severity == "error")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """Findings that change what the result means."""
        return tuple(f for f in self._all if f.severity == "warning")

    @property
    def recommendations(self) -> tuple[Finding, ...]:
        """Findings worth a second look."""
        return tuple(f for f in self._all if f.severity == "recommendation")
