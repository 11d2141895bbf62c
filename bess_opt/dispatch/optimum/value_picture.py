"""The picture of what stored energy is worth: over energy and time, or along the plan where that is all there is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pandas as pd

from bess_opt.dispatch.optimum.value_map import value_map
from bess_opt.solver.engines import EngineRefusedError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from bess_opt.dispatch.result import Dispatch


def value_figure(plan: Dispatch, week: str | None, theme: Literal["light", "dark"]) -> Figure:
    """The value functions' slopes with the planned energy on them, of several batteries a line of worth each.

    `plan` has a `stored_energy_value`.
    """
    from bess_opt import plots
    from bess_opt.plots.shared.shown_days import shown_days_of

    scenario, schedule = plan.scenario, plan.schedule
    title, currency, step_h = f"{scenario.name}: {plan.twin}", scenario.site.currency, scenario.step_h
    index = pd.DatetimeIndex(schedule.index)
    shown = shown_days_of(schedule, index, pd.Timedelta(hours=step_h), week)
    try:
        worth = value_map(scenario, shown.first, shown.last)
    except EngineRefusedError:
        value = plan.stored_energy_value
        if value is None:
            raise
        return plots.stored_value_figure(
            value, schedule, currency=currency, title=title, week=week, theme=theme, step_h=step_h
        )
    stored = schedule["energy_mwh"]
    start = scenario.battery.soc_start_resolved * scenario.battery.energy_mwh
    return plots.value_map_figure(
        worth,
        stored.iloc[shown.first : shown.last],
        before_mwh=float(stored.iloc[shown.first - 1]) if shown.first else start,
        currency=currency,
        title=title,
        text=f"What a MWh in store is worth: {shown.text}",
        theme=theme,
        step_h=step_h,
    )
