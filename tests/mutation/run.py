"""Puts small faults into the physics, the audit and the models, and lists those that no fast test notices.

    python tests/mutation/run.py [--only audit] [--share 0.2] [--seed 1] [--minutes 10]

Each mutant lives in a forked process whose import of one module is replaced; the tests run until one fails. The
unchanged sources must pass first. Writes a line per survivor and the counts; ends with 0, for a survivor may be
a change that means nothing (an equal bound, a tolerance): that is for people to judge.
"""

from __future__ import annotations

import argparse
import importlib.abc
import importlib.machinery
import os
import random
import signal
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

from mutants import Mutant, mutants  # noqa: E402

PHYSICS = "tests/analytic/test_physics.py"
STORAGE, SITE = "tests/analytic/test_storage.py", "tests/analytic/test_site.py"
GOLDEN, EXPANSION = "tests/formulation/test_golden_rows.py", "tests/formulation/test_expansion.py"
AUDIT, UNITS = "tests/properties/test_audit.py", "tests/formulation/test_units.py"
MODEL = [GOLDEN, UNITS, STORAGE, SITE]
TESTS: dict[str, list[str]] = {
    "physics": [PHYSICS, STORAGE, SITE, AUDIT, "tests/track/test_track.py"],
    "audit": [AUDIT, STORAGE, SITE],
    "models.components": [GOLDEN, EXPANSION, UNITS],
    "models.cycles": [*MODEL, "tests/strategies/test_cycling.py"],
    "models.dc_bus": MODEL,
    "models.demand": [*MODEL, "tests/strategies/test_billing.py", "tests/strategies/test_peak_shaving.py"],
    "models.exclusive": [*MODEL, EXPANSION],
    "models.expand": [GOLDEN, EXPANSION, STORAGE],
    "models.firm": [*MODEL, "tests/strategies/test_firm_delivery.py"],
    "models.ledger": MODEL,
    "models.ramp": [*MODEL, "tests/strategies/test_solar_smoothing.py"],
    "models.regulation": [*MODEL, "tests/strategies/test_frequency_regulation.py"],
    "models.site": MODEL,
    "models.storage": [PHYSICS, *MODEL],
}
LIMIT_S = 120.0


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


def passes(name: str, mutant: Mutant | None) -> bool:
    """Whether the tests of a module pass with `mutant` in its place; a run beyond the limit does not."""
    child = os.fork()
    if child == 0:
        os._exit(_child(name, mutant))
    deadline = time.monotonic() + LIMIT_S
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status) == 0
        time.sleep(0.05)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


def _child(name: str, mutant: Mutant | None) -> int:
    import pytest

    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)
    os.chdir(ROOT)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # plugins of other packages only cost time
    if mutant is not None:
        sys.meta_path.insert(0, Replaced(f"bess_opt.{name}", path_of(name), mutant))
    return int(any(pytest.main(["-x", "-q", "-p", "no:cacheprovider", file]) for file in TESTS[name]))


def path_of(name: str) -> Path:
    """Source of a module."""
    return ROOT / "bess_opt" / (name.replace(".", "/") + ".py")


def preload() -> None:
    """What every child needs and no mutant changes."""
    import highspy  # noqa: F401
    import matplotlib  # noqa: F401
    import pandas  # noqa: F401
    import pydantic  # noqa: F401
    import pyomo.environ  # noqa: F401
    import pytest  # noqa: F401


def main() -> None:
    """See above."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="append", choices=list(TESTS))
    parser.add_argument("--share", type=float, default=1.0, help="share of the mutants of each module")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=60.0)
    asked = parser.parse_args()
    preload()
    deadline = time.monotonic() + 60.0 * asked.minutes
    say = sys.stdout.write
    for name in asked.only or TESTS:
        if not passes(name, None):
            sys.exit(f"{name}: the unchanged sources fail their tests")
        every = list(mutants(path_of(name).read_text(encoding="utf-8")))
        count = max(1, round(asked.share * len(every)))
        chosen = sorted(random.Random(asked.seed).sample(range(len(every)), count))
        survived = run = 0
        for number in chosen:
            if time.monotonic() > deadline:
                break
            mutant = every[number]
            run += 1
            if passes(name, mutant):
                survived += 1
                say(f"{name}:{mutant.line}: {mutant.before}  ->  {mutant.after}\n")
                sys.stdout.flush()
        say(f"{name}: {run} of {len(every)} mutants run, {survived} survived\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
