"""Price years that might have been: a block bootstrap of days, in season and on the same weekday."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import overload

import numpy as np
import pandas as pd

from bess_opt.common import clock
from bess_opt.common.arrays import Array
from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding
from bess_opt.common.names import nearest
from bess_opt.common.wording import show
from bess_opt.inputs.scenario import Scenario

WEEK = 7


@dataclass(frozen=True)
class PriceYears(Sequence[Scenario]):
    """`n` scenarios that differ in `columns` alone, each made when it is asked for; number i never depends on n."""

    scenario: Scenario
    n: int
    seed: int
    block_days: int
    season_weeks: int
    columns: tuple[str, ...]

    def __len__(self) -> int:
        return self.n

    @overload
    def __getitem__(self, place: int) -> Scenario: ...

    @overload
    def __getitem__(self, place: slice) -> list[Scenario]: ...

    def __getitem__(self, place: int | slice) -> Scenario | list[Scenario]:
        """Draw number `place`, named after the scenario and the number."""
        if isinstance(place, slice):
            return [self[number] for number in range(*place.indices(self.n))]
        number = range(self.n)[place]
        series = self.scenario.series
        day, slot, slots = _calendar(pd.DatetimeIndex(series.index), self.scenario.step_h)
        source = _source_days(self._shifts[number], int(day[-1]) + 1, self.block_days)
        for column in self.columns:
            whole = _by_clock(series[column].to_numpy(), day, slot, slots)
            series[column] = whole[source[day], slot]
        return self.scenario.replace(series=series, name=f"{self.scenario.name}, draw {number:04d}")

    @cached_property
    def _shifts(self) -> list[tuple[int, ...]]:
        """Weeks by which each draw moves its blocks; a draw that repeats an earlier one is drawn anew."""
        days = int(clock.day_number(pd.DatetimeIndex(self.scenario.series.index))[-1]) + 1
        blocks, weeks = -(-days // self.block_days), days // WEEK
        found: dict[tuple[int, ...], None] = {}
        attempt = 0
        while len(found) < self.n:
            rng = np.random.default_rng([self.seed, attempt])
            drawn = rng.integers(-self.season_weeks, self.season_weeks + 1, blocks) % weeks
            found[tuple(drawn.tolist())] = None
            attempt += 1
        return list(found)


def monte_carlo(
    scenario: Scenario,
    n: int,
    seed: int,
    *,
    block_days: int = 7,
    season_weeks: int = 4,
    columns: Sequence[str] | None = None,
) -> PriceYears:
    """`n` scenarios with price years drawn from the one of `scenario` by a block bootstrap of days.

    The horizon is cut into blocks of `block_days` local days. Each block takes its days from the same place
    shifted by a whole number of weeks, drawn evenly from −`season_weeks` to `season_weeks` (around the ends of the
    horizon), so season, weekday and hour of day are kept, and so is how the days of a block follow one another.
    No draw is like another; one of them may be the stated year itself.
    A missing or repeated hour of a clock change is read by the clock. All `columns` (default: every series of
    prices) take the same days; the rest stays as it is, as do tariffs. The same `seed` gives the same draws,
    however many are asked for.

    Prices moved alone no longer follow the site's own weather: where much solar makes them low, solar and battery
    then earn more than they would. Name solar_mw among `columns` to keep the tie.

    ScenarioError for numbers < 1, more draws than can differ, a seed < 0, unknown columns, steps that do not fit a
    day, or a horizon of less than two weeks.
    """
    series = scenario.series
    chosen = [name for name in series.columns if "price" in name] if columns is None else list(columns)
    problems = [
        Finding("unknown_column", "columns", f"found {show(name)}", nearest(name, map(str, series.columns)))
        for name in chosen
        if name not in series.columns
    ]
    if not chosen:
        problems.append(Finding("missing_column", "columns", "the series hold no prices", "name columns to draw"))
    for name, value, least in (
        ("n", n, 1),
        ("block_days", block_days, 1),
        ("season_weeks", season_weeks, 1),
        ("seed", seed, 0),
    ):
        if value < least:
            problems.append(Finding("wrong_value", name, f"found {value}", f"give {least} or more"))
    if abs(24.0 / scenario.step_h - round(24.0 / scenario.step_h)) > 1e-9:
        found = f"steps are {scenario.step_h:g} h"
        problems.append(Finding("odd_step", "series", found, "give steps of which a whole number makes a day"))
    days = int(clock.day_number(pd.DatetimeIndex(series.index))[-1]) + 1
    if days < 2 * WEEK:
        problems.append(Finding("too_short", "series", f"hold {days} days", "give two weeks or more"))
    if not problems:
        shifts, blocks = min(2 * season_weeks + 1, days // WEEK), -(-days // block_days)
        if n > shifts**blocks:
            found = f"found {n}, but {days} days in blocks of {block_days} make only {shifts**blocks} different draws"
            expected = "ask for fewer, give shorter block_days, or a longer series"
            problems.append(Finding("wrong_value", "n", found, expected))
    if problems:
        raise ScenarioError(problems)
    return PriceYears(scenario, n, seed, block_days, season_weeks, tuple(chosen))


def _calendar(index: pd.DatetimeIndex, step_h: float) -> tuple[Array, Array, int]:
    """Local day and place in the day of each step, and how many places a day has."""
    local = index.tz_localize(None)
    since_midnight = (local - local.normalize()) / pd.Timedelta(hours=step_h)
    return clock.day_number(index), np.floor(since_midnight.to_numpy() + 1e-9).astype(int), round(24.0 / step_h)


def _source_days(weeks: tuple[int, ...], days: int, block_days: int) -> Array:
    """For each day, the day that it takes its values from: each block's moved by its weeks."""
    shift = np.repeat(WEEK * np.array(weeks), block_days)[:days]
    source: Array = (np.arange(days) + shift) % (WEEK * (days // WEEK))
    return source


def _by_clock(values: Array, day: Array, slot: Array, slots: int) -> Array:
    """`values` as a row per day and a column per time of day; days that are cut short take a neighbour's."""
    filled = np.full((int(day[-1]) + 1, slots), np.nan)
    filled[day[::-1], slot[::-1]] = values[::-1]  # of a repeated hour the first counts
    known = np.isfinite(filled).sum(axis=1)
    whole = np.flatnonzero(known >= slots - round(slots / 24.0))
    near = whole[np.abs(np.arange(len(filled))[:, None] - whole).argmin(axis=1)]
    return pd.DataFrame(filled[near]).ffill(axis=1).bfill(axis=1).to_numpy()
