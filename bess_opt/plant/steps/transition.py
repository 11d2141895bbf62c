"""One step of a battery alone: what becomes of a requested power."""

from __future__ import annotations

from collections.abc import Callable

from bess_opt.plant.plant import Storage

Transition = Callable[[float, float, float, float, float, float, float], tuple[float, float, str]]


def transition(
    storage: Storage, energy_mwh: float, request_mw: float, floor_mwh: float, ceiling_mwh: float, step_h: float
) -> tuple[float, float, str]:
    """One step of the battery alone, stateless: (power delivered at the port, energy after, what limited it).

    Its limits are those of `transition_of`, its power the battery's own.
    """
    most_in, most_out = storage.charge_max_mw, storage.discharge_max_mw
    return transition_of(storage, step_h)(energy_mwh, request_mw, floor_mwh, ceiling_mwh, most_in, most_out, 0.0)


def transition_of(storage: Storage, step_h: float) -> Transition:
    """`step(energy_mwh, request_mw, floor_mwh, ceiling_mwh, most_in_mw, most_out_mw, drawn_mw)` for a loop.

    `request_mw` > 0 discharges. The power is changed as little as possible so that rated power,
    C-rate and the window [`floor_mwh`, `ceiling_mwh`] at the end of the step hold. Where full power
    does not reach the window (a rising floor, self-discharge), it is given and the energy stays outside.
    `drawn_mw` is taken from the cells beside it.
    """
    eta_in, eta_out = storage.eta_charge, storage.eta_discharge
    kept, into, out = storage.law(step_h)

    def step(
        energy_mwh: float,
        request_mw: float,
        floor_mwh: float,
        ceiling_mwh: float,
        most_in_mw: float,
        most_out_mw: float,
        drawn_mw: float,
    ) -> tuple[float, float, str]:
        power, limited, left = request_mw, "", kept * energy_mwh
        if power > most_out_mw:
            power, limited = most_out_mw, "power"
        elif power < -most_in_mw:
            power, limited = -most_in_mw, "power"
        to_floor = (left - floor_mwh) / step_h - drawn_mw
        highest = to_floor * eta_out if to_floor >= 0.0 else to_floor / eta_in
        if power > highest:
            power, limited = (highest if highest >= -most_in_mw else -most_in_mw), "energy"
        to_ceiling = (ceiling_mwh - left) / step_h + drawn_mw
        lowest = -to_ceiling / eta_in if to_ceiling >= 0.0 else -to_ceiling * eta_out
        if power < lowest:
            power, limited = (lowest if lowest <= most_out_mw else most_out_mw), "energy"
        after = left - (out if power > 0.0 else into) * power
        return power, after - step_h * drawn_mw, limited

    return step
