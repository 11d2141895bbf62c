"""What is known when: the values that a decision believes, for each series and each step ahead of it.

A forecast never changes what happens; it is what a plan is made of. Times are local (`clock`), leads in hours.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd

from bess_opt.common import clock
from bess_opt.common.arrays import Array
from bess_opt.common.columns import SERIES
from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding
from bess_opt.common.names import nearest
from bess_opt.common.wording import show
from bess_opt.dispatch.forecast_driven.given_forecasts import Vintages, vintages_of

Mode = Literal["perfect", "observed", "published", "persistence", "noisy", "given"]
Current = Literal["seen", "forecast"]
OTHERS = "*"
# Stated limits and a stated use of the cells are no forecast.
ALWAYS_KNOWN = (
    "energy_min_mwh",
    "energy_max_mwh",
    "charge_limit_mw",
    "discharge_limit_mw",
    "import_limit_mw",
    "export_limit_mw",
    "drawn_mw",
)


@dataclass(frozen=True, eq=False)
class Forecast:
    """What is known of one series at a decision.

    `mode`: "perfect": everything. "observed": the last observation holds. "published": from the local hour
    `at_hour` on, the next local day too (today's was published yesterday). "persistence": the value of
    `lag_h` hours before by the local clock, or of as many lags before as it takes to be known. "noisy": the truth
    times 1 + `relative_error`·ε, plus `absolute_error`·ε (the series' unit), ε standard normal from `seed`, one
    per step; with `error_at_h` the errors hold at that lead in hours and grow with its square root. "given":
    `values`, a Series by target time, or by (issued, time) for vintages: the latest one issued that has the step.

    Beyond what is published or given stands persistence, or with "published" the `values`, if given.
    `current="seen"`: the step that begins with the decision is known; "forecast": only those before it.
    Raises `ScenarioError`.
    """

    mode: Mode = "perfect"
    at_hour: float = 13.0
    lag_h: float = 24.0
    relative_error: float = 0.0
    absolute_error: float = 0.0
    error_at_h: float | None = None
    seed: int = 0
    values: pd.Series | None = None
    current: Current = "seen"

    def __post_init__(self) -> None:
        problems = [*self._words(), *self._ranges(), *self._fit()]
        if problems:
            raise ScenarioError(problems)

    def _words(self) -> list[Finding]:
        stated = (("mode", self.mode, get_args(Mode)), ("current", self.current, get_args(Current)))
        return [
            Finding("unknown_word", f"forecast.{name}", f"found {show(word)}", nearest(str(word), known))
            for name, word, known in stated
            if word not in known
        ]

    def _ranges(self) -> list[Finding]:
        rules = (
            ("at_hour", self.at_hour, 0.0, 24.0, "a local hour from 0 to 24"),
            ("lag_h", self.lag_h, 1e-9, np.inf, "hours above 0"),
            ("relative_error", self.relative_error, 0.0, np.inf, "a fraction of 0 or more"),
            ("absolute_error", self.absolute_error, 0.0, np.inf, "a number of 0 or more, in the series' unit"),
            ("error_at_h", 1.0 if self.error_at_h is None else self.error_at_h, 1e-9, np.inf, "hours above 0"),
            ("seed", self.seed, 0, np.inf, "a whole number of 0 or more"),
        )
        wrong = []
        for name, value, low, high, allowed in rules:
            kinds = int if name == "seed" else int | float
            number = isinstance(value, kinds) and not isinstance(value, bool) and np.isfinite(value)
            if not (number and low <= value <= high):
                wrong.append(Finding("wrong_value", f"forecast.{name}", f"found {show(value)}", f"give {allowed}"))
        return wrong

    def _fit(self) -> list[Finding]:
        if self.mode == "given" and self.values is None:
            return [Finding("missing_key", "forecast.values", "is missing", 'mode "given" needs a Series')]
        if self.values is not None and self.mode not in ("given", "published"):
            found = f"stand beside mode {self.mode!r}"
            return [Finding("contradiction", "forecast.values", found, 'use mode "given" or "published"')]
        return []


ForecastLike = str | Forecast | pd.Series
Forecasts = ForecastLike | pd.DataFrame | Mapping[str, ForecastLike]


class Knowledge:
    """What is known of a scenario's series at any decision; made once, asked for many issues."""

    def __init__(self, series: pd.DataFrame, forecasts: Forecasts, step_h: float) -> None:
        self._series, self._step_h = series, step_h
        self._index = pd.DatetimeIndex(series.index)
        self._specs = specs_of(list(series.columns), forecasts)
        self._given: dict[str, Vintages] = {}
        for name, spec in self._specs.items():
            if spec.values is not None:
                whole = spec.mode == "given"
                self._given[name] = vintages_of(spec.values, self._index, f"forecast.{name}.values", whole=whole)
        self._lagged: dict[float, Array] = {}
        self._day = clock.day_number(self._index)
        self._day_end = np.searchsorted(self._day, self._day, side="right") - 1

    def current(self, name: str) -> Current:
        """Whether the step that begins with a decision is known of series `name`."""
        return self._specs[name].current if name in self._specs else "seen"

    def mode(self, name: str) -> Mode:
        """How series `name` is forecast."""
        return self._specs[name].mode if name in self._specs else "perfect"

    def believed(self, issued: Array) -> pd.DataFrame:
        """The series as believed: value t as forecast at the start of step `issued[t]`, at or before t."""
        made = {
            str(name): self._column(str(name), self._series[name].to_numpy(), issued) for name in self._series.columns
        }
        return pd.DataFrame(made, index=self._index)

    def _column(self, name: str, actual: Array, issued: Array) -> Array:
        spec = self._specs.get(name)
        if spec is None or spec.mode == "perfect":
            return actual
        steps = np.arange(len(actual))
        visible = issued if spec.current == "seen" else issued - 1
        if spec.mode == "observed":
            believed = actual[np.maximum(visible, 0)]
        elif spec.mode == "noisy":
            believed = self._noisy(name, spec, actual, steps - visible)
        else:
            if spec.mode == "published":
                visible = np.maximum(visible, self._published(spec.at_hour)[issued])
            believed = self._persisting(spec.lag_h, actual, visible)
            if name in self._given:
                given = self._given[name].at(issued)
                believed = np.where(np.isnan(given), believed, given)
        least, most = _bounds(name, actual)
        inside = believed if least is None and most is None else np.clip(believed, least, most)
        known: Array = np.where(steps <= visible, actual, inside)
        return known

    def _noisy(self, name: str, spec: Forecast, actual: Array, lead: Array) -> Array:
        random = np.random.default_rng([spec.seed, zlib.crc32(name.encode())])
        relative, absolute = random.standard_normal((2, len(actual)))
        grown = 1.0
        if spec.error_at_h is not None:
            grown = np.sqrt(np.maximum(lead, 0) * self._step_h / spec.error_at_h)
        noisy: Array = actual + grown * (spec.relative_error * relative * actual + spec.absolute_error * absolute)
        return noisy

    def _published(self, at_hour: float) -> Array:
        """Last step that is published when each step begins: today's, from `at_hour` on also tomorrow's."""
        stamps = self._index
        hour = (stamps.hour + stamps.minute / 60.0 + stamps.second / 3600.0).to_numpy()
        tomorrow = self._day_end[np.minimum(self._day_end + 1, len(stamps) - 1)]
        last: Array = np.where(hour >= at_hour, tomorrow, self._day_end)
        return last

    def _persisting(self, lag_h: float, actual: Array, visible: Array) -> Array:
        """The value as many lags before as it takes to be known; where that is before the series, the last one known.

        Where nothing has been seen yet, the first value stands for the one before it.
        """
        lagged, known = self._lag(lag_h), np.maximum(visible, 0)
        place = np.arange(len(actual))
        while (unknown := place > known).any():
            place = np.where(unknown, lagged[place], place)
            place = np.where(place < 0, known, place)
        return actual[place]

    def _lag(self, lag_h: float) -> Array:
        """The step that began `lag_h` hours before by the local clock; -1 before the first."""
        if lag_h not in self._lagged:
            clocks = self._index.tz_localize(None) - pd.Timedelta(hours=lag_h)
            before = clocks.tz_localize(
                self._index.tz, ambiguous=np.ones(len(clocks), bool), nonexistent="shift_backward"
            )
            place = self._index.searchsorted(before, side="right") - 1
            self._lagged[lag_h] = np.minimum(place, np.arange(len(place)) - 1)
        return self._lagged[lag_h]


def _bounds(name: str, actual: Array) -> tuple[float | None, float | None]:
    """What a forecast of a series may be: noise makes no generation of a load that is none anywhere."""
    column = SERIES[name]
    least = 0.0 if column.minimum is None and column.unit == "MW" and not (actual < 0.0).any() else column.minimum
    return least, column.maximum


def specs_of(columns: list[str], forecasts: Forecasts) -> dict[str, Forecast]:
    """One `Forecast` for each series of `columns` that is not always known. Raises `ScenarioError`."""
    needed = [name for name in columns if name.rpartition(".")[2] not in ALWAYS_KNOWN]
    if isinstance(forecasts, pd.DataFrame):
        forecasts = {str(name): forecasts[name] for name in forecasts.columns}
    if isinstance(forecasts, str | Forecast):
        return {name: _spec(forecasts) for name in needed}
    if isinstance(forecasts, pd.Series) and len(needed) == 1:
        return {needed[0]: _spec(forecasts)}
    if not isinstance(forecasts, Mapping):
        found = f"found {show(forecasts)}" if not isinstance(forecasts, pd.Series) else "found one Series for several"
        expected = f"give a mode, a Forecast, or a mapping with a forecast for each of {', '.join(needed)}"
        raise ScenarioError([Finding("wrong_value", "forecast", found, expected)])
    problems = [
        Finding(
            "unknown_key",
            f"forecast.{str(name)[:60]}",
            f"unknown series {show(name)}",
            nearest(str(name), [*needed, OTHERS]),
        )
        for name in forecasts
        if name not in (*needed, OTHERS)
    ]
    missing = [name for name in needed if name not in forecasts and OTHERS not in forecasts]
    problems += [
        Finding(
            "missing_key", f"forecast.{name}", "is missing", 'say what is known of it, or give "*" for all others'
        )
        for name in missing
    ]
    if problems:
        raise ScenarioError(problems)
    return {name: _spec(forecasts[name] if name in forecasts else forecasts[OTHERS]) for name in needed}


def _spec(stated: ForecastLike) -> Forecast:
    if isinstance(stated, Forecast):
        return stated
    if isinstance(stated, pd.Series):
        return Forecast("given", values=stated)
    return Forecast(stated)  # type: ignore[arg-type]  # a wrong word is refused there
