"""Cycling: a stated number of full equivalent cycles on each local day, at least cost.

A full equivalent cycle is a nameplate of energy leaving the cells. Each of several batteries is asked for the number
on its own nameplate; a cycle that one misses costs its share of all nameplate. No day has more than the stated
number, for both twins; what is missing to it has a price. A first or last day of which the horizon holds only a part
is asked for that number times its hours / 24; a DST day is a whole day.

Optimal twin: max Σ ledger − price·Σ missing cycles. Without prices the ledger holds wear and the like only.
Score: cost of the cycles, price·missing − Σ ledger, less is better. In a stack the missing cycles are a penalty.

Rule twin: a hysteresis. Discharge down to the lower level, then charge up to the upper one, and so on, at
full power from the day's first step. Discharging stops at the stated number; near the horizon's end it charges
no more than may still leave and is to stay. In the last 24 hours it minds `soc_end`.

An exact plan is hard to find: neighbouring hours are nearly alike, and whole cycles tie them together. Three days
take seconds, longer horizons a stated `solver.time_limit_s`; the plan then says how far from the best it may be.

Use it for tests, commissioning and ageing studies, where the cycles are the purpose. When not to use: where
cycles are a limit, not a purpose (`battery.max_cycles_per_day`). A larger battery has larger cycles and may
well cost more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Annotated, Any

import numpy as np
import pandas as pd
from pydantic import model_validator

from bess_opt.common.arrays import Array
from bess_opt.common.errors import StrategyError
from bess_opt.common.findings import Finding
from bess_opt.common.input_table import Number, Table, quantity, reject
from bess_opt.inputs.cycle_limits import CycleLimit
from bess_opt.models.cycles import add_stated_cycles, cycles_done, missing_cycle_cost
from bess_opt.models.ledger import money_terms
from bess_opt.plant.audit import TOLERANCE, Violation
from bess_opt.plant.flows import of_battery
from bess_opt.plant.ledger import ledger_of
from bess_opt.plant.plant import Plant, Storage
from bess_opt.plant.rule import Rule, State
from bess_opt.plant.warranty.cycle_caps import cycle_caps_of
from bess_opt.strategies.shared.contract import Objective, Stacked, Strategy
from bess_opt.strategies.shared.rule_parts import drawing, meeting_end

HOURS_PER_DAY = 24.0
WHERE, OWN_CAP = "strategy.cycles_per_day", "stated_cycles_at_most"


class CyclingOptions(Table):
    """Options of `cycling`."""

    cycles_per_day: Annotated[Number, quantity("full equivalent cycles on each local day", "1/day", gt=0)] = 1.0
    shortfall_price_per_cycle: Annotated[
        Number,
        quantity("price of a full equivalent cycle that is missing on its day", "currency per cycle", ge=0),
    ] = 1_000_000.0
    soc_low: Annotated[
        Number | None,
        quantity(
            "state of charge at which the rule starts to charge; default: the SOC window's lower end",
            "1",
            ge=0,
            le=1,
        ),
    ] = None
    soc_high: Annotated[
        Number | None,
        quantity(
            "state of charge at which the rule starts to discharge; default: the SOC window's upper end",
            "1",
            ge=0,
            le=1,
        ),
    ] = None

    @model_validator(mode="after")
    def _levels_differ(self) -> CyclingOptions:
        low, high = self.soc_low, self.soc_high
        if low is not None and high is not None and low >= high:
            reject([Finding("levels", "soc_low", f"{low:g} is not below soc_high = {high:g}", "give a lower one")])
        return self


def restrict(plant: Plant, options: CyclingOptions) -> Plant:
    """No day has more than the stated cycles, a cut one no more than its share, beside the battery's own caps."""
    _levels(plant, options)
    limit = (WHERE, CycleLimit(count=options.cycles_per_day, per="day"))
    stated = stated_cycles(plant, options)

    def capped(battery: Storage) -> dict[str, object]:
        (daily,) = cycle_caps_of([limit], plant.index, plant.step_h, battery.energy_mwh)
        return {"caps": (*battery.caps, replace(daily, name=OWN_CAP).tightened(stated * battery.energy_mwh))}

    return plant.with_batteries(capped)


def _levels(plant: Plant, options: CyclingOptions) -> tuple[float, float]:
    """(lower, upper) energy of the hysteresis, MWh."""
    storage, nameplate = plant.together, plant.energy_mwh
    bounds = float(storage.floor_mwh[0]) / nameplate, float(storage.ceiling_mwh[0]) / nameplate
    low = bounds[0] if options.soc_low is None else options.soc_low
    high = bounds[1] if options.soc_high is None else options.soc_high
    for name, level in (("soc_low", low), ("soc_high", high)):
        if not bounds[0] - 1e-9 <= level <= bounds[1] + 1e-9:
            raise StrategyError(
                f"strategy.{name}: found {level:g}; give a number in the SOC window, {bounds[0]:g} to {bounds[1]:g}"
            )
    if low >= high:
        raise StrategyError(f"strategy.soc_low: {low:g} is not below the upper level {high:g}; give a lower one")
    return low * nameplate, high * nameplate


def stated_cycles(plant: Plant, options: CyclingOptions) -> Array:
    """Cycles asked for per local day; a day that the horizon cuts counts by its hours / 24."""
    hours = np.bincount(plant.day) * plant.step_h
    end = plant.index[-1] + pd.Timedelta(hours=plant.step_h)
    share = np.ones(len(hours))
    for day, edge in ((0, plant.index[0]), (-1, end)):
        if edge != edge.normalize():
            share[day] = min(hours[day] / HOURS_PER_DAY, 1.0)
    stated: Array = options.cycles_per_day * share
    return stated


def build(m: Any, plant: Plant, options: CyclingOptions) -> Sequence[Objective]:
    """max Σ ledger − price·Σ missing cycles."""
    add_stated_cycles(m, plant, stated_cycles(plant, options), options.shortfall_price_per_cycle)
    return [[*money_terms(m), *penalty_terms(m, plant, options)]]


def rule(plant: Plant, options: CyclingOptions) -> Rule:
    """Discharge to the lower level, charge to the upper one, in turn; stop at the day's number."""
    storage, kept, drawn = plant.together, plant.together.retention, drawing(plant)
    each = [[cap.most_mwh for cap in own.caps if cap.daily and not cap.charged] for own in plant.batteries]
    asked = np.sum([np.min(most_mwh, axis=0) for most_mwh in each], axis=0)
    to_come: list[float] = np.cumsum(asked[::-1])[::-1].tolist()
    day, stated = plant.day.tolist(), asked.tolist()
    done, before, today = 0.0, storage.start_mwh, -1

    def may_leave() -> float:
        return to_come[today] - done

    wanted = meeting_end(plant, _hysteresis(plant, options, may_leave))

    def decide(state: State) -> float:
        nonlocal done, before, today
        left, before = kept * before - state.energy_mwh, state.energy_mwh
        if left > 0.0:
            done += left
        if day[state.step] != today:
            today, done = day[state.step], 0.0
        power = wanted(state)
        if power <= 0.0:
            return power
        may = drawn(stated[today] - done)
        return min(power, may) if may > 0.0 else 0.0

    return decide


def _hysteresis(plant: Plant, options: CyclingOptions, may_leave: Callable[[], float]) -> Rule:
    """Full power between the two levels; `may_leave` is the energy of all cycles to come in the horizon.

    It charges no more than that and what is to stay at the end.
    """
    storage, kept, drawn = plant.together, plant.together.retention, drawing(plant)
    low, high = _levels(plant, options)
    bottoms, stays = np.maximum(low, storage.floor_mwh[1:]).tolist(), max(low, storage.end_min_mwh)
    slack = 1e-9 * storage.energy_mwh
    discharging = storage.start_mwh > low + slack

    def decide(state: State) -> float:
        nonlocal discharging
        energy, bottom, top = state.energy_mwh, bottoms[state.step], may_leave() + stays
        if top > high:
            top = high
        now = kept * energy
        discharging = now > bottom + slack if discharging else energy >= top - slack
        wish = drawn(now - (bottom if discharging else top))
        return wish if (wish > 0.0) == discharging else 0.0

    return decide


def score(schedule: pd.DataFrame, plant: Plant, options: CyclingOptions) -> float:
    """Cost of the cycles over the horizon: price of the missing ones less everything in the ledger."""
    return penalty(schedule, plant, options) - sum(ledger_of(schedule, plant).values())


def penalty(schedule: pd.DataFrame, plant: Plant, options: CyclingOptions) -> float:
    """Price of the missing cycles over the horizon."""
    return options.shortfall_price_per_cycle * missing(schedule, plant, options)


def missing(schedule: pd.DataFrame, plant: Plant, options: CyclingOptions) -> float:
    """Cycles missing over the horizon; those of several batteries by their shares of the nameplate."""
    stated = stated_cycles(plant, options)
    short = [np.maximum(stated - done, 0.0).sum() for done in _done(schedule, plant)]
    return float(sum(m * own.energy_mwh for m, own in zip(short, plant.batteries, strict=True)) / plant.energy_mwh)


def _done(schedule: pd.DataFrame, plant: Plant) -> list[Array]:
    """Cycles of each battery on each day."""
    return [cycles_done(of_battery(schedule, own, "discharge_mw")[0], own, plant) for own in plant.batteries]


def penalty_terms(m: Any, _plant: Plant, _options: CyclingOptions) -> Objective:
    """−price·Σ missing cycles."""
    return [(1.0, missing_cycle_cost, m.steps)]


def figures(schedule: pd.DataFrame, plant: Plant, options: CyclingOptions) -> dict[str, float]:
    """Cycles asked for and missing over the horizon."""
    stated = float(stated_cycles(plant, options).sum())
    return {"stated_cycles": stated, "missing_cycles": missing(schedule, plant, options)}


def checks(schedule: pd.DataFrame, plant: Plant, options: CyclingOptions) -> list[Violation]:
    """No day has more than its stated cycles."""
    excess = np.max(_done(schedule, plant), axis=0) - stated_cycles(plant, options)
    worst = int(np.argmax(excess))
    if excess[worst] <= TOLERANCE:
        return []
    first = plant.index[int(np.argmax(plant.day == worst))]
    days = int((excess > TOLERANCE).sum())
    return [Violation("cycling stops at the stated number", first, float(excess[worst]), "cycles", days)]


STRATEGY = Strategy(
    name="cycling",
    summary="a stated number of full cycles per day at least cost",
    options=CyclingOptions,
    needs=(),
    score_unit="currency",
    score_sense="min",
    build=build,
    rule=rule,
    restrict=restrict,
    score=score,
    figures=figures,
    checks=checks,
    hard_limits=("cycles_per_day",),
    old_names=("cycling_demo",),
    stacked=Stacked(terms=penalty_terms, cost=penalty),
    exact_steps=72,
)
