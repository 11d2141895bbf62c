"""Matrices of three-line models worked out by hand: offsets of index sets, merged entries, constants, nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest

from bess_opt.models.components import ArrayConstraint, ArrayParam, ArrayVar
from bess_opt.solver.expand import Affine, expand, term_costs, term_values


def model(*steps: int) -> Any:
    """Variables x and y over `steps` (y after x), which need not begin at 0; their double as a parameter."""
    m = pyo.ConcreteModel()
    m.steps = pyo.Set(initialize=steps, dimen=1)
    m.x = ArrayVar(m.steps, doc="first")
    m.y = ArrayVar(m.steps, doc="second")
    m.double = ArrayParam(m.steps, [2.0 * step for step in steps], doc="twice the step")
    m.objective_terms = []
    return m


def matrix(program: Any) -> np.ndarray:
    dense = np.zeros((program.rows, program.columns))
    for row in range(program.rows):
        for entry in range(program.start[row], program.start[row + 1]):
            dense[row, program.column[entry]] += program.value[entry]
    return dense


def test_an_index_that_begins_later_has_its_own_places() -> None:
    """x and y of steps 3, 4, 5 are columns 0 to 5; the parameter of step 4 is 8."""
    m = model(3, 4, 5)
    m.row = ArrayConstraint(m.steps, rule=lambda m, t: m.y[t] * m.double[t] + m.x[t] <= 1.0)
    program = expand(m)
    assert matrix(program).tolist() == [[1, 0, 0, 6, 0, 0], [0, 1, 0, 0, 8, 0], [0, 0, 1, 0, 0, 10]]
    assert [program.column_name(c) for c in (0, 4)] == [("x", 3), ("y", 4)]
    assert program.row_name(2) == ("row", 5)


def test_a_rule_on_a_solution_reads_the_same_places() -> None:
    m = model(3, 4, 5)
    m.row = ArrayConstraint(m.steps, rule=lambda m, t: m.x[t] <= 1.0)
    x = np.array([1.0, 2.0, 3.0, 10.0, 20.0, 30.0])
    values = term_values(m, lambda m, t: m.y[t] - m.double[t] * m.x[t], m.steps, expand(m), x)
    assert values.tolist() == [10.0 - 6.0, 20.0 - 16.0, 30.0 - 30.0]


def test_a_variable_that_stands_twice_in_a_row_has_one_entry() -> None:
    """x + y + 2x - y in three rows: 3 for x, nothing for y; kept as nought where the pattern must stay."""
    m = model(0, 1, 2)
    m.row = ArrayConstraint(m.steps, rule=lambda m, t: m.x[t] + m.y[t] + 2.0 * m.x[t] - m.y[t] <= 1.0)
    program = expand(m)
    assert program.column.tolist() == [0, 1, 2]
    assert program.value.tolist() == [3.0, 3.0, 3.0]
    assert program.start.tolist() == [0, 1, 2, 3]
    kept = expand(m, keep_zeros=True)
    assert kept.column.tolist() == [0, 3, 1, 4, 2, 5]
    assert kept.value.tolist() == [3.0, 0.0, 3.0, 0.0, 3.0, 0.0]


def test_one_row_beside_many_stands_in_each() -> None:
    """A sum over all steps less the own step, which way round it is written."""
    total = Affine(3, [(np.arange(3), np.arange(3), 1.0)]).sum()
    single = Affine(3, [(np.arange(3), np.arange(3), 1.0)])
    for both in (total + single, single + total):
        assert both.rows == 3
        dense = np.zeros((3, 3))
        for rows, columns, values in both.terms:
            np.add.at(dense, (rows, columns), np.broadcast_to(values, len(rows)))
        assert dense.tolist() == [[2, 1, 1], [1, 2, 1], [1, 1, 2]]


def test_a_term_without_variables_is_an_offset() -> None:
    """2 per step of (3, 4) and 5 x step, weight 3 and maximised: the minimised offset is -3 (2 + 2) - 3 (15 + 20)."""
    m = model(3, 4)
    m.row = ArrayConstraint(m.steps, rule=lambda m, t: m.x[t] <= 1.0)
    m.objective_terms = [
        (3.0, lambda m, t: m.double[t] * 0.0 + 2.0, m.steps),
        (3.0, lambda m, t: m.x[t] + 5.0 * t, m.steps),
    ]
    program = expand(m)
    assert program.offset == pytest.approx(-12.0 - 105.0)
    assert program.cost.tolist() == [-3.0, -3.0, 0.0, 0.0]
    assert term_costs(m, m.objective_terms, program).tolist() == program.cost.tolist()


def test_a_model_without_rows_is_a_program_without_rows() -> None:
    program = expand(model(0, 1))
    assert (program.rows, program.columns) == (0, 4)
    assert program.start.tolist() == [0]
    assert (len(program.column), len(program.value)) == (0, 0)


def test_members_of_an_index_that_begins_later_have_their_own_numbers() -> None:
    """Steps 3, 4, 5: the bounds and the parameter that Pyomo shows for step 4 are the second ones."""
    m = model(3, 4, 5)
    m.z = ArrayVar(m.steps, lower=[-1.0, -2.0, -np.inf], upper=[1.0, np.inf, 3.0], doc="bounded")
    assert [m.z[step].bounds for step in (3, 4, 5)] == [(-1.0, 1.0), (-2.0, None), (None, 3.0)]
    assert [pyo.value(m.double[step]) for step in (3, 4, 5)] == [6.0, 8.0, 10.0]


def test_a_constraint_shows_the_equation_of_its_rule() -> None:
    """Pyomo's listing of a model is then its documentation; a rule without a docstring has nothing to show."""

    def cap(m: Any, t: Any) -> Any:
        """x[t] <= 1."""
        return m.x[t] <= 1.0

    m = model(3, 4)
    m.cap = ArrayConstraint(m.steps, rule=cap)
    m.plain = ArrayConstraint(m.steps, rule=lambda m, t: m.x[t] <= 1.0)
    assert (m.cap.doc, m.plain.doc) == ("x[t] <= 1.", "")


def test_members_come_into_being_once_and_only_when_touched() -> None:
    """Counting a constraint brings all of them; one that is deleted then does not come back."""
    m = model(3, 4, 5)
    m.row = ArrayConstraint(m.steps, rule=lambda m, t: m.x[t] <= 1.0)
    assert m.row[4].body is m.x[4]
    assert len(m.row) == 3
    del m.row[4]
    assert (len(m.row), list(m.row)) == (2, [3, 5])


def test_an_index_without_a_name_is_constructed_with_its_constraint() -> None:
    """A set written in the call holds for its two steps, in the matrix and member by member."""
    m = model(3, 4, 5)
    m.row = ArrayConstraint(pyo.Set(initialize=[4, 5]), rule=lambda m, t: m.x[t] <= 1.0)
    assert matrix(expand(m)).tolist() == [[0, 1, 0, 0, 0, 0], [0, 0, 1, 0, 0, 0]]
    assert list(m.row) == [4, 5]
