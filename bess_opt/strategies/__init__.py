"""What is wanted: one file (or folder) each; all that the author of a strategy needs is imported from here.

`shared/` holds what strategies have in common: the contract that each fulfils, and how they are found and stacked.
"""

from __future__ import annotations

from bess_opt.common.errors import StrategyError
from bess_opt.common.findings import Finding
from bess_opt.common.input_table import Count, Flag, Number, Table, Text, quantity
from bess_opt.models.components import ArrayConstraint, ArrayParam, ArrayVar
from bess_opt.models.ledger import money_terms
from bess_opt.plant.audit import Violation
from bess_opt.plant.ledger import net_revenue
from bess_opt.plant.plant import Plant
from bess_opt.plant.rule import Rule, State
from bess_opt.strategies.shared.contract import NoOptions, Objective, Strategy, no_checks

__all__ = [
    "ArrayConstraint",
    "ArrayParam",
    "ArrayVar",
    "Count",
    "Finding",
    "Flag",
    "NoOptions",
    "Number",
    "Objective",
    "Plant",
    "Rule",
    "State",
    "Strategy",
    "StrategyError",
    "Table",
    "Text",
    "Violation",
    "money_terms",
    "net_revenue",
    "no_checks",
    "quantity",
]
