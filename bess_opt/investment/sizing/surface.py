"""The value over a grid of powers and durations: what the picture of a sizing is drawn from."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor

import numpy as np
import pandas as pd

from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding
from bess_opt.dispatch.batch.workers import Crew
from bess_opt.inputs.scenario import Scenario
from bess_opt.investment.sizing.grid import planned_sizes
from bess_opt.investment.sizing.objectives import Goal
from bess_opt.investment.sizing.region import Region
from bess_opt.investment.sizing.sized_program import SizedProgram, burns

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
) -> pd.DataFrame:
    """`Sizing.surface`: where `proven` by one program that is solved again, else by a plan for each size."""
    for name, number in (("powers", powers), ("durations", durations)):
        if isinstance(number, bool) or not isinstance(number, int) or number < 1:
            expected = "give a whole number of 1 or more"
            raise ScenarioError([Finding("wrong_value", name, f"found {number!r}", expected)])
    (p0, p1), (h0, h1) = sizes.power_mw, sizes.duration_h
    across = np.linspace(p0, p1, powers if p1 > p0 else 1)
    along = np.linspace(h0, h1, durations if h1 > h0 else 1)
    rows = [[(float(p), float(p * h)) for p in across] for h in along]
    if not proven:
        return _planned(goal, rows, executor, workers)
    values = _solved(goal, rows, executor, workers)
    cells = [
        (p, h, e, goal.of_revenue(revenue, p, e), False)
        for h, row, found in zip(along.tolist(), rows, values, strict=True)
        for (p, e), revenue in zip(row, found, strict=True)
    ]
    return pd.DataFrame(cells, columns=list(COLUMNS))


def _planned(goal: Goal, rows: Sequence[Sizes], executor: Executor | None, workers: int | None) -> pd.DataFrame:
    """Every size planned in full; NaN where one has no plan."""
    sizes = [size for row in rows for size in row]
    table = planned_sizes(goal.scenario, sizes, goal, executor, workers, progress=None)
    if "value" not in table:
        table["value"] = np.nan
    power, energy = np.array(sizes).T
    stated = {"power_mw": power, "duration_h": energy / power, "energy_mwh": energy}
    return table.assign(**stated, value=table["value"].astype(float), exact=True)[list(COLUMNS)]


def _solved(goal: Goal, rows: Sequence[Sizes], executor: Executor | None, workers: int | None) -> list[list[float]]:
    """Revenues row by row. One size is solved from nothing, here; its basis goes to whoever solves a row."""
    scenario, cash, tight = goal.scenario, goal.name != "score", burns(goal.scenario)
    start = rows[len(rows) // 2][len(rows[0]) // 2]
    program = SizedProgram(scenario, *start, cash=cash, tight=tight)
    if executor is None and workers == 1:
        return [program.row(row) for row in rows]
    if executor is None and workers is None:
        return _side_by_side(goal, program, start, rows)
    crew = Crew.of(executor, workers, None)
    try:
        crew.check()
        stored = program.stored
        futures = [crew.executor.submit(_row, scenario, start, cash, tight, stored, row) for row in rows]
        return [future.result() for future in futures]
    finally:
        crew.leave()


def _side_by_side(
    goal: Goal, program: SizedProgram, start: tuple[float, float], rows: Sequence[Sizes]
) -> list[list[float]]:
    """Revenues by a thread for each core, each with a program of its own: the solver lets go of the interpreter."""
    scenario, cash, tight, stored = goal.scenario, goal.name != "score", program.tight, program.stored
    threads = max(1, min(os.cpu_count() or 1, len(rows)))
    shares = [rows[len(rows) * i // threads : len(rows) * (i + 1) // threads] for i in range(threads)]

    def found(i: int) -> list[list[float]]:
        own = SizedProgram(scenario, *start, cash=cash, tight=tight, basis=stored) if i else program
        return [own.row(row) for row in shares[i]]

    with ThreadPoolExecutor(threads) as pool:
        return [values for share in pool.map(found, range(threads)) for values in share]


def _row(
    scenario: Scenario, start: tuple[float, float], cash: bool, tight: bool, stored: bytes, row: Sizes
) -> list[float]:
    """Revenues of a row, by a program of the worker's own."""
    return SizedProgram(scenario, *start, cash=cash, tight=tight, basis=stored).row(row)
