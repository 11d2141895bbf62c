"""Every formula of the physics by hand, with numbers of which no two are equal: a swapped sign or factor shows."""

from __future__ import annotations

import numpy as np
import pytest
from support.cases import IDEAL, case

from bess_opt.models.storage import energy_bounds
from bess_opt.plant import physics
from bess_opt.plant.from_scenario import plant_of

LAW = {"eta_charge": 0.9, "eta_discharge": 0.8, "retention": 0.98, "step_h": 0.5}


def test_energy_after_a_step() -> None:
    """0.98·3 + 0.9·0.5·2 − 0.5/0.8·1.6 = 2.94 + 0.9 − 1.0."""
    assert physics.energy_after(3.0, 2.0, 1.6, **LAW) == pytest.approx(2.84)


def test_the_law_as_numbers_is_the_law() -> None:
    """Kept 0.98, into the cells 0.45 MWh per MW, out of them 0.625: the loop's law is that of the model."""
    kept, into, out = physics.law(**LAW)
    assert (kept, into, out) == pytest.approx((0.98, 0.45, 0.625))
    assert kept * 3.0 + into * 2.0 - out * 1.6 == pytest.approx(physics.energy_after(3.0, 2.0, 1.6, **LAW))


def test_charging_to_a_target_reaches_it() -> None:
    """(4 − 0.98·3) / 0.45 MW bring 3 MWh to 4 in half an hour."""
    power = physics.charge_to_reach(4.0, 3.0, eta_charge=0.9, retention=0.98, step_h=0.5)
    assert power == pytest.approx(1.06 / 0.45)
    assert physics.energy_after(3.0, power, 0.0, **LAW) == pytest.approx(4.0)


def test_self_discharge_compounds() -> None:
    """1 % an hour: 0.99 after an hour, its root after half, its square after two."""
    assert [physics.retention(0.01, hours) for hours in (1.0, 0.5, 2.0)] == pytest.approx([0.99, 0.99**0.5, 0.9801])


def test_what_is_charged_is_kept_or_lost() -> None:
    """Losses of a step are what the port gives less what the cells gain: 0.2 + 0.4 + 0.12 MW."""
    lost = physics.storage_loss_mw(3.0, 2.0, 1.6, **LAW)
    assert lost == pytest.approx(0.1 * 2.0 + 0.25 * 1.6 + 0.02 / 0.5 * 3.0)
    gained = physics.energy_after(3.0, 2.0, 1.6, **LAW) - 3.0
    assert (2.0 - 1.6 - lost) * 0.5 == pytest.approx(gained)


def test_the_c_rate_holds_at_the_cells() -> None:
    """0.5 per hour of 4 MWh are 2 MW in the cells: 2.5 at a port of 0.8 while charging, 1.6 while discharging."""
    assert physics.charge_limit_mw(9.0, 4.0, 0.5, 0.8) == pytest.approx(2.5)
    assert physics.discharge_limit_mw(9.0, 4.0, 0.5, 0.8) == pytest.approx(1.6)
    assert physics.charge_limit_mw(1.0, 4.0, 0.5, 0.8) == physics.discharge_limit_mw(1.0, 4.0, 0.5, 0.8) == 1.0


def test_the_inverter_takes_more_than_it_gives() -> None:
    """2 MW out take 2/0.8 from the bus, 3 MW in give 0.9·3 to it; what is missing is lost."""
    assert physics.inverter_dc_mw(2.0, 3.0, eta_out=0.8, eta_in=0.9) == pytest.approx(2.5 - 2.7)
    assert physics.inverter_loss_mw(2.0, 3.0, eta_out=0.8, eta_in=0.9) == pytest.approx(0.5 + 0.3)


@pytest.mark.parametrize(("end", "least", "most"), [("equal", 1.0, 1.0), ("free", 0.8, 1.6), (0.45, 0.9, 0.9)])
def test_bounds_of_the_energy_at_each_instant(end: object, least: float, most: float) -> None:
    """Start held at 1 MWh, then floor and ceiling of each step's own end; the end condition binds the last only."""
    cells = IDEAL | {"soc_min": 0.1, "soc_max": 0.9}
    battery = {"technology": cells, "soc_start": 0.5, "soc_end": end}
    stated_plant = plant_of(case(price_per_mwh=[1.0] * 3, energy_min_mwh=[0.5, 0.9, 0.8], battery=battery).scenario())
    lower, upper = energy_bounds(stated_plant.with_storage(ceiling_mwh=np.array([1.9, 1.8, 1.7, 1.6])))
    assert lower.tolist() == pytest.approx([1.0, 0.5, 0.9, least])
    assert upper.tolist() == pytest.approx([1.0, 1.8, 1.7, most])
