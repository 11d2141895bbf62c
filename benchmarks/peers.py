"""The same linear program in other people's tools, where they are installed (`pip install -e ".[peers]"`).

Each writes it the way its documentation does and lets HiGHS solve it, so that what differs is the tool.
energy-py-linear knows another battery (all losses on charging, no window of states, one price), cannot share an
environment with this package, and is timed by its own process: BESS_OPT_ENERGYPYLINEAR names the Python to run.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from floors import Numbers, numbers_of

from bess_opt.inputs.scenario import Scenario

ENERGYPYLINEAR = "BESS_OPT_ENERGYPYLINEAR"
THEIR_SCRIPT = Path(__file__).with_name("run_energypylinear.py")


def cvxpy(scenario: Scenario) -> float:
    """Optimum by cvxpy: vectors, and an energy law over all steps at once."""
    with _silence():
        import cvxpy as cp

    s = numbers_of(scenario)
    charge, discharge, energy, bought, sold, curtailed = (cp.Variable(s.steps, nonneg=True) for _ in range(6))
    before = cp.hstack([s.start, energy[:-1]])
    limits = [
        energy == before + s.gain * charge - s.drain * discharge,
        s.solar - curtailed + discharge + bought == s.load + charge + sold,
        charge <= s.charge_max,
        discharge <= s.discharge_max,
        energy >= s.least,
        energy <= s.most,
        curtailed <= s.solar,
    ]
    limits += [flow <= most for flow, most in ((bought, s.import_max), (sold, s.export_max)) if np.isfinite(most)]
    if s.daily_energy is not None:
        limits += [s.drain * cp.sum(discharge[s.days == day]) <= s.daily_energy for day in range(int(s.days[-1]) + 1)]
    cash = s.hours * (s.export_price @ sold - s.import_price @ bought - s.wear * cp.sum(discharge))
    with _silence():
        return float(cp.Problem(cp.Maximize(cash), limits).solve(solver=cp.HIGHS))


def linopy(scenario: Scenario) -> float:
    """Optimum by linopy: labelled arrays, passed to HiGHS in memory."""
    with _silence():
        import linopy as lp

        m = lp.Model()
        _fill(m, numbers_of(scenario))
        m.solve(solver_name="highs", io_api="direct", output_flag=False)
        return -float(m.objective.value)


def _fill(m: Any, s: Numbers) -> None:
    """The whole program as labelled arrays of a linopy model."""
    import xarray as xr

    time = pd.RangeIndex(s.steps, name="time")

    def labelled(values: Any) -> Any:
        return xr.DataArray(values, coords=[time])

    def flow(name: str, upper: Any) -> Any:
        return m.add_variables(lower=0.0, upper=upper, coords=[time], name=name)

    charge, discharge = flow("charge", s.charge_max), flow("discharge", s.discharge_max)
    bought, sold = flow("bought", s.import_max), flow("sold", s.export_max)
    curtailed = flow("curtailed", labelled(s.solar))
    energy = m.add_variables(lower=labelled(s.least), upper=s.most, coords=[time], name="energy")
    first = labelled(np.where(time == 0, s.start, 0.0))
    m.add_constraints(energy - energy.shift(time=1) - s.gain * charge + s.drain * discharge == first, name="law")
    m.add_constraints(discharge - charge + bought - sold - curtailed == labelled(s.load - s.solar), name="balance")
    if s.daily_energy is not None:
        day = xr.DataArray(s.days, coords=[time], name="day")
        m.add_constraints(s.drain * discharge.groupby(day).sum() <= s.daily_energy, name="daily")
    cash = (labelled(s.export_price) * sold).sum() - (labelled(s.import_price) * bought).sum()
    m.add_objective(-s.hours * (cash - s.wear * discharge.sum()))


def pypsa(scenario: Scenario) -> float:
    """Optimum by PyPSA: one bus, the grid both ways, sun, load and a storage unit."""
    with _silence():
        import pypsa as tool

    s = numbers_of(scenario)
    snapshots = scenario.series.index.tz_convert("UTC").tz_localize(None)
    if s.daily_energy is not None:
        raise ValueError("PyPSA's storage unit has no daily limit")
    wide = 10.0 * float(s.charge_max + s.discharge_max + s.solar.max() + s.load.max())
    with _silence():
        n = tool.Network(snapshots=snapshots)
        n.snapshot_weightings = n.snapshot_weightings.astype(float) * s.hours
        n.add("Bus", "site")
        n.add("Generator", "import", bus="site", p_nom=min(s.import_max, wide), marginal_cost=s.import_price)
        n.add(
            "Generator", "export", bus="site", p_nom=min(s.export_max, wide), p_min_pu=-1.0, p_max_pu=0.0,
            marginal_cost=s.export_price,
        )  # fmt: skip
        if s.solar.any():
            n.add("Generator", "sun", bus="site", p_nom=s.solar.max(), p_max_pu=s.solar / s.solar.max())
        if s.load.any():
            n.add("Load", "load", bus="site", p_set=s.load)
        _add_storage(n, s)
        n.optimize(solver_name="highs", io_api="direct", log_to_console=False)
    return -float(n.objective)


def _add_storage(n: Any, s: Numbers) -> None:
    """The window of states is its zero; a store and two links, for the end's level is a bound, not a value."""
    floor = float(s.least[0])
    usable = s.most - floor
    n.add("Bus", "cells")
    n.add("Link", "charge", bus0="site", bus1="cells", p_nom=s.charge_max, efficiency=s.gain / s.hours)
    n.add(
        "Link", "discharge", bus0="cells", bus1="site", p_nom=s.discharge_max * s.drain / s.hours,
        efficiency=s.hours / s.drain, marginal_cost=s.wear * s.hours / s.drain,
    )  # fmt: skip
    n.add(
        "Store", "energy", bus="cells", e_nom=usable, e_initial=s.start - floor, e_min_pu=(s.least - floor) / usable
    )


def energypylinear(scenario: Scenario) -> tuple[float, float]:
    """(their optimum, seconds) of a battery of this size at these prices, whole numbers included, as they do it."""
    s = numbers_of(scenario)
    words = {
        "power_mw": float(s.charge_max),
        "capacity_mwh": float(s.most),
        "efficiency_pct": float(s.gain / s.drain),
        "initial_charge_mwh": float(s.start),
        "final_charge_mwh": float(s.start),
        "electricity_prices": s.import_price.tolist(),
        "export_electricity_prices": s.export_price.tolist(),
        "freq_mins": round(s.hours * 60),
    }
    done = subprocess.run(
        [os.environ[ENERGYPYLINEAR], str(THEIR_SCRIPT)], input=json.dumps(words), capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    told = json.loads(done.stdout.splitlines()[-1])
    return float(told["cash"]), float(told["seconds"])


@contextmanager
def _silence() -> Iterator[None]:
    """Their logs, warnings and solver's greetings are not ours to show."""
    sys.stdout.flush()
    sys.stderr.flush()
    screens, nowhere = [os.dup(1), os.dup(2)], os.open(os.devnull, os.O_WRONLY)
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    logging.disable(logging.CRITICAL)
    for number in (1, 2):
        os.dup2(nowhere, number)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for number, screen in enumerate(screens, start=1):
            os.dup2(screen, number)
            os.close(screen)
        os.close(nowhere)
        logging.disable(logging.NOTSET)
        root.handlers[:] = handlers  # one of them sets up its own on import
        root.setLevel(level)


PEERS: dict[str, Callable[[Scenario], float]] = {"cvxpy": cvxpy, "linopy": linopy, "pypsa": pypsa}


def installed() -> dict[str, Callable[[Scenario], float]]:
    """The tools that can be imported here, by name."""
    return {name: tool for name, tool in PEERS.items() if find_spec(name) is not None}
