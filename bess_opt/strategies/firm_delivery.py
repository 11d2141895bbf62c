"""Firm delivery: a constant block of net export in a window of each day.

Delivered is the net export at the grid connection, export − import; what the site imports in the window is
missing to the block as well, and so is load that is not met. A delivery is one occurrence of the window; over
midnight it belongs to the local day on which it begins.

Optimal twin, with `block_mw` given: least shortfall, min Σ h·max(block − net export, 0) over the window.
Without: max Σ firm[p] / periods, where the firm block of a period (a day, or a calendar month) is the least
net export of its deliveries; a share of days below 1 spares the weakest ones of each month, rounded down. It is
below zero where the site cannot but import. Among those plans, with the spared days as chosen, the one of most
money, where the scenario has any. Score: shortfall in MWh, less is better; or the mean firm block in MW, more
is better.

Rule twin: surplus in, deficit out. Before the window it stores PV surplus and, if that is allowed, just in
time what is missing from the grid. In the window it fills up to the block; without a given one, up to what the
stored energy can hold to the window's end. In the last 24 hours it minds `soc_end`.

Use it for a contract on evening capacity, or to see what a plant can promise. When not to use: where the
price pays for energy and not for a promise; `time_shift` or `arbitrage` then earn more.

In a stack the block is given and a hard limit, or its shortfall is priced by `shortfall_price_per_mwh`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from pydantic import Field, field_validator, model_validator

from bess_opt.common import clock
from bess_opt.common.arrays import Array
from bess_opt.common.findings import Finding
from bess_opt.common.input_table import Number, Table, Text, quantity, reject
from bess_opt.models.firm import Deliveries, add_block, add_firm, add_whole_block, deliveries, firm, missing_energy
from bess_opt.models.ledger import money_terms
from bess_opt.plant.audit import TOLERANCE
from bess_opt.plant.plant import Plant
from bess_opt.plant.rule import Rule, State
from bess_opt.strategies.shared.contract import Objective, Sense, Stacked, Strategy, no_checks
from bess_opt.strategies.shared.rule_parts import balancing, drawing, least_later, meeting_end, rates


class FirmDeliveryOptions(Table):
    """Options of `firm_delivery`."""

    window: Annotated[
        tuple[Text, Text],
        Field(description='local clock times of the window, half-open: ["18:00", "22:00"]; may wrap midnight'),
    ] = ("18:00", "22:00")
    block_mw: Annotated[
        Number | None,
        quantity("net export promised throughout the window; default: find the most that is firm", "MW", ge=0),
    ] = None
    period: Annotated[
        Literal["day", "month"],
        Field(description='without block_mw: one firm block per "day", or per calendar "month"'),
    ] = "day"
    share_of_days: Annotated[
        Number,
        quantity("per month: share of its days on which the firm block must hold", "1", gt=0, le=1),
    ] = 1.0

    shortfall_price_per_mwh: Annotated[
        Number | None,
        quantity(
            "in a stack: price of a MWh missing to the block; default: none may be missing", "currency/MWh", ge=0
        ),
    ] = None

    @field_validator("window")
    @classmethod
    def _is_a_window(cls, window: tuple[str, str]) -> tuple[str, str]:
        if clock.parse_clock(window[0]) == clock.parse_clock(window[1]):
            raise ValueError(f"start and end are both {window[0]}; give two different clock times")
        return window

    @model_validator(mode="after")
    def _fits_together(self) -> FirmDeliveryOptions:
        if self.block_mw is not None:
            for name in sorted({"period", "share_of_days"} & self.model_fields_set):
                found = f"is given beside block_mw = {self.block_mw:g}"
                reject(
                    [
                        Finding(
                            "contradiction",
                            name,
                            found,
                            f"a given block has no {name}; leave one of the two out",
                        )
                    ]
                )
        if self.share_of_days < 1.0 and self.period == "day":
            found = f'found {self.share_of_days:g} with period = "day"'
            reject([Finding("contradiction", "share_of_days", found, 'a share of days needs period = "month"')])
        return self


def given(plant: Plant, options: FirmDeliveryOptions) -> Deliveries:
    """The deliveries within the horizon."""
    return deliveries(plant.index, *options.window, options.period, options.share_of_days)


def build(m: Any, plant: Plant, options: FirmDeliveryOptions) -> Sequence[Objective]:
    """lexicographic max (−shortfall or mean firm block, Σ ledger)."""
    found = given(plant, options)
    if options.block_mw is not None:
        add_block(m, found, options.block_mw)
        return [[(1.0, missing_energy, m.window_steps)], money_terms(m)]
    add_firm(m, found, plant)
    return [[(1.0 / max(len(found.spared), 1), firm, m.firm_periods)], money_terms(m)]


def stack_terms(m: Any, _plant: Plant, options: FirmDeliveryOptions) -> Objective:
    """−price·Σ h·missing; without a price nothing may be missing."""
    if options.shortfall_price_per_mwh is None:
        add_whole_block(m)
        return []
    return [(options.shortfall_price_per_mwh, missing_energy, m.window_steps)]


def shortfall_cost(schedule: pd.DataFrame, plant: Plant, options: FirmDeliveryOptions) -> float:
    """Price of what is missing to the block over the horizon."""
    return (
        (options.shortfall_price_per_mwh or 0.0) * float(_missing_mw(schedule, plant, options).sum()) * plant.step_h
    )


def _missing_mw(schedule: pd.DataFrame, plant: Plant, options: FirmDeliveryOptions) -> Array:
    """Net export missing to the given block per step of the window; 0 outside."""
    net, missing = (schedule["grid_mw"] - schedule["unserved_mw"]).to_numpy(), np.zeros(plant.steps)
    inside = given(plant, options).inside
    missing[inside] = np.maximum((options.block_mw or 0.0) - net[inside], 0.0)
    return missing


def missed_block(schedule: pd.DataFrame, plant: Plant, options: FirmDeliveryOptions) -> list[Finding]:
    """Where an unpriced block was not held."""
    missing = np.maximum(_missing_mw(schedule, plant, options) - plant.rounding_mw, 0.0)
    worst = int(np.argmax(missing))
    if options.shortfall_price_per_mwh is not None or missing[worst] <= TOLERANCE * plant.scale_mw:
        return []
    short = f"is short by {missing[worst]:.4g} MW"
    found = f"at {plant.index[worst]:%Y-%m-%d %H:%M} the block of {options.block_mw:g} MW {short}"
    expected = "state shortfall_price_per_mwh, promise less, or put firm_delivery first in the list"
    return [Finding("block_missed", "strategy.block_mw", found, expected)]


def against(plant: Plant, options: FirmDeliveryOptions) -> list[str]:
    """A stack needs a given block, within what the others leave of the connection."""
    if options.block_mw is None:
        return ["block_mw: is missing; in a stack state the block, for the most firm MW has no worth in money"]
    inside = given(plant, options).inside
    least = float(plant.export_max_mw[inside if len(inside) else slice(None)].min())
    if options.shortfall_price_per_mwh is None and options.block_mw > least:
        found = f"found {options.block_mw:g}, above the {least:g} MW that may be exported in this stack"
        return [f"block_mw: {found}; promise less, or state shortfall_price_per_mwh"]
    return []


@dataclass(frozen=True)
class Ahead:
    """Per step: hours to the present delivery's end, to the next one's start, and the next one's length."""

    left_h: list[float]
    wait_h: list[float]
    next_h: list[float]
    end: list[int]


def ahead(plant: Plant, found: Deliveries) -> Ahead:
    """What the clock says about each step; zero where there is none."""
    t, step_h = np.arange(plant.steps), plant.step_h
    ends = found.first + found.length
    present = np.where(found.of_step >= 0, np.append(ends, 0)[found.of_step], t)
    later = np.searchsorted(found.first, t, side="left")
    start, length = np.append(found.first, plant.steps)[later], np.append(found.length, 0)[later]
    return Ahead(
        left_h=((present - t) * step_h).tolist(),
        wait_h=((start - t) * step_h).tolist(),
        next_h=(length * step_h).tolist(),
        end=present.tolist(),
    )


def rule(plant: Plant, options: FirmDeliveryOptions) -> Rule:
    """Store PV surplus and, just in time, grid power before the window; hold the block in it."""
    found = given(plant, options)
    needed, when, level = balancing(plant), ahead(plant, found), _level(plant, options)
    kept, step_h = plant.together.retention, plant.step_h
    drawn, into_mw = drawing(plant), rates(plant, plant.load_mw)[0].tolist()
    goal_mwh = _goal(plant, options, when).tolist()

    def decide(state: State) -> float:
        t = state.step
        if when.left_h[t] > 0.0:
            return needed(t, level(state, when.end[t], when.left_h[t]))
        if when.next_h[t] == 0.0:
            return 0.0
        surplus = min(needed(t, 0.0), 0.0)
        missing = goal_mwh[t] - into_mw[t] * (when.wait_h[t] - step_h) - kept * state.energy_mwh
        return min(surplus, drawn(-missing)) if plant.grid_charging and missing > 0.0 else surplus

    return meeting_end(plant, decide)


def _goal(plant: Plant, options: FirmDeliveryOptions, when: Ahead) -> Array:
    """Energy at the end of each step with which the next delivery could begin, at the load of that step."""
    storage = plant.together
    out = rates(plant, plant.load_mw)[1]
    if options.block_mw is not None:
        to_port = 1.0 if plant.bus is None else 1.0 / plant.bus.eta_out
        out = np.minimum(out, (options.block_mw + plant.load_mw) * to_port / storage.eta_discharge)
    goal: Array = np.minimum(storage.ceiling_mwh[1:], storage.floor_mwh[1:] + out * np.array(when.next_h))
    return goal


def _level(plant: Plant, options: FirmDeliveryOptions) -> Callable[[State, int, float], float]:
    """Net export to hold now, from the end of the delivery (an instant) and the hours left to it.

    The given block; or what the stored energy can hold to the end beside the present load, never raised.
    """
    block, storage, kept = options.block_mw, plant.together, plant.together.retention
    if block is not None:
        return lambda _state, _end, _left_h: block
    floor, export_max = storage.floor_mwh.tolist(), plant.export_max_mw
    most_out = np.broadcast_to(storage.discharge_limit_mw, plant.steps).tolist()
    to_ac, rating = (1.0, np.inf) if plant.bus is None else (plant.bus.eta_out, plant.bus.inverter_mw)
    until, held = -1, np.inf

    def level(state: State, end: int, left_h: float) -> float:
        nonlocal until, held
        if end != until:
            until, held = end, float(export_max[state.step : end].min())
        base = max(floor[end], least_later(plant, end, state.load_mw))
        power = min(
            max(kept * state.energy_mwh - base, 0.0) * storage.eta_discharge / left_h,
            most_out[state.step],
        )
        held = float(min(held, min(power * to_ac, rating) - state.load_mw))
        return held

    return level


def score(schedule: pd.DataFrame, plant: Plant, options: FirmDeliveryOptions) -> float:
    """Shortfall of the given block, MWh; or the mean firm block, MW. 0 without a delivery in the horizon."""
    found, net = given(plant, options), (schedule["grid_mw"] - schedule["unserved_mw"]).to_numpy()
    if options.block_mw is not None:
        return float(_missing_mw(schedule, plant, options).sum()) * plant.step_h
    return float(found.firm_mw(net).mean()) if len(found.spared) else 0.0


def notes(plant: Plant, options: FirmDeliveryOptions) -> list[Finding]:
    """A horizon without a delivery has nothing to optimise or to score."""
    if len(given(plant, options).first):
        return []
    found = f"no step of the horizon begins between {options.window[0]} and {options.window[1]} local time"
    return [
        Finding(
            "empty_window",
            "strategy.window",
            found,
            "the score is 0; give a longer horizon or another window",
            "warning",
        )
    ]


def unit(options: FirmDeliveryOptions) -> str:
    """MW firm, or MWh missing to a given block."""
    return "MW" if options.block_mw is None else "MWh"


def sense(options: FirmDeliveryOptions) -> Sense:
    """More firm power, or less shortfall."""
    return "max" if options.block_mw is None else "min"


STRATEGY = Strategy(
    name="firm_delivery",
    summary="hold a block of net export in a window: least shortfall, or most firm MW",
    options=FirmDeliveryOptions,
    needs=(),
    score_unit=unit,
    score_sense=sense,
    build=build,
    rule=rule,
    score=score,
    checks=no_checks,
    notes=notes,
    old_names=("flat_day", "firm_capacity"),
    stacked=Stacked(terms=stack_terms, cost=shortfall_cost, missed=missed_block, against=against),
)
