"""The numbers of a site whose battery can do nothing: what money is measured against."""

from __future__ import annotations

import numpy as np

from bess_opt.common.columns import OF_BATTERY, owner_of
from bess_opt.inputs.scenario import Scenario
from bess_opt.plant.from_scenario import plant_of
from bess_opt.plant.plant import Plant, Storage


def site_without_battery(scenario: Scenario) -> Plant:
    """The numbers of `scenario`'s site with a battery that can do nothing, whatever is wanted of it."""
    return idle_plant(plant_of(bare_scenario(scenario)))


def bare_scenario(scenario: Scenario) -> Scenario:
    """The scenario with a battery that asks for nothing: its plan is this one's whole truth, also once saved."""
    idle = {"auxiliary_mw": 0.0, "self_discharge_per_h": 0.0, "soc_end": "free"}
    batteries = [battery.merged(idle) for battery in scenario.batteries]
    stated = [name for name in scenario.series if name in OF_BATTERY or owner_of(name) is not None]
    if not stated:
        return scenario.replace(battery=batteries)
    series = scenario.series.drop(columns=stated)
    return scenario.replace(battery=batteries, series=series, series_options={"step_min": scenario.step_h * 60.0})


def idle_plant(plant: Plant) -> Plant:
    """The plant with batteries that can neither take nor give anything, and must not."""

    def idle(battery: Storage) -> dict[str, object]:
        return {
            "charge_max_mw": 0.0,
            "discharge_max_mw": 0.0,
            "floor_mwh": np.minimum(battery.floor_mwh, battery.start_mwh),
            "ceiling_mwh": np.maximum(battery.ceiling_mwh, battery.start_mwh),
        }

    return plant.with_batteries(idle)
