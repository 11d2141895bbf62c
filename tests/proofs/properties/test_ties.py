"""Rule 11: equal optima are broken the same way every time: least throughput, least curtailment, then
earliest.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from support import independent
from support.cases import Case, case, random_case

import bess_opt as bo

RANDOM = (7, 12, 22, 26, 37, 50, 53, 59, 67, 77, 98, 119, 136, 169, 172, 187, 190, 193)


def numbers(plan: bo.Dispatch) -> np.ndarray:
    """The schedule as an array."""
    return plan.schedule.drop(columns="limited_by").fillna(0.0).to_numpy(dtype=float)


def flat(**changes: object) -> Case:
    """Many equal optima: two price levels only."""
    return case(price_per_mwh=[10, 10, 10, 50, 50, 50, 10, 10, 50, 50], **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("of", [flat(), *(random_case(seed) for seed in range(300, 310))])
def test_the_same_input_gives_the_same_schedule(of: Case) -> None:
    try:
        first = of.optimize()
    except bo.InfeasibleError:
        return
    assert np.array_equal(numbers(first), numbers(of.optimize()))


@pytest.mark.parametrize("seed", RANDOM)
def test_the_seed_of_the_solver_does_not_matter(seed: int) -> None:
    """Negative prices with ties: the choice between equal patterns must not be the solver's luck."""
    of = random_case(seed)
    base = of.optimize()
    for other in (1, 7):
        plan = of.optimize(solver={"seed": other})
        assert np.allclose(numbers(plan), numbers(base), rtol=0.0, atol=1e-5), f"seed {other}"


@pytest.mark.parametrize("seed", [*RANDOM, *range(400, 410)])
def test_throughput_is_the_least(seed: int) -> None:
    """Among the plans of most money none moves less energy through the battery."""
    of = random_case(seed)
    try:
        plan = of.optimize()
    except bo.InfeasibleError:
        return
    moved = float((plan.schedule["charge_mw"] + plan.schedule["discharge_mw"]).sum())
    assert moved <= independent.least(of, {"charge": 1.0, "discharge": 1.0}) + 1e-3


def test_limits_that_bind_nothing_do_not_matter() -> None:
    of = flat()
    wide = of.but(site={"import_limit_mw": 500.0, "export_limit_mw": 400.0})
    assert np.allclose(numbers(of.optimize()), numbers(wide.optimize()), atol=1e-9)


def test_of_equal_hours_the_first_is_taken() -> None:
    """1 MW, 2 MWh: charged in the first two cheap hours, discharged in the first two dear ones."""
    schedule = flat().optimize().schedule
    assert schedule["charge_mw"].tolist() == pytest.approx([1, 1, 0, 0, 0, 0, 1, 1, 0, 0], abs=1e-9)
    assert schedule["discharge_mw"].tolist() == pytest.approx([0, 0, 0, 1, 1, 0, 0, 0, 1, 1], abs=1e-9)


def test_a_battery_without_reason_rests() -> None:
    """A lossless battery at one price could cycle for nothing; least throughput keeps it still."""
    schedule = case(price_per_mwh=[20.0] * 12).optimize().schedule
    assert schedule[["charge_mw", "discharge_mw"]].to_numpy().max() < 1e-9


def test_pv_is_not_thrown_away_without_reason() -> None:
    """At a price of zero curtailing costs nothing; least curtailment feeds it in."""
    schedule = case(price_per_mwh=[0.0] * 4, solar_mw=[0.0, 1.0, 2.0, 0.5]).optimize().schedule
    assert schedule["curtailed_mw"].max() < 1e-9
    assert schedule["export_mw"].tolist() == pytest.approx([0.0, 1.0, 2.0, 0.5])


def test_the_zone_of_the_clock_does_not_matter() -> None:
    """Arbitrage has no local window: the same instants on another clock give the same numbers."""
    of = random_case(304)
    berlin = of.but(site={"time_zone": "Asia/Kolkata"}, series=of.series.tz_convert("Asia/Kolkata"))
    one, other = of.optimize(), berlin.optimize()
    assert np.array_equal(numbers(one), numbers(other))
    assert isinstance(other.schedule.index, pd.DatetimeIndex)
    assert (one.schedule.index == other.schedule.index.tz_convert("UTC")).all()
