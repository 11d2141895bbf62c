"""What `track` and `step` take, checked: the battery, states of charge, requests and their step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from bess_opt.common.arrays import Floats
from bess_opt.common.clock import HOUR_NS
from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding
from bess_opt.common.input_table import plain, read_table
from bess_opt.common.wording import moment, show
from bess_opt.inputs.battery import Battery
from bess_opt.inputs.series.raw import RawSeries
from bess_opt.inputs.series.time_axis import TimeAxis, check_gaps, check_order, find_step
from bess_opt.plant.steps.battery_steps import ROUNDING

DEFAULT_STEP_H = 0.25
REQUESTS = "requests_mw"


def battery_of(value: object) -> Battery:
    """A battery from one, or from its table; raises `ScenarioError` with every problem of the table."""
    table, problems = read_table(Battery, value, "battery")
    if table is None:
        raise ScenarioError(problems)
    return table


def number_of(value: object, where: str, unit: str) -> float:
    """A finite number; raises `ScenarioError` that names `where` and the `unit` it would have."""
    number = plain(value)
    if isinstance(number, bool) or not isinstance(number, int | float) or not np.isfinite(number):
        raise ScenarioError([Finding("wrong_value", where, f"found {show(value)}", f"give a number of {unit}")])
    return float(number)


def soc_of(value: object, battery: Battery, where: str) -> float:
    """A state of charge inside the window; outside of it is an error, nothing is lifted for free."""
    cells = battery.tech
    soc = number_of(value, where, "nameplate energy, 0 to 1")
    soc = cells.inside(soc)
    if not cells.soc_min - 2.0 * ROUNDING <= soc <= cells.soc_max + 2.0 * ROUNDING:
        window = f"from {cells.soc_min:g} to {cells.soc_max:g}, the technology's window"
        finding = Finding("outside_window", where, f"found {soc:.12g}", f"give a state of charge {window}")
        raise ScenarioError([finding])
    return soc


def step_of(stated: object, own_h: float | None) -> float:
    """The step in hours: stated, else the index's own, else the default; the first two must agree."""
    if stated is None:
        return DEFAULT_STEP_H if own_h is None else own_h
    hours = number_of(stated, "step_h", "hours")
    if hours <= 0.0:
        raise ScenarioError([Finding("wrong_value", "step_h", f"found {hours:g}", "give a number > 0 h")])
    if own_h is not None and abs(hours - own_h) > 1e-6 * own_h:
        found = f"found {hours:g} h, but the index of {REQUESTS} has steps of {own_h:g} h"
        raise ScenarioError([Finding("contradiction", "step_h", found, "leave step_h out, or resample")])
    return hours


def requests_of(values: object) -> tuple[Floats, pd.Index, float | None]:
    """(finite numbers, index of the steps, length of a step [h] if the index says it)."""
    if isinstance(values, pd.Series):
        numbers = _finite(values.to_numpy(), values.index)
        if not isinstance(values.index, pd.DatetimeIndex):
            return numbers, values.index, None
        return numbers, values.index, _index_step(values.index)
    if isinstance(values, str | bytes | Mapping | pd.DataFrame) or not hasattr(values, "__iter__"):
        expected = "give a sequence of numbers, an array or a Series, one value per step"
        raise ScenarioError([Finding("wrong_value", REQUESTS, f"found {type(values).__name__}", expected)])
    numbers = _finite(values if isinstance(values, np.ndarray) else list(values), None)
    return numbers, pd.RangeIndex(len(numbers), name="step"), None


def _finite(values: Any, index: pd.Index | None) -> Floats:
    wrong_kind = isinstance(values, np.ndarray) and (values.ndim != 1 or values.dtype.kind not in "iufO")
    if wrong_kind or len(values) == 0:
        found = f"found an array of {values.dtype}, shape {values.shape}" if wrong_kind else "has no values"
        raise ScenarioError([Finding("wrong_value", REQUESTS, found, "give one number per step")])
    array = values if isinstance(values, np.ndarray) else np.array(values, dtype=object)
    if array.dtype.kind == "O":
        array = np.array([_or_nan(value) for value in values])
    numbers = np.array(array, dtype=np.float64)
    bad = ~np.isfinite(numbers)
    if bad.any():
        first = int(np.argmax(bad))
        others = f", and {bad.sum() - 1} more" if bad.sum() > 1 else ""
        time = f" ({moment(index[first])})" if isinstance(index, pd.DatetimeIndex) else ""
        where, found = f"{REQUESTS}[{first}]{time}", f"found {show(plain(values[first]))}{others}"
        raise ScenarioError([Finding("wrong_value", where, found, "give a number of MW")])
    return numbers


def _or_nan(value: object) -> float:
    number = plain(value)
    good = isinstance(number, int | float) and not isinstance(number, bool)
    return float(number) if good else np.nan  # type: ignore[arg-type]


def _index_step(index: pd.DatetimeIndex) -> float | None:
    """Hours between the stamps of a tz-aware index with equal steps; None for a single stamp."""
    if index.tz is None:
        remedy = 'localise it: requests.tz_localize("Europe/Berlin"), or give the bare values'
        raise ScenarioError([Finding("naive_time", f"{REQUESTS} index", "has no time zone", remedy)])
    stamps = index.as_unit("ns")
    axis, raw = TimeAxis(stamps, str(index.tz)), RawSeries(REQUESTS, 0, stamps, pd.DataFrame())
    step_ns = find_step(axis)
    if step_ns is None:
        return None
    problems = check_order(raw, axis, step_ns) + check_gaps(raw, axis, step_ns, [REQUESTS], [])
    if problems:
        raise ScenarioError(problems)
    return step_ns / HOUR_NS
