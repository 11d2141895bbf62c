"""Caps on cycles in a rule: what a day may use, so that a month's or a year's lasts to its end.

A day's part of what a cap has left is that of the day's steps in those left of the period: what one day leaves, the
later ones have. Caps of a day and of so many hours are the step simulator's alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bess_opt.plant.plant import Plant, Storage
from bess_opt.plant.rule import AnyRule, Committing, Rule, State
from bess_opt.plant.warranty.cycle_caps import CycleCap
from bess_opt.strategies.shared.rule_parts import serving_load, serving_load_beside_capacity


def within_budget(plant: Plant, rule: Rule | Committing) -> AnyRule:
    """`rule`, held each local day to what caps longer than a day leave it, and serving the load before that.

    Of several batteries each has a budget of its own, so that the answer names the power of each. A rule that commits
    capacity sees to its caps itself.
    """
    if isinstance(rule, Committing):
        return serving_load_beside_capacity(plant, rule)
    if not has_lasting_caps(plant):
        return serving_load(plant, rule)
    budget = DailyBudget(plant)
    served = serving_load(plant, _Held(rule, budget))
    return served if len(plant.batteries) == 1 else _Shared(served, budget)


class DailyBudget:
    """What each battery may give and take in a step; asked once per step, in order."""

    def __init__(self, plant: Plant) -> None:
        ends = plant.day_end.tolist()
        self._budgets = [(battery, [_Budget(cap, ends) for cap in _lasting(battery)]) for battery in plant.batteries]
        self._energy = {battery.name: battery.start_mwh for battery in plant.batteries}
        self._drawn = {b.name: np.broadcast_to(b.drawn_mw, plant.steps).tolist() for b in plant.batteries}
        self.give: dict[str, float] = {}
        self.take: dict[str, float] = {}

    def begin(self, state: State) -> None:
        """Look at the step that begins: `give` and `take` are then each battery's room within its budget, MW."""
        for battery, budgets in self._budgets:
            moved = self._moved(battery, state)
            _, into, out = battery.law(state.step_h)
            own = state.units.get(battery.name)
            give = state.discharge_room_mw if own is None else own.discharge_room_mw
            take = state.charge_room_mw if own is None else own.charge_room_mw
            for budget in budgets:
                budget.begin(state.step, max(moved if budget.cap.charged else -moved, 0.0))
                if budget.cap.charged:
                    take = min(take, budget.day_left / into)
                else:
                    give = min(give, budget.day_left / out)
            self.give[battery.name], self.take[battery.name] = give, take

    def left_today_mwh(self) -> float:
        """Energy that all cells may still give (take) today; infinite where a battery has no such cap."""
        return sum(min((b.day_left for b in budgets), default=np.inf) for _, budgets in self._budgets)

    def _moved(self, battery: Storage, state: State) -> float:
        """Energy that the step before brought into the cells; negative: that left them, drawn energy included."""
        own = state.units.get(battery.name)
        now = state.energy_mwh if own is None else own.energy_mwh
        before, self._energy[battery.name] = self._energy[battery.name], now
        if state.step == 0:
            return 0.0
        moved = now - battery.retention * before
        return moved if moved < 0.0 else moved + self._drawn[battery.name][state.step - 1] * state.step_h


def has_lasting_caps(plant: Plant) -> bool:
    """Whether any battery has a cap whose calendar periods are longer than a day: only then is there a budget."""
    return any(map(_lasting, plant.batteries))


def _lasting(battery: Storage) -> list[CycleCap]:
    """The caps whose periods are calendar ones longer than a day."""
    return [cap for cap in battery.caps if cap.width is None and not cap.daily]


@dataclass
class _Budget:
    """What one cap leaves, step by step: `begin` each, then read `day_left`, stored MWh."""

    cap: CycleCap
    day_end: list[int]
    run: int = -1
    run_left: float = 0.0
    day_left: float = 0.0
    until: int = -1

    def begin(self, t: int, moved_mwh: float) -> None:
        """Book what the step before moved, and share out anew at the start of a day or period."""
        self.run_left = max(self.run_left - moved_mwh, 0.0)
        self.day_left = max(self.day_left - moved_mwh, 0.0)
        run = int(np.searchsorted(self.cap.last, t, side="right"))
        if run != self.run:
            self.run, self.run_left, self.until = run, float(self.cap.most_mwh[run]), -1
        if t >= self.until:
            last = int(self.cap.last[run])
            self.until = min(self.day_end[t], last)
            self.day_left = self.run_left * (self.until - t) / (last - t)


@dataclass
class _Held:
    """A rule held to the budget of all batteries together."""

    rule: Rule
    budget: DailyBudget

    def __call__(self, state: State) -> float:
        self.budget.begin(state)
        most, least = sum(self.budget.give.values()), -sum(self.budget.take.values())
        return min(max(self.rule(state), least), most)


@dataclass
class _Shared:
    """A rule whose power several batteries share by what their budgets leave, then by the room beyond it."""

    rule: Rule
    budget: DailyBudget

    def __call__(self, state: State) -> Mapping[str, float]:
        wanted = self.rule(state)
        out = wanted >= 0.0
        within = self.budget.give if out else self.budget.take
        room = {n: unit.discharge_room_mw if out else unit.charge_room_mw for n, unit in state.units.items()}
        asked, inside = abs(wanted), sum(within.values())
        first = min(asked / inside, 1.0) if inside > 0.0 else 0.0
        beyond = {name: room[name] - within[name] for name in room}
        rest, spare = max(asked - inside, 0.0), sum(beyond.values())
        more = min(rest / spare, 1.0) if spare > 0.0 else 0.0
        sign = 1.0 if out else -1.0
        return {name: sign * (first * within[name] + more * beyond[name]) for name in room}
