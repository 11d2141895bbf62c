"""What the clauses of a connection agreement cost: each alone, all together, and one MW of them in every step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bess_opt.common.arrays import Array
from bess_opt.common.errors import InfeasibleError, ScenarioError, SolveError
from bess_opt.common.findings import Finding, Findings, findings_table
from bess_opt.common.html import box, html_table
from bess_opt.common.progress import ShowProgress
from bess_opt.common.progress_bar import followed
from bess_opt.common.wording import number
from bess_opt.comparison.clause_prices import clause_price
from bess_opt.dispatch.infeasible.least_changes import naming_least_changes
from bess_opt.dispatch.optimize import dispatch_of
from bess_opt.dispatch.optimum.solve_scenario import Solved, solve_scenario
from bess_opt.dispatch.result import Dispatch
from bess_opt.inputs.scenario import Scenario
from bess_opt.plant.connection import ClauseNumbers, connection_of
from bess_opt.plant.from_scenario import plant_of, plant_under
from bess_opt.plant.plant import Plant

if TYPE_CHECKING:
    from matplotlib.figure import Figure

YEAR_H = 8760.0
NONE, TOGETHER, INTERACTION = "no clause", "together", "interaction"
COLUMNS = (
    "money", "value_lost", "value_lost_per_year", "curtailed_mwh", "overrun_charges", "hours_active", "hours_binding",
    "mean_price", "price_unit", "mw_taken", "rebate_per_mw_year",
)  # fmt: skip


@dataclass(frozen=True)
class ConnectionCost:
    """What each clause costs a site whose battery is operated at best.

    `table` has a row per clause planned with that clause alone, one for all of them `together`, one for their
    `interaction` (together less the sum of each alone) and one without any: `money` is what dispatch maximises,
    `value_lost` what it is below that without clauses, `curtailed_mwh` PV thrown away beyond that without clauses,
    `rebate_per_mw_year` what a lower connection fee must give back per MW taken away. `prices` has a column per
    clause: what one MW more of its cap (one MW per minute more of its ramp) would bring in each step, with the clause
    alone and the on/off pattern of the proven plan held. `plans` are the dispatches by row, `notes` what could not be
    said.
    """

    scenario: Scenario
    table: pd.DataFrame
    prices: pd.DataFrame
    plans: Mapping[str, Dispatch]
    notes: Findings

    def plot(self, clause: str | None = None, *, theme: str = "light") -> Figure:
        """The hours of the horizon and what a MW of a clause costs in each; by default of the dearest clause.

        ScenarioError for a name that is no clause.
        """
        from bess_opt.plots import connection_figure

        names = [str(name) for name in self.prices.columns]
        if clause is not None and clause not in names:
            found = f"found {clause!r}"
            raise ScenarioError([Finding("unknown_clause", "clause", found, f"give one of {', '.join(names)}")])
        lost = self.table.loc[names, "value_lost"]
        chosen = clause or str(lost.idxmax() if lost.notna().any() else names[0])
        return connection_figure(
            self.prices[chosen],
            lost,
            chosen=chosen,
            unit=str(self.table.loc[chosen, "price_unit"]),
            currency=self.scenario.site.currency,
            title=self.scenario.name,
            theme="dark" if theme == "dark" else "light",
        )

    def _repr_html_(self) -> str:
        header, rows = connection_table(self)
        notes = findings_table(list(self.notes)) if len(self.notes) else ""
        return box(f"Connection clauses of {self.scenario.name}", html_table(header, rows) + notes)


def connection(scenario: Scenario, *, progress: ShowProgress = False) -> ConnectionCost:
    """Plan `scenario` without its clauses, with each alone, and with all: what each costs, and where.

    Raises `ScenarioError` where no clause is stated, `SolveError` where the strategy is not scored in money, and
    what `optimize` raises for the site without clauses. A clause under which no plan exists is noted. `progress` is
    told a `Progress` before each plan, or says whether a bar is drawn; StopIteration from it ends the work with
    CancelledError.
    """
    clauses = scenario.connection
    if not clauses:
        expected = "state the clauses as [[connection]] tables"
        raise ScenarioError([Finding("no_clauses", "connection", "the scenario states no clause", expected)])
    taken = [clause.name for clause in clauses if clause.name in (NONE, TOGETHER, INTERACTION)]
    if taken:
        found, expected = f"{taken[0]!r} is the name of a row of the answer", "give the clause another name"
        raise ScenarioError([Finding("same_name", "connection.name", found, expected)])
    sets: dict[str, Sequence[int]] = {NONE: ()} | {clause.name: (n,) for n, clause in enumerate(clauses)}
    sets[TOGETHER] = range(len(clauses))
    free = plant_of(scenario.under(()))
    under = connection_of(clauses, scenario.series, free.step_h, scenario.holidays, free.connection.away)
    notes: list[Finding] = []
    solved: dict[str, Solved] = {}
    with followed(progress, "planning without clauses") as told:
        for place, (name, some) in enumerate(sets.items()):
            told.step(place / len(sets), "planning without clauses" if name == NONE else f"planning with {name}")
            try:
                with naming_least_changes(scenario):
                    solved[name] = _solved(scenario.under(some), plant_under(free, under.some(some)), name, solved)
            except InfeasibleError as error:
                if name == NONE:
                    raise
                notes.append(_no_plan(name, str(error)))
    plans = {name: dispatch_of(found) for name, found in solved.items()}
    if plans[NONE].metrics.score_unit != "currency":
        raise SolveError(
            "connection: the strategy is not scored in money, so a clause has no price; choose arbitrage"
        )
    table, prices = _table(scenario, solved, plans, notes)
    return ConnectionCost(scenario, table, prices, plans, Findings(notes))


def _solved(scenario: Scenario, plant: Plant, name: str, solved: Mapping[str, Solved]) -> Solved:
    """The scenario's optimum; that of the only clause stands for all of one."""
    if name == TOGETHER and len(scenario.connection) == 1 and scenario.connection[0].name in solved:
        return solved[scenario.connection[0].name]
    return solve_scenario(scenario, plant)


def _no_plan(name: str, why: str) -> Finding:
    reason = why.splitlines()[0]
    expected = "state a lower demand on the connection, a price on overruns, or site.unserved_price_per_mwh"
    return Finding("clause_infeasible", f"connection, {name}", f"no plan exists: {reason}", expected, "warning")


def _table(
    scenario: Scenario, solved: Mapping[str, Solved], plans: Mapping[str, Dispatch], notes: list[Finding]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(a row per clause and for all, prices of each step by clause)."""
    free, index = solved[NONE], solved[NONE].plant.index
    per_year = YEAR_H / free.plant.horizon_h
    base = free.optimum.objective
    rows: dict[str, dict[str, float | str]] = {}
    prices: dict[str, Array] = {}
    for name in [NONE, *(clause.name for clause in scenario.connection), TOGETHER]:
        row: dict[str, float | str] = dict.fromkeys(COLUMNS, np.nan)
        rows[name] = row | {"price_unit": ""}
        if name not in solved:
            prices[name] = np.full(len(index), np.nan)
            continue
        lost = base - solved[name].optimum.objective
        metrics, without = plans[name].metrics, plans[NONE].metrics
        rows[name] |= {
            "money": solved[name].optimum.objective,
            "value_lost": lost,
            "value_lost_per_year": lost * per_year,
            "curtailed_mwh": metrics.curtailed_mwh - without.curtailed_mwh,
            "overrun_charges": metrics.overrun_charges - without.overrun_charges,
        }
        if name in (NONE, TOGETHER):
            continue
        clause = solved[name].plant.connection.clauses[0]
        price, unit = clause_price(solved[name], clause)
        prices[name] = price
        rows[name] |= _of_price(price, unit, clause, free.plant.step_h)
        rows[name] |= _rebate(free, clause, lost * per_year, notes)
    names = [clause.name for clause in scenario.connection]
    alone = sum(_number(rows[name], "value_lost") for name in names)
    between = _number(rows[TOGETHER], "value_lost") - alone
    empty: dict[str, float | str] = dict.fromkeys(COLUMNS, np.nan)
    rows[INTERACTION] = empty | {"price_unit": "", "value_lost": between, "value_lost_per_year": between * per_year}
    table = pd.DataFrame(list(rows.values()), index=pd.Index(list(rows), name="clause"), columns=list(COLUMNS))
    return table, pd.DataFrame({name: prices[name] for name in names}, index=index)


def _number(row: Mapping[str, float | str], key: str) -> float:
    return float(row[key])


def _of_price(price: Array, unit: str, clause: ClauseNumbers, step_h: float) -> dict[str, float | str]:
    active = clause.active
    return {
        "hours_active": float(active.sum()) * step_h,
        "hours_binding": float((price > 0.0).sum()) * step_h,
        "mean_price": float(price[active].mean()) if active.any() else 0.0,
        "price_unit": unit,
    }


def _rebate(free: Solved, clause: ClauseNumbers, lost_per_year: float, notes: list[Finding]) -> dict[str, float]:
    """The rebate per MW and year that makes up for a clause with a single cap below what the site could use."""
    taken = np.nan
    if len(clause.caps) == 1 and not np.isfinite(clause.ramp_mw):
        (flow, cap), plant = next(iter(clause.caps.items())), free.plant
        limits = {"import_mw": plant.import_max_mw, "export_mw": plant.export_max_mw}[flow]
        stated = float(limits[clause.active].max(initial=0.0))
        batteries = free.scenario.batteries
        power = sum(b.power_mw if flow == "export_mw" else b.charge_power for b in batteries)
        taken = (stated if np.isfinite(stated) else power) - cap
    if taken > 0.0:
        return {"mw_taken": taken, "rebate_per_mw_year": lost_per_year / taken}
    found = "has no single cap below the connection's limit, so no rebate per MW is stated"
    expected = "read value_lost_per_year"
    notes.append(Finding("rebate_unstated", f"connection, {clause.name}", found, expected, "recommendation"))
    return {}


def connection_table(made: ConnectionCost) -> tuple[list[str], list[list[str]]]:
    """Header and rows for people: what each clause costs, with units."""
    currency = made.scenario.site.currency
    header = [
        "clause",
        f"lost [{currency}]",
        f"lost per year [{currency}]",
        "curtailed for it [MWh]",
        "active [h]",
        "binding [h]",
        f"mean price [{currency}]",
        f"rebate [{currency} per MW and year]",
    ]
    keys = (
        "value_lost", "value_lost_per_year", "curtailed_mwh", "hours_active", "hours_binding", "mean_price",
        "rebate_per_mw_year",
    )  # fmt: skip
    rows = []
    for name, row in made.table.drop(index=NONE).iterrows():
        cells = ["" if pd.isna(row[key]) else number(float(row[key])) for key in keys]
        if row["price_unit"]:
            cells[5] += f" {row['price_unit']}"
        rows.append([str(name), *cells])
    return header, rows
