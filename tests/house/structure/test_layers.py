"""The house keeps its order: imports go down or sideways, never through the package root, never in a circle."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

import bess_opt

PACKAGE = Path(bess_opt.__file__).parent

# The folders in the order in which data flows; those that share a line do not import each other.
ORDER: list[set[str]] = [
    {"common"},
    {"plots", "inputs"},
    {"plant"},
    {"models"},
    {"solver", "strategies"},
    {"dispatch"},
    {"investment"},
    {"comparison"},
    {"interfaces"},
    {"__main__"},
]

# Arrows that still point up, to be turned round.
UPWARD = {
    ("common.html", "comparison.compare"),
    ("common.html", "dispatch.result"),
    ("common.html", "inputs.scenario"),
    ("common.html", "inputs.series.time_axis"),
    ("common.html", "investment.lifetime.financials"),
    ("common.html", "investment.sizing.key_figures"),
    ("common.html", "investment.sizing.size"),
    ("common.html", "plots.cash_flow"),
    ("common.html", "plots.page"),
    ("common.html", "plots.sizing"),
    ("common.html", "plots.week"),
    ("common.wording", "comparison.compare"),
    ("common.wording", "dispatch.result"),
    ("common.wording", "inputs.battery"),
    ("common.wording", "inputs.scenario"),
    ("plots.sensitivity", "investment.sizing.objective_units"),
    ("plots.sensitivity", "investment.sizing.sensitivity"),
    ("plots.sizing", "investment.sizing.objective_units"),
    ("plots.sizing_curve", "investment.sizing.objective_units"),
    ("plots.sizing_map", "investment.sizing.objective_units"),
}  # fmt: skip


@cache
def modules() -> dict[str, Path]:
    names = {}
    for path in PACKAGE.rglob("*.py"):
        parts = list(path.relative_to(PACKAGE).with_suffix("").parts)
        if parts[-1] == "__init__":
            parts.pop()
        if parts:
            names[".".join(parts)] = path
    return names


def folder(name: str) -> str:
    return name.split(".")[0]


def level(name: str) -> int:
    for number, folders in enumerate(ORDER):
        if folder(name) in folders:
            return number
    raise AssertionError(f"bess_opt.{name} stands in no folder of the house")


@cache
def imports(path: Path) -> list[tuple[str, bool]]:
    """(module of the package, whether at the top of the file) for every import."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inner = {id(n) for f in ast.walk(tree) if isinstance(f, ast.FunctionDef) for n in ast.walk(f)}
    typing = {
        id(n)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for n in ast.walk(block)
    }
    known = modules()
    found = []
    for node in ast.walk(tree):
        if id(node) in typing:
            continue
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "bess_opt":
            module = ".".join(node.module.split(".")[1:])
            for alias in node.names:
                deeper = f"{module}.{alias.name}" if module else alias.name
                found.append((deeper if deeper in known else module, id(node) not in inner))
    return found


@pytest.mark.parametrize("name", sorted(modules()))
def test_imports_go_down(name: str) -> None:
    for target, _ in imports(modules()[name]):
        assert target, f"bess_opt.{name} imports through the package root"
        if (name, target) in UPWARD or folder(target) == folder(name):
            continue
        assert level(target) < level(name), f"bess_opt.{name} imports {target}, which is not below it"


def test_upward_exceptions_exist() -> None:
    found = {(name, target) for name, path in modules().items() for target, _ in imports(path)}
    assert found >= UPWARD


def test_no_cycle() -> None:
    graph = {n: {t for t, top in imports(p) if top and t != n} for n, p in modules().items()}
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, f"import cycle: {' -> '.join((*path, name))}"
        if name in done:
            return
        for target in graph.get(name, ()):
            visit(target, (*path, name))
        done.add(name)

    for name in graph:
        visit(name, ())


@pytest.mark.parametrize("name", sorted(modules()))
def test_no_assert_and_no_print(name: str) -> None:
    tree = ast.parse(modules()[name].read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        assert not isinstance(node, ast.Assert), f"bess_opt.{name}:{node.lineno} asserts"
        printing = isinstance(node, ast.Call) and getattr(node.func, "id", "") == "print"
        assert not printing, f"bess_opt.{name}:{getattr(node, 'lineno', 0)} prints"
