"""Self-consumption: use PV power on the site before the grid sees it.

Optimal twin: least bill of PV and load under the tariff: maximise the whole ledger, Σ h·(p_export·export −
p_import·import) less demand charges, variable operating cost, wear and unserved load, plus the stated value
of stored energy. Score: the bill, −net revenue; less is better.

Rule twin: surplus in, deficit out, whatever the price. In the last 24 hours it minds `soc_end`.

Use it for a site with PV and load whose export pays less than its import costs. When not to use: where a
demand charge makes up much of the bill (`peak_shaving`), or where export pays like import and prices move
(`arbitrage` says what the battery earns then).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

import pandas as pd
from pydantic import Field

from bess_opt.common.input_table import Flag, Table
from bess_opt.models.ledger import money_terms
from bess_opt.plant.audit import Violation, exceeds
from bess_opt.plant.ledger import net_revenue
from bess_opt.plant.plant import Plant
from bess_opt.plant.rule import Rule, State
from bess_opt.strategies.shared.contract import Objective, Strategy
from bess_opt.strategies.shared.rule_parts import balancing, meeting_end


class SelfConsumptionOptions(Table):
    """Options of `self_consumption`."""

    grid_charging: Annotated[
        Flag, Field(description="true or false: may the grid charge the battery, where the site allows it")
    ] = True


def restrict(plant: Plant, options: SelfConsumptionOptions) -> Plant:
    """No charging from the grid, if so stated here or at the site."""
    return replace(plant, grid_charging=plant.grid_charging and options.grid_charging)


def build(m: Any, _plant: Plant, _options: SelfConsumptionOptions) -> Sequence[Objective]:
    """max Σ ledger."""
    return [money_terms(m)]


def rule(plant: Plant, _options: SelfConsumptionOptions) -> Rule:
    """Charge the surplus, cover the deficit: the power that brings the exchange with the grid to zero."""
    needed = balancing(plant)

    def decide(state: State) -> float:
        return needed(state.step, 0.0)

    return meeting_end(plant, decide)


def score(schedule: pd.DataFrame, plant: Plant, _options: SelfConsumptionOptions) -> float:
    """Bill of the horizon: what is paid for import and demand less what export brings."""
    return -net_revenue(schedule, plant)


def checks(schedule: pd.DataFrame, plant: Plant, options: SelfConsumptionOptions) -> list[Violation]:
    """The grid charged nothing, if so stated."""
    if options.grid_charging:
        return []
    excess = schedule["import_mw"] + schedule["unserved_mw"] - schedule["load_mw"]
    law = "self_consumption charges from PV only"
    return exceeds(law, excess.to_numpy(), plant)


STRATEGY = Strategy(
    name="self_consumption",
    summary="use PV power on the site: least bill of PV and load under a tariff",
    options=SelfConsumptionOptions,
    needs=("load", "prices"),
    score_unit="currency",
    score_sense="min",
    build=build,
    rule=rule,
    restrict=restrict,
    score=score,
    checks=checks,
)
