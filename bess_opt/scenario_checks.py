"""What must agree between the tables of a scenario, and between them and the series."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from bess_opt.battery import Battery
from bess_opt.errors import ScenarioError
from bess_opt.findings import Finding
from bess_opt.series import CleanSeries
from bess_opt.site import Site
from bess_opt.tariff import Tariff, energy_price


def check_tables(parts: Mapping[str, Any], cleaned: CleanSeries | None) -> list[Finding]:
    """Problems between tables; those that are wrong themselves (None or absent) are passed over."""
    problems = []
    battery, site, tariff = parts.get("battery"), parts.get("site"), parts.get("tariff")
    if isinstance(battery, Battery) and isinstance(site, Site):
        problems += _check_hybrid(battery, site)
    if isinstance(tariff, Tariff) and cleaned is not None:
        problems += _check_intervals(tariff, cleaned.step_h)
    return problems


def _check_hybrid(battery: Battery, site: Site) -> list[Finding]:
    if battery.topology != "hybrid" or site.dc_share is not None:
        return []
    expected = "give the share of the array on the battery's DC bus, 0 to 1"
    found = 'is missing, but battery.topology is "hybrid"'
    return [Finding("missing_key", "site.dc_share", found, expected)]


def _check_intervals(tariff: Tariff, step_h: float) -> list[Finding]:
    """A billing interval is a whole number of steps."""
    step_min = step_h * 60
    return [
        Finding(
            "odd_interval",
            f"tariff.demand[{number}].interval_min",
            f"found {row.interval_min:g}, but steps are {step_min:g} min",
            "give a whole number of steps, or a series with shorter steps",
        )
        for number, row in enumerate(tariff.demand)
        if row.interval_min is not None
        and (
            row.interval_min < step_min - 1e-9
            or abs(row.interval_min / step_min - round(row.interval_min / step_min)) > 1e-9
        )
    ]


def check_tariff(tariff: Tariff | None, cleaned: CleanSeries | None) -> tuple[list[Finding], list[Finding]]:
    """Notes and problems of the energy rows on this horizon: exactly one applies to each step."""
    if tariff is None or cleaned is None or not tariff.energy:
        return [], []
    try:
        energy_price(tariff, pd.DatetimeIndex(cleaned.frame.index))
    except ScenarioError as error:
        return [], list(error.problems)
    priced = [name for name in ("price_per_mwh", "import_price_per_mwh") if name in cleaned.frame]
    if not priced:
        return [], []
    found = f"stands beside the series {priced[0]}: the two add up"
    expected = "leave one of them out unless both are paid"
    return [Finding("prices_add_up", "tariff.energy", found, expected, "warning")], []
