"""Windows of a horizon whose steps the stored energy alone ties together: planned by an engine beside HiGHS."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.dispatch.forecast_driven.rolling import PlanningWindow, Terminal
from bess_opt.models.assemble import model_of
from bess_opt.models.one_way import pairs_of
from bess_opt.plant.flows import Flows
from bess_opt.plant.plant import Plant
from bess_opt.solver.engines import Engine, EngineRefusedError, ReadModel, WindowPlan
from bess_opt.solver.solution import InfeasibleProgramError
from bess_opt.strategies.shared.stack import ActiveStrategy

ORDERED = ("charge_mw", "discharge_mw", "curtailed_ac_mw", "curtailed_dc_mw", "unserved_mw")


class Stepwise:
    """Plans windows of a horizon as `Rolling` does: one way in every step, ties broken alike.

    `believed` are the plants by age, youngest first. Raises `EngineRefusedError` where `engine` does not fit.
    """

    def __init__(
        self,
        engine: Engine,
        believed: Iterable[Plant],
        active: ActiveStrategy,
        carried_by: Array,
        youngest: int,
        terminal: Terminal,
    ) -> None:
        plants = list(believed)
        windows = engine.windows(_read(engine, plants, active, terminal))
        self._windows = windows
        self._steps, self._terminal = windows.steps, terminal
        self._oldest, self._youngest = len(plants) - 1, youngest
        self._changing, self._carried_by = self._windows.changing, carried_by
        self._most_mwh = plants[0].storage.ceiling_mwh
        self._day = max(round(24.0 / plants[0].step_h), 1)
        self._worth = np.full(self._steps + 1, np.nan)
        self._flows = [(name, windows.columns.index(name)) for name in ORDERED if name in windows.columns]

    def record(self, first: int, flows: Flows) -> None:
        """What the plant did ties later steps by its stored energy alone, which each window states."""

    def plan(self, window: PlanningWindow) -> Mapping[str, Array]:
        """Flows of the window by name, energy at both ends included. Raises `InfeasibleProgramError`."""
        first, last = window.first, window.last
        open_end = last < self._steps
        if self._terminal == "value" and open_end and self._worth[0] != self._worth[0]:
            self.learn(window, self._solve(window, cyclic=True).price)
            self._worth[0] = self._worth[last]
        part = self._solve(window, cyclic=self._terminal == "cyclic" and open_end)
        self.learn(window, part.price)
        windows = self._windows
        flow = np.minimum(np.maximum(part.flow, windows.lower[:, first:last]), windows.upper[:, first:last])
        return {"energy_mwh": part.energy, "price": part.price.copy(), **{name: flow[j] for name, j in self._flows}}

    def learn(self, window: PlanningWindow, price: Array) -> None:
        """What a MWh in store is worth at the end of each step of a window, from now on."""
        self._worth[window.first + 1 : window.last + 1] = price

    def unlearn(self, window: PlanningWindow, price: Array) -> None:
        """`window` is the last one planned: `price` its worths, and nothing is known beyond it."""
        self.learn(window, price)
        self._worth[window.last + 1 :] = np.nan

    def _solve(self, window: PlanningWindow, *, cyclic: bool) -> WindowPlan:
        first, last = window.first, window.last
        age = None
        if self._changing:
            age = self._carried_by[first:last] - (window.decision + self._youngest)
            age = np.minimum(np.maximum(age, 0), self._oldest)
        worth = 0.0
        if self._terminal == "value" and last < self._steps and not cyclic:
            before = float(self._worth[max(last - self._day, 0)])
            worth = before if before == before else float(self._worth[0])
        (energy,) = window.state.energy_mwh
        least = min(energy, self._most_mwh[last]) if cyclic else -np.inf
        try:
            return self._windows.plan(first, last, energy, age=age, least_mwh=least, worth=worth)
        except EngineRefusedError as error:
            if error.no_plan:
                raise InfeasibleProgramError(str(error)) from None
            raise


def _read(engine: Engine, plants: list[Plant], active: ActiveStrategy, terminal: Terminal) -> Iterable[ReadModel]:
    """The model of each age; ages that believe the same share theirs."""
    last: tuple[Plant, ReadModel] | None = None
    for one in plants:
        if last is None or one is not last[0]:
            m, objectives = model_of(one, active)
            if terminal == "value" and len(objectives) > 1:
                found = "two count one after the other, and what stored energy is worth in the second is not known"
                raise EngineRefusedError.because(f"objectives: {found}")
            last = one, engine.read(m, objectives, pairs_of(one))
        yield last[1]
