"""What a plan has used of its caps and its bill so far, in the keys that the next scenario takes: a function each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from bess_opt.common.arrays import Array
from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding
from bess_opt.common.wording import show
from bess_opt.dispatch import used_bill
from bess_opt.dispatch.result import Dispatch
from bess_opt.inputs.cycle_limits import CycleLimit
from bess_opt.plant.from_scenario import plant_of
from bess_opt.plant.plant import Plant, Storage
from bess_opt.plant.products.activation import bids_of, called_mw
from bess_opt.plant.products.offers import block_numbers
from bess_opt.plant.warranty.cycle_caps import period_of, steps_within


@dataclass(frozen=True)
class Past:
    """A plan up to a moment: its first `steps` steps, and `now`, the local time at which the next one begins."""

    plan: Dispatch
    plant: Plant
    steps: int
    now: pd.Timestamp
    number: int = 0  # of the battery that is asked about

    @property
    def storage(self) -> Storage:
        """The battery that is asked about, in numbers."""
        return self.plant.batteries[self.number]

    @property
    def drawn_mw(self) -> Array:
        """What was drawn from its cells per step so far."""
        drawn: Array = np.broadcast_to(self.storage.drawn_mw, self.plant.steps)[: self.steps]
        return drawn

    def column(self, name: str) -> Array:
        """A column of the schedule up to the moment."""
        values: Array = self.plan.schedule[name].to_numpy()[: self.steps]
        return values

    def powers(self) -> tuple[Array, Array]:
        """(charge, discharge) of the battery per step so far, MW at its port."""
        own = list(self.plan.units.values())[self.number]
        return own["charge_mw"].to_numpy()[: self.steps], own["discharge_mw"].to_numpy()[: self.steps]

    def through_cells(self) -> tuple[Array, Array]:
        """(energy that entered, energy that left) its cells per step so far, MWh."""
        return self.storage.through_cells(*self.powers(), self.plant.step_h)


Row = Callable[[Past], Any]


def used(plan: Dispatch, until: pd.Timestamp | str | None = None) -> dict[str, Any]:
    """What `plan` has used of its caps and its bill, as tables: `next.replace(**bo.used(plan))`.

    It holds for the moment after the plan's horizon, or for `until`, the start of a step up to which the plan was
    carried out. `battery.max_cycles` is the stated one (of `max_cycles_per_day` too) with `used` in cycles of the
    period in which that moment lies; within hours, of what a window that begins before it can still hold.
    `battery.wear_stand` is the energy in each segment of `wear`, with the `soc_start` to which they add up.
    `connection` are the clauses with `before_mw`, where one limits ramps; `product` the market products, with
    `held_mw` where a block is under way.
    `tariff.energy` has `used_mwh` of the tier period under way, `tariff.demand` the peak of the period under way in
    `incurred_mw` and the peaks of the months before it in `history_mw`; `tariff.billed_so_far` is the money of the
    month under way which the next scenario does not bill itself (energy, coincident times, shares of demand charges;
    the fixed charge and whole demand charges it bills again), `tariff.credit_so_far` the credits left by month. A
    billing interval that the moment cuts counts with the steps before it. A key that the scenario does not state is
    left out. Of several batteries `battery` has a table for each by name. ScenarioError for what is no plan, for a
    moment that begins no step of it, and for one within a day of which the peak is one of several.
    """
    past = _past(plan, until)
    tables: dict[str, Any] = {}
    if own := _of_batteries(past):
        tables["battery"] = own
    for where, row in ROWS.items():
        value = row(past)
        if value is not None:
            table, _, key = where.partition(".")
            if key:
                tables.setdefault(table, {})[key] = value
            else:
                tables[table] = value
    return tables


def _of_batteries(past: Past) -> dict[str, Any]:
    """The keys of the one battery, of several a table for each that has some."""
    batteries = past.plant.batteries
    found = [_of_battery(replace(past, number=number)) for number in range(len(batteries))]
    if len(batteries) == 1:
        return found[0]
    return {battery.name: keys for battery, keys in zip(batteries, found, strict=True) if keys}


def _of_battery(past: Past) -> dict[str, Any]:
    keys = {key: value for key, row in OF_BATTERY.items() if (value := row(past)) is not None}
    return keys | ({"max_cycles_per_day": None} if "max_cycles" in keys else {})


def _past(plan: Dispatch, until: pd.Timestamp | str | None) -> Past:
    if not isinstance(plan, Dispatch):
        expected = "give a plan, as bo.optimize, bo.simulate or bo.control returns it"
        raise ScenarioError([Finding("wrong_value", "plan", f"found {show(plan)}", expected)])
    plant = plant_of(plan.scenario)
    end = plant.index[-1] + pd.Timedelta(hours=plant.step_h)
    moments = plant.index.append(pd.DatetimeIndex([end]))
    if until is None:
        return Past(plan, plant, plant.steps, end)
    now = pd.Timestamp(until)
    now = now.tz_localize(plant.index.tz) if now.tz is None else now.tz_convert(plant.index.tz)
    at = np.flatnonzero(moments == now)
    if not len(at):
        expected = f"give the start of a step from {moments[0]} to {end}"
        raise ScenarioError([Finding("outside_horizon", "until", f"found {until}", expected)])
    return Past(plan, plant, int(at[0]), now)


def max_cycles(past: Past) -> list[dict[str, Any]] | None:
    """Every cap on cycles with what is used of it."""
    limits = [limit for _, limit in past.plan.scenario.batteries[past.number].cycle_limits()]
    into, out = past.through_cells()
    out = out + past.drawn_mw * past.plant.step_h
    nameplate = past.storage.energy_mwh
    found = []
    for limit in limits:
        counted = into if limit.counts == "charged" else out
        done = _before(limit, past) + float(counted[_since(limit, past) :].sum()) / nameplate
        found.append(limit.to_plain() | {"used": done})
    return found or None


def wear_stand(past: Past) -> list[float] | None:
    """Energy in each segment of wear by depth, MWh."""
    if past.storage.wear is None:
        return None
    here = replace(past.storage, drawn_mw=past.drawn_mw)
    held = here.worn(*past.powers(), past.plant.step_h).stand_mwh
    return [float(energy) for energy in held]


def soc_start(past: Past) -> float | None:
    """State of charge at the moment, where segments of wear must add up to it."""
    held = wear_stand(past)
    return None if held is None else float(np.clip(sum(held) / past.storage.energy_mwh, 0.0, 1.0))


def connection(past: Past) -> list[dict[str, Any]] | None:
    """Every clause, those with a ramp with the grid power of the last step at its base point."""
    clauses = past.plan.scenario.connection
    if past.steps == 0 or not any(clause.ramp_mw_per_min is not None for clause in clauses):
        return None
    called = called_mw(past.plant, bids_of(past.plan.whole_schedule, past.plant)) if past.plant.activated else None
    last = float(past.column("grid_mw")[-1]) - (0.0 if called is None else float(called[past.steps - 1]))
    ramped = [{} if clause.ramp_mw_per_min is None else {"before_mw": last} for clause in clauses]
    return [clause.to_plain() | before for clause, before in zip(clauses, ramped, strict=True)]


def products(past: Past) -> list[dict[str, Any]] | None:
    """Every market product, with the bid that stands in `held_mw` where a block is under way."""
    stated = past.plan.scenario.product
    if past.steps == 0 or not stated:
        return None
    moments = pd.DatetimeIndex([*past.plant.index[: past.steps], past.now])
    tables = []
    for table, product in zip(stated, past.plan.scenario.products, strict=True):
        local = moments if product.time_zone is None else moments.tz_convert(product.time_zone)
        block = block_numbers(local, product.block_h, past.plant.step_h)
        keys = {key: value for key, value in table.to_plain().items() if key != "held_mw"}
        if block[-1] == block[-2]:
            keys["held_mw"] = max(round(float(past.column(f"{product.name}_mw")[-1]), 9), 0.0)
        tables.append(keys)
    return tables


def _since(limit: CycleLimit, past: Past) -> int:
    """First step that still counts at the moment."""
    if limit.per is None:
        return max(past.steps - steps_within(limit, past.plant.step_h) + 1, 0)
    moments = past.plant.index[: past.steps].append(pd.DatetimeIndex([past.now]))
    period = period_of(limit, pd.DatetimeIndex(moments))
    return int(np.argmax(period == period[-1]))


def _before(limit: CycleLimit, past: Past) -> float:
    """What was used before the plan and still counts."""
    if limit.per is None:
        return limit.used if past.steps < steps_within(limit, past.plant.step_h) - 1 else 0.0
    return limit.used if _since(limit, past) == 0 else 0.0


# Key of the next scenario's battery -> what stands there; None leaves the key out.
OF_BATTERY: dict[str, Row] = {"max_cycles": max_cycles, "wear_stand": wear_stand, "soc_start": soc_start}
# Key path of the next scenario -> the same.
ROWS: dict[str, Row] = {
    "connection": connection,
    "product": products,
    "tariff.energy": used_bill.energy_rows,
    "tariff.demand": used_bill.demand_rows,
    "tariff.billed_so_far": used_bill.billed_so_far,
    "tariff.credit_so_far": used_bill.credit_so_far,
}
