"""Every mistake that was once made has tests that would show it again, and they are there by name."""

from __future__ import annotations

import ast
import tomllib

import pytest
from support.places import ROOT

TESTS = ROOT / "tests"
MISTAKES = tomllib.loads((TESTS / "proofs" / "mistakes.toml").read_text(encoding="utf-8"))


def test_they_are_counted_without_a_hole() -> None:
    assert [int(number) for number in MISTAKES] == list(range(1, len(MISTAKES) + 1))
    assert len(MISTAKES) >= 45


@pytest.mark.parametrize("number", MISTAKES)
def test_each_is_held_by_tests_that_are_there(number: str) -> None:
    held = {file: names for file, names in MISTAKES[number].items() if file != "was"}
    assert held
    for file, names in held.items():
        tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
        there = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        assert names
        assert set(names) <= there, (file, sorted(set(names) - there))
