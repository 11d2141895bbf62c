"""What must agree between the tables of a scenario, and between them and the horizon of the series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from bess_opt.common.findings import Finding
from bess_opt.inputs.batteries import check_batteries, place_of
from bess_opt.inputs.battery import Battery
from bess_opt.inputs.calendar.holidays import holidays_in
from bess_opt.inputs.connection import clause_findings
from bess_opt.inputs.outage import outage_findings
from bess_opt.inputs.products.market_product import product_findings, resolved
from bess_opt.inputs.site import Site
from bess_opt.inputs.tariff import Tariff
from bess_opt.inputs.tariff_checks import tariff_findings


@dataclass(frozen=True)
class Horizon:
    """Local starts of the steps, and their length [h]."""

    index: pd.DatetimeIndex
    step_h: float


def check_tables(parts: Mapping[str, Any], horizon: Horizon | None) -> list[Finding]:
    """Problems between tables; a part that is wrong itself (None or absent) is passed over."""
    problems: list[Finding] = []
    batteries, site, tariff = parts.get("batteries", ()), parts.get("site"), parts.get("tariff")
    step_h = None if horizon is None else horizon.step_h
    problems += battery_findings(batteries, site if isinstance(site, Site) else None, step_h)
    if horizon is not None:
        stated = site.holidays if isinstance(site, Site) else ()
        holidays = None if stated is None else holidays_in(stated, horizon.index)
        if isinstance(tariff, Tariff):
            problems += tariff_findings(tariff, horizon.index, horizon.step_h, holidays)
        problems += clause_findings(parts.get("connection") or (), horizon.index, horizon.step_h, holidays)
        problems += outage_findings(parts.get("outage") or (), horizon.index, horizon.step_h)
        products, wrong, _ = resolved(parts.get("product") or (), horizon.index[0])
        problems += wrong or product_findings(products, horizon.index, horizon.step_h, holidays)
    return problems


def battery_findings(batteries: Sequence[Battery], site: Site | None, step_h: float | None) -> list[Finding]:
    """Problems between the batteries, and between them and the site and the steps, as far as these are known."""
    problems = check_batteries(batteries, site)
    if step_h is not None:
        problems += [p for battery in batteries for p in _check_cycle_hours(battery, batteries, step_h)]
    return problems


def _check_cycle_hours(battery: Battery, batteries: Sequence[Battery], step_h: float) -> list[Finding]:
    """Hours of a cap on cycles hold at least one step."""
    remedy = f"give at least a step, {step_h:g} h, or a series with shorter steps"
    return [
        Finding("odd_interval", f"{where}.hours", f"found {limit.hours:g}, less than a step", remedy)
        for where, limit in battery.cycle_limits(place_of(battery, batteries))
        if limit.hours is not None and limit.hours < step_h * (1.0 - 1e-9)
    ]
