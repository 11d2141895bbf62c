"""What a step earns and costs, once: plain operators, for arrays and for model expressions alike.

Money received is positive; every sum has the step in hours in it.
"""

from __future__ import annotations

from bess_opt.plant.physics import Quantity


def energy_revenue(
    import_mw: Quantity, export_mw: Quantity, import_price: Quantity, export_price: Quantity, step_h: Quantity
) -> Quantity:
    """Energy money of a step: export paid minus import bought. Prices in currency/MWh."""
    return export_price * step_h * export_mw - import_price * step_h * import_mw


def throughput_cost(discharge_mw: Quantity, cost_per_mwh: Quantity, step_h: Quantity) -> Quantity:
    """Cost that is paid per MWh discharged at the port: wear, or variable operation and maintenance."""
    return cost_per_mwh * step_h * discharge_mw


def unserved_cost(unserved_mw: Quantity, price_per_mwh: Quantity, step_h: Quantity) -> Quantity:
    """Penalty for load that is not met."""
    return price_per_mwh * step_h * unserved_mw


def capacity_revenue(held_mw: Quantity, price_per_mw_h: Quantity, step_h: Quantity) -> Quantity:
    """Pay of a step for capacity held, whether it is called or not. Price in currency per MW and hour."""
    return price_per_mw_h * step_h * held_mw


def activation_revenue(held_mw: Quantity, share: Quantity, price_per_mwh: Quantity, step_h: Quantity) -> Quantity:
    """Money of a step for held capacity that is called for a share of its time, in either direction."""
    return price_per_mwh * step_h * share * held_mw


def pjm_credit(
    mw: Quantity,
    score: Quantity,
    capability_price: Quantity,
    mileage_ratio: Quantity,
    performance_price: Quantity,
) -> Quantity:
    """Regulation credit of an hour as PJM settles it: MW · score · (capability + mileage ratio · performance).

    Both prices in currency per MW and hour. Where the MW are stated as effective ones, the score is in them
    already and counts as 1 here.
    """
    return mw * score * (capability_price + mileage_ratio * performance_price)


def stored_value(energy_end_mwh: Quantity, energy_start_mwh: Quantity, value_per_mwh: Quantity) -> Quantity:
    """Worth of the change in stored energy over the horizon."""
    return value_per_mwh * (energy_end_mwh - energy_start_mwh)
