"""One step of a battery alone: what becomes of a requested power."""

from __future__ import annotations

from bess_opt.plant import physics
from bess_opt.plant.plant import Storage


def transition(
    storage: Storage,
    energy_mwh: float,
    request_mw: float,
    floor_mwh: float,
    ceiling_mwh: float,
    step_h: float,
    *,
    most_mw: tuple[float, float] | None = None,
    drawn_mw: float = 0.0,
) -> tuple[float, float, str]:
    """One step of the battery alone, stateless: (power delivered at the port, energy after, what limited it).

    `request_mw` > 0 discharges. The power is changed as little as possible so that rated power,
    C-rate and the window [`floor_mwh`, `ceiling_mwh`] at the end of the step hold. Where full power
    does not reach the window (a rising floor, self-discharge), it is given and the energy stays outside.
    `most_mw` is the most charge and discharge power of this step, by default the battery's own; `drawn_mw` is
    taken from the cells beside it.
    """
    kept, eta_in, eta_out = storage.retention, storage.eta_charge, storage.eta_discharge
    most_in, most_out = most_mw or (storage.charge_max_mw, storage.discharge_max_mw)
    power, limited = request_mw, ""
    if power > most_out:
        power, limited = most_out, "power"
    elif power < -most_in:
        power, limited = -most_in, "power"
    to_floor = (kept * energy_mwh - floor_mwh) / step_h - drawn_mw
    highest = to_floor * eta_out if to_floor >= 0.0 else to_floor / eta_in
    if power > highest:
        power, limited = max(highest, -most_in), "energy"
    to_ceiling = (ceiling_mwh - kept * energy_mwh) / step_h + drawn_mw
    lowest = -to_ceiling / eta_in if to_ceiling >= 0.0 else -to_ceiling * eta_out
    if power < lowest:
        power, limited = min(lowest, most_out), "energy"
    charge, discharge = (0.0, power) if power >= 0.0 else (-power, 0.0)
    after: float = physics.energy_after(
        energy_mwh,
        charge,
        discharge,
        eta_charge=eta_in,
        eta_discharge=eta_out,
        retention=kept,
        step_h=step_h,
        drawn_mw=drawn_mw,
    )
    return power, after, limited
