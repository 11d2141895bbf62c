"""What an input check found: one typed record, and the collection of them that reaches the caller."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from bess_opt.common.html import box, html_table
from bess_opt.common.wording import counted

Severity = Literal["error", "warning", "recommendation"]

SHOWN = 8  # findings; the rest is counted
_MARKS = {"error": "✖ error", "warning": "▲ warning", "recommendation": "• note"}

DIGITS = 4  # of the change: a value is rounded to the side on which a plan exists, by at most 0.1 % of the change


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
        return findings_html(self)

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


def findings_html(findings: Findings) -> str:
    """A row per finding, errors first."""
    order = [*findings.errors, *findings.warnings, *findings.recommendations]
    if not order:
        return box("findings", "<p>nothing was found</p>")
    return box(counted(len(order), "finding"), findings_table(order))


def findings_table(findings: Sequence[Finding]) -> str:
    """The first `SHOWN` of `findings` as an HTML table with severity, place, and what was found and expected."""
    rows = [(_MARKS[finding.severity], finding.where, f"{finding.found}; {finding.expected}") for finding in findings]
    rows = [(mark.replace(" ", "\N{NO-BREAK SPACE}"), where, what) for mark, where, what in rows]
    more = f"<p>and {len(rows) - SHOWN} more</p>" if len(rows) > SHOWN else ""
    return html_table(("", "where", "what"), rows[:SHOWN]) + more


@dataclass(frozen=True)
class Change:
    """One number or permission of the scenario: the key path `where`, what is stated and what would do.

    `note` says what changes with it.
    """

    where: str
    stated: float | bool
    value: float | bool
    unit: str = ""
    note: str = ""

    def sentence(self) -> str:
        """What to do, e.g. "raise site.import_limit_mw from 2 to 2.41 MW"."""
        if isinstance(self.value, bool):
            return f"set {self.where} = {'true' if self.value else 'false'}"
        verb = "raise" if self.value > self.stated else "lower"
        unit = f" {self.unit}" if self.unit else ""
        return f"{verb} {self.where} from {number(self.stated)} to {number(self.value)}{unit}{self.note}"


@dataclass(frozen=True)
class Relaxation:
    """Changes that together make a plan possible, none of them larger than it must be.

    `scenario.replace(**relaxation.tables)` applies them. `share` is the sum of the changes relative to what is
    stated; a permission counts 1.
    """

    changes: tuple[Change, ...]
    share: float
    tables: Mapping[str, Any] = field(repr=False, compare=False)

    @property
    def where(self) -> str:
        """Key path of the change, or all of them joined by " and "."""
        return " and ".join(change.where for change in self.changes)

    @property
    def value(self) -> float | bool:
        """New value of the first change."""
        return self.changes[0].value

    def to_dict(self) -> dict[str, Any]:
        """Plain data: `changes` with where, stated, value and unit, and the `share`."""
        keys = ("where", "stated", "value", "unit")
        return {"changes": [{key: getattr(c, key) for key in keys} for c in self.changes], "share": self.share}

    def finding(self) -> Finding:
        """The relaxation beside the reasons of an `InfeasibleError`."""
        todo = " and ".join(change.sentence() for change in self.changes)
        found = "no single limit mends it" if len(self.changes) > 1 else "this change alone mends it"
        return Finding("relaxation", self.where, found, todo, "recommendation")


def number(value: float) -> str:
    """A number in as many digits as it has, up to 12."""
    return f"{value:.12g}"


def rounded_beyond(stated: float, value: float) -> float:
    """`value` rounded away from `stated` to `DIGITS` digits of the change, so that what is printed is enough."""
    change = abs(value - stated)
    if change == 0.0:
        return value
    unit = 10.0 ** (math.floor(math.log10(change)) + 1 - DIGITS)
    steps = value / unit
    beyond = math.ceil(steps - 1e-6) if value > stated else math.floor(steps + 1e-6)
    return float(f"{beyond * unit:.12g}")
