"""The best plan of a program with many yes-or-no choices over time: proven and found in segments of the horizon.

Only stored energy ties one part of the horizon to the next. At the relaxation's own price for it, each segment's
best plan is a bound, and all of them together bound every plan. Their choices, held, make the first plan; it is
then made better segment by segment, what crosses the ends as it is, in segments that lie across the last ones' ends.
Where plan and bound are not close enough the segments double, at last to the whole horizon.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.common.progress import UNTOLD, Stretch
from bess_opt.inputs.solver_options import SolverOptions
from bess_opt.solver.highs import Solver
from bess_opt.solver.program import Program
from bess_opt.solver.search.rounding import rounded
from bess_opt.solver.search.segments import Cutter, Segment, held_instants
from bess_opt.solver.search.side_by_side import side_by_side
from bess_opt.solver.solution import InfeasibleProgramError, LimitReachedError, Solution

FIRST_CHOICES = 24  # choices of a segment in the first round
FEW_CHOICES = 60  # a program with no more is solved whole at once
BETTER = 0.02  # share of the distance to the bound that improvements close at least, to be repeated
ROUGH = 1e-4  # relative gap to which segments are solved while the plan is still further from its bound


@dataclass
class _State:
    """The best plan so far, with its objective, and the bound of every plan."""

    x: Array | None
    objective: float
    bound: float

    @property
    def distance(self) -> float:
        """What a better plan could still save."""
        return max(0.0, self.objective - self.bound)

    @property
    def gap(self) -> float:
        """`distance` as a share of the objective."""
        return np.inf if self.x is None else self.distance / max(abs(self.objective), 1e-12)

    def tell(self, told: Stretch, share: float) -> None:
        """Say how far the search is, plan and bound maximised."""
        told.tell(share, best=None if self.x is None else -self.objective, bound=-self.bound)


class ChoiceSearch:
    """Finds the choices of one program with integers, minimised; `told` hears how far it is, and may end it."""

    def __init__(
        self, program: Program, steps: int, options: SolverOptions, scale_mw: float, told: Stretch = UNTOLD
    ) -> None:
        self.program, self.steps, self.options, self.scale_mw = program, steps, options, scale_mw
        self._told = told
        self._place = places_with_choices(program)
        self._cutter = Cutter(program, steps, self._place)
        choices = program.integer & (program.place < 0)  # of blocks; where there are none, of steps
        self._at = np.sort(self._place[choices if choices.any() else program.integer]) // 2
        self._ends = self._resting = np.flatnonzero(~self._cutter.crossed_beside_energy())
        self._deadline = None if options.time_limit_s is None else time.perf_counter() + options.time_limit_s

    @property
    def separates(self) -> bool:
        """Whether the program has many choices, and they fall into segments of the horizon."""
        return len(self._at) > FEW_CHOICES and len(self._segments(FIRST_CHOICES)) > 1

    def run(self) -> Solution:
        """The best plan with its bound; `limited` where the time limit ended the search.

        Raises `InfeasibleProgramError` where there is no plan, `LimitReachedError` where time ended before one.
        """
        began = time.perf_counter()
        relaxed = self._linear(self.program)
        state = _State(None, np.inf, relaxed.objective)
        limited = False
        try:
            rests = held_instants(self.program, relaxed.x, relaxed.row_dual, self.steps, self.scale_mw)
            self._resting = self._ends[rests[self._ends]]
            self._begin(relaxed, state)
            self._search(relaxed, state)
        except LimitReachedError:
            limited = True
        if state.x is None:
            raise LimitReachedError(
                "the time limit ended the search for bids before any plan; raise solver.time_limit_s"
            )
        nothing = np.zeros(0)
        seconds = time.perf_counter() - began
        return Solution(state.x, state.objective, state.bound, nothing, nothing, seconds, 0, limited)

    def _begin(self, relaxed: Solution, state: _State) -> None:
        """Enter a first plan: the relaxed one rounded, else with as little held as may be."""
        with suppress(InfeasibleProgramError):
            self._take(state, rounded(self.program, relaxed.x, self._linear))
        if state.x is None:
            self._take(state, self.program.lower)

    def _search(self, relaxed: Solution, state: _State) -> None:
        choices, rounds = FIRST_CHOICES, self._told.halves()
        while state.gap > self.options.rel_gap:
            told = next(rounds)
            state.tell(told, 0.0)
            segments = self._segments(choices)
            if len(segments) == 1:
                self._whole(state, told)
                return
            allowance = self._allowance(relaxed, state) / len(segments)
            self._take(state, self._bounded(segments, relaxed, state, allowance, told.part(0.0, 0.5)))
            cuts = [self._segments(choices, shifted=True), segments]
            before, repeats = np.inf, told.part(0.5, 1.0).halves()
            while state.gap > self.options.rel_gap and before - state.objective > BETTER * state.distance:
                before = state.objective
                state.tell(told, 0.5)
                self._improve(cuts[0], state, allowance, next(repeats))
                cuts.reverse()
            choices *= 2

    def _allowance(self, relaxed: Solution, state: _State) -> float:
        """Distance from their bounds that the segments may keep together."""
        rough = ROUGH if state.x is None else min(ROUGH, state.gap / 4)
        return abs(relaxed.objective) * max(self.options.rel_gap, rough) / 4

    def _segments(self, choices: int, *, shifted: bool = False) -> list[Segment]:
        """Segments of about `choices` each that cover the horizon and end where only energy crosses.

        Where energy rests at a bound near by they end there, so that its price says most. `shifted`: half a segment
        later.
        """
        at = self._at
        count = max(1, round(len(at) / choices))
        share = (np.arange(1, count + shifted) - 0.5 * shifted) / count
        cuts = {self._end_near(int(step), self.steps // (4 * count)) for step in at[(share * len(at)).astype(int)]}
        edges = [0, *sorted(cuts - {0, self.steps}), self.steps]
        return [Segment(a, b, joined=a > 0) for a, b in pairwise(edges)]

    def _end_near(self, step: int, reach: int) -> int:
        """The instant nearest to `step` at which a segment may end; a resting one no further than `reach` first."""
        for ends in (self._resting, self._ends):
            nearest = int(ends[np.abs(ends - step).argmin()])
            if abs(nearest - step) <= reach:
                return nearest
        return nearest

    def _bounded(
        self, segments: list[Segment], relaxed: Solution, state: _State, allowance: float, told: Stretch
    ) -> Array:
        """Each segment's best choices with energy at the relaxation's price; raises the bound."""
        x = relaxed.x.copy()

        def solved(segment: Segment) -> tuple[float, Array, Array]:
            programs = self._cutter.cut(segment, relaxed.x, relaxed.row_dual)
            found = self._mixed(programs.priced, allowance)
            raised = found.bound - float(programs.priced.cost @ relaxed.x[programs.origin])
            return max(0.0, raised), programs.origin, found.x

        total = 0.0
        for more, origin, values in side_by_side(solved, segments, told):
            total += more
            own = self.program.integer[origin]
            x[origin[own]] = values[own]
        state.bound = max(state.bound, relaxed.objective + total)
        return x

    def _take(self, state: _State, *held: Array) -> None:
        """Enter the best plan with the first choices of `held` that go together, where it is better."""
        for choices in held:
            try:
                found = self._linear(self.program.with_choices_held(choices))
            except InfeasibleProgramError:
                continue
            if found.objective < state.objective:
                state.x, state.objective = np.where(self.program.integer, np.round(choices), found.x), found.objective
            return

    def _improve(self, segments: list[Segment], state: _State, allowance: float, told: Stretch) -> None:
        """Solve each segment with what crosses its ends as it is, then all energy anew with the choices held."""
        if state.x is None:
            return
        x, no_price = state.x.copy(), np.zeros(self.program.rows)

        def solved(segment: Segment) -> tuple[Array, Array]:
            programs = self._cutter.cut(segment, x, no_price)
            small, here = programs.held, x[programs.origin]
            try:
                found = self._mixed(small, allowance, here)
            except InfeasibleProgramError:
                return programs.origin, here  # by a hair: what is held is a plan
            better = float(small.cost @ found.x) < float(small.cost @ here)
            return programs.origin, found.x if better else here

        # Rows over many steps tie segments, which then are solved one after another.
        tied = self._cutter.has_wide_rows or bool((self._place < 0).any())
        batches = [[segment] for segment in segments] if tied else [segments]
        for place, batch in enumerate(batches):
            part = told.part(place / len(batches), (place + 1) / len(batches))
            for origin, values in side_by_side(solved, batch, part):
                x[origin] = values
        self._take(state, x)

    def _whole(self, state: _State, told: Stretch) -> None:
        """The whole program at once, from the plan there is."""
        found = self._mixed(self.program, 0.0, state.x, whole=told)
        if found.objective < state.objective:
            state.x, state.objective = found.x, found.objective
        state.bound = max(state.bound, found.bound)
        if found.limited:
            raise LimitReachedError("the time limit ended the search for bids")

    def _linear(self, program: Program) -> Solution:
        return Solver(program.relaxed(), self.options, scale_mw=self.scale_mw).solve(time_limit_s=self._left_s())

    def _mixed(
        self, program: Program, allowance: float, begin: Array | None = None, *, whole: Stretch | None = None
    ) -> Solution:
        """The best plan of a segment, or of the `whole`, which may be limited."""
        update = {"rel_gap": 0.0, "time_limit_s": None} if whole is None else {"time_limit_s": None}
        solver = Solver(program, self.options.model_copy(update=update), scale_mw=self.scale_mw)
        solver.allow_gap(allowance)
        if whole is None:
            solver.expect_little()
        solver.follow(whole or self._told, money=whole is not None)
        if begin is not None:
            solver.start_from(begin)
        found = solver.solve(time_limit_s=self._left_s())
        if found.limited and whole is None:
            raise LimitReachedError("the time limit ended the search for bids")
        return found

    def _left_s(self) -> float | None:
        if self._told.cancelled:
            raise LimitReachedError("the search for bids was ended from outside")
        if self._deadline is None:
            return None
        left = self._deadline - time.perf_counter()
        if left <= 0:
            raise LimitReachedError("the time limit ended the search for bids")
        return left


def places_with_choices(program: Program) -> Array:
    """`Program.place` in which an integer column that stands nowhere takes the first place that its rows touch."""
    place = program.place
    lost = program.integer & (place < 0)
    if lost.any():
        row = program.row_of_entry
        far = np.iinfo(place.dtype).max
        first = np.full(program.rows, far)
        placed = np.where(place < 0, far, place)
        np.minimum.at(first, row, placed[program.column])
        own = np.full(program.columns, far)
        np.minimum.at(own, program.column, first[row])
        place[lost] = np.where(own[lost] == far, -1, own[lost])
    return place
