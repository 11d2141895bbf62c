"""The step simulator's verbs: run a plan through it and come back with the same kind of result."""

from __future__ import annotations

from bess_opt.assemble import bind
from bess_opt.dispatch import Dispatch
from bess_opt.outcome import outcome
from bess_opt.plant import plant
from bess_opt.stepper import Setpoints, follow
from bess_opt.stopwatch import Stopwatch


def replay(plan: Dispatch) -> Dispatch:
    """`plan` run through the step simulator: its battery powers, curtailment and shedding as set points.

    The result is audited like any plan. Raises `InfeasibleError` where the simulator cannot follow.
    """
    numbers = plant(plan.scenario)
    bound = bind(plan.scenario, numbers)
    column = {name: plan.schedule[name].to_numpy() for name in plan.schedule if name.endswith("_mw")}
    asked = Setpoints(
        battery_mw=column["battery_mw"],
        curtailed_ac_mw=column["curtailed_mw"] - column["curtailed_dc_mw"],
        curtailed_dc_mw=column["curtailed_dc_mw"],
        unserved_mw=column["unserved_mw"],
    )
    return outcome(
        plan.scenario, numbers, bound, "replay", follow(numbers, asked), plan.findings, Stopwatch()
    )
