"""What a schedule does to its cells, year after year: calendar fade, cycle fade and the end of life."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bess_opt.common.arrays import Array
from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding
from bess_opt.dispatch.result import Dispatch, nameplate_mwh
from bess_opt.inputs.battery import Battery
from bess_opt.inputs.technologies.ageing_model import AgeingModel
from bess_opt.inputs.technologies.blast_cells import BlastCells
from bess_opt.investment.lifetime.blast import fade_by_blast
from bess_opt.investment.lifetime.cash_flow import YEAR_H, since_new
from bess_opt.plant.warranty.depth_wear import counted_cycles

STILL = 1e-9  # of nameplate: a swing of charge below this is no cycle
DEFAULT_YEARS = 20


@dataclass(frozen=True)
class Ageing:
    """The life of cells that repeat one schedule.

    `path`: index `year` 0 to the last, columns calendar, cycle, capacity at the end of each year, as shares of
    nameplate energy; capacity is the smaller of the two, as in SAM, not their sum or product. `mean_capacity`:
    over each year 1 to the last, mean of its ends. `cycles`: the horizon's rainflow cycles, columns depth,
    mean_soc (shares of nameplate), count (0.5 or 1). `damage_per_year`: share of the cycle life used in a year.
    `years_to_end_of_life`: when new cells reach `end_of_life`, interpolated; NaN if not within the path's years.
    With `BlastCells` capacity is what that library leaves after all losses, calendar and cycle may be NaN where its
    model does not tell them apart, and `damage_per_year` is NaN: it knows no cycle life.
    """

    model: AgeingModel | BlastCells
    path: pd.DataFrame
    mean_capacity: pd.Series
    cycles: pd.DataFrame
    damage_per_year: float
    end_of_life: float
    years_to_end_of_life: float
    replaced_after: tuple[int, ...]
    cells: str  # in words, whose cycle and calendar life it is

    @property
    def basis(self) -> str:
        """In words, what years of operation do to the revenue."""
        return f"revenue scaled by each year's mean capacity, the schedule repeated; {self.cells}"

    def capacities(self, year: int) -> tuple[float, ...]:
        """Mean capacity in a year, as a share of nameplate, in the form that several batteries have it."""
        return (float(self.mean_capacity[year]),)

    def course(self, plan: Dispatch, baseline: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """(net revenue of a horizon, share of throughput) in each year of operation; see `financials.Course`.

        Only what `plan` earns beyond the baseline fades.
        """
        shares = tuple(float(share) for share in self.mean_capacity)
        return tuple((plan.metrics.net_revenue - baseline) * share for share in shares), shares


@dataclass(frozen=True)
class SiteAgeing:
    """The lives of the cells of several batteries: `units[name]` is the `Ageing` of each.

    `mean_capacity` of each year and `path` (index `year` 0 to the last, column capacity) are those of all, as shares
    of their nameplate; `shares` is each battery's part of that. What the site earns beyond the baseline goes with it.
    """

    units: dict[str, Ageing]
    shares: dict[str, float]

    @property
    def mean_capacity(self) -> pd.Series:
        """Capacity of all over each year 1 to the last, mean of its ends."""
        return self._weighed({name: unit.mean_capacity for name, unit in self.units.items()}).rename("mean_capacity")

    @property
    def path(self) -> pd.DataFrame:
        """Capacity of all at the end of each year."""
        return self._weighed({name: unit.path["capacity"] for name, unit in self.units.items()}).to_frame("capacity")

    def _weighed(self, each: dict[str, pd.Series]) -> pd.Series:
        return pd.DataFrame(each).mul(pd.Series(self.shares)).sum(axis=1)

    @property
    def cells(self) -> str:
        """In words, whose cycle and calendar life each battery has."""
        return "; ".join(f"{name}: {unit.cells}" for name, unit in self.units.items())

    @property
    def basis(self) -> str:
        """In words, what years of operation do to the revenue."""
        return f"revenue scaled by each year's mean capacity of all nameplate, the schedule repeated; {self.cells}"

    def capacities(self, year: int) -> tuple[float, ...]:
        """Mean capacity of each battery in a year, in file order, as shares of nameplate."""
        return tuple(float(unit.mean_capacity[year]) for unit in self.units.values())

    def course(self, plan: Dispatch, baseline: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """(net revenue of a horizon, share of throughput) in each year of operation; see `financials.Course`."""
        shares = tuple(float(share) for share in self.mean_capacity)
        return tuple((plan.metrics.net_revenue - baseline) * share for share in shares), shares


def ageing(
    plan: Dispatch,
    model: AgeingModel | BlastCells | None = None,
    *,
    years: int | None = None,
    temperature_c: Sequence[float] | None = None,
    end_of_life: float | None = None,
) -> Ageing | SiteAgeing:
    """How `plan`, repeated year after year, ages its cells.

    `model` defaults to the cycle life and calendar life of the battery's technology, see `technologies`; a
    technology given as a table that states none ages as `AgeingModel` does by default, which is that of older cells.
    A horizon of another length than a year is repeated to 8,760 h. The calendar runs with the state of charge
    at the end of each step and `model.temperature_c`, or `temperature_c` with a value per step; cycles are those
    that rainflow counting (ASTM E1049) finds in the horizon's state of charge, each using 1 / cycles_to_failure
    of the life (Palmgren-Miner). With `BlastCells` that library takes over, a day at a time (extra `ageing`); a
    step's temperature is that at its start. The schedule does not shrink with the capacity: `faded_dispatch` looks
    into that.

    Several batteries give a `SiteAgeing` with the `Ageing` of each, by its own state of charge and its technology;
    `model`, `years`, `temperature_c` and `end_of_life` are one for all.

    `years` defaults to finance.lifetime_years, else 20; cells are new again after each of
    finance.replacement_years.
    `end_of_life` defaults to the model's 0.8. ScenarioError for years < 1, an end outside 0 to 1, temperatures
    that do not fit the steps, `BlastCells` without the library, and a cell that it does not have.
    """
    batteries = plan.scenario.batteries
    stated = model, years, temperature_c, end_of_life
    if len(batteries) == 1:
        return _of_battery(plan, 0, *stated)
    nameplate = nameplate_mwh(plan.scenario)
    units = {str(battery.name): _of_battery(plan, number, *stated) for number, battery in enumerate(batteries)}
    return SiteAgeing(units, {str(battery.name): battery.energy_mwh / nameplate for battery in batteries})


def _of_battery(
    plan: Dispatch,
    number: int,
    model: AgeingModel | BlastCells | None,
    years: int | None,
    temperature_c: Sequence[float] | None,
    end_of_life: float | None,
) -> Ageing:
    """How `plan` ages the cells of one of its batteries, see `ageing`."""
    battery = plan.scenario.batteries[number]
    own = list(plan.units.values())[number]
    finance, step_h = plan.scenario.finance, plan.scenario.step_h
    stated = finance.lifetime_years if finance is not None else None
    last = years if years is not None else stated or DEFAULT_YEARS
    soc = np.append(battery.soc_start_resolved, own["soc"].to_numpy())
    _check(last, temperature_c, len(soc) - 1)
    hours = (len(soc) - 1) * step_h
    year_h = hours if any(abs(hours - year) < 1e-6 * year for year in YEAR_H) else YEAR_H[0]
    cycles = rainflow_cycles(soc)
    made, cells = _cells(battery, model)
    if end_of_life is not None:
        made = type(made)(**made.merged({"end_of_life": end_of_life}))
    hot = np.broadcast_to(np.asarray(made.temperature_c if temperature_c is None else temperature_c), len(soc) - 1)
    if isinstance(made, BlastCells):
        damage, fresh = math.nan, fade_by_blast(made.cell, soc, hot, step_h, year_h, last)
    else:
        damage = float((cycles["count"] / made.cycles(cycles["depth"].to_numpy())).sum()) * year_h / hours
        rate = np.resize(made.calendar_rate(soc[1:], hot), round(year_h / step_h))
        fresh = _fresh(made, rate, damage, step_h, last)
    replaced = finance.replaced_after if finance is not None else ()
    year = np.arange(last + 1)
    age = np.append(0, since_new(year[:-1], replaced) + 1)
    means = fresh["capacity"].rolling(2).mean().to_numpy()
    return Ageing(
        model=made,
        path=fresh.iloc[age].set_axis(pd.RangeIndex(last + 1, name="year"), axis=0),
        mean_capacity=pd.Series(means[age[1:]], index=pd.RangeIndex(1, last + 1, name="year"), name="mean_capacity"),
        cycles=cycles,
        damage_per_year=damage,
        end_of_life=made.end_of_life,
        years_to_end_of_life=_reached(fresh["capacity"].to_numpy(), made.end_of_life),
        replaced_after=replaced,
        cells=cells,
    )


def _fresh(model: AgeingModel, rate: Array, damage: float, step_h: float, years: int) -> pd.DataFrame:
    """Calendar, cycle and capacity of new cells at the end of years 0 to `years`; `damage` is that of a year."""
    cycle = 1.0 - (1.0 - model.failure_capacity) * damage * np.arange(years + 1)
    parts = np.maximum(np.column_stack([_calendar(model, rate, step_h, years), cycle]), 0.0)
    return pd.DataFrame({"calendar": parts[:, 0], "cycle": parts[:, 1], "capacity": parts.min(axis=1)})


def _cells(battery: Battery, model: AgeingModel | BlastCells | None) -> tuple[AgeingModel | BlastCells, str]:
    """The model to age by, and in words whose cycle and calendar life it is."""
    if isinstance(model, BlastCells):
        return model, f"cells that age as {model.cell} of BLAST-Lite"
    if model is not None and "cycles_to_failure" in model.model_fields_set:
        return model, "cycle life as stated"
    if model is not None or not battery.tech.states_ageing:
        return model or AgeingModel(), "cycle life of older cells, the default of AgeingModel"
    return AgeingModel.of_technology(battery.tech), f"cells that last {battery.tech.life_in_words}"


def rainflow_cycles(soc: Array) -> pd.DataFrame:
    """Cycles of a state-of-charge history after ASTM E1049: depth, mean_soc, count (1 full, 0.5 half)."""
    found = [(depth, mean, count) for depth, mean, count, _, _ in counted_cycles(soc)]
    table = pd.DataFrame(found, columns=["depth", "mean_soc", "count"], dtype=float)
    return table[table["depth"] > STILL].reset_index(drop=True)


def calendar_loss(rate: Array, step_h: float, start: float = 0.0) -> float:
    """Capacity lost after the steps of `rate` (1/day^0.5), from `start` lost before, in SAM's update.

    Loss grows with the square root of time: the first step takes k·√Δt, each later one k²·Δt / (2·loss).
    """
    loss, days, place = start, step_h / 24.0, 0
    while place < len(rate) and loss <= 0.0:
        loss = float(rate[place]) * math.sqrt(days)
        place += 1
    return _grown(loss, _halves(rate[place:], step_h))


def _halves(rate: Array, step_h: float) -> list[float]:
    """k²·Δt / 2 of each step."""
    halves: list[float] = (0.5 * (step_h / 24.0) * rate**2).tolist()
    return halves


def _grown(loss: float, halves: list[float]) -> float:
    """What a loss above zero has come to after the steps."""
    for half in halves:
        loss += half / loss
    return loss


def calendar_capacity(model: AgeingModel, step_h: float, years: int) -> Array:
    """Calendar capacity at the end of years 0 to `years`, cells half charged at the model's temperature."""
    rate = model.calendar_rate(np.full(round(YEAR_H[0] / step_h), 0.5), model.temperature_c)
    return _calendar(model, rate, step_h, years)


def _calendar(model: AgeingModel, rate: Array, step_h: float, years: int) -> Array:
    """Calendar capacity at the end of years 0 to `years`."""
    lost, halves = [0.0], _halves(rate, step_h)
    for _ in range(years):
        lost.append(_grown(lost[-1], halves) if lost[-1] > 0.0 else calendar_loss(rate, step_h))
    return model.calendar_q0 - np.array(lost)


def _reached(capacity: Array, end: float) -> float:
    """Year at which `capacity` falls to `end`, interpolated; NaN if it stays above."""
    below = np.flatnonzero(capacity <= end)
    if len(below) == 0:
        return math.nan
    year = int(below[0])
    if year == 0:
        return 0.0
    before, after = float(capacity[year - 1]), float(capacity[year])
    return year - 1 + (before - end) / (before - after)


def _check(years: int, temperature_c: Sequence[float] | None, steps: int) -> None:
    problems = []
    if years < 1:
        problems.append(Finding("wrong_value", "years", f"found {years}", "give 1 or more"))
    if temperature_c is not None and (len(temperature_c) != steps or not np.isfinite(temperature_c).all()):
        found = f"found {len(temperature_c)} values"
        problems.append(
            Finding("wrong_value", "temperature_c", found, f"give a finite one for each of {steps} steps")
        )
    if problems:
        raise ScenarioError(problems)
