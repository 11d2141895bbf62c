"""The site of a scenario without its battery: what money, comparison and sizing measure a battery against."""

from __future__ import annotations

from bess_opt.common.provenance import Stopwatch
from bess_opt.dispatch.checks.validate import findings_of
from bess_opt.dispatch.result import Dispatch, result_of
from bess_opt.inputs.scenario import Scenario
from bess_opt.plant.from_scenario import plant_beside
from bess_opt.plant.stepper import rest
from bess_opt.plant.without_battery import bare_scenario, idle_plant
from bess_opt.strategies.shared.activation import prepare


def dispatch_without_battery(scenario: Scenario) -> Dispatch:
    """What `scenario`'s site does without a battery: no power, no auxiliary load, no reserve to keep.

    Nothing is decided: PV is curtailed where a limit asks for it, never for a price; load beyond the import limit
    goes unserved where that has a price. The stored energy of the schedule stays at its start and says nothing.
    `InfeasibleError` with the time where a limit cannot be held.
    """
    watch = Stopwatch()
    with watch.stage("prepare"):
        bare = bare_scenario(scenario)
        if bare.series.columns.equals(scenario.series.columns):
            plant_beside(bare, scenario)
        prepared = prepare(bare)
        plant, active = idle_plant(prepared.plant), prepared.strategy
    with watch.stage("simulate"):
        made = rest(plant)
    return result_of(bare, plant, active, "rule", made, findings_of(bare, plant, active), watch)
