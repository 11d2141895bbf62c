"""The numbers of a site whose battery can do nothing: what money is measured against."""

from __future__ import annotations

import numpy as np

from bess_opt.inputs.scenario import Scenario
from bess_opt.plant.from_scenario import plant_of
from bess_opt.plant.plant import Plant

# What a series says of the battery alone.
OF_BATTERY = ["energy_min_mwh", "energy_max_mwh", "charge_limit_mw", "discharge_limit_mw", "drawn_mw"]


def site_without_battery(scenario: Scenario) -> Plant:
    """The numbers of `scenario`'s site with a battery that can do nothing, whatever is wanted of it."""
    return idle_plant(plant_of(bare_scenario(scenario)))


def bare_scenario(scenario: Scenario) -> Scenario:
    """The scenario with a battery that asks for nothing: its plan is this one's whole truth, also once saved."""
    battery = {"auxiliary_mw": 0.0, "self_discharge_per_h": 0.0, "soc_end": "free"}
    stated = [name for name in OF_BATTERY if name in scenario.series]
    if not stated:
        return scenario.replace(battery=battery)
    series = scenario.series.drop(columns=stated)
    return scenario.replace(battery=battery, series=series, series_options={"step_min": scenario.step_h * 60.0})


def idle_plant(plant: Plant) -> Plant:
    """The plant with a battery that can neither take nor give anything, and must not."""
    return plant.with_storage(
        charge_max_mw=0.0,
        discharge_max_mw=0.0,
        floor_mwh=np.minimum(plant.storage.floor_mwh, plant.storage.start_mwh),
        ceiling_mwh=np.maximum(plant.storage.ceiling_mwh, plant.storage.start_mwh),
    )
