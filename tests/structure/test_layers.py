"""The house keeps its order: imports go down or sideways, never through the package root, never in a circle."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

import bess_opt

PACKAGE = Path(bess_opt.__file__).parent

LAYERS: list[set[str]] = [
    {"errors", "findings", "columns", "physics", "money", "clock", "stopwatch", "folders", "relaxation", "versions"},
    {
        "tables", "battery", "site", "tariff", "finance_types", "solver_options", "series", "series_cells",
        "series_files", "series_fill", "series_steps", "series_time", "series_statistics", "scenario", "scenario_checks",
        "scenario_parts", "schema", "imported", "strategy_entries", "billing", "plant", "ageing_types",
    },
    {"dispatch", "metrics"},
    {
        "models", "models.*", "stepper", "refusals", "rule_parts", "regulation_*", "solve", "elastic", "resting", "seeding", "windows", "exclusivity", "audit", "strategy", "certificate",
        "forecasts", "forecast_values", "timetable", "horizon", "history", "beliefs", "kept_solvers", "rolling", "carried_out",
    },
    {"strategies", "strategies.*"},
    {"assemble", "bound", "infeasible", "conflict"},
    {"user_limits", "relax", "outcome", "optimize", "simulate", "control", "track", "validate", "validate_*"},
    {
        "catalogue", "marginals", "gap", "explain", "compare", "stacking", "finance", "levelised", "financials", "ageing",
        "faded", "study", "study_*", "price_years", "sizing", "sizing_*", "sensitivity",
        "reconciliation", "reconciliation_*", "convention", "convention_tools",
    },
    {
        "style", "plots", "plots_*", "files", "scaffold", "solar", "solar_*", "notebook", "key_figures", "report", "report_*", "reader_*", "readers", "readers_*",
    },
    {"cli", "cli_*", "verify", "verify_*", "__main__", "app", "app_*"},
]  # fmt: skip

# Conveniences on results that reach upward inside the method.
UPWARD = {
    ("dispatch", "plots"), ("dispatch", "files"), ("dispatch", "explain"), ("compare", "plots_compare"),
    ("financials", "plots_cash_flow"), ("sizing", "plots_sizing"), ("sensitivity", "plots_sensitivity"),
} | {(result, "notebook") for result in ("findings", "scenario", "dispatch", "compare", "financials", "sizing")}  # fmt: skip


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


def layer(name: str) -> int:
    for number, rooms in enumerate(LAYERS):
        for room in rooms:
            if name == room or (room.endswith("*") and name.startswith(room[:-1]) and name != room[:-1].rstrip(".")):
                return number
    raise AssertionError(f"bess_opt.{name} has no layer: say in one line what it owns and give it one")


@cache
def imports(path: Path) -> list[tuple[str, bool]]:
    """(module of the package, whether at the top of the file) for every import."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inner = {id(n) for f in ast.walk(tree) if isinstance(f, ast.FunctionDef) for n in ast.walk(f)}
    known = modules()
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "bess_opt":
            module = ".".join(node.module.split(".")[1:])
            for alias in node.names:
                deeper = f"{module}.{alias.name}" if module else alias.name
                found.append((deeper if deeper in known else module, id(node) not in inner))
    return found


@pytest.mark.parametrize("name", sorted(modules()))
def test_imports_go_down(name: str) -> None:
    for target, top in imports(modules()[name]):
        assert target, f"bess_opt.{name} imports through the package root"
        if (name, target) in UPWARD:
            assert not top, f"bess_opt.{name} may reach up to {target} only inside a method"
            continue
        assert layer(target) <= layer(name), f"bess_opt.{name} imports {target}, which is above it"


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
