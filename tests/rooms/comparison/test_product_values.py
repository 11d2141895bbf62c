"""What each market product adds: by hand where two share a battery, and the sum in order."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import bess_opt as bo

LOSSLESS = {"eta_charge": 1.0, "eta_discharge": 1.0, "soc_min": 0.0, "soc_max": 1.0, "c_rate_max": 10.0}
FCR = {"name": "fcr", "block_h": 4.0, "headroom_h": 0.5, "max_mw": 0.4}
UP = {"name": "up", "direction": "up", "block_h": 2.0, "headroom_h": 0.25}


def scenario_of(*products: dict[str, object]) -> bo.Scenario:
    """1 MW and 2 MWh at half over four hours of one price: nothing is earned with energy."""
    index = pd.date_range("2025-03-01", periods=4, freq="h", tz="UTC", name="time")
    prices = {"price_per_mwh": 50.0, "fcr_price_per_mw": 10.0, "up_price_per_mw": 7.5}
    battery = {
        "power_mw": 1.0, "duration_h": 2.0, "technology": LOSSLESS, "soc_end": "equal",
        "converters": {"ac_to_dc": 1.0, "dc_to_ac": 1.0, "dc_to_dc": 1.0},
    }  # fmt: skip
    return bo.Scenario(
        battery=battery, series=pd.DataFrame(prices, index=index), product=list(products), strategy="arbitrage"
    )


def test_two_products_that_share_the_power() -> None:
    """Up alone earns 1 MW × 4 h × 7.5 = 30, FCR alone 0.4 MW × 4 h × 10 = 16; with both, of FCR's 0.4 MW
    upward only 0.4 MW less of up is left: 16 + 0.6 × 30 = 34, so each adds less last than alone."""
    found = bo.product_values(scenario_of(FCR, UP))
    table = found.table
    assert table.index.tolist() == ["without products", "fcr", "up", "total"]
    assert table["alone"].tolist()[1:3] == pytest.approx([16.0, 30.0])
    assert table["last"].tolist()[1:3] == pytest.approx([4.0, 18.0])
    assert table["in_order"].tolist() == pytest.approx([0.0, 16.0, 18.0, 34.0])
    assert table["in_order"].iloc[:-1].sum() == pytest.approx(table.loc["total", "in_order"])
    assert table["capacity_revenue"].tolist()[1:] == pytest.approx([16.0, 18.0, 34.0])


def test_what_a_further_mw_would_earn_and_what_binds() -> None:
    """FCR is at its maximum: a further MW earns 40, less the 30 of up that it takes; up is held by power."""
    blocks = bo.product_values(scenario_of(FCR, UP)).blocks
    assert blocks.loc["fcr", "bid_mw"].tolist() == pytest.approx([0.4])
    assert blocks.loc["fcr", "further_mw"].tolist() == pytest.approx([10.0])
    assert blocks.loc["up", "pay"].tolist() == pytest.approx([9.0, 9.0])
    assert blocks.loc["up", "further_mw"].tolist() == pytest.approx([0.0, 0.0])
    assert {"product maximum", "product power"} <= set(blocks["binds"].iloc[0].split(", "))
    assert all("product power" in binds for binds in blocks.loc["up", "binds"])


@pytest.mark.parametrize("direction", ["up", "down"])
def test_power_binds_a_product_whose_own_calls_count_and_is_all_of_its_direction(direction: str) -> None:
    """Called a tenth of the time, energy worth nothing: the base point makes up for it, so 0.9 of the bid is 1 MW.

    A quarter of an hour of it is far from the 1 MWh in store and the room beside it.
    """
    scenario = scenario_of(UP | {"direction": direction})
    scenario = scenario.replace(series=scenario.series.assign(up_activation=0.1))
    blocks = bo.product_values(scenario).blocks
    assert blocks["bid_mw"].tolist() == pytest.approx([10 / 9, 10 / 9])
    assert all("product power" in binds for binds in blocks["binds"])


def test_whole_steps_have_no_further_mw_and_a_page_shows_the_sum() -> None:
    """A bid of whole steps has no price of a further MW; what is told comes to its end."""
    shares: list[float] = []
    found = bo.product_values(scenario_of(UP | {"step_mw": 0.3}), progress=lambda told: shares.append(told.share))
    assert np.isnan(found.blocks["further_mw"]).all()
    assert found.blocks["bid_mw"].sum() == pytest.approx(1.8)
    assert shares == sorted(shares)
    assert "without products" in found._repr_html_()
    assert "in order [EUR]" in found._repr_html_()


def test_without_products_is_said() -> None:
    with pytest.raises(bo.ScenarioError, match=r"product: the scenario has no market product; add a table"):
        bo.product_values(scenario_of())
