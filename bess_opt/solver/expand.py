"""A model's rules, each called once with arrays, as the matrix that the solver takes.

A rule sees either the Pyomo model and one index, or a view of it and all indices at once: `m.charge_mw[t]`
is then an `Affine`, one row of coefficients per step, and plain operators do the rest. The result equals
what Pyomo's own compiler makes of the same model, row by row; tests hold the two together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyomo.core as pyo

from bess_opt.common.arrays import Array
from bess_opt.models.components import ArrayConstraint, ArrayParam, ArrayVar, members
from bess_opt.solver.program import Block, Program


class Affine:
    """Rows of affine expressions: `terms` are (rows, columns, coefficients), `constant` one value per row."""

    __array_ufunc__ = None  # numpy arrays on the left defer to the operators below
    __slots__ = ("constant", "rows", "terms")

    def __init__(self, rows: int, terms: list[tuple[Array, Array, Any]], constant: Any = 0.0) -> None:
        self.rows, self.terms, self.constant = rows, terms, constant

    def __add__(self, other: Any) -> Affine:
        if isinstance(other, Affine):
            rows = max(self.rows, other.rows)
            terms = self._repeated(rows) + other._repeated(rows)
            return Affine(rows, terms, self.constant + other.constant)
        return Affine(self.rows, self.terms, self.constant + other)

    def _repeated(self, rows: int) -> list[tuple[Array, Array, Any]]:
        """The terms for `rows` rows: a single row stands for all of them."""
        if self.rows == rows:
            return self.terms
        return [
            (np.repeat(np.arange(rows), len(c)), np.tile(c, rows), np.tile(np.broadcast_to(v, len(c)), rows))
            for _, c, v in self.terms
        ]

    __radd__ = __add__

    def __neg__(self) -> Affine:
        return self.__mul__(-1.0)

    def __sub__(self, other: Any) -> Affine:
        return self.__add__(-other)

    def __rsub__(self, other: Any) -> Affine:
        return self.__neg__().__add__(other)

    def __mul__(self, factor: Any) -> Affine:
        scaled = [(r, c, v * (factor if np.ndim(factor) == 0 else factor[r])) for r, c, v in self.terms]
        return Affine(self.rows, scaled, self.constant * factor)

    __rmul__ = __mul__

    def __truediv__(self, divisor: Any) -> Affine:
        return self.__mul__(1.0 / divisor)

    def sum(self) -> Affine:
        """One row: the sum of all rows, coefficients and constants."""
        terms = [(np.zeros_like(r), c, v) for r, c, v in self.terms]
        return Affine(1, terms, float(np.sum(np.broadcast_to(self.constant, self.rows))))

    def __eq__(self, other: Any) -> Relation:  # type: ignore[override]
        return Relation(self - other, 0.0, 0.0)

    def __le__(self, other: Any) -> Relation:
        return Relation(self - other, -np.inf, 0.0)

    def __ge__(self, other: Any) -> Relation:
        return Relation(self - other, 0.0, np.inf)

    __hash__ = None  # type: ignore[assignment]


@dataclass
class Relation:
    """Rows of a constraint: lower <= body <= upper, with `body` affine in the columns and sides that are numbers."""

    body: Affine
    lower: float
    upper: float


class _VarColumns:
    """What `m.charge_mw` is inside an expanded rule."""

    def __init__(self, block: Block) -> None:
        self._offset = block.first - (int(block.positions[0]) if len(block.positions) else 0)

    def __getitem__(self, i: Any) -> Affine:
        columns = np.atleast_1d(np.asarray(i)) + self._offset
        return Affine(len(columns), [(np.arange(len(columns)), columns, 1.0)])


class _ParamValues:
    def __init__(self, param: ArrayParam) -> None:
        self._values, self._first = param.values_array, param.first

    def __getitem__(self, i: Any) -> Any:
        return self._values[i - self._first]


class _VarValues:
    """What `m.charge_mw` is when a rule is evaluated on a solution."""

    def __init__(self, block: Block, x: Array) -> None:
        self._x, self._offset = x, block.first - (int(block.positions[0]) if len(block.positions) else 0)

    def __getitem__(self, i: Any) -> Any:
        return self._x[np.asarray(i) + self._offset]


class View:
    """A model seen through arrays: variables are columns (or the values `x`), parameters numbers."""

    def __init__(self, model: Any, variables: dict[str, Block], x: Array | None = None) -> None:
        self._model, self._variables, self._x = model, variables, x

    def __getattr__(self, name: str) -> Any:
        component = getattr(self._model, name)
        if isinstance(component, ArrayVar):
            block = self._variables[name]
            seen: Any = _VarColumns(block) if self._x is None else _VarValues(block, self._x)
        elif isinstance(component, ArrayParam):
            seen = _ParamValues(component)
        elif getattr(component, "ctype", None) is pyo.Param:
            seen = float(pyo.value(component))
        else:
            seen = component
        self.__dict__[name] = seen  # the next look-up is a plain attribute
        return seen


def expand(model: Any, *, keep_zeros: bool = False) -> Program:
    """Matrix form of `model`: `ArrayVar` as columns, `ArrayConstraint` as rows, `objective_terms` as cost.

    Objective terms are maximised in the model and therefore negated here. With `keep_zeros` a coefficient
    that happens to be zero keeps its place: models of one structure have one pattern, whatever their numbers.
    """
    variables = place(model.component_objects(pyo.Var, descend_into=False))
    declared = [getattr(model, name) for name in variables]
    constraints = list(model.component_objects(pyo.Constraint, active=True, descend_into=False))
    placed = place(constraints)
    view = View(model, variables)
    columns = sum(len(v.lower_values) for v in declared)
    cost, offset = _objective(model, view, columns)
    counts, column, value, row_lower, row_upper = _matrix(constraints, view, keep_zeros=keep_zeros)
    return Program(
        cost=cost,
        offset=offset,
        lower=_join([v.lower_values for v in declared]),
        upper=_join([v.upper_values for v in declared]),
        row_lower=row_lower,
        row_upper=row_upper,
        start=np.concatenate([[0], np.cumsum(counts)]).astype(np.int32),
        column=column,
        value=value,
        integer=_join([np.full(len(v.lower_values), v.integer) for v in declared]).astype(bool),
        variables=variables,
        constraints=placed,
    )


def extended(program: Program, model: Any) -> Program:
    """`program`, an expansion of `model`, with the variables and rows that have been added to this since.

    They come after all others and are in no objective. What `program` has is as it is there, changed or not.
    """
    variables = place(model.component_objects(pyo.Var, descend_into=False))
    constraints = list(model.component_objects(pyo.Constraint, active=True, descend_into=False))
    placed = place(constraints)
    declared = [getattr(model, name) for name in variables if name not in program.variables]
    fresh = [constraint for constraint in constraints if constraint.local_name not in program.constraints]
    counts, column, value, row_lower, row_upper = _matrix(fresh, View(model, variables), keep_zeros=False)
    integer = [np.full(len(v.lower_values), v.integer) for v in declared]
    return Program(
        cost=np.append(program.cost, np.zeros(sum(map(len, integer)))),
        offset=program.offset,
        lower=_join([program.lower, *(v.lower_values for v in declared)]),
        upper=_join([program.upper, *(v.upper_values for v in declared)]),
        row_lower=np.append(program.row_lower, row_lower),
        row_upper=np.append(program.row_upper, row_upper),
        start=np.append(program.start, program.start[-1] + np.cumsum(counts)).astype(np.int32),
        column=np.append(program.column, column).astype(np.int32),
        value=np.append(program.value, value),
        integer=_join([program.integer, *integer]).astype(bool),
        variables=variables,
        constraints=placed,
    )


def _matrix(constraints: list[Any], view: View, *, keep_zeros: bool) -> tuple[Array, Array, Array, Array, Array]:
    """(entries of each row, their columns and coefficients, lower and upper sides) of all rows of `constraints`."""
    bodies = [relation_of(constraint, view) for constraint in constraints]
    matrix = [_row_major(relation.body, keep_zeros) for relation in bodies]
    return (
        np.concatenate([m[0] for m in matrix]) if matrix else np.zeros(0, dtype=np.int64),
        _join([m[1] for m in matrix]).astype(np.int32),
        _join([m[2] for m in matrix]),
        _join([_side(r, r.lower) for r in bodies]),
        _join([_side(r, r.upper) for r in bodies]),
    )


def term_costs(model: Any, rules: list[tuple[float, Any, Any]], program: Program) -> Array:
    """Cost vector (to be minimised) of other objective terms over the columns of `program`."""
    return _costs(View(model, program.variables), rules, program.columns)[0]


def term_values(model: Any, rule: Any, index: Any, program: Program, x: Array) -> Array:
    """A ledger rule evaluated on the solution `x`: one value per member of `index`."""
    positions = members(index)
    return np.broadcast_to(rule(View(model, program.variables, x), positions), len(positions))


def _objective(model: Any, view: View, columns: int) -> tuple[Array, float]:
    return _costs(view, model.objective_terms, columns)


def _costs(view: View, terms: list[tuple[float, Any, Any]], columns: int) -> tuple[Array, float]:
    cost, offset = np.zeros(columns), 0.0
    for weight, rule, index in terms:
        body = rule(view, members(index))
        if not isinstance(body, Affine):
            offset -= weight * float(np.sum(body))
            continue
        for _, cols, coefficients in body.terms:
            np.subtract.at(cost, cols, weight * np.broadcast_to(coefficients, len(cols)))
        offset -= weight * float(np.sum(np.broadcast_to(body.constant, body.rows)))
    return cost, offset


def place(components: Any) -> dict[str, Block]:
    """Where each of `components` stands in the matrix, by name, one after the other."""
    blocks, first = {}, 0
    for component in components:
        positions = members(component.index_set())
        name, index = component.local_name, component.index_set().local_name
        blocks[name] = Block(name, index, first, positions, component.meaning, component.battery)
        first += len(positions)
    return blocks


def relation_of(constraint: ArrayConstraint, view: View) -> Relation:
    """All rows of a constraint in the columns of `view`."""
    positions = members(constraint.index_set())
    if not constraint.by_member:
        relation: Relation = constraint.array_rule(view, positions)
        return relation
    single = [constraint.array_rule(view, int(i)) for i in positions]
    terms = [
        (np.full(len(cols), row), cols, np.broadcast_to(coefs, len(cols)))
        for row, relation in enumerate(single)
        for _, cols, coefs in relation.body.terms
    ]
    constant = np.array([float(np.sum(relation.body.constant)) for relation in single])
    body = Affine(
        len(single), [(_join([t[0] for t in terms]), _join([t[1] for t in terms]), _join([t[2] for t in terms]))]
    )
    body.constant = constant
    return Relation(body, single[0].lower, single[0].upper)


def _side(relation: Relation, side: float) -> Array:
    return side - np.broadcast_to(np.asarray(relation.body.constant, dtype=float), relation.body.rows)


def _row_major(body: Affine, keep_zeros: bool) -> tuple[Array, Array, Array]:
    """(entries per row, columns, coefficients) in row order, duplicates merged, zeros left out or kept."""
    rows = _join([r for r, _, _ in body.terms])
    columns = _join([c for _, c, _ in body.terms])
    values = _join([np.broadcast_to(np.asarray(v, dtype=float), len(c)) for _, c, v in body.terms])
    order = np.lexsort((columns, rows))
    rows, columns, values = rows[order], columns[order], values[order]
    same = (rows[1:] == rows[:-1]) & (columns[1:] == columns[:-1])
    if same.any():
        starts = np.flatnonzero(np.concatenate([[True], ~same]))
        values = np.add.reduceat(values, starts)
        rows, columns = rows[starts], columns[starts]
    if not keep_zeros:
        keep = values != 0.0
        rows, columns, values = rows[keep], columns[keep], values[keep]
    return np.bincount(rows.astype(np.int64), minlength=body.rows), columns, values


def _join(parts: list[Array]) -> Array:
    return np.concatenate(parts) if parts else np.zeros(0)
