"""The step simulator's verbs: run a plan through it and come back with the same kind of result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.common.errors import InfeasibleError, StrategyError
from bess_opt.common.provenance import Stopwatch
from bess_opt.common.wording import show
from bess_opt.dispatch.checks.validate import findings_of
from bess_opt.dispatch.optimum.bring_back import prepare
from bess_opt.dispatch.result import Dispatch, result_of
from bess_opt.dispatch.without_battery import dispatch_without_battery
from bess_opt.inputs.scenario import Scenario
from bess_opt.plant import audit
from bess_opt.plant.flows import of_battery
from bess_opt.plant.plant import Plant
from bess_opt.plant.products.activation import bids_of
from bess_opt.plant.room import Setpoints
from bess_opt.plant.rule import AnyRule, Held
from bess_opt.plant.stepper import follow, run_rule
from bess_opt.strategies.shared.hold_products import holding_products


def simulate(scenario: Scenario, rule: AnyRule | Literal[0] | None = None) -> Dispatch:
    """The rule twin of `scenario`'s strategy, or a user's own `rule`, run through the step simulator.

    `rule(state)` is asked once per step for the battery power at the port, MW, + discharges; see
    `bess_opt.plant.rule.State` for what it may know. Limits change what it asks for as little as
    possible; column `limited_by` says which. With several batteries they share its power by room, or it returns a
    mapping with the power of each by name. Bids of market products that state `bid_mw` are held beside it in every
    block in which they fit, its power being the base point. A missed `soc_end` is no error:
    `metrics.end_shortfall_mwh`.
    `rule=0` is the site without its battery: no limit makes it work, and it has no auxiliary load.
    Raises `StrategyError`, also for a rule that cannot be called, and `InfeasibleError` with the time where no
    battery power meets the limits.
    """
    if rule is not None and not callable(rule):
        if rule != 0 or isinstance(rule, bool):
            expected = "give a function of the state that returns MW, or 0 for the site without its battery"
            raise StrategyError(f"rule: is {show(rule)}; {expected}")
        return dispatch_without_battery(scenario)
    watch = Stopwatch()
    with watch.stage("prepare"):
        plant, active = prepare(scenario)
    with watch.stage("simulate"):
        made = run_rule(plant, holding_products(plant, active.rule(plant) if rule is None else rule))
    result = result_of(scenario, plant, active, "rule", made, findings_of(scenario, plant, active), watch)
    missed = active.missed(result.whole_schedule, plant)
    if missed:
        raise InfeasibleError(missed)
    return result


def _held(plan: Dispatch, plant: Plant, capacity: Mapping[str, Array]) -> Held:
    """The capacity that a plan holds, and what flows both ways within its steps."""
    schedule = plan.whole_schedule
    held = Held.of(capacity, *of_battery(schedule, plant.batteries[0], "charge_mw", "discharge_mw"))
    if not plant.activated:
        return Held(held.capacity_mw, [0.0] * plant.steps)
    flows = {b.name: of_battery(schedule, b, "charge_mw", "discharge_mw") for b in plant.batteries}
    return replace(held, swing_of={name: np.minimum(*both).tolist() for name, both in flows.items()})


def replay(plan: Dispatch) -> Dispatch:
    """`plan` run through the step simulator: its battery powers, curtailment and shedding as set points.

    The result is audited like any plan. Raises `InfeasibleError` where the simulator cannot follow.
    """
    plant, active = prepare(plan.scenario)
    column = {name: plan.schedule[name].to_numpy() for name in plan.schedule.columns if name.endswith("_mw")}
    capacity = bids_of(plan.whole_schedule, plant)
    own = [unit["battery_mw"].to_numpy() for unit in plan.units.values()]
    asked = Setpoints(
        battery_mw=own[0] if len(own) == 1 else np.array(own),
        curtailed_ac_mw=column["curtailed_mw"] - column["curtailed_dc_mw"],
        curtailed_dc_mw=column["curtailed_dc_mw"],
        unserved_mw=column["unserved_mw"],
        held=_held(plan, plant, capacity),
    )
    followed = follow(plant, asked)
    made = result_of(plan.scenario, plant, active, "replay", followed, plan.findings, Stopwatch())
    if plan.twin == "optimal":  # who knew the future keeps its end, so its replay does too
        audit.require(made.whole_schedule, plant)
    return made
