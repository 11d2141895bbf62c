"""Pyomo's unit checks: what is added has one unit, in every constraint and every term of every objective."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo
import pytest
from pyomo.core.base.units_container import UnitsError
from pyomo.util.check_units import assert_units_consistent, assert_units_equivalent
from support.cases import Case
from support.models import all_variants, physical, tiny, wanted

from bess_opt.models import assemble
from bess_opt.models.units import CURRENCY, MW, MWH

VARIANTS = {label: of for label, of, one_way in all_variants() if one_way}


@pytest.mark.parametrize("of", VARIANTS.values(), ids=VARIANTS)
def test_constraints_and_objectives_are_consistent(of: Case) -> None:
    """MW beside MWh, or a price without a step in hours, fails here (rule 3)."""
    m, objectives = wanted(of, one_way=True)
    for name in m.component_map(pyo.Constraint):
        m.component(name).create_members()
    assert_units_consistent(m)
    for objective in objectives:
        m.objective_terms = objective
        assemble.add_objective(m)
        assert_units_consistent(m.objective)
        m.del_component(m.objective)


@pytest.mark.parametrize("of", VARIANTS.values(), ids=VARIANTS)
def test_every_ledger_term_is_money(of: Case) -> None:
    m, _ = wanted(of, one_way=True)
    for term in m.ledger:
        assert_units_equivalent(term.rule(m, next(iter(term.index))), CURRENCY.of_pyomo)


def _power_for_energy(m: Any) -> Any:
    return m.energy_mwh[1] == m.energy_mwh[0] + m.charge_mw[0]


def _price_without_hours(m: Any) -> Any:
    return m.import_price[0] * m.import_mw[0] <= 1.0 * CURRENCY.of_pyomo


@pytest.mark.parametrize("wrong", [_power_for_energy, _price_without_hours])
def test_the_check_can_fail(wrong: Any) -> None:
    m = physical(tiny())
    m.wrong = pyo.Constraint(rule=wrong)
    with pytest.raises(UnitsError):
        assert_units_consistent(m)


def test_variables_carry_their_units() -> None:
    m = physical(tiny())
    assert_units_equivalent(m.charge_mw[0], MW.of_pyomo)
    assert_units_equivalent(m.energy_mwh[0], MWH.of_pyomo)
