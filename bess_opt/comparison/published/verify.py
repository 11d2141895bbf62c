"""Numbers that others published, computed again on this machine with the package that is installed."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from math import nan
from pathlib import Path
from typing import Any

import pandas as pd

from bess_opt.common.progress import ShowProgress
from bess_opt.common.progress_bar import followed
from bess_opt.comparison.published import cases
from bess_opt.comparison.published import cases as cases_module
from bess_opt.comparison.published.numbers import (
    ASTM,
    DERVET,
    EPL,
    HOPP,
    NUMBERS,
    PJM,
    REOPT,
    SAM,
    SOURCES,
    Published,
)

DATA = "BESS_OPT_DATA"  # environment variable: the folder of the large cases
AGREES, DIFFERS, LEFT_OUT, FAILED = "agrees", "differs", "left out", "failed"
COLUMNS = ("case", "figure", "published", "ours", "difference", "tolerance", "unit", "verdict", "source", "note")

INSIDE: dict[str, Callable[[], dict[str, float]]] = {
    EPL: cases.energy_py_linear,
    HOPP: cases.hopp,
    REOPT: cases.reopt_ratchet,
    ASTM: cases.astm_rainflow,
    SAM: cases.sam_calendar,
}
FROM_FILES: dict[str, tuple[Callable[[Path], dict[str, float]], tuple[str, ...]]] = {
    DERVET: (cases_module.dervet, cases_module.DERVET_FILES),
    PJM: (cases_module.pjm_settlement, cases_module.PJM_FILES),
}


def verify(data: str | Path | None = None, progress: ShowProgress = False) -> pd.DataFrame:
    """Every published figure beside the one that this installation computes.

    Columns: case, figure, published, ours (NaN where left out), difference = ours − published, tolerance (half
    of the source's last digit), unit, verdict ("agrees", "differs", "left out", "failed"), source, note. `data` is
    the folder of the large cases, by default the environment variable BESS_OPT_DATA; cases whose files are not
    there are left out and say so. A case that raises has failed, its error is the note. `progress` is told a
    `Progress` as each case begins, its name in `doing`; StopIteration from it ends the run with CancelledError.
    """
    stated = data if data is not None else os.environ.get(DATA)
    work, notes = dict(INSIDE), {}
    for case, (compute, needed) in FROM_FILES.items():
        missing = _missing(stated, needed)
        if missing or stated is None:
            notes[case] = missing
        else:
            work[case] = partial(compute, Path(stated))
    found: dict[str, dict[str, float]] = {}
    with followed(progress, "published cases") as run:
        for place, (case, compute_case) in enumerate(work.items()):
            run.step(place / len(work), case)
            try:
                found[case] = compute_case()
            except Exception as error:  # whatever it is, the other cases still say what they find
                notes[case] = " ".join(f"{type(error).__name__}: {error}".split())
    rows = [_row(n, found.get(n.case), n.case in work, notes.get(n.case, "")) for n in NUMBERS]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _missing(data: str | Path | None, needed: tuple[str, ...]) -> str:
    """Why a case cannot be computed; "" if it can."""
    if data is None:
        return f"set {DATA} to a folder with {needed[0]}"
    gone = [name for name in needed if not (Path(data) / name).is_file()]
    return f"{data} has no {gone[0]}" if gone else ""


def _row(number: Published, found: dict[str, float] | None, tried: bool, note: str) -> tuple[Any, ...]:
    ours = nan if found is None else found.get(number.figure, nan)
    difference = ours - number.value
    verdict = AGREES if abs(difference) <= number.tolerance else DIFFERS
    if found is None:
        verdict = FAILED if tried else LEFT_OUT
    return (
        number.case, number.figure, number.value, ours, difference, number.tolerance, number.unit, verdict,
        SOURCES[number.case], note,
    )  # fmt: skip
