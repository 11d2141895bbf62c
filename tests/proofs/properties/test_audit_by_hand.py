"""The audit's numbers by hand: how much is too much, which way, when, and what a law must let pass.

Half-hour steps, so that hours and steps are told apart. No plan is solved for: an idle battery's schedule is
written down and spoilt.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.cases import IDEAL, case

from bess_opt.plant.audit import Violation, audit
from bess_opt.plant.flows import BatteryFlows, Flows, schedule_of
from bess_opt.plant.from_scenario import plant_of
from bess_opt.plant.plant import Plant
from bess_opt.plant.products.delivery import product_checks
from bess_opt.plant.products.offers import Offer

LOSSY = IDEAL | {"eta_discharge": 0.9}


def numbers_of(*, battery: dict[str, Any] | None = None, site: dict[str, Any] | None = None, **columns: Any) -> Plant:
    """2 MW, 4 MWh, half full, two half hours, unless something else is said; no price unless one is given."""
    size = {"power_mw": 2.0, "duration_h": 2.0, "soc_start": 0.5, "soc_end": "equal"}
    of = case(battery=size | (battery or {}), site=site, step_min=30, **({"load_mw": [0.0, 0.0]} | columns))
    return plant_of(of.but(strategy=[]).scenario())


def idle(plant: Plant) -> pd.DataFrame:
    """An idle battery; what sun and load leave is exported or imported."""
    nothing = np.zeros(plant.steps)
    eta = plant.bus.eta_out if plant.bus else 1.0
    net = plant.solar_ac_mw + eta * plant.solar_dc_mw - plant.load_mw
    stored = np.full(plant.steps + 1, plant.storage.start_mwh)
    flows = {"import_mw": np.maximum(-net, 0.0), "export_mw": np.maximum(net, 0.0)}
    flows |= {"inverter_out_mw": eta * plant.solar_dc_mw}
    rest = ("curtailed_ac_mw", "curtailed_dc_mw", "unserved_mw", "inverter_in_mw")
    battery = BatteryFlows(nothing, nothing, stored)
    held = {offer.name: nothing for offer in plant.offers}
    return schedule_of(plant, Flows(batteries=(battery,), held_mw=held, **flows, **dict.fromkeys(rest, nothing)))


def spoilt(plant: Plant, **values: Any) -> dict[str, Violation]:
    """What the audit finds once columns of the idle schedule are set, by law; the idle one breaks none."""
    schedule = idle(plant)
    assert audit(schedule, plant) == ()
    for name, value in values.items():
        schedule[name] = np.broadcast_to(np.asarray(value, dtype=float), plant.steps)
    return {violation.law: violation for violation in audit(schedule, plant)}


def more(plant: Plant, name: str, by: float) -> dict[str, Violation]:
    """What is found once a column is `by` higher in the last step."""
    column = idle(plant)[name].to_numpy().copy()
    column[-1] += by
    return spoilt(plant, **{name: column})


def test_regulation_is_held_in_both_directions_and_never_below_nought() -> None:
    """0.3 MW up with 0.2 MW down is fine where regulation is sold; -0.1 MW up is wrong whatever is held down."""
    zero, steps, one = np.zeros(2), np.arange(2), np.ones(2)
    up = Offer("regulation_up", ("up",), zero, steps, one, 1.0)
    down = Offer("regulation_down", ("down",), zero, steps, one, 1.0)
    numbers = replace(numbers_of(), offers=(up, down))
    law = "regulation is held only by a strategy for it"
    assert law not in spoilt(numbers, regulation_up_mw=0.3, regulation_down_mw=0.2)
    assert spoilt(numbers_of(), regulation_up_mw=-0.1, regulation_down_mw=0.2)[law].excess == pytest.approx(0.3)
    held = idle(numbers).assign(regulation_up_mw=-0.1, regulation_down_mw=0.2)
    found = {violation.law: violation for violation in product_checks(held, numbers)}
    assert found["capacity of regulation_up"].excess == pytest.approx(0.1)


def test_a_price_is_the_scenarios_to_a_millionth_and_never_missing() -> None:
    """1.5e-6 off is wrong and half a millionth is not; NaN is wrong where there is a price."""
    numbers, law = numbers_of(price_per_mwh=[40.0, 40.0]), "prices are the scenario's"
    assert law in more(numbers, "import_price_per_mwh", 1.5e-6)
    assert law not in more(numbers, "import_price_per_mwh", 0.5e-6)
    assert law in spoilt(numbers, export_price_per_mwh=[40.0, np.nan])


def test_revenue_may_be_off_by_a_millionth_of_the_largest_possible() -> None:
    """1,000 per MWh x 2 MW x half an hour = 1,000: a thousandth is the most. Without prices 1 stands for them."""
    law = "revenue is flows times prices"
    dear = numbers_of(price_per_mwh=[1000.0, 1000.0])
    assert law not in more(dear, "revenue", 0.9e-3)
    assert law in more(dear, "revenue", 1.1e-3)
    for without in (numbers_of(), numbers_of(price_per_mwh=[0.1, 0.1])):
        assert law not in more(without, "revenue", 0.9e-6)
        assert law in more(without, "revenue", 1.1e-6)


@pytest.mark.parametrize("by", [-0.1, 0.1])
def test_an_inverters_loss_and_the_storage_law_hold_both_ways(by: float) -> None:
    """A tenth too much is as wrong as a tenth too little."""
    numbers = numbers_of(
        battery={"topology": "series_dc", "converters": {"dc_to_ac": 0.9}}, solar_dc_mw=[1.0, 1.0], load_mw=[0.0, 0.0]
    )
    assert more(numbers, "inverter_loss_mw", by)["inverter loss"].excess == pytest.approx(0.1)
    assert more(numbers, "energy_mwh", by)["storage law"].excess == pytest.approx(0.1)


def test_energy_may_be_off_by_a_millionth_of_the_larger_of_store_and_step() -> None:
    """4 MWh against 2 MW x half an hour; 1 MWh against 4 MW x half an hour; a load beside the battery has no say."""
    quick = {"power_mw": 4.0, "duration_h": 0.25}
    cases = (numbers_of(), 4e-6), (numbers_of(battery=quick), 2e-6), (numbers_of(load_mw=[10.0, 10.0]), 4e-6)
    for numbers, tolerance in cases:
        assert "storage law" not in more(numbers, "energy_mwh", 0.9 * tolerance)
        assert "storage law" in more(numbers, "energy_mwh", 1.1 * tolerance)


def test_soc_may_be_off_by_a_millionth() -> None:
    numbers, law = numbers_of(), "soc is energy over nameplate"
    assert law not in more(numbers, "soc", 0.9e-6)
    assert law in more(numbers, "soc", 1.1e-6)


def test_no_load_is_shed_without_a_price_for_it() -> None:
    assert spoilt(numbers_of(load_mw=[1.0, 1.0]), unserved_mw=0.1)["unserved load"].excess == pytest.approx(0.1)


def test_at_most_the_sun_is_curtailed_on_each_bus() -> None:
    """4 MW of sun, 3 of them on the DC bus: 6 MW are too much, and 1.5 MW on the AC side are 0.5 too many."""
    numbers = numbers_of(
        battery={"topology": "hybrid"}, site={"dc_share": 0.75}, solar_mw=[4.0, 4.0], load_mw=[0.0, 0.0]
    )
    assert spoilt(numbers, curtailed_mw=6.0)["curtailment"].excess == pytest.approx(2.0)
    found = spoilt(numbers, curtailed_mw=1.5)
    assert found["curtailment on the AC bus"].excess == pytest.approx(0.5)
    assert "curtailment" not in found
    below = spoilt(numbers, curtailed_dc_mw=0.5)
    assert below["powers are not negative"].excess == pytest.approx(0.5)


def test_flows_of_both_signs_are_let_pass_only_where_products_are_called() -> None:
    """0.2 MW both ways within a step are a fault, unless calls of a step can have both signs."""
    both, steps, one = {"charge_mw": 0.2, "discharge_mw": 0.2}, np.arange(2), np.ones(2)
    offer = Offer("regulation_up", ("up",), one, steps, one, 1.0)
    quiet = replace(numbers_of(), offers=(offer,))
    assert spoilt(quiet, **both, regulation_up_mw=0.3)["battery runs one way"].excess == pytest.approx(0.2)
    called = replace(quiet, offers=(replace(offer, called={"up": one}),))
    assert "battery runs one way" not in spoilt(called, **both, regulation_up_mw=0.3)


def test_load_that_is_not_served_does_not_let_the_grid_charge() -> None:
    """0.3 MW bought and 0.3 MW unserved for a load of 0.5 MW: 0.1 MW went elsewhere."""
    site = {"grid_charging": False, "unserved_price_per_mwh": 9.0}
    found = spoilt(numbers_of(site=site, load_mw=[0.5, 0.5]), import_mw=0.3, unserved_mw=0.3)
    assert found["no charging from the grid"].excess == pytest.approx(0.1)


@pytest.mark.parametrize(("topology", "spilt"), [("series_dc", "curtailed_dc_mw"), ("parallel_ac", "curtailed_mw")])
def test_curtailed_sun_is_not_exported(topology: str, spilt: str) -> None:
    """Of 4 MW, 2 are curtailed: 3 MW of export have 1 MW from the battery."""
    spill = {spilt: 2.0, "curtailed_mw": 2.0}
    numbers = numbers_of(
        battery={"topology": topology}, site={"battery_export": False}, solar_mw=[4.0, 4.0], load_mw=[0.0, 0.0]
    )
    assert spoilt(numbers, **spill, export_mw=3.0)["no export from the battery"].excess == pytest.approx(1.0)


def test_the_end_may_be_missed_by_a_millionth_of_the_store() -> None:
    """4 MWh: 4e-6 MWh."""
    numbers = numbers_of()
    assert "end SOC" not in more(numbers, "energy_mwh", -3.9e-6)
    assert "end SOC" in more(numbers, "energy_mwh", -4.1e-6)


def test_cycles_are_counted_at_the_cells_on_each_local_day() -> None:
    """Half a cycle of 4 MWh a day, 2 MWh from the cells. 4 half hours of 1 MW at 0.9 are 2 / 0.9 MWh: 0.222 too
    much on the second day; on the first 2e-6 MWh too much are rounding.
    """
    battery = {"technology": LOSSY, "max_cycles_per_day": 0.5}
    numbers = numbers_of(battery=battery, load_mw=np.zeros(96))
    out = np.zeros(96)
    out[48:52] = 1.0
    out[:4] = 0.9 * (1.0 + 1e-6)
    found = spoilt(numbers, discharge_mw=out)["cycles per day"]
    assert found.excess == pytest.approx(2.0 / 0.9 - 2.0)
    assert (found.time, found.steps) == (numbers.index[48], 1)
    out[48:52] = 0.9
    assert "cycles per day" not in spoilt(numbers, discharge_mw=out)
