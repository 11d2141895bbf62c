"""Where a rule loses against the optimum: the gap, split exactly by step and by cause.

For max cᵀx, Ax = b, Gx ≤ g, l ≤ x ≤ u with optimal duals y, w ≥ 0 and z = c − Aᵀy − Gᵀw, the gap to any
feasible x is Σⱼ[zⱼ⁺(uⱼ − xⱼ) + zⱼ⁻(xⱼ − lⱼ)] + Σᵢ wᵢ(g − Gx)ᵢ. Every term is 0 or more: a price times what
the rule did not use of a scarce thing, or used of a dear one. What the rule does not decide itself (billed
peaks, a strategy's own variables) takes the best values that its schedule leaves open. Columns that the one-way rule
closes for the optimum are no bounds of the rule, which may have run that way: those terms, cause
"one way", are 0 or less. Where the optimum has several sets of duals, each gives a split, and this is the
solver's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from bess_opt.common.arrays import Array, dot
from bess_opt.dispatch.optimum.causes import Places, cause_of, causes_of, reserved
from bess_opt.dispatch.optimum.marginals import duals_of
from bess_opt.dispatch.optimum.solve_scenario import Solved
from bess_opt.dispatch.result import Dispatch
from bess_opt.inputs.solver_options import SolverOptions
from bess_opt.plant.plant import Plant
from bess_opt.solver.change import Duals
from bess_opt.solver.highs import Solver
from bess_opt.solver.program import Block, Program

NOTHING = 1e-9  # share of all terms together below which a cause is rounding

END, RESERVE, ONE_WAY, ROUNDING = "end energy", "reserve", "one way", "rounding"


@dataclass(frozen=True)
class Gap:
    """What a rule loses against the optimum, in units of the strategy's first objective.

    `table` has one row per step and one column per cause, and sums to `objective`. `score` is the distance in
    the score, positive where the optimum is better. The two differ where the objective holds more than the
    score: wear and the value of stored energy are no cash, so `net_revenue` leaves them out.
    A cost that belongs to no single step (a billed peak, a day's cycles) is spread over the steps that it is
    measured in.
    """

    table: pd.DataFrame
    objective: float
    score: float

    def by_cause(self) -> pd.Series:
        """The gap per cause, largest first."""
        return self.table.sum().sort_values(ascending=False, kind="stable")

    def by_day(self) -> pd.DataFrame:
        """The gap per local day and cause."""
        index = pd.DatetimeIndex(self.table.index)
        return self.table.groupby(index.tz_localize(None).normalize().rename("day")).sum()

    def by_hour(self) -> pd.DataFrame:
        """The gap per local hour of the day and cause."""
        return self.table.groupby(pd.DatetimeIndex(self.table.index).hour.rename("hour")).sum()


def gap(solved: Solved, best: Dispatch, rule: Dispatch) -> Gap:
    """The gap of `rule` to the optimum `solved`, whose dispatch is `best`.

    Both must stand under the same conditions, `soc_end` included. Raises `SolveError` where the rule's
    schedule breaks a constraint of the strategy's own, or the model has no duals.
    """
    duals = duals_of(solved)
    x = completed(solved.program, known(rule.whole_schedule, solved.plant), solved.plant, solved.scenario.solver)
    terms = _Terms(solved.program, solved.plant)
    terms.add_columns(duals, x)
    terms.add_rows(duals, x)
    sign = -1.0 if best.metrics.score_sense == "min" else 1.0
    distance = sign * (best.metrics.score - rule.metrics.score)
    return Gap(terms.table(), dot(solved.program.cost, x - duals.x), distance)


def known(schedule: pd.DataFrame, plant: Plant) -> dict[str, Array]:
    """The columns of the program that a schedule decides."""
    values = {str(name): schedule[name].to_numpy() for name in schedule if str(name).endswith("_mw")}
    inverter = values["inverter_mw"]
    return values | {
        **{
            f"{b.prefix}energy_mwh": np.append(b.start_mwh, schedule[f"{b.prefix}energy_mwh"].to_numpy())
            for b in plant.batteries
        },
        "curtailed_ac_mw": values["curtailed_mw"] - values["curtailed_dc_mw"],
        "inverter_out_mw": np.maximum(inverter, 0.0),
        "inverter_in_mw": np.maximum(-inverter, 0.0),
    }


def completed(program: Program, values: dict[str, Array], plant: Plant, options: SolverOptions) -> Array:
    """All columns: `values` where they are given, elsewhere the best that they leave open."""
    x, own = np.zeros(program.columns), np.ones(program.columns, dtype=bool)
    for name, block in program.variables.items():
        if name in values and len(values[name]) == len(block.positions):
            x[block.slice], own[block.slice] = values[name], False
    if own.any():
        open_ones = _rest(program, x, own)
        x[own] = Solver(open_ones, options, scale_mw=plant.scale_mw).solve().x
    return x


def _rest(program: Program, x: Array, own: Array) -> Program:
    """The program of the columns `own` alone; what the others use of its rows is taken off."""
    entries = np.flatnonzero(own[program.column])
    small, rows = program.part(np.flatnonzero(own), entries, program.row_of_entry[entries])
    used = program.activity(x)[rows]
    return replace(small, row_lower=small.row_lower - used, row_upper=small.row_upper - used)


class _Terms:
    """Sums of the terms per cause and step."""

    def __init__(self, program: Program, plant: Plant) -> None:
        self._program, self._plant = program, plant
        self._places = Places(program)
        self._sums: dict[str, Array] = {}

    def add_columns(self, duals: Duals, x: Array) -> None:
        """z·(x* − x) of every column."""
        terms = duals.column * (duals.x - x)
        batteries = {f"{battery.prefix}energy_mwh": battery for battery in self._plant.batteries}
        for full_name, block in self._program.variables.items():
            battery = batteries.get(full_name)
            part, low = terms[block.slice], duals.column[block.slice] > 0.0
            closed = duals.closed[block.slice] & low
            too_low, too_high = causes_of(block)
            names = (too_low, too_high, ONE_WAY, RESERVE, END)
            cause = np.where(closed, names.index(ONE_WAY), np.where(low, 0, names.index(too_high)))
            if battery is not None:
                cause[reserved(battery) & ~low] = names.index(RESERVE)
                cause[-1] = names.index(END)
            self._add_block(block, names, cause, part, self._places.of_column)

    def add_rows(self, duals: Duals, x: Array) -> None:
        """y·(Ax* − Ax) of every row; that of an equation is rounding."""
        program = self._program
        terms = duals.row * (program.activity(duals.x) - program.activity(x))
        equal = program.row_lower == program.row_upper
        for block in program.constraints.values():
            names, cause = (cause_of(block), ROUNDING), np.where(equal[block.slice], 1, 0)
            self._add_block(block, names, cause, terms[block.slice], self._places.of_row)

    def _add_block(
        self, block: Block, names: tuple[str, ...], cause: Array, terms: Array, places: Callable[[int], Array]
    ) -> None:
        """Add the `terms` of a block to the steps that they stand in; `cause` is a place in `names` each."""
        on_steps = {"steps": 0, "instants": 1}
        priced = np.flatnonzero(terms != 0.0)
        of_priced = cause[priced]
        for name in sorted({names[place] for place in np.unique(of_priced).tolist()}):
            mine = priced[of_priced == names.index(name)]
            sums = self._sums.setdefault(name, np.zeros(self._plant.steps))
            if block.index in on_steps:
                at = np.maximum(block.positions[mine] - on_steps[block.index], 0)
                np.add.at(sums, at, terms[mine])
                continue
            for i in mine:
                at = places(block.first + int(i))
                at = at if len(at) else np.arange(self._plant.steps)
                sums[at] += terms[i] / len(at)

    def table(self) -> pd.DataFrame:
        """One column per cause that is more than rounding, largest first."""
        sums = self._sums
        size = sum(float(np.abs(values).sum()) for values in sums.values())
        kept = [cause for cause, values in sums.items() if np.abs(values).sum() > NOTHING * size]
        kept.sort(key=lambda cause: -float(sums[cause].sum()))
        return pd.DataFrame({cause: sums[cause] for cause in kept}, index=self._plant.index)
