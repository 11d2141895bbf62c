"""Units as foreign files write them, and the factor to ours: MW, MWh, currency per MWh."""

from __future__ import annotations

import re

from bess_opt.inputs.readers.arguments import Quantity

_MONEY = r"(?:[a-z]{3}|€|\$|£|euros?|dollars?)"
_PER = r"\s*(?:/|\bper\b|\bje\b)\s*"
_CODES = "eur|usd|gbp|aud|nzd|cad|sek|nok|dkk|pln|chf|czk|huf|ron|jpy|inr|brl|clp|mxn|zar"
_HUNDREDTH = r"(?:ct|cts|cents?|¢|c|p|pence|öre|øre|ore|gr)"
# Pattern of a unit in lower case, kind, factor to ours. Hundredths stand before money: "ct" is no currency.
_UNITS: tuple[tuple[str, str, float], ...] = (
    (rf"{_HUNDREDTH}{_PER}100\s*kwh", "price", 0.1),
    (rf"{_MONEY}{_PER}100\s*kwh", "price", 10.0),
    (rf"{_HUNDREDTH}{_PER}kwhr?", "price", 10.0),
    (rf"{_HUNDREDTH}{_PER}mwhr?", "price", 0.01),
    (rf"{_MONEY}{_PER}mwhr?", "price", 1.0),
    (rf"{_MONEY}{_PER}kwhr?", "price", 1000.0),
    (r"kw\s*/\s*(?:rated\s*kw|kwp?)|kwh\s*/\s*kwp|mw\s*/\s*mwp?", "share", 1.0),
    (r"mwh?\s*/\s*h", "power", 1.0),
    (r"kwh\s*/\s*h", "power", 1e-3),
    (r"gwh|gigawatthours?", "energy", 1000.0),
    (r"mwhr?|megawatthours?", "energy", 1.0),
    (r"kwhr?|kilowatthours?", "energy", 1e-3),
    (r"whr?|watthours?", "energy", 1e-6),
    (r"gw|gigawatts?", "power", 1000.0),
    (r"mw|megawatts?", "power", 1.0),
    (r"kw|kilowatts?", "power", 1e-3),
    (r"w|watts?", "power", 1e-6),
)
_SIGNS = {"€": "EUR", "$": "USD", "£": "GBP", "euro": "EUR", "euros": "EUR", "dollar": "USD", "dollars": "USD"}
_HUNDREDTHS = {"p": "GBP", "pence": "GBP"}
KNOWN = {
    "price": "EUR/MWh, USD/kWh, ct/kWh, EUR per 100 kWh or another currency per MWh or kWh",
    "load": "GW, MW, kW, W, or MWh, kWh, Wh per step",
    "solar": "GW, MW, kW, W, MWh, kWh, Wh per step, or kW/kWp with capacity_mw",
}
_KINDS = {"price": ("price",), "load": ("power", "energy"), "solar": ("power", "energy", "share")}


def unit_in(label: str) -> str:
    """The unit that a column's label states: in brackets, after "in", or as its ending; "" if there is none."""
    found = re.findall(r"[\[(]([^\[\]()]*)[\])]", label)
    for text in reversed(found):
        first = text.split(",")[0].strip()
        if factor_of(first) is not None:
            return str(first)
    spoken = re.search(r"\bin\s+(\S.*)$", label, re.IGNORECASE)
    if spoken and factor_of(spoken[1]) is not None:
        return spoken[1].strip()
    price = re.search(r"(?:^|[_ ])([a-z]{2,3})_?per_?(mwh|kwh)$", label.lower())
    if price:
        return f"{price[1].upper() if len(price[1]) == 3 else price[1]}/{price[2]}"
    joined = re.search(rf"(?:^|[_ ])({_CODES})[_/](mwh|kwh)$", label.lower())
    if joined:
        return f"{joined[1].upper()}/{joined[2]}"
    ending = re.search(r"(?:^|[_ ])(kwh|mwh|gwh|wh|kw|mw|gw)$", label.lower())
    return ending[1] if ending else ""


def factor_of(unit: str) -> tuple[str, float] | None:
    """(kind, factor to our unit) of a unit; None if it is not known."""
    text = " ".join(unit.strip().lower().split())
    for pattern, kind, factor in _UNITS:
        if re.fullmatch(pattern, text):
            return kind, factor
    return None


def fits(unit: str, quantity: Quantity) -> bool:
    """Whether a unit measures this quantity."""
    known = factor_of(unit)
    return known is not None and known[0] in _KINDS[quantity]


def currency_of(unit: str) -> str:
    """Three letters of the currency of a price's unit; "" where it says none ("ct" may be of any)."""
    if factor_of(unit) is not None and not fits(unit, "price"):
        return ""
    money = re.split(r"/|\bper\b|\bje\b", unit.strip(), maxsplit=1)[0].strip()
    if money.lower() in _SIGNS:
        return _SIGNS[money.lower()]
    if money.lower() in _HUNDREDTHS:
        return _HUNDREDTHS[money.lower()]
    return money.upper() if re.fullmatch(r"[A-Za-z]{3}", money) and money.lower() not in ("cts", "ore") else ""
