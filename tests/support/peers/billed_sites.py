"""Random sites under random tariffs: several batteries, limits, clauses and wear, all with a whole bill."""

from __future__ import annotations

import numpy as np

from support.peers.plant_program import SiteCase
from support.peers.sites import (
    chance,
    limits_over_time,
    number,
    random_batteries,
    random_caps,
    random_clause,
    random_site,
    random_wear,
)
from support.peers.tariffs import random_case


def random_billed_site(seed: int) -> SiteCase:
    """A site of 24 steps with a random tariff, batteries, limits, clauses, caps and wear."""
    rng = np.random.default_rng(seed + 9 * 10**6)
    billed = random_case(seed, steps=24)
    series = billed.series
    batteries = random_batteries(rng)
    if "solar_mw" not in series:
        series["solar_mw"] = np.round(np.maximum(rng.uniform(-2, 3, len(series)), 0), 3)
    for battery in batteries:
        if isinstance(battery["soc_end"], dict) and "value_per_mwh" not in battery["soc_end"]:
            battery["soc_end"] = "free"
        if chance(rng, 0.3):
            battery["max_cycles"] = random_caps(rng, billed.step_min / 60, series.index)
        if chance(rng, 0.3):
            battery.pop("wear_cost_per_mwh", None)
            battery["wear"] = random_wear(rng)
    limits_over_time(rng, series, batteries)
    series = series.drop(columns=[name for name in series if name.endswith("drawn_mw")])
    site = random_site(rng, batteries) | {"unserved_price_per_mwh": number(rng, 500, 3000)}
    case = SiteCase(series, batteries, site, tariff=billed.tariff, holidays=billed.dates)
    if billed.holidays:
        site["holidays"] = billed.holidays
    if chance(rng, 0.4):
        case.clauses = [random_clause(rng, series, at) for at in range(2)]
        for clause in case.clauses:
            if "when" in clause:
                clause["when"]["series"] = "solar_mw"
    return case
