"""What a table [[product]] may say, and how what is wrong is told."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import bess_opt as bo


def scenario_of(product: Any, columns: dict[str, Any] | None = None, hours: int = 24, **tables: Any) -> bo.Scenario:
    index = pd.date_range("2025-03-01", periods=hours, freq="h", tz="Europe/Berlin", name="time")
    series = pd.DataFrame({"price_per_mwh": 50.0, "fcr_price_per_mw": 10.0, **(columns or {})}, index=index)
    rows = [product] if isinstance(product, dict) else product
    battery = {"power_mw": 1.0, "duration_h": 2.0}
    return bo.Scenario(battery=battery, series=series, product=rows, strategy="arbitrage", **tables)


def problem_of(product: Any, columns: dict[str, Any] | None = None, **tables: Any) -> str:
    with pytest.raises(bo.ScenarioError) as caught:
        scenario_of(product, columns, **tables)
    return str(caught.value)


def test_a_product_has_the_defaults_of_the_reference() -> None:
    """Symmetric, a block of one step, a quarter of an hour, no least bid."""
    (product,) = scenario_of({"name": "fcr"}).products
    assert (product.direction, product.block_h, product.headroom_h, product.min_bid_mw) == (
        "symmetric",
        None,
        0.25,
        None,
    )
    assert product.directions == ("up", "down")


@pytest.mark.parametrize(
    ("row", "place", "told"),
    [
        ({"name": "fcr", "block_h": 5.0}, "product[0].block_h", "a whole number makes a day, or 168"),
        ({"name": "fcr", "block_h": 0.5}, "product[0].block_h", "give a whole number of them"),
        ({"name": "solar"}, "product[0].name", "whose columns exist already"),
        ({"name": "regulation_up"}, "product[0].name", "whose columns exist already"),
        ({"name": "Fast Reserve"}, "product[0].name", "small letters"),
        ({"name": "fcr", "direction": "both"}, "product[0].direction", "symmetric"),
        ({"name": "fcr", "acceptance_share": 1.5}, "product[0].acceptance_share", "1"),
        ({"name": "fcr", "share_of_power": 80.0}, "product[0].share_of_power", "1"),
        ({"name": "fcr", "headroom": 0.5}, "product[0].headroom", "headroom_h"),
        ({"name": "fcr", "step_mw": 1.0, "held_mw": 1.5}, "product[0].held_mw", "a multiple of 1 MW"),
        ({"name": "fcr", "min_bid_mw": 1.0, "held_mw": 0.5}, "product[0].held_mw", "at least 1 MW"),
        ({"name": "fcr", "time_zone": "Berlin"}, "product[0].time_zone", "Europe/Berlin"),
        ({"name": "fcr", "hours": [6.5, 8]}, "product[0].hours", "edge inside a step"),
        ({"name": "fcr", "days": ["holiday"]}, "product[0].days", "site.holidays"),
        ({"name": "fcr", "use": "xx.nothing"}, "product[0].use", "xx.nothing"),
        ({"name": "ecrs"}, "product[0].name", "ecrs_price_per_mw"),
    ],
)
def test_what_is_wrong_in_a_row_is_placed(row: dict[str, Any], place: str, told: str) -> None:
    """Every message names the key and what would be right."""
    found = problem_of(row)
    assert place in found
    assert told in found


def test_a_column_of_a_product_that_is_not_there_names_the_nearest() -> None:
    """A misspelt column is not read as another product's."""
    assert "'fcr'" in problem_of({"name": "fcr"}, {"fcrr_activation": 0.1})


def test_two_products_do_not_share_a_name() -> None:
    """Their columns would be the same."""
    assert "product[1].name" in problem_of([{"name": "fcr"}, {"name": "fcr"}])


def test_signals_beyond_the_time_of_a_step_are_refused_with_the_time() -> None:
    """Calls of all products count one after another."""
    called = np.zeros(24)
    called[5] = 0.7
    columns = {"fcr_activation": called, "afrr_price_per_mw": 1.0, "afrr_activation": called}
    found = problem_of([{"name": "fcr"}, {"name": "afrr", "direction": "up"}], columns)
    assert "1.4 of the step at 2025-03-01T05:00:00+01:00" in found


def test_signals_stated_twice_or_against_the_direction_are_refused() -> None:
    """One signal or two, each the way in which the product is called."""
    assert "give one signal" in problem_of({"name": "fcr"}, {"fcr_activation": 0.1, "fcr_activation_up": 0.1})
    assert "called up" in problem_of({"name": "fcr", "direction": "up"}, {"fcr_activation_down": 0.1})
    assert "called one way" in problem_of({"name": "fcr", "direction": "down"}, {"fcr_activation": -0.1})


def test_a_saved_scenario_has_the_keys_that_were_stated_alone() -> None:
    """A definition stays the definition's, so a later one is taken where the row is used again."""
    row = {"name": "fcr", "block_h": 4.0, "min_bid_mw": 1.0}
    scenario = scenario_of(row)
    assert scenario.to_tables()["product"] == [row]
    without = scenario.replace(product=[])
    assert without.product == ()
    assert [note.code for note in without.notes] == ["product_not_stated"]
