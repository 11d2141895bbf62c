"""Time shift: store PV energy and deliver it in a target window of the day.

Optimal twin: charge from PV only; maximise the PV energy delivered in the window, weighted by the export price
if the scenario has prices; among those plans the one of most total money. Where the one-way rule needs yes-or-no
choices, their pattern is proven for the window's value, and the money is the most within it. Delivered is what
the plant gives to load and grid, h·(load served + export − import). Score: that value within the window.
In a stack charging from PV only stands, and delivery in the window earns `premium_per_mwh` beside its price.

Rule twin: charge from PV outside the window, spread the stored energy over the window.

Use it where a contract or a tariff rewards the evening. When not to use: where prices alone decide, because
arbitrage earns at least as much at those prices.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

import numpy as np
import pandas as pd
import pyomo.core as pyo
from pydantic import Field, field_validator

from bess_opt.common import clock
from bess_opt.common.arrays import Array
from bess_opt.common.findings import Finding
from bess_opt.common.input_table import Flag, Number, Table, Text, quantity
from bess_opt.models.components import ArrayParam
from bess_opt.models.ledger import money_terms
from bess_opt.models.units import PER_UNIT
from bess_opt.plant.audit import Violation, exceeds
from bess_opt.plant.plant import Plant
from bess_opt.plant.rule import Rule, State
from bess_opt.strategies.shared.contract import Objective, Stacked, Strategy


class TimeShiftOptions(Table):
    """Options of `time_shift`."""

    window: Annotated[
        tuple[Text, Text],
        Field(description='local clock times of the target window, half-open: ["18:00", "22:00"]; may wrap midnight'),
    ] = ("18:00", "22:00")
    price_weighted: Annotated[
        Flag, Field(description="weight the delivered energy by the export price, where there is one")
    ] = True

    premium_per_mwh: Annotated[
        Number, quantity("in a stack: worth of a MWh delivered in the window beside its price", "currency/MWh", ge=0)
    ] = 0.0

    @field_validator("window")
    @classmethod
    def _is_a_window(cls, window: tuple[str, str]) -> tuple[str, str]:
        if clock.parse_clock(window[0]) == clock.parse_clock(window[1]):
            raise ValueError(f"start and end are both {window[0]}; give two different clock times")
        return window


def restrict(plant: Plant, _options: TimeShiftOptions) -> Plant:
    """The battery is charged from PV only."""
    return replace(plant, grid_charging=False)


def build(m: Any, plant: Plant, options: TimeShiftOptions) -> Sequence[Objective]:
    """lexicographic max (value delivered in the window, Σ ledger)."""
    inside = np.flatnonzero(clock.window_mask(plant.index, *options.window))
    m.target_steps = pyo.Set(initialize=[int(t) for t in inside], dimen=1)
    m.delivery_weight = ArrayParam(m.steps, delivery_weight(plant, options), units=PER_UNIT, doc="worth of delivery")
    return [[(1.0, delivered_value, m.target_steps)], money_terms(m)]


def delivered_value(m: Any, t: Any) -> Any:
    """w·h·(load − unserved + export − import): what the plant delivers at the AC bus."""
    delivered = m.load_mw[t] - m.unserved_mw[t] + m.export_mw[t] - m.import_mw[t]
    return m.delivery_weight[t] * m.step_h * delivered


def premium_terms(m: Any, _plant: Plant, options: TimeShiftOptions) -> Objective:
    """premium·Σ h·(load − unserved + export − import) over the window."""
    return [(options.premium_per_mwh, delivered_energy, m.target_steps)] if options.premium_per_mwh else []


def delivered_energy(m: Any, t: Any) -> Any:
    """h·(load − unserved + export − import)."""
    return m.step_h * (m.load_mw[t] - m.unserved_mw[t] + m.export_mw[t] - m.import_mw[t])


def premium_cost(schedule: pd.DataFrame, plant: Plant, options: TimeShiftOptions) -> float:
    """Minus the premium that the window's delivery earns: a cost below zero."""
    return -options.premium_per_mwh * float(_delivered_mwh(schedule, plant, options).sum())


def stack_notes(_plant: Plant, options: TimeShiftOptions) -> list[Finding]:
    """Without a premium the window moves nothing in a stack."""
    if options.premium_per_mwh:
        return []
    found = "is 0: in this stack time_shift forbids charging from the grid and nothing else"
    expected = "state what a MWh delivered in the window is worth beside its price"
    return [Finding("no_premium", "strategy.premium_per_mwh", found, expected, "warning")]


def delivery_weight(plant: Plant, options: TimeShiftOptions) -> Array:
    """Worth of a MWh delivered, per step: the export price, or 1."""
    return plant.export_price if options.price_weighted and plant.has_prices else np.ones(plant.steps)


def score(schedule: pd.DataFrame, plant: Plant, options: TimeShiftOptions) -> float:
    """Value of the energy delivered in the window over the horizon."""
    return float((delivery_weight(plant, options) * _delivered_mwh(schedule, plant, options)).sum())


def _delivered_mwh(schedule: pd.DataFrame, plant: Plant, options: TimeShiftOptions) -> Array:
    """Energy delivered per step of the window; 0 outside."""
    inside = clock.window_mask(plant.index, *options.window)
    delivered = schedule["load_mw"] - schedule["unserved_mw"] + schedule["export_mw"] - schedule["import_mw"]
    energy: Array = np.where(inside, delivered.to_numpy(), 0.0) * plant.step_h
    return energy


def rule(plant: Plant, options: TimeShiftOptions) -> Rule:
    """Outside the window: store PV power. Inside: spread what is stored evenly over the hours left in it."""
    inside = clock.window_mask(plant.index, *options.window)
    ends = np.append(np.flatnonzero(inside[:-1] & ~inside[1:]) + 1, plant.steps)
    left = ends[np.searchsorted(ends, np.arange(plant.steps), side="right")] - np.arange(plant.steps)
    deliver: list[bool] = inside.tolist()
    hours_left: list[float] = (left * plant.step_h).tolist()
    floor: list[float] = plant.together.floor_mwh.tolist()
    eta = plant.together.eta_discharge

    def decide(state: State) -> float:
        t = state.step
        if not deliver[t]:
            return -min(state.solar_mw, state.charge_room_mw)
        return max(state.energy_mwh - floor[t + 1], 0.0) * eta / hours_left[t]

    return decide


def score_unit(options: TimeShiftOptions) -> str:
    """What the delivery is weighted by; MWh alone without prices."""
    return "currency (MWh without prices) in the window" if options.price_weighted else "MWh in the window"


def checks(schedule: pd.DataFrame, plant: Plant, _options: TimeShiftOptions) -> list[Violation]:
    """The battery was charged from PV only."""
    excess = schedule["import_mw"] + schedule["unserved_mw"] - schedule["load_mw"]
    return exceeds("time_shift charges from PV only", excess.to_numpy(), plant)


STRATEGY = Strategy(
    name="time_shift",
    summary="store PV energy and deliver it in a window of the day",
    options=TimeShiftOptions,
    needs=("solar",),
    score_unit=score_unit,
    score_sense="max",
    build=build,
    rule=rule,
    restrict=restrict,
    score=score,
    checks=checks,
    old_names=("time_shift_aggressive", "night_shift"),
    stacked=Stacked(terms=premium_terms, cost=premium_cost, notes=stack_notes),
)
