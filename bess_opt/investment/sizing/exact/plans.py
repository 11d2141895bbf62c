"""The exact plans of sizes, each made once: where a proof's values come from."""

from __future__ import annotations

import math
import time
from dataclasses import replace

from bess_opt.common.errors import InfeasibleError
from bess_opt.dispatch.result import Dispatch
from bess_opt.inputs.scenario import Scenario
from bess_opt.investment.sizing.grid import planned
from bess_opt.investment.sizing.objectives import Goal
from bess_opt.investment.sizing.sized_program import Size, resized
from bess_opt.solver.solution import LimitReachedError

FINEST_GAP = 1e-9  # of an objective: what double precision still tells apart
SHORTEST_S = 1e-3  # asked of the solver where hardly any time is left


class ExactPlans:
    """Plans of a scenario at the sizes asked for, (MW, MWh), exact in the one-way rule and in whole bids.

    Where bids are `whole`, `solver.time_limit_s` is that of all plans together, counted from the first on; `late` is
    what the solver said when it had passed, `cut_short` whether more plans were wanted then.
    """

    def __init__(self, scenario: Scenario, goal: Goal, *, whole: bool) -> None:
        self._scenario, self._goal = scenario, goal
        self.whole, self._deadline = whole, math.inf
        self.late: LimitReachedError | None = None
        self.cut_short = False
        self._none: set[Size] = set()
        self.made: dict[Size, Dispatch] = {}
        self.seconds = 0.0

    @property
    def out_of_time(self) -> bool:
        """Whether the time limit of all of them has passed."""
        return self.late is not None or time.perf_counter() >= self._deadline

    def is_open(self, size: Size) -> bool:
        """Whether nothing is known of the plan of a size."""
        return size not in self.made and size not in self._none

    def at(self, size: Size, gap: float) -> Dispatch | None:
        """The plan of a size, within a share `gap` of its objective; None where it has none, or no time is left."""
        if self.is_open(size) and not self.out_of_time:
            began = time.perf_counter()
            limit = self._scenario.solver.time_limit_s
            if self.whole and limit is not None:
                self._deadline = min(self._deadline, began + limit)
            try:
                scenario = resized(self._scenario, *size)
                made = planned(scenario.replace(solver=self._options(gap)), "optimal")
                self.made[size] = replace(made, scenario=scenario)
            except InfeasibleError:
                self._none.add(size)
            except LimitReachedError as error:
                if not self.whole:
                    raise
                self.late = error
            self.seconds += time.perf_counter() - began
        return self.made.get(size)

    def _options(self, gap: float) -> dict[str, float]:
        """What the solver is asked; whole bids are asked for no more closely than the sizes are told apart."""
        stated = self._scenario.solver.rel_gap
        asked = max(stated, gap) if self.whole else min(stated, max(gap, FINEST_GAP))
        if math.isinf(self._deadline):
            return {"rel_gap": asked}
        return {"rel_gap": asked, "time_limit_s": max(self._deadline - time.perf_counter(), SHORTEST_S)}

    @property
    def best(self) -> Dispatch:
        """The one of the best value."""
        sign, value = self._goal.sign, self._goal.value
        return max(self.made.values(), key=lambda plan: sign * or_worst(value(plan), sign))


def or_worst(value: float, sign: float) -> float:
    """A value, or the worst of all where there is none."""
    return -math.inf * sign if math.isnan(value) else value
