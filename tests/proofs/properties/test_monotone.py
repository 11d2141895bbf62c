"""What must hold for any scenario: more is never worse, money scales, energy is neither made nor lost."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.cases import Case, random_case

import bess_opt as bo
from bess_opt.plant.audit import audit
from bess_opt.plant.from_scenario import plant_of

QUICK = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
SEEDS = st.integers(min_value=0, max_value=20_000)


def solved(of: Case) -> bo.Dispatch | None:
    """The plan, or None where there is none."""
    try:
        return of.optimize()
    except bo.InfeasibleError:
        return None


def tame(seed: int) -> Case:
    """A random case whose start and end do not move when the battery grows."""
    of = random_case(seed, plain=True)
    battery = {k: v for k, v in of.battery.items() if k not in ("soc_start", "max_cycles_per_day")}
    return dataclasses.replace(of, battery=battery | {"soc_end": "equal"})


@QUICK
@given(seed=SEEDS, factor=st.floats(1.05, 4.0))
def test_more_power_is_never_worse(seed: int, factor: float) -> None:
    """The same cells behind a larger converter."""
    of = tame(seed)
    power, duration = of.battery["power_mw"], of.battery["duration_h"]
    larger = of.but(battery={"power_mw": power * factor, "duration_h": duration / factor})
    small, large = solved(of), solved(larger)
    if small is not None:
        assert large is not None
        assert large.report.objective >= small.report.objective - 1e-6 * max(1.0, abs(small.report.objective))


@QUICK
@given(seed=SEEDS, factor=st.floats(1.05, 4.0))
def test_more_energy_is_never_worse(seed: int, factor: float) -> None:
    """Longer duration at the same power, starting and ending in the middle of the window."""
    of = tame(seed)
    larger = of.but(battery={"duration_h": of.battery["duration_h"] * factor})
    small, large = solved(of), solved(larger)
    if small is not None:
        assert large is not None
        assert large.report.objective >= small.report.objective - 1e-6 * max(1.0, abs(small.report.objective))


@QUICK
@given(seed=SEEDS, factor=st.floats(0.01, 100.0))
def test_all_money_times_k_is_the_objective_times_k(seed: int, factor: float) -> None:
    of = random_case(seed)
    series = of.series.copy()
    for name in series.filter(like="price"):
        series[name] *= factor
    battery, site = dict(of.battery), dict(of.site)
    if "wear_cost_per_mwh" in battery:
        battery["wear_cost_per_mwh"] *= factor
    if isinstance(battery["soc_end"], dict):
        battery["soc_end"] = {"value_per_mwh": battery["soc_end"]["value_per_mwh"] * factor}
    if "unserved_price_per_mwh" in site:
        site["unserved_price_per_mwh"] *= factor
    finance = of.finance and {"variable_om_per_mwh": of.finance["variable_om_per_mwh"] * factor}
    dearer = dataclasses.replace(of, series=series, battery=battery, site=site, finance=finance)
    one, other = solved(of), solved(dearer)
    assert (one is None) == (other is None)
    if one is not None and other is not None:
        value = one.report.objective
        assert other.report.objective == pytest.approx(factor * value, rel=2e-6, abs=2e-6 * factor)


@settings(QUICK, max_examples=60)
@given(seed=SEEDS)
def test_energy_is_neither_made_nor_lost(seed: int) -> None:
    """The year's balance closes, and the audit finds nothing."""
    of = random_case(seed)
    plan = solved(of)
    if plan is None:
        return
    data = plant_of(plan.scenario)
    assert abs(plan.metrics.balance_residual_mwh) < 1e-6 * data.scale_mw * data.horizon_h
    assert audit(plan.schedule, data) == ()
    assert plan.metrics.end_shortfall_mwh < 1e-6 * data.storage.energy_mwh


@pytest.mark.parametrize("factor", [1e-6, 1e3])
@pytest.mark.parametrize("seed", [*range(500, 512), 50, 59, 77, 119])
def test_watts_and_gigawatts_give_the_same_schedule(seed: int, factor: float) -> None:
    """All powers times a factor: the same plan, relative to its size (prices per MWh as they are)."""
    of = random_case(seed)
    series = of.series.copy()
    for name in series:
        if "price" not in name:
            series[name] *= factor
    scaled = lambda table: {k: v * factor if k.endswith("_mw") else v for k, v in table.items()}  # noqa: E731
    other = dataclasses.replace(of, series=series, battery=scaled(of.battery), site=scaled(of.site))
    one, sized = solved(of), solved(other)
    assert (one is None) == (sized is None)
    if one is None or sized is None:
        return
    assert sized.report.objective == pytest.approx(factor * one.report.objective, rel=1e-6, abs=1e-6 * factor)
    for name in one.schedule:
        if name.endswith(("_mw", "_mwh")) and "price" not in name:
            assert np.allclose(sized.schedule[name] / factor, one.schedule[name], rtol=0.0, atol=1e-5), name


def test_unlimited_import_and_negative_prices_have_an_optimum() -> None:
    """Energy may be wasted in a DC-coupled plant's inverter only one way at a time: the gain is bounded."""
    of = random_case(4)
    assert of.battery["topology"] == "series_dc"
    assert "import_limit_mw" not in of.site
    assert "inverter_mw" not in of.site
    assert np.isfinite(of.optimize().report.objective)
