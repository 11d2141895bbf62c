"""What an outage would meet: hours survived from every start, what a wanted cover needs, and its cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bess_opt.common.arrays import Array
from bess_opt.common.clock import Mask
from bess_opt.common.errors import InfeasibleError, ScenarioError
from bess_opt.common.findings import Finding, Findings, findings_table
from bess_opt.common.html import box, html_table
from bess_opt.common.input_table import plain
from bess_opt.common.progress import ShowProgress, Stretch
from bess_opt.common.progress_bar import followed
from bess_opt.common.wording import number, show
from bess_opt.comparison.resilience.island import island_of, own_window
from bess_opt.comparison.resilience.survival import hours_survived, needed_mwh
from bess_opt.dispatch.optimize import optimize
from bess_opt.dispatch.result import Dispatch
from bess_opt.inputs.batteries import column_of
from bess_opt.inputs.scenario import Scenario
from bess_opt.plant.from_scenario import plant_of
from bess_opt.plant.plant import Plant

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_H = 8784.0  # of a cover: a year
SERVED = 1e-6  # of a step: what misses a cover by less, within the solver's tolerance, meets it


@dataclass(frozen=True)
class Resilience:
    """How long a site whose batteries are operated at best lasts without the grid.

    `table` has a row per step of the horizon, an outage that begins there: `energy_mwh` in store, `critical_mw` of
    load, `hours_survived`, `to_the_end` where it lasts as long as the horizon, so that it would last longer. With a
    `cover_h`: `needed_mwh` in store from which so many hours are survived (NaN where a full battery is not enough)
    and `covered`. `curve` is the share of starts that survive at least so many hours, of those whose horizon is that
    long. `energy_min_mwh` is the series that keeps the cover in dispatch, of several batteries a frame with a column
    for each, "north.energy_min_mwh"; `held` is the plan under it, `holding_cost` what dispatch loses by it in money;
    None without a cover, or where no plan keeps it. `notes` say what failed.
    """

    scenario: Scenario
    plan: Dispatch
    critical_share: float
    cover_h: float | None
    table: pd.DataFrame
    curve: pd.Series
    energy_min_mwh: pd.Series | pd.DataFrame | None
    held: Dispatch | None
    holding_cost: float | None
    notes: Findings

    @property
    def summary(self) -> dict[str, float]:
        """Least, mean and median hours and those that nine starts of ten reach; with a cover the share covered."""
        hours = self.table["hours_survived"].to_numpy()
        figures = {
            "hours_least": float(hours.min()),
            "hours_p90": float(np.quantile(hours, 0.1)),
            "hours_median": float(np.median(hours)),
            "hours_mean": float(hours.mean()),
            "hours_most": float(hours.max()),
        }
        if self.cover_h is not None:
            figures["share_covered"] = float(self.table["covered"].mean())
        return figures

    def plot(self, *, theme: str = "light") -> Figure:
        """The curve of hours survived, and the hours from each start over the horizon."""
        from bess_opt.plots import resilience_figure

        return resilience_figure(
            self.table["hours_survived"],
            self.curve,
            cover_h=self.cover_h,
            title=self.scenario.name,
            theme="dark" if theme == "dark" else "light",
        )

    def _repr_html_(self) -> str:
        header, rows = resilience_table(self)
        notes = findings_table(list(self.notes)) if len(self.notes) else ""
        return box(f"Outages of {self.scenario.name}", html_table(header, rows) + notes)


def resilience(
    scenario: Scenario,
    critical_share: float = 1.0,
    cover_h: float | None = None,
    *,
    progress: ShowProgress = False,
) -> Resilience:
    """Hours that the site of `scenario`, on its optimal plan, survives an outage from every step on.

    `critical_share` of the load is served, from 0 to 1, beside the batteries' auxiliary load; `cover_h` hours
    shall be survived from every start. Stated outages take no part but through the plan. A reserve
    (`energy_min_mwh`) is there to be used. Raises `ScenarioError` for arguments out of range and for no load, and
    what `optimize` raises.
    `progress` is told a `Progress` before each part, or says whether a bar is drawn; StopIteration from it ends the
    work with CancelledError.
    """
    with followed(progress, "planning") as told:
        return _resilience(scenario, critical_share, cover_h, told)


def _resilience(scenario: Scenario, critical_share: float, cover_h: float | None, told: Stretch) -> Resilience:
    share, cover = _in_range("critical_share", critical_share, 1.0), None
    if cover_h is not None:
        cover = _in_range("cover_h", cover_h, MOST_H)
    plant = plant_of(scenario)
    _check_plant(plant)
    told.step(0.0, "planning")
    plan = optimize(scenario)
    told.step(0.4, "taking the grid away at every step")
    island = island_of(plant, share)
    notes: list[Finding] = []
    starts = [_starting_energy(plan, plant, place) for place in range(len(plant.batteries))]
    hours, lasting = hours_survived(island, starts)
    columns: dict[str, Any] = {
        "energy_mwh": np.sum(starts, axis=0),
        "critical_mw": plant.load_mw - island.plant.sheddable_mw,
        "hours_survived": hours,
        "to_the_end": lasting,
    }
    floor, held, cost = None, None, None
    if cover is not None:
        told.step(0.6, "planning with the cover held")
        needed, never = needed_mwh(island, cover)
        reach = np.minimum(cover, (plant.steps - np.arange(plant.steps)) * plant.step_h)
        together = np.where(never, np.nan, needed.sum(axis=0))
        columns |= {"needed_mwh": together[:-1], "covered": hours >= reach - SERVED * plant.step_h}
        floor = _floor(scenario, plant, needed, never, notes)
        held, cost = _holding(scenario, plan, floor, notes)
    curve = _curve(hours, plant)
    table = pd.DataFrame(columns, index=plant.index)
    return Resilience(scenario, plan, share, cover, table, curve, floor, held, cost, Findings(notes))


def _in_range(where: str, value: object, most: float) -> float:
    """A number from 0, for hours from above it, to `most`."""
    given, hours = plain(value), where == "cover_h"
    right = isinstance(given, int | float) and not isinstance(given, bool) and 0.0 <= given <= most
    if not right or (hours and given == 0.0):
        expected = f"give hours > 0, at most {most:g}" if hours else f"give a number from 0 to {most:g}"
        raise ScenarioError([Finding("wrong_value", where, f"found {show(value)}", expected)])
    return float(given)  # type: ignore[arg-type]


def _check_plant(plant: Plant) -> None:
    if not (plant.load_mw > 0.0).any():
        found = "the site has no load, so that an outage asks for nothing"
        raise ScenarioError([Finding("no_load", "series.load_mw", found, "add the series column load_mw")])


def _starting_energy(plan: Dispatch, plant: Plant, place: int) -> Array:
    """Energy of one battery at the start of each step."""
    battery = plant.batteries[place]
    ends = plan.whole_schedule[f"{battery.prefix}energy_mwh"].to_numpy()
    starts: Array = np.concatenate([[battery.start_mwh], ends[:-1]])
    return starts


def _curve(hours: Array, plant: Plant) -> pd.Series:
    """Share of the starts that survive at least so many hours, of those whose horizon is as long."""
    left = (plant.steps - np.arange(plant.steps)) * plant.step_h
    most = float(hours.max())
    marks = np.arange(0.0, most + plant.step_h, plant.step_h)
    if len(marks) > 2000:
        marks = np.linspace(0.0, most, 2000)
    sorted_hours, sorted_left = np.sort(hours), np.sort(left)
    alive = len(hours) - np.searchsorted(sorted_hours, marks - 1e-9, side="left")
    asked = len(left) - np.searchsorted(sorted_left, marks - 1e-9, side="left")
    share = np.divide(alive, asked, out=np.full(len(marks), np.nan), where=asked > 0)
    known = asked > 0
    return pd.Series(share[known], index=pd.Index(marks[known], name="hours"), name="share_surviving")


def _floor(
    scenario: Scenario, plant: Plant, needed: Array, never: Mask, notes: list[Finding]
) -> pd.Series | pd.DataFrame:
    """The reserve of each battery at the end of each step: what the next one needs, within what may be stored."""
    if never[:-1].any():
        first, who = plant.index[int(np.argmax(never[:-1]))], _full(plant)
        found = f"at {int(never[:-1].sum())} of {plant.steps} starts {who}, first at {first:%Y-%m-%d %H:%M}"
        notes.append(Finding("cover_out_of_reach", "cover_h", found, "it is filled as far as it can be", "warning"))
    stated, wanted = scenario.batteries, dict[str, Array]()
    for battery, own, need in zip(stated, plant.batteries, needed, strict=True):
        _, ceiling = own_window(own, plant)
        floor = np.where(never[1:], ceiling, np.minimum(need[1:], ceiling))
        if never[0] or need[0] > own.start_mwh * (1.0 + 1e-9):
            enough = _full(plant) if never[0] else f"{need[0]:.4g} MWh are needed"
            found = f"{own.start_mwh:.4g} MWh are in store at the start, {enough}"
            notes.append(Finding("start_uncovered", own.place("soc_start"), found, "raise soc_start", "warning"))
        column = column_of(battery, stated, "energy_min_mwh", scenario.series)
        if column is not None:
            floor = np.maximum(floor, scenario.series[column].to_numpy())
        wanted[column or f"{own.prefix}energy_min_mwh"] = floor
    frame = pd.DataFrame(wanted, index=plant.index)
    return frame if len(stated) > 1 else frame.iloc[:, 0].rename("energy_min_mwh")


def _full(plant: Plant) -> str:
    return "a full battery is not enough" if len(plant.batteries) == 1 else "full batteries are not enough"


def _holding(
    scenario: Scenario, plan: Dispatch, floor: pd.Series | pd.DataFrame, notes: list[Finding]
) -> tuple[Dispatch | None, float | None]:
    """(the plan that keeps the reserve, what dispatch loses by it); neither where no plan does."""
    series = scenario.series.assign(**{str(name): own for name, own in pd.DataFrame(floor).items()})
    kept = scenario.replace(series=series, series_options={"step_min": scenario.step_h * 60.0})
    try:
        held = optimize(kept)
    except InfeasibleError as error:
        found = f"no plan keeps it: {str(error).splitlines()[0]}"
        expected = "ask for fewer hours or a lower share, or begin with more in store"
        notes.append(Finding("cover_infeasible", "cover_h", found, expected, "warning"))
        return None, None
    if plan.report is None or held.report is None or plan.metrics.score_unit != "currency":
        return held, None
    return held, plan.report.objective - held.report.objective


def resilience_table(made: Resilience) -> tuple[list[str], list[list[str]]]:
    """Header and rows for people: what the starts of the horizon survive."""
    named = made.summary
    labels = {
        "hours_least": "fewest hours survived",
        "hours_p90": "hours that nine starts of ten reach",
        "hours_median": "hours that half of them reach",
        "hours_mean": "mean hours",
        "hours_most": "most hours",
    }
    rows = [[label, f"{number(named[key])} h"] for key, label in labels.items()]
    if made.cover_h is not None:
        rows.append([f"starts that survive {made.cover_h:g} h", f"{100.0 * named['share_covered']:.1f} %"])
        cost = "no plan keeps it" if made.held is None else "not scored in money"
        if made.holding_cost is not None:
            cost = f"{number(made.holding_cost)} {made.scenario.site.currency}"
        rows.append(["cost of holding it over the horizon", cost])
    return ["outage from any start", f"{100.0 * made.critical_share:g} % of the load"], rows
