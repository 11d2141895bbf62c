"""A plan that an older version saved: what is said when it is loaded, and how it is renewed.

`of_an_older_version/` is as bess_opt wrote it before its files had seals: a rule's plan of three hours.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import bess_opt as bo

OLD = Path(__file__).with_name("of_an_older_version")


def test_an_older_plan_is_refused_with_the_way_to_renew_it() -> None:
    """A scenario now says more than it did then, so that nobody can tell it from one that was changed."""
    with pytest.raises(bo.ScenarioError, match=r"written by another version: solve .*scenario again") as raised:
        bo.load_dispatch(OLD)
    assert str(OLD / "scenario") in str(raised.value)


def test_its_scenario_is_read_and_gives_the_same_plan(tmp_path: Path) -> None:
    """The way to renew it: run the saved scenario again and save what comes of it."""
    plan = bo.simulate(bo.load(OLD / "scenario"))
    told = json.loads((OLD / "metrics.json").read_text(encoding="utf-8"))
    ours = plan.metrics.to_dict()
    assert len(told) > 30
    for name, value in told.items():
        assert ours[name] == (pytest.approx(value, rel=1e-12) if isinstance(value, float) else value), name
    plan.save(tmp_path / "renewed")
    assert bo.load_dispatch(tmp_path / "renewed").metrics == plan.metrics
