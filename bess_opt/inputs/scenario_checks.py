"""What must agree between the tables of a scenario, and between them and the horizon of the series."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding
from bess_opt.inputs.battery import Battery
from bess_opt.inputs.site import Site
from bess_opt.inputs.tariff import Tariff, energy_price


@dataclass(frozen=True)
class Horizon:
    """Local starts of the steps, and their length [h]."""

    index: pd.DatetimeIndex
    step_h: float


def check_tables(parts: Mapping[str, Any], horizon: Horizon | None) -> list[Finding]:
    """Problems between tables; a part that is wrong itself (None or absent) is passed over."""
    problems: list[Finding] = []
    battery, site, tariff = parts.get("battery"), parts.get("site"), parts.get("tariff")
    if isinstance(battery, Battery) and isinstance(site, Site):
        problems += _check_hybrid(battery, site)
    if isinstance(battery, Battery) and horizon is not None:
        problems += _check_cycle_hours(battery, horizon.step_h)
    if isinstance(tariff, Tariff) and horizon is not None:
        problems += _check_intervals(tariff, horizon.step_h * 60)
        problems += _check_rows(tariff, horizon.index)
    return problems


def note_two_prices(tariff: Tariff | None, columns: list[str]) -> list[Finding]:
    """A tariff beside a price series: both are paid, and the user should know."""
    priced = [name for name in ("price_per_mwh", "import_price_per_mwh") if name in columns]
    if tariff is None or not tariff.energy or not priced:
        return []
    found = f"stands beside the series {priced[0]}: the two add up"
    expected = "leave one of them out unless both are paid"
    return [Finding("prices_add_up", "tariff.energy", found, expected, "warning")]


def _check_hybrid(battery: Battery, site: Site) -> list[Finding]:
    if battery.topology != "hybrid" or site.dc_share is not None:
        return []
    found = 'is missing, but battery.topology is "hybrid"'
    expected = "give the share of the array on the battery's DC bus, 0 to 1"
    return [Finding("missing_key", "site.dc_share", found, expected)]


def _check_cycle_hours(battery: Battery, step_h: float) -> list[Finding]:
    """Hours of a cap on cycles hold at least one step."""
    remedy = f"give at least a step, {step_h:g} h, or a series with shorter steps"
    return [
        Finding("odd_interval", f"{where}.hours", f"found {limit.hours:g}, less than a step", remedy)
        for where, limit in battery.cycle_limits
        if limit.hours is not None and limit.hours < step_h * (1.0 - 1e-9)
    ]


def _check_intervals(tariff: Tariff, step_min: float) -> list[Finding]:
    """A billing interval is a whole number of steps."""
    problems = []
    for number, row in enumerate(tariff.demand):
        steps = 1.0 if row.interval_min is None else row.interval_min / step_min
        if abs(steps - max(1, round(steps))) > 1e-6:
            where = f"tariff.demand[{number}].interval_min"
            found = f"found {row.interval_min:g}, but steps are {step_min:g} min"
            expected = "give a whole number of steps, or a series with shorter steps"
            problems.append(Finding("odd_interval", where, found, expected))
    return problems


def _check_rows(tariff: Tariff, index: pd.DatetimeIndex) -> list[Finding]:
    try:
        energy_price(tariff, index)
    except ScenarioError as error:
        return list(error.problems)
    return []
