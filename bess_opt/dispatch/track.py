"""Dynamic control: a battery alone that follows a request signal step by step, by the stepper's physics.

The site plays no part: what the battery is asked for is at its port (rule 6), positive when it discharges
(rule 1). What needs a site or a calendar is left out: the auxiliary load is the site's demand, and a warranty
in cycles per day needs days.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from math import inf
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bess_opt.common.clock import HOUR_NS
from bess_opt.common.columns import Column
from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding
from bess_opt.common.input_table import plain, read_table, show
from bess_opt.inputs.battery import Battery
from bess_opt.inputs.series.raw import RawSeries
from bess_opt.inputs.series.time_axis import TimeAxis, check_gaps, check_order, find_step, moment
from bess_opt.plant import physics
from bess_opt.plant.plant import Storage, storage_of
from bess_opt.plant.stepper import transition
from bess_opt.plant.stepper_limits import SLACK

DEFAULT_STEP_H = 0.25
ROUNDING = 1e-12  # of nameplate: stored energy that lies off a bound by less is on it
REQUESTS = "requests_mw"

COLUMNS: dict[str, Column] = {
    "requested_mw": Column("MW", "power asked of the battery at its port, + discharges"),
    "delivered_mw": Column("MW", "power that it gave or took at its port, + discharges"),
    "unserved_mw": Column("MW", "requested minus delivered"),
    "limited_by": Column("", 'what changed the power: "power", "c-rate", "energy"; empty if nothing'),
    "loss_mw": Column("MW", "loss between port and cells, self-discharge included"),
    "energy_mwh": Column("MWh", "energy in the cells at the end of the step"),
    "soc": Column("1", "energy_mwh over nameplate energy at the end of the step"),
}

Floats = npt.NDArray[np.float64]


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
        eta_charge = _drive(self.battery, self.step_h).storage.eta_charge
        spent = charged - self.stored_change_mwh / eta_charge
        throughput = charged + discharged
        return discharged / spent if throughput > 0.0 and spent > SLACK * throughput else None

    @property
    def equivalent_full_cycles(self) -> float:
        """Energy leaving the cells through the port / nameplate."""
        storage = _drive(self.battery, self.step_h).storage
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


def track(
    battery: Battery | Mapping[str, Any],
    requests_mw: Sequence[float] | Floats | pd.Series,
    step_h: float | None = None,
    soc_start: float = 0.5,
) -> Track:
    """Follow `requests_mw`, MW at the battery's port, + discharges (rule 1), one value per step.

    A request that rated power, C-rate or SOC window forbid is changed as little as possible (rule 14); column
    `limited_by` says what changed it. `step_h` defaults to the step of a tz-aware Series, whose index the
    result keeps, else to 0.25 h. The battery's own `soc_start` and `soc_end`, `auxiliary_mw` (demand of the
    site) and `max_cycles_per_day` (needs a calendar) do not apply. Self-discharge does: a battery at the
    bottom of its window then takes what keeps it there, asked or not.
    Raises `ScenarioError` that names the value, also for a `soc_start` outside of the window.
    """
    cells = _battery(battery)
    requested, index, own_step = _requests(requests_mw)
    hours = _step(step_h, own_step)
    drive = _drive(cells, hours)
    socs, given, limited = _follow(drive, _soc(soc_start, cells, "soc_start"), requested.tolist())
    energy, delivered = np.array(socs) * drive.storage.energy_mwh, np.array(given)
    return Track(
        battery=cells,
        step_h=hours,
        index=index,
        requested_mw=requested,
        delivered_mw=delivered,
        limited_by=np.array(limited, dtype=object),
        soc=np.array(socs),
        energy_mwh=energy,
        loss_mw=drive.loss_mw(energy[:-1], np.maximum(-delivered, 0.0), np.maximum(delivered, 0.0)),
    )


def step(
    battery: Battery | Mapping[str, Any], soc: float, request_mw: float, step_h: float = DEFAULT_STEP_H
) -> BatteryState:
    """One step of a battery from `soc`, stateless: for a loop of your own or a controller under test.

    `request_mw` at the port, + discharges; limits, what does not apply and errors as in `bess_opt.track`, and
    the same numbers to the last bit: feed the `soc` of the result into the next call. For many steps give a
    `Battery`, not a mapping, which is checked each time.
    """
    cells = _battery(battery)
    drive = _drive(cells, _step(step_h, None))
    start = _soc(soc, cells, "soc")
    socs, given, limited = _follow(drive, start, [_number(request_mw, "request_mw", "MW")])
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


@dataclass(frozen=True)
class _Drive:
    """A battery at its port for steps of one length: numbers, window, and the names of its power limits."""

    storage: Storage
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
def _drive(battery: Battery, step_h: float) -> _Drive:
    cells, energy = battery.tech, battery.energy_mwh
    floor, ceiling = cells.soc_min * energy, cells.soc_max * energy
    storage = storage_of(battery, step_h, np.full(2, floor), np.full(2, ceiling))
    _check_upkeep(storage, floor, step_h)
    most_in, most_out = float(storage.charge_max_mw), float(storage.discharge_max_mw)
    return _Drive(
        storage=replace(storage, charge_max_mw=most_in, discharge_max_mw=most_out),
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


def _follow(drive: _Drive, soc: float, requests: list[float]) -> tuple[list[float], list[float], list[str]]:
    """(SOC at the start and after each step, power given, what limited it); the SOC is the state between.

    A request that the limits let pass needs nothing but the energy law.
    """
    storage, nameplate, step_h = drive.storage, drive.storage.energy_mwh, drive.step_h
    floor, ceiling = drive.floor_mwh, drive.ceiling_mwh
    lowest, highest = -storage.charge_max_mw, storage.discharge_max_mw
    kept, gained, spent = drive.law
    socs, given, limited = [soc], [], []
    for request in requests:
        energy = soc * nameplate
        power, by = request, ""
        after = kept * energy + (spent * request if request > 0.0 else -gained * request)
        if not (floor <= after <= ceiling and lowest <= request <= highest):
            power, after, by = transition(storage, energy, request, floor, ceiling, step_h)
            if by:
                power, after, by = _judge(drive, energy, request, power, after, by)
        soc = after / nameplate
        socs.append(soc)
        given.append(power)
        limited.append(by)
    return socs, given, limited


def _judge(
    drive: _Drive, energy: float, request: float, power: float, after: float, by: str
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


# ------------------------------------------------------------------------------------------------- the inputs


def _battery(value: object) -> Battery:
    table, problems = read_table(Battery, value, "battery")
    if table is None:
        raise ScenarioError(problems)
    return table


def _number(value: object, where: str, unit: str) -> float:
    number = plain(value)
    if isinstance(number, bool) or not isinstance(number, int | float) or not np.isfinite(number):
        raise ScenarioError([Finding("wrong_value", where, f"found {show(value)}", f"give a number of {unit}")])
    return float(number)


def _soc(value: object, battery: Battery, where: str) -> float:
    """A state of charge inside the window; outside of it is an error, nothing is lifted for free."""
    cells = battery.tech
    soc = _number(value, where, "nameplate energy, 0 to 1")
    soc = cells.inside(soc)
    if not cells.soc_min - 2.0 * ROUNDING <= soc <= cells.soc_max + 2.0 * ROUNDING:
        window = f"from {cells.soc_min:g} to {cells.soc_max:g}, the technology's window"
        finding = Finding("outside_window", where, f"found {soc:.12g}", f"give a state of charge {window}")
        raise ScenarioError([finding])
    return soc


def _step(stated: object, own_h: float | None) -> float:
    """The step in hours: stated, else the index's own, else the default; the first two must agree."""
    if stated is None:
        return DEFAULT_STEP_H if own_h is None else own_h
    hours = _number(stated, "step_h", "hours")
    if hours <= 0.0:
        raise ScenarioError([Finding("wrong_value", "step_h", f"found {hours:g}", "give a number > 0 h")])
    if own_h is not None and abs(hours - own_h) > 1e-6 * own_h:
        found = f"found {hours:g} h, but the index of {REQUESTS} has steps of {own_h:g} h"
        raise ScenarioError([Finding("contradiction", "step_h", found, "leave step_h out, or resample")])
    return hours


def _requests(values: object) -> tuple[Floats, pd.Index, float | None]:
    """(finite numbers, index of the steps, length of a step [h] if the index says it)."""
    if isinstance(values, pd.Series):
        numbers = _finite(values.to_numpy(), values.index)
        if not isinstance(values.index, pd.DatetimeIndex):
            return numbers, values.index, None
        return numbers, values.index, _index_step(values.index)
    if isinstance(values, str | bytes | Mapping | pd.DataFrame) or not hasattr(values, "__iter__"):
        expected = "give a sequence of numbers, an array or a Series, one value per step"
        raise ScenarioError([Finding("wrong_value", REQUESTS, f"found {type(values).__name__}", expected)])
    numbers = _finite(values if isinstance(values, np.ndarray) else list(values), None)
    return numbers, pd.RangeIndex(len(numbers), name="step"), None


def _finite(values: Any, index: pd.Index | None) -> Floats:
    wrong_kind = isinstance(values, np.ndarray) and (values.ndim != 1 or values.dtype.kind not in "iufO")
    if wrong_kind or len(values) == 0:
        found = f"found an array of {values.dtype}, shape {values.shape}" if wrong_kind else "has no values"
        raise ScenarioError([Finding("wrong_value", REQUESTS, found, "give one number per step")])
    array = values if isinstance(values, np.ndarray) else np.array(values, dtype=object)
    if array.dtype.kind == "O":
        array = np.array([_or_nan(value) for value in values])
    numbers = np.array(array, dtype=np.float64)
    bad = ~np.isfinite(numbers)
    if bad.any():
        first = int(np.argmax(bad))
        others = f", and {bad.sum() - 1} more" if bad.sum() > 1 else ""
        time = f" ({moment(index[first])})" if isinstance(index, pd.DatetimeIndex) else ""
        where, found = f"{REQUESTS}[{first}]{time}", f"found {show(plain(values[first]))}{others}"
        raise ScenarioError([Finding("wrong_value", where, found, "give a number of MW")])
    return numbers


def _or_nan(value: object) -> float:
    number = plain(value)
    good = isinstance(number, int | float) and not isinstance(number, bool)
    return float(number) if good else np.nan  # type: ignore[arg-type]


def _index_step(index: pd.DatetimeIndex) -> float | None:
    """Hours between the stamps of a tz-aware index with equal steps; None for a single stamp."""
    if index.tz is None:
        remedy = 'localise it: requests.tz_localize("Europe/Berlin"), or give the bare values'
        raise ScenarioError([Finding("naive_time", f"{REQUESTS} index", "has no time zone", remedy)])
    stamps = index.as_unit("ns")
    axis, raw = TimeAxis(stamps, str(index.tz)), RawSeries(REQUESTS, 0, stamps, pd.DataFrame())
    step_ns = find_step(axis)
    if step_ns is None:
        return None
    problems = check_order(raw, axis, step_ns) + check_gaps(raw, axis, step_ns, [REQUESTS], [])
    if problems:
        raise ScenarioError(problems)
    return step_ns / HOUR_NS
