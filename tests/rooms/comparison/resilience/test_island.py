"""Charge and discharge of one step of an island, worked by hand: a battery on each bus and one inverter."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from bess_opt.comparison.resilience.island import Island, _charged, _discharged, _share_of

AT = np.zeros(1, dtype=np.int64)
UNITS: Any = [SimpleNamespace(on_dc_bus=False), SimpleNamespace(on_dc_bus=True)]
ONE = np.ones(1)
STILL = Island(
    plant=SimpleNamespace(),  # type: ignore[arg-type]
    load_mw=0.0 * ONE,
    lacks_mw=0.0 * ONE,
    forced_mw=0.0 * ONE,
    spare_ac_mw=0.0 * ONE,
    spare_dc_mw=0.0 * ONE,
    gives_mw=2.0 * ONE,
    takes_mw=2.0 * ONE,
    eta_out=0.8,
    eta_in=0.5,
)


@pytest.mark.parametrize(
    ("there", "ac", "dc"),
    [
        ({"spare_ac_mw": 0.5}, 0.5, 0.0),
        ({"spare_ac_mw": 1.6}, 1.0, 0.3),  # 0.6 through the inverter, of which half arrives
        ({"spare_ac_mw": 9.0}, 1.0, 1.0),  # the inverter takes no more than 2
        ({"spare_dc_mw": 1.4}, 0.0, 1.4),
        ({"spare_dc_mw": 2.5}, 0.4, 2.0),  # 0.5 through the inverter, of which 0.8 arrive
        ({"spare_ac_mw": 1.6, "spare_dc_mw": 1.9}, 1.0, 2.0),  # of 0.6 the DC bus has room for 0.1
        ({"forced_mw": 1.6, "spare_dc_mw": 3.0}, 1.0, 2.0),  # what must be taken comes before PV
    ],
)
def test_what_is_spare_charges_both_buses(there: dict[str, float], ac: float, dc: float) -> None:
    island = replace(STILL, **{name: value * ONE for name, value in there.items()})
    takes, room = np.array([[1.0], [2.0]]), np.array([[9.0], [9.0]])
    charge, most = _charged(island, UNITS, takes, room, AT)
    assert charge[:, 0] == pytest.approx([ac, dc])
    assert most == pytest.approx([1.0 + 2.0])


def test_a_battery_behind_the_inverter_gives_no_more_than_it_carries() -> None:
    island = replace(STILL, lacks_mw=1.5 * ONE, gives_mw=0.4 * ONE)
    units: Any = [
        SimpleNamespace(on_dc_bus=dc, rate_mwh=lambda _at: 1.0 * ONE, out=1.0, into=1.0) for dc in (False, True)
    ]
    gives, room = np.array([[2.0], [2.0]]), np.array([[9.0], [9.0]])
    discharge, most = _discharged(island, units, gives, room, AT)
    assert discharge[:, 0] == pytest.approx([1.1, 0.4])
    assert most == pytest.approx([2.4])


def test_a_step_lasts_until_those_left_are_too_weak() -> None:
    """1 and 2 MW against 3: the first is empty after half of the step, and the second alone is too weak."""
    stored, rated = np.array([[0.5], [3.0]]), np.array([[1.0], [2.0]])
    assert _share_of(stored, rated, 2.5 * ONE) == pytest.approx([1.0])
    assert _share_of(stored, rated, 3.0 * ONE) == pytest.approx([0.5])
    assert _share_of(stored[::-1], rated[::-1], 3.0 * ONE) == pytest.approx([0.5])
