"""A mutant in the place of what it was made from: by its functions' code, or by importing the changed module."""

from __future__ import annotations

import gc
import importlib
import importlib.abc
import importlib.machinery
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

from mutants import Mutant


class Replaced(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module from a changed tree."""

    def __init__(self, name: str, path: Path, mutant: Mutant) -> None:
        self.name, self.path, self.mutant = name, path, mutant

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> Any:
        """Only the one."""
        if fullname != self.name:
            return None
        return importlib.machinery.ModuleSpec(fullname, self, origin=str(self.path))

    def create_module(self, spec: Any) -> None:
        """The usual one."""

    def exec_module(self, module: ModuleType) -> None:
        """Run the changed tree."""
        module.__file__ = str(self.path)
        exec(compile(self.mutant.tree, str(self.path), "exec"), module.__dict__)


def replace_code(name: str, path: Path, mutant: Mutant) -> bool:
    """Give every function of the imported module its changed code, wherever it is held by now.

    False, and nothing done, if a function would close over other names. A module that the tests import late is
    imported here, or it would come unchanged.
    """
    importlib.import_module(name)
    codes = {_place(code): code for code in _codes(compile(mutant.tree, str(path), "exec", dont_inherit=True))}
    held = [f for f in gc.get_objects() if isinstance(f, FunctionType) and f.__module__ == name]
    pairs = [(f, codes[_place(f.__code__)]) for f in held if _place(f.__code__) in codes]
    if any(changed.co_freevars != function.__code__.co_freevars for function, changed in pairs):
        return False
    for function, changed in pairs:
        function.__code__ = changed
    return True


def _place(code: CodeType) -> tuple[str, int]:
    return code.co_qualname, code.co_firstlineno


def _codes(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes(constant)
