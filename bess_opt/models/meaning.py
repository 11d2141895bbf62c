"""What a variable or a constraint stands for, said once where it is declared.

The solver, explanations and messages read it from here, so that a component of a new strategy or clause is known to
all of them without a line elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from bess_opt.common.arrays import Array

Kind = Literal["", "flow", "segment", "gauge", "choice", "law", "limit", "cut"]
Tie = Literal["", "throughput", "curtailment", "converter", "capacity"]


@dataclass(frozen=True, eq=False)
class Limit:
    """What bounds a variable from above.

    `name` is that of the bound in tables, `derived` where the bound follows from the rest of the plant, tighter than
    what is stated. `stated_at` is the key of the scenario that states it, `series` the column that may state it step
    by step, `words` what messages call it, with a place for the number of MW, and `rank` its place in their order.
    `most` is what is stated, MW for each step, inf where nothing is; -inf where no key states it. `meter`: it is a
    limit of the connection, which clauses and outages lower. `something` marks the steps with anything to limit.
    """

    name: str
    derived: str = ""
    stated_at: str = ""
    series: str = ""
    words: str = ""
    rank: int = 0
    most: Array | float = -np.inf
    meter: bool = False
    something: Array | bool = True


@dataclass(frozen=True)
class Meaning:
    """What a component stands for; a field that does not apply stays at its default.

    Of any component: `cause`, in words, is what a plan loses money by where it differs from the optimum there (by
    default the component's name); `cause_too_high` is the cause where a variable is higher than in the optimum.
    `flow` is the flow that a variable is, by its name in `bess_opt.plant.flows` without its battery's, or that a
    constraint is about.

    `kind` of a variable: a "flow" is what a plan decides (stored energy and bids too), a "segment" the part of stored
    energy at one price of wear, a "choice" a whole number, a "gauge" what constraints make of all these. Of a
    constraint: a "law" is a balance that always holds and nobody states, a "limit" what somebody asks, a "gauge" ties
    a gauge to flows, a "cut" leaves out no plan that keeps the one-way rule.

    Of a variable: `limit` is what bounds it from above, `way` where power runs in it as seen from the grid, `tie` the
    group in which the tie-break counts it.

    Of a constraint: `closed_by` are flows that may close a law where the battery rests. `carries_energy` marks rows
    that tie stored energy to its neighbours in time and nothing else; `rests_at` is where such a row holds the energy
    when it binds, 0 at the start of its step, 1 at the end. `in_reach` marks rows that `bess_opt.plant.reach` knows,
    or that limit no power. `stated_at` is the key of the scenario that asks for it and `words` what it asks.
    `of_wear` marks segments and the rows that hold them.
    """

    cause: str = ""
    cause_too_high: str = ""
    kind: Kind = ""
    flow: str = ""
    limit: Limit | None = None
    way: Literal["", "in", "out"] = ""
    tie: Tie = ""
    closed_by: tuple[str, ...] = ()
    carries_energy: bool = False
    rests_at: Literal[0, 1] | None = None
    in_reach: bool = False
    stated_at: str = "strategy"
    words: str = ""
    of_wear: bool = False


NOTHING_SAID = Meaning()
