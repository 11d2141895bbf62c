"""Calendar and cycle fade of a schedule by BLAST-Lite, day after day over the years."""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd

from bess_opt.common.arrays import Array
from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding
from bess_opt.common.names import nearest
from bess_opt.common.wording import show

DAY_H, DAY_S = 24.0, 86400.0
WRONG_REFERENCE = ("NMC_Gr_50Ah_B1", "NMC_Gr_50Ah_B2", "NMC_Gr_75Ah_A")  # 293.15 K for 0 °C, mended in 1.1.1
CALENDAR, CYCLE = ("q_t", "q_LLI_t"), ("q_EFC", "q_LLI_EFC")  # what the library calls these parts, by cell


class _NumPy:
    """NumPy with `trapz`, which the library calls and NumPy 2.4 has no more."""

    def __getattr__(self, name: str) -> Any:
        return getattr(np, "trapezoid" if name == "trapz" else name)


def fade_by_blast(cell: str, soc: Array, temperature_c: Array, step_h: float, year_h: float, years: int) -> Any:
    """DataFrame with a row for each year from 0: calendar, cycle and capacity of new cells, as shares of nameplate.

    `soc` is the state of charge at the start and at the end of each step, `temperature_c` has a value for each step;
    they are repeated until `year_h` hours are full. `capacity` is the library's own sum of all losses; `calendar` and
    `cycle` are what time and throughput leave, NaN where the cell's model does not tell them apart. ScenarioError
    without the library, or for a cell that it does not have.
    """
    model = _model(cell)
    hot = np.append(temperature_c, temperature_c[-1])
    parts = [
        (np.arange(last - first + 1) * step_h * DAY_S / DAY_H, soc[first : last + 1], hot[first : last + 1])
        for first, last in _days(len(soc) - 1, step_h, year_h)
    ]
    rows = [_left(model)]
    with np.errstate(all="ignore"):  # beyond the measured range a model may end: see below
        for _ in range(years):
            for seconds, charge, degrees in parts:
                if not rows[-1][2] > 0.0:
                    break
                model.update_battery_state(seconds, charge, degrees)
            rows.append(_left(model))
    table = pd.DataFrame(rows, columns=["calendar", "cycle", "capacity"]).clip(lower=0.0)
    table["capacity"] = table["capacity"].fillna(0.0).cummin()
    return table


def _days(steps: int, step_h: float, year_h: float) -> list[tuple[int, int]]:
    """(first step, step after the last) of each day of a year that repeats a horizon of `steps`."""
    a_day, a_year = max(round(DAY_H / step_h), 1), round(year_h / step_h)
    days, done = [], 0
    while done < a_year:
        first = done % steps
        last = min(first + a_day, steps, first + a_year - done)
        days.append((first, last))
        done += last - first
    return days


def _left(model: Any) -> tuple[float, float, float]:
    """(calendar, cycle, capacity) that the model's state leaves."""
    outputs = model.outputs
    calendar, cycle = (
        next((float(outputs[name][-1]) for name in names if name in outputs), np.nan) for names in (CALENDAR, CYCLE)
    )
    return calendar, cycle, float(outputs["q"][-1])


def _model(cell: str) -> Any:
    """A new cell of the library."""
    try:
        from blast import models
    except ImportError:
        remedy = 'install it: pip install "bess-opt[ageing]" (Python 3.11 or 3.12)'
        raise ScenarioError(
            [Finding("missing_package", "ageing", "the package blast-lite is not installed", remedy)]
        ) from None
    known = models.available_models()
    if cell not in known:
        found = f"{show(cell)} is no cell of BLAST-Lite"
        raise ScenarioError([Finding("unknown_word", "ageing.cell", found, nearest(cell, known))])
    if cell in WRONG_REFERENCE and version("blast-lite") == "1.1.0":
        found = f"{show(cell)} has a wrong reference temperature in BLAST-Lite 1.1.0"
        expected = "choose another cell, or install blast-lite 1.1.1, which needs numpy below 2"
        raise ScenarioError([Finding("wrong_value", "ageing.cell", found, expected)])
    if not hasattr(np, "trapz"):
        for name, module in list(sys.modules.items()):
            if name.startswith("blast.models."):
                vars(module)["np"] = _NumPy()
    return getattr(models, cell)()
