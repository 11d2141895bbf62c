"""The program of a single step, read from a model's rules for all steps at once.

Where the stored energy alone ties the steps of a horizon together, a model is the same small program in each of
them. With x the flows of step t and d what the cells gain in it, energy[t+1] = kept·energy[t] + d:

    most of cost[t]·x   over   A x = right[t] + d·u,   lower[t] <= x <= upper[t]

A is the same in every step, u the unit vector of the energy law's row; a row that is an inequality has a column of
slack. Nothing is known here of batteries, topologies or tariffs: the model's own rules are called, each once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyomo.core as pyo

from bess_opt.common.arrays import Array
from bess_opt.models.components import ArrayConstraint, ArrayVar, members
from bess_opt.models.one_way import Pair
from bess_opt.solver.engines import EngineRefusedError
from bess_opt.solver.expand import Affine, View, place, relation_of
from bess_opt.solver.program import own_name
from bess_opt.solver.tie_break import tie_weight
from bess_opt.solver.value_function.on_top.beside import Beside, BesideReader

Objective = Sequence[tuple[float, Any, Any]]

ENERGY, ENERGY_LAW = "energy_mwh", "energy_balance"
LEVELS = 3  # objectives and the cost that breaks ties: what the recursion compares one after the other
NOTHING = np.zeros(1)


class NotStepwiseError(EngineRefusedError):
    """More than the stored energy ties the steps together; `rows` names what does, each with the reason."""

    def __init__(self, rows: Sequence[str]) -> None:
        super().__init__(rows)
        self.rows = tuple(rows)

    def __str__(self) -> str:
        return "value functions cannot solve this scenario:\n" + "\n".join(self.rows)


@dataclass(frozen=True)
class HorizonRow:
    """A limit on the whole horizon's flows: Σ `weight` · x <= `most`; `weight` is per column, as costs are."""

    name: str
    weight: list[Array]
    most: float

    def priced(self, cost: list[Array], price: float) -> list[Array]:
        """Costs of the first level, less `price` for what the row counts."""
        return [c - price * w if w.any() else c for c, w in zip(cost, self.weight, strict=True)]

    def used(self, flow: Array) -> float:
        """What flows (a row per column) use of it."""
        return float(self.used_by_step(flow).sum())

    def used_by_step(self, flow: Array) -> Array:
        """The same, step by step."""
        parts = [w * x for w, x in zip(self.weight, flow, strict=True) if w.any()]
        used: Array = np.sum(parts, axis=0)
        return used


@dataclass
class StepProgram:
    """See the module. Every array of numbers per step has one value per step, or a single one for all of them.

    `columns` names the variables, then the rows that have slack; `cost` and `energy_worth` (of energy in store at
    each instant) are maximised, level by level, the tie-break last; `offset` is what each level has without any flow.
    After the tie-break may stand `measures` levels, sums along the plan that the earlier ones choose.
    `over_all` is a row that the recursion does not keep by itself, `beside` what hangs above the flows of many steps.
    """

    steps: int
    columns: list[str]
    rows: list[str]
    matrix: Array
    energy_row: int
    kept: float
    right: list[Array]
    lower: list[Array]
    upper: list[Array]
    cost: list[list[Array]]
    energy_worth: list[Array]
    offset: list[float]
    least: Array
    most: Array
    pairs: list[tuple[int, int]]
    measures: int = 0
    over_all: HorizonRow | None = None
    beside: Beside | None = None

    @property
    def levels(self) -> int:
        """Number of objectives, the tie-break and what is measured included."""
        return len(self.cost)

    @property
    def variables(self) -> list[str]:
        """The columns that are variables of the model."""
        return self.columns[: len(self.columns) - sum(name in self.rows for name in self.columns)]


@dataclass
class _Reader:
    """Collects what the rules say, and each reason why they do not fit."""

    model: Any
    steps: int
    variables: dict[str, Any]
    beside_from: int | None = None
    refused: list[str] = field(default_factory=list)
    over_all: list[tuple[str, Affine, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.view = View(self.model, self.variables)
        self.each = np.arange(self.steps)
        apart = [n for n, b in self.variables.items() if n != ENERGY and not _per_step(b, self.steps)]
        if self.beside_from is not None and apart and self.steps < self.beside_from:
            few = f"belong to no step, and HiGHS takes less time for fewer than {self.beside_from} steps"
            raise NotStepwiseError([f"{', '.join(apart)}: {few}"])
        self.beside = BesideReader(self.variables, [] if self.beside_from is None else apart, self.refused)
        self.names = [name for name in self.variables if name != ENERGY and name not in self.beside.slices]
        self.number = {name: j for j, name in enumerate(self.names)}
        self._order = list(self.variables)
        self._firsts = np.array([self.variables[name].first for name in self._order])

    def variable_of(self, columns: Array) -> tuple[str, Array]:
        """(variable, places in it) of columns that are all of one variable."""
        name = self._order[int(np.searchsorted(self._firsts, columns[0], side="right")) - 1]
        return name, columns - self.variables[name].first

    def coefficient(self, row: str, name: str, value: Any) -> float:
        """A coefficient that is the same in every step."""
        if np.ndim(value) == 0:
            return float(value)
        if np.ptp(value) != 0.0:
            self.refused.append(f"{row}: the coefficient of {name} differs from step to step")
        return float(value[0])


def read(
    model: Any,
    objectives: Sequence[Objective],
    pairs: Sequence[Pair],
    *,
    rows_over_all: int = 0,
    beside_from: int | None = None,
) -> StepProgram:
    """The step program of `model` under `objectives`, of which the first counts first; ties are broken.

    As many `rows_over_all` (0 or 1) may limit the flows of the whole horizon together; from
    `beside_from` steps on there may be variables of no step as ceilings over the flows of many (None: never).
    Raises `NotStepwiseError` with every variable and row that does not fit.
    """
    steps = len(model.steps)
    reader = _Reader(model, steps, place(model.component_objects(pyo.Var, descend_into=False)), beside_from)
    if len(objectives) >= LEVELS:
        reader.refused.append(f"objectives: {len(objectives)} count one after the other; at most {LEVELS - 1} may")
    energies = [name for name in reader.variables if own_name(name) == ENERGY]
    if len(energies) > 1:
        reader.refused += [f"{name}: one of {len(energies)} energies, and one alone is followed" for name in energies]
        raise NotStepwiseError(reader.refused)
    _look_at_variables(reader)
    if reader.refused:
        raise NotStepwiseError(reader.refused)
    rows, matrix, energy_row, kept, right, slack = _rows(reader, rows_over_all)
    if reader.refused:
        raise NotStepwiseError(reader.refused)
    columns = [*reader.names, *(rows[i] for i, _, _ in slack)]
    own = [getattr(model, name) for name in reader.names]
    energy = getattr(model, ENERGY)
    program = StepProgram(
        steps=steps,
        columns=columns,
        rows=rows,
        matrix=_with_slack(matrix, [i for i, _, _ in slack]),
        energy_row=energy_row,
        kept=kept,
        right=right,
        lower=[*(_short(v.lower_values) for v in own), *(_short(low) for _, low, _ in slack)],
        upper=[*(_short(v.upper_values) for v in own), *(_short(high) for _, _, high in slack)],
        cost=[],
        energy_worth=[],
        offset=[],
        least=energy.lower_values,
        most=energy.upper_values,
        pairs=[(reader.number[p.first], reader.number[p.second]) for p in pairs if p.first in reader.number],
    )
    program.beside = reader.beside.made(model, steps, _beside_cost(reader, objectives))
    for name, body, most in reader.over_all:
        program.over_all = HorizonRow(name, _spread_terms(reader, [(1.0, body)], len(columns))[0], most)
    for objective in objectives:
        _add_level(program, *_costs(reader, objective, len(columns)))
    ties = [_short(-tie_weight(reader.variables[name].meaning.tie, np.arange(steps))) for name in reader.names]
    _add_level(program, [*ties, *(NOTHING for _ in slack)], NOTHING, 0.0)
    if reader.refused:
        raise NotStepwiseError(reader.refused)
    return program


def _add_level(program: StepProgram, cost: list[Array], energy_worth: Array, offset: float) -> None:
    program.cost.append(cost)
    program.energy_worth.append(energy_worth)
    program.offset.append(offset)


def objective_costs(model: Any, program: StepProgram, objective: Objective) -> tuple[list[Array], Array, float]:
    """(cost per column, worth of energy per instant, offset) of an objective of `model`, whose prices may be new."""
    variables = place(model.component_objects(pyo.Var, descend_into=False))
    return _costs(_Reader(model, program.steps, variables), objective, len(program.columns))


def _look_at_variables(reader: _Reader) -> None:
    if ENERGY not in reader.variables:
        reader.refused.append("the model stores no energy")
    for name, block in reader.variables.items():
        variable: ArrayVar = getattr(reader.model, name)
        if variable.integer:
            reader.refused.append(f"{name}: is a yes-or-no choice")
        elif name != ENERGY and name not in reader.beside.slices and not _per_step(block, reader.steps):
            reader.refused.append(f"{name}: is a variable per member of {block.index}, not per step")


def _per_step(block: Any, steps: int) -> bool:
    return block.index == "steps" and len(block.positions) == steps


def _rows(
    reader: _Reader, rows_over_all: int
) -> tuple[list[str], Array, int, float, list[Array], list[tuple[int, Array, Array]]]:
    """(names, A, row of the energy law, share of energy kept, right-hand sides, slack (row, least, most))."""
    constraints: list[ArrayConstraint] = list(
        reader.model.component_objects(pyo.Constraint, active=True, descend_into=False)
    )
    if reader.beside.names:
        constraints = [c for c in constraints if not _beside(reader, c)]
    if rows_over_all:
        constraints = [c for c in constraints if not _over_all(reader, c, rows_over_all)]
    names = [c.local_name for c in constraints]
    matrix = np.zeros((len(names), len(reader.names)))
    right, slack, kept, energy_row = [NOTHING] * len(names), [], 1.0, -1
    for i, constraint in enumerate(constraints):
        name = names[i]
        if constraint.by_member or not np.array_equal(members(constraint.index_set()), reader.each):
            reader.refused.append(f"{name}: is not one row for each step")
            continue
        relation = constraint.array_rule(reader.view, reader.each)
        sign = -1.0 if name == ENERGY_LAW else 1.0
        stored = _read_row(reader, name, relation.body, matrix[i], sign)
        if name == ENERGY_LAW:
            energy_row, kept = i, -stored.get(0, 0.0)
            if set(stored) - {0, 1} or stored.get(1) != 1.0 or kept <= 0.0:
                reader.refused.append(f"{name}: is not a law from one instant to the next")
        elif stored:
            reader.refused.append(f"{name}: holds stored energy beside the energy law")
        constant = np.asarray(relation.body.constant, dtype=float)
        if relation.lower == relation.upper:
            right[i] = _short(np.atleast_1d(sign * (relation.lower - constant)))
        else:
            slack.append((i, np.atleast_1d(relation.lower - constant), np.atleast_1d(relation.upper - constant)))
    if energy_row < 0:
        reader.refused.append(f"{ENERGY_LAW}: is missing")
    return names, matrix, energy_row, kept, right, slack


def _over_all(reader: _Reader, constraint: ArrayConstraint, most_rows: int) -> bool:
    """Whether a constraint is a single row that limits flows of many steps from above; it is then set apart."""
    positions = members(constraint.index_set())
    if len(positions) != 1 or reader.steps == 1 or len(reader.over_all) >= most_rows:
        return False
    relation = constraint.array_rule(reader.view, int(positions[0]))
    body = relation.body
    names = {reader.variable_of(columns)[0] for _, columns, _ in body.terms if len(columns)}
    if not names or ENERGY in names or np.isfinite(relation.lower) or not np.isfinite(relation.upper):
        return False
    most = float(relation.upper - np.sum(body.constant))
    reader.over_all.append((constraint.local_name, Affine(body.rows, body.terms), most))
    return True


def _beside(reader: _Reader, constraint: ArrayConstraint) -> bool:
    """Whether a constraint holds variables of no step; it is then set apart, as is one without any row."""
    if not len(members(constraint.index_set())):
        return True
    name, relation = constraint.local_name, relation_of(constraint, reader.view)
    return reader.beside.takes(name, relation, reader.number, reader.variable_of)


def _beside_cost(reader: _Reader, objectives: Sequence[Objective]) -> Array:
    """What the variables of no step bring in the first objective; no other may count them."""
    cost = np.zeros(reader.beside.columns)
    for level, objective in enumerate(objectives if reader.beside.names else []):
        for weight, rule, index in objective:
            body = rule(reader.view, members(index))
            for _, columns, values in body.terms if isinstance(body, Affine) else []:
                places = reader.beside.place_of[columns]
                if (places < 0).all():
                    continue
                if level:
                    reader.refused.append(f"objectives: a later one counts {reader.variable_of(columns)[0]}")
                np.add.at(cost, places, weight * np.broadcast_to(values, len(places)))
    return cost


def _read_row(reader: _Reader, row: str, body: Affine, into: Array, sign: float) -> dict[int, float]:
    """Add the coefficients of a row to `into`; those of stored energy are returned by their shift in steps."""
    stored: dict[int, float] = {}
    for rows, columns, value in body.terms:
        name, places = reader.variable_of(columns)
        shift = int(places[0] - rows[0])
        if not np.array_equal(rows, reader.each) or not np.array_equal(places, reader.each + shift):
            reader.refused.append(f"{row}: ties {name} of several steps together")
            continue
        coefficient = reader.coefficient(row, name, value)
        if name == ENERGY:
            stored[shift] = stored.get(shift, 0.0) + coefficient
        elif shift:
            reader.refused.append(f"{row}: ties {name} of several steps together")
        else:
            into[reader.number[name]] += sign * coefficient
    return stored


def _with_slack(matrix: Array, rows: list[int]) -> Array:
    """A with a column for each row that is no equation: body − slack = 0."""
    slack = np.zeros((len(matrix), len(rows)))
    slack[rows, np.arange(len(rows))] = -1.0
    return np.hstack([matrix, slack])


def _costs(reader: _Reader, objective: Objective, columns: int) -> tuple[list[Array], Array, float]:
    """(cost per column, worth of energy per instant, offset) of one objective."""
    bodies, offset = [], 0.0
    for weight, rule, index in objective:
        positions = members(index)
        body = rule(reader.view, positions)
        if isinstance(body, Affine):
            bodies.append((weight, body))
            offset += weight * float(np.sum(np.broadcast_to(body.constant, body.rows)))
        else:
            offset += weight * float(np.sum(np.broadcast_to(body, len(positions))))
    cost, worth = _spread_terms(reader, bodies, columns)
    return cost, worth, offset


def _spread_terms(reader: _Reader, bodies: Sequence[tuple[float, Affine]], columns: int) -> tuple[list[Array], Array]:
    """(coefficient per column, of energy per instant) of weighted sums over all their rows."""
    cost, worth = [NOTHING] * columns, NOTHING
    for weight, body in bodies:
        for _, of_column, coefficients in body.terms:
            if not len(of_column):
                continue
            name, places = reader.variable_of(of_column)
            if name in reader.beside.slices:
                continue
            size = reader.steps + 1 if name == ENERGY else reader.steps
            values = _spread(places, weight * np.asarray(coefficients, dtype=float), size)
            if name == ENERGY:
                worth = worth + values
            else:
                cost[reader.number[name]] = cost[reader.number[name]] + values
    return cost, worth


def _spread(places: Array, values: Array, size: int) -> Array:
    """`values` at `places` of an array of `size`; a single value where all places have the same."""
    if len(places) == size and np.array_equal(places, np.arange(size)):
        return np.atleast_1d(values)
    spread: Array = np.bincount(places, np.broadcast_to(values, len(places)), size)
    return spread


def _short(values: Array) -> Array:
    """A single value where all are the same."""
    same = len(values) > 1 and values[0] == values[-1] and bool((values == values[0]).all())
    return values[:1].copy() if same else np.ascontiguousarray(values, dtype=float)
