"""Many scenarios at once, on any executor: one row each, kept as they come, taken up again where it stopped."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from concurrent.futures import Executor
from contextlib import closing
from importlib import metadata
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import Any, cast

import pandas as pd

from bess_opt.common.errors import BessOptError, ScenarioError
from bess_opt.common.findings import Finding
from bess_opt.common.names import nearest
from bess_opt.common.progress import ShowProgress, Stretch
from bess_opt.common.progress_bar import followed
from bess_opt.common.wording import show
from bess_opt.dispatch.batch.rows import ACTIONS, HEAD, Action, Parts, Row, failed
from bess_opt.dispatch.batch.workers import Job, Workers, made_by
from bess_opt.inputs.scenario import Scenario, load

Scenarios = str | Path | Mapping[str, Scenario] | Iterable[Scenario]


def study(
    scenarios: Scenarios,
    *,
    action: str | Callable[[Scenario], Any] = "optimize",
    out: str | Path | None = None,
    executor: Executor | None = None,
    workers: int | None = None,
    in_flight: int | None = None,
    retries: int = 2,
    progress: ShowProgress = None,
) -> pd.DataFrame:
    """One row of figures for each of `scenarios`, in their order, whoever computed them.

    `scenarios` is a folder of scenario folders, a mapping of names, or an iterable (also a generator: scenarios are
    taken as they are needed; a name that comes again gets a number). `action` is
    "optimize", "simulate" or a function of a scenario that returns a `Dispatch` or a mapping of single values;
    it must be importable by name in the workers (a process pool) or picklable by the executor.

    Index `name`; columns digest (of the scenario), error_kind and error ("" where there is none), then figures: of a
    `Dispatch` its metrics, those of each market product ("fcr.mean_mw") with the least margins of their calls, its
    strategy's own, and status, objective, bound and gap of the solve. Times are left out: the same scenarios give the
    same rows to the last bit on every executor. A scenario that cannot be read or solved is a row with its error.

    `out` keeps rows as they finish: a folder (study.parquet at the end, parts beside it), or the path of the
    .parquet file. Called again, it computes only rows that are new, whose scenario, name or action's name has
    changed, or that ended in anything but an error of the package; give another `out` when the code of your
    function changes.

    `executor` is any `concurrent.futures.Executor` and stays open; a Dask cluster gives one by
    `client.get_executor()`. By default a pool of `workers` processes (all cores) is started by "spawn", so a
    script needs its `if __name__ == "__main__":`; `workers=1` stays in this process. At most `in_flight`
    scenarios are handed over at a time (default: two per worker, 256 on an executor of yours). A task whose
    worker died is tried `retries` times more. `progress` is told a `Progress` after each row, or says whether a
    bar is drawn on stderr, by default on a terminal only. StopIteration from it ends the study with the rows that are
    done; `out` keeps them.

    A task that comes back undone, because an executor, its scheduler or a worker is gone, is a row that says so,
    and is computed again at the next call. Workers of ours end with this process, however it ends.

    ScenarioError for an unknown action, an empty folder, a place that holds other files or a disk that refuses;
    BessOptError where a pool of yours breaks, with all rows so far kept.
    """
    task = _task(action, local=executor is None and workers != 1)
    parts = Parts.at(out)
    pool = Workers.of(executor, workers, in_flight)
    rows: dict[int, Row] = {}
    names: list[str] = []
    total = len(scenarios) if isinstance(scenarios, Sized) and not isinstance(scenarios, str) else None
    finished = made_by(pool, _jobs(scenarios, task, parts, names, rows), task, retries)
    with followed(progress, "scenarios") as run, closing(finished):
        began = time.monotonic()
        for job, made in finished:
            parts.write(job.key, made)
            rows[job.place] = made.row
            _tell(run, len(rows), total, time.monotonic() - began)
            if run.cancelled:
                return _table(names, rows)
    table = _table(names, rows)
    parts.finish(table)
    return table


def _tell(run: Stretch, done: int, total: int | None, seconds: float) -> None:
    """How many rows are done, of how many where that is known, and how fast."""
    pace = f", {done / seconds:.3g}/s" if seconds > 0.0 else ""
    if total:
        run.tell(done / total, f"scenarios {done}/{total}{pace}")
    else:
        run.tell(0.0, f"scenarios {done}{pace}")


def _jobs(scenarios: Scenarios, task: Action, parts: Parts, names: list[str], rows: dict[int, Row]) -> Iterator[Job]:
    """Jobs without a row, all `names` on the way; what is already known, or cannot be read, goes to `rows` here."""
    for place, (name, found) in enumerate(_named(scenarios)):
        names.append(name)
        if isinstance(found, BessOptError):
            rows[place] = failed("", found).row
            continue
        digest = found.digest()
        key = _key(name, digest, task)
        kept = parts.read(key)
        if kept is None:
            yield Job(place, key, name, digest, found)
        else:
            rows[place] = kept


def _task(action: str | Callable[[Scenario], Any], local: bool) -> Action:
    if isinstance(action, str):
        if action not in ACTIONS:
            expected = f"{nearest(action, ACTIONS)}, or give a function of a scenario"
            raise ScenarioError([Finding("unknown_word", "action", f"found {show(action)}", expected)])
        return Action(action, ACTIONS[action])
    name = f"{getattr(action, '__module__', '')}.{getattr(action, '__qualname__', type(action).__qualname__)}"
    if local:
        try:
            ForkingPickler.dumps(action)
        except Exception as error:
            expected = "define it at the top of a module, or stay in this process with workers=1"
            raise ScenarioError([Finding("not_picklable", "action", f"cannot travel: {error}", expected)]) from None
    return Action(name, action)


def _named(scenarios: Scenarios) -> Iterator[tuple[str, Scenario | BessOptError]]:
    """Every scenario under a name of its own, or why it cannot be read."""
    if isinstance(scenarios, str | Path):
        for folder in _folders(Path(scenarios)):
            try:
                yield folder.name, load(folder)
            except BessOptError as error:
                yield folder.name, error
        return
    if isinstance(scenarios, Mapping):
        yield from cast("Mapping[str, Scenario]", scenarios).items()
        return
    seen: dict[str, int] = {}
    for scenario in scenarios:
        seen[scenario.name] = seen.get(scenario.name, 0) + 1
        again = seen[scenario.name]
        yield scenario.name if again == 1 else f"{scenario.name} ({again})", scenario


def _folders(folder: Path) -> list[Path]:
    found = sorted(file.parent for file in folder.glob("*/scenario.toml"))
    if not found:
        expected = "name a folder whose subfolders hold a scenario.toml each"
        raise ScenarioError([Finding("no_scenarios", str(folder), "holds no scenario folders", expected)])
    return found


def _key(name: str, digest: str, task: Action) -> str:
    """What a row depends on, as a file name: the version of the package too."""
    stated = json.dumps([name, digest, task.name, metadata.version("bess-opt")])
    return hashlib.sha256(stated.encode()).hexdigest()


def _table(names: list[str], rows: Mapping[int, Row]) -> pd.DataFrame:
    """The rows there are, in the order of their places."""
    made = [rows[place] for place in sorted(rows)]
    columns = dict.fromkeys([*HEAD, *(column for row in made for column in row)])
    index = pd.Index([names[place] for place in sorted(rows)], name="name")
    return pd.DataFrame(made, columns=list(columns), index=index)
