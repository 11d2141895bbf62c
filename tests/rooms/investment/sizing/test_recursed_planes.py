"""Planes from the recursion bound every size as HiGHS's do; where they do not fit, the proof goes on with HiGHS."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from support.sites import at_size, merchant, npv, solar_plant

import bess_opt as bo
from bess_opt.investment.sizing import recursed
from bess_opt.investment.sizing.recursed import RecursedPlanes, SizedModels
from bess_opt.investment.sizing.region import Region
from bess_opt.investment.sizing.sized_program import SizedProgram
from bess_opt.solver.engines import EngineRefusedError
from bess_opt.solver.value_function import recursion
from bess_opt.solver.value_function.engine import RelaxedByPrices

RANGES = {"power_mw": (0.5, 4.0), "duration_h": (1.0, 6.0)}
SIZES = Region((0.5, 4.0), (1.0, 6.0))  # at 1/0.96 h the C-rate gives way to the rated power
LONG_ONES = Region((0.5, 4.0), (2.0, 6.0))
ASKED = [(2.3, 8.1), (1.3, 1.34), (3.9, 23.0), (0.7, 0.728), (2.0, 2.1), (0.5, 1.0)]

pytestmark = pytest.mark.skipif(recursion.compiled_part() is None, reason="the compiled part was not built")


@pytest.mark.parametrize("sizes", [SIZES, LONG_ONES], ids=["a limit bends", "none does"])
@pytest.mark.parametrize("scenario", [merchant(4), solar_plant(3)], ids=["merchant", "solar"])
def test_planes_touch_their_size_and_bound_all_others(scenario: bo.Scenario, sizes: Region) -> None:
    """Revenues are those of HiGHS without the one-way rule, each size solved by itself."""
    asked = [size for size in ASKED if sizes.contains(*size)]
    right = SizedProgram(scenario, *asked[0], tight=False)
    revenues = [right.revenue(*size) for size in asked]
    ours = RecursedPlanes(scenario, sizes, cash=True)
    found = [ours.solved(*size) for size in asked]
    for size, revenue, one in zip(asked, revenues, found, strict=True):
        assert one.revenue == pytest.approx(revenue, rel=1e-9)
        assert min(plane.at(*size) for plane in one.planes) == pytest.approx(revenue, rel=1e-9)
        for other, most in zip(asked, revenues, strict=True):
            assert min(plane.at(*other) for plane in one.planes) >= most - 1e-9 * abs(most)


def test_sizes_between_corners_are_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four corners, the largest of which shows the objective to be cash, and one size inside."""
    read, parts = [], SizedModels._parts
    monkeypatch.setattr(SizedModels, "_parts", lambda self, *size: (read.append(size), parts(self, *size))[1])
    ours = RecursedPlanes(merchant(4), LONG_ONES, cash=True)
    for size in ASKED[:1] * 3:
        ours.solved(*size)
    assert (len(read), ours.calls) == (5, 3)


def test_a_range_that_begins_where_a_limit_bends_is_read_up_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 11 models none is read for the shortest duration or the middle of the range, where a proof asks first."""
    read, parts = [], SizedModels._parts
    monkeypatch.setattr(SizedModels, "_parts", lambda self, *size: (read.append(size), parts(self, *size))[1])
    sizes = Region((0.5, 4.0), (1.0 / 0.96, 6.0))
    ours = RecursedPlanes(merchant(4), sizes, cash=True)
    for size in ((0.5, 0.5 / 0.96), (4.0, 4.0 / 0.96), sizes.middle()):
        ours.solved(*size)
    assert (len(read), ours.calls) == (11, 3)


def test_a_proof_needs_no_linear_program_where_value_functions_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    """And finds what HiGHS finds."""
    by_highs = bo.size(merchant(4, solver={"engine": "highs"}), **RANGES)
    monkeypatch.setattr(recursed, "SizedProgram", None)
    found = bo.size(merchant(4), **RANGES)
    assert found.gap is not None
    assert by_highs.bound is not None
    assert found.bound is not None
    assert found.gap <= 1e-3
    assert found.value <= by_highs.bound
    assert by_highs.value <= found.bound
    assert set(found.seconds) == {"first solve", "proof", "exact plan"}


def test_what_wasting_leaves_open_the_one_way_cuts_close() -> None:
    """At −80 the recursion without the one-way rule is far above exact plans: HiGHS goes on from where it stands."""
    scenario = merchant(4, lowest=-80.0, spread=90.0)
    plain = RecursedPlanes(scenario, SIZES, cash=True)
    best = bo.size(scenario, **RANGES)
    assert best.gap is not None
    assert best.bound is not None
    assert best.gap <= 1e-3
    assert best.calls > plain.calls
    for size in ASKED[:3]:
        assert npv(bo.optimize(at_size(scenario, *size))) <= best.bound
    exact = bo.optimize(at_size(scenario, *ASKED[0])).metrics.net_revenue
    assert plain.solved(*ASKED[0]).revenue > 1.01 * exact


def other_costs(models: SizedModels, power_mw: float, energy_mwh: float) -> bo.Scenario:
    return models._scenario.replace(battery={"wear_cost_per_mwh": power_mw})


def other_rows(models: SizedModels, power_mw: float, energy_mwh: float) -> bo.Scenario:
    return models._scenario.replace(battery={"self_discharge_per_h": 0.01 * power_mw})


def no_scenario(models: SizedModels, power_mw: float, energy_mwh: float) -> bo.Scenario:
    return models._scenario.replace(battery={"wear_cost_per_mwh": 2.0 - power_mw})


def with_sizes_of(monkeypatch: pytest.MonkeyPatch, changed: Callable[..., bo.Scenario]) -> None:
    """Let the models of each size be those of a scenario that changes with it."""
    parts = SizedModels._parts
    monkeypatch.setattr(SizedModels, "_parts", lambda self, *size: parts(SizedModels(changed(self, *size)), *size))


@pytest.mark.parametrize(
    ("change", "scenario", "reason"),
    [
        (lambda _: None, merchant(4, solver={"engine": "highs"}), "scenario: no engine beside HiGHS may answer"),
        (lambda _: None, solar_plant(3, strategy="time_shift"), "objective: is not the ledger's cash alone"),
        (lambda m: m.setattr(recursed, "LINEAR", -1.0), merchant(4), "limits: do not change in proportion"),
        (lambda m: with_sizes_of(m, other_costs), merchant(4), "costs: depend on the size"),
        (lambda m: with_sizes_of(m, no_scenario), merchant(4), r"sizes: .*wear_cost_per_mwh"),
        (lambda m: with_sizes_of(m, other_rows), merchant(4), "rows: are not the same at all sizes"),
        (lambda m: m.setattr(RelaxedByPrices, "most", lambda *_: math.inf), merchant(4), "prices: press on a limit"),
        (lambda m: m.setattr(recursed, "SUMMED", -1.0), merchant(4), "limits: one is not the least of several"),
    ],
)
def test_who_is_refused(
    monkeypatch: pytest.MonkeyPatch, change: Callable[[Any], None], scenario: bo.Scenario, reason: str
) -> None:
    """Each reason is said, and sizing asks HiGHS."""
    change(monkeypatch)
    with pytest.raises(EngineRefusedError, match=reason):
        RecursedPlanes(scenario, SIZES, cash=reason.startswith("objective")).solved(*ASKED[0])


def test_a_refusal_in_the_middle_ends_in_a_proof_by_highs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The planes of the sizes so far stay."""
    solved, sizes = RecursedPlanes.solved, []

    def refused(self: RecursedPlanes, *size: float) -> Any:
        sizes.append(size)
        if len(sizes) > 1:
            raise EngineRefusedError.because("a reason")
        return solved(self, *size)

    right = bo.size(merchant(4), **RANGES)
    monkeypatch.setattr(RecursedPlanes, "solved", refused)
    found = bo.size(merchant(4), **RANGES)
    assert len(sizes) == 2
    assert found.gap is not None
    assert found.gap <= 1e-3
    assert found.value == pytest.approx(right.value, abs=1e-3 * abs(right.value))
