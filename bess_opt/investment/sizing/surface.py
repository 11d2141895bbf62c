"""The value over a grid of powers and durations: what the picture of a sizing is drawn from."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor

import numpy as np
import pandas as pd

from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding
from bess_opt.common.progress import Stretch
from bess_opt.common.wording import show
from bess_opt.dispatch.batch.workers import Workers
from bess_opt.inputs.scenario import Scenario
from bess_opt.investment.sizing.grid import planned_sizes
from bess_opt.investment.sizing.objectives import Goal
from bess_opt.investment.sizing.recursed import fits, row_values, values_of
from bess_opt.investment.sizing.region import Region
from bess_opt.investment.sizing.sized_program import SizedProgram
from bess_opt.investment.sizing.warm_program import needs_one_way_cuts
from bess_opt.solver.engines import EngineRefusedError

COLUMNS = ("power_mw", "duration_h", "energy_mwh", "value", "exact")
Sizes = Sequence[tuple[float, float]]


def surface_of(
    goal: Goal,
    sizes: Region,
    powers: int,
    durations: int,
    *,
    proven: bool,
    executor: Executor | None,
    workers: int | None,
    told: Stretch,
) -> pd.DataFrame:
    """`Sizing.surface`: where value functions fit by a recursion for each size, where `proven` by one program that is
    solved again, else by a plan for each size.

    Where a range begins at 0, no battery stands there with its own value.
    """
    for name, number in (("powers", powers), ("durations", durations)):
        if isinstance(number, bool) or not isinstance(number, int) or number < 1:
            expected = "give a whole number of 1 or more"
            raise ScenarioError([Finding("wrong_value", name, f"found {show(number)}", expected)])
    (p0, p1), (h0, h1) = sizes.power_mw, sizes.duration_h
    across = np.linspace(p0, p1, powers if p1 > p0 else 1)
    along = np.linspace(h0, h1, durations if h1 > h0 else 1)
    rows = [[(float(p), float(p * h)) for p in across] for h in along]
    real = [[size for size in row if min(size) > 0.0] for row in rows]
    real = [row for row in real if row]
    recursed = _recursed(goal, real, executor, workers, _Told(len(real), told)) if proven else None
    if recursed is not None:
        known = recursed
    elif proven:
        values = _solved(goal, real, executor, workers, _Told(len(real), told))
        known = {
            size: (goal.of_revenue(revenue, *size), False)
            for row, found in zip(real, values, strict=True)
            for size, revenue in zip(row, found, strict=True)
        }
    else:
        known = _planned(goal, real, executor, workers, told)
    nothing = np.nan if goal.without is None or goal.kind.rate else goal.without, True
    cells = [
        (p, h, e, *known.get((p, e), nothing)) for h, row in zip(along.tolist(), rows, strict=True) for p, e in row
    ]
    return pd.DataFrame(cells, columns=list(COLUMNS))


class _Told:
    """Tells how far rows have come, from any thread."""

    def __init__(self, rows: int, told: Stretch) -> None:
        self._rows, self._told = rows, told
        self._done, self._lock = 0, threading.Lock()

    def __call__(self) -> None:
        """One more row is done."""
        with self._lock:
            self._done += 1
            self._told.tell(self._done / self._rows)

    def go_on(self) -> None:
        """CancelledError if nobody waits any longer."""
        self._told.go_on()


def _planned(
    goal: Goal,
    rows: Sequence[Sizes],
    executor: Executor | None,
    workers: int | None,
    told: Stretch,
) -> dict[tuple[float, float], tuple[float, bool]]:
    """The value of every size, planned in full; NaN where one has no plan."""
    sizes = [size for row in rows for size in row]
    table = planned_sizes(goal.scenario, sizes, goal, executor, workers, told)
    told.go_on()
    values = table["value"].astype(float).tolist() if "value" in table else [np.nan] * len(sizes)
    return {size: (value, True) for size, value in zip(sizes, values, strict=True)}


def _recursed(
    goal: Goal, rows: Sequence[Sizes], executor: Executor | None, workers: int | None, told: _Told
) -> dict[tuple[float, float], tuple[float, bool]] | None:
    """The exact value of every size by value functions; None where they do not fit."""
    if not fits(goal.scenario, *rows[len(rows) // 2][len(rows[0]) // 2]):
        return None
    try:
        found = _revenues(goal.scenario, rows, executor, workers, told)
    except EngineRefusedError:
        return None
    pairs = (
        (size, value)
        for row, values in zip(rows, found, strict=True)
        for size, value in zip(row, values, strict=True)
    )
    return {size: (goal.of_revenue(revenue, *size), True) for size, revenue in pairs}


def _revenues(
    scenario: Scenario, rows: Sequence[Sizes], executor: Executor | None, workers: int | None, told: _Told
) -> list[list[float]]:
    """Revenues row by row, in this process or by whoever is given."""
    if executor is None and workers in (None, 1):
        found = []
        for row in rows:
            found.append(values_of(scenario, row, threads=workers))
            told()
            told.go_on()
        return found
    pool = Workers.of(executor, workers, None)
    try:
        pool.check()
        futures = [pool.executor.submit(row_values, scenario, row) for row in rows]
        for future in futures:
            future.add_done_callback(lambda _future: told())
        return _results(futures, told)
    finally:
        pool.leave()


def _results(futures: Sequence[Future[list[float]]], told: _Told) -> list[list[float]]:
    """What the futures hold, in their order. CancelledError as soon as nobody waits any longer."""
    found = []
    for future in futures:
        found.append(future.result())
        told.go_on()
    return found


def _solved(
    goal: Goal, rows: Sequence[Sizes], executor: Executor | None, workers: int | None, told: _Told
) -> list[list[float]]:
    """Revenues row by row. One size is solved from nothing, here; its basis goes to whoever solves a row."""
    scenario, cash, tight = goal.scenario, goal.name != "score", needs_one_way_cuts(goal.scenario)
    start = rows[len(rows) // 2][len(rows[0]) // 2]
    program = SizedProgram(scenario, *start, cash=cash, tight=tight)
    if executor is None and workers == 1:
        return [_told_row(program, row, told) for row in rows]
    if executor is None and workers is None:
        return _side_by_side(goal, program, start, rows, told)
    pool = Workers.of(executor, workers, None)
    try:
        pool.check()
        stored = program.stored
        futures = [pool.executor.submit(_row, scenario, start, cash, tight, stored, row) for row in rows]
        for future in futures:
            future.add_done_callback(lambda _future: told())
        return _results(futures, told)
    finally:
        pool.leave()


def _side_by_side(
    goal: Goal, program: SizedProgram, start: tuple[float, float], rows: Sequence[Sizes], told: _Told
) -> list[list[float]]:
    """Revenues by a thread for each core, each with a program of its own: the solver lets go of the interpreter."""
    scenario, cash, tight, stored = goal.scenario, goal.name != "score", program.tight, program.stored
    threads = max(1, min(os.cpu_count() or 1, len(rows)))
    shares = [rows[len(rows) * i // threads : len(rows) * (i + 1) // threads] for i in range(threads)]

    def found(i: int) -> list[list[float]]:
        own = SizedProgram(scenario, *start, cash=cash, tight=tight, basis=stored) if i else program
        return [_told_row(own, row, told) for row in shares[i]]

    with ThreadPoolExecutor(threads) as pool:
        return [values for share in pool.map(found, range(threads)) for values in share]


def _told_row(program: SizedProgram, row: Sizes, told: _Told) -> list[float]:
    """Revenues of a row, and word of it."""
    values = program.row(row)
    told()
    told.go_on()
    return values


def _row(
    scenario: Scenario, start: tuple[float, float], cash: bool, tight: bool, stored: bytes, row: Sizes
) -> list[float]:
    """Revenues of a row, by a program of the worker's own."""
    return SizedProgram(scenario, *start, cash=cash, tight=tight, basis=stored).row(row)
