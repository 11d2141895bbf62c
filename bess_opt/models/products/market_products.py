"""Market products in the model: bids that are constant in blocks, as the market takes them, and their pay.

A bid is MW at the AC bus, split over the batteries. What a call of it asks is in `calls`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyomo.core as pyo

from bess_opt.models.assets import add_own, asset
from bess_opt.models.components import ArrayConstraint, ArrayParam, ArrayVar, Constant, Rule
from bess_opt.models.ledger import add_term
from bess_opt.models.meaning import Limit, Meaning
from bess_opt.models.products.activation import add_activation
from bess_opt.models.products.calls import add_headroom, add_power, add_site_limits
from bess_opt.models.units import MW, PER_MWH, PER_UNIT
from bess_opt.plant import money
from bess_opt.plant.plant import Plant
from bess_opt.plant.products.offers import Offer

BID = Meaning("product", kind="flow", limit=Limit("product maximum"), tie="capacity")
PART = Meaning(kind="flow")
BLOCK = Meaning("product", kind="limit", stated_at="product", words="bids that are constant within a block")
CHOICE, ON = replace(BLOCK, words="bids that the market takes"), Meaning("whole bids", kind="choice")


def add_products(m: Any, plant: Plant) -> None:
    """Add bids, their split over the batteries, head-room, site limits when called, and pay."""
    m.calls_split = len(plant.batteries) > 1
    for offer in plant.offers:
        _add_bids(m, plant, offer)
    _add_alike(m, plant)
    _add_groups(m, plant)
    add_activation(m, plant)
    for battery in plant.batteries:
        add_power(m, plant, battery)
        add_headroom(m, plant, battery)
    add_site_limits(m, plant)


def _add_bids(m: Any, plant: Plant, offer: Offer) -> None:
    first = np.where(offer.block == offer.block[0], offer.held_mw, np.nan)
    lower = np.where(np.isnan(first), 0.0, first)
    upper = np.where(np.isnan(first), offer.most_mw, first)
    name = offer.component
    held = replace(BID, flow=f"{name}_mw")
    bid = ArrayVar(m.steps, lower=lower, upper=upper, units=MW, doc=f"capacity of {name} held", meaning=held)
    setattr(m, f"{name}_mw", bid)
    inside = offer.inside_block
    if len(inside):
        index = pyo.Set(initialize=inside.tolist(), dimen=1)
        setattr(m, f"{name}_inside_blocks", index)
        setattr(m, f"{name}_constant", ArrayConstraint(index, rule=constant_in_block(name), meaning=BLOCK))
    if m.calls_split:
        for battery in plant.batteries:
            part = ArrayVar(
                m.steps,
                upper=offer.most_mw,
                units=MW,
                doc=f"part of {name} that a battery holds",
                meaning=replace(PART, flow=f"{name}_mw"),
            )
            setattr(asset(m, battery), f"{name}_mw", part)
        prefixes = tuple(battery.prefix for battery in plant.batteries)
        setattr(m, f"{name}_split", ArrayConstraint(m.steps, rule=split(name, prefixes), meaning=BLOCK))
    if offer.chooses:
        _add_choice(m, offer, upper)
    setattr(m, f"{name}_price", ArrayParam(m.steps, offer.price, units=PER_MWH, doc="pay per MW and hour"))
    add_term(m, offer.line, pay_of(name), m.steps, name)


def _add_choice(m: Any, offer: Offer, upper: np.ndarray) -> None:
    """Whether a block is held, and of how many steps its bid is."""
    name, starts = offer.component, offer.block_starts
    blocks = pyo.RangeSet(0, len(starts) - 1)
    setattr(m, f"{name}_blocks", blocks)
    setattr(m, f"{name}_block_starts", starts)
    most = upper[starts]
    if offer.on_or_off:
        reachable = np.where(most >= offer.least_mw - 1e-9, 1.0, 0.0)
        on = ArrayVar(
            blocks, upper=reachable, binary=True, units=PER_UNIT, doc=f"1: {name} is held in the block", meaning=ON
        )
        setattr(m, f"{name}_on", on)
        setattr(m, f"{name}_most_mw", ArrayParam(blocks, most, units=MW, doc="most bid"))
        setattr(m, f"{name}_least_mw", Constant(offer.least_mw, MW))
        setattr(m, f"{name}_if_on", ArrayConstraint(blocks, rule=no_more_than_on(name), meaning=CHOICE))
        setattr(m, f"{name}_least", ArrayConstraint(blocks, rule=least_if_on(name), meaning=CHOICE))
    if offer.step_mw is not None:
        whole = np.floor(most / offer.step_mw + 1e-9)
        count = ArrayVar(
            blocks, upper=whole, integer=True, units=PER_UNIT, doc=f"steps of the bid of {name}", meaning=ON
        )
        setattr(m, f"{name}_count", count)
        setattr(m, f"{name}_step_mw", Constant(offer.step_mw, MW))
        setattr(m, f"{name}_whole_steps", ArrayConstraint(blocks, rule=whole_steps(name), meaning=CHOICE))


def _add_alike(m: Any, plant: Plant) -> None:
    """Tie the bids of products that are one in two directions, battery by battery."""
    component = {offer.name: offer.component for offer in plant.offers}
    for offer in plant.offers:
        if offer.alike is None:
            continue
        for battery in plant.batteries:
            own, other = (f"{battery.prefix}{name}_mw" for name in (offer.component, component[offer.alike]))
            rule = as_other(own, other)
            name = f"{battery.prefix}{offer.component}_alike"
            add_own(m, battery.prefix, name, ArrayConstraint(m.steps, rule=rule, meaning=BLOCK))


def _add_groups(m: Any, plant: Plant) -> None:
    groups: dict[str, list[Offer]] = {}
    for offer in plant.offers:
        if offer.group is not None:
            groups.setdefault(offer.group, []).append(offer)
    for number, offers in enumerate(groups.values()):
        if len(offers) > 1:
            starts = np.unique(np.concatenate([offer.block_starts for offer in offers]))
            index = pyo.Set(initialize=starts.tolist(), dimen=1)
            setattr(m, f"call_group_{number}_starts", index)
            rule = one_of(tuple((offer.component, offer.block) for offer in offers))
            setattr(m, f"call_group_{number}", ArrayConstraint(index, rule=rule, meaning=CHOICE))


def constant_in_block(name: str) -> Rule:
    """The rule that a bid is that of the step before within a block."""

    def rule(m: Any, t: Any) -> Any:
        """bid[t] = bid[t−1] within a block."""
        return getattr(m, f"{name}_mw")[t] == getattr(m, f"{name}_mw")[t - 1]

    return rule


def as_other(own: str, other: str) -> Rule:
    """The rule that two bids are the same."""

    def rule(m: Any, t: Any) -> Any:
        """bid[t] = bid of the other direction[t]."""
        return getattr(m, own)[t] == getattr(m, other)[t]

    return rule


def split(name: str, prefixes: tuple[str, ...]) -> Rule:
    """The rule that the batteries' parts are the bid."""

    def rule(m: Any, t: Any) -> Any:
        """Σ part[t] = bid[t] over batteries."""
        return sum(getattr(m, f"{prefix}{name}_mw")[t] for prefix in prefixes) == getattr(m, f"{name}_mw")[t]

    return rule


def no_more_than_on(name: str) -> Rule:
    """The rule that nothing is held in a block that is not."""

    def rule(m: Any, k: Any) -> Any:
        """bid[block k] <= most[k]·on[k]."""
        start = getattr(m, f"{name}_block_starts")[k]
        return getattr(m, f"{name}_mw")[start] <= getattr(m, f"{name}_most_mw")[k] * getattr(m, f"{name}_on")[k]

    return rule


def least_if_on(name: str) -> Rule:
    """The rule that a bid is at least the least one."""

    def rule(m: Any, k: Any) -> Any:
        """bid[block k] >= least·on[k]."""
        start = getattr(m, f"{name}_block_starts")[k]
        return getattr(m, f"{name}_mw")[start] >= getattr(m, f"{name}_least_mw") * getattr(m, f"{name}_on")[k]

    return rule


def whole_steps(name: str) -> Rule:
    """The rule that a bid is a whole number of steps."""

    def rule(m: Any, k: Any) -> Any:
        """bid[block k] = step·n[k]."""
        start = getattr(m, f"{name}_block_starts")[k]
        return getattr(m, f"{name}_mw")[start] == getattr(m, f"{name}_step_mw") * getattr(m, f"{name}_count")[k]

    return rule


def one_of(members: tuple[tuple[str, Any], ...]) -> Rule:
    """The rule that of the products of a group one has a bid."""

    def rule(m: Any, t: Any) -> Any:
        """Σ on[block of t] <= 1 over the group."""
        return sum(getattr(m, f"{name}_on")[block[t]] for name, block in members) <= 1.0

    return rule


def pay_of(name: str) -> Rule:
    """The rule for the pay of a product."""

    def rule(m: Any, t: Any) -> Any:
        """h·price·bid."""
        return money.capacity_revenue(getattr(m, f"{name}_mw")[t], getattr(m, f"{name}_price")[t], m.step_h)

    return rule
