"""Versions of the packages that a result depends on."""

from __future__ import annotations

from importlib import metadata

VERSIONED = ("bess-opt", "highspy", "numpy", "pandas", "pyarrow", "pyomo")


def versions() -> dict[str, str]:
    """Package -> installed version."""
    return {name: metadata.version(name) for name in VERSIONED}
