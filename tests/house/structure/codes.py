"""Codes of findings in the package's source, read from its syntax trees."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import bess_opt

PACKAGE = Path(bess_opt.__file__).parent
MAKERS = {"Finding", "_wrong", "problem", "question", "_offence", "_beyond", "_price"}
WORDS = {"cells.py": 3, "fill.py": 3, "checks/battery.py": 4}  # length of tuples with a code
SEVERITIES = ("error", "warning", "recommendation")


@cache
def codes() -> dict[str, set[str]]:
    """Code -> severities that stand beside it as a literal (an error has none)."""
    found: dict[str, set[str]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            parts: list[ast.expr] = []
            if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in MAKERS:
                parts = node.args
            elif isinstance(node, ast.Tuple) and len(node.elts) == WORDS.get(
                "/".join(path.parts[-2:]), WORDS.get(path.name)
            ):
                parts = node.elts
                if isinstance(parts[1], ast.Constant) and parts[0:1] and not isinstance(parts[0], ast.Constant):
                    parts = parts[1:]  # (mask, code, words)
            if parts and isinstance(parts[0], ast.Constant) and _is_code(parts[0].value):
                severity = {p.value for p in parts[1:] if isinstance(p, ast.Constant) and p.value in SEVERITIES}
                found.setdefault(parts[0].value, set()).update(severity)
    return found


def _is_code(value: object) -> bool:
    return isinstance(value, str) and value.isidentifier() and value.islower() and "_mw" not in value
