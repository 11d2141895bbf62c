"""Numbers that double precision cannot hold together: refused with their place, before anything is computed.

A double has sixteen digits. A plan is wanted to a millionth of the battery and of a usual price, and its sums pass
through a dozen operations: what is more than a hundred million times larger would hide them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from bess_opt.common.columns import SERIES
from bess_opt.common.findings import Finding
from bess_opt.common.input_table import Table
from bess_opt.inputs.batteries import place_of
from bess_opt.inputs.battery import Battery

WIDEST = 1e8
LEAST_EFFICIENCY = 1e-3
NOTHING = 1e-6  # currency per MWh: less is no price in any currency
MONEY = ("currency/MWh", "currency/MW/h", "currency/MW/month")  # units of the prices of a plan's quantities
# What a key stands for that has no unit of its own, as in a list: by the end of its name.
ENDINGS = {"_mw": "MW", "_per_mwh": "currency/MWh", "_per_mw_month": "currency/MW/month"}
_ABOVE = f"double precision holds no more than {WIDEST:g}"


def check_magnitudes(parts: Mapping[str, Any], series: pd.DataFrame) -> list[Finding]:
    """Every cell and key too large beside the battery, or beside the usual price."""
    batteries = parts["batteries"]
    tables = {name: part for name, part in parts.items() if isinstance(part, Table) and name != "series"}
    places = {place_of(battery, batteries): battery for battery in batteries}
    found = [finding for place, battery in places.items() for finding in _battery(battery, place)]
    tables |= places
    listed = {name: part for name, part in parts.items() if isinstance(part, tuple) and name != "batteries"}
    tables |= {f"{name}[{n}]": row for name, rows in listed.items() for n, row in enumerate(rows)}
    power, price = batteries_power_mw(batteries), usual_price(series, parts.get("tariff"))
    units = {name: SERIES[name].unit for name in map(str, series.columns)}
    if power > 0.0:
        beside = f"a battery of {power:g} MW"
        found += _cells(series, _of_unit(units, "MW"), power, beside, "mend the cell, which is in MW")
    if price > 0.0:
        usual, remedy = f"a usual price of {price:g}", "mend the cell, which is in currency per MW and hour or MWh"
        found += [f for unit in MONEY for f in _cells(series, _of_unit(units, unit), price, usual, remedy)]
    found += [finding for name, table in tables.items() for finding in too_large(table, name, power, price)]
    return found


@dataclass(frozen=True)
class Largest:
    """Of all that is stated beside the batteries: largest power [MW] and price, and the usual price."""

    power_mw: float
    price: float
    usual_price: float

    @classmethod
    def of(cls, parts: Mapping[str, Any], series: pd.DataFrame) -> Largest:
        """Of the `parts` of a scenario, whatever its batteries, and its series."""
        tables = [part for name, part in parts.items() if isinstance(part, Table) and name != "series"]
        lists = [part for name, part in parts.items() if isinstance(part, tuple) and name != "batteries"]
        tables += [row for rows in lists for row in rows]
        stated = [(unit, abs(value)) for table in tables for _, unit, value in _numbers(table, "")]
        for name in series.columns:
            stated.append((SERIES[str(name)].unit, float(np.abs(series[name].to_numpy()).max(initial=0.0))))
        power = max((value for unit, value in stated if unit == "MW"), default=0.0)
        price = max((value for unit, value in stated if unit in MONEY), default=0.0)
        return cls(power, price, usual_price(series, parts.get("tariff")))

    def stands_beside(self, batteries: Sequence[Battery]) -> bool:
        """Whether `check_magnitudes` finds nothing with these batteries."""
        power, price = batteries_power_mw(batteries), self.usual_price
        if (power > 0.0 and self.power_mw > WIDEST * power) or (price > 0.0 and self.price > WIDEST * price):
            return False
        places = {place_of(battery, batteries): battery for battery in batteries}
        return not any(
            finding
            for place, battery in places.items()
            for finding in (*_battery(battery, place), *too_large(battery, place, power, price))
        )


def batteries_power_mw(batteries: Sequence[Battery]) -> float:
    """Power that the largest of the batteries can give, its C-rate counted in."""
    return max(min(battery.power_mw, battery.tech.c_rate_max * battery.energy_mwh) for battery in batteries)


def usual_price(series: pd.DataFrame, tariff: Any) -> float:
    """The middle one of all prices other than 0, without their signs; 0 if there are none."""
    columns = [series[name].to_numpy() for name in series.columns if SERIES[str(name)].unit in MONEY]
    rates = [price for rate in getattr(tariff, "energy", ()) for _, price in rate.prices]
    prices = np.abs(np.concatenate([*columns, np.asarray(rates, dtype=float)]))
    prices = prices[prices > NOTHING]
    return float(np.median(prices)) if len(prices) else 0.0


def far_beside(
    table: Table, where: str, batteries: Sequence[Battery], series: pd.DataFrame, tariff: Any
) -> list[Finding]:
    """`too_large` of a table beside the batteries and the usual price of a scenario."""
    if not any(True for _ in _numbers(table, where)):
        return []
    return list(too_large(table, where, batteries_power_mw(batteries), usual_price(series, tariff)))


def too_large(table: Table, where: str, power_mw: float, price: float) -> Iterator[Finding]:
    """Keys of `table`, and of the tables in it, that are too large beside the battery or the usual price."""
    for place, unit, value in _numbers(table, where):
        if isinstance(table, Battery) and place in (f"{where}.power_mw", f"{where}.duration_h"):
            continue
        if unit == "MW" and power_mw > 0.0 and abs(value) > WIDEST * power_mw:
            beside, remedy = f"a battery of {power_mw:g} MW", "leave it out where there is no limit, or mend it"
        elif unit in MONEY and price > 0.0 and abs(value) > WIDEST * price:
            beside, remedy = f"a usual price of {price:g}", "give a smaller one; any above all prices does the same"
        else:
            continue
        yield Finding("too_far_apart", place, f"found {value:g} beside {beside}, and {_ABOVE} times that", remedy)


def _numbers(table: Table, where: str) -> Iterator[tuple[str, str, float]]:
    """(place, unit, value) of every stated number that has a unit; a power is known by its name too."""
    for key, unit in _units_of(type(table)):
        value, place = getattr(table, key), f"{where}.{key}"
        if isinstance(value, Table):
            yield from _numbers(value, place)
            continue
        listed = isinstance(value, tuple)
        for number, item in enumerate(value if listed else (value,)):
            here = f"{place}[{number}]" if listed else place
            if isinstance(item, Table):
                yield from _numbers(item, here)
            elif key == "tiers" and isinstance(item, tuple):
                yield f"{here}[1]", MONEY[0], float(item[1])
            elif unit and isinstance(item, int | float) and not isinstance(item, bool) and np.isfinite(item):
                yield here, unit, float(item)


@lru_cache(maxsize=256)
def _units_of(kind: type[Table]) -> tuple[tuple[str, str], ...]:
    """(key, unit or "") of every key of a kind of table."""
    units = []
    for key, field in kind.model_fields.items():
        extra = field.json_schema_extra
        unit = str(extra.get("unit", "")) if isinstance(extra, dict) else ""
        units.append((key, unit or next((unit for ending, unit in ENDINGS.items() if key.endswith(ending)), "")))
    return tuple(units)


def _of_unit(units: Mapping[str, str], unit: str) -> list[str]:
    return [name for name, own in units.items() if own == unit]


def _cells(series: pd.DataFrame, names: Sequence[str], usual: float, beside: str, remedy: str) -> Iterator[Finding]:
    """The largest cell of each column of these `names`, if it is too large beside what is `usual`."""
    for name in names:
        size = np.abs(series[name].to_numpy())
        row = int(np.argmax(size))
        if size[row] > WIDEST * usual:
            count = int((size > WIDEST * usual).sum())
            at = pd.Timestamp(series.index[row]).isoformat(sep=" ", timespec="minutes")
            more = f", and {count - 1} more" if count > 1 else ""
            found = f"found {series[name].iloc[row]:g} at {at} beside {beside}{more}, and {_ABOVE} times that"
            yield Finding("too_far_apart", f"series.{name} at {at}", found, remedy)


def _battery(battery: Battery, place: str) -> Iterator[Finding]:
    """A battery whose own numbers lie too far apart."""
    tech, eta = battery.tech, battery.converters
    efficiencies = {
        "technology.eta_charge": tech.eta_charge,
        "technology.eta_discharge": tech.eta_discharge,
        "converters.ac_to_dc": eta.ac_to_dc,
        "converters.dc_to_ac": eta.dc_to_ac,
        "converters.dc_to_dc": eta.dc_to_dc,
    }
    for key, value in efficiencies.items():
        if value < LEAST_EFFICIENCY:
            expected = f"give at least {LEAST_EFFICIENCY:g}; a way that is closed is forbidden by the site's limits"
            yield Finding("too_far_apart", f"{place}.{key}", f"found {value:g}", expected)
    limits = {
        "power_mw": (battery.power_mw, 1e-9, 1e9, "MW"),
        "duration_h": (battery.duration_h, 1e-6, 1e6, "h"),
        "technology.c_rate_max": (tech.c_rate_max, 1e-6, 1e6, "1/h"),
    }
    for key, (value, low, high, unit) in limits.items():
        if not low <= value <= high:
            yield Finding("too_far_apart", f"{place}.{key}", f"found {value:g}", f"give {low:g} to {high:g} {unit}")
