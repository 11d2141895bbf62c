"""Frequency regulation: sell up- and downward capacity beside energy, with the head-room that it asks for.

A case of market products: one upward, one downward, held alike where `symmetric`. A base point b = d − c and
capacities r_up <= P − b, r_dn <= P + b, MW at the AC bus; a call charges less, then discharges more, and may cross
zero. Of each, the share α is called on average over a step: the options `activation_up` and
`activation_down`, or, with a series `regulation_signal`, its positive and negative part. Charge and discharge of
the schedule are the mean over these calls, so energy, wear, billed peaks and cycles count what is activated.

Optimal twin: max Σ ledger, of which regulation Σ h·(p_up·r_up + p_dn·r_dn). At both ends of each step the store
holds the energy of a call of `headroom_h` hours; rated power, inverter, connection and permissions hold when
called in full. The one-way rule binds the base point and both called states. Pay per MW and hour follows PJM: score ·
(capability price + mileage ratio · performance price), half of the performance pay on each direction, so that a
symmetric MW earns it once; the capability price of a symmetric product belongs into one of the two price
columns. Score: net revenue.

Rule twin: a symmetric capacity, set when a block begins from the stored energy then: what a block of calls, all
of one sign, leaves inside the head-room (without a signal: of the expected calls). Several batteries hold it by
rated power, each for its own part. The base point brings the stored energy back to the middle of the window within
an hour, in the last 24 hours to `soc_end`. It does not know the signal of a step before that step; the optimum, as
with prices, knows it all. For blocks longer than a step it counts on the least and most of load and PV as ratings of
the site; where PV alone can fill the connection or the shared inverter it holds nothing then, nor where a ramp of the
connection may move its power or both buses hold batteries. Stated bids of market products are held first, where they
fit; its capacity is then what they leave.

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
from bess_opt.common.columns import REGULATION
from bess_opt.common.errors import StrategyError
from bess_opt.common.input_table import Flag, Number, Table, quantity
from bess_opt.models.ledger import money_terms
from bess_opt.plant import money
from bess_opt.plant.from_scenario import plant_of
from bess_opt.plant.ledger import net_revenue
from bess_opt.plant.plant import Plant
from bess_opt.plant.products.activation import port_factor
from bess_opt.plant.products.offers import SIGN, Direction, Offer, block_numbers, outside_blocks_of
from bess_opt.plant.rule import Committing
from bess_opt.strategies.frequency_regulation.calls import (
    PRODUCTS_SOLD,
    SignalReplay,
    offers_sold,
    plan_steps,
    replayed,
)
from bess_opt.strategies.frequency_regulation.hold_capacity import HoldCapacity
from bess_opt.strategies.shared.contract import Objective, Strategy, no_checks

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
    """The plant with the regulation that it may sell: a market product upward and one downward.

    Raises `StrategyError` for shares called that are more than the whole, those of other products included, and for
    blocks that fit no step.
    """
    if options.activation_up + options.activation_down > 1.0:
        found = f"found {options.activation_up:g}, with activation_down {options.activation_down:g}"
        raise StrategyError(f"strategy.activation_up: {found}; give at most 1 together")
    _require_blocks_fit(plant, options.block_h)
    block, others = block_numbers(plant.index, options.block_h, plant.step_h), []
    for name, direction in zip(PRODUCTS_SOLD, SIGN, strict=True):
        called = _share_called(plant, options, direction)
        price = plant.extra[REGULATION[name].price_column]
        half = options.performance_price_per_mw / 2.0
        most = np.inf if options.max_capacity_mw is None else options.max_capacity_mw
        offer = Offer(
            name=name,
            directions=(direction,),
            price=money.pjm_credit(1.0, options.performance_score, price, options.mileage_ratio, half),
            block=block,
            most_mw=outside_blocks_of(block, plant.away, np.minimum(_most_mw(plant, direction), most)),
            headroom_h=options.headroom_h,
            called={direction: called} if called.any() else {},
            line="regulation",
            alike=PRODUCTS_SOLD[0] if options.symmetric and name != PRODUCTS_SOLD[0] else None,
        )
        others.append(offer)
    beside = tuple(offer for offer in plant.offers if offer.name not in PRODUCTS_SOLD)
    _require_one_call_at_a_time(plant, (*beside, *others))
    return replace(plant, offers=(*beside, *others))


def _require_one_call_at_a_time(plant: Plant, offers: Sequence[Offer]) -> None:
    """Raise `StrategyError` where calls of regulation and of market products are more than a step holds."""
    shares = [np.zeros(plant.steps), *(share for offer in offers for share in offer.called.values())]
    total = np.sum(shares, axis=0)
    worst = int(total.argmax())
    if total[worst] > 1.0 + 1e-9:
        raise StrategyError(
            f"product: with those of regulation, calls take {total[worst]:g} of the step at "
            f"{plant.index[worst].isoformat()}; they count one after another: give at most 1 together"
        )


def _share_called(plant: Plant, options: FrequencyRegulationOptions, direction: Direction) -> Array:
    """Share of each step in which the capacity of a direction is called: of the signal, or on average."""
    signal = plant.extra.get("regulation_signal")
    if signal is None:
        share = options.activation_up if direction == "up" else options.activation_down
        return np.full(plant.steps, share)
    return np.maximum(SIGN[direction] * signal, 0.0)


def _most_mw(plant: Plant, direction: Direction) -> Array:
    """Most capacity of a direction that the batteries' power can hold, at the AC bus: from one end to the other."""
    most = np.zeros(plant.steps)
    for battery in plant.batteries:
        span = battery.charge_limit_mw + battery.discharge_limit_mw
        most = most + span / port_factor(plant, battery, direction)
    return most


def _require_blocks_fit(plant: Plant, block_h: float | None) -> None:
    """Raise `StrategyError` for blocks that are no whole number of steps, or of which none makes a day."""
    if block_h is None:
        return
    in_steps, in_days = block_h / plant.step_h, 24.0 / max(block_h, 1e-6)
    if round(in_steps) < 1 or abs(in_steps - round(in_steps)) > 1e-6 or abs(in_days - round(in_days)) > 1e-6:
        raise StrategyError(
            f"strategy.block_h: found {block_h:g}, with steps of {plant.step_h:g} h; "
            "give a whole number of steps of which a whole number makes a day"
        )


def build(m: Any, _plant: Plant, _options: FrequencyRegulationOptions) -> Sequence[Objective]:
    """max Σ ledger, of which regulation pay; its rows are those of market products."""
    return [money_terms(m)]


def rule(plant: Plant, options: FrequencyRegulationOptions) -> Committing:
    """Hold what the store allows, and recentre it."""
    return HoldCapacity(plant, options.activation_up, options.activation_down)


def replay_signal(plan: Dispatch, signal: pd.Series) -> SignalReplay:
    """Run the battery of `plan` through `signal` (−1 to 1, + discharges) at the signal's own equal steps.

    Requested is base point + capacity · signal of the plan's step, calls of market products at their mean; the base
    point does not react. Power and SOC
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
    return replayed(plan.whole_schedule, plant, signal.to_numpy(dtype=float), at, step_h, signal.index)


def score(schedule: pd.DataFrame, plant: Plant, _options: FrequencyRegulationOptions) -> float:
    """Net revenue over the horizon, regulation pay included."""
    return net_revenue(schedule, plant)


def figures(schedule: pd.DataFrame, plant: Plant, _options: FrequencyRegulationOptions) -> dict[str, float]:
    """Mean capacity held; with a signal in the series, the share of what was called that was delivered."""
    up, down = (float(schedule[offer.column].mean()) for offer in offers_sold(plant))
    found = {"held_up_mw": up, "held_down_mw": down}
    signal = plant.extra.get("regulation_signal")
    if signal is not None:
        at = np.arange(plant.steps)
        share = replayed(schedule, plant, signal, at, plant.step_h, plant.index).delivered_share
        found |= {} if share is None else {"delivered_share": share}
    return found


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
    checks=no_checks,
    figures=figures,
)
