"""Wear by depth of cycle in the model: the stored energy in segments, each with a price on what leaves it.

Which segment energy enters and leaves is left to the optimum. Because prices never fall with depth it fills the
cheapest that have room and empties the cheapest that hold energy, which is rainflow counting. Counting sees ranges
alone, so that the segments hold what lies above the lowest energy that a plan may reach: at it all are empty.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from bess_opt.models.assets import asset, rule_of
from bess_opt.models.components import ArrayConstraint, ArrayVar, Constant, Rule
from bess_opt.models.meaning import Meaning
from bess_opt.models.units import MWH, PER_MWH
from bess_opt.plant.plant import Storage
from bess_opt.plant.warranty.depth_wear import DepthWear
from bess_opt.plant.warranty.depth_wear import filled as wear_filled

PREFIX = "wear_"
SEGMENT = Meaning("wear", kind="segment", of_wear=True)
BALANCE = Meaning("wear", kind="law", of_wear=True)
FILLED = replace(BALANCE, carries_energy=True)


def add_wear(m: Any, battery: Storage) -> None:
    """Add the battery's segments, what leaves each in a step, and the rows that tie them to its stored energy.

    Where a MWh costs the same at every depth nothing is added: the price alone is in the ledger.
    """
    wear = battery.wear
    if wear is None:
        return
    own, numbers = asset(m, battery), segments_of(wear)
    own.wear_segments = numbers
    for j in numbers:
        setattr(own, f"wear_{j}_cost_per_mwh", Constant(wear.price_per_mwh[j], PER_MWH))
    if wear.one_price:
        return
    drawn = bool(np.any(battery.drawn_mw))
    steps, below = len(m.steps), _below(battery, wear)
    start = wear.start_mwh if below == 0.0 else wear_filled(wear.width_mwh, battery.start_mwh - below)
    for j in numbers:
        lower, upper = np.zeros(steps + 1), np.full(steps + 1, wear.width_mwh[j])
        lower[0] = upper[0] = min(start[j], wear.width_mwh[j])
        setattr(
            own,
            energy_name(j),
            ArrayVar(m.instants, lower=lower, upper=upper, units=MWH, doc="energy in a segment", meaning=SEGMENT),
        )
        setattr(
            own,
            leaving_name(j),
            ArrayVar(m.steps, units=MWH, doc="energy that leaves a segment, priced", meaning=SEGMENT),
        )
        if drawn:
            setattr(
                own,
                drawn_name(j),
                ArrayVar(m.steps, units=MWH, doc="drawn from a segment, not priced", meaning=SEGMENT),
            )
    for j in numbers:
        rule = filled_with_drawn(j) if drawn else filled(j)
        setattr(own, f"wear_{j}_filled", ArrayConstraint(m.steps, rule=rule_of(battery, rule), meaning=FILLED))
    own.wear_leaves = ArrayConstraint(m.steps, rule=rule_of(battery, leaves), meaning=BALANCE)
    if below > 0.0:
        own.wear_below_mwh = Constant(below, MWH)
    own.wear_holds = ArrayConstraint(
        m.steps, rule=rule_of(battery, wear_holds_above if below > 0.0 else holds), meaning=BALANCE
    )
    if drawn:
        own.wear_drawn = ArrayConstraint(m.steps, rule=rule_of(battery, is_drawn), meaning=BALANCE)


def _below(battery: Storage, wear: DepthWear) -> float:
    """Energy that no plan of the horizon can reach below, where leaving it out changes no wear, MWh."""
    ranges_alone = wear.cheapest_first and battery.retention == 1.0 and not np.any(battery.drawn_mw)
    if not ranges_alone or wear.taken_up:
        return 0.0
    return max(min(float(battery.floor_mwh.min()), battery.start_mwh), 0.0)


def segments_of(wear: DepthWear) -> range:
    """Numbers of the segments, cheapest first."""
    return range(len(wear.width_mwh))


def energy_name(segment: int) -> str:
    """The variable of the energy in a segment."""
    return f"{PREFIX}{segment}_energy_mwh"


def leaving_name(segment: int) -> str:
    """The variable of the energy that leaves a segment through the converter."""
    return f"{PREFIX}{segment}_leaving_mwh"


def drawn_name(segment: int) -> str:
    """The variable of the energy that is drawn from a segment without loss or price."""
    return f"{PREFIX}{segment}_drawn_mwh"


def filled(segment: int) -> Rule:
    """The rule that a segment gains nothing but what enters it."""
    energy, leaving = energy_name(segment), leaving_name(segment)

    def rule(m: Any, t: Any) -> Any:
        """s[t+1] − ρ·s[t] + out[t] >= 0: what enters a segment is not negative."""
        held = getattr(m, energy)
        return held[t + 1] - m.retention * held[t] + getattr(m, leaving)[t] >= 0.0

    return rule


def filled_with_drawn(segment: int) -> Rule:
    """The rule that a segment gains nothing but what enters it, where energy is drawn from the cells."""
    energy, leaving, drawn = energy_name(segment), leaving_name(segment), drawn_name(segment)

    def rule(m: Any, t: Any) -> Any:
        """s[t+1] − ρ·s[t] + out[t] + drawn[t] >= 0: what enters a segment is not negative."""
        held = getattr(m, energy)
        left = getattr(m, leaving)[t] + getattr(m, drawn)[t]
        return held[t + 1] - m.retention * held[t] + left >= 0.0

    rule.__name__ = f"{PREFIX}{segment}_filled_with_drawn"
    return rule


def leaves(m: Any, t: Any) -> Any:
    """Σ_j out_j[t] = h·d[t]/η_d: all energy that leaves the cells leaves a segment."""
    return _total(m, leaving_name, t) == m.discharge_mw[t] * (m.step_h / m.eta_discharge)


def holds(m: Any, t: Any) -> Any:
    """Σ_j s_j[t+1] = e[t+1]: the segments hold the stored energy."""
    return _total(m, energy_name, t + 1) == m.energy_mwh[t + 1]


def wear_holds_above(m: Any, t: Any) -> Any:
    """Σ_j s_j[t+1] = e[t+1] − below: the segments hold what is stored above the lowest energy of the horizon."""
    return _total(m, energy_name, t + 1) == m.energy_mwh[t + 1] - m.wear_below_mwh


def is_drawn(m: Any, t: Any) -> Any:
    """Σ_j drawn_j[t] = h·drawn[t]: what is drawn from the cells is drawn from the segments."""
    return _total(m, drawn_name, t) == m.drawn_mw[t] * m.step_h


def wear_by_depth(m: Any, t: Any) -> Any:
    """−Σ_j w_j·out_j[t]: a shadow price, no cash."""
    paid = getattr(m, leaving_name(0))[t] * m.wear_0_cost_per_mwh
    for j in m.wear_segments[1:]:
        paid = paid + getattr(m, leaving_name(j))[t] * getattr(m, f"wear_{j}_cost_per_mwh")
    return -paid


def wear_of_one_price(m: Any, t: Any) -> Any:
    """−w·h·d[t]/η_d: a shadow price, no cash."""
    return -(m.discharge_mw[t] * (m.step_h / m.eta_discharge * m.wear_0_cost_per_mwh))


def _total(m: Any, name: Any, i: Any) -> Any:
    total = getattr(m, name(0))[i]
    for j in m.wear_segments[1:]:
        total = total + getattr(m, name(j))[i]
    return total
