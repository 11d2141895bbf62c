"""The picture of a day's products: the right day, areas where the bids are, units, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PolyCollection

import bess_opt as bo
from bess_opt import plots

PRODUCTS = [
    {"name": "fcr", "block_h": 4.0, "max_mw": 0.4},
    {"name": "up", "direction": "up", "block_h": 4.0, "max_mw": 0.3},
]


def plan_of(*, products: bool = True) -> bo.Dispatch:
    index = pd.date_range("2025-03-29", periods=47, freq="h", tz="Europe/Berlin", name="time")
    day = (index.day - 28).to_numpy(dtype=float)  # the second day, of 23 hours, pays twice
    series = {"price_per_mwh": 50.0, "fcr_price_per_mw": 10.0 * day, "up_price_per_mw": 5.0 * day}
    return bo.optimize(
        bo.Scenario(
            battery={"power_mw": 1.0, "duration_h": 2.0},
            series=pd.DataFrame(series, index=index),
            product=PRODUCTS if products else [],
            strategy="arbitrage",
        )
    )


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_day_that_pays_most_with_bids_on_the_base_point(theme: str) -> None:
    """The second day is shown; FCR reaches 0.4 MW either way, up stands on it to 0.7 MW; units on each axis."""
    plan = plan_of()
    figure = plan.plot("stack", theme=theme)
    power, energy, prices = figure.axes
    assert "Sun 30 Mar" in power.get_title(loc="left")
    areas = {area.get_label(): area.get_paths()[0].vertices[:, 1] for area in power.collections}
    assert set(areas) == {"fcr", "up"}
    assert np.max(areas["up"]) == pytest.approx(0.7)
    lowest = min(area.get_paths()[0].vertices[:, 1].min() for area in power.collections)
    assert lowest == pytest.approx(-0.4)
    assert all(isinstance(area, PolyCollection) for area in power.collections)
    assert "[MW]" in power.get_ylabel()
    assert "[MWh]" in energy.get_ylabel()
    assert "[EUR/MW/h]" in prices.get_ylabel()
    lines = {line.get_label(): line.get_ydata() for line in prices.lines}
    assert np.allclose(np.asarray(lines["fcr"]), 20.0)
    assert plots.figure_png(figure) == plots.figure_png(plan.plot("stack", theme=theme))


def test_another_day_is_asked_for_and_a_plan_without_products_refused() -> None:
    assert "Sat 29 Mar" in plan_of().plot("stack", "2025-03-29").axes[0].get_title(loc="left")
    with pytest.raises(bo.ScenarioError, match="week: 2025-04-02 is outside the horizon"):
        plan_of().plot("stack", "2025-04-02")
    with pytest.raises(bo.ScenarioError, match=r"what: found 'stack', but .* no market product; add a table"):
        plan_of(products=False).plot("stack")
    plan = plan_of()
    prices, room = pd.DataFrame({"fcr": 1.0}, index=plan.schedule.index), pd.DataFrame(index=plan.schedule.index)
    with pytest.raises(ValueError, match='day "2026-01-01" is outside the horizon'):
        plots.product_stack_figure(
            plan.schedule, prices, {"fcr": ("up",)}, power_mw=(1.0, 1.0), room_mwh=room, day="2026-01-01"
        )
