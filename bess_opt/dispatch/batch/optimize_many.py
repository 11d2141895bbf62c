"""Many price years on one scenario: the optimum of each, without a plan for each where an engine fits."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from bess_opt.common.arrays import Array
from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding
from bess_opt.common.progress import ShowProgress, Stretch
from bess_opt.common.progress_bar import followed
from bess_opt.common.provenance import Stopwatch
from bess_opt.dispatch.batch.price_rows import PriceRows
from bess_opt.dispatch.optimum.bring_back import prepare
from bess_opt.dispatch.optimum.solve_scenario import flows_of, solve_plant
from bess_opt.dispatch.result import split_schedule
from bess_opt.inputs.scenario import Scenario
from bess_opt.plant import audit
from bess_opt.plant.flows import schedule_of
from bess_opt.plant.from_scenario import plant_of
from bess_opt.plant.ledger import net_revenue
from bess_opt.solver.engines import EngineRefusedError

PRICE = "price_per_mwh"
ENDS = (0, -1)  # years that are planned and audited in any case

Answer = tuple[dict[str, Any], pd.DataFrame | None]


@dataclass(frozen=True)
class ManyOptima:
    """The optimum of each price year.

    `table` has a row per year: `value` (net revenue of the horizon, in the site's currency), `cycles` (equivalent
    full cycles), `gap` (0 is a proof) and `engine` (who solved). `schedules` holds those asked for, by year.
    """

    table: pd.DataFrame
    schedules: Mapping[str, pd.DataFrame] = field(default_factory=dict, repr=False)


def optimize_many(
    scenario: Scenario, prices: pd.DataFrame, *, schedules: bool = False, progress: ShowProgress = False
) -> ManyOptima:
    """The optimal dispatch of `scenario` in each of many price years.

    `prices` stands on the scenario's index, a column a year, each in place of `price_per_mwh` (currency per MWh).
    Years are valued without a plan where an engine fits, prices enter money alone, and the audited plans of the
    first and the last year say the same; every plan that is made passes the audit. With `schedules` all are made and
    kept, which takes time and memory. ScenarioError where the scenario
    has no `price_per_mwh`, an index differs, a price is missing or infinite, or a name stands twice; else as
    `optimize`. `progress` is told a `Progress` after each year, or says whether a bar is drawn; StopIteration from it
    ends the work with the years that are done, in the order of the columns; before the first with CancelledError.
    """
    _require(scenario, prices)
    rows = [prices.iloc[:, position].to_numpy(dtype=float) for position in range(prices.shape[1])]
    with followed(progress, "planning each year") as told:
        told.step(0.0)
        answers = _answered(_answering(scenario, rows, keep=schedules), rows, told)
    names = [str(name) for name in prices.columns][: len(answers)]
    table = pd.DataFrame([row for row, _ in answers], index=pd.Index(names, name="year"))
    kept = {name: frame for name, (_, frame) in zip(names, answers, strict=True) if frame is not None}
    return ManyOptima(table, kept)


def _answered(answer: Callable[[Array], Answer], rows: Sequence[Array], told: Stretch) -> list[Answer]:
    """The years in their order, until who is told asks for the end."""
    made: list[Answer] = []
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        waiting = [pool.submit(answer, row) for row in rows]
        try:
            for one in waiting:
                made.append(one.result())
                told.tell(len(made) / len(rows))
                if told.cancelled:
                    break
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
    return made


def _answering(scenario: Scenario, rows: Sequence[Array], *, keep: bool) -> Callable[[Array], Answer]:
    """How a year is answered: by its value function alone where audited plans of the first and last say the same."""

    def planned(price: Array) -> Answer:
        return _optimum(scenario, price, keep=keep)

    if keep or len(rows) <= len(ENDS):
        return planned
    alone = PriceRows.of(scenario, PRICE)
    if alone is None:
        return planned
    for end in ENDS:
        row, _ = planned(rows[end])
        if not alone.agrees(rows[end], float(row["value"]), float(row["cycles"])):
            return planned

    def valued(price: Array) -> Answer:
        try:
            value, cycles = alone.answer(price)
        except EngineRefusedError:
            return planned(price)
        return {"value": value, "cycles": cycles, "gap": 0.0, "engine": alone.engine}, None

    return valued


def _optimum(scenario: Scenario, price: Array, *, keep: bool) -> Answer:
    plant, active = prepare(scenario, plant_of(scenario, scenario.series.assign(**{PRICE: price})))
    _, optimum = solve_plant(plant, active, scenario.solver, Stopwatch())
    schedule = schedule_of(plant, flows_of(optimum, plant))
    audit.require(schedule, plant, [active.checks])
    leaving = sum(
        float(schedule[f"{battery.prefix}discharge_mw"].sum()) * plant.step_h / battery.eta_discharge
        for battery in plant.batteries
    )
    row: dict[str, Any] = {
        "value": net_revenue(schedule, plant),
        "cycles": leaving / plant.energy_mwh,
        "gap": optimum.gap,
        "engine": optimum.engine,
    }
    return row, split_schedule(schedule)[0] if keep else None


def _require(scenario: Scenario, prices: pd.DataFrame) -> None:
    """Raise with everything that is wrong with `prices`."""
    problems = []
    if PRICE not in scenario.series:
        found = f"has no column {PRICE}, which the years stand in place of"
        problems.append(Finding("missing_column", "series", found, f"add {PRICE}"))
    if not prices.index.equals(scenario.series.index):
        found = f"{len(prices)} rows, not those of the scenario's series"
        expected = f"give the index of scenario.series, {len(scenario.series)} rows"
        problems.append(Finding("wrong_index", "prices", found, expected))
    if not prices.columns.is_unique or not len(prices.columns):
        found = "no column" if not len(prices.columns) else "a column stands twice"
        problems.append(Finding("duplicate_column", "prices", found, "give each year a name of its own"))
    for position, name in enumerate(prices.columns):
        values = pd.to_numeric(prices.iloc[:, position], errors="coerce").to_numpy(dtype=float)
        wrong = np.flatnonzero(~np.isfinite(values))
        if len(wrong):
            found = f"found {prices.iloc[int(wrong[0]), position]!s} at {prices.index[int(wrong[0])]}"
            problems.append(Finding("not_a_number", f"prices.{name}", found, "give a finite number in every step"))
    if problems:
        raise ScenarioError(problems)
