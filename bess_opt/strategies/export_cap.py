"""Export cap: store what a capped grid connection cannot take, and give it back when there is room.

The cap is a hard limit on the export of every step, for both twins.

Optimal twin: least curtailment, min Σ h·(curtailed_ac + curtailed_dc); among those plans the one of most
money, where the scenario has any. Score: curtailed MWh, less is better. In a stack the cap is all it brings.

Rule twin: charge what is above the cap; under it, discharge into the free room down to the target state of
charge, so that the battery is empty again when the sun comes back. In the last 24 hours it minds `soc_end`.

Use it where a connection agreement is smaller than the plant. When not to use: where lost energy has a price
that differs over the day: `arbitrage` under the same `site.export_limit_mw` then earns at least as much.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

import numpy as np
import pandas as pd

from bess_opt.common.arrays import Array
from bess_opt.common.errors import StrategyError
from bess_opt.common.input_table import Number, Table, quantity
from bess_opt.models.ledger import money_terms
from bess_opt.plant.audit import Violation, exceeds
from bess_opt.plant.plant import Plant
from bess_opt.plant.rule import Rule, State
from bess_opt.strategies.shared.contract import Objective, Strategy
from bess_opt.strategies.shared.rule_parts import balancing, drawing, meeting_end


class ExportCapOptions(Table):
    """Options of `export_cap`."""

    cap_mw: Annotated[
        Number | None, quantity("most power to the grid; default: site.export_limit_mw", "MW", ge=0)
    ] = None
    target_soc: Annotated[
        Number | None,
        quantity(
            "state of charge to which the rule discharges under the cap; default: the SOC window's lower end",
            "1",
            ge=0,
            le=1,
        ),
    ] = None


def restrict(plant: Plant, options: ExportCapOptions) -> Plant:
    """The export stays at or below the cap, and below the connection's own limit if that is tighter."""
    limit = plant.export_max_mw if options.cap_mw is None else np.minimum(options.cap_mw, plant.export_max_mw)
    if not np.isfinite(limit).all():
        raise StrategyError(
            "strategy.cap_mw: is missing, and not every step has an export limit; give one of the two"
        )
    _target(plant, options)
    return replace(plant, export_max_mw=limit)


def _target(plant: Plant, options: ExportCapOptions) -> Array:
    """Energy to which the rule discharges, per instant."""
    storage = plant.together
    if options.target_soc is None:
        return storage.floor_mwh
    low, high = (float(e) / storage.energy_mwh for e in (storage.floor_mwh[0], storage.ceiling_mwh[0]))
    if not low - 1e-9 <= options.target_soc <= high + 1e-9:
        raise StrategyError(
            f"strategy.target_soc: found {options.target_soc:g}; give a number in the SOC window, {low:g} to {high:g}"
        )
    target: Array = np.maximum(storage.floor_mwh, options.target_soc * storage.energy_mwh)
    return target


def build(m: Any, plant: Plant, _options: ExportCapOptions) -> Sequence[Objective]:
    """lexicographic max (−curtailed energy, Σ ledger)."""
    lost: Objective = [(1.0, energy_kept, m.steps)]
    if plant.bus is not None:
        lost.append((1.0, energy_kept_on_dc_bus, m.steps))
    return [lost, money_terms(m)]


def energy_kept(m: Any, t: Any) -> Any:
    """−h·curtailed_ac."""
    return -m.step_h * m.curtailed_ac_mw[t]


def energy_kept_on_dc_bus(m: Any, t: Any) -> Any:
    """−h·curtailed_dc."""
    return -m.step_h * m.curtailed_dc_mw[t]


def rule(plant: Plant, options: ExportCapOptions) -> Rule:
    """Above the cap: charge the excess. Under it: fill the free room from what is stored above the target."""
    needed, caps, kept = balancing(plant), plant.export_max_mw.tolist(), plant.together.retention
    target, drawn = _target(plant, options).tolist(), drawing(plant)

    def decide(state: State) -> float:
        t = state.step
        power = needed(t, caps[t])
        if power <= 0.0:
            return power
        return min(power, max(drawn(kept * state.energy_mwh - target[t + 1]), 0.0))

    return meeting_end(plant, decide)


def score(schedule: pd.DataFrame, plant: Plant, _options: ExportCapOptions) -> float:
    """PV energy thrown away over the horizon, MWh."""
    return float(schedule["curtailed_mw"].sum()) * plant.step_h


def checks(schedule: pd.DataFrame, plant: Plant, _options: ExportCapOptions) -> list[Violation]:
    """The export is at or below the cap."""
    excess = schedule["export_mw"].to_numpy() - plant.export_max_mw
    return exceeds("export_cap keeps the cap", excess, plant)


STRATEGY = Strategy(
    name="export_cap",
    summary="store what an export cap would throw away",
    options=ExportCapOptions,
    needs=("solar",),
    score_unit="MWh curtailed",
    score_sense="min",
    build=build,
    rule=rule,
    restrict=restrict,
    score=score,
    checks=checks,
    hard_limits=("cap_mw",),
    old_names=("cap_shaving", "cap_shaving_balanced", "soft_cap_shaving"),
)
