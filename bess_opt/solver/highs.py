"""The only door to HiGHS: a program goes in, a proven solution comes out, or an exception.

One `Solver` keeps one HiGHS object, so that changed bounds, costs and right-hand sides are re-solved from
the last basis. All numbers outside this file are in the user's units; inside, powers and energies are
divided by one power of two and costs by another, so that a home in kW and a plant in GW meet the same
tolerances.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import highspy
import numpy as np

from bess_opt.common.arrays import Array, dot
from bess_opt.common.errors import SolveError
from bess_opt.common.progress import UNTOLD, Stretch
from bess_opt.inputs.solver_options import SolverOptions
from bess_opt.solver.followed_run import run_followed
from bess_opt.solver.highs_process import new_highs, run_highs
from bess_opt.solver.program import Program
from bess_opt.solver.scaling import cost_scale, power_of_two, row_scale
from bess_opt.solver.solution import (
    AT_LOWER,
    AT_UPPER,
    BASIC,
    FREE,
    FarkasProof,
    InfeasibleProgramError,
    LimitReachedError,
    Solution,
    require_bound,
)

DUAL_ZERO = 1e-7  # HiGHS's own dual tolerance: a smaller reduced cost proves nothing
# Where a warm start may end: near the optimum, or with a basis that a changed matrix made singular.
UNPROVEN = (highspy.HighsModelStatus.kUnknown, highspy.HighsModelStatus.kSolveError)
DANTZIG = 0  # HiGHS's number for the dual simplex method without edge weights
RAY_ZERO = 1e-9  # of a ray's largest entry: less is rounding


class Solver:
    """A program held by one HiGHS object, to be solved again after changes.

    `scale_mw` is the power that counts as "one": the plant's size.
    """

    starts_itself = False  # whether it looks for a basis to begin with

    def __init__(self, program: Program, options: SolverOptions | None = None, *, scale_mw: float = 1.0) -> None:
        self.program = program
        self.options = options or SolverOptions()
        self.seconds = 0.0
        self._told, self._tells_money = UNTOLD, False
        self._x_scale = power_of_two(scale_mw)
        self._cost_scale = cost_scale(program.cost)
        self._column_scale = np.where(program.integer, 1.0, self._x_scale)
        self._row_scale = row_scale(program, self._x_scale)
        self._mixed = bool(program.integer.any())
        self._cost, self._lower, self._upper = program.cost.copy(), program.lower.copy(), program.upper.copy()
        self._row_lower, self._row_upper = program.row_lower.copy(), program.row_upper.copy()
        self._highs = new_highs()
        self._set_options()
        self._load()

    def _set_options(self) -> None:
        set_option = self._highs.setOptionValue
        set_option("output_flag", False)
        set_option("random_seed", self.options.seed)
        set_option("mip_rel_gap", self.options.rel_gap)
        set_option("mip_abs_gap", 0.0)
        # Our mixed-integer programs are small and tight: a start-up that searches for plans only costs time.
        set_option("mip_heuristic_run_feasibility_jump", False)
        set_option("mip_heuristic_effort", 0.0)
        set_option("mip_detect_symmetry", False)
        set_option("threads", self.options.threads)

    def _load(self) -> None:
        program = self.program
        value = program.value
        self._held_cost = self._scaled_cost(self._cost, slice(None))
        if self._mixed:  # columns and rows of different scale: only where binaries stand
            value = value * self._column_scale[program.column] / self._row_scale[program.row_of_entry]
        loaded = self._highs.passModel(
            program.columns,
            program.rows,
            len(value),
            int(highspy.MatrixFormat.kRowwise),
            int(highspy.ObjSense.kMinimize),
            0.0,
            self._held_cost,
            self._lower / self._column_scale,
            self._upper / self._column_scale,
            self._row_lower / self._row_scale,
            self._row_upper / self._row_scale,
            program.start[:-1],
            program.column,
            value,
            program.integer.astype(np.int32),
        )
        if loaded == highspy.HighsStatus.kError:
            raise SolveError("the solver refused the model; a bound or coefficient is out of range")

    def _scaled_cost(self, cost: Array, columns: Any) -> Array:
        scaled: Array = cost * (self._column_scale[columns] / (self._x_scale * self._cost_scale))
        return scaled

    def set_costs(self, cost: Array, cost_scale: float | None = None) -> None:
        """Replace the whole cost vector (minimised); `cost_scale` is that of the whole that this is a part of."""
        self._cost_scale = self._cost_scale if cost_scale is None else cost_scale
        self._cost = np.array(cost, dtype=float)
        scaled = self._scaled_cost(self._cost, slice(None))
        columns = np.flatnonzero(scaled != self._held_cost).astype(np.int32)
        self._highs.changeColsCost(len(columns), columns, scaled[columns])
        self._held_cost = scaled

    def set_bounds(self, columns: Array, lower: Array, upper: Array) -> None:
        """Replace the bounds of `columns`."""
        if len(columns) == 0:
            return
        columns = np.asarray(columns, dtype=np.int32)
        self._lower[columns], self._upper[columns] = lower, upper
        scale = self._column_scale[columns]
        self._highs.changeColsBounds(
            len(columns), columns, self._lower[columns] / scale, self._upper[columns] / scale
        )

    def set_rows(self, rows: Array, lower: Array, upper: Array) -> None:
        """Replace the sides of `rows`."""
        if len(rows) == 0:
            return
        rows = np.asarray(rows, dtype=np.int32)
        self._row_lower[rows], self._row_upper[rows] = lower, upper
        scale = self._row_scale[rows]
        self._highs.changeRowsBounds(len(rows), rows, self._row_lower[rows] / scale, self._row_upper[rows] / scale)

    def set_changed(self, program: Program) -> None:
        """Take over the bounds and sides of `program`, of the same shape, where they differ from the present ones."""
        self.take_over(program.lower, program.upper, program.row_lower, program.row_upper)

    def take_over(self, lower: Array, upper: Array, row_lower: Array, row_upper: Array) -> bool:
        """Take over bounds and sides where they differ from the present ones; whether any do."""
        columns = np.flatnonzero((lower != self._lower) | (upper != self._upper))
        self.set_bounds(columns, lower[columns], upper[columns])
        rows = np.flatnonzero((row_lower != self._row_lower) | (row_upper != self._row_upper))
        self.set_rows(rows, row_lower[rows], row_upper[rows])
        return bool(len(columns) or len(rows))

    def set_values(self, rows: Array, columns: Array, values: Array) -> None:
        """Replace single coefficients of the matrix, of a program without integers."""
        for row, column, value in zip(rows.tolist(), columns.tolist(), values.tolist(), strict=True):
            self._highs.changeCoeff(row, column, value)

    def follow(self, told: Stretch, *, money: bool = False) -> None:
        """Tell `told` while a solve runs, and end it with the plan so far, if there is one, on their word.

        `money`: plan and bound of a mixed-integer solve are those of the whole, and are told.
        """
        self._told, self._tells_money = told, money and self._mixed

    def expect_repeats(self) -> None:
        """Get ready for many solves, each near the one before: to perturb costs would cost more than it saves."""
        self._highs.setOptionValue("dual_simplex_cost_perturbation_multiplier", 0.0)

    def expect_few_steps(self) -> None:
        """Get ready for a start near the optimum: to weigh edges exactly and to perturb costs would cost more."""
        self._highs.setOptionValue("simplex_dual_edge_weight_strategy", DANTZIG)
        self.expect_repeats()

    def allow_gap(self, gap: float) -> None:
        """Let a mixed-integer solve end within an absolute `gap` of its bound, in units of the objective."""
        self._highs.setOptionValue("mip_abs_gap", gap / (self._x_scale * self._cost_scale))

    def expect_little(self, *, hard: bool = False) -> None:
        """Get ready for a small mixed-integer program: presolve and, unless `hard`, cuts in its tree do not pay."""
        self._highs.setOptionValue("presolve", "off")
        self._highs.setOptionValue("mip_allow_restart", hard)
        self._highs.setOptionValue("mip_allow_cut_separation_at_nodes", hard)

    def limit_nodes(self, nodes: int) -> None:
        """Let a mixed-integer solve end after so many branches with the best solution that it has.

        For small programs with a solution to begin with: presolve would take longer than the few branches.
        """
        self._highs.setOptionValue("mip_max_nodes", nodes)
        self._highs.setOptionValue("presolve", "off")

    def start_from(self, x: Array) -> None:
        """Give a mixed-integer solve a solution to begin with."""
        begin = highspy.HighsSolution()
        begin.col_value = list(x / self._column_scale)
        self._highs.setSolution(begin)

    def basis(self) -> Any:
        """The last basis, to be given to `set_basis` of a solver of the same shape."""
        return self._highs.getBasis()

    def statuses(self, x: Array) -> tuple[Array, Array]:
        """The basis of the program just solved by `x`, as numbers: (columns, rows), each `AT_LOWER` and so on."""
        basic = np.asarray(self._highs.getBasicVariables()[1])
        column = _nearest(x, self._lower, self._upper)
        both = np.isfinite(self._row_lower) & np.isfinite(self._row_upper) & (self._row_lower < self._row_upper)
        row = np.where(np.isfinite(self._row_lower), AT_LOWER, AT_UPPER)
        if both.any():
            value = np.array(self._highs.getSolution().row_value) * self._row_scale
            row[both] = _nearest(value, self._row_lower, self._row_upper)[both]
        column[basic[basic >= 0]] = BASIC
        row[-1 - basic[basic < 0]] = BASIC
        return column, row

    def forget(self) -> None:
        """Drop all that earlier solves have left in the solver; the next one goes as in a new object."""
        self._highs.clearSolver()

    def set_basis(self, basis: Any) -> None:
        """Start the next solve from `basis`."""
        if self._highs.setBasis(basis) == highspy.HighsStatus.kError:
            raise SolveError("the stored basis does not fit this model")

    def solve(self, *, time_limit_s: float | None = None, duals: bool = True) -> Solution:
        """Solve from where the object stands; raise unless a proven or time-limited solution exists.

        Without `duals` those of the solution are left empty: at the size of a year they take time to fetch.
        """
        began = time.perf_counter()
        status = self._run(time_limit_s)
        seconds = time.perf_counter() - began
        self.seconds += seconds
        return self._solution(seconds, limited=self._limited(status), duals=duals and not self._mixed)

    def solve_value(self) -> float:
        """Solve a program without integers from where the object stands; the proven optimum alone, quickly read."""
        self._limited(self._run(None))
        money_scale = self._x_scale * self._cost_scale
        return float(self._highs.getInfo().objective_function_value) * money_scale + self.program.offset

    def _run(self, time_limit_s: float | None) -> Any:
        """The solver's status at the end of its run."""
        limit = self.options.time_limit_s if time_limit_s is None else time_limit_s
        if limit is not None:
            self._highs.setOptionValue("time_limit", self._highs.getRunTime() + limit)
        if self._told.is_followed and not self._told.cancelled:  # what comes after the end must make a plan
            run_followed(self._highs, self._told, self._money if self._tells_money else None)
        else:
            run_highs(self._highs)
        status = self._highs.getModelStatus()
        if status == highspy.HighsModelStatus.kUnboundedOrInfeasible:
            self._highs.setOptionValue("presolve", "off")
            run_highs(self._highs)
            self._highs.setOptionValue("presolve", "choose")
            status = self._highs.getModelStatus()
        return self._again() if status in UNPROVEN else status

    def _money(self, objective: float) -> float:
        """An objective of HiGHS as the user's own, maximised."""
        return -(objective * self._x_scale * self._cost_scale + self.program.offset)

    def _again(self) -> Any:
        """Run from where the last solve ended, then without its basis; the status of what came out."""
        run_highs(self._highs)
        if self._highs.getModelStatus() in UNPROVEN:
            self._highs.clearSolver()
            run_highs(self._highs)
        return self._highs.getModelStatus()

    def _limited(self, status: Any) -> bool:
        """Whether a limit ended the run with a solution to use; raises where there is none."""
        feasible = self._highs.getInfo().primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
        states = highspy.HighsModelStatus
        limited = status in (
            states.kTimeLimit, states.kIterationLimit, states.kInterrupt, states.kSolutionLimit
        )  # fmt: skip
        if status == states.kInfeasible:
            raise InfeasibleProgramError("no schedule meets all limits")
        if limited and not (self._mixed and feasible):
            raise LimitReachedError(
                "the time limit ended the solve before any plan was found; raise solver.time_limit_s"
            )
        if status != states.kOptimal and not limited:
            raise SolveError(f"the solver ended with status {self._highs.modelStatusToString(status)!r}")
        return limited

    def _solution(self, seconds: float, *, limited: bool, duals: bool) -> Solution:
        info = self._highs.getInfo()
        found = self._highs.getSolution()
        money_scale = self._x_scale * self._cost_scale
        x = np.array(found.col_value) * self._column_scale
        objective = dot(self._cost, x) + self.program.offset
        bound = objective if not self._mixed else info.mip_dual_bound * money_scale + self.program.offset
        size = dot(np.abs(self._cost), np.abs(x)) + abs(self.program.offset)
        require_bound(bound, objective, size, float(np.abs(self._cost).max(initial=0.0)) * self._x_scale)
        empty = np.zeros(0)
        return Solution(
            x=x,
            objective=objective,
            bound=min(bound, objective),
            column_dual=np.array(found.col_dual) * self._cost_scale if duals else empty,
            row_dual=np.array(found.row_dual) * self._cost_scale if duals else empty,
            seconds=seconds,
            iterations=max(int(info.simplex_iteration_count), 0),
            limited=limited,
        )

    def prefer(self, best: Solution, costs: Sequence[Array]) -> Array:
        """Among the optima of the program, solved last by `best`, the one of least `costs[0]`, and so on."""
        return self._preferred(best, costs, duals_of_last=False)[-1].x

    def preferred(self, best: Solution, costs: Sequence[Array]) -> list[Solution]:
        """As `prefer`, with the solution of each cost on the face of those before it."""
        return self._preferred(best, costs, duals_of_last=True)

    def _preferred(self, best: Solution, costs: Sequence[Array], *, duals_of_last: bool) -> list[Solution]:
        """Every column with a reduced cost and every row with a dual is held where it is.

        Only what the objectives so far do not care about can move, so their values are kept. The program itself
        is left as it was, its basis too.
        """
        kept_cost, kept_scale, basis = self._cost, self._cost_scale, self.basis()
        kept_bounds, kept_sides = (
            (self._lower.copy(), self._upper.copy()),
            (self._row_lower.copy(), self._row_upper.copy()),
        )
        held, tight = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
        found = [best]
        try:
            for i, cost in enumerate(costs):
                columns, rows = self._hold_face(found[-1])
                held, tight = np.sort(np.append(held, columns)), np.sort(np.append(tight, rows))
                self._cost_scale = cost_scale(cost)
                self.set_costs(cost)
                found.append(self.solve(duals=duals_of_last or i < len(costs) - 1))
            return found[1:]
        finally:
            self._cost_scale = kept_scale
            self.set_costs(kept_cost)
            self.set_bounds(held, kept_bounds[0][held], kept_bounds[1][held])
            self.set_rows(tight, kept_sides[0][tight], kept_sides[1][tight])
            self.set_basis(basis)

    def _hold_face(self, best: Solution) -> tuple[Array, Array]:
        """Fix what `best` has a price on: the face of its optima. Returns the columns and rows fixed."""
        least = DUAL_ZERO * self._cost_scale
        dual = best.row_dual
        columns = np.flatnonzero((np.abs(best.column_dual) > least) & (self._lower < self._upper))
        side = np.where(dual > 0.0, self._row_lower, self._row_upper)
        rows = np.flatnonzero((np.abs(dual) > least) & (self._row_lower < self._row_upper) & np.isfinite(side))
        self.set_bounds(columns, best.x[columns], best.x[columns])
        self.set_rows(rows, side[rows], side[rows])
        return columns, rows

    def conflict(self) -> FarkasProof | None:
        """Why the program just found infeasible has no solution; None if only its whole numbers stand in the way."""
        linear = self
        if self._mixed:
            program = replace(self.program, integer=np.zeros_like(self.program.integer))
            linear = Solver(program, self.options, scale_mw=self._x_scale)
            run_highs(linear._highs)
        _, there, ray = linear._highs.getDualRay()
        if not there or ray is None:
            return None
        return self._certificate(np.array(ray))

    def _certificate(self, ray: Array) -> FarkasProof | None:
        """The ray of whichever sign proves that no solution exists, without its rounding."""
        program, size = self.program, float(np.abs(ray).max(initial=0.0))
        row = np.where(np.abs(ray) > RAY_ZERO * size, ray, 0.0)
        column = program.priced(row)
        column[np.abs(column) <= RAY_ZERO * np.abs(column).max(initial=0.0)] = 0.0
        for sign in (1.0, -1.0):
            found = FarkasProof(sign * row, sign * column)
            if found.short(self._lower, self._upper, self._row_lower, self._row_upper) > 0.0:
                return found
        return None


def solver_version() -> str:
    """HiGHS's version, as it states it."""
    return f"HiGHS {new_highs().version()}"


def _nearest(value: Array, lower: Array, upper: Array) -> Array:
    """The bound that each value stands at, as a status; `FREE` where there is none."""
    at = np.where(np.abs(value - lower) <= np.abs(upper - value), AT_LOWER, AT_UPPER)
    return np.where(np.isfinite(lower) | np.isfinite(upper), at, FREE)
