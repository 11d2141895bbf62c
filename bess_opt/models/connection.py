"""Clauses of a connection agreement: caps that may be overrun at a price, and limits on ramps of the grid power.

Hard caps are bounds of import and export, see `models.site`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyomo.core as pyo

from bess_opt.models.components import ArrayConstraint, ArrayParam, ArrayVar, Constant, Rule
from bess_opt.models.ledger import add_term
from bess_opt.models.meaning import Meaning
from bess_opt.models.products.activation import base_grid
from bess_opt.models.units import MW, PER_MWH
from bess_opt.plant.connection import FLOWS, ClauseNumbers
from bess_opt.plant.plant import Plant

CLAUSE = Meaning("connection clause", kind="limit", stated_at="connection")
OVERRUN = Meaning(kind="gauge")


def add_connection(m: Any, plant: Plant) -> None:
    """Add overruns with their price, and ramps. Call after the site and the ledger."""
    connection = plant.connection
    m.overruns = [
        _add_overrun(m, plant, number, clause, flow)
        for number, clause in enumerate(connection.clauses)
        for flow in FLOWS
        if flow in clause.caps and not clause.hard
    ]
    if m.overruns:
        add_term(m, "overrun", overrun_cost, m.steps)
    if connection.has_ramps:
        add_grid_ramp(m, plant)


def _add_overrun(m: Any, plant: Plant, number: int, clause: ClauseNumbers, flow: str) -> str:
    """Add the overrun of one cap; returns the name of its variable."""
    name, most = f"connection_{number}_{flow.removesuffix('_mw')}", plant.flow_limits()[flow]
    stated = {"import_mw": plant.import_max_mw, "export_mw": plant.export_max_mw}[flow]
    cap = np.minimum(clause.cap_mw(flow), np.where(np.isfinite(stated), stated, most))
    setattr(m, f"{name}_cap_mw", ArrayParam(m.steps, cap, units=MW, doc="most power without an overrun"))
    overrun = ArrayVar(
        m.steps,
        upper=np.where(clause.active, np.inf, 0.0),
        units=MW,
        doc=f"{flow} above the cap of a clause",
        meaning=replace(OVERRUN, flow=flow),
    )
    setattr(m, f"{name}_overrun_mw", overrun)
    setattr(
        m,
        f"{name}_overrun",
        ArrayConstraint(m.steps, rule=overrun_of(name, flow), meaning=replace(CLAUSE, flow=flow)),
    )
    price = Constant(float(clause.overrun_price_per_mwh or 0.0), PER_MWH)
    setattr(m, f"{name}_overrun_price", price)
    return name


def overrun_of(name: str, flow: str) -> Rule:
    """The rule that measures the overrun of one cap."""

    def rule(m: Any, t: Any) -> Any:
        """flow[t] − overrun[t] <= cap[t]."""
        return getattr(m, flow)[t] - getattr(m, f"{name}_overrun_mw")[t] <= getattr(m, f"{name}_cap_mw")[t]

    return rule


def overrun_cost(m: Any, t: Any) -> Any:
    """−Σ over clauses of price·h·overrun[t]."""
    return sum(
        -getattr(m, f"{name}_overrun_price") * m.step_h * getattr(m, f"{name}_overrun_mw")[t] for name in m.overruns
    )


def add_grid_ramp(m: Any, plant: Plant) -> None:
    """Add the pairs of steps between which the grid power may change by no more than a clause allows."""
    names = [repr(clause.name) for clause in plant.connection.clauses if np.isfinite(clause.ramp_mw)]
    meaning = replace(CLAUSE, flow="grid_mw", words=f"the ramp of the clause {' and '.join(names)}")
    ramp = plant.connection.ramp_mw
    bounded = np.flatnonzero(np.isfinite(ramp))
    m.ramped_step = bounded
    m.ramped_steps = pyo.RangeSet(0, len(bounded) - 1)
    m.grid_ramp_max_mw = ArrayParam(m.ramped_steps, ramp[bounded], units=MW, doc="most change of the grid power")
    m.grid_ramp_up = ArrayConstraint(m.ramped_steps, rule=grid_ramp_up, meaning=meaning)
    m.grid_ramp_down = ArrayConstraint(m.ramped_steps, rule=grid_ramp_down, meaning=meaning)
    least, most = plant.connection.first_grid_mw
    if np.isfinite(least):
        m.first_grid_least_mw = Constant(least, MW)
        m.first_grid_most_mw = Constant(most, MW)
        m.first_ramped_step = pyo.RangeSet(0, 0)
        m.first_grid_ramp_up = ArrayConstraint(m.first_ramped_step, rule=first_grid_ramp_up, meaning=meaning)
        m.first_grid_ramp_down = ArrayConstraint(m.first_ramped_step, rule=first_grid_ramp_down, meaning=meaning)


def grid_ramp_up(m: Any, i: Any) -> Any:
    """grid[t] − grid[t−1] <= ramp[t], for the i-th step t with a limit."""
    t = m.ramped_step[i]
    return _grid(m, t) - _grid(m, t - 1) <= m.grid_ramp_max_mw[i]


def grid_ramp_down(m: Any, i: Any) -> Any:
    """grid[t−1] − grid[t] <= ramp[t], for the i-th step t with a limit."""
    t = m.ramped_step[i]
    return _grid(m, t - 1) - _grid(m, t) <= m.grid_ramp_max_mw[i]


def first_grid_ramp_up(m: Any, t: Any) -> Any:
    """grid[0] <= before + ramp."""
    return _grid(m, t) <= m.first_grid_most_mw


def first_grid_ramp_down(m: Any, t: Any) -> Any:
    """grid[0] >= before − ramp."""
    return _grid(m, t) >= m.first_grid_least_mw


def _grid(m: Any, t: Any) -> Any:
    return base_grid(m, t)
