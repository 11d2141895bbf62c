"""Units as foreign files write them, and the factor to ours: MW, MWh, currency per MWh."""

from __future__ import annotations

import re
from typing import Literal

Quantity = Literal["price", "load", "solar"]
_MONEY = r"(?:[a-z]{3}|€|\$|£)"
# Pattern of a unit in lower case, kind, factor to ours. Cents stand before money: "ct" is no currency.
_UNITS: tuple[tuple[str, str, float], ...] = (
    (r"(?:ct|cents?|¢|c|p)\s*/\s*kwh", "price", 10.0),
    (rf"{_MONEY}\s*/\s*mwh", "price", 1.0),
    (rf"{_MONEY}\s*/\s*kwh", "price", 1000.0),
    (r"kw\s*/\s*(?:rated\s*kw|kwp?)|kwh\s*/\s*kwp", "share", 1.0),
    (r"gwh", "energy", 1000.0),
    (r"mwh", "energy", 1.0),
    (r"kwh", "energy", 1e-3),
    (r"gw", "power", 1000.0),
    (r"mw", "power", 1.0),
    (r"kw", "power", 1e-3),
    (r"w", "power", 1e-6),
)
KNOWN = {
    "price": "EUR/MWh, USD/kWh, ct/kWh or another currency per MWh or kWh",
    "load": "GW, MW, kW, W, or MWh, kWh per step",
    "solar": "GW, MW, kW, W, MWh, kWh per step, or kW/kWp with capacity_mw",
}
_KINDS = {"price": ("price",), "load": ("power", "energy"), "solar": ("power", "energy", "share")}


def unit_in(label: str) -> str:
    """The unit that a column's label states: in brackets, after a bar or as its ending; "" if there is none."""
    found = re.findall(r"[\[(]([^\[\]()]*)[\])]", label)
    for text in reversed(found):
        first = text.split(",")[0].strip()
        if factor_of(first) is not None:
            return str(first)
    ending = re.search(r"_(kwh|mwh|gwh|kw|mw|gw)$", label.lower())
    return ending[1] if ending else ""


def factor_of(unit: str) -> tuple[str, float] | None:
    """(kind, factor to our unit) of a unit; None if it is not known."""
    text = unit.strip().lower()
    for pattern, kind, factor in _UNITS:
        if re.fullmatch(pattern, text):
            return kind, factor
    return None


def fits(unit: str, quantity: Quantity) -> bool:
    """Whether a unit measures this quantity."""
    known = factor_of(unit)
    return known is not None and known[0] in _KINDS[quantity]
