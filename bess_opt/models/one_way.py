"""The one-way rule in the model: each converter runs one way in a step.

The plain model leaves this out, because most plans keep it by themselves and binaries cost time.
`bess_opt.solver.search.one_way_search` adds it where a plan breaks it. The cuts are valid for every plan that keeps
the rule and bring the relaxation close to the exact optimum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.models.assets import add_own, asset, rule_of
from bess_opt.models.components import ArrayConstraint, ArrayParam, ArrayVar, Constant, Rule
from bess_opt.models.meaning import Meaning
from bess_opt.models.products.calls import add_room_cuts_in_calls
from bess_opt.models.ramp import add_ramp_cuts
from bess_opt.models.units import MW, MWH, PER_UNIT
from bess_opt.plant.plant import Plant, Ratings, Storage
from bess_opt.plant.products.offers import called_down, called_states
from bess_opt.plant.reach import least_mwh, most_mwh

ROOM = Meaning(kind="cut", flow="energy_mwh", carries_energy=True)
CUT, WAY = Meaning(kind="cut"), Meaning(kind="choice")
ONE_WAY = Meaning(kind="limit", stated_at="scenario", words="each converter one way at a time")


@dataclass(frozen=True)
class Pair:
    """Two flows of one converter of which at most one may be positive, and the binary that chooses.

    `of_call`: they are those of a battery while market products call it.
    `prefix` is that of the battery, of several, that the converter belongs to.
    """

    first: str
    second: str
    binary: str
    prefix: str = ""
    of_call: bool = False


GRID = Pair("import_mw", "export_mw", "importing")
OWN = Pair("charge_mw", "discharge_mw", "charging")  # of a battery, under the names that it has alone
SOLAR = Pair("solar_over_load_mw", "solar_short_of_load_mw", "over_load")
INVERTER = Pair("inverter_out_mw", "inverter_in_mw", "inverting")
# Where market products are called: at the base point, and what energy prices see.
BASE_INVERTER = Pair("base_inverter_out_mw", "base_inverter_in_mw", "base_inverting")
SETTLED = Pair("settled_import_mw", "settled_export_mw", "settled_importing")


def battery_pair(battery: Storage) -> Pair:
    """The pair of a battery."""
    own = battery.prefix
    return Pair(f"{own}{OWN.first}", f"{own}{OWN.second}", f"{own}{OWN.binary}", own)


def called_pairs(plant: Plant) -> tuple[Pair, ...]:
    """The pair of each battery when market products are called down: it stops discharging before it charges."""
    return tuple(p for own in plant.batteries for p in _pairs_of_states(own, called_down(own.prefix, plant.offers)))


def state_pairs(plant: Plant) -> tuple[Pair, ...]:
    """The pairs of each battery at its base point and in each call of a market product."""
    return tuple(p for own in plant.batteries for p in _pairs_of_states(own, called_states(own.prefix, plant.offers)))


def _pairs_of_states(battery: Storage, states: Sequence[str]) -> tuple[Pair, ...]:
    return tuple(
        Pair(f"{s}_charge_mw", f"{s}_discharge_mw", f"{s}_charging", battery.prefix, of_call=True) for s in states
    )


def pairs_of(plant: Plant) -> tuple[Pair, ...]:
    """The converters of this plant that the one-way rule binds."""
    batteries = tuple(map(battery_pair, plant.batteries))
    site = (GRID,) if plant.bus is None else (INVERTER, GRID)
    if plant.activated:
        batteries = state_pairs(plant)
        site = (GRID,) if plant.bus is None else (BASE_INVERTER, GRID)
        if any(offer.called and offer.activation_price is not None for offer in plant.offers):
            site = (*site, SETTLED)
    batteries = (*batteries, *called_pairs(plant))
    return (*batteries, *site, SOLAR) if plant.strict_export else (*batteries, *site)


def add_one_way(m: Any, plant: Plant, converters: tuple[Pair, ...]) -> None:
    """Add binaries, their rows and the cuts, for every step of the converters in `converters` that have none yet."""
    limits = plant.flow_limits()
    for pair in converters:
        if hasattr(m, pair.binary):
            continue
        for flow in (pair.first, pair.second):
            setattr(m, f"{flow}_limit", ArrayParam(m.steps, limits[flow], units=MW, doc=f"most {flow}"))
        way = ArrayVar(m.steps, upper=1.0, binary=True, units=PER_UNIT, doc=f"1: {pair.first} may flow", meaning=WAY)
        add_own(m, pair.prefix, pair.binary, way)
        for flow, rule in ((pair.first, first_only(pair)), (pair.second, second_only(pair))):
            add_own(m, pair.prefix, f"{flow}_one_way", ArrayConstraint(m.steps, rule=rule, meaning=ONE_WAY))
        if hasattr(m, "ramped_step") and (changes := _most_changes(plant, pair)) is not None:
            if pair != GRID and not hasattr(m, "free_solar_mw"):
                free = np.where(plant.curtailable, plant.solar_ac_mw, 0.0)
                m.free_solar_mw = ArrayParam(m.steps, free, units=MW, doc="PV that may be curtailed")
            add_ramp_cuts(m, pair, limits, changes)
    add_room_cuts(m, plant)


def add_one_way_cuts(m: Any, plant: Plant, ratings: Sequence[Ratings]) -> None:
    """Tighten the plain model without binaries: what every plan that keeps the one-way rule also keeps.

    `ratings` are those of each battery. Of several batteries one may charge another, so that what one gives may have
    a use inside the site.
    """
    add_room_cuts(m, plant)
    for battery, own in zip(plant.batteries, ratings, strict=True):
        _name_ratings(asset(m, battery), own)
        _add_shared_ratings(asset(m, battery), battery, OWN)
    if len(plant.batteries) > 1 or plant.activated:
        return
    if plant.bus is not None:
        m.inverter_stores = ArrayConstraint(m.steps, rule=inverter_stores, meaning=CUT)
    m.load_there_mw = ArrayParam(m.steps, np.maximum(plant.load_mw, 0.0), units=MW, doc="load that takes power")
    m.discharge_is_used = ArrayConstraint(m.steps, rule=discharge_is_used, meaning=CUT)
    if plant.bus is not None:
        m.inverter_gives = ArrayConstraint(m.steps, rule=inverter_gives, meaning=CUT)


def discharge_is_used(m: Any, t: Any) -> Any:
    """d (behind an inverter: out) <= load − unserved + export: what is given has no other use."""
    given = m.inverter_out_mw[t] if hasattr(m, "inverter_out_mw") else m.discharge_mw[t]
    return given + m.unserved_mw[t] <= m.load_there_mw[t] + m.export_mw[t]


def inverter_stores(m: Any, t: Any) -> Any:
    """η_in·in[t] <= c[t]: an inverter that brings power to the DC bus brings no more than is stored."""
    return m.eta_inverter_in * m.inverter_in_mw[t] <= m.charge_mw[t]


def inverter_gives(m: Any, t: Any) -> Any:
    """d[t] <= out[t]/η_out: what a battery on the DC bus gives goes to the AC bus."""
    return m.discharge_mw[t] <= m.inverter_out_mw[t] / m.eta_inverter_out


def put_in_proportion(m: Any, plant: Plant, ratings: Sequence[Ratings]) -> None:
    """Replace what ties charge and discharge of a state to the lower of two limits by a row for each limit.

    The rows then are in proportion to the battery's size, as every other row is; where one limit is the lower for
    charge and discharge alike they say the same. `ratings` are those of each battery.
    """
    for battery, rated in zip(plant.batteries, ratings, strict=True):
        for pair in _pairs_of_states(battery, called_states("", plant.offers)):
            name = f"{battery.prefix}{pair.binary.removesuffix('_charging')}_shared_power"
            if hasattr(m, name):
                m.del_component(name)
                _name_ratings(asset(m, battery), rated)
                _add_shared_ratings(asset(m, battery), battery, pair)


def _name_ratings(m: Any, ratings: Ratings) -> None:
    if hasattr(m, "port_max_mw"):
        return
    share = ratings.discharge_mw / ratings.charge_mw
    m.discharge_over_charge = Constant(share, PER_UNIT)
    m.port_max_mw = Constant(ratings.discharge_mw, MW)
    m.cells_max_mw = Constant(ratings.cells_mw, MW)
    m.eta_terminal_in = Constant(ratings.eta_in, PER_UNIT)
    m.eta_terminal_out = Constant(ratings.eta_out, PER_UNIT)


def _add_shared_ratings(m: Any, battery: Storage, pair: Pair) -> None:
    for kind, rule in (("port", shared_at_port(pair)), ("cells", shared_at_cells(pair))):
        constraint = ArrayConstraint(m.steps, rule=rule_of(battery, rule), meaning=CUT)
        setattr(m, f"{pair.binary}_shared_{kind}", constraint)


def shared_at_port(pair: Pair) -> Rule:
    """The rule that one of two flows is zero, by the rated powers."""

    def rule(m: Any, t: Any) -> Any:
        """(P/P_c)·c[t] + d[t] <= P, with P_c the rated power while charging (the one-way rule)."""
        charge, discharge = getattr(m, pair.first)[t], getattr(m, pair.second)[t]
        return m.discharge_over_charge * charge + discharge <= m.port_max_mw

    return rule


def shared_at_cells(pair: Pair) -> Rule:
    """The rule that one of two flows is zero, by the C-rate."""

    def rule(m: Any, t: Any) -> Any:
        """η_in·c[t] + d[t]/η_out <= C·E, at the cells' terminals (the one-way rule)."""
        charge, discharge = getattr(m, pair.first)[t], getattr(m, pair.second)[t]
        return m.eta_terminal_in * charge + discharge / m.eta_terminal_out <= m.cells_max_mw

    return rule


def first_only(pair: Pair) -> Rule:
    """The rule that ties the first flow to its binary."""

    def rule(m: Any, t: Any) -> Any:
        """first[t] <= limit[t]·binary[t] (one way)."""
        return getattr(m, pair.first)[t] <= getattr(m, f"{pair.first}_limit")[t] * getattr(m, pair.binary)[t]

    return rule


def second_only(pair: Pair) -> Rule:
    """The rule that ties the second flow to its binary."""

    def rule(m: Any, t: Any) -> Any:
        """second[t] + limit[t]·binary[t] <= limit[t] (one way)."""
        limit = getattr(m, f"{pair.second}_limit")[t]
        return getattr(m, pair.second)[t] + limit * getattr(m, pair.binary)[t] <= limit

    return rule


def _most_changes(plant: Plant, pair: Pair) -> tuple[Array, Array] | None:
    """By how much first − second of `pair` may rise and fall into each step under the ramps of clauses, MW.

    Of a battery that is while PV that may be curtailed is not used and all load is served. None where ramps say too
    little of it: beside other batteries or an inverter, and where products are called.
    """
    if plant.activated:
        return None
    ramp = plant.connection.ramp_mw
    if pair == GRID:
        return ramp, ramp
    if plant.bus is not None or len(plant.batteries) > 1 or pair != battery_pair(plant.batteries[0]):
        return None
    # charge − discharge = import − export − load + PV − curtailed + unserved: its change is that of the grid power
    # and of what is fixed. What PV that may be curtailed and load that may be shed add stands in the cuts.
    fixed = np.where(plant.curtailable, 0.0, plant.solar_ac_mw) - plant.load_mw
    more = np.diff(fixed, prepend=fixed[:1])
    return ramp + more, ramp - more


def add_room_cuts(m: Any, plant: Plant) -> None:
    """Add the cuts, unless a strategy has done so because its plain model would break the rule often.

    With calls of products they do not hold: mean charge and discharge of a step are both positive.
    """
    if plant.activated:
        return
    for battery in plant.batteries:
        if not hasattr(m, f"{battery.prefix}charge_room"):
            _add_room_cuts_of(m, battery, plant.step_h)
            add_room_cuts_in_calls(m, plant, battery)


def _add_room_cuts_of(m: Any, battery: Storage, step_h: float) -> None:
    own = asset(m, battery)
    floor, ceiling, drawn = least_mwh(battery), most_mwh(battery), step_h * battery.drawn_mw
    # Of the window alone, not of start and end: so the most is concave in the battery's size, the least convex.
    most, least = np.maximum(ceiling[1:], ceiling[:-1]), battery.retention * np.minimum(floor[1:], floor[:-1])
    own.room_ceiling_mwh = ArrayParam(m.steps, most + drawn, units=MWH, doc="most energy while charging")
    own.room_floor_mwh = ArrayParam(m.steps, least, units=MWH, doc="least energy while discharging")
    own.charge_room = ArrayConstraint(m.steps, rule=rule_of(battery, charge_room), meaning=ROOM)
    own.discharge_room = ArrayConstraint(m.steps, rule=rule_of(battery, discharge_room), meaning=ROOM)


def charge_room(m: Any, t: Any) -> Any:
    """ρ·e[t] + η_c·h·c[t] <= e_max: a charging battery has no discharge to make room."""
    return m.retention * m.energy_mwh[t] + m.eta_charge * m.step_h * m.charge_mw[t] <= m.room_ceiling_mwh[t]


def discharge_room(m: Any, t: Any) -> Any:
    """ρ·e[t] − h·d[t]/η_d >= e_min: a discharging battery has no charge to live on."""
    return m.retention * m.energy_mwh[t] - (m.step_h / m.eta_discharge) * m.discharge_mw[t] >= m.room_floor_mwh[t]
