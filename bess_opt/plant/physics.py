"""The laws of battery and inverter, once: energy balance, losses, C-rate limit, and what passes a shared inverter.

Functions of a `Quantity` are written in plain operators, so that the same lines serve floats, numpy arrays, Pyomo
expressions and the arrays of affine terms that models are expanded into. Powers are in MW at the battery's port,
energies in MWh in the cells, `eta_*` one-way port <-> cells; an inverter's flows are on its AC side.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bess_opt.common.arrays import Array

Quantity = Any  # float, numpy array, Pyomo expression or affine array: the law does not care


def energy_after(
    energy_mwh: Quantity,
    charge_mw: Quantity,
    discharge_mw: Quantity,
    *,
    eta_charge: Quantity,
    eta_discharge: Quantity,
    retention: Quantity,
    step_h: Quantity,
    drawn_mw: Quantity | None = None,
) -> Quantity:
    """Energy in the cells at the end of a step: retained + charged - discharged - drawn.

    `retention` is the share of the stored energy that self-discharge leaves after one step (0 to 1]. `drawn_mw` >= 0
    is taken from the cells without loss.
    """
    stored = retention * energy_mwh + eta_charge * step_h * charge_mw - (step_h / eta_discharge) * discharge_mw
    return stored if drawn_mw is None else stored - step_h * drawn_mw


def law(*, eta_charge: float, eta_discharge: float, retention: float, step_h: float) -> tuple[float, float, float]:
    """`energy_after` as numbers for a loop: (kept, into, out) of kept·energy + into·charge − out·discharge."""
    rates = {"eta_charge": eta_charge, "eta_discharge": eta_discharge, "retention": retention, "step_h": step_h}
    kept, into = energy_after(1.0, 0.0, 0.0, **rates), energy_after(0.0, 1.0, 0.0, **rates)
    return kept, into, -energy_after(0.0, 0.0, 1.0, **rates)


def charge_to_reach(
    target_mwh: Quantity, energy_mwh: Quantity, *, eta_charge: Quantity, retention: Quantity, step_h: Quantity
) -> Quantity:
    """Charge power that brings the cells from `energy_mwh` to `target_mwh` in one step, MW at the port."""
    return (target_mwh - retention * energy_mwh) / (eta_charge * step_h)


def retention(self_discharge_per_h: float, step_h: float) -> float:
    """Share of stored energy left after `step_h` hours at a self-discharge of [0, 1) per hour."""
    return float((1.0 - self_discharge_per_h) ** step_h)


def storage_loss_mw(
    energy_mwh: Quantity,
    charge_mw: Quantity,
    discharge_mw: Quantity,
    *,
    eta_charge: Quantity,
    eta_discharge: Quantity,
    retention: Quantity,
    step_h: Quantity,
) -> Quantity:
    """Mean loss of a step between port and cells, self-discharge of the starting `energy_mwh` included, MW."""
    return (
        (1.0 - eta_charge) * charge_mw
        + (1.0 / eta_discharge - 1.0) * discharge_mw
        + ((1.0 - retention) / step_h) * energy_mwh
    )


def charge_limit_mw(power_mw: float, energy_mwh: float, c_rate_max: float, eta_converter: float) -> float:
    """Most charge power at the port: rated power, or the C-rate at the cells seen through the converter."""
    return min(power_mw, c_rate_max * energy_mwh / eta_converter)


def discharge_limit_mw(power_mw: float, energy_mwh: float, c_rate_max: float, eta_converter: float) -> float:
    """Most discharge power at the port: rated power, or the C-rate at the cells seen through the converter."""
    return min(power_mw, c_rate_max * energy_mwh * eta_converter)


def inverter_dc_mw(out_mw: Quantity, in_mw: Quantity, *, eta_out: Quantity, eta_in: Quantity) -> Quantity:
    """Power that the shared inverter takes from the DC bus (negative: gives), from its AC-side flows, MW."""
    return (1.0 / eta_out) * out_mw - eta_in * in_mw


def inverter_ac_mw(dc_mw: float, *, eta_out: float, eta_in: float) -> float:
    """What the shared inverter gives the AC bus (negative: takes) for what the DC bus has over, in one step, MW."""
    return dc_mw * eta_out if dc_mw > 0.0 else dc_mw / eta_in


def inverter_flows_mw(dc_mw: Array, *, eta_out: float, eta_in: float) -> tuple[Array, Array]:
    """(out, in): AC-side flows of the shared inverter for what the DC bus has over, by step, both >= 0, MW."""
    return np.maximum(dc_mw, 0.0) * eta_out, np.maximum(-dc_mw, 0.0) / eta_in


def inverter_loss_mw(out_mw: Quantity, in_mw: Quantity, *, eta_out: Quantity, eta_in: Quantity) -> Quantity:
    """Loss of the shared inverter from its AC-side flows `out_mw`, `in_mw` >= 0, MW."""
    return (1.0 / eta_out - 1.0) * out_mw + (1.0 - eta_in) * in_mw
