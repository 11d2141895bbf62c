"""The same site without a battery, and what each line of its money costs over the life."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bess_opt.inputs.finance import REPLACEMENT_COSTS, Finance
from bess_opt.inputs.scenario import Scenario
from bess_opt.investment.lifetime.cash_flow import Weights, weights_of
from bess_opt.models.assemble import physical_model_of
from bess_opt.models.ledger import cash_terms, money_terms
from bess_opt.plant.ledger import LINES
from bess_opt.plant.without_battery import bare_scenario, idle_plant
from bess_opt.solver.expand import expand, term_values
from bess_opt.solver.highs import Solver
from bess_opt.solver.solution import InfeasibleProgramError
from bess_opt.strategies.shared.activation import prepare

PRICES = (
    "capital_per_mw", "capital_per_mwh", "capital_fixed", "fixed_om_per_mw_year", *REPLACEMENT_COSTS, "tax_rate",
)  # fmt: skip


COSTS = {"energy": "energy_bill", "demand": "demand_charges"}  # lines of the ledger that have another name as a cost


def without_battery(scenario: Scenario) -> float | None:
    """Net revenue of the site over the horizon without a battery, currency; None where its limits need one.

    Load that may be shed is shed at its price, and curtailment is dispatched at best.
    """
    bare = bare_scenario(scenario)
    plant = replace(idle_plant(prepare(bare).plant), offers=())
    m = physical_model_of(plant)
    m.objective_terms = money_terms(m)
    program = expand(m)
    try:
        found = Solver(program, scenario.solver, scale_mw=plant.scale_mw).solve()
    except InfeasibleProgramError:
        return None
    return float(sum(term_values(m, rule, index, program, found.x).sum() for _, rule, index in cash_terms(m)))


def present_costs(
    ledger: Mapping[str, float], power_mw: float, energy_mwh: float, finance: Finance, linear: Weights, without: float
) -> dict[str, float]:
    """Each cost of a site over the lifetime as present value, costs positive, lines of 0 left out.

    `ledger` holds the money terms of a horizon with a battery of the given size (0: without one), received positive;
    `linear` prices them, and `without` is the site's net revenue without a battery. The lines are before tax, which
    has its own; what the battery's fade takes of the yearly money stands as one line, "fade". They add up to "total",
    minus the net present value.
    """
    built = 1.0 if power_mw > 0.0 else 0.0

    def part(**kept: float) -> Weights:
        """The weights with all costs but `kept` taken out, before tax and without fade."""
        return weights_of(finance.model_copy(update=dict.fromkeys(PRICES, 0.0) | kept), fade=0.0)

    yearly = linear.site / (1.0 - finance.tax_rate)
    capital = finance.capital_per_mw * power_mw + finance.capital_per_mwh * energy_mwh
    capital += built * finance.capital_fixed
    bought = part(**{key: getattr(finance, key) for key in ("capital_per_mw", "capital_per_mwh", "capital_fixed")})
    renewed = part(**{key: getattr(finance, key) for key in REPLACEMENT_COSTS})
    faded = (linear.site - linear.revenue) / (1.0 - finance.tax_rate)
    cash = {name: ledger[name] for name, line in LINES.items() if line.cash and name in ledger}
    net_revenue = sum(cash.values())
    lines = {COSTS.get(name, name): -yearly * received for name, received in cash.items()}
    lines |= {
        "fade": faded * (net_revenue - without),
        "fixed_om": part(fixed_om_per_mw_year=finance.fixed_om_per_mw_year).per_mw * power_mw,
        "capital": capital,
        "residual": bought.per_mw * power_mw + bought.per_mwh * energy_mwh + built * bought.fixed - capital,
        "replacement": renewed.per_mw * power_mw + renewed.per_mwh * energy_mwh + built * renewed.fixed,
    }
    npv = linear.site * without + linear.revenue * (net_revenue - without)
    total = linear.per_mw * power_mw + linear.per_mwh * energy_mwh + built * linear.fixed - npv
    lines["tax"] = total - sum(lines.values()) if finance.tax_rate else 0.0
    return {name: value for name, value in lines.items() if value != 0.0} | {"total": total}
