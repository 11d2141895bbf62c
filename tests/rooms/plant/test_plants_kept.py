"""Plants made once, and from one another: the same numbers as when each is derived from its scenario."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.cases import case

import bess_opt as bo
from bess_opt.plant.from_scenario import kept, plant_beside, plant_of, plants_kept


def site(**more: Any) -> bo.Scenario:
    clause = {"name": "noon", "export_mw": 0.5, "hours": ["10:00", "14:00"]}
    return case(price_per_mwh=[float(t % 7) for t in range(48)], site={"export_limit_mw": 2.0}).scenario().replace(
        connection=[clause], tariff={"energy": [{"price_per_mwh": 30.0}], "export": "same"}, **more
    )  # fmt: skip


def same(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray | pd.Index):
        return bool(np.array_equal(one, other))
    if isinstance(one, tuple | list):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if is_dataclass(one) and type(one) is type(other):
        return all(same(getattr(one, f.name), getattr(other, f.name)) for f in fields(one))
    return bool(one == other)


@pytest.mark.parametrize(
    "battery", [{"soc_end": 0.25}, {"power_mw": 3.0, "soc_end": "free"}, {"auxiliary_mw": 0.1, "soc_end": "equal"}]
)
def test_a_plant_from_that_of_a_site_with_another_battery_is_its_own(battery: dict[str, Any]) -> None:
    """The auxiliary load of a battery is part of the plant's load, which then is not taken over."""
    one = site()
    other = one.replace(battery=battery)
    assert same(plant_beside(other, one), plant_of(other))
    assert not same(plant_of(one), plant_of(other))


def test_what_is_kept_is_made_once_for_a_scenario_and_only_meanwhile() -> None:
    one, calls = site(), list[int]()

    def made() -> int:
        calls.append(1)
        return len(calls)

    assert [kept(one, "a", made), kept(one, "a", made)] == [1, 2]
    with plants_kept():
        assert [kept(one, "a", made), kept(one, "a", made), kept(site(), "a", made), kept(one, "b", made)] == [
            3,
            3,
            4,
            5,
        ]
        other = one.replace(battery={"soc_end": 0.25})
        assert plant_beside(other, one) is plant_of(other)
    assert kept(one, "a", made) == 6
