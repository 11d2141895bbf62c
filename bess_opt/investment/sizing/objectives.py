"""What sizing is after: each objective as a value of a plan, its sense, and why it can or cannot be proven."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding
from bess_opt.common.names import nearest
from bess_opt.common.wording import show
from bess_opt.dispatch.result import Dispatch
from bess_opt.inputs.finance import Finance
from bess_opt.inputs.scenario import Scenario
from bess_opt.investment.lifetime.assumptions import Fade, assumptions_of, fade_of
from bess_opt.investment.lifetime.cash_flow import Figures, Weights, cash_flow_of, weights_of, year_weight, years_of
from bess_opt.investment.lifetime.financials import internal_rate, nothing_fades
from bess_opt.investment.lifetime.levelised import lcos
from bess_opt.investment.lifetime.without_battery import present_costs, without_battery
from bess_opt.strategies.shared.activation import prepare

Twin = Literal["optimal", "rule"]
TWINS = ("optimal", "rule")
ROUNDING = 1e-7  # of what a gap is a share of: less is rounding
SITE_ROUNDING = 1e-10  # of the whole site's money, in whose sums what the battery earns is hidden
PLAIN = Weights(1.0, 0.0, 0.0, 0.0, 1.0)


@dataclass(frozen=True)
class SizingObjective:
    """One objective: `label` and `unit` for people ("score" has its strategy's unit, {currency} is filled in).

    `wins`: the size that wins where there is no cost in it; `unproven`: why it has no bound. `rate`: a share per year
    of what is invested, which is compared with the discount rate and adds up over no MW.
    """

    label: str
    unit: str
    sense: Literal["max", "min"]
    needs_finance: bool = False
    wins: str = ""
    unproven: str = ""
    rate: bool = False


OBJECTIVES = {
    "npv": SizingObjective("net present value", "{currency}", "max", needs_finance=True),
    "irr": SizingObjective("internal rate of return", "1/year", "max", needs_finance=True, rate=True),
    "lcos": SizingObjective(
        "levelised cost of storage", "{currency}/MWh", "min", needs_finance=True,
        unproven="lcos is a quotient, which is not concave in the size",
    ),
    "net_revenue": SizingObjective("net revenue", "{currency}", "max"),
    "score": SizingObjective("score", "", "max"),
    "energy_efficiency": SizingObjective(
        "energy efficiency", "1", "max", wins="smallest", unproven="energy_efficiency is a quotient"
    ),
    "curtailment": SizingObjective(
        "curtailment ratio", "1", "min", wins="largest", unproven="dispatch may not be after curtailment"
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Goal:
    """An objective for a scenario: the value of a plan, what it is without a battery, and how a gap is measured.

    `sense` says whether more or less is better; of a score, as its strategy says. `linear` prices npv and
    net_revenue, and irr at the stated rate. `idle_revenue` is the net revenue of a horizon of the site without a
    battery, None where it needs one. `fade` is what later years lose.
    """

    name: str
    twin: Twin
    kind: SizingObjective
    sense: str
    scenario: Scenario
    linear: Weights | None
    idle_revenue: float | None
    fade: Fade

    @property
    def unproven(self) -> str:
        """Why there is no bound; empty where there is one."""
        if self.twin == "rule":
            return "a rule does not maximise anything, so nothing bounds its value"
        if self.kind.rate and self.idle_revenue is None:
            return "the site needs a battery, so there is nothing to compare a return with"
        return self.kind.unproven

    @property
    def sign(self) -> float:
        """+1 where more is better."""
        return 1.0 if self.sense == "max" else -1.0

    @property
    def unit(self) -> str:
        """Unit of the value; of a score "", as its strategy has it."""
        return self.kind.unit.format(currency=self.scenario.site.currency)

    @property
    def notes(self) -> list[Finding]:
        """What has to be said about its money."""
        lost = self.linear is not None and self.idle_revenue is None and fade_of(self.scenario).per_year > 0.0
        return [nothing_fades("objective")] if lost and self.kind.needs_finance else []

    def value(self, plan: Dispatch) -> float:
        """The objective of a plan, in its own unit."""
        figures, battery = plan.metrics, plan.scenario.battery
        power, energy = battery.power_mw, battery.energy_mwh
        match self.name:
            case "npv" | "irr" | "net_revenue":
                return self.of_revenue(figures.net_revenue, power, energy)
            case "lcos":
                of_size = Figures(power, energy, figures.net_revenue, year_weight(self.scenario))
                return lcos(plan, of_size, self.finance, fade=self.fade.per_year)
            case "score":
                return figures.score
            case "energy_efficiency":
                return math.nan if figures.energy_efficiency is None else figures.energy_efficiency
            case _:
                return figures.curtailment_ratio or 0.0

    def of_revenue(self, revenue: float, power_mw: float, energy_mwh: float) -> float:
        """The objective of a size from what its program maximises over the horizon: cash, or the score."""
        if self.kind.rate:
            return self.rate(revenue, power_mw, energy_mwh)
        return self.sign * self.priced.npv(revenue, power_mw, energy_mwh)

    def rate(self, net_revenue: float, power_mw: float, energy_mwh: float) -> float:
        """Internal rate of return of a size against no battery; NaN where no rate does it."""
        earned = net_revenue - (self.idle_revenue or 0.0)
        figures = Figures(power_mw, energy_mwh, earned, year_weight(self.scenario))
        return internal_rate(cash_flow_of(figures, self.finance, fade=self.fade.per_year)["net"])

    @property
    def priced(self) -> Weights:
        """What prices the revenue of the whole site and the size: the maximised figure of npv, revenue and score."""
        return PLAIN if self.linear is None else self.linear.against(self.idle_revenue or 0.0)

    def weights_at(self, rate: float) -> Weights:
        """Weights of the return of a size against no battery, at a discount rate."""
        linear = weights_of(
            self.finance, year_weight=year_weight(self.scenario), discount_rate=rate, fade=self.fade.per_year
        )
        idle = linear.revenue * (self.idle_revenue or 0.0)
        return replace(linear, fixed=linear.fixed + idle, site=linear.revenue)

    def priced_at(self, value: float) -> tuple[Weights, float]:
        """What prices the planes of revenue, and the maximised figure above which a size beats `value`.

        A size beats a rate of return if its present value at that rate is above nought.
        """
        if self.kind.rate:
            return self.weights_at(value), 0.0
        return self.priced, self.sign * value

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
        if self.kind.rate:
            return self.finance.discount_rate
        if self.linear is None or self.idle_revenue is None:
            return None
        return self.linear.site * self.idle_revenue

    def better(self, value: float, other: float) -> bool:
        """Whether `value` beats `other`; NaN beats nothing."""
        return self.sign * value > self.sign * other

    def farther(self, limit: float, value: float, nothing: float, rounding: float) -> float:
        """The limit over all sizes, no battery among them; where only rounding parts it from the value, the value."""
        limit = limit if self.better(limit, nothing) else nothing
        return value if abs(limit - value) <= rounding else limit

    def scale(self, revenue: float, least_revenue: float, power_mw: float, energy_mwh: float) -> float:
        """What a gap is a share of: the present value of what the battery earns, or of what it costs if that is more.

        `revenue` is what the program of a size maximises, `least_revenue` the least of all sizes solved, which stands
        for the site without a battery where that is not known. 1 for a rate.
        """
        if self.kind.rate:
            return 1.0
        idle = least_revenue if self.idle_revenue is None else self.idle_revenue
        priced = self.priced
        cost = priced.per_mw * power_mw + priced.per_mwh * energy_mwh
        return max(priced.revenue * abs(revenue - idle), cost, self.rounding(revenue))

    def rounding(self, revenue: float) -> float:
        """Differences of the value that a program of this revenue cannot tell from nought."""
        return 1e-9 if self.kind.rate else max(SITE_ROUNDING * abs(self.priced.revenue * revenue), 1e-9)

    def costs(self, plan: Dispatch, power_mw: float, energy_mwh: float) -> dict[str, float]:
        """Present values over the lifetime, costs positive; "total" is minus the net present value."""
        finance = self.scenario.finance
        if finance is None or not self.kind.needs_finance:
            return {}
        linear = weights_of(finance, year_weight=year_weight(self.scenario), fade=self.fade.per_year)
        return present_costs(plan.ledger, power_mw, energy_mwh, finance, linear, self.idle_revenue or 0.0)

    @property
    def assumptions(self) -> str:
        """In one line, what its money over life assumes; empty where there is none."""
        if not self.kind.needs_finance:
            return ""
        return assumptions_of(self.finance, self.scenario.site.currency, self.twin, self.fade.basis)


def goal_of(scenario: Scenario, objective: str, twin: str) -> Goal:
    """The objective, checked. ScenarioError for an unknown one, and for missing or incomplete [finance]."""
    for name, value, known in (("objective", objective, OBJECTIVES), ("twin", twin, TWINS)):
        if value not in known:
            raise ScenarioError([Finding("unknown_word", name, f"found {show(value)}", nearest(str(value), known))])
    kind, nothing = OBJECTIVES[objective], Fade(0.0, "")
    sense = prepare(scenario).strategy.sense if objective == "score" else kind.sense
    goal = Goal(objective, "rule" if twin == "rule" else "optimal", kind, sense, scenario, None, None, nothing)
    if objective == "net_revenue":
        return replace(goal, linear=PLAIN, idle_revenue=without_battery(scenario))
    if not kind.needs_finance:
        return goal
    if kind.rate:
        years_of(goal.finance)
    weights_of(goal.finance, year_weight=year_weight(scenario))  # what is missing is said before anything is solved
    fade = fade_of(scenario)
    if objective == "lcos":
        return replace(goal, fade=fade)
    idle = without_battery(scenario)
    if idle is None:
        fade = Fade(0.0, "no fade, as the site needs its battery and the battery's own part is not known")
    linear = weights_of(goal.finance, year_weight=year_weight(scenario), fade=fade.per_year)
    return replace(goal, linear=linear, idle_revenue=idle, fade=fade)
