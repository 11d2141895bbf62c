"""What a component means is said where it is declared, and known wherever a plan is explained or refused."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest
from support.cases import case
from support.models import all_variants, wanted
from support.places import ROOT

import bess_opt as bo
from bess_opt.dispatch.optimum.bring_back import prepare
from bess_opt.models.assemble import model_of
from bess_opt.models.one_way import add_one_way, pairs_of
from bess_opt.plant.flows import BatteryFlows, Flows, flows_named
from bess_opt.plant.plant import Plant

OF_VARIABLES, OF_ROWS = {"flow", "segment", "gauge", "choice"}, {"law", "limit", "gauge", "cut"}

QUIET = '''
from dataclasses import replace

from bess_opt.models.components import ArrayConstraint
from bess_opt.models.meaning import Meaning
from bess_opt.strategies.arbitrage import STRATEGY as ARBITRAGE

MEANING = Meaning("quiet hours", stated_at="strategy.quiet", words="quiet hours, in which little is sold")


def little_is_sold(m, t):
    """export[t] <= 0.25."""
    return m.export_mw[t] <= 0.25


def build(m, plant, options):
    m.quiet = ArrayConstraint(m.steps, rule=little_is_sold, meaning=MEANING)
    return ARBITRAGE.build(m, plant, options)


STRATEGY = replace(ARBITRAGE, name="quiet", build=build)
'''


@pytest.fixture
def quiet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "quiet.py").write_text(QUIET, encoding="utf-8")
    monkeypatch.setenv("BESS_OPT_STRATEGIES", str(tmp_path))
    return "quiet"


def test_a_row_of_a_strategy_binds_by_its_cause(quiet: str) -> None:
    plan = bo.optimize(case(price_per_mwh=[10.0, 10.0, 90.0, 90.0], strategy=quiet).scenario())
    binds = plan.explain()["binds"].tolist()
    assert plan.schedule["export_mw"].max() == pytest.approx(0.25)
    assert [("quiet hours" in text) for text in binds] == [False, False, True, True]


def test_a_row_of_a_strategy_is_named_where_it_leaves_no_plan(quiet: str) -> None:
    of = case(
        price_per_mwh=[10.0] * 4,
        solar_mw=[2.0] * 4,
        strategy=quiet,
        battery={"power_mw": 0.1, "duration_h": 1.0},
        site={"curtailment": False},
    )
    with pytest.raises(bo.InfeasibleError) as raised:
        bo.optimize(of.scenario())
    reason = raised.value.reasons[0]
    assert reason.code == "limits_in_conflict"
    assert "quiet hours, in which little is sold" in reason.expected


def of_scenarios() -> Iterator[tuple[str, Any, Plant]]:
    """(label, model, plant) of each scenario that comes with the package."""
    for folder in sorted((ROOT / "scenarios").glob("*/scenario.toml")):
        plant, active = prepare(bo.load(folder.parent))
        m, _ = model_of(plant, active)
        add_one_way(m, plant, pairs_of(plant))
        yield folder.parent.name, m, plant


def of_variants(every: int) -> Iterator[tuple[str, Any, Plant]]:
    """The same of every so many-th kind of site, topology and strategy."""
    for label, of, one_way in itertools.islice(all_variants(), 0, None, every):
        yield label, wanted(of, one_way=one_way)[0], prepare(of.scenario()).plant


def test_every_component_of_the_scenarios_has_a_meaning() -> None:
    for label, m, plant in itertools.chain(of_scenarios(), of_variants(8)):
        means_something(label, m, plant)


@pytest.mark.second_tier
def test_every_component_of_every_kind_of_site_has_a_meaning() -> None:
    for label, m, plant in of_variants(1):
        means_something(label, m, plant)


def means_something(label: str, m: Any, plant: Plant) -> None:
    """Each component says what it is, whose, and what it limits; a plan's flows are those that are decided."""
    components = list(m.component_objects((pyo.Var, pyo.Constraint)))
    variables = [component for component in components if component.ctype is pyo.Var]
    for component in components:
        where, kinds = (label, component.local_name), OF_VARIABLES if component.ctype is pyo.Var else OF_ROWS
        assert component.meaning.kind in kinds, where
        assert component.battery == component.local_name.rpartition(".")[0], where
    for variable in variables:
        assert variable.integer == (variable.meaning.kind == "choice"), (label, variable.local_name)
        limit = variable.meaning.limit
        if limit is not None and limit.stated_at.startswith("site."):
            assert limit.stated_at.removeprefix("site.") in bo.Site.model_fields, (label, variable.local_name)
    decided = {v.local_name: v.meaning.flow for v in variables if v.meaning.kind == "flow"}
    assert decided == {name: name.rpartition(".")[2] for name in decided}, label
    none = np.zeros(plant.steps)
    each = tuple(BatteryFlows(none, none, none) for _ in plant.batteries)
    assert set(decided) <= set(flows_named(plant, Flows(each, *[none] * 7))), label
    own = {f"{battery.prefix}{name}" for battery in plant.batteries for name in BatteryFlows.__dataclass_fields__}
    assert own <= set(decided), label
