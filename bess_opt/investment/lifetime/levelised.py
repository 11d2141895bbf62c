"""What a MWh out of the battery costs over its life: LCOS, with the cost of the energy that it was charged with.

The convention is that of Lazard and PNNL: charging is a cost, money and energy are discounted at the same rate,
before tax. Energy bought is paid at the import price of its step; PV energy is worth what its export would have
brought, nothing where the connection or the inverter could not have carried it. Energy that a step imports while
it charges is taken to be for charging first: without the charging, that much less would have been bought.
"""

from __future__ import annotations

import math

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.dispatch.result import Dispatch
from bess_opt.inputs.finance import Finance
from bess_opt.investment.lifetime.cash_flow import Figures, augmentation_price, for_years, years_of
from bess_opt.plant import money, physics
from bess_opt.strategies.shared.activation import prepare


def charging_cost(plan: Dispatch) -> float:
    """Cost of a horizon's charging energy, currency; negative prices make it smaller. NaN without prices.

    What charging forgoes is a valuation for `lcos`, not cash: `Metrics.net_revenue` has the cash.
    """
    plant = prepare(plan.scenario).plant
    column = {name: plan.schedule[name].to_numpy() for name in ("charge_mw", "import_mw", "export_mw", "inverter_mw")}
    room = np.maximum(plant.export_max_mw - column["export_mw"], 0.0)
    if plant.bus is None:
        bought = np.minimum(column["charge_mw"], column["import_mw"])
        own = column["charge_mw"] - bought
    else:
        inward = np.maximum(-column["inverter_mw"], 0.0)
        bought = np.minimum(inward, column["import_mw"])
        from_ac = inward - bought  # PV of the AC side that goes to the DC bus
        on_bus = column["charge_mw"] + physics.inverter_dc_mw(0.0, inward, eta_out=1.0, eta_in=plant.bus.eta_in)
        carried = plant.bus.inverter_mw - np.maximum(column["inverter_mw"], 0.0)
        own = from_ac + np.minimum(np.maximum(on_bus, 0.0) * plant.bus.eta_out, carried)
    forgone: Array = np.minimum(own, room)
    paid = money.energy_revenue(bought, forgone, plant.import_price, -plant.export_price, plant.step_h)
    return -float(np.sum(paid))


def lcos(
    plan: Dispatch,
    figures: Figures,
    finance: Finance,
    throughput: tuple[float, ...] | None = None,
    fade: float | None = None,
) -> float:
    """Levelised cost of storage, currency per MWh discharged at the port.

    PV(capital + fixed O&M + variable O&M + charging + replacement + augmentation − residual) / PV(MWh discharged).
    Charging and variable O&M escalate like revenue. Throughput fades with `fade_per_year`, `fade` in its place, or by
    `throughput`, its share in each year of operation. What added cells discharge costs as much to
    run per MWh. With `present_value_factor`, yearly money and yearly MWh count that many times. NaN without
    discharge or prices.
    """
    delivered = figures.year_weight * plan.metrics.discharged_mwh
    running = figures.year_weight * (plan.metrics.variable_om + charging_cost(plan))
    upkeep, capital = finance.fixed_om_per_mw_year * figures.power_mw, figures.capital(finance)
    if finance.present_value_factor is not None:
        factor = finance.present_value_factor
        return _ratio(capital + factor * (upkeep + running), factor * delivered)
    years = years_of(finance, fade=fade)
    share = years.fade if throughput is None else np.asarray(for_years(throughput, years.lifetime))
    yearly = years.growth * years.discount
    cost = capital * (1.0 - finance.residual_share * years.discounted(years.lifetime))
    cost += finance.replacement(figures.power_mw, figures.energy_mwh) * years.renewed
    for cells in figures.added:
        cost += augmentation_price(finance, cells.year) * cells.energy_mwh * years.discounted(cells.year)
        more = figures.year_weight * cells.discharged_mwh / delivered if delivered > 0.0 else 0.0
        share = share + more * cells.share(np.arange(years.lifetime), years.lost)
    cost += float((yearly * (upkeep + running * share)).sum())
    return _ratio(cost, delivered * float((years.discount * share).sum()))


def _ratio(cost: float, energy: float) -> float:
    return cost / energy if energy > 0.0 else math.nan
