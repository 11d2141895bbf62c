"""The picture of a day's market products, from a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from bess_opt.plant.products.delivery import room_when_called
from bess_opt.strategies.shared.activation import prepare

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from bess_opt.dispatch.result import Dispatch
    from bess_opt.plots.shared.style import ThemeName


def stack_figure(plan: Dispatch, day: str | None, theme: ThemeName) -> Figure:
    """Base point, bids, stored energy and capacity prices of one local day; see `Dispatch.plot`."""
    from bess_opt.plots import product_stack_figure

    plant = prepare(plan.scenario).plant
    index = plan.schedule.index
    return product_stack_figure(
        plan.schedule,
        pd.DataFrame({offer.name: offer.price for offer in plant.offers}, index=index),
        {offer.name: offer.directions for offer in plant.offers},
        power_mw=(
            sum(battery.discharge_max_mw for battery in plant.batteries),
            sum(battery.charge_max_mw for battery in plant.batteries),
        ),
        room_mwh=room_when_called(plan.whole_schedule, plant),
        currency=plan.scenario.site.currency,
        title=f"{plan.scenario.name}: {plan.twin}",
        day=day,
        theme=theme,
        step_h=plan.scenario.step_h,
    )
