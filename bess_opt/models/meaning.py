"""What a variable or a constraint stands for, said once where it is declared.

The solver, explanations and messages read it from here, so that a component of a new strategy or clause is known to
all of them without a line elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Tie = Literal["", "throughput", "curtailment", "converter", "capacity"]


@dataclass(frozen=True)
class Meaning:
    """What a component stands for; a field that does not apply stays at its default.

    Of any component: `cause`, in words, is what a plan loses money by where it differs from the optimum there (by
    default the component's name); `cause_too_high` is the cause where a variable is higher than in the optimum.

    Of a variable: `limit` is the name of its upper bound, `derived_limit` of one that follows from the rest of the
    plant, `tie` the group in which the tie-break counts it.

    Of a constraint: `law` marks a balance that always holds and nobody states; `closed_by` are flows that may
    close it where the battery rests. `carries_energy` marks rows that tie stored energy to its neighbours in time
    and nothing else; `rests_at` is where such a row holds the energy when it binds, 0 at the start of its step, 1 at
    the end. `in_reach` marks rows that `bess_opt.plant.reach` knows, or that limit no power. `stated_at` is the key
    of the scenario that asks for it and `words` what it asks.
    """

    cause: str = ""
    cause_too_high: str = ""
    limit: str = ""
    derived_limit: str = ""
    tie: Tie = ""
    law: bool = False
    closed_by: tuple[str, ...] = ()
    carries_energy: bool = False
    rests_at: Literal[0, 1] | None = None
    in_reach: bool = False
    stated_at: str = "strategy"
    words: str = ""


NOTHING_SAID = Meaning()
