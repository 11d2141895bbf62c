"""A battery alone, step by step: what becomes of requested powers, without site, series or solver."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding
from bess_opt.inputs.battery import Battery
from bess_opt.inputs.technologies import Technology
from bess_opt.plant import physics
from bess_opt.plant.from_scenario import storage_of
from bess_opt.plant.plant import Storage
from bess_opt.plant.stepper_limits import SLACK
from bess_opt.plant.steps.transition import transition, transition_of

ROUNDING = 1e-12  # of nameplate: stored energy that lies off a bound by less is on it


@dataclass(frozen=True)
class Drive:
    """A battery at its port for steps of one length: numbers, window, and the names of its power limits."""

    storage: Storage
    cells: Technology
    floor_mwh: float
    ceiling_mwh: float
    step_h: float
    rounding_mw: float  # a power that moves the store by no more than its rounding
    slack_mw: float  # a request missed by less is served
    charge_by: str
    discharge_by: str

    def loss_mw(self, energy_mwh: Any, charge_mw: Any, discharge_mw: Any) -> Any:
        """Mean loss of steps that begin with `energy_mwh`, MW."""
        return physics.storage_loss_mw(energy_mwh, charge_mw, discharge_mw, **self.losses)

    def reach(self, soc: float, request_mw: float) -> float:
        """Power that one step from `soc` gives on `request_mw`."""
        energy = soc * self.storage.energy_mwh
        return transition(self.storage, energy, request_mw, self.floor_mwh, self.ceiling_mwh, self.step_h)[0]

    @cached_property
    def law(self) -> tuple[float, float, float]:
        """Energy after a step per MWh before it, per MW charged and per MW discharged: the law is linear."""
        kept, gained, spent = (
            float(physics.energy_after(*unit, **self.losses))
            for unit in ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
        )
        return kept, gained, spent

    @cached_property
    def losses(self) -> dict[str, float]:
        """What the energy law needs to know of this battery."""
        storage = self.storage
        return {
            "eta_charge": storage.eta_charge,
            "eta_discharge": storage.eta_discharge,
            "retention": storage.retention,
            "step_h": self.step_h,
        }


@lru_cache(maxsize=64)
def drive_of(battery: Battery, step_h: float) -> Drive:
    """The numbers of `battery` that steps of `step_h` hours need; kept, because a signal calls for them each step."""
    cells, energy = battery.tech, battery.energy_mwh
    floor, ceiling = cells.soc_min * energy, cells.soc_max * energy
    storage = storage_of(battery, step_h, np.full(2, floor), np.full(2, ceiling))
    _check_upkeep(storage, floor, step_h)
    most_in, most_out = float(storage.charge_max_mw), float(storage.discharge_max_mw)
    return Drive(
        storage=replace(storage, charge_max_mw=most_in, discharge_max_mw=most_out),
        cells=cells,
        floor_mwh=floor,
        ceiling_mwh=ceiling,
        step_h=step_h,
        rounding_mw=ROUNDING * energy / step_h,
        slack_mw=SLACK * max(most_in, most_out) + ROUNDING * energy / step_h,
        charge_by="c-rate" if most_in < battery.power_mw else "power",
        discharge_by="c-rate" if most_out < battery.power_mw else "power",
    )


def _check_upkeep(storage: Storage, floor_mwh: float, step_h: float) -> None:
    """Self-discharge at the floor is no more than the battery can take."""
    lost_mwh = (1.0 - storage.retention) * floor_mwh
    takes = physics.charge_to_reach(lost_mwh, 0.0, eta_charge=storage.eta_charge, retention=1.0, step_h=step_h)
    if takes > storage.charge_max_mw:
        found = f"needs {takes:.4g} MW to stay at the bottom of the window, more than the battery can take"
        raise ScenarioError([Finding("contradiction", "battery.self_discharge_per_h", found, "give a smaller one")])


def follow_requests(drive: Drive, soc: float, requests: list[float]) -> tuple[list[float], list[float], list[str]]:
    """(SOC at the start and after each step, power given, what limited it); the SOC is the state between.

    A request that the limits let pass needs nothing but the energy law.
    """
    storage, nameplate = drive.storage, drive.storage.energy_mwh
    floor, ceiling = drive.floor_mwh, drive.ceiling_mwh
    lowest, highest = -storage.charge_max_mw, storage.discharge_max_mw
    kept, gained, spent = drive.law
    step = transition_of(storage, drive.step_h)
    low, high = drive.cells.soc_min, drive.cells.soc_max
    socs, given, limited = [soc], [], []
    for request in requests:
        energy = soc * nameplate
        power, by = request, ""
        after = kept * energy + (spent * request if request > 0.0 else -gained * request)
        if not (floor <= after <= ceiling and lowest <= request <= highest):
            power, after, by = step(energy, request, floor, ceiling, -lowest, highest, 0.0)
            if by:
                power, after, by = _judge(drive, energy, request, power, after, by)
        soc = after / nameplate
        if not low <= soc <= high:
            soc = drive.cells.inside(soc)  # rounding, as a state given by hand is read
        socs.append(soc)
        given.append(power)
        limited.append(by)
    return socs, given, limited


def _judge(
    drive: Drive, energy: float, request: float, power: float, after: float, by: str
) -> tuple[float, float, str]:
    """A limited step again: rounding neither turns a request round nor counts as a limit; which limit."""
    nearest = min(max(power, min(request, 0.0)), max(request, 0.0))
    if nearest != power and abs(nearest - power) <= drive.rounding_mw:
        power = nearest
        after = physics.energy_after(energy, max(-power, 0.0), max(power, 0.0), **drive.losses)
    if abs(power - request) <= drive.slack_mw:
        return power, after, ""
    if by == "power":
        by = drive.discharge_by if request > 0.0 else drive.charge_by
    return power, after, by
