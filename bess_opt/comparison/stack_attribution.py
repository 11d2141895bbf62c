"""What a battery earns line by line of the ledger, and what each strategy of a stack adds to it."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from bess_opt.common.errors import SolveError
from bess_opt.common.findings import Finding
from bess_opt.dispatch.optimize import optimize
from bess_opt.dispatch.result import Dispatch
from bess_opt.inputs.scenario import Scenario
from bess_opt.plant.from_scenario import plant_of
from bess_opt.plant.ledger import ledger_by_part

TOTAL, VALUE = "total", "value"


def value_by_line(plans: Mapping[str, Dispatch], none: str, best: str) -> pd.DataFrame:
    """Ledger lines by rung, money received positive, a market product's apart; their sum in the row "total".

    Column "value" is the rung `best` less the rung `none`: what the battery is worth against none, line by
    line; NaN where the site cannot do without it. Lines that are zero throughout are left out.
    """
    table = pd.DataFrame({rung: _by_part(plan) for rung, plan in plans.items()}).fillna(0.0)
    table = table[(table != 0.0).any(axis=1)]
    table.loc[TOTAL] = table.sum()
    table[VALUE] = table[best] - table[none] if none in table else float("nan")
    return table


def _by_part(plan: Dispatch) -> dict[str, float]:
    return ledger_by_part(plan.ledger, plan.whole_schedule, plant_of(plan.scenario))


def loss_by_removal(scenario: Scenario, whole: Dispatch) -> tuple[pd.DataFrame, list[Finding]]:
    """What the optimum loses when one strategy of a stack is removed and the rest solved again; empty for one alone.

    Rows are the strategies; `total` is the ledger's sum of the whole stack, `without` that of the rest, `loss`
    the difference; `net_revenue_loss` the same in cash. A strategy that costs money (a promise kept, a cap) has
    a loss below zero; two that see to the same lines of the ledger can each do without the other.
    """
    rows, notes = {}, []
    for entry in scenario.strategies if len(scenario.strategies) > 1 else ():
        rest = [other for other in scenario.strategies if other is not entry]
        try:
            plan = optimize(scenario.replace(strategy=rest))
        except SolveError as error:
            reason = str(error).splitlines()[0]
            notes.append(
                Finding("removal_left_out", entry.name, f"is left out: {reason}", "the rest has no plan", "warning")
            )
            continue
        total, without = sum(whole.ledger.values()), sum(plan.ledger.values())
        rows[entry.name] = {
            "total": total,
            "without": without,
            "loss": total - without,
            "net_revenue_loss": whole.metrics.net_revenue - plan.metrics.net_revenue,
        }
    columns = ["total", "without", "loss", "net_revenue_loss"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns), notes
