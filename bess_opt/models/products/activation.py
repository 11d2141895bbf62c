"""Activation in the model: a battery's base point, its power in each call, and the means of both over a step.

`charge_mw`, `discharge_mw`, import, export and inverter flows are means; the base point and each call run one way. A
bid is MW at the AC bus, so that calls move the grid by the bid and a port on the DC bus by more or less.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from bess_opt.models.assets import add_own, asset, rule_of
from bess_opt.models.components import ArrayConstraint, ArrayParam, ArrayVar, Rule
from bess_opt.models.ledger import add_term
from bess_opt.models.meaning import Limit, Meaning
from bess_opt.models.units import MW, PER_MWH, PER_UNIT
from bess_opt.plant import money
from bess_opt.plant.plant import Plant, Storage
from bess_opt.plant.products.activation import port_factor
from bess_opt.plant.products.offers import (
    SIGN,
    Direction,
    Offer,
    called_states,
    is_own_call,
    of_direction,
    state_name,
)

STATE, CALL = Meaning("product", kind="gauge", tie="converter"), Meaning("product", kind="gauge")
MEAN = Meaning("product", kind="law")
POWER = Meaning("product power", kind="limit", stated_at="product", words="the power of its products' calls")
FULL = Limit(POWER.cause, stated_at=POWER.stated_at, words=POWER.words, rank=5)
SETTLED = Meaning("import or export without calls of a price of their own", kind="gauge", tie="converter")
Calls = list[tuple[Offer, Direction]]


def add_activation(m: Any, plant: Plant) -> None:
    """Add what calls do in each step. Call after the bids and their split."""
    if not plant.activated:
        return
    calls = [(offer, direction) for offer in plant.offers for direction in offer.called_directions]
    for offer, direction in calls:
        share = ArrayParam(
            m.steps, offer.called[direction], units=PER_UNIT, doc=f"share of the step called {direction}"
        )
        setattr(m, _share_name(offer, direction), share)
    m.called_bids = tuple((f"{offer.component}_mw", _share_name(offer, d), SIGN[d]) for offer, d in calls)
    for battery in plant.batteries:
        _add_states(m, plant, battery, calls)
    if plant.bus is not None:
        _add_base_inverter(m, plant, calls)
    _add_settled(m, plant)


def _share_name(offer: Offer, direction: Direction) -> str:
    return f"{offer.component}_share_{direction}"


def _add_states(m: Any, plant: Plant, battery: Storage, calls: Calls) -> None:
    """Power of a battery at its base point and in each call, and the means."""
    own = asset(m, battery)
    ends = {
        state_name(battery.prefix, offer, d): "discharge" if d == "up" else "charge"
        for offer, d in calls
        if is_own_call(of_direction(plant.offers, d), d)
    }  # the flow that takes up a battery's power, where no other call is beside this one
    for state in called_states(battery.prefix, plant.offers):
        for flow, limit in (("charge", battery.charge_limit_mw), ("discharge", battery.discharge_limit_mw)):
            meaning = STATE if flow == "charge" else CALL
            if ends.get(state) == flow:
                meaning = replace(meaning, limit=replace(FULL, most=limit))
            power = ArrayVar(m.steps, upper=limit, units=MW, doc=f"{flow} power in one state", meaning=meaning)
            add_own(m, battery.prefix, f"{state}_{flow}_mw", power)
        shared, meaning = rule_of(battery, shared_power(state)), POWER if state in ends else MEAN
        add_own(m, battery.prefix, f"{state}_shared_power", ArrayConstraint(m.steps, rule=shared, meaning=meaning))
    for offer, direction in calls:
        state, factor = state_name(battery.prefix, offer, direction), port_factor(plant, battery, direction)
        part = f"{battery.prefix}{offer.component}_mw"
        for kind, rule in (
            ("power", power_in_call(battery.prefix, state, part, SIGN[direction] * factor)),
            ("charges", charge_in_call(battery.prefix, state, direction)),
            ("discharges", discharge_in_call(battery.prefix, state, direction)),
        ):
            add_own(m, battery.prefix, f"{state}_{kind}", ArrayConstraint(m.steps, rule=rule, meaning=CALL))
    shares = tuple((state_name(battery.prefix, offer, d), _share_name(offer, d)) for offer, d in calls)
    own.mean_charge = ArrayConstraint(m.steps, rule=mean_over_calls(battery.prefix, "charge", shares), meaning=MEAN)
    own.mean_discharge = ArrayConstraint(
        m.steps, rule=mean_over_calls(battery.prefix, "discharge", shares), meaning=MEAN
    )


def _add_base_inverter(m: Any, plant: Plant, calls: Calls) -> None:
    """The shared inverter's flows at the base point: the means without what calls bring each way."""
    limits = plant.flow_limits()
    for flow, direction in (("out", "up"), ("in", "down")):
        most = limits[f"base_inverter_{flow}_mw"]
        base = ArrayVar(m.steps, upper=most, units=MW, doc=f"inverter {flow} at the base point", meaning=STATE)
        setattr(m, f"base_inverter_{flow}_mw", base)
        parts = tuple(
            (f"{prefix}{offer.component}_mw", _share_name(offer, d))
            for prefix in m.on_dc_bus
            for offer, d in calls
            if d == direction
        )
        rule = base_inverter(flow, parts)
        setattr(m, f"base_inverter_{flow}", ArrayConstraint(m.steps, rule=rule, meaning=MEAN))


def _add_settled(m: Any, plant: Plant) -> None:
    """Import and export that energy prices see, where calls have a price of their own, and that price."""
    priced = [offer for offer in plant.offers if offer.called and offer.activation_price is not None]
    if not priced:
        return
    limits = plant.flow_limits()
    for flow in ("import", "export"):
        most = limits[f"settled_{flow}_mw"]
        own = ArrayVar(m.steps, upper=most, units=MW, doc=f"{flow} at energy prices", meaning=SETTLED)
        setattr(m, f"settled_{flow}_mw", own)
    bids = tuple(
        (f"{offer.component}_mw", _share_name(offer, d), SIGN[d]) for offer in priced for d in offer.called_directions
    )
    m.settled_net = ArrayConstraint(m.steps, rule=settled_net(bids), meaning=MEAN)
    for offer in priced:
        per_mw = offer.activation_revenue(np.ones(plant.steps), 1.0)
        setattr(
            m, f"{offer.component}_activation_price", ArrayParam(m.steps, per_mw, units=PER_MWH, doc="per MW held")
        )
        add_term(m, offer.line, activation_pay(offer.component), m.steps, f"{offer.component} activation")


def point(m: Any, prefix: str, flow: str, t: Any) -> Any:
    """Charge or discharge of a battery at its base point; where nothing is called that of the step."""
    base = f"{prefix}base_{flow}_mw"
    return getattr(m, base if hasattr(m, base) else f"{prefix}{flow}_mw")[t]


def base_grid(m: Any, t: Any) -> Any:
    """Grid power at the base point, + exports: the meter's without the mean of the calls."""
    net = m.export_mw[t] - m.import_mw[t]
    for bid, share, sign in getattr(m, "called_bids", ()):
        net = net - (getattr(m, share)[t] * sign) * getattr(m, bid)[t]
    return net


def base_inverter_net(m: Any, t: Any) -> Any:
    """Power of the shared inverter at the base point, + to the AC bus."""
    base = "base_" if hasattr(m, "base_inverter_out_mw") else ""
    return getattr(m, f"{base}inverter_out_mw")[t] - getattr(m, f"{base}inverter_in_mw")[t]


def shared_power(state: str) -> Rule:
    """The rule that charge and discharge of a state share the battery's power."""

    def rule(m: Any, t: Any) -> Any:
        """c/c_max + d/d_max <= 1: holds for a state that runs one way (one way)."""
        charge, discharge = getattr(m, f"{state}_charge_mw")[t], getattr(m, f"{state}_discharge_mw")[t]
        return charge / m.charge_max_mw + discharge / m.discharge_max_mw <= 1.0

    return rule


def power_in_call(prefix: str, state: str, part: str, factor: float) -> Rule:
    """The rule for the battery's power in a call."""

    def rule(m: Any, t: Any) -> Any:
        """d' − c' = d_base − c_base ± factor·part."""
        power = getattr(m, f"{state}_discharge_mw")[t] - getattr(m, f"{state}_charge_mw")[t]
        base = getattr(m, f"{prefix}base_discharge_mw")[t] - getattr(m, f"{prefix}base_charge_mw")[t]
        return power == base + factor * getattr(m, part)[t]

    return rule


def charge_in_call(prefix: str, state: str, direction: Direction) -> Rule:
    """The rule that an upward call charges no more than the base point, a downward one no less."""
    sign = SIGN[direction]

    def rule(m: Any, t: Any) -> Any:
        """±(c_base − c') >= 0."""
        return sign * (getattr(m, f"{prefix}base_charge_mw")[t] - getattr(m, f"{state}_charge_mw")[t]) >= 0.0

    return rule


def discharge_in_call(prefix: str, state: str, direction: Direction) -> Rule:
    """The rule that an upward call discharges no less than the base point, a downward one no more."""
    sign = SIGN[direction]

    def rule(m: Any, t: Any) -> Any:
        """±(d' − d_base) >= 0."""
        return sign * (getattr(m, f"{state}_discharge_mw")[t] - getattr(m, f"{prefix}base_discharge_mw")[t]) >= 0.0

    return rule


def mean_over_calls(prefix: str, flow: str, shares: tuple[tuple[str, str], ...]) -> Rule:
    """The rule for a flow as the mean over base point and calls."""

    def rule(m: Any, t: Any) -> Any:
        """mean = (1 − Σ share)·base + Σ share·in the call."""
        called, rest = 0.0, 1.0
        for state, share in shares:
            called = called + getattr(m, share)[t] * getattr(m, f"{state}_{flow}_mw")[t]
            rest = rest - getattr(m, share)[t]
        return getattr(m, f"{prefix}{flow}_mw")[t] == called + rest * getattr(m, f"{prefix}base_{flow}_mw")[t]

    return rule


def base_inverter(flow: str, parts: tuple[tuple[str, str], ...]) -> Rule:
    """The rule for the inverter's flow one way at the base point."""

    def rule(m: Any, t: Any) -> Any:
        """flow = base + Σ share·part of the calls that way."""
        mean = getattr(m, f"base_inverter_{flow}_mw")[t]
        for part, share in parts:
            mean = mean + getattr(m, share)[t] * getattr(m, part)[t]
        return getattr(m, f"inverter_{flow}_mw")[t] == mean

    return rule


def settled_net(bids: tuple[tuple[str, str, float], ...]) -> Rule:
    """The rule for what energy prices see of the grid power."""

    def rule(m: Any, t: Any) -> Any:
        """settled export − settled import = export − import − Σ ±share·bid of calls that have a price."""
        net = m.export_mw[t] - m.import_mw[t]
        for bid, share, sign in bids:
            net = net - (getattr(m, share)[t] * sign) * getattr(m, bid)[t]
        return m.settled_export_mw[t] - m.settled_import_mw[t] == net

    return rule


def activation_pay(name: str) -> Rule:
    """The rule for the money of a product's calls."""

    def rule(m: Any, t: Any) -> Any:
        """h·price·share·bid, in either direction."""
        return money.capacity_revenue(
            getattr(m, f"{name}_mw")[t], getattr(m, f"{name}_activation_price")[t], m.step_h
        )

    return rule
