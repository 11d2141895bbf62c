"""The array form equals what Pyomo's own compiler makes of the same model: rows, bounds, costs, kinds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest
from pyomo.repn import generate_standard_repn
from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler
from support.cases import Case, random_case
from support.models import DEMAND, all_variants, close, everything, nonzero, physical, tiny, upright, wanted

from bess_opt.models import assemble
from bess_opt.models.one_way import add_one_way, pairs_of
from bess_opt.plant.from_scenario import plant_of
from bess_opt.solver.expand import expand, extended, term_costs, term_values
from bess_opt.solver.program import Program

VARIANTS = {label: (of, True) for label, of, one_way in all_variants() if one_way}
VARIANTS |= {
    f"random-{seed}-{one_way}": (random_case(seed), one_way) for seed in range(12) for one_way in (False, True)
}
VARIANTS |= {
    f"random-shift-{seed}": (
        random_case(seed).but(strategy={"name": "time_shift", "window": ["19:00", "21:00"]}),
        True,
    )
    for seed in range(40, 60)
    if any("solar" in column for column in random_case(seed).series)
}
Rows = dict[tuple[str, int], tuple[float, float, dict[str, float]]]


def rows_of(program: Program) -> Rows:
    """(lower, upper, entries by variable) of each row, by (constraint, index)."""
    found: Rows = {}
    for row in range(program.rows):
        span = slice(program.start[row], program.start[row + 1])
        entries = {
            "{}[{}]".format(*program.column_name(int(c))): float(v)
            for c, v in zip(program.column[span], program.value[span], strict=True)
        }
        found[program.row_name(row)] = (float(program.row_lower[row]), float(program.row_upper[row]), entries)
    return found


def plain(variable: Any) -> str:
    """A variable's name without the quotes that Pyomo puts around a battery's name and its point."""
    return str(variable.name).replace("'", "")


def rows_by_pyomo(m: Any) -> Rows:
    """The same from Pyomo's standard representation of each member."""
    found: Rows = {}
    for component in m.component_objects(pyo.Constraint, active=True):
        for index, member in component.items():
            repn = generate_standard_repn(member.body)
            assert repn.is_linear()
            entries = {plain(v): float(c) for v, c in zip(repn.linear_vars, repn.linear_coefs, strict=True)}
            bounds = (pyo.value(member.lower), pyo.value(member.upper))
            low, high = (
                s if b is None else b - repn.constant for b, s in zip(bounds, (-np.inf, np.inf), strict=True)
            )
            found[component.local_name, index] = (low, high, entries)
    return found


@pytest.mark.parametrize(("of", "one_way"), VARIANTS.values(), ids=VARIANTS)
def test_rows_are_those_of_pyomo(of: Case, one_way: bool) -> None:
    m, _ = wanted(of, one_way=one_way)
    ours, theirs = rows_of(expand(m)), rows_by_pyomo(m)
    assert ours.keys() == theirs.keys()
    for name in ours:
        (low, high, entries), expected = upright(*ours[name]), upright(*theirs[name])
        assert np.allclose([low, high], expected[:2], rtol=1e-12, atol=1e-12), name
        assert close(entries, expected[2]), name


@pytest.mark.parametrize(("of", "one_way"), VARIANTS.values(), ids=VARIANTS)
def test_columns_are_those_of_pyomo(of: Case, one_way: bool) -> None:
    """Bounds and integrality; no variable is missing and none is made up."""
    m, _ = wanted(of, one_way=one_way)
    program = expand(m)
    names = set()
    for column in range(program.columns):
        name, index = program.column_name(column)
        variable = m.component(name)[index]
        low, high = variable.bounds
        assert program.lower[column] == (-np.inf if low is None else low), variable.name
        assert program.upper[column] == (np.inf if high is None else high), variable.name
        assert program.integer[column] == variable.is_integer(), variable.name
        names.add(variable.name)
    assert len(names) == program.columns == sum(len(v.index_set()) for v in m.component_objects(pyo.Var))


@pytest.mark.parametrize(("of", "one_way"), VARIANTS.values(), ids=VARIANTS)
def test_costs_are_those_of_pyomo(of: Case, one_way: bool) -> None:
    """Each objective in turn, constant included; minimised here, maximised there."""
    m, objectives = wanted(of, one_way=one_way)
    for objective in objectives:
        m.objective_terms = objective
        program = expand(m)
        assemble.add_objective(m)
        repn = generate_standard_repn(m.objective.expr)
        m.del_component(m.objective)
        assert repn.is_linear()
        costs = {"{}[{}]".format(*program.column_name(c)): -float(program.cost[c]) for c in range(program.columns)}
        theirs = {plain(v): float(c) for v, c in zip(repn.linear_vars, repn.linear_coefs, strict=True)}
        assert close(nonzero(costs), nonzero(theirs))
        assert np.isclose(-program.offset, repn.constant, rtol=1e-12, atol=1e-9)
        assert np.array_equal(term_costs(m, objective, program), program.cost)


@pytest.mark.parametrize("seed", range(12))
def test_what_is_added_later_stands_as_if_all_were_expanded_at_once(seed: int) -> None:
    """The one-way rule, added in two goes; a bound that was changed in between stays as it is."""
    of = random_case(seed)
    plant, (m, _) = plant_of(of.scenario()), wanted(of, one_way=False)
    first = expand(m)
    first.upper[:3] = 0.25
    pairs = pairs_of(plant)
    for some in (pairs[:1], pairs):
        add_one_way(m, plant, some)
        ours, whole = extended(first, m), expand(m)
        whole.upper[:3] = 0.25
        for name in vars(whole):
            if name in ("variables", "constraints"):
                assert list(getattr(ours, name)) == list(getattr(whole, name))
                assert [b.first for b in getattr(ours, name).values()] == [
                    b.first for b in getattr(whole, name).values()
                ]
            else:
                assert np.array_equal(getattr(ours, name), getattr(whole, name)), name
                assert np.asarray(getattr(ours, name)).dtype == np.asarray(getattr(whole, name)).dtype, name


@pytest.mark.parametrize("topology", ["parallel_ac", "series_dc", "hybrid"])
def test_matrix_is_that_of_the_standard_form_compiler(topology: str) -> None:
    """The compiler that Pyomo hands to solvers, for one model with everything on."""
    of = everything(
        topology,
        "arbitrage",
        site={"grid_charging": False, "battery_export": False},
        battery={"max_cycles_per_day": 1.0},
    )
    m, _ = wanted(of, one_way=True)
    program = expand(m)
    assemble.add_objective(m)
    form = LinearStandardFormCompiler().write(m, mixed_form=True)
    ours = {"{}[{}]".format(*name): upright(*row) for name, row in rows_of(program).items()}
    column_of = {"{}[{}]".format(*program.column_name(c)): c for c in range(program.columns)}
    order = [column_of[v.name] for v in form.columns]
    assert len(form.rows) == program.rows
    matrix = form.A.toarray()
    for place, (constraint, sense) in enumerate(form.rows):
        side = form.rhs[place]
        bounds = {-1: (side, np.inf), 0: (side, side), 1: (-np.inf, side)}[sense]
        entries = {v.name: float(c) for v, c in zip(form.columns, matrix[place], strict=True)}
        low, high, expected = upright(*bounds, entries)
        assert np.allclose(ours[constraint.name][:2], (low, high), rtol=1e-12, atol=1e-12), constraint.name
        assert close(ours[constraint.name][2], expected), constraint.name
    assert np.allclose(program.cost[order], form.c.toarray()[0], rtol=1e-12, atol=1e-12)


def test_a_ledger_rule_has_the_same_value_in_both_forms() -> None:
    """Each term evaluated on arrays equals the Pyomo expression with the same values in its variables."""
    m, _ = wanted(
        everything("hybrid", "arbitrage", battery={"soc_end": {"value_per_mwh": 12.0}}, tariff={"demand": DEMAND})
    )
    program = expand(m)
    x = np.random.default_rng(5).uniform(0.0, 1.0, program.columns)
    for column in range(program.columns):
        name, index = program.column_name(column)
        m.component(name)[index].set_value(x[column], skip_validation=True)
    assert {term.line for term in m.ledger} == {"energy", "wear", "variable_om", "unserved", "stored_value", "demand"}
    for term in m.ledger:
        theirs = [pyo.value(term.rule(m, i)) for i in term.index]
        assert np.allclose(term_values(m, term.rule, term.index, program, x), theirs)


def test_the_comparison_can_fail() -> None:
    """A coefficient that is off in the array form is seen."""
    m = physical(tiny())
    program = expand(m)
    program.value[0] *= 1.001
    ours, theirs = rows_of(program), rows_by_pyomo(m)
    assert not all(close(upright(*ours[name])[2], upright(*theirs[name])[2]) for name in ours)


# ------------------------------------------------------------------------------------- members on demand


def test_expansion_touches_no_member() -> None:
    """The array form needs no member of any component; at a year's length that is what makes it quick."""
    m, _ = wanted(everything("hybrid", "arbitrage"), one_way=True)
    expand(m)
    for component in m.component_objects((pyo.Var, pyo.Constraint, pyo.Param)):
        if component.is_indexed():
            assert len(component._data) == 0, component.name


def test_touching_a_member_creates_just_that_one() -> None:
    m = physical(tiny(steps=3))
    m.charge_mw[1].fix(0.5)
    assert list(m.charge_mw._data) == [1]
    member = m.energy_balance[2]
    assert list(m.energy_balance._data) == [2]
    assert m.energy_balance[2] is member
    assert set(m.charge_mw._data) == {1, 2}
    assert set(m.energy_mwh._data) == {2, 3}
    assert pyo.value(m.load_mw[1]) == 2.0


def test_length_and_iteration_see_all_members() -> None:
    """As with plain Pyomo: members that nobody touched yet are counted too."""
    m = physical(tiny(steps=3))
    assert len(m.energy_balance) == 3
    assert [i for i in physical(tiny(steps=3)).ac_balance] == [0, 1, 2]  # noqa: C416
    assert len(list(physical(tiny(steps=3)).ac_balance.values())) == 3
    with pytest.raises(KeyError):
        m.charge_mw[3]


def test_the_lp_writer_writes_the_whole_model(tmp_path: Any) -> None:
    """Pyomo's writer sees every row and column although none was touched before."""
    m, _ = wanted(everything("series_dc", "arbitrage"), one_way=True)
    program = expand(m)
    assemble.add_objective(m)
    m.write(str(tmp_path / "model.lp"), io_options={"symbolic_solver_labels": True})
    text = (tmp_path / "model.lp").read_text()
    for row in range(program.rows):
        assert "_{}({})_".format(*program.row_name(row)) in text
    for column in range(program.columns):
        assert "{}({})".format(*program.column_name(column)) in text


def test_the_written_model_has_the_optimum_of_the_package(tmp_path: Any) -> None:
    """HiGHS reads Pyomo's LP file and finds the plan's objective: both ways lead to one model."""
    import highspy

    of = everything("series_dc", "arbitrage")
    m, _ = wanted(of, one_way=True)
    assemble.add_objective(m)
    m.write(str(tmp_path / "model.lp"), io_options={"symbolic_solver_labels": True})
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.readModel(str(tmp_path / "model.lp"))
    solver.run()
    assert of.optimize().report.objective == pytest.approx(solver.getInfo().objective_function_value, rel=1e-6)
