"""The one result type: a schedule with its metrics, solver report and findings, whoever made it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from bess_opt.common.columns import SCHEDULE
from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding, Findings
from bess_opt.inputs.scenario import Scenario
from bess_opt.plant import physics
from bess_opt.plant.metrics import Metrics
from bess_opt.plant.plant import Array, Plant

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Twin = Literal["optimal", "rule", "control", "replay"]


@dataclass(frozen=True)
class LinearCertificate:
    """Primal and dual value of a plan's linear program, on/off pattern held, computed without the solver.

    `primal` and `dual` are of the strategy's own objective, maximised; no plan of that pattern exceeds `dual`.
    `turnover` is Σ|cost·x|, the size that both are measured by. `primal_violation`: by how much the plan breaks a
    row or bound (MW, MWh); `dual_violation`: the largest price that presses on a side that is not there.
    """

    primal: float
    dual: float
    turnover: float
    primal_violation: float
    dual_violation: float

    @property
    def gap(self) -> float:
        """|dual − primal| as a share of the turnover; 0 is a proof."""
        return abs(self.dual - self.primal) / max(self.turnover, 1e-12)


@dataclass(frozen=True)
class SolveReport:
    """How a plan was found. `objective` and `bound` in the strategy's own terms, maximised; `gap` relative.

    `certificate` is the proof of the plan's linear program.
    """

    status: str
    objective: float
    bound: float
    gap: float
    seconds: Mapping[str, float]
    solver: str
    rows: int = 0
    columns: int = 0
    windows: int = 0
    certificate: LinearCertificate | None = None

    @property
    def total_seconds(self) -> float:
        """Wall time of all stages."""
        return sum(self.seconds.values())


@dataclass(frozen=True)
class Flows:
    """What a plan decides, as arrays over the steps, MW; `energy_mwh` has n+1 values, the start first."""

    charge_mw: Array
    discharge_mw: Array
    energy_mwh: Array
    import_mw: Array
    export_mw: Array
    curtailed_ac_mw: Array
    curtailed_dc_mw: Array
    unserved_mw: Array
    inverter_out_mw: Array
    inverter_in_mw: Array
    limited_by: Any = ""
    regulation_up_mw: Any = 0.0
    regulation_down_mw: Any = 0.0


def schedule_of(plant: Plant, flows: Flows) -> pd.DataFrame:
    """Every column of the schedule from the flows, each on its own; none is the remainder of the others."""
    storage, bus, steps = plant.storage, plant.bus, plant.steps
    nothing = np.zeros(steps)
    inverter_loss = (
        nothing
        if bus is None
        else physics.inverter_loss_mw(
            flows.inverter_out_mw, flows.inverter_in_mw, eta_out=bus.eta_out, eta_in=bus.eta_in
        )
    )
    storage_loss = physics.storage_loss_mw(
        flows.energy_mwh[:-1],
        flows.charge_mw,
        flows.discharge_mw,
        eta_charge=storage.eta_charge,
        eta_discharge=storage.eta_discharge,
        retention=storage.retention,
        step_h=plant.step_h,
    )
    import_price, export_price, revenue = plant.settled_energy(flows.import_mw, flows.export_mw)
    columns: dict[str, Any] = {
        "solar_mw": plant.solar_mw,
        "solar_dc_mw": plant.solar_dc_mw,
        "load_mw": plant.load_mw,
        "unserved_mw": flows.unserved_mw,
        "charge_mw": flows.charge_mw,
        "discharge_mw": flows.discharge_mw,
        "battery_mw": flows.discharge_mw - flows.charge_mw,
        "inverter_mw": flows.inverter_out_mw - flows.inverter_in_mw,
        "inverter_loss_mw": inverter_loss,
        "energy_mwh": flows.energy_mwh[1:],
        "soc": flows.energy_mwh[1:] / storage.energy_mwh,
        "import_mw": flows.import_mw,
        "export_mw": flows.export_mw,
        "grid_mw": flows.export_mw - flows.import_mw,
        "curtailed_mw": flows.curtailed_ac_mw + flows.curtailed_dc_mw,
        "curtailed_dc_mw": flows.curtailed_dc_mw,
        "loss_mw": storage_loss + inverter_loss,
        "regulation_up_mw": nothing + flows.regulation_up_mw,
        "regulation_down_mw": nothing + flows.regulation_down_mw,
        "limited_by": np.broadcast_to(np.asarray(flows.limited_by, dtype=object), steps),
        "import_price_per_mwh": import_price,
        "export_price_per_mwh": export_price,
        "revenue": revenue,
    }
    return pd.DataFrame({name: columns[name] for name in SCHEDULE}, index=plant.index)


def drawing_problems(index: pd.DatetimeIndex, week: str | None, theme: str) -> list[Finding]:
    """What is wrong with a week or theme to draw, known before there is a plan."""
    problems = []
    if theme not in ("light", "dark"):
        problems.append(Finding("unknown_word", "theme", f"found {theme!r}", "give 'light' or 'dark'"))
    first, last = index[0].date(), index[-1].date()
    try:
        inside = week is None or first <= dt.date.fromisoformat(week) <= last
    except ValueError:
        problems.append(Finding("no_date", "week", f"found {week!r}, no date", f'write it like "{first}"'))
        return problems
    if not inside:
        expected = f"give a date from {first} to {last}"
        problems.append(Finding("outside_horizon", "week", f"{week} is outside the horizon", expected))
    return problems


@dataclass(frozen=True)
class Dispatch:
    """A plan for a scenario.

    `schedule` has one row per step (see `bess_opt.common.columns.SCHEDULE` for units), index: start of the step in
    local time. `ledger` gives each money term of the year, `figures` what the strategy reports beside its
    score, `stored_energy_value` (optimal plans only) the worth of one MWh more in the cells at the end of
    each step.
    """

    scenario: Scenario
    twin: Twin
    schedule: pd.DataFrame
    metrics: Metrics
    findings: Findings
    report: SolveReport | None = None
    ledger: Mapping[str, float] = field(default_factory=dict)
    figures: Mapping[str, float] = field(default_factory=dict)
    stored_energy_value: pd.Series | None = None

    def plot(self, week: str | None = None, *, theme: str = "light") -> Figure:
        """Power stack, SOC and price of a week, and the year as a heat map.

        `week` names the local date with which the week begins; by default the one with the most battery
        throughput. `theme` is "light" or "dark". ScenarioError for another theme or a date off the horizon.
        """
        from bess_opt import plots

        battery = self.scenario.battery
        wrong = drawing_problems(pd.DatetimeIndex(self.schedule.index), week, theme)
        if wrong:
            raise ScenarioError(wrong)
        return plots.dispatch_figure(
            self.schedule,
            energy_mwh=battery.energy_mwh,
            currency=self.scenario.site.currency,
            title=f"{self.scenario.name}: {self.twin}",
            week=week,
            theme="dark" if theme == "dark" else "light",
            soc_start=battery.soc_start_resolved,
            step_h=self.scenario.step_h,
        )

    def explain(self) -> pd.DataFrame:
        """Why an optimal plan does what it does: prices, what binds and a reason per step.

        See `explain` in `dispatch/optimum/explain.py` for the columns; `.attrs["marginals"]` says what one more MW
        or MWh is worth. NotExplainableError (a BessOptError) for a rule or replay. The first call solves again.
        """
        return self._explanation.copy()

    @cached_property
    def _explanation(self) -> pd.DataFrame:
        from bess_opt.dispatch.optimum import explain

        return explain.explain(self)

    def save(self, folder: str | Path) -> Path:
        """Write schedule, metrics and a copy of the scenario to `folder`; same input, same bytes.

        ScenarioError, and nothing changed, if other files stand there. `bess_opt.load_dispatch` reads it.
        """
        from bess_opt.dispatch import saving as files

        return files.save_dispatch(self, folder)

    def _repr_html_(self) -> str:
        from bess_opt.common import html as notebook

        return notebook.dispatch_html(self)

    def __repr__(self) -> str:
        m = self.metrics
        return (
            f"Dispatch({self.scenario.name!r}, {self.twin}, {len(self.schedule)} steps, "
            f"net revenue {m.net_revenue:,.2f} {self.scenario.site.currency}, score {m.score:,.4g} {m.score_unit})"
        )
