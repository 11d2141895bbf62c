"""Inputs are data: nothing in the package runs text, unpickles, or starts other programs."""

from __future__ import annotations

import ast

import pytest
from test_layers import modules

FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__"}
FORBIDDEN_MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "shelve", "marshal", "joblib", "yaml", "subprocess"}
FORBIDDEN_METHODS = {"read_pickle", "to_pickle", "query", "system", "popen", "literal_eval"}


@pytest.mark.parametrize("name", sorted(modules()))
def test_nothing_runs_text(name: str) -> None:
    for node in ast.walk(ast.parse(modules()[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            plain = getattr(node.func, "id", "")
            assert plain not in FORBIDDEN_CALLS, f"bess_opt.{name}:{node.lineno} calls {plain}"
            method = getattr(node.func, "attr", "")
            assert method not in FORBIDDEN_METHODS, f"bess_opt.{name}:{node.lineno} calls {method}"
            unpickles = any(k.arg == "allow_pickle" for k in node.keywords)
            assert not unpickles, f"bess_opt.{name}:{node.lineno} may unpickle"
        imported: list[str] = []
        if isinstance(node, ast.Import):
            imported = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            imported = [node.module or ""]
        for module in imported:
            assert module.split(".")[0] not in FORBIDDEN_MODULES, f"bess_opt.{name} imports {module}"
