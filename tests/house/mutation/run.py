"""Puts small faults into the physics, the audit and the models, and lists those that no fast test notices.

    python tests/house/mutation/run.py [--only plant.audit] [--share 0.2] [--seed 1] [--minutes 10]

Tests are collected once for a module; each mutant lives in a forked process that runs them until one fails, the
usual killers first. One that hangs is ended at a time limit, and these are counted apart: a slow machine must not
pass for a good test. The unchanged sources must pass. A survivor may be a change that means nothing (an equal
bound, a tolerance): those that people have looked at stand in survivors.md. Ends with 1 if there is another one,
which is printed as its entry there would begin.
"""

from __future__ import annotations

import argparse
import os
import random
import select
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

from mutants import Mutant, mutants  # noqa: E402
from replaced import Replaced, replace_code  # noqa: E402
from survivors import looked_at  # noqa: E402

PHYSICS = "tests/proofs/analytic/test_physics.py"
STORAGE, SITE = "tests/proofs/analytic/test_storage.py", "tests/proofs/analytic/test_site.py"
GOLDEN, EXPANSION = "tests/proofs/formulation/test_golden_rows.py", "tests/proofs/formulation/test_expansion.py"
BY_HAND = "tests/proofs/properties/test_audit_by_hand.py"
BILLED = "tests/proofs/formulation/test_billing_rows_by_hand.py"
DAYS = "tests/proofs/formulation/test_days_by_hand.py"
DELIVERIES = "tests/proofs/formulation/test_deliveries_by_hand.py"
CUTS = "tests/proofs/formulation/test_cuts_by_hand.py"
PLACES = "tests/proofs/formulation/test_expansion_by_hand.py"
AUDIT, UNITS = "tests/proofs/properties/test_audit.py", "tests/proofs/formulation/test_units.py"
CAPS, WEAR = "tests/rooms/plant/test_cycle_caps.py", "tests/rooms/plant/test_wear.py"
RAINFLOW = "tests/proofs/properties/test_wear_identity.py"
CALLED, HELD = (
    "tests/proofs/analytic/test_called_products_by_hand.py",
    "tests/proofs/analytic/test_products_by_hand.py",
)
OFFERS = "tests/rooms/plant/test_offers.py"
PEERS = ["tests/proofs/peers/test_called_products.py", "tests/proofs/peers/test_product_plans.py"]
PRODUCTS = [
    OFFERS,
    HELD,
    CALLED,
    GOLDEN,
    *PEERS,
    CUTS,
    "tests/rooms/inputs/products",
    "tests/rooms/dispatch/checks/test_findings.py",
]
VALUES = ["tests/rooms/solver/value_function"]
OUTAGES = ["tests/rooms/comparison/resilience", "tests/proofs/properties/test_hours_survived.py"]
ROWS = [GOLDEN, UNITS]
MODEL = [*ROWS, STORAGE, SITE]
TESTS: dict[str, list[str]] = {
    "plant.physics": [PHYSICS, STORAGE, SITE, AUDIT, "tests/rooms/dispatch/track/test_track.py"],
    "plant.audit": [BY_HAND, AUDIT, STORAGE, SITE],
    "models.components": [PLACES, GOLDEN, EXPANSION, UNITS],
    "models.cycles": [DAYS, *ROWS, "tests/rooms/strategies/test_cycling.py"],
    "models.dc_bus": MODEL,
    "models.demand": [
        BILLED,
        *ROWS,
        "tests/rooms/plant/test_demand_charges.py",
        "tests/rooms/strategies/test_peak_shaving.py",
    ],
    "models.one_way": [CUTS, *MODEL, EXPANSION],
    "solver.expand": [PLACES, GOLDEN, EXPANSION, STORAGE],
    "models.firm": [DELIVERIES, *ROWS, "tests/rooms/strategies/test_firm_delivery.py"],
    "models.ledger": MODEL,
    "models.ramp": [
        *ROWS,
        "tests/rooms/strategies/test_solar_smoothing.py",
        "tests/rooms/solver/test_way_branches.py",
    ],
    "models.site": MODEL,
    "models.storage": [PHYSICS, DAYS, *MODEL],
    "models.warranty.cycle_caps": [CAPS, GOLDEN],
    "models.warranty.wear": [WEAR, GOLDEN, RAINFLOW],
    "plant.warranty.cycle_caps": [CAPS, DAYS],
    "plant.warranty.depth_wear": [WEAR, RAINFLOW],
    "models.products.activation": PRODUCTS,
    "models.products.calls": PRODUCTS,
    "models.products.market_products": PRODUCTS,
    "plant.products.activation": PRODUCTS,
    "plant.products.delivery": PRODUCTS,
    "plant.products.offers": PRODUCTS,
    "plant.products.unlike_plan": PRODUCTS,
    "solver.reuse": ["tests/rooms/solver/test_reuse.py"],
    "solver.value_function.modes": VALUES,
    "solver.value_function.step_program": VALUES,
    "solver.value_function.values": VALUES,
    "comparison.resilience.island": OUTAGES,
    "comparison.resilience.longest": OUTAGES,
    "comparison.resilience.stretches": OUTAGES,
}
PASSES, FAILS, BROKEN = 0, 1, 99


class Loop:
    """In the place of pytest's run of the collected tests: the mutants of one module, each in a child."""

    def __init__(self, name: str, chosen: Sequence[Mutant], deadline: float, known: Sequence[Any], out: int) -> None:
        self.name, self.chosen, self.deadline, self.known, self.out = name, chosen, deadline, list(known), out
        self.old = self.fresh = 0
        self.run = self.late = 0
        self.problem = f"{name}: the tests could not be collected\n"

    def pytest_runtestloop(self, session: Any) -> bool:
        """Nothing but forks happens in this process, so a child begins as clean as the first."""
        order = list(session.items)
        begun = time.monotonic()
        if not self._sound(order):
            return True
        limit = 20.0 + 2.0 * (time.monotonic() - begun)
        for mutant in self.chosen:
            if time.monotonic() > self.deadline:
                break
            self.run += 1
            passed, killer = self._passes(order, mutant, limit)
            if passed:
                self._survived(mutant)
            elif killer is not None:
                order.insert(0, order.pop(killer))
        self._sound(order)  # or the order has done the killing
        return True

    def _survived(self, mutant: Mutant) -> None:
        if mutant.key in self.known:
            self.known.remove(mutant.key)  # an entry stands for one mutant, not for all that read alike
            self.old += 1
            return
        self.fresh += 1
        entry = f"- `{mutant.text}`\n  `{mutant.before}` → `{mutant.after}`: "
        self.say(f"{self.name}:{mutant.line}\n{entry}\n")

    def say(self, text: str) -> None:
        """Beside pytest's own output, which goes nowhere."""
        os.write(self.out, text.encode())

    def _sound(self, order: list[Any]) -> bool:
        """Whether the unchanged sources pass in this order."""
        passed, failing = self._passes(order, None, 600.0)
        first = "to end" if failing is None else order[failing].nodeid
        self.problem = "" if passed else f"{self.name}: the unchanged sources fail {first}\n"
        return passed

    def _passes(self, order: list[Any], mutant: Mutant | None, limit_s: float) -> tuple[bool, int | None]:
        """Whether all tests pass, and the place of the one that does not; beyond the limit none does."""
        reads, writes = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reads)
            try:
                os._exit(_child(self.name, order, mutant, writes))
            finally:
                os._exit(BROKEN)
        os.close(writes)
        in_time = bool(select.select([reads], [], [], limit_s)[0])
        said = os.read(reads, 32) if in_time else b""
        os.close(reads)
        if not in_time:
            os.kill(child, signal.SIGKILL)
            self.late += 1
        _, status = os.waitpid(child, 0)
        killer = int(said) if said else None
        if in_time and os.waitstatus_to_exitcode(status) == BROKEN:
            raise RuntimeError(f"{self.name}: this tool failed on {mutant}")
        return in_time and killer is None and os.waitstatus_to_exitcode(status) == PASSES, killer


def _child(name: str, order: list[Any], mutant: Mutant | None, writes: int) -> int:
    """Runs the tests with the mutant in its place, and says which one failed."""
    from _pytest.runner import runtestprotocol

    replaced = mutant is None or (mutant.inside and replace_code(f"bess_opt.{name}", path_of(name), mutant))
    if mutant is not None and not replaced:  # what runs at import: everything that read it must be read again
        return _fresh(name, mutant)
    for place, item in enumerate(order):
        following = order[place + 1] if place + 1 < len(order) else None
        if any(report.failed for report in runtestprotocol(item, nextitem=following, log=False)):
            os.write(writes, str(place).encode())
            return FAILS
    return PASSES


def _fresh(name: str, mutant: Mutant) -> int:
    import pytest

    for module in [m for m in sys.modules if m.split(".")[0] in ("bess_opt", "mutants") or _of_tests(m)]:
        del sys.modules[module]
    sys.meta_path.insert(0, Replaced(f"bess_opt.{name}", path_of(name), mutant))
    return int(any(pytest.main(["-x", "-q", *QUIET, file]) for file in TESTS[name]))


def _of_tests(module: str) -> bool:
    return str(getattr(sys.modules[module], "__file__", None) or "").startswith(str(ROOT / "tests"))


QUIET = ["-p", "no:cacheprovider", "--capture=no"]


def path_of(name: str) -> Path:
    """Source of a module."""
    return ROOT / "bess_opt" / (name.replace(".", "/") + ".py")


def main() -> None:
    """See above."""
    import pytest

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="append", choices=list(TESTS))
    parser.add_argument("--share", type=float, default=1.0, help="share of the mutants of each module")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=60.0)
    asked = parser.parse_args()
    os.chdir(ROOT)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # plugins of other packages only cost time
    deadline = time.monotonic() + 60.0 * asked.minutes
    known = looked_at()
    others = 0
    for name in asked.only or TESTS:
        child = os.fork()  # collected tests and their modules go with it
        if child == 0:
            os._exit(_module(pytest, name, asked, deadline, known))
        _, status = os.waitpid(child, 0)
        others += os.waitstatus_to_exitcode(status)
    sys.exit(int(others != 0))


def _module(pytest: Any, name: str, asked: Any, deadline: float, known: dict[str, list[Any]]) -> int:
    every = list(mutants(path_of(name).read_text(encoding="utf-8")))
    count = max(1, round(asked.share * len(every)))
    chosen = sorted(random.Random(asked.seed).sample(range(len(every)), count))
    out = os.dup(1)
    loop = Loop(name, [every[number] for number in chosen], deadline, known.get(name, []), out)
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)
    if pytest.main([*QUIET, *TESTS[name]], plugins=[loop]) and not loop.problem:
        loop.problem = f"{name}: this tool failed after {loop.run} mutants\n"
    killed = loop.run - loop.old - loop.fresh
    counts = f"{loop.run} of {len(every)} mutants run, {killed} killed ({loop.late} by the time limit)"
    loop.say(loop.problem or f"{name}: {counts}, {loop.old} survivors looked at, {loop.fresh} new\n")
    return int(bool(loop.fresh or loop.problem))


if __name__ == "__main__":
    main()
