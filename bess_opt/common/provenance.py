"""How a result came about: seconds per stage of the work, and the versions of the packages that made it."""

from __future__ import annotations

import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import metadata

VERSIONED = ("bess-opt", "highspy", "numpy", "pandas", "pyarrow", "pyomo")


class Stopwatch:
    """Adds up wall time by stage, in the order in which stages first appear."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time the block as `name`; a name used twice adds up."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - began


def versions() -> dict[str, str]:
    """Package -> installed version, and Python's."""
    return {"python": platform.python_version()} | {name: _installed(name) for name in VERSIONED}


@cache
def _installed(package: str) -> str:
    """A package's version: the files that say it are read once."""
    return metadata.version(package)
