"""Broken folders of several batteries, clauses and outages: refused with place and remedy, or planned right.

A plan is audited where it is made, against the numbers of the scenario and not against the model that was solved.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from support.mutated_sites import CHANGES, site_mutant

import bess_opt as bo

FEW, MANY = range(40), range(40, 2_040)


def check(seed: int, folder: Path) -> str:
    """What became of mutant `seed`: refused, infeasible or planned; nothing else may."""
    site_mutant(seed, folder)
    try:
        scenario = bo.load(folder)
        plan = bo.optimize(scenario)
    except bo.InfeasibleError as error:
        named = error.reasons
        kind = "infeasible"
    except (bo.ScenarioError, bo.StrategyError) as error:
        named = getattr(error, "problems", [])
        kind = "refused"
    except bo.SolveError as error:  # a limit on time that is too short
        named, kind = [], "limited" if "time_limit_s" in str(error) else "failed"
    else:
        assert plan.report is not None
        assert plan.report.gap <= scenario.solver.rel_gap, seed
        return "planned"
    assert named or kind in ("refused", "limited"), (seed, kind)
    for finding in named:
        assert finding.where, (seed, finding)
        assert finding.found, (seed, finding)
        assert finding.expected, (seed, finding)
    return kind


def check_all(seeds: range, folder: Path) -> None:
    found = [check(seed, folder / "site") for seed in seeds]
    assert {"refused", "planned"} <= set(found)
    assert found.count("planned") < len(found) * 0.8


def test_the_sound_folder_is_planned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("support.mutated_sites.CHANGES", (lambda _rng, _folder: None,))
    assert check(0, tmp_path / "site") == "planned"
    assert len(CHANGES) > 1


def test_some_mutants(tmp_path: Path) -> None:
    check_all(FEW, tmp_path)


@pytest.mark.second_tier
@pytest.mark.parametrize("block", range(20))
def test_two_thousand_mutants(block: int, tmp_path: Path) -> None:
    check_all(MANY[100 * block : 100 * (block + 1)], tmp_path)
