"""Dynamic control: a battery alone that follows a request signal step by step, by the stepper's physics.

The site plays no part: what the battery is asked for is at its port, positive when it discharges.
What needs a site or a calendar is left out: the auxiliary load is the site's demand, and a warranty
in cycles per day needs days.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bess_opt.common.arrays import Floats
from bess_opt.common.columns import Column
from bess_opt.dispatch.track_inputs import DEFAULT_STEP_H, battery_of, number_of, requests_of, soc_of, step_of
from bess_opt.inputs.battery import Battery
from bess_opt.plant.stepper_limits import SLACK
from bess_opt.plant.steps.battery_steps import drive_of, follow_requests

COLUMNS: dict[str, Column] = {
    "requested_mw": Column("MW", "power asked of the battery at its port, + discharges"),
    "delivered_mw": Column("MW", "power that it gave or took at its port, + discharges"),
    "unserved_mw": Column("MW", "requested minus delivered"),
    "limited_by": Column("", 'what changed the power: "power", "c-rate", "energy"; empty if nothing'),
    "loss_mw": Column("MW", "loss between port and cells, self-discharge included"),
    "energy_mwh": Column("MWh", "energy in the cells at the end of the step"),
    "soc": Column("1", "energy_mwh over nameplate energy at the end of the step"),
}


@dataclass(frozen=True, slots=True)
class BatteryState:
    """A battery after one step. Feed `soc` into the next `bess_opt.step`.

    `delivered_mw`, `limited_by` and `loss_mw` belong to the step just made. `charge_room_mw` and
    `discharge_room_mw`, both >= 0, are what it could take and give at its port in a next step as long.
    """

    soc: float
    energy_mwh: float
    delivered_mw: float
    limited_by: str
    loss_mw: float
    charge_room_mw: float
    discharge_room_mw: float


@dataclass(frozen=True, repr=False)
class Track:
    """What a battery made of a request signal. Powers in MW at its port, + discharges; one value per step.

    `soc` and `energy_mwh` have n+1 values, the start first. `unserved_mw` = requested − delivered.
    """

    battery: Battery
    step_h: float
    index: pd.Index
    requested_mw: Floats
    delivered_mw: Floats
    limited_by: npt.NDArray[np.object_]
    soc: Floats
    energy_mwh: Floats
    loss_mw: Floats

    @property
    def unserved_mw(self) -> Floats:
        """What was asked for and not delivered, signed as the request."""
        return self.requested_mw - self.delivered_mw

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row per step, columns as in `COLUMNS`; energy and SOC at the end of the step."""
        values = {
            "requested_mw": self.requested_mw,
            "delivered_mw": self.delivered_mw,
            "unserved_mw": self.unserved_mw,
            "limited_by": self.limited_by,
            "loss_mw": self.loss_mw,
            "energy_mwh": self.energy_mwh[1:],
            "soc": self.soc[1:],
        }
        return pd.DataFrame({name: values[name] for name in COLUMNS}, index=self.index)

    @property
    def charged_mwh(self) -> float:
        """Energy taken at the port."""
        return float(np.maximum(-self.delivered_mw, 0.0).sum()) * self.step_h

    @property
    def discharged_mwh(self) -> float:
        """Energy given at the port."""
        return float(np.maximum(self.delivered_mw, 0.0).sum()) * self.step_h

    @property
    def losses_mwh(self) -> float:
        """Conversion losses and self-discharge."""
        return float(self.loss_mw.sum()) * self.step_h

    @property
    def stored_change_mwh(self) -> float:
        """Energy in the cells at the end minus at the start."""
        return float(self.energy_mwh[-1] - self.energy_mwh[0])

    @property
    def requested_mwh(self) -> float:
        """Energy asked for, both directions added."""
        return float(np.abs(self.requested_mw).sum()) * self.step_h

    @property
    def unserved_mwh(self) -> float:
        """Energy asked for and not delivered, both directions added."""
        low, high = np.minimum(self.requested_mw, 0.0), np.maximum(self.requested_mw, 0.0)
        served = np.clip(self.delivered_mw, low, high)  # what keeps the cells at their floor serves nobody
        return float(np.abs(self.requested_mw - served).sum()) * self.step_h

    @property
    def delivered_share(self) -> float | None:
        """Share of the energy asked for that was delivered, 0 to 1; None if nothing was asked for."""
        asked = self.requested_mwh
        return 1.0 - self.unserved_mwh / asked if asked > 0.0 else None

    @property
    def round_trip_efficiency(self) -> float | None:
        """Discharged / (charged − Δ/η_charge), port to port, Δ = stored change; None without throughput."""
        charged, discharged = self.charged_mwh, self.discharged_mwh
        eta_charge = drive_of(self.battery, self.step_h).storage.eta_charge
        spent = charged - self.stored_change_mwh / eta_charge
        throughput = charged + discharged
        return discharged / spent if throughput > 0.0 and spent > SLACK * throughput else None

    @property
    def equivalent_full_cycles(self) -> float:
        """Energy leaving the cells through the port / nameplate."""
        storage = drive_of(self.battery, self.step_h).storage
        return self.discharged_mwh / storage.eta_discharge / storage.energy_mwh

    def to_dict(self) -> dict[str, float | None]:
        """The figures of the whole signal under their names."""
        return {name: getattr(self, name) for name in FIGURES}

    def __repr__(self) -> str:
        share = self.delivered_share
        served = "nothing asked" if share is None else f"{share:.1%} delivered"
        return f"Track({len(self.requested_mw)} steps of {self.step_h:g} h, {served}, soc {self.soc[-1]:.3f})"


FIGURES = (
    "requested_mwh", "unserved_mwh", "delivered_share", "charged_mwh", "discharged_mwh", "losses_mwh",
    "stored_change_mwh", "round_trip_efficiency", "equivalent_full_cycles",
)  # fmt: skip


def track_one(
    battery: Battery | Mapping[str, Any],
    requests_mw: Sequence[float] | Floats | pd.Series,
    step_h: float | None = None,
    soc_start: float = 0.5,
) -> Track:
    """`bess_opt.track` of one battery.

    Follow `requests_mw`, MW at the battery's port, + discharges, one value per step.

    A request that rated power, C-rate or SOC window forbid is changed as little as possible; column
    `limited_by` says what changed it. `step_h` defaults to the step of a tz-aware Series, whose index the
    result keeps, else to 0.25 h. The battery's own `soc_start` and `soc_end`, `auxiliary_mw` (demand of the
    site) and `max_cycles_per_day` (needs a calendar) do not apply. Self-discharge does: a battery at the
    bottom of its window then takes what keeps it there, asked or not.
    Raises `ScenarioError` that names the value, also for a `soc_start` outside of the window.
    """
    cells = battery_of(battery)
    requested, index, own_step = requests_of(requests_mw)
    hours = step_of(step_h, own_step)
    drive = drive_of(cells, hours)
    socs, given, limited = follow_requests(drive, soc_of(soc_start, cells, "soc_start"), requested.tolist())
    return track_of(cells, hours, index, requested, np.array(given), np.array(limited, dtype=object), np.array(socs))


def track_of(
    battery: Battery,
    step_h: float,
    index: pd.Index,
    requested_mw: Floats,
    delivered_mw: Floats,
    limited_by: npt.NDArray[np.object_],
    soc: Floats,
) -> Track:
    """The track of a battery from what was asked and given in each step and the n+1 states of charge."""
    drive = drive_of(battery, step_h)
    energy = soc * drive.storage.energy_mwh
    return Track(
        battery=battery,
        step_h=step_h,
        index=index,
        requested_mw=requested_mw,
        delivered_mw=delivered_mw,
        limited_by=limited_by,
        soc=soc,
        energy_mwh=energy,
        loss_mw=drive.loss_mw(energy[:-1], np.maximum(-delivered_mw, 0.0), np.maximum(delivered_mw, 0.0)),
    )


def step(
    battery: Battery | Mapping[str, Any], soc: float, request_mw: float, step_h: float = DEFAULT_STEP_H
) -> BatteryState:
    """One step of a battery from `soc`, stateless: for a loop of your own or a controller under test.

    `request_mw` at the port, + discharges; limits, what does not apply and errors as in `bess_opt.track`, and
    the same numbers to the last bit: feed the `soc` of the result into the next call. For many steps give a
    `Battery`, not a mapping, which is checked each time.
    """
    cells = battery_of(battery)
    drive = drive_of(cells, step_of(step_h, None))
    start = soc_of(soc, cells, "soc")
    socs, given, limited = follow_requests(drive, start, [number_of(request_mw, "request_mw", "MW")])
    nameplate, end, power = drive.storage.energy_mwh, socs[1], given[0]
    takes, gives = drive.reach(end, -inf), drive.reach(end, inf)
    return BatteryState(
        soc=end,
        energy_mwh=end * nameplate,
        delivered_mw=power,
        limited_by=limited[0],
        loss_mw=float(drive.loss_mw(start * nameplate, max(-power, 0.0), max(power, 0.0))),
        charge_room_mw=max(-takes, 0.0),
        discharge_room_mw=max(gives, 0.0),
    )


# ------------------------------------------------------------------------------------------------- the steps


# ------------------------------------------------------------------------------------------------- the inputs
