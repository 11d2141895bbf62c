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
def imports(path: Path) -> list[str]:
    """The package's modules that a file imports, wherever in it; imports for type checking alone do not count."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
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
                found.append(deeper if deeper in known else module)
    return found


@pytest.mark.parametrize("name", sorted(modules()))
def test_imports_go_down(name: str) -> None:
    for target in imports(modules()[name]):
        assert target, f"bess_opt.{name} imports through the package root"
        if folder(target) == folder(name):
            continue
        assert level(target) < level(name), f"bess_opt.{name} imports {target}, which is not below it"


def test_no_cycle() -> None:
    graph = {n: {t for t in imports(p) if t != n} for n, p in modules().items()}
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
