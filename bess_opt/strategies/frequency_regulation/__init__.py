"""Frequency regulation: sell up- and downward capacity beside energy, with the head-room that it asks for.

A base point b = d − c and capacities r_up <= P − b, r_dn <= P + b; a call charges less, then discharges more, and
may cross zero. Of each, the share α is called on average over a step: the options `activation_up` and
`activation_down`, or, with a series `regulation_signal`, its positive and negative part. Charge and discharge of
the schedule are the mean over these calls, so energy, wear, billed peaks and cycles count what is activated.

Optimal twin: max Σ ledger, of which regulation Σ h·(p_up·r_up + p_dn·r_dn). At both ends of each step the store
holds the energy of a call of `headroom_h` hours; rated power, inverter, connection and permissions hold when
called in full. The one-way rule binds the base point and both called states. Pay per MW and hour follows PJM: score ·
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

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import pandas as pd
from pydantic import Field

from bess_opt.common import clock
from bess_opt.common.arrays import Array
from bess_opt.common.columns import PRODUCTS
from bess_opt.common.errors import StrategyError
from bess_opt.common.input_table import Flag, Number, Table, quantity
from bess_opt.models.ledger import money_terms
from bess_opt.models.products.regulation import add_regulation
from bess_opt.plant import money
from bess_opt.plant.audit import Violation, exceeds
from bess_opt.plant.from_scenario import plant_of
from bess_opt.plant.ledger import net_revenue
from bess_opt.plant.plant import Plant
from bess_opt.plant.products.reserves import Product, Reserves
from bess_opt.plant.rule import Rule
from bess_opt.strategies.frequency_regulation.calls import (
    NO_CAPACITY,
    PRODUCTS_SOLD,
    SignalReplay,
    base_mw,
    beyond_site,
    capacities,
    parts_of,
    plan_steps,
    replayed,
    reserves_of,
)
from bess_opt.strategies.frequency_regulation.hold_capacity import HoldCapacity
from bess_opt.strategies.shared.contract import Objective, Strategy

if TYPE_CHECKING:
    from bess_opt.dispatch.result import Dispatch

NAME = "frequency_regulation"


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
            le=8_784,
        ),
    ] = 0.25
    symmetric: Annotated[Flag, Field(description="the same capacity up and down, as one product")] = False
    block_h: Annotated[
        Number | None,
        quantity(
            "hours from local midnight on in which the capacity is constant; default: one step", "h", gt=0, le=24
        ),
    ] = None
    max_capacity_mw: Annotated[
        Number | None, quantity("most capacity per direction; default: what the battery can hold", "MW", ge=0)
    ] = None
    performance_score: Annotated[Number, quantity("share of the pay that performance earns", "1", ge=0, le=1)] = 1.0
    mileage_ratio: Annotated[
        Number, quantity("movement of the signal beside the reference signal's", "1", ge=0, le=1e6)
    ] = 1.0
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
        for name in (PRODUCTS[product].price_column for product in PRODUCTS_SOLD)
    )
    up = Product(
        direction="up",
        price=up_price,
        activation=called[0],
        headroom_h=options.headroom_h,
        max_mw=np.inf if options.max_capacity_mw is None else options.max_capacity_mw,
        block_starts=_block_starts(plant, options.block_h),
    )
    down = replace(up, direction="down", price=down_price, activation=called[1])
    return replace(plant, reserves=Reserves(dict(zip(PRODUCTS_SOLD, (up, down), strict=True)), options.symmetric))


def _block_starts(plant: Plant, block_h: float | None) -> Array:
    """Steps at which a block begins: blocks are counted from local midnight, by the clock."""
    if block_h is None:
        return np.ones(plant.steps, dtype=bool)
    in_steps, in_days = block_h / plant.step_h, 24.0 / max(block_h, 1e-6)
    if round(in_steps) < 1 or abs(in_steps - round(in_steps)) > 1e-6 or abs(in_days - round(in_days)) > 1e-6:
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


def rule(plant: Plant, options: FrequencyRegulationOptions) -> Rule:
    """Hold what the store allows, and recentre it."""
    return HoldCapacity(plant, options.activation_up, options.activation_down)


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
    at = plan_steps(plant, signal)
    step_h = clock.step_hours(pd.DatetimeIndex(signal.index))
    return replayed(plan.schedule, plant, signal.to_numpy(dtype=float), at, step_h, signal.index)


def score(schedule: pd.DataFrame, plant: Plant, _options: FrequencyRegulationOptions) -> float:
    """Net revenue over the horizon, regulation pay included."""
    return net_revenue(schedule, plant)


def figures(schedule: pd.DataFrame, plant: Plant, _options: FrequencyRegulationOptions) -> dict[str, float]:
    """Mean capacity held; with a signal in the series, the share of what was called that was delivered."""
    up, down = capacities(schedule)
    found = {"held_up_mw": float(up.mean()), "held_down_mw": float(down.mean())}
    signal = plant.extra.get("regulation_signal")
    if signal is not None:
        at = np.arange(plant.steps)
        share = replayed(schedule, plant, signal, at, plant.step_h, plant.index).delivered_share
        found |= {} if share is None else {"delivered_share": share}
    return found


def checks(schedule: pd.DataFrame, plant: Plant, options: FrequencyRegulationOptions) -> list[Violation]:
    """What is held could be called in full, and the flows are the mean over the expected calls."""
    storage, reserves = plant.storage, reserves_of(plant)
    up, down = capacities(schedule)
    base = base_mw(schedule, plant)
    less, more, below, above = parts_of(base, up, down)
    charge = np.maximum(-base, 0.0) - reserves.up.activation * less + reserves.down.activation * above
    discharge = np.maximum(base, 0.0) + reserves.up.activation * more - reserves.down.activation * below
    off = np.maximum(abs(schedule["charge_mw"] - charge), abs(schedule["discharge_mw"] - discharge)).to_numpy()
    free = ~reserves.up.block_starts[1:]
    moved = np.append(0.0, np.maximum(abs(np.diff(up)), abs(np.diff(down))) * free)
    excess = {
        "charge and discharge are the mean over the calls": off,
        "rated power when called": np.maximum(
            base + up - storage.discharge_limit_mw, down - base - storage.charge_limit_mw
        ),
        "capacity held": np.maximum(-np.minimum(up, down), np.maximum(up, down) - reserves.up.max_mw),
        "symmetric capacity": abs(up - down) * options.symmetric,
        "constant capacity within a block": moved,
    }
    energy = np.append(storage.start_mwh, schedule["energy_mwh"].to_numpy())
    drawn = reserves.up.headroom_h * (storage.eta_charge * less + more / storage.eta_discharge)
    taken = reserves.up.headroom_h * (storage.eta_charge * above + below / storage.eta_discharge)
    room_up, room_down = energy - storage.floor_mwh, storage.ceiling_mwh - energy
    short = np.maximum(
        drawn - np.minimum(room_up[:-1], room_up[1:]), taken - np.minimum(room_down[:-1], room_down[1:])
    )
    held = np.maximum(up, down) > NO_CAPACITY * plant.power_mw
    return [
        *(v for law, off in excess.items() for v in exceeds(law, np.asarray(off), plant)),
        *exceeds("head-room of the capacity", np.where(held, short, 0.0), plant, storage.energy_mwh, "MWh"),
        *exceeds("the site when called", np.where(held, beyond_site(schedule, plant), 0.0), plant),
    ]


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
