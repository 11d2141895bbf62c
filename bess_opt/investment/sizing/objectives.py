"""What sizing is after: each objective as a value of a plan, its sense, and why it can or cannot be proven."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from bess_opt.common.errors import ScenarioError, nearest
from bess_opt.common.findings import Finding
from bess_opt.dispatch.result import Dispatch
from bess_opt.inputs.finance import Finance
from bess_opt.inputs.scenario import Scenario
from bess_opt.investment.lifetime.cash_flow import Figures, Weights, cash_flow, weights, year_weight, years_of
from bess_opt.investment.lifetime.financials import financials, internal_rate
from bess_opt.models.ledger import money_terms
from bess_opt.plant.metrics import CASH
from bess_opt.plant.plant import plant
from bess_opt.solver.expand import expand, term_costs
from bess_opt.solver.highs import InfeasibleProgramError, Solver
from bess_opt.strategies.shared.binding import bind, physical_model

Twin = Literal["optimal", "rule"]
TWINS = ("optimal", "rule")
COSTS = (
    "capital_per_mw", "capital_per_mwh", "capital_fixed", "fixed_om_per_mw_year", "replacement_cost", "tax_rate",
)  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """One objective. `wins`: the size that wins where there is no cost in it; `unproven`: why it has no bound."""

    sense: Literal["max", "min"]
    needs_finance: bool
    wins: str = ""
    unproven: str = ""


GOALS = {
    "npv": Kind("max", needs_finance=True),
    "irr": Kind("max", needs_finance=True),
    "lcos": Kind("min", needs_finance=True, unproven="lcos is a quotient, which is not concave in the size"),
    "net_revenue": Kind("max", needs_finance=False),
    "score": Kind("max", needs_finance=False),
    "energy_efficiency": Kind(
        "max", needs_finance=False, wins="smallest", unproven="energy_efficiency is a quotient"
    ),
    "curtailment": Kind("min", needs_finance=False, wins="largest", unproven="dispatch may not be after curtailment"),
}


@dataclass(frozen=True)
class Goal:
    """An objective for a scenario: the value of a plan, what it is without a battery, and how a gap is measured.

    `sense` says whether more or less is better; of a score, as its strategy says.
    """

    name: str
    twin: Twin
    kind: Kind
    sense: str
    scenario: Scenario
    linear: Weights | None  # of npv and net_revenue, and of irr at the stated rate
    idle_revenue: float | None  # net revenue of the site without a battery, over the horizon; None: it needs one

    @property
    def unproven(self) -> str:
        """Why there is no bound; empty where there is one."""
        if self.twin == "rule":
            return "a rule does not maximise anything, so nothing bounds its value"
        if self.name == "irr" and self.idle_revenue is None:
            return "the site needs a battery, so there is nothing to compare a return with"
        return self.kind.unproven

    @property
    def sign(self) -> float:
        """+1 where more is better."""
        return 1.0 if self.sense == "max" else -1.0

    def value(self, plan: Dispatch) -> float:
        """The objective of a plan, in its own unit."""
        figures = plan.metrics
        match self.name:
            case "npv" if self.linear is not None:
                battery = plan.scenario.battery
                return self.linear.npv(figures.net_revenue, battery.power_mw, battery.energy_mwh)
            case "irr":
                return self.rate(
                    figures.net_revenue, plan.scenario.battery.power_mw, plan.scenario.battery.energy_mwh
                )
            case "lcos":
                return financials(plan).lcos_per_mwh
            case "net_revenue":
                return figures.net_revenue
            case "score":
                return figures.score
            case "energy_efficiency":
                return math.nan if figures.energy_efficiency is None else figures.energy_efficiency
            case _:
                return figures.curtailment_ratio or 0.0

    def of_revenue(self, revenue: float, power_mw: float, energy_mwh: float) -> float:
        """The objective of a size from what its program maximises over the horizon: cash, or the score."""
        if self.name == "irr":
            return self.rate(revenue, power_mw, energy_mwh)
        linear = self.linear or Weights(1.0, 0.0, 0.0, 0.0)
        return self.sign * linear.npv(revenue, power_mw, energy_mwh)

    def rate(self, net_revenue: float, power_mw: float, energy_mwh: float) -> float:
        """Internal rate of return of a size against no battery; NaN where no rate does it."""
        finance = self.finance
        earned = net_revenue - (self.idle_revenue or 0.0)
        return internal_rate(
            cash_flow(Figures(power_mw, energy_mwh, earned, year_weight(self.scenario)), finance)["net"]
        )

    def weights_at(self, rate: float) -> Weights:
        """Weights of the return of a size against no battery, at a discount rate."""
        linear = weights(self.finance, year_weight=year_weight(self.scenario), discount_rate=rate)
        idle = linear.revenue * (self.idle_revenue or 0.0)
        return Weights(linear.revenue, linear.per_mw, linear.per_mwh, linear.fixed + idle)

    def priced_at(self, value: float) -> tuple[Weights, float]:
        """What prices the planes of revenue, and the maximised figure above which a size beats `value`.

        A size beats a rate of return if its present value at that rate is above nought.
        """
        if self.name == "irr":
            return self.weights_at(value), 0.0
        return self.linear or Weights(1.0, 0.0, 0.0, 0.0), self.sign * value

    @property
    def finance(self) -> Finance:
        """The money around the battery. ScenarioError where it is not stated."""
        if self.scenario.finance is None:
            expected = "add [finance] with capital_per_mw, capital_per_mwh, discount_rate and lifetime_years"
            raise ScenarioError([Finding("missing_table", "finance", f"{self.name!r} needs it", expected)])
        return self.scenario.finance

    @property
    def without(self) -> float | None:
        """The objective without a battery: not building. For irr the discount rate; None where it has no meaning."""
        if self.name == "irr":
            return self.finance.discount_rate
        if self.linear is None or self.idle_revenue is None:
            return None
        return self.linear.revenue * self.idle_revenue

    def better(self, value: float, other: float) -> bool:
        """Whether `value` beats `other`; NaN beats nothing."""
        return self.sign * value > self.sign * other

    def scale(self, plan_revenue: float, value: float) -> float:
        """What a gap is a share of: present value of the yearly revenue, the value itself, 1 for a rate."""
        if self.name == "irr":
            return 1.0
        size = abs(self.linear.revenue * plan_revenue) if self.linear is not None else abs(value)
        return max(size, 1e-9)

    def costs(self, plan: Dispatch) -> dict[str, float]:
        """Present values over the lifetime, costs positive; "total" is minus the net present value."""
        finance = self.scenario.finance
        if finance is None or not self.kind.needs_finance:
            return {}
        return present_costs(plan, finance, year_weight(self.scenario))


def present_costs(plan: Dispatch, finance: Finance, per_year: float) -> dict[str, float]:
    """Each cost of a plan's site over the lifetime as present value, costs positive, lines of 0 left out.

    The lines are before tax, which has its own; they add up to "total", minus the net present value.
    """
    battery, figures = plan.scenario.battery, plan.metrics
    p, e = battery.power_mw, battery.energy_mwh

    def part(**kept: float) -> Weights:
        """The weights with all costs but `kept` taken out, before tax."""
        return weights(finance.model_copy(update=dict.fromkeys(COSTS, 0.0) | kept), year_weight=per_year)

    yearly = part().revenue
    capital = finance.capital_per_mw * p + finance.capital_per_mwh * e + finance.capital_fixed
    bought = part(
        capital_per_mw=finance.capital_per_mw,
        capital_per_mwh=finance.capital_per_mwh,
        capital_fixed=finance.capital_fixed,
    )
    lines = {
        "energy_bill": -yearly * figures.energy_revenue,
        "demand_charges": yearly * figures.demand_charges,
        "regulation": -yearly * figures.regulation_revenue,
        "variable_om": yearly * figures.variable_om,
        "fixed_om": part(fixed_om_per_mw_year=finance.fixed_om_per_mw_year).per_mw * p,
        "capital": capital,
        "residual": bought.per_mw * p + bought.per_mwh * e + bought.fixed - capital,
        "replacement": part(replacement_cost=finance.replacement_cost).fixed,
    }
    total = -weights(finance, year_weight=per_year).npv(figures.net_revenue, p, e)
    lines["tax"] = total - sum(lines.values()) if finance.tax_rate else 0.0
    return {name: value for name, value in lines.items() if value != 0.0} | {"total": total}


def goal_of(scenario: Scenario, objective: str, twin: str) -> Goal:
    """The objective, checked. ScenarioError for an unknown one, and for missing or incomplete [finance]."""
    for name, value, known in (("objective", objective, GOALS), ("twin", twin, TWINS)):
        if value not in known:
            raise ScenarioError([Finding("unknown_word", name, f"found {value!r}", nearest(str(value), known))])
    kind = GOALS[objective]
    sense = bind(scenario, plant(scenario)).sense if objective == "score" else kind.sense
    goal = Goal(objective, "rule" if twin == "rule" else "optimal", kind, sense, scenario, None, None)
    linear = Weights(1.0, 0.0, 0.0, 0.0) if objective == "net_revenue" else None
    if kind.needs_finance:
        linear = weights(goal.finance, year_weight=year_weight(scenario))
    if objective == "irr":
        years_of(goal.finance)
    idle = without_battery(scenario) if linear is not None else None
    return replace(goal, linear=linear if objective != "lcos" else None, idle_revenue=idle)


def without_battery(scenario: Scenario) -> float | None:
    """Net revenue of the site over the horizon without a battery; None where its limits need one.

    Curtailment and load that may be shed are still dispatched at best.
    """
    bare = scenario.replace(battery={"auxiliary_mw": 0.0})
    stated = plant(bare)
    numbers = replace(bind(bare, stated).restrict(stated), reserves=None)
    nothing = np.zeros(numbers.steps + 1)
    numbers = numbers.with_storage(
        charge_max_mw=0.0, discharge_max_mw=0.0, floor_mwh=nothing, end_min_mwh=0.0, end_max_mwh=np.inf,
        caps=(),
    )  # fmt: skip
    m = physical_model(numbers)
    m.objective_terms = money_terms(m)
    program = expand(m)
    try:
        found = Solver(program, scenario.solver, scale_mw=numbers.scale_mw).solve()
    except InfeasibleProgramError:
        return None
    cash = [(1.0, term.rule, term.index) for name, term in m.ledger.items() if name in CASH]
    return float(-term_costs(m, cash, program) @ found.x) if cash else 0.0
