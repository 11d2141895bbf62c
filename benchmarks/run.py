"""Time `bo.optimize` and `bo.control` against floors measured in the same run: `python benchmarks/run.py`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from engine import goals, time_goal
from floors import FLOORS
from measure import CLOCKS
from peers import PEERS, installed
from real_site import time_real_site
from records import Row, machine, memory_of, time_case, time_growth, time_rolling
from rules import USER, strategies, time_rule
from show import show, write
from sizing import QUICK_STEPS as SIZING_STEPS
from sizing import SIZED, time_sizing
from strategies import time_strategy
from tariffs import time_tariffs
from workloads import DATA, GERMAN_PRICES, available, german_file

import bess_opt as bo

SIZES = (24, 168, 720, 8_760, 35_040)
LONG = 105_120
QUICK_SIZES = (24, 168)
QUICK_STEPS = 168
PARTS = ("cases", "engine", "growth", "real_site", "tariffs", "strategies", "rules", "rolling", "sizing", "memory")


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    known = list(available())
    parser = argparse.ArgumentParser(prog="benchmarks/run.py", description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"one run each, at most {QUICK_STEPS} steps")
    parser.add_argument("--repeat", type=int, default=5, metavar="N", help="runs per row; default 5")
    parser.add_argument("--cases", nargs="+", choices=known, metavar="CASE", help=f"of: {', '.join(known)}")
    contenders = [*FLOORS, *PEERS]
    floors = f"beside arrays; of: {', '.join(contenders)}; default: those that are installed"
    here = [*FLOORS, *installed()]
    parser.add_argument("--floors", nargs="+", choices=contenders, default=here, metavar="FLOOR", help=floors)
    clock = "wall, or cpu where others use the machine too"
    parser.add_argument("--clock", choices=list(CLOCKS), default="wall", help=clock)
    parts = ", ".join(PARTS)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, metavar="PART", help=parts)
    parser.add_argument("--long", action="store_true", help=f"the growth table up to {LONG:,} steps")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="write benchmarks.json, growth.png")
    options = parser.parse_args(argv)
    absent = [name for name in options.floors if name not in here]
    if absent:
        parser.error(f"--floors: {', '.join(absent)} not installed here; pip install -e '.[benchmarks,peers]'")
    if options.repeat < 1:
        parser.error("--repeat: give a whole number of 1 or more")
    return options


def main(argv: list[str] | None = None) -> int:
    """Measure, print, write; 1 if an objective disagrees with a floor."""
    options = arguments(argv)
    known = available()
    repeat = 1 if options.quick else options.repeat
    chosen = [known[name] for name in options.cases or (name for name in known if name != "small")]
    timed = [case.short(QUICK_STEPS) for case in chosen] if options.quick else chosen
    sizes = QUICK_SIZES if options.quick else (*SIZES, LONG) if options.long else SIZES
    bo.optimize(known["small"].scenario())  # everything is imported before anything is timed
    results: dict[str, list[Row]] = {part: [] for part in PARTS}
    floors = [name for name in (*FLOORS, *installed()) if name == "arrays" or name in options.floors]
    if "cases" in options.parts:
        for case in timed:
            _progress(case.name)
            results["cases"].append(time_case(case, repeat, options.clock, floors))
    if "engine" in options.parts:
        for goal in goals(QUICK_STEPS if options.quick else None):
            _progress(goal.name)
            row = time_goal(goal, repeat, options.clock)
            _progress(f"{goal.name}: {row['ratio']:.3g} of at most {row['at_most']:g}, {row['seconds']:.3g} s")
            results["engine"].append(row)
    if "growth" in options.parts:
        results["growth"] = time_growth(sizes, repeat, options.clock, floors, _progress)
    if "real_site" in options.parts:
        _progress("a real site of five minutes")
        results["real_site"] = time_real_site(repeat, options.clock, QUICK_STEPS if options.quick else None)
    if "tariffs" in options.parts:
        steps = QUICK_STEPS if options.quick else None
        results["tariffs"] = time_tariffs(repeat, options.clock, steps, _progress)
    if "strategies" in options.parts:
        for name in (name for name in strategies() if name != USER):
            _progress(f"optimum of {name}")
            steps = QUICK_SIZES[0] if options.quick else None
            results["strategies"].append(time_strategy(name, repeat, options.clock, steps))
    if "rules" in options.parts:
        for name in strategies():
            _progress(f"rule of {name}")
            results["rules"].append(time_rule(name, repeat, options.clock, QUICK_STEPS if options.quick else None))
    if "rolling" in options.parts:
        for case in timed:
            _progress(f"rolling through {case.name}")
            results["rolling"].append(time_rolling(case, repeat, options.clock))
    if "sizing" in options.parts:
        for case in (case for case in chosen if case.name in SIZED):
            _progress(f"sizing of {case.name}")
            steps = SIZING_STEPS if options.quick else None
            results["sizing"].append(time_sizing(case, repeat, options.clock, steps))
    if "memory" in options.parts:
        for case in chosen:
            _progress(f"memory of {case.name}")
            results["memory"].append(memory_of(case, QUICK_STEPS if options.quick else None))
    show(results)
    if german_file() is None:
        _progress(f"german_id1_2021 left out: set {DATA} to the folder that holds {GERMAN_PRICES}")
    if options.out:
        write({"machine": machine(), "repeat": repeat, "clock": options.clock, **results}, options.out)
    wrong = [
        row for part in ("cases", "growth", "real_site", "rolling") for row in results[part] if not row["agrees"]
    ]
    return 1 if wrong else 0


def _progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
