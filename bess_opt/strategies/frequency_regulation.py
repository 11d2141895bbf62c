"""Frequency regulation: sell up- and downward capacity beside energy, with the head-room that it asks for.

A base point b = d − c and capacities r_up <= P − b, r_dn <= P + b; a call charges less, then discharges more, and
may cross zero. Of each, the share α is called on average over a step: the options `activation_up` and
`activation_down`, or, with a series `regulation_signal`, its positive and negative part. Charge and discharge of
the schedule are the mean over these calls, so energy, wear, billed peaks and cycles count what is activated.

Optimal twin: max Σ ledger, of which regulation Σ h·(p_up·r_up + p_dn·r_dn). At both ends of each step the store
holds the energy of a call of `headroom_h` hours; rated power, inverter, connection and permissions hold when
called in full. Rule 10 binds the base point and both called states. Pay per MW and hour follows PJM: score ·
(capability price + mileage ratio · performance price), half of the performance pay on each direction, so that a
symmetric MW earns it once; the capability price of a symmetric product belongs into one of the two price
columns. Score: net revenue.

Rule twin: a symmetric capacity, set when a block begins from the stored energy then: what a block of calls, all
of one sign, leaves inside the head-room (without a signal: of the expected calls). The base point brings the
stored energy back to the middle of the window within an hour, in the last 24 hours to `soc_end`. It does not know
the signal of a step before that step; the optimum, as with prices, knows it all. For blocks longer than a step it
counts on the least and most of load and PV as ratings of the site; where PV alone can fill the connection or the
shared inverter it holds nothing then.

Beside the score: mean capacity held, and with a series `regulation_signal` the share of what was called that
was delivered. `replay_signal` measures a plan made on expectation against a signal of any step.

Use it where capacity is paid per MW. When not to use: for reserves that must last for hours, unless
`headroom_h` says so; a signal that is far from neutral in energy needs its own `activation_up` and
`activation_down`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

import numpy as np
import pandas as pd
from pydantic import Field

from bess_opt import clock, money
from bess_opt.audit import Violation, exceeds
from bess_opt.dispatch import Dispatch
from bess_opt.errors import ScenarioError, StrategyError
from bess_opt.findings import Finding
from bess_opt.metrics import net_revenue
from bess_opt.models.ledger import money_terms
from bess_opt.models.regulation import add_regulation, pressed
from bess_opt.plant import Array, Plant, Reserves, Storage
from bess_opt.plant import plant as plant_of
from bess_opt.rule_parts import LAST_H, drawing
from bess_opt.stepper import Held, Rule, State, transition
from bess_opt.strategy import Objective, Strategy
from bess_opt.tables import Flag, Number, Table, quantity

NAME = "frequency_regulation"
RECENTRE_H = 1.0  # hours in which the rule would bring the stored energy back to the middle
BASE_SHARE = 0.5  # of the power, most that the rule keeps for its base point
NO_CAPACITY = 1e-9  # of rated power: less than this is not held


class FrequencyRegulationOptions(Table):
    """Options of `frequency_regulation`."""

    activation_up: Annotated[
        Number, quantity("share of the upward capacity that is called on average", "1", ge=0, le=1)
    ] = 0.1
    activation_down: Annotated[
        Number, quantity("share of the downward capacity that is called on average", "1", ge=0, le=1)
    ] = 0.1
    headroom_h: Annotated[
        Number,
        quantity(
            "hours for which a full call can be served at any time; the default suits signals that are neutral "
            "in energy over a quarter of an hour, other products state more",
            "h",
            ge=0,
        ),
    ] = 0.25
    symmetric: Annotated[Flag, Field(description="the same capacity up and down, as one product")] = False
    block_h: Annotated[
        Number | None,
        quantity("hours from local midnight on in which the capacity is constant; default: one step", "h", gt=0),
    ] = None
    max_capacity_mw: Annotated[
        Number | None, quantity("most capacity per direction; default: what the battery can hold", "MW", ge=0)
    ] = None
    performance_score: Annotated[Number, quantity("share of the pay that performance earns", "1", ge=0, le=1)] = 1.0
    mileage_ratio: Annotated[Number, quantity("movement of the signal beside the reference signal's", "1", ge=0)] = (
        1.0
    )
    performance_price_per_mw: Annotated[Number, quantity("price of performance", "currency/MW/h")] = 0.0


def restrict(plant: Plant, options: FrequencyRegulationOptions) -> Plant:
    """The plant with the regulation that it may sell.

    Raises `StrategyError` for shares called that are more than the whole, and for blocks that fit no step.
    """
    if options.activation_up + options.activation_down > 1.0:
        found = f"found {options.activation_up:g}, with activation_down {options.activation_down:g}"
        raise StrategyError(f"strategy.activation_up: {found}; give at most 1 together")
    ones = np.ones(plant.steps)
    signal = plant.extra.get("regulation_signal")
    called = options.activation_up * ones, options.activation_down * ones
    if signal is not None:
        called = np.maximum(signal, 0.0), np.maximum(-signal, 0.0)
    half = options.performance_price_per_mw / 2.0
    up_price, down_price = (
        money.pjm_credit(1.0, options.performance_score, plant.extra[name], options.mileage_ratio, half)
        for name in ("regulation_up_price_per_mw", "regulation_down_price_per_mw")
    )
    reserves = Reserves(
        up_price=up_price,
        down_price=down_price,
        activation_up=called[0],
        activation_down=called[1],
        headroom_h=options.headroom_h,
        max_mw=np.inf if options.max_capacity_mw is None else options.max_capacity_mw,
        symmetric=options.symmetric,
        block_starts=_block_starts(plant, options.block_h),
    )
    return replace(plant, reserves=reserves)


def _block_starts(plant: Plant, block_h: float | None) -> Array:
    """Steps at which a block begins: blocks are counted from local midnight, by the clock."""
    if block_h is None:
        return np.ones(plant.steps, dtype=bool)
    in_steps, in_days = block_h / plant.step_h, 24.0 / block_h
    if abs(in_steps - round(in_steps)) > 1e-6 or abs(in_days - round(in_days)) > 1e-6:
        raise StrategyError(
            f"strategy.block_h: found {block_h:g}, with steps of {plant.step_h:g} h; "
            "give a whole number of steps of which a whole number makes a day"
        )
    hour = (plant.index.hour + plant.index.minute / 60.0 + plant.index.second / 3600.0).to_numpy()
    block = plant.day * round(in_days) + np.floor(hour / block_h + 1e-9).astype(int)
    return np.append(True, np.diff(block) != 0)


def build(m: Any, plant: Plant, _options: FrequencyRegulationOptions) -> Sequence[Objective]:
    """max Σ ledger, of which regulation pay."""
    add_regulation(m, plant)
    return [money_terms(m)]


# ------------------------------------------------------------------------------------- what a held MW means


def reserves_of(plant: Plant) -> Reserves:
    """The regulation of a plant that `restrict` has seen."""
    if plant.reserves is None:
        raise ValueError("this plant sells no regulation")
    return plant.reserves


def base_mw(schedule: pd.DataFrame, plant: Plant) -> Array:
    """Base point of each step, + discharges: the battery's mean power without what was called."""
    reserves, (up, down) = reserves_of(plant), _capacities(schedule)
    called = reserves.activation_up * up - reserves.activation_down * down
    base: Array = schedule["battery_mw"].to_numpy() - called
    return base


def _capacities(schedule: pd.DataFrame) -> tuple[Array, Array]:
    return schedule["regulation_up_mw"].to_numpy(), schedule["regulation_down_mw"].to_numpy()


def _parts(base: Array, up: Array, down: Array) -> tuple[Array, Array, Array, Array]:
    """(charging less, discharging more) of a call up, (discharging less, charging more) of a call down."""
    less, below = np.minimum(up, np.maximum(-base, 0.0)), np.minimum(down, np.maximum(base, 0.0))
    return less, up - less, below, down - below


# ------------------------------------------------------------------------------------------------- rule twin


class HoldCapacity:
    """The rule: capacity from what is stored when a block begins, base point towards the middle.

    Called with the state of a step it gives the mean battery power, and notes in `held` what it holds.
    """

    def __init__(self, plant: Plant, options: FrequencyRegulationOptions) -> None:
        storage, reserves = plant.storage, reserves_of(plant)
        self.held = Held.nothing(plant.steps)
        self._drawn = drawing(plant)
        self._called_up, self._called_down = reserves.activation_up.tolist(), reserves.activation_down.tolist()
        up, down = options.activation_up, options.activation_down
        gain = down * storage.eta_charge - up / storage.eta_discharge  # cells per MW held, on average
        self._shift = plant.step_h * gain
        known = "regulation_signal" not in plant.extra
        most, h = (max(up, down) if known else 1.0), plant.step_h
        self._step_h, self._headroom_h, self._most_called = h, reserves.headroom_h, most
        self._pace = min(h / RECENTRE_H, 1.0)
        self._eta_in, self._eta_out, self._kept = storage.eta_charge, storage.eta_discharge, storage.retention
        self._goal = _goal(plant).tolist()
        self._least_mw = NO_CAPACITY * plant.power_mw
        per_h = np.inf if storage.cycles_per_day is None else storage.cycles_per_day * storage.energy_mwh / 25.0
        self._warranty, self._counts = per_h * storage.eta_discharge, (up if known else 1.0)
        most_mw = min(reserves.max_mw, self._warranty / max(self._counts, 1e-9))
        drift_h = h * abs(gain) / storage.eta_charge
        self._block = _Blocks(plant, reserves, most_mw, lambda steps: self._ready_h(steps) + drift_h)
        self._capacity = 0.0
        self.wish, self._stacked, self._first = 0.0, False, True

    def beside_others(self, *, first: bool) -> None:
        """See `Committing`: with others, base point and capacity leave each other room in list order."""
        self._stacked, self._first = True, first

    def __call__(self, state: State) -> float:
        """Mean battery power of the step, + discharges."""
        t, block = state.step, self._block
        missing = self._pace * (self._goal[t + 1] - self._kept * state.energy_mwh)
        if block.starts[t]:
            self._capacity = self._offer(t, state.energy_mwh, missing)
        r = self._capacity
        base = self._base(missing, r)
        if self._stacked:
            base = self._with_wish(base)
        if r == 0.0:
            return min(base, self._warranty)
        lowest, highest = block.now_low[t] + r, block.now_high[t] - r
        base = max(base, lowest)
        if base > highest:
            base = highest
        if self._stacked:
            base = self._kept_ready(t, state.energy_mwh, base, r)
        if base > 0.0:
            base = min(base, max(self._warranty - self._counts * r, 0.0))
        return self._hold(t, base, r)

    def _with_wish(self, base: float) -> float:
        """Recentring and what the others ask for: the earlier stands, the later may add to it."""
        first, second = (base, self.wish) if self._first else (self.wish, base)
        if first > 0.0:
            return max(first, second)
        return min(first, second) if first < 0.0 else second

    def _kept_ready(self, t: int, energy: float, base: float, r: float) -> float:
        """`base` held where the energy for the calls to come in the block stays in store, and the room for them."""
        h, block = self._step_h, self._block
        called = r * self._ready_h(block.left[t]) / h
        give = (self._kept * energy - block.floor[t]) * self._eta_out / h - called
        take = (block.ceiling[t] - self._kept * energy) / (self._eta_in * h) - called
        return float(min(max(base, -take), give))

    def _ready_h(self, steps: Any) -> Any:
        """Hours of full call for which energy must be there while `steps` of a block are to come; as `steps`."""
        return self._headroom_h + self._step_h * steps * self._most_called

    def _base(self, missing_mwh: float, r: float) -> float:
        """Power that brings `missing_mwh` into the cells in a step on top of what the expected calls do."""
        return self._drawn(self._shift * r - missing_mwh)

    def _offer(self, t: int, energy: float, missing: float) -> float:
        """Capacity that a block beginning at `t` can hold whatever is called."""
        block, low, high = self._block, self._block.low[t], self._block.high[t]
        above = (energy if energy < block.goal_low[t] else block.goal_low[t]) - block.floor[t]
        below = block.ceiling[t] - (energy if energy > block.goal_high[t] else block.goal_high[t])
        give, take = above * self._eta_out, below / self._eta_in
        wish = 0.0 if self._first else self.wish
        if wish > 0.0:
            give -= wish * block.length[t] * self._step_h
        elif wish < 0.0:
            take += wish * block.length[t] * self._step_h
        most = (give if give < take else take) / block.ready_h[t]
        if most > block.most_mw[t]:
            most = block.most_mw[t]
        if most <= self._least_mw:
            return 0.0
        base = min(max(self._base(missing, most), BASE_SHARE * low), BASE_SHARE * high)
        if wish:
            base = min(max(wish, low), high)
        r: float = min(most, high - base, base - low)
        return r if r > self._least_mw else 0.0

    def _hold(self, t: int, base: float, r: float) -> float:
        """Note the capacity of a step; the mean power over its calls."""
        up, down, held = self._called_up[t], self._called_down[t], self.held
        if base >= 0.0:  # a call down discharges less, then charges
            less = base if base < r else r
            charge, discharge = down * (r - less), base + up * r - down * less
        else:
            less = -base if -base < r else r
            charge, discharge = -base - up * less + down * r, up * (r - less)
        held.up_mw[t] = held.down_mw[t] = r
        held.swing_mw[t] = charge if charge < discharge else discharge
        mean: float = discharge - charge
        return mean


class _Blocks:
    """What the rule knows of each step's block, as lists over the steps."""

    def __init__(self, plant: Plant, reserves: Reserves, most_mw: float, ready_h: Callable[[Array], Array]) -> None:
        storage, first = plant.storage, np.flatnonzero(reserves.block_starts)
        number = np.cumsum(reserves.block_starts) - 1
        length = np.diff(np.append(first, plant.steps))
        low, high = called_room(plant, plant.solar_ac_mw, plant.solar_dc_mw, plant.load_mw)
        low, high = np.maximum(low, -storage.charge_max_mw), np.minimum(high, storage.discharge_max_mw)
        high = np.where(pressed(plant), -np.inf, high)
        self.now_low, self.now_high = low.tolist(), high.tolist()
        long = length[number] > 1  # what load and PV will be is not known: the worst that the site can show
        self.low, self.high = np.where(long, low.max(), low).tolist(), np.where(long, high.min(), high).tolist()
        cap = np.minimum(np.minimum(self.high, -np.array(self.low)), most_mw)
        self.most_mw, self.ready_h = cap.tolist(), np.maximum(ready_h(length[number]), 1e-9).tolist()
        leak = (1.0 - storage.retention) * float(storage.ceiling_mwh.max())
        goal = _goal(plant)

        def over(values: Array, worst: np.ufunc) -> Array:
            both = worst(values[:-1], values[1:])
            result: Array = worst.reduceat(both, first)[number]
            return result

        self.floor = (over(storage.floor_mwh, np.maximum) + leak * length[number]).tolist()
        self.ceiling = over(storage.ceiling_mwh, np.minimum).tolist()
        self.goal_low, self.goal_high = over(goal, np.minimum).tolist(), over(goal, np.maximum).tolist()
        self.starts, self.length = reserves.block_starts.tolist(), length[number].tolist()
        self.left = (np.append(first, plant.steps)[number + 1] - np.arange(plant.steps)).tolist()


def _goal(plant: Plant) -> Array:
    """Stored energy that the rule comes back to: the middle, in the last hours what `soc_end` asks for."""
    storage = plant.storage
    goal = (storage.floor_mwh + storage.ceiling_mwh) / 2.0
    last = max(plant.steps - round(LAST_H / plant.step_h), 0)
    goal[last:] = np.clip(goal[last:], storage.end_min_mwh, storage.end_max_mwh)
    inside: Array = np.clip(goal, storage.floor_mwh, storage.ceiling_mwh)
    return inside


def called_room(plant: Plant, solar_ac: Array, solar_dc: Array, load: Array) -> tuple[Array, Array]:
    """(lowest, highest) battery power in a called state with this PV and load, on the safe side; + discharges.

    As in the model: exact, save where a call up leaves the inverter importing into a full connection.
    """
    bus = plant.bus
    slopes = (1.0,) if bus is None else (bus.eta_out, 1.0 / bus.eta_in)
    highest = (plant.export_max_mw + load - solar_ac) / slopes[0] - solar_dc
    lowest = np.maximum.reduce([(load - plant.import_max_mw - solar_ac) / s for s in slopes]) - solar_dc
    if not plant.battery_export:
        highest = np.minimum(highest, load / slopes[0])
    if not plant.grid_charging:
        lowest = np.maximum(lowest, np.maximum.reduce([-solar_ac / s for s in slopes]) - solar_dc)
    if bus is not None:
        highest = np.minimum(highest, bus.inverter_mw / bus.eta_out - solar_dc)
        lowest = np.maximum(lowest, -bus.inverter_mw * bus.eta_in - solar_dc)
    return lowest, highest


def rule(plant: Plant, options: FrequencyRegulationOptions) -> Rule:
    """Hold what the store allows, and recentre it."""
    return HoldCapacity(plant, options)


# ---------------------------------------------------------------------------------------- replay of a signal


@dataclass(frozen=True)
class SignalReplay:
    """A plan against a regulation signal. `delivered_share` = 1 − missed / called, at least 0; None without calls.

    `called_mwh` is Σ|capacity · signal|, `missed_mwh` Σ|requested − delivered|, both at the battery's port.
    `schedule` has a row per value of the signal: requested_mw, delivered_mw, energy_mwh (end), limited_by.
    """

    delivered_share: float | None
    called_mwh: float
    missed_mwh: float
    schedule: pd.DataFrame


def replay_signal(plan: Dispatch, signal: pd.Series) -> SignalReplay:
    """Run the battery of `plan` through `signal` (−1 to 1, + discharges) at the signal's own equal steps.

    Requested is base point + capacity · signal of the plan's step; the base point does not react. Power and SOC
    window of the battery limit what is delivered; PV, load and connection are as planned. The signal's index is
    tz-aware and inside the plan's horizon. ScenarioError for a signal that is not, StrategyError for a plan of
    another strategy.
    """
    entries = {entry.name: entry for entry in plan.scenario.strategies}
    if NAME not in entries:
        found = ", ".join(map(repr, entries))
        raise StrategyError(f"strategy.name: found {found}; only a plan of {NAME!r} holds regulation")
    entry = entries[NAME]
    plant = restrict(plant_of(plan.scenario), FrequencyRegulationOptions(**dict(entry.options)))
    at = _plan_steps(plant, signal)
    step_h = clock.step_hours(pd.DatetimeIndex(signal.index))
    return _replayed(plan.schedule, plant, signal.to_numpy(dtype=float), at, step_h, signal.index)


def _plan_steps(plant: Plant, signal: pd.Series) -> Array:
    """The plan's step of each value of `signal`, if it is a signal for that plan."""
    index, expected = signal.index, "give numbers from -1 to 1 at equal steps, tz-aware, inside the plan's horizon"
    if not isinstance(index, pd.DatetimeIndex) or index.tz is None or len(index) < 2:
        found = "has no tz-aware time stamps"
    elif len(np.unique(np.diff(index.as_unit("ns").asi8))) > 1:
        found = "has unequal steps"
    elif not (np.abs(signal.to_numpy(dtype=float)) <= 1.0).all():
        found = "has values that are no share of the capacity"
    else:
        offset_h = (index - plant.index[0]) / pd.Timedelta(hours=1)
        at = np.floor(offset_h.to_numpy() / plant.step_h + 1e-9).astype(int)
        if 0 <= at[0] <= at[-1] < plant.steps:
            return at
        found = f"runs from {index[0]} to {index[-1]}, the plan from {plant.index[0]} for {plant.horizon_h:g} h"
    raise ScenarioError([Finding("wrong_signal", "signal", found, expected)])


def _replayed(
    schedule: pd.DataFrame, plant: Plant, signal: Array, at: Array, step_h: float, index: pd.Index
) -> SignalReplay:
    storage: Storage = replace(plant.storage, retention=plant.storage.retention ** (step_h / plant.step_h))
    up, down = _capacities(schedule)
    called = up[at] * np.maximum(signal, 0.0) - down[at] * np.maximum(-signal, 0.0)
    requested = base_mw(schedule, plant)[at] + called
    first = int(at[0])
    energy = storage.start_mwh if first == 0 else float(schedule["energy_mwh"].iloc[first - 1])
    rows = []
    floor, ceiling = storage.floor_mwh[1:].tolist(), storage.ceiling_mwh[1:].tolist()
    for t, power in zip(at.tolist(), requested.tolist(), strict=True):
        given, energy, by = transition(storage, energy, power, floor[t], ceiling[t], step_h)
        rows.append((power, given, energy, by))
    table = pd.DataFrame(rows, index=index, columns=["requested_mw", "delivered_mw", "energy_mwh", "limited_by"])
    missed = float((table["requested_mw"] - table["delivered_mw"]).abs().sum()) * step_h
    asked = float(np.abs(called).sum()) * step_h
    share = max(0.0, 1.0 - missed / asked) if asked > 0.0 else None
    return SignalReplay(share, asked, missed, table)


# ---------------------------------------------------------------------------------- score, figures and laws


def score(schedule: pd.DataFrame, plant: Plant, _options: FrequencyRegulationOptions) -> float:
    """Net revenue over the horizon, regulation pay included."""
    return net_revenue(schedule, plant)


def figures(schedule: pd.DataFrame, plant: Plant, _options: FrequencyRegulationOptions) -> dict[str, float]:
    """Mean capacity held; with a signal in the series, the share of what was called that was delivered."""
    up, down = _capacities(schedule)
    found = {"held_up_mw": float(up.mean()), "held_down_mw": float(down.mean())}
    signal = plant.extra.get("regulation_signal")
    if signal is not None:
        at = np.arange(plant.steps)
        share = _replayed(schedule, plant, signal, at, plant.step_h, plant.index).delivered_share
        found |= {} if share is None else {"delivered_share": share}
    return found


def checks(schedule: pd.DataFrame, plant: Plant, options: FrequencyRegulationOptions) -> list[Violation]:
    """What is held could be called in full, and the flows are the mean over the expected calls."""
    storage, reserves = plant.storage, reserves_of(plant)
    up, down = _capacities(schedule)
    base = base_mw(schedule, plant)
    less, more, below, above = _parts(base, up, down)
    charge = np.maximum(-base, 0.0) - reserves.activation_up * less + reserves.activation_down * above
    discharge = np.maximum(base, 0.0) + reserves.activation_up * more - reserves.activation_down * below
    off = np.maximum(abs(schedule["charge_mw"] - charge), abs(schedule["discharge_mw"] - discharge)).to_numpy()
    free = ~reserves.block_starts[1:]
    moved = np.append(0.0, np.maximum(abs(np.diff(up)), abs(np.diff(down))) * free)
    excess = {
        "charge and discharge are the mean over the calls": off,
        "rated power when called": np.maximum(
            base + up - storage.discharge_max_mw, down - base - storage.charge_max_mw
        ),
        "capacity held": np.maximum(-np.minimum(up, down), np.maximum(up, down) - reserves.max_mw),
        "symmetric capacity": abs(up - down) * options.symmetric,
        "constant capacity within a block": moved,
    }
    energy = np.append(storage.start_mwh, schedule["energy_mwh"].to_numpy())
    drawn = reserves.headroom_h * (storage.eta_charge * less + more / storage.eta_discharge)
    taken = reserves.headroom_h * (storage.eta_charge * above + below / storage.eta_discharge)
    room_up, room_down = energy - storage.floor_mwh, storage.ceiling_mwh - energy
    short = np.maximum(
        drawn - np.minimum(room_up[:-1], room_up[1:]), taken - np.minimum(room_down[:-1], room_down[1:])
    )
    held = np.maximum(up, down) > NO_CAPACITY * plant.power_mw
    return [
        *(v for law, off in excess.items() for v in exceeds(law, np.asarray(off), plant, plant.scale_mw)),
        *exceeds("head-room of the capacity", np.where(held, short, 0.0), plant, storage.energy_mwh, "MWh"),
        *exceeds("the site when called", np.where(held, _beyond_site(schedule, plant), 0.0), plant, plant.scale_mw),
    ]


def _beyond_site(schedule: pd.DataFrame, plant: Plant) -> Array:
    """MW by which a full call goes beyond connection, permissions or inverter, PV and load as planned."""
    up, down = _capacities(schedule)
    base = base_mw(schedule, plant)
    curtailed_dc, solar_dc = schedule["curtailed_dc_mw"].to_numpy(), schedule["solar_dc_mw"].to_numpy()
    solar_ac = schedule["solar_mw"].to_numpy() - solar_dc - (schedule["curtailed_mw"].to_numpy() - curtailed_dc)
    served = (schedule["load_mw"] - schedule["unserved_mw"]).to_numpy()
    bus, used = plant.bus, solar_dc - curtailed_dc
    beyond = [np.zeros(plant.steps)]
    gives, takes = base + up + used, base - down + used
    if bus is not None:
        gives, takes = (np.where(x > 0.0, x * bus.eta_out, x / bus.eta_in) for x in (gives, takes))
        beyond += [np.abs(gives) - bus.inverter_mw, np.abs(takes) - bus.inverter_mw]
    out, into = solar_ac + gives - served, served - solar_ac - takes
    beyond += [out - plant.export_max_mw, into - plant.import_max_mw]
    if not plant.battery_export:
        from_pv = solar_ac + (bus.eta_out if bus else 1.0) * used
        beyond.append(np.minimum(out, out - from_pv))
    if not plant.grid_charging:
        beyond.append(into - served)
    result: Array = np.maximum.reduce(beyond)
    return result


STRATEGY = Strategy(
    name=NAME,
    summary="sell regulation capacity beside energy, with the head-room that it asks for",
    options=FrequencyRegulationOptions,
    needs=("prices", "regulation"),
    score_unit="currency",
    score_sense="max",
    build=build,
    rule=rule,
    restrict=restrict,
    score=score,
    checks=checks,
    figures=figures,
)
