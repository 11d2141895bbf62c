"""The picture of a plan's wear: its falls in the colours of the segments, beside rainflow counting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding
from bess_opt.plant.from_scenario import plant_of
from bess_opt.plant.warranty.depth_wear import counted_by_segment, leaving_by_segment

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from bess_opt.dispatch.result import Dispatch


def wear_figure(plan: Dispatch, week: str | None, theme: Literal["light", "dark"]) -> Figure:
    """Falls of the plan's state of charge. ScenarioError without wear by depth, or where energy moves otherwise."""
    from bess_opt.plots.falls import falls_figure

    plant, schedule = plant_of(plan.scenario), plan.schedule
    storage = plant.storage
    if storage.wear is None or storage.retention != 1.0 or np.any(storage.drawn_mw):
        found = "found 'wear', but the battery has no wear by depth, or loses energy without price"
        raise ScenarioError([Finding("no_wear", "what", found, "state battery.wear, without self-discharge")])
    into, out = storage.through_cells(
        schedule["charge_mw"].to_numpy(), schedule["discharge_mw"].to_numpy(), plant.step_h
    )
    path = np.append(storage.start_mwh, schedule["energy_mwh"].to_numpy())
    return falls_figure(
        schedule,
        leaving_by_segment(storage.wear, into, out),
        counted_by_segment(storage.wear, path),
        storage.wear.price_per_mwh,
        soc_start=storage.start_mwh / storage.energy_mwh,
        currency=plan.scenario.site.currency,
        title=f"{plan.scenario.name}: {plan.twin}",
        week=week,
        theme=theme,
        step_h=plan.scenario.step_h,
    )
