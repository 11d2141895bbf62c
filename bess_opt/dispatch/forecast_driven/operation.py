"""Operation of a plant on a planner's windows: decide, carry out on what really happens, look again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.common.errors import InfeasibleError
from bess_opt.common.findings import Finding
from bess_opt.common.progress import UNTOLD, Stretch
from bess_opt.dispatch.forecast_driven.orders import Orders, carry_out, joined
from bess_opt.dispatch.forecast_driven.plant_state import Moved, PlantState, nothing_moved, state_at_first
from bess_opt.dispatch.forecast_driven.rolling import PlanningWindow
from bess_opt.dispatch.forecast_driven.stepwise import Stepwise
from bess_opt.dispatch.forecast_driven.timetable import Timetable
from bess_opt.plant.flows import Flows
from bess_opt.plant.plant import Plant
from bess_opt.solver.solution import InfeasibleProgramError

EXPECTED = 1e-10  # of the battery: a decision made from an energy as near as this to what came out stands
MOST_AHEAD = 256  # decisions made before they are carried out


class Planner(Protocol):
    """Who plans windows: told what happened, asked for the flows of a window by name."""

    def record(self, first: int, flows: Flows) -> None:
        """Enter what the plant did from step `first` on."""

    def plan(self, window: PlanningWindow) -> Mapping[str, Array]:
        """Flows of the window by name. Raises `InfeasibleProgramError`."""


@dataclass
class Run:
    """One operation of a plant: the planner, what it believes, what it has ordered."""

    plant: Plant
    table: Timetable
    planner: Planner
    orders: Orders
    expected: Plant  # the plant as believed for steps that an earlier decision carries out
    failed: list[int] = field(default_factory=list)
    told: Stretch = UNTOLD

    def operate(self) -> Flows:
        """Decide and carry out to the end: what happened."""
        if isinstance(self.planner, Stepwise) and np.array_equal(self.table.issued, self.table.first):
            return self._several_at_a_time(self.planner)
        return self._one_at_a_time()

    def _one_at_a_time(self) -> Flows:
        pieces: list[Flows] = []
        state, moved = state_at_first(self.plant), nothing_moved(self.plant)
        for decision in range(self.table.decisions):
            now, first = int(self.table.issued[decision]), int(self.table.first[decision])
            start = state
            if first > now:
                coming = carry_out(self.expected, self.orders, now, first, state, moved)
                self.planner.record(now, coming)
                start = state.after(self.plant, now, coming)
            last, until = int(self.table.last[decision]), self.table.until(decision)
            self._plan(PlanningWindow(decision, first, last, until, start, now))
            after = self.table.next_issue(decision)
            if after > now:
                done = carry_out(self.plant, self.orders, now, after, state, moved)
                self.planner.record(now, done)
                moved[0][:, now:after] = [own.charge_mw for own in done.batteries]
                moved[1][:, now:after] = [own.discharge_mw for own in done.batteries]
                state = state.after(self.plant, now, done)
                pieces.append(done)
            self.told.step((decision + 1) / self.table.decisions)
        return joined(pieces)

    def _plan(self, window: PlanningWindow) -> Mapping[str, Array] | None:
        """What is ordered for a window; None where it has no plan and the orders before stand."""
        try:
            plan = self.planner.plan(window)
        except InfeasibleProgramError:
            if not self.orders.stand(window.first, window.until):
                raise InfeasibleError([self._no_plan(window)]) from None
            self.failed.append(window.first)
            return None
        self.orders.give(window, plan)
        return plan

    # ------------------------------------------------------------------------------------- several at a time

    def _several_at_a_time(self, planner: Stepwise) -> Flows:
        """The same: each decision from the energy that the one before plans, and all of them carried out at once.

        Where the energy comes out otherwise, what was decided from there on is forgotten and decided again. Nothing
        but the stored energy passes from window to window, so that this changes no decision.
        """
        pieces: list[Flows] = []
        state, moved, decision, ahead = state_at_first(self.plant), nothing_moved(self.plant), 0, 4
        while decision < self.table.decisions:
            made = self._decide(decision, state, ahead)
            begin, kept = int(self.table.first[decision]), len(made)
            done = self._operated(made, begin, state, moved)
            if done is not None:
                kept = self._as_expected(made, done)
            if kept < len(made) or done is None:
                kept = kept if done is not None else 1
                window, plan = made[kept - 1]
                self.orders.give(window, plan)
                self.orders.forget(window.last)
                planner.unlearn(window, plan["price"])
                made = made[:kept]
                done = carry_out(self.plant, self.orders, begin, window.until, state, moved)
                ahead = kept
            else:
                ahead = min(2 * ahead, MOST_AHEAD)
            state = state.after(self.plant, begin, done)
            pieces.append(done)
            decision += max(len(made), 1)
            self.told.step(decision / self.table.decisions)
        return joined(pieces)

    def _decide(
        self, decision: int, state: PlantState, ahead: int
    ) -> list[tuple[PlanningWindow, Mapping[str, Array]]]:
        """Up to `ahead` decisions; none where the first one has no plan, so that the orders before stand."""
        made: list[tuple[PlanningWindow, Mapping[str, Array]]] = []
        for d in range(decision, min(decision + ahead, self.table.decisions)):
            first, until = int(self.table.first[d]), self.table.until(d)
            window = PlanningWindow(d, first, int(self.table.last[d]), until, state, first)
            if d == decision:
                plan = self._plan(window)
                if plan is None:
                    return []
            else:
                try:
                    plan = self.planner.plan(window)
                except InfeasibleProgramError:  # it may have one from the energy that really comes
                    break
                self.orders.give(window, plan)
            made.append((window, plan))
            state = replace(state, energy_mwh=(float(plan["energy_mwh"][until - first]),))
        return made

    def _operated(
        self, made: list[tuple[PlanningWindow, Mapping[str, Array]]], begin: int, state: PlantState, moved: Moved
    ) -> Flows | None:
        """What the plant does on these decisions; None where it cannot and more than the first may be why."""
        until = made[-1][0].until if made else self._until_of_step(begin)
        try:
            return carry_out(self.plant, self.orders, begin, until, state, moved)
        except InfeasibleError:
            if len(made) <= 1:
                raise
            return None

    def _until_of_step(self, begin: int) -> int:
        return self.table.until(int(self.table.carried_by[begin]))

    def _as_expected(self, made: list[tuple[PlanningWindow, Mapping[str, Array]]], done: Flows) -> int:
        """How many of the decisions were made from the energy that came out."""
        if not made:
            return 0
        begin, near = made[0][0].first, EXPECTED * self.plant.storage.energy_mwh
        starts = np.array([window.first for window, _ in made]) - begin
        believed = np.array([window.state.energy_mwh[0] for window, _ in made])
        off = np.flatnonzero(np.abs(done.battery.energy_mwh[starts] - believed) > near)
        return int(off[0]) if len(off) else len(made)

    # --------------------------------------------------------------------------------------------- findings

    def _no_plan(self, window: PlanningWindow) -> Finding:
        begin, end = (self.plant.index[t] for t in (window.first, window.last - 1))
        found = f"no plan meets all limits from {begin:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} as believed then"
        return Finding("window_infeasible", "forecast", found, "relax a limit of [site] or [battery]")

    def notes(self) -> list[Finding]:
        """The decisions that found no plan."""
        if not self.failed:
            return []
        first = self.plant.index[self.failed[0]]
        found = f"{len(self.failed)} of {self.table.decisions} windows had no plan as believed, the first at {first}"
        expected = "the plan before stayed in force; a longer horizon, or a price for unserved load, may help"
        return [Finding("window_infeasible", "forecast", found, expected, "warning")]
