"""Hours survived on random sites: no dispatch of an independent model lasts longer, and one lasts as long."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from support.island_hours import most_hours
from support.several_batteries import Site, random_site

import bess_opt as bo

COVER_STEPS = 2.5


def site_with_load(seed: int) -> Site:
    """A random site with a load that is nowhere negative; its batteries are free of a cap and of an end."""
    given = random_site(seed, steps=10)
    load = np.random.default_rng(seed).uniform(0.0, 1.5, 10).round(3)
    batteries = [
        {key: value for key, value in battery.items() if key != "max_cycles_per_day"} | {"soc_end": "free"}
        for battery in given.batteries
    ]
    free = {key: value for key, value in given.site.items() if key not in ("import_limit_mw", "export_limit_mw")}
    series = given.series.assign(load_mw=load).drop(columns=["import_limit_mw"], errors="ignore")
    return replace(given, batteries=batteries, site=free, series=series, outages=())


def scenario_of(given: Site) -> bo.Scenario:
    """The same as the package reads it."""
    batteries: Any = given.batteries if len(given.batteries) > 1 else given.batteries[0]
    return bo.Scenario(battery=batteries, site=given.site, series=given.series, strategy="arbitrage")


def agrees(seed: int) -> bool:
    """Whether a site of `seed` can be planned; where it can, its hours and what a cover needs are compared."""
    given, share = site_with_load(seed), (0.3, 0.5, 0.8)[seed % 3]
    cover = COVER_STEPS * given.step_h
    try:
        found = bo.resilience(scenario_of(given), share, cover_h=cover)
    except bo.InfeasibleError:
        return False
    units = list(found.plan.units.values()) if len(given.batteries) > 1 else [found.plan.schedule]
    nameplates = [b["power_mw"] * b["duration_h"] for b in given.batteries]
    for t in (0, 4):
        stored = [
            b["soc_start"] * energy if t == 0 else float(unit["energy_mwh"].iloc[t - 1])
            for b, energy, unit in zip(given.batteries, nameplates, units, strict=True)
        ]
        hours = found.table["hours_survived"].iloc[t]
        assert hours == pytest.approx(most_hours(given, t, stored, share), abs=1e-5), (seed, t)
    needed, floors = found.table["needed_mwh"].iloc[4], np.atleast_1d(found.energy_min_mwh.iloc[3])  # type: ignore[union-attr]
    if not np.isnan(needed) and floors.sum() == pytest.approx(needed):
        assert most_hours(given, 4, floors.tolist(), share) >= cover - 1e-4, seed
        lowest = [{"standard": 0.2, "modern_lfp": 0.1, "premium": 0.05}[b["technology"]] for b in given.batteries]
        usable = floors - np.array(lowest) * np.array(nameplates)
        if usable.max() > 1e-3:
            assert most_hours(given, 4, (floors - 0.01 * usable).tolist(), share) < cover, seed
    return True


@pytest.mark.parametrize("seed", [1, 3, 5, 214])
def test_no_dispatch_lasts_longer(seed: int) -> None:
    """One to three batteries on either bus or both, with PV, losses, self-discharge and limits over time."""
    assert agrees(seed)


@pytest.mark.second_tier
def test_no_dispatch_lasts_longer_on_hundreds_of_sites() -> None:
    """The same, and most of the sites can be planned."""
    assert sum(agrees(seed) for seed in range(100, 300)) > 150
