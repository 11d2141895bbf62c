"""battery_export = "strict": export is no more than what PV has over the load, exactly."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp
from support.cases import case

import bess_opt as bo

STEPS = 6


def drawn(seed: int) -> tuple[bo.Scenario, dict[str, np.ndarray], dict[str, float]]:
    rng = np.random.default_rng(seed)
    series = {
        "price": rng.normal(10.0, 40.0, STEPS), "load": rng.uniform(0, 1.5, STEPS),
        "solar": np.maximum(rng.normal(0.8, 1.2, STEPS), 0.0),
    }  # fmt: skip
    limits = {"power": 1.0, "energy": 2.0, "export": float(rng.uniform(0.3, 2.0)), "eta": 0.8}
    cells = {"eta_charge": 0.8, "eta_discharge": 0.8, "soc_min": 0.0, "soc_max": 1.0, "c_rate_max": 2.0}
    made = case(
        price_per_mwh=series["price"].tolist(), load_mw=series["load"].tolist(), solar_mw=series["solar"].tolist(),
        battery={"power_mw": 1.0, "duration_h": 2.0, "technology": cells, "soc_start": 0.5, "soc_end": "free"},
        site={"battery_export": "strict", "export_limit_mw": limits["export"]},
    )  # fmt: skip
    return made.scenario(), series, limits


def independent(series: dict[str, np.ndarray], limits: dict[str, float]) -> float:
    """Columns c, d, import, export, PV used, and per step three choices: charging, importing, PV below the load."""
    n, eta, big = STEPS, limits["eta"], 10.0
    columns = 8 * n
    at = {name: slice(i * n, (i + 1) * n) for i, name in enumerate(["c", "d", "i", "x", "u", "zc", "zi", "zs"])}
    cost = np.zeros(columns)
    cost[at["i"]], cost[at["x"]] = series["price"], -series["price"]
    upper = np.ones(columns)
    upper[at["i"]], upper[at["x"]], upper[at["u"]] = big, limits["export"], series["solar"]
    rows = []

    def row(entries: dict[tuple[str, int], float], low: float, high: float) -> None:
        line = np.zeros(columns)
        for (name, t), value in entries.items():
            line[at[name].start + t] += value
        rows.append((line, low, high))

    for t in range(n):
        load = float(series["load"][t])
        row({("u", t): 1, ("d", t): 1, ("i", t): 1, ("c", t): -1, ("x", t): -1}, load, load)
        row({("c", t): 1, ("zc", t): -1}, -np.inf, 0)
        row({("d", t): 1, ("zc", t): 1}, -np.inf, 1)
        row({("i", t): 1, ("zi", t): -big}, -np.inf, 0)
        row({("x", t): 1, ("zi", t): big}, -np.inf, big)
        row({("x", t): 1, ("zs", t): big}, -np.inf, big)  # PV below the load: no export
        row({("x", t): 1, ("u", t): -1, ("zs", t): -big}, -np.inf, -load)  # else no more than PV − load
        stored = {("c", s): eta for s in range(t + 1)} | {("d", s): -1 / eta for s in range(t + 1)}
        row(stored, -1.0, 1.0)
    matrix, low, high = (np.array(part) for part in zip(*rows, strict=True))
    integer = np.zeros(columns)
    integer[5 * n :] = 1
    found = milp(cost, constraints=LinearConstraint(matrix, low, high), bounds=Bounds(0, upper), integrality=integer)
    assert found.success
    return -float(found.fun)


def test_the_optimum_is_that_of_an_independent_model() -> None:
    for seed in range(60):
        scenario, series, limits = drawn(seed)
        plan = bo.optimize(scenario)
        assert plan.metrics.net_revenue == pytest.approx(independent(series, limits), abs=1e-6), seed
        over = np.maximum((plan.schedule["solar_mw"] - plan.schedule["curtailed_mw"] - plan.schedule["load_mw"]), 0.0)
        assert (plan.schedule["export_mw"] <= over + 1e-6).all()


@pytest.mark.parametrize(
    ("topology", "curtail"), list(itertools.product(["parallel_ac", "series_dc", "hybrid"], [True, False]))
)
def test_optimum_rule_and_replay_agree_on_it(topology: str, curtail: bool) -> None:
    for seed in range(8):
        rng = np.random.default_rng(seed)
        made = case(
            price_per_mwh=rng.normal(30, 50, 24).tolist(), load_mw=rng.uniform(0, 1.5, 24).tolist(),
            solar_mw=np.maximum(rng.normal(0.5, 1.0, 24), 0.0).tolist(),
            battery={"topology": topology, "soc_start": 0.5, "soc_end": "free"},
            site={"battery_export": "strict", "curtailment": curtail} | ({"dc_share": 0.4} if topology == "hybrid" else {}),
        ).scenario()  # fmt: skip
        plan, rule = bo.optimize(made), bo.simulate(made)
        assert bo.replay(plan).metrics.net_revenue == pytest.approx(plan.metrics.net_revenue, abs=1e-6)
        assert rule.metrics.net_revenue <= plan.metrics.net_revenue + 1e-6


def test_false_lets_pv_out_while_the_battery_carries_the_load_and_strict_does_not() -> None:
    loose = case(
        price_per_mwh=[0.0, 100.0], load_mw=[0.0, 1.0], solar_mw=[0.0, 1.0],
        battery={"power_mw": 1.0, "duration_h": 1.0, "soc_start": 0.0, "soc_end": "free"},
        site={"battery_export": False},
    )  # fmt: skip
    assert loose.optimize().metrics.export_mwh == pytest.approx(1.0)
    assert loose.but(site={"battery_export": "strict"}).optimize().metrics.export_mwh == pytest.approx(0.0)
