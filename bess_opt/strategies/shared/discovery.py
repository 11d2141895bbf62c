"""Finds the strategies that there are.

Every module of `bess_opt.strategies` that holds a `STRATEGY`, every file in the folders that the environment variable
`BESS_OPT_STRATEGIES` lists, and every entry point of the group `bess_opt.strategies` is a strategy. Such files are
programs: they run with all rights of the user who starts bess_opt.
"""

from __future__ import annotations

import importlib
import importlib.util
import io
import logging
import os
import pkgutil
import sys
import time
from collections.abc import Iterator
from contextlib import redirect_stdout
from functools import cache
from importlib.metadata import EntryPoints, entry_points
from pathlib import Path
from types import ModuleType

from bess_opt.common.errors import StrategyError
from bess_opt.common.names import nearest
from bess_opt.common.wording import show
from bess_opt.strategies.shared.contract import Strategy

GROUP = "bess_opt.strategies"
FOLDERS = "BESS_OPT_STRATEGIES"
REMEDY = f"mend the file, or take its folder out of {FOLDERS}"
SLOW_S = 3.0
LOG = logging.getLogger(__name__)


def discover() -> dict[str, Strategy]:
    """All strategies by name, in alphabetical order. Two of one name are an error."""
    found: dict[str, Strategy] = {}
    for strategy in _strategies():
        if found.setdefault(strategy.name, strategy) is not strategy:
            raise StrategyError(f"two strategies are named {strategy.name!r}; rename one of them")
    return dict(sorted(found.items()))


def get(name: str) -> Strategy:
    """The strategy called `name`; an unknown one is an error that names the nearest."""
    known = discover()
    if name not in known:
        old = {alias: s.name for s in known.values() for alias in s.old_names}
        remedy = f"it is now called {old[name]!r}" if name in old else nearest(name, known)
        raise StrategyError(f"strategy.name: unknown strategy {show(name)}; {remedy}")
    return known[name]


def _strategies() -> Iterator[Strategy]:
    yield from _shipped()
    for folder in filter(None, os.environ.get(FOLDERS, "").split(os.pathsep)):
        for file in sorted(Path(folder).glob("*.py")):
            yield _of(_load(file), str(file))
    for point in _points(tuple(sys.path)):
        loaded = point.load()
        yield loaded if isinstance(loaded, Strategy) else _of(loaded, point.value)


@cache
def _shipped() -> tuple[Strategy, ...]:
    """The strategies of this package, whose folder is read once a process."""
    folder = importlib.import_module("bess_opt.strategies")
    names = [module.name for module in pkgutil.iter_modules(folder.__path__) if module.name != "shared"]
    return tuple(_of(importlib.import_module(f"bess_opt.strategies.{name}"), name) for name in names)


@cache
def _points(_path: tuple[str, ...]) -> EntryPoints:
    """Entry points of the packages on this `sys.path`: reading them takes longer than a year of a rule."""
    return entry_points(group=GROUP)


def _load(file: Path) -> ModuleType:
    state = file.stat()
    return _read(file, state.st_mtime_ns, state.st_size)


@cache
def _read(file: Path, _changed_ns: int, _bytes: int) -> ModuleType:
    """The module of a user's file, run once as long as the file is what it was."""
    spec = importlib.util.spec_from_file_location(f"bess_opt_strategy_{file.stem}", file)
    if spec is None or spec.loader is None:
        raise StrategyError(f"{file}: cannot be read as a Python file")
    module = importlib.util.module_from_spec(spec)
    # Annotations that are text are looked up in the module's own names, which are found here only.
    sys.modules[spec.name] = module
    began, printed = time.monotonic(), io.StringIO()
    try:
        with redirect_stdout(printed):
            spec.loader.exec_module(module)
    except SyntaxError as error:
        line = f":{error.lineno}" if error.filename == str(file) and error.lineno else ""
        raise StrategyError(f"{file}{line}: {type(error).__name__}: {error.msg}; {REMEDY}") from None
    except SystemExit as error:
        raise StrategyError(f"{file}: asks the program to end (SystemExit {error.code}); {REMEDY}") from None
    except Exception as error:
        raise StrategyError(f"{file}: {type(error).__name__} while it is read: {error}; {REMEDY}") from error
    if printed.getvalue():
        LOG.warning("%s: prints while it is read, which belongs into its functions: %.200r", file, printed.getvalue())
    if time.monotonic() - began > SLOW_S:
        LOG.warning("%s: took %.0f s to read; load what is large in its functions", file, time.monotonic() - began)
    return module


def _of(module: ModuleType, origin: str) -> Strategy:
    strategy = getattr(module, "STRATEGY", None)
    if not isinstance(strategy, Strategy):
        raise StrategyError(f"{origin}: holds no STRATEGY; end the file with STRATEGY = Strategy(...)")
    return strategy
