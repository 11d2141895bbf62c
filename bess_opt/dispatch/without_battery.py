"""The site of a scenario without its battery: what money, comparison and sizing measure a battery against."""

from __future__ import annotations

import numpy as np

from bess_opt.common.provenance import Stopwatch
from bess_opt.dispatch.checks.validate import findings
from bess_opt.dispatch.result import Dispatch, outcome
from bess_opt.inputs.scenario import Scenario
from bess_opt.plant.from_scenario import plant
from bess_opt.plant.plant import Plant
from bess_opt.plant.stepper import run_rule
from bess_opt.strategies.shared.binding import bind

RESERVE = "energy_min_mwh"


def dispatch_without_battery(scenario: Scenario) -> Dispatch:
    """What `scenario`'s site does without a battery: no power, no auxiliary load, no reserve to keep.

    Nothing is decided: PV is curtailed where a limit asks for it, never for a price; load beyond the import limit
    goes unserved where that has a price. The stored energy of the schedule stays at its start and says nothing.
    `InfeasibleError` with the time where a limit cannot be held.
    """
    watch = Stopwatch()
    with watch.stage("prepare"):
        bare = _bare(scenario)
        stated = plant(bare)
        wanted = bind(bare, stated)
        numbers = _idle(wanted.restrict(stated))
    with watch.stage("simulate"):
        made = run_rule(numbers, lambda _state: 0.0)
    return outcome(bare, numbers, wanted, "rule", made, findings(bare, numbers, wanted), watch)


def _bare(scenario: Scenario) -> Scenario:
    """The scenario with a battery that asks for nothing: its plan is this one's whole truth, also once saved."""
    battery = {"auxiliary_mw": 0.0, "self_discharge_per_h": 0.0, "soc_end": "free"}
    if RESERVE not in scenario.series:
        return scenario.replace(battery=battery)
    series = scenario.series.drop(columns=RESERVE)
    return scenario.replace(battery=battery, series=series, series_options={"step_min": scenario.step_h * 60.0})


def _idle(numbers: Plant) -> Plant:
    """The plant with a battery that can neither take nor give anything, and must not."""
    return numbers.with_storage(
        charge_max_mw=0.0,
        discharge_max_mw=0.0,
        floor_mwh=np.minimum(numbers.storage.floor_mwh, numbers.storage.start_mwh),
        ceiling_mwh=np.maximum(numbers.storage.ceiling_mwh, numbers.storage.start_mwh),
    )
