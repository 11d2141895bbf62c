"""The books of one plan, added up again from its schedule: energy, money, proof, and what was done to the input.

Every account is computed from columns of the schedule alone, each term on its own; what it leaves open is its
residual. Money is computed again from flows and prices and set beside what the plan has booked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bess_opt.common.findings import Finding
from bess_opt.common.provenance import versions
from bess_opt.dispatch.optimum.bring_back import prepare
from bess_opt.plant.billing.energy import NET
from bess_opt.plant.ledger import cash, ledger_of
from bess_opt.plant.plant import Plant
from bess_opt.solver.certificate import LinearCertificate

if TYPE_CHECKING:
    from bess_opt.common.findings import Finding
    from bess_opt.dispatch.result import Dispatch, SolveReport
    from bess_opt.plant.plant import Plant
    from bess_opt.solver.certificate import LinearCertificate

DONE = {
    "resampled": ("resampled",),
    "filled": ("filled",),
    "defaulted": ("defaulted", "capacity_assumed"),
    "derated": ("c_rate_limits_power",),
}


@dataclass(frozen=True)
class Account:
    """Terms in MWh, what comes in positive, what leaves negative; together they should be 0.

    `residual` is what they leave open over the horizon, `worst_step` the most that one step leaves open, MWh, and
    `worst_time` the start of that step.
    """

    terms: Mapping[str, float]
    residual: float
    worst_step: float
    worst_time: pd.Timestamp


@dataclass(frozen=True)
class MoneyLine:
    """A term of the ledger: what the plan `booked`, and what its flows and prices give `again`."""

    booked: float
    again: float

    @property
    def residual(self) -> float:
        """The figure as booked less the same computed again from the schedule; 0 where they agree."""
        return self.booked - self.again


@dataclass(frozen=True)
class Reconciliation:
    """One plan's books, in MWh and the site's currency, money received positive.

    `energy` has the accounts "site", "cells" and, for a DC-coupled battery, "DC bus". `ledger` sets each money
    term beside its second computation; `detail` splits energy into export and import and demand into its
    periods; `net_revenue` is the figure of the metrics beside the sum of its cash terms. `certificate` proves an
    optimal plan (None: `no_certificate` says why); `solved` is what the solver reported, without times. `done` lists
    what was resampled, filled, defaulted or derated. `digest` is sha256 over the scenario's tables and series.
    """

    scenario: str
    twin: str
    currency: str
    digest: str
    versions: Mapping[str, str]
    energy: Mapping[str, Account]
    ledger: Mapping[str, MoneyLine]
    detail: Mapping[str, float]
    net_revenue: MoneyLine
    certificate: LinearCertificate | None
    no_certificate: str
    bound: float | None
    objective: float | None
    solved: Mapping[str, str | int]
    done: Mapping[str, tuple[Finding, ...]]
    scale_mwh: float
    turnover: float

    @property
    def energy_residual(self) -> float:
        """Largest residual of an account or of a step, as a share of the energy that the battery moves.

        Of a battery that moves nothing, as a share of its nameplate energy.
        """
        worst = max(max(abs(a.residual), a.worst_step) for a in self.energy.values())
        return worst / max(self.scale_mwh, 1e-12)

    @property
    def money_residual(self) -> float:
        """Largest residual of a money line, as a share of all money that changed hands."""
        worst = max(abs(line.residual) for line in (*self.ledger.values(), self.net_revenue))
        return worst / max(self.turnover, 1e-12)

    def to_dict(self) -> dict[str, Any]:
        """The same figures as plain data; a certificate with its gap, a money line with its residual."""
        plain = asdict(self)
        plain["ledger"] = {name: _plain(line) for name, line in self.ledger.items()}
        plain["net_revenue"] = _plain(self.net_revenue)
        plain["certificate"] = None if self.certificate is None else proof(self.certificate)
        return plain | {"energy_residual": self.energy_residual, "money_residual": self.money_residual}

    def to_markdown(self) -> str:
        """The page for people."""
        from bess_opt.dispatch.reconciliation_tables import page

        return page(self)


def reconcile(plan: Dispatch) -> Reconciliation:
    """The books of `plan`, whoever made it, from its schedule and scenario; no solve.

    Raises `StrategyError` if the scenario's strategy is not there any more.
    """
    scenario, schedule, report = plan.scenario, plan.whole_schedule, plan.report
    plant, active = prepare(scenario)
    again = ledger_of(schedule, plant) | active.penalties(schedule, plant)
    detail = _detail(schedule, plant)
    again["energy"] = sum(amount for name, amount in detail.items() if not name.startswith("tariff.demand"))
    charges = {name: amount for name, amount in detail.items() if name.startswith("tariff.demand")}
    again["overrun"] = sum(amount for name, amount in charges.items() if name.endswith(", overrun"))
    again["demand"] = sum(charges.values()) - again["overrun"]
    again["overrun"] -= _clause_overruns(schedule, plant)
    proven = None if report is None else report.certificate
    moved = float(np.array([schedule["charge_mw"], schedule["discharge_mw"]]).sum())
    return Reconciliation(
        scenario=scenario.name,
        twin=plan.twin,
        currency=scenario.site.currency,
        digest=scenario.digest(),
        versions=versions(),
        energy=_accounts(schedule, plant),
        ledger={name: MoneyLine(booked, again[name]) for name, booked in plan.ledger.items()},
        detail=detail,
        net_revenue=MoneyLine(plan.metrics.net_revenue, cash(again)),
        certificate=proven,
        no_certificate="" if proven else _why_none(plan),
        bound=None if report is None else report.bound,
        objective=None if report is None else report.objective,
        solved={} if report is None else _solved(report),
        done={word: tuple(f for f in plan.findings if f.code in codes) for word, codes in DONE.items()},
        scale_mwh=moved * plant.step_h or plant.energy_mwh,
        turnover=sum(abs(amount) for amount in (again | detail).values()),
    )


def _clause_overruns(schedule: pd.DataFrame, plant: Plant) -> float:
    """Paid for energy above the caps of clauses, added up clause by clause and step by step."""
    total = 0.0
    for clause in plant.connection.soft:
        for flow, cap in clause.caps.items():
            over = (schedule[flow][clause.active] - cap).clip(lower=0.0)
            total += float(over.sum()) * plant.step_h * float(clause.overrun_price_per_mwh or 0.0)
    return total


def proof(certificate: LinearCertificate) -> dict[str, Any]:
    """A certificate as plain data, its gap with it."""
    rows = [row.to_dict() for row in certificate.wear]
    return asdict(certificate) | {"gap": certificate.gap, "wear": rows}


def _solved(report: SolveReport) -> dict[str, str | int]:
    return {
        "status": report.status,
        "relative gap": f"{report.gap:.1e}" if report.gap else "0",
        "rows": report.rows,
        "columns": report.columns,
        "windows solved with binaries": report.windows,
        "solver": report.solver,
    }


def _plain(line: MoneyLine) -> dict[str, float]:
    return asdict(line) | {"residual": line.residual}


def _why_none(plan: Dispatch) -> str:
    if plan.twin == "optimal":
        return "the plan was made or saved by a version that kept none"
    return f"a plan of the kind {plan.twin!r} is carried out step by step; it has no program of its own"


def _accounts(schedule: pd.DataFrame, plant: Plant) -> dict[str, Account]:
    """Every account of the balance of flows as a table of terms, a column each."""
    flows = {
        "solar_mw", "import_mw", "unserved_mw", "load_mw", "export_mw", "curtailed_mw", "loss_mw", "charge_mw",
        "discharge_mw", "inverter_loss_mw", "solar_dc_mw", "curtailed_dc_mw", "inverter_mw",
        *(f"{battery.prefix}battery_mw" for battery in plant.batteries),
    }  # fmt: skip
    mwh = {name: schedule[name].to_numpy() * plant.step_h for name in flows}
    stored = np.diff(schedule["energy_mwh"].to_numpy(), prepend=sum(battery.start_mwh for battery in plant.batteries))
    site = {
        "solar": mwh["solar_mw"],
        "import": mwh["import_mw"],
        "unserved": mwh["unserved_mw"],
        "load": -mwh["load_mw"],
        "export": -mwh["export_mw"],
        "curtailed": -mwh["curtailed_mw"],
        "losses": -mwh["loss_mw"],
        "stored": -stored,
    }
    cells = {
        "charged at the port": mwh["charge_mw"],
        "discharged at the port": -mwh["discharge_mw"],
        "losses and self-discharge": mwh["inverter_loss_mw"] - mwh["loss_mw"],
        "stored": -stored,
    }
    accounts = {"site": _account(site, schedule.index), "cells": _account(cells, schedule.index)}
    if plant.bus is not None:
        bus = {
            "solar on the DC bus": mwh["solar_dc_mw"],
            "curtailed there": -mwh["curtailed_dc_mw"],
            "battery": sum(mwh[f"{battery.prefix}battery_mw"] for battery in plant.on_dc_bus),
            "inverter, AC side": -mwh["inverter_mw"],
            "inverter loss": -mwh["inverter_loss_mw"],
        }
        accounts["DC bus"] = _account(bus, schedule.index)
    return accounts


def _account(terms: Mapping[str, Any], index: pd.Index) -> Account:
    steps = np.array([np.asarray(values, dtype=float) for values in terms.values()])
    left = np.abs(steps.sum(axis=0))
    sums = {name: float(values.sum()) + 0.0 for name, values in zip(terms, steps, strict=True)}
    worst = int(np.argmax(left))
    return Account(sums, sum(sums.values()), float(left[worst]), pd.DatetimeIndex(index)[worst])


def _detail(schedule: pd.DataFrame, plant: Plant) -> dict[str, float]:
    """Energy money by direction, and each billed period of each demand row."""
    bought, sold = schedule["import_mw"].to_numpy(), schedule["export_mw"].to_numpy()
    nothing, billing = np.zeros(plant.steps), plant.billing
    netted = billing is not None and any(counter.counts == NET for counter in billing.energy.counters)
    paid = float(plant.settled_energy(bought, sold)[2].sum())
    gained = 0.0 if netted else float(plant.settled_energy(nothing, sold)[2].sum())
    detail = {"export revenue": gained, "import less export" if netted else "import cost": paid - gained}
    if billing is not None:
        for kind, amounts in zip(("", ", overrun"), billing.demand.amounts(bought), strict=True):
            for charge, amount in zip(billing.demand.charges, amounts.tolist(), strict=True):
                if amount or not kind:
                    detail[charge.label + kind] = 0.0 - charge.counts * amount
    return detail
