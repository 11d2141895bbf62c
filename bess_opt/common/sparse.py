"""Sparse arrays of scipy, loaded without its statistics.

Pyomo has them loaded with whatever part of scipy is loaded first: a second that no plan needs.
"""

from __future__ import annotations

import importlib
import sys

import pyomo.core  # noqa: F401 - it looks at once for a scipy that is there, and would load the rest

_hooks = sys.meta_path[:]
sys.meta_path[:] = [hook for hook in _hooks if type(hook).__module__ != "pyomo.common.dependencies"]
try:
    importlib.import_module("scipy")
finally:
    sys.meta_path[:] = _hooks

from scipy.sparse import csr_array  # noqa: E402 - after the rest

__all__ = ["csr_array"]
