"""What a battery is worth over its life, year by year in plain sums, beside the package's own arithmetic."""

from __future__ import annotations

import bess_opt as bo


def npv_by_hand(
    finance: bo.Finance, revenue: float, without: float, power_mw: float, energy_mwh: float, fade: float
) -> float:
    """Net present value of a site with a battery, `revenue` and `without` being a horizon's net revenue."""
    horizons = finance.horizons_per_year or 1.0
    capital = finance.capital_per_mw * power_mw + finance.capital_per_mwh * energy_mwh + finance.capital_fixed
    upkeep = finance.fixed_om_per_mw_year * power_mw
    if finance.present_value_factor is not None:
        return finance.present_value_factor * (horizons * revenue - upkeep) - capital
    life, rate, growth = finance.lifetime_years or 0, finance.discount_rate or 0.0, 1.0 + finance.escalation_rate
    renewal = (
        finance.replacement_cost + finance.replacement_per_mw * power_mw + finance.replacement_per_mwh * energy_mwh
    )
    kept, total, age = 1.0 - finance.tax_rate, -capital, 0
    for year in range(1, life + 1):
        paid = year - 1 + finance.first_payment_year
        earned = horizons * (without + (revenue - without) * (1.0 - fade) ** age) - upkeep
        total += (kept * earned * growth**paid + finance.tax_rate * capital / life) / (1.0 + rate) ** paid
        age += 1
        if year in finance.replaced_after:
            total -= kept * renewal * growth**year / (1.0 + rate) ** year
            age = 0
    return total + kept * finance.residual_share * capital / (1.0 + rate) ** life
