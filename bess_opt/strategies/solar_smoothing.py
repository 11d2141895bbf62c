"""Solar smoothing: keep the grid power of a solar plant from moving faster than a ramp limit allows.

The limit is `ramp_limit_per_min` · solar capacity · `ramp_window_min`: so far may the grid power (export −
import) of a step be from that of each step within the window before it, up or down. Consecutive steps and
steps a whole window apart are among them. Steps before the horizon count with `export_before_mw`.

Optimal twin: min Σ h·(violation price · excess + curtailment value · curtailed), excess being the MW beyond
the limit; among those plans the one of most energy to the grid, then of most money. Battery and curtailment both
serve: a ramp up can be curtailed, a ramp down needs stored energy or curtailment ahead. Score: that sum.
Beside it, as SAM and EPRI report them: the share of ramp windows in violation, and of PV energy to the grid.

Rule twin: a ramp limiter. It knows the last grid powers, moves the present one into the band around them, and
inside the band brings the state of charge back to the middle within an hour, charging from PV only. It does
not curtail of its own accord. In the last 24 hours it minds `soc_end`.

In a stack that sum is a penalty beside the money.

Use it where a grid code or contract limits ramps. When not to use: with steps longer than the ramps that the
code means; hourly means hide nearly all of them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
import pandas as pd

from bess_opt.common.arrays import Array
from bess_opt.common.errors import StrategyError
from bess_opt.common.findings import Finding
from bess_opt.common.input_table import Number, Table, quantity
from bess_opt.models.components import Constant
from bess_opt.models.ledger import money_terms
from bess_opt.models.ramp import RampLimit, add_ramp
from bess_opt.models.units import PER_MWH
from bess_opt.plant.audit import TOLERANCE, Violation, exceeds
from bess_opt.plant.plant import Plant
from bess_opt.plant.rule import Rule, State
from bess_opt.strategies.shared.contract import Objective, Stacked, Strategy
from bess_opt.strategies.shared.rule_parts import balancing, drawing, meeting_end

RECENTRE_H = 1.0  # hours in which the rule would bring the state of charge back to the middle


class SolarSmoothingOptions(Table):
    """Options of `solar_smoothing`."""

    ramp_limit_per_min: Annotated[
        Number, quantity("most change of grid power, share of the solar capacity per minute", "1/min", gt=0)
    ] = 0.1
    ramp_window_min: Annotated[
        Number | None,
        quantity("time over which a ramp is measured, a whole number of steps; default: one", "min", gt=0),
    ] = None
    export_before_mw: Annotated[Number, quantity("grid power before the first step, + exports", "MW")] = 0.0
    violation_price_per_mwh: Annotated[
        Number, quantity("penalty on power beyond the limit, times its hours", "currency/MWh", gt=0)
    ] = 1000.0
    curtailment_value_per_mwh: Annotated[Number, quantity("worth of PV energy thrown away", "currency/MWh", ge=0)] = (
        50.0
    )


def restrict(plant: Plant, options: SolarSmoothingOptions) -> Plant:
    """The plant as it is, if the series can show such ramps. Raises `StrategyError` if it cannot."""
    ramp_limit(plant, options)
    return plant


def ramp_limit(plant: Plant, options: SolarSmoothingOptions) -> RampLimit:
    """The limit in MW and steps."""
    step_min = plant.step_h * 60.0
    window_min = options.ramp_window_min if options.ramp_window_min is not None else step_min
    window = round(window_min / step_min)
    if window < 1 or abs(window * step_min - window_min) > 1e-6 * step_min:
        hides = "longer than the ramp window" if window_min < step_min else "no whole part of it"
        raise StrategyError(
            f"strategy.ramp_window_min: found {window_min:g}, but steps are {step_min:g} min, {hides}; "
            "give a whole number of steps, or a series with shorter steps"
        )
    limit = options.ramp_limit_per_min * _capacity_mw(plant) * window_min
    return RampLimit(limit, window, options.export_before_mw)


def _capacity_mw(plant: Plant) -> float:
    """Stated solar capacity, else the highest PV power of the series."""
    return plant.solar_capacity_mw or float(plant.solar_mw.max())


def notes(plant: Plant, _options: SolarSmoothingOptions) -> list[Finding]:
    """The capacity that is assumed where none is stated."""
    if plant.solar_capacity_mw is not None:
        return []
    found = f"is missing; {_capacity_mw(plant):.4g} MW, the highest solar power of the series, stands for it"
    expected = "state the capacity, for the limit would change with the series"
    return [Finding("capacity_assumed", "site.solar_capacity_mw", found, expected, "warning")]


def build(m: Any, plant: Plant, options: SolarSmoothingOptions) -> Sequence[Objective]:
    """lexicographic max (−Σ h·(v·excess + c·curtailed), Σ h·(export − import), Σ ledger)."""
    add_ramp(m, ramp_limit(plant, options), plant.steps)
    m.violation_price = Constant(options.violation_price_per_mwh, PER_MWH)
    m.curtailment_value = Constant(options.curtailment_value_per_mwh, PER_MWH)
    return [cost_terms(m, plant, options), [(1.0, energy_to_grid, m.steps)], money_terms(m)]


def cost_terms(m: Any, plant: Plant, _options: SolarSmoothingOptions) -> Objective:
    """−Σ h·(v·excess + c·curtailed)."""
    cost: Objective = [(1.0, violation_cost, m.steps), (1.0, curtailment_cost, m.steps)]
    if plant.bus is not None:
        cost.append((1.0, curtailment_cost_on_dc_bus, m.steps))
    return cost


def energy_to_grid(m: Any, t: Any) -> Any:
    """h·(export − import)."""
    return m.step_h * (m.export_mw[t] - m.import_mw[t])


def violation_cost(m: Any, t: Any) -> Any:
    """−price·h·excess."""
    return -m.violation_price * m.step_h * m.ramp_excess_mw[t]


def curtailment_cost(m: Any, t: Any) -> Any:
    """−value·h·curtailed_ac."""
    return -m.curtailment_value * m.step_h * m.curtailed_ac_mw[t]


def curtailment_cost_on_dc_bus(m: Any, t: Any) -> Any:
    """−value·h·curtailed_dc."""
    return -m.curtailment_value * m.step_h * m.curtailed_dc_mw[t]


def rule(plant: Plant, options: SolarSmoothingOptions) -> Rule:
    """Move into the band around the last grid powers as little as needed; inside it, recentre the SOC."""
    ramp, needed = ramp_limit(plant, options), balancing(plant)
    middle = ((plant.together.floor_mwh + plant.together.ceiling_mwh) / 2.0).tolist()
    pace, drawn = min(plant.step_h / RECENTRE_H, 1.0), drawing(plant)
    past, limit, solar = (
        deque([ramp.before_mw] * ramp.window, maxlen=ramp.window),
        ramp.limit_mw,
        plant.solar_mw.tolist(),
    )
    of_one_step = ramp.window == 1

    def decide(state: State) -> float:
        t = state.step
        if t:
            past.append(state.last_grid_mw)
        if of_one_step:
            lowest, highest = past[0] - limit, past[0] + limit
        else:
            lowest, highest = max(past) - limit, min(past) + limit
            if lowest > highest:
                lowest = highest = (lowest + highest) / 2.0
        power, most_charge = drawn(pace * (state.energy_mwh - middle[t + 1])), -solar[t]
        power, least = power if power >= most_charge else most_charge, needed(t, lowest)
        if power < least:
            return least
        most = needed(t, highest)
        return power if power <= most else most

    return meeting_end(plant, decide)


def score(schedule: pd.DataFrame, plant: Plant, options: SolarSmoothingOptions) -> float:
    """Penalty on what is beyond the limit plus worth of what is curtailed, over the horizon."""
    excess = _excess(schedule, plant, options)
    beyond = options.violation_price_per_mwh * float(excess.sum())
    return (beyond + options.curtailment_value_per_mwh * float(schedule["curtailed_mw"].sum())) * plant.step_h


def _excess(schedule: pd.DataFrame, plant: Plant, options: SolarSmoothingOptions) -> Array:
    return ramp_limit(plant, options).excess_mw(schedule["grid_mw"].to_numpy())


def figures(schedule: pd.DataFrame, plant: Plant, options: SolarSmoothingOptions) -> dict[str, float]:
    """Share of steps whose window is in violation, net export over PV energy, and energy beyond the limit."""
    excess = _excess(schedule, plant, options)
    return {
        "ramp_violations": float((excess > TOLERANCE * plant.scale_mw + plant.rounding_mw).mean()),
        "energy_to_grid": float(schedule["grid_mw"].sum() / schedule["solar_mw"].sum()),
        "beyond_limit_mwh": float(excess.sum()) * plant.step_h,
    }


def checks(schedule: pd.DataFrame, plant: Plant, options: SolarSmoothingOptions) -> list[Violation]:
    """What is scored is what import and export say, read again without the score's own code."""
    ramp = ramp_limit(plant, options)
    grid = [ramp.before_mw] * ramp.window + (schedule["export_mw"] - schedule["import_mw"]).tolist()
    limit = options.ramp_limit_per_min * _capacity_mw(plant) * (options.ramp_window_min or plant.step_h * 60.0)
    powers = pd.Series(grid)
    within = powers.rolling(ramp.window + 1)
    fell, rose = (within.max() - powers).to_numpy(), (powers - within.min()).to_numpy()
    again = np.maximum(np.maximum(fell, rose)[ramp.window :] - limit, 0.0)
    difference = np.abs(again - _excess(schedule, plant, options))
    # A ramp is as inexact as the largest of the powers between which it is measured.
    scale = plant.scale_mw + float(plant.rounding_mw.max()) / TOLERANCE
    return exceeds("solar_smoothing scores every ramp beyond the limit", difference, plant, scale)


STRATEGY = Strategy(
    name="solar_smoothing",
    summary="keep the grid power of a solar plant within a ramp limit",
    options=SolarSmoothingOptions,
    needs=("solar",),
    score_unit="currency",
    score_sense="min",
    build=build,
    rule=rule,
    restrict=restrict,
    score=score,
    checks=checks,
    figures=figures,
    notes=notes,
    old_names=("ramp_limit",),
    stacked=Stacked(terms=cost_terms, cost=score),
)
