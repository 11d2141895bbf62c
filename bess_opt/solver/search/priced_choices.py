"""The best plan of a program with many choices in which calls of market products run one way, by its plans' prices.

Least bids and one-way calls ask for the same energy: bids chosen without the ways are mostly not the best with
them, and the relaxation bounds neither closely. So both are searched at once, from the relaxed plan rounded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.common.progress import UNTOLD, Stretch
from bess_opt.models.one_way import pairs_of
from bess_opt.plant.plant import Plant
from bess_opt.solver.highs import Solver
from bess_opt.solver.one_way import Exact, one_way_program, steps_not_one_way
from bess_opt.solver.program import Program
from bess_opt.solver.search.choice_search import FEW_CHOICES
from bess_opt.solver.search.rounding import rounded
from bess_opt.solver.search.segment_plans import SegmentPlans
from bess_opt.solver.search.tiled_rounds import TiledRounds
from bess_opt.solver.solution import InfeasibleProgramError, LimitReachedError, Solution


def are_many(program: Program, plant: Plant) -> bool:
    """Whether the choices of `program` are searched here: many, beside calls that must run one way."""
    return int(program.integer.sum()) > FEW_CHOICES and any(pair.of_call for pair in pairs_of(plant))


def priced_choices(
    solver: Solver,
    relaxed: Solution,
    program: Program,
    m: Any,
    plant: Plant,
    ties: Sequence[Array],
    time_limit_s: float | None,
    told: Stretch,
) -> Exact | None:
    """The best plan found of `program`, an expansion of `m`, with its bound; `limited` where time ended the search.

    `solver` holds the program without its integers and has solved it: `relaxed`. None where nothing near the relaxed
    plan keeps both choices and ways.
    """
    pairs = pairs_of(plant)
    asked = tuple(p for p in pairs if p.of_call or len(steps_not_one_way(program, relaxed.x, (p,), plant.scale_mw)))
    full = one_way_program(m, plant, program, asked)
    found = PricedChoices(solver, full, asked, ties, plant.scale_mw, time_limit_s, told).run(relaxed, program)
    if found is None or len(steps_not_one_way(program, found.x, pairs, plant.scale_mw)):
        return None
    return found


class PricedChoices(SegmentPlans):
    """The search in one program; `full` is it with binaries for each way, `solver` holds it without whole numbers."""

    def run(self, relaxed: Solution, program: Program) -> Exact | None:
        """The best plan, from the relaxation's solution; None if none is found. `program` has the whole numbers."""
        self.begin(relaxed, relaxed.x)
        limited, rounds = False, None
        try:
            rounds = TiledRounds(self, relaxed.x, relaxed.objective, rounded(program, relaxed.x, self._linear))
            rounds.run()
        except InfeasibleProgramError:
            return None
        except LimitReachedError:
            limited = True
        best = None if rounds is None else rounds.found
        if best is None or rounds is None:
            return None
        self.deadline, self.told = None, UNTOLD
        whole = np.round(best.x[self.choices])
        tied = self.with_closed(best.closed, rounds.bound, best.segments, whole=whole)
        x = best.x if len(self.not_one_way(tied.x)) else tied.x
        return replace(tied, x=x, limited=limited)

    def _linear(self, program: Program) -> Solution:
        return Solver(program.relaxed(), self.solver.options, scale_mw=self.scale_mw).solve(
            time_limit_s=self._left_s()
        )
