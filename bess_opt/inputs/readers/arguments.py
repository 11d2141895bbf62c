"""What the caller states about a file, and which of it the reading has used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from bess_opt.common.clock import is_zone
from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding
from bess_opt.inputs.readers.problems import problem

Quantity = Literal["price", "load", "solar"]
StampKind = Literal["start", "end"]
# What each argument of a reader says, in the order in which people are asked.
MEANINGS = {
    "clock": 'zone of bare times, "Europe/Berlin"; "Etc/GMT+8" for UTC-8 all year (the sign is turned round)',
    "time_zone": "zone of the result's clock; default: the market's own, or `clock`",
    "stamps": 'whether times are the "start" or the "end" of their steps',
    "day_first": "true for day/month, false for month/day",
    "decimal": 'the decimal mark, "." or ","; the other one groups thousands',
    "time_column": "the column of times or dates",
    "period_column": "the column of the hour or the number of the step, beside a date",
    "column": "the column of the values, its name or a part of it that no other has",
    "place": "the node, area or meter of a file that holds several; the sheet of a workbook, the file within a zip",
    "unit": 'the unit of the values, such as "USD/kWh", "ct/kWh", "kW" or "kWh" (per step), over what the file says',
    "missing": "a number that stands for no value",
    "year": "the year of rows that say none",
    "step_min": "the step to make of states at irregular times [min]",
    "capacity_mw": "the rated power of a file of solar power that gives shares of it [MW]",
}
_CHOICES: dict[str, tuple[object, ...]] = {
    "stamps": ("start", "end"),
    "decimal": (".", ","),
    "day_first": (True, False),
}
_WORDS = {
    "stamps": "give 'start' or 'end'",
    "decimal": "give '.' or ','",
    "day_first": "give True for day/month or False for month/day",
}
_NUMBERS = ("year", "capacity_mw", "missing", "step_min")


def read_argument(name: str, text: str) -> Any:
    """The value of an argument that is written as text. ScenarioError for what it cannot be."""
    if name == "day_first":
        if text.lower() not in ("true", "false"):
            raise problem("unknown_word", name, f"found {text!r}", "give true for day/month or false for month/day")
        return text.lower() == "true"
    if name not in _NUMBERS:
        return text
    try:
        return int(text) if name == "year" else float(text)
    except ValueError:
        raise problem("wrong_value", name, f"found {text!r}", "give a number") from None


class Stated:
    """Arguments of a reader. `take` hands one out and remembers it; what nobody took by the end did nothing."""

    def __init__(self, quantity: Quantity, given: dict[str, Any]) -> None:
        self.quantity = quantity
        self.given = {name: value for name, value in given.items() if value is not None}
        self._taken: set[str] = {"time_zone"}
        self._spent: dict[str, Any] = {}
        for name, choices in _CHOICES.items():
            if name in self.given and self.given[name] not in choices:
                raise problem("unknown_word", name, f"found {self.given[name]!r}", _WORDS[name])
        for name in ("clock", "time_zone"):
            if name in self.given:
                checked_zone(str(self.given[name]), name)

    def take(self, name: str) -> Any:
        """The value of an argument, None if it was not given; from now on it counts as used."""
        self._taken.add(name)
        return self.given.get(name)

    def take_part(self, parts: Sequence[str]) -> str | None:
        """The sheet or file among several that `place` names, itself or as a part of one name alone; else None.

        A `place` that was used so is none within the table.
        """
        wanted = str(self.given.get("place", ""))
        fitting = [p for p in parts if p == wanted] or [p for p in parts if wanted and wanted.lower() in p.lower()]
        if len(fitting) != 1:
            return None
        self._spent["place"] = self.given.pop("place")
        return fitting[0]

    def has(self, name: str) -> bool:
        """Whether the argument was given, without using it."""
        return name in self.given

    @property
    def used(self) -> dict[str, Any]:
        """The arguments that had an effect."""
        return self._spent | {name: value for name, value in self.given.items() if name in self._taken}

    def refuse_unused(self, source: str, kind: str) -> None:
        """ScenarioError for each argument that had no effect on this file."""
        idle = [name for name in self.given if name not in self._taken]
        if idle:
            raise ScenarioError(
                [
                    Finding(
                        "unused_argument",
                        name,
                        f"found {self.given[name]!r}, which changes nothing in {source} (read as {kind})",
                        "leave it out",
                    )
                    for name in idle
                ]
            )


def checked_zone(zone: str, where: str) -> str:
    """`zone` itself. ScenarioError if it is no IANA name."""
    if not is_zone(zone):
        raise problem("unknown_zone", where, f"found {zone!r}", "give an IANA name such as 'Europe/Berlin'")
    return zone
