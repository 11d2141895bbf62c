"""The bound holds for every size, and the best size is the best: grids, finite differences, another formulation."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from scipy.optimize import linprog
from support.sites import MONEY, SCENARIOS, at_size, merchant, npv, solar_plant

import bess_opt as bo
from bess_opt.investment.sizing.sized_program import SizedProgram

RANGES = {"power_mw": (0.5, 4.0), "duration_h": (1.0, 6.0)}


def grid(powers: int = 5, durations: int = 5, **ranges: Any) -> list[tuple[float, float]]:
    p, h = (ranges or RANGES)["power_mw"], (ranges or RANGES)["duration_h"]
    return [(float(x), float(x * y)) for x in np.linspace(*p, powers) for y in np.linspace(*h, durations)]


@pytest.mark.parametrize(
    "scenario",
    [
        merchant(),
        merchant(lowest=-80.0, battery={"max_cycles_per_day": 1.0}),
        solar_plant(),
        solar_plant(battery={"topology": "series_dc", "soc_end": "equal"}, site={"inverter_mw": 7.0}),
    ],
    ids=["merchant", "negative prices and cycles", "behind a limit", "dc"],
)
def test_no_exact_plan_of_a_grid_is_above_the_bound(scenario: bo.Scenario) -> None:
    """Each size planned exactly by itself, its value worked out by hand."""
    best = bo.size(scenario, **RANGES)
    assert best.bound is not None
    assert best.gap is not None
    assert best.gap <= 1e-3
    values = [npv(bo.optimize(at_size(scenario, *size))) for size in grid()]
    slack = 1e-9 * abs(best.bound)
    assert max(values) <= best.bound + slack
    cost = sum(best.costs.get(line, 0.0) for line in ("capital", "fixed_om"))
    earned = best.value - (best.without or 0.0) + cost
    assert best.gap * max(earned, cost) == pytest.approx(best.bound - best.value, rel=1e-3, abs=1e-3)
    assert max(values) - best.value <= 1e-3 * max(earned, cost)
    assert best.value == pytest.approx(npv(bo.optimize(at_size(scenario, best.power_mw, best.energy_mwh))), rel=1e-9)
    assert best.build == (best.value > (best.without or 0.0))


def test_negative_prices_are_cut_and_stay_exact() -> None:
    """A price of −80 pays for wasting energy: the relaxation's bound without the one-way cuts is far off."""
    scenario = merchant(lowest=-80.0, spread=90.0)
    plain, tight = (SizedProgram(scenario, 2.0, 4.0, tight=t).revenue(2.0, 4.0) for t in (False, True))
    exact = bo.optimize(at_size(scenario, 2.0, 4.0)).metrics.net_revenue
    assert exact <= tight + 1e-6 < plain
    assert tight - exact <= 0.5 * (plain - exact) + 1e-6


def test_a_size_on_a_bend_gets_its_other_plane_with_the_first_size_beyond() -> None:
    """At 1/0.96 h discharge is no longer limited by the C-rate: a slope on each side, and both planes hold everywhere."""
    bend, sizes = (2.0, 2.0 / 0.96), [(2.0, 6.0), (2.0, 2.0), (1.0, 3.0), (4.0, 4.4)]
    program = SizedProgram(merchant(4), *sizes[0])
    longer, on_it, shorter = (program.solved(*size) for size in (sizes[0], bend, sizes[1]))
    assert (len(longer.planes), len(on_it.planes), len(on_it.others)) == (1, 1, 0)
    (other,) = shorter.others
    (known,) = on_it.planes
    assert other.at(*bend) == pytest.approx(on_it.revenue, rel=1e-9)
    assert known.per_mwh < other.per_mwh - 1.0
    for size in (*sizes, bend):
        here = SizedProgram(merchant(4), *size).revenue(*size)
        assert min(known.at(*size), other.at(*size)) >= here - 1e-9 * abs(here)
    assert len(program.solved(*bend).planes) == 2


def test_neighbours_of_a_size_are_made_only_where_no_known_face_leads() -> None:
    """A face is read at four programs; a size to which one leads needs its own alone."""
    program, built = SizedProgram(merchant(4), 2.0, 6.0), list[tuple[float, float]]()
    model_at = program._model_at
    program._model_at = lambda size: (built.append(size), model_at(size))[1]  # type: ignore[method-assign]
    counts = []
    for size in ((2.0, 6.0), (3.0, 11.0), (1.0, 0.5), (1.0, 0.6)):
        before = len(built)
        program.solved(*size)
        counts.append(len(built) - before)
    assert counts == [4, 1, 5, 1]


@pytest.mark.parametrize("size", [(1.3, 3.1), (2.7, 14.0), (3.9, 4.3)])
@pytest.mark.parametrize("scenario", [merchant(), solar_plant()], ids=["merchant", "solar"])
def test_slopes_are_finite_differences(scenario: bo.Scenario, size: tuple[float, float]) -> None:
    """Revenue at a size a little larger and a little smaller, solved by a program of its own each."""
    power, energy = size
    found = SizedProgram(scenario, 2.0, 5.0).solved(power, energy)
    (plane,) = found.planes  # no limit changes over here
    nudge = 1e-4

    def revenue(p: float, e: float) -> float:
        return SizedProgram(scenario, p, e).revenue(p, e)

    here = revenue(power, energy)
    assert found.revenue == pytest.approx(here, rel=1e-9)
    assert plane.at(power, energy) == pytest.approx(here, rel=1e-9)
    for slope, (dp, de) in ((plane.per_mw, (nudge, 0.0)), (plane.per_mwh, (0.0, nudge))):
        above = (revenue(power + dp, energy + de) - here) / nudge
        below = (here - revenue(power - dp, energy - de)) / nudge
        assert above - 1e-4 * abs(below) - 1e-3 <= slope <= below + 1e-4 * abs(below) + 1e-3


def test_one_program_with_the_sizes_as_variables_agrees() -> None:
    """The usual formulation, written anew: power and energy are columns beside the dispatch, solved at once."""
    scenario = merchant(lowest=5.0)
    best = bo.size(scenario, **RANGES, tolerance=1e-6)
    power, energy, value = sized_at_once(scenario)
    assert best.value == pytest.approx(value, rel=1e-6)
    assert best.bound == pytest.approx(value, rel=1e-5)
    assert (best.power_mw, best.energy_mwh) == pytest.approx((power, energy), rel=1e-2)


def sized_at_once(scenario: bo.Scenario) -> tuple[float, float, float]:
    """(MW, MWh, NPV) of one linear program over charge, discharge, energy, P and E."""
    price = scenario.series["price_per_mwh"].to_numpy()
    n, cells = len(price), scenario.battery.tech
    into, out = 0.96 * cells.eta_charge, 0.96 * cells.eta_discharge
    years = sum(1.07**-y for y in range(1, 16))
    yearly = 365.0 / 10.0
    cost = np.concatenate([price * years * yearly, -price * years * yearly, np.zeros(n)])
    cost = np.append(
        cost, [MONEY["capital_per_mw"] + years * MONEY["fixed_om_per_mw_year"], MONEY["capital_per_mwh"]]
    )
    eye, none = sp.identity(n, format="csr"), sp.csr_matrix((n, n))
    before = sp.diags([np.ones(n - 1)], [-1], format="csr")
    one, start = np.ones((n, 1)), np.zeros((n, 1))
    middle = (cells.soc_min + cells.soc_max) / 2.0
    start[0] = middle
    equal = sp.hstack([-into * eye, eye / out, eye - before, np.zeros((n, 1)), -start])
    at_most = sp.vstack(
        [
            sp.hstack([eye, none, none, -one, 0 * one]),
            sp.hstack([none, eye, none, -one, 0 * one]),
            sp.hstack([0.96 * eye, none, none, 0 * one, -cells.c_rate_max * one]),
            sp.hstack([none, eye / 0.96, none, 0 * one, -cells.c_rate_max * one]),
            sp.hstack([none, none, eye, 0 * one, -cells.soc_max * one]),
            sp.hstack([none, none, -eye, 0 * one, cells.soc_min * one]),
        ]
    )
    last = np.zeros(3 * n + 2)
    last[3 * n - 1], last[-1] = -1.0, middle
    shape = np.zeros((2, 3 * n + 2))
    shape[0, -2:], shape[1, -2:] = (1.0, -1.0), (-6.0, 1.0)
    found = linprog(
        cost,
        A_eq=equal,
        b_eq=np.zeros(n),
        A_ub=sp.vstack([at_most, last, shape]),
        b_ub=np.zeros(6 * n + 3),
        bounds=[(0, None)] * (3 * n) + [(0.5, 4.0), (0.0, None)],
    )
    assert found.x is not None
    return float(found.x[-2]), float(found.x[-1]), -float(found.fun)


YEARS = {
    "solar_merchant": ({"power_mw": (1.0, 10.0), "duration_h": (1.0, 6.0)}, 1.0),
    "arbitrage_15min": ({"power_mw": (2.0, 20.0), "duration_h": (1.0, 6.0)}, 0.6),
}


@pytest.mark.parametrize("name", ["solar_merchant", pytest.param("arbitrage_15min", marks=pytest.mark.second_tier)])
def test_a_shipped_year_in_a_dozen_solves(name: str) -> None:
    """npv of a whole year: gap at most 0.1 %, at most 12 solver calls for the bound."""
    ranges, dear = YEARS[name]
    money = MONEY | {"capital_per_mw": 150_000.0 * dear, "capital_per_mwh": 180_000.0 * dear}
    scenario = bo.load(SCENARIOS / name).replace(
        battery={"wear_cost_per_mwh": 0.0}, strategy="arbitrage", finance=money
    )
    best = bo.size(scenario, **ranges)
    assert best.gap is not None
    assert 0.0 <= best.gap <= 1e-3
    assert best.calls <= 12


@pytest.mark.second_tier
@pytest.mark.real_data
def test_the_german_year_in_a_dozen_solves() -> None:
    """35,040 real quarter-hour prices, many below zero."""
    file = Path(os.environ.get("BESS_OPT_DATA", "")) / "prices_de_id1" / "electricity_prices_germany_2021.csv"
    if "BESS_OPT_DATA" not in os.environ or not file.is_file():
        pytest.skip("BESS_OPT_DATA does not lead to the German prices")
    table = pd.read_csv(file)
    column = next(name for name in table.columns if name.endswith("ID1-Price"))
    index = pd.DatetimeIndex(pd.to_datetime(table["Date"], format="%d/%m/%Y %H:%M")).tz_localize("Etc/GMT-1")
    scenario = bo.Scenario(
        battery=bo.Battery(power_mw=10.0, duration_h=2.0),
        site={"time_zone": "Etc/GMT-1"},
        series=pd.DataFrame({"price_per_mwh": table[column].to_numpy()}, index=index),
        strategy="arbitrage",
        finance=MONEY | {"capital_per_mw": 150_000.0, "capital_per_mwh": 320_000.0},
    )
    best = bo.size(scenario, power_mw=(1.0, 20.0), duration_h=(0.5, 6.0))
    assert best.gap is not None
    assert 0.0 <= best.gap <= 1e-3
    assert best.calls <= 12
    for power, energy in ((best.power_mw, best.energy_mwh * 1.1), (best.power_mw * 0.9, best.energy_mwh)):
        assert npv(bo.optimize(at_size(scenario, power, energy))) <= (best.bound or 0.0)
