"""What a horizon that repeats may not do: sell each time the energy that its battery held at the start."""

from __future__ import annotations

from collections.abc import Sequence

from bess_opt.common.findings import Finding
from bess_opt.dispatch.result import Dispatch
from bess_opt.inputs.batteries import place_of
from bess_opt.inputs.battery import Battery, EndLimits

DRAINED = 1e-6  # of nameplate: stored energy that may be missing at the end as rounding
ONCE = "energy sold once is no yearly income"


def free_ends(batteries: Sequence[Battery], found: str, why: str) -> list[Finding]:
    """The error of each battery whose end has no floor: `found` says beside which it stands, `why` what is wrong."""
    errors = []
    for battery in batteries:
        end = battery.soc_end
        open_below = isinstance(end, EndLimits) and end.at_least is None
        if end == "free" or open_below:
            said = "has no at_least" if open_below else 'is "free"'
            expected = f'state "at_least_start", "equal" or a number: {why}'
            where = f"{place_of(battery, batteries)}.soc_end"
            errors.append(Finding("free_end", where, f"{said}, {found}", expected))
    return errors


def stored_energy_sold(plan: Dispatch) -> list[Finding]:
    """A warning where a plan ends with less stored energy than it began, in MWh over all batteries."""
    sold = -plan.metrics.stored_change_mwh
    batteries = plan.scenario.batteries
    if sold <= DRAINED * sum(battery.energy_mwh for battery in batteries):
        return []
    found = f"each horizon ends with {sold:.4g} MWh less than it began; their sale is counted every time"
    return [
        Finding(
            "stored_energy_sold", "battery.soc_end", found, 'state soc_end = "at_least_start" or "equal"', "warning"
        )
    ]
