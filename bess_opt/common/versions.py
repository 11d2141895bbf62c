"""Versions of Python and the packages that a result depends on."""

from __future__ import annotations

import platform
from importlib import metadata

VERSIONED = ("bess-opt", "highspy", "numpy", "pandas", "pyarrow", "pyomo")


def versions() -> dict[str, str]:
    """Package -> installed version, and Python's."""
    return {"python": platform.python_version()} | {name: metadata.version(name) for name in VERSIONED}
