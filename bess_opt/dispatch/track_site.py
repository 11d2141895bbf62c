"""`bess_opt.track`: a battery that follows a request, or several: one for all, shared by room, or one for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf
from typing import Any, overload

import numpy as np
import pandas as pd

from bess_opt.common.arrays import Floats
from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding
from bess_opt.common.names import nearest
from bess_opt.dispatch.track import Track, track_of, track_one
from bess_opt.dispatch.track_inputs import REQUESTS, requests_of, soc_of, step_of
from bess_opt.inputs.batteries import read_batteries
from bess_opt.inputs.battery import Battery
from bess_opt.plant.steps.battery_steps import drive_of, follow_requests
from bess_opt.plant.steps.shared_steps import moved

SUMS = ("requested_mw", "delivered_mw", "unserved_mw", "loss_mw", "energy_mwh")


@dataclass(frozen=True)
class SiteTrack:
    """What several batteries made of a request: `units[name]` is the `Track` of each."""

    units: dict[str, Track]

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row per step: sums over the batteries; `soc` is the stored energy over the nameplate of all."""
        tables = [unit.table for unit in self.units.values()]
        nameplate = sum(unit.battery.energy_mwh for unit in self.units.values())
        whole = pd.DataFrame({name: sum(table[name] for table in tables) for name in SUMS})
        return whole.assign(soc=whole["energy_mwh"] / nameplate)


@overload
def track(
    battery: Battery | Mapping[str, Any],
    requests_mw: Sequence[float] | Floats | pd.Series,
    step_h: float | None = None,
    soc_start: float = 0.5,
) -> Track: ...


@overload
def track(
    battery: Sequence[Battery | Mapping[str, Any]],
    requests_mw: Sequence[float] | Floats | pd.Series | pd.DataFrame | Mapping[str, Any],
    step_h: float | None = None,
    soc_start: float | Mapping[str, float] = 0.5,
) -> SiteTrack: ...


def track(battery: Any, requests_mw: Any, step_h: float | None = None, soc_start: Any = 0.5) -> Track | SiteTrack:
    """Follow `requests_mw`, MW at the battery's port, + discharges (rule 1), one value per step.

    A request that rated power, C-rate or SOC window forbid is changed as little as possible (rule 14); column
    `limited_by` says what changed it. `step_h` defaults to the step of a tz-aware Series, whose index the
    result keeps, else to 0.25 h. The battery's own `soc_start` and `soc_end`, `auxiliary_mw` (demand of the
    site) and `max_cycles_per_day` (needs a calendar) do not apply. Self-discharge does: a battery at the
    bottom of its window then takes what keeps it there, asked or not.

    A list of batteries with names gives a `SiteTrack`. One request is then shared by room, what each can take or give
    in the step, so that what one cannot use goes to the others; what none can is asked of them in proportion to rated
    power and stays unserved. A mapping or a frame holds a request for each battery by its name. `soc_start` is one
    for all or a mapping.

    Raises `ScenarioError` that names the value, also for a `soc_start` outside of the window, for a name that no
    battery has, and for a battery without a request.
    """
    if isinstance(battery, Sequence) and not isinstance(battery, str | bytes):
        return _track_site(battery, requests_mw, step_h, soc_start)
    alone: Any = battery
    return track_one(alone, requests_mw, step_h, soc_start)


def _track_site(
    batteries: Sequence[Battery | Mapping[str, Any]], requests_mw: Any, step_h: float | None, soc_start: Any
) -> SiteTrack:
    read, problems = read_batteries(batteries)
    if problems:
        raise ScenarioError(problems)
    names = [str(battery.name or "battery") for battery in read]
    starts = soc_start if isinstance(soc_start, Mapping) else dict.fromkeys(names, soc_start)
    _same_names("soc_start", list(starts), names)
    if isinstance(requests_mw, pd.DataFrame | Mapping):
        _same_names(REQUESTS, [str(name) for name in requests_mw], names)
        own = {name: requests_mw[name] for name in names}
        tracks = {
            name: track_one(battery, own[name], step_h, starts[name])
            for name, battery in zip(names, read, strict=True)
        }
        if len({len(unit.requested_mw) for unit in tracks.values()}) > 1:
            found = "have different numbers of steps"
            raise ScenarioError([Finding("wrong_value", REQUESTS, found, "give each battery one value per step")])
        return SiteTrack(tracks)
    asked, index, own_step = requests_of(requests_mw)
    hours = step_of(step_h, own_step)
    socs = [soc_of(starts[name], battery, f"soc_start.{name}") for name, battery in zip(names, read, strict=True)]
    return _shared(read, names, asked, index, hours, socs)


def _shared(
    batteries: Sequence[Battery],
    names: Sequence[str],
    asked: Floats,
    index: pd.Index,
    step_h: float,
    starts: list[float],
) -> SiteTrack:
    """The request of each step shared by the room that each battery has in it."""
    drives = [drive_of(battery, step_h) for battery in batteries]
    rated = np.array([battery.power_mw for battery in batteries])
    socs, now = [[soc] for soc in starts], list(starts)
    wanted = np.zeros((len(batteries), len(asked)))
    given, limited = np.zeros_like(wanted), np.full(wanted.shape, "", dtype=object)
    for t, request in enumerate(asked.tolist()):
        takes = [max(-drive.reach(soc, -inf), 0.0) for drive, soc in zip(drives, now, strict=True)]
        gives = [max(drive.reach(soc, inf), 0.0) for drive, soc in zip(drives, now, strict=True)]
        shares = np.array(moved([0.0] * len(drives), takes, gives, request))
        wanted[:, t] = shares + (request - shares.sum()) * rated / rated.sum()
        for place, drive in enumerate(drives):
            after, power, by = follow_requests(drive, now[place], [float(wanted[place, t])])
            now[place], given[place, t], limited[place, t] = after[1], power[0], by[0]
            socs[place].append(after[1])
    return SiteTrack(
        {
            name: track_of(battery, step_h, index, wanted[place], given[place], limited[place], np.array(socs[place]))
            for place, (name, battery) in enumerate(zip(names, batteries, strict=True))
        }
    )


def _same_names(where: str, found: Sequence[str], names: Sequence[str]) -> None:
    unknown = [name for name in found if name not in names]
    missing = [name for name in names if name not in found]
    if unknown:
        raise ScenarioError(
            [Finding("unknown_key", f"{where}.{unknown[0]}", "no battery has this name", nearest(unknown[0], names))]
        )
    if missing:
        raise ScenarioError(
            [Finding("missing_key", f"{where}.{missing[0]}", "is missing", "give one for each battery")]
        )
