"""What a call of market products asks: power, energy at both ends of a step, and room at the site.

All products of a direction are called at once, each for its own hours; upward and downward calls are never set
against each other. The cells give the least for an upward call where it stops charging first, so two rows say it; a
downward call stops discharging first, which takes two powers of which one is zero. Where a product whose calls count
runs alone, the powers of its own call say both.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyomo.core as pyo

from bess_opt.models.assets import add_own, asset
from bess_opt.models.components import ArrayConstraint, ArrayParam, ArrayVar, Constant, Rule
from bess_opt.models.meaning import Meaning
from bess_opt.models.products.activation import POWER, base_grid, base_inverter_net, point
from bess_opt.models.units import HOUR, MW, MWH
from bess_opt.plant.plant import Plant, Storage
from bess_opt.plant.products.activation import port_factor
from bess_opt.plant.products.offers import (
    SIGN,
    Direction,
    Offer,
    call_levels,
    is_own_call,
    level_names,
    of_direction,
)
from bess_opt.plant.reach import least_mwh, most_mwh

CALLED, DRAWN = Meaning("product", kind="gauge", tie="converter"), Meaning(kind="gauge")
SITE = Meaning(
    "product at the site", kind="limit", stated_at="product", words="calls that the site's limits leave room for"
)
CUT = Meaning(kind="cut", flow="energy_mwh", carries_energy=True)
BEFORE = replace(POWER, cause="product energy", carries_energy=True, rests_at=0, words="energy for calls")
AFTER = replace(BEFORE, rests_at=1)


@dataclass(frozen=True)
class Level:
    """A part of a call of all products of a direction: so many hours of the products that still run.

    `powers` is what the battery's powers in it are called: those of a product's own call where that runs alone.
    """

    name: str
    hours: float
    offers: tuple[Offer, ...]
    powers: str

    @property
    def is_state(self) -> bool:
        """Whether a product's own call is this part."""
        return self.powers != self.name


def add_power(m: Any, plant: Plant, battery: Storage) -> None:
    """Add that base point and calls together keep a battery's power, either way.

    Not where one call is all of them: its own powers say it. Nor where nothing is called: those of the base point do.
    """
    limits = {"up": battery.discharge_limit_mw, "down": battery.charge_limit_mw}
    for direction in SIGN:
        limit = limits[direction]
        offers = of_direction(plant.offers, direction)
        if not offers or is_own_call(offers, direction):
            continue
        name = f"{battery.prefix}call_{direction}"
        setattr(m, f"{name}_limit_mw", ArrayParam(m.steps, limit, units=MW, doc=f"most power {direction}"))
        factor = port_factor(plant, battery, direction)
        names = tuple(offer.component for offer in offers)
        rule = power_when_called(battery.prefix, name, direction, names, factor)
        add_own(m, battery.prefix, f"{name}_power", ArrayConstraint(m.steps, rule=rule, meaning=POWER))


def add_headroom(m: Any, plant: Plant, battery: Storage) -> None:
    """Add the energy that a battery holds for calls, and the room that it keeps, at both ends of each step."""
    own = asset(m, battery)
    ups, downs = (_levels(plant, battery, direction) for direction in SIGN)
    if ups:
        own.call_floor_mwh = ArrayParam(m.instants, least_mwh(battery), units=MWH, doc="least energy")
        for level in ups:
            _add_hours(m, level)
            if level.is_state:
                continue
            drawn = ArrayVar(m.steps, units=MW, doc="what a call takes from the cells", meaning=DRAWN)
            add_own(m, battery.prefix, f"{level.name}_drawn_mw", drawn)
            factor = port_factor(plant, battery, "up")
            for kind, rule in (("charging", drawn_charging), ("discharging", drawn_discharging)):
                made = rule(battery.prefix, level, factor)
                add_own(
                    m,
                    battery.prefix,
                    f"{level.name}_drawn_{kind}",
                    ArrayConstraint(m.steps, rule=made, meaning=POWER),
                )
        for end, meaning in ((0, BEFORE), (1, AFTER)):
            made = energy_for_up(battery.prefix, ups, end)
            name = f"{battery.prefix}call_up_energy_{'after' if end else 'before'}"
            add_own(m, battery.prefix, name, ArrayConstraint(m.steps, rule=made, meaning=meaning))
    if downs:
        own.call_ceiling_mwh = ArrayParam(m.instants, most_mwh(battery), units=MWH, doc="most energy")
        for level in downs:
            _add_hours(m, level)
            if not level.is_state:
                _add_called_down(m, plant, battery, level)
        for end, meaning in ((0, BEFORE), (1, AFTER)):
            made = room_for_down(battery.prefix, downs, end)
            name = f"{battery.prefix}call_down_energy_{'after' if end else 'before'}"
            add_own(m, battery.prefix, name, ArrayConstraint(m.steps, rule=made, meaning=meaning))


def _levels(plant: Plant, battery: Storage, direction: Direction) -> list[Level]:
    """The parts of a call of a battery, one after another."""
    powers = level_names(battery.prefix, plant.offers, direction)
    parts = zip(call_levels(plant.offers, direction), powers, strict=True)
    return [
        Level(f"{battery.prefix}called_{direction}_{number}", *level, name)
        for number, (level, name) in enumerate(parts)
    ]


def add_room_cuts_in_calls(m: Any, plant: Plant, battery: Storage) -> None:
    """Add what the one-way rule says of energy and calls: a charging battery does not discharge to make room.

    Call after the window's own cuts, whose limits these share.
    """
    ups, downs = (_levels(plant, battery, direction) for direction in SIGN)
    rules = []
    if downs:
        factor = port_factor(plant, battery, "down")
        rules.append(("charge_room_in_call", charge_room_in_call(battery.prefix, downs, factor)))
    if ups:
        rules.append(("discharge_room_in_call", discharge_room_in_call(battery.prefix, ups)))
    for name, rule in rules:
        add_own(m, battery.prefix, f"{battery.prefix}{name}", ArrayConstraint(m.steps, rule=rule, meaning=CUT))


def _add_hours(m: Any, level: Level) -> None:
    setattr(m, f"{level.name}_h", Constant(level.hours, HOUR))


def _add_called_down(m: Any, plant: Plant, battery: Storage, level: Level) -> None:
    """The battery's powers when called down: discharging less first, then charging more."""
    limits = (("charge", battery.charge_limit_mw), ("discharge", battery.discharge_limit_mw))
    for flow, limit in limits:
        meaning = CALLED if flow == "charge" else replace(CALLED, tie="")
        power = ArrayVar(m.steps, upper=limit, units=MW, doc=f"{flow} power when called down", meaning=meaning)
        add_own(m, battery.prefix, f"{level.name}_{flow}_mw", power)
    factor = port_factor(plant, battery, "down")
    for kind, rule in (
        ("state", called_down(battery.prefix, level, factor)),
        *called_one_sided(battery.prefix, level),
    ):
        add_own(m, battery.prefix, f"{level.name}_{kind}", ArrayConstraint(m.steps, rule=rule, meaning=POWER))


def add_site_limits(m: Any, plant: Plant) -> None:
    """Add connection, permissions and shared inverter when all products of a direction are called."""
    limits = {"up": plant.export_max_mw, "down": plant.import_max_mw}
    for direction in SIGN:
        most = limits[direction]
        offers = of_direction(plant.offers, direction)
        names = tuple(offer.component for offer in offers)
        if not names and not plant.activated:
            continue
        limited = np.flatnonzero(np.isfinite(most))
        if len(limited):
            index = pyo.Set(initialize=limited.tolist(), dimen=1)
            setattr(m, f"call_{direction}_limited", index)
            limit = ArrayParam(m.steps, np.where(np.isfinite(most), most, 0.0), units=MW, doc="limit at the grid")
            setattr(m, f"call_{direction}_grid_mw", limit)
            rule = grid_when_called(names, direction)
            setattr(m, f"call_{direction}_grid", ArrayConstraint(index, rule=rule, meaning=SITE))
        if direction == "up" and not plant.battery_export:
            strict = plant.strict_export
            made = strict_export_when_called(names) if strict else export_when_called(names)
            name = "call_strict_export" if strict else "call_no_battery_export"
            setattr(m, name, ArrayConstraint(m.steps, rule=made, meaning=SITE))
        if direction == "down" and not plant.grid_charging:
            m.call_no_grid_charging = ArrayConstraint(m.steps, rule=charging_when_called(names), meaning=SITE)
        if plant.bus is not None and np.isfinite(plant.bus.inverter_mw):
            if not hasattr(m, "call_inverter_mw"):
                m.call_inverter_mw = Constant(plant.bus.inverter_mw, MW)
            rule = inverter_when_called(m.on_dc_bus, names, direction)
            setattr(m, f"call_{direction}_inverter", ArrayConstraint(m.steps, rule=rule, meaning=SITE))


def _part(m: Any, prefix: str, names: tuple[str, ...], t: Any) -> Any:
    """What a battery holds of products, MW at the AC bus."""
    return sum(getattr(m, f"{prefix}{name}_mw")[t] for name in names)


def _base(m: Any, prefix: str, t: Any) -> Any:
    return point(m, prefix, "discharge", t) - point(m, prefix, "charge", t)


def _names(level: Level) -> tuple[str, ...]:
    return tuple(offer.component for offer in level.offers)


def power_when_called(prefix: str, limit: str, direction: Direction, names: tuple[str, ...], factor: float) -> Rule:
    """The rule that base point and all calls of a direction keep the battery's power."""
    sign = 1.0 if direction == "up" else -1.0

    def rule(m: Any, t: Any) -> Any:
        """±(d − c) + factor·Σ part <= most power."""
        called = sign * _base(m, prefix, t) + factor * _part(m, prefix, names, t)
        return called <= getattr(m, f"{limit}_limit_mw")[t]

    return rule


def drawn_charging(prefix: str, level: Level, factor: float) -> Rule:
    """The rule for a call that stops charging alone."""

    def rule(m: Any, t: Any) -> Any:
        """drawn >= η_c·Q: what is not charged."""
        called = factor * _part(m, prefix, _names(level), t)
        return getattr(m, f"{level.name}_drawn_mw")[t] >= getattr(m, f"{prefix}eta_charge") * called

    return rule


def drawn_discharging(prefix: str, level: Level, factor: float) -> Rule:
    """The rule for a call that goes beyond the base point's charging."""

    def rule(m: Any, t: Any) -> Any:
        """drawn >= η_c·c + (Q − c)/η_d: what is not charged, and then discharged."""
        called = factor * _part(m, prefix, _names(level), t)
        eta_c, eta_d = getattr(m, f"{prefix}eta_charge"), getattr(m, f"{prefix}eta_discharge")
        charge = point(m, prefix, "charge", t)
        return getattr(m, f"{level.name}_drawn_mw")[t] >= eta_c * charge + (called - charge) / eta_d

    return rule


def _drawn_mw(m: Any, prefix: str, level: Level, t: Any) -> Any:
    """What the cells give for a part of an upward call, MW."""
    if not level.is_state:
        return getattr(m, f"{level.name}_drawn_mw")[t]
    eta_c, eta_d = getattr(m, f"{prefix}eta_charge"), getattr(m, f"{prefix}eta_discharge")
    less = point(m, prefix, "charge", t) - getattr(m, f"{level.powers}_charge_mw")[t]
    return eta_c * less + (getattr(m, f"{level.powers}_discharge_mw")[t] - point(m, prefix, "discharge", t)) / eta_d


def energy_for_up(prefix: str, levels: list[Level], end: int) -> Rule:
    """The rule that the cells hold the energy of all upward calls at one end of the step."""

    def rule(m: Any, t: Any) -> Any:
        """e − Σ hours·drawn >= floor, at the start of the step or at its end.

        Of a product's own call drawn is η_c·(c − c') + (d' − d)/η_d.
        """
        drawn = sum(getattr(m, f"{level.name}_h") * _drawn_mw(m, prefix, level, t) for level in levels)
        return getattr(m, f"{prefix}energy_mwh")[t + end] - drawn >= getattr(m, f"{prefix}call_floor_mwh")[t + end]

    return rule


def called_down(prefix: str, level: Level, factor: float) -> Rule:
    """The rule for the battery's power when called down."""

    def rule(m: Any, t: Any) -> Any:
        """d' − c' = d − c − factor·Σ part."""
        power = getattr(m, f"{level.name}_discharge_mw")[t] - getattr(m, f"{level.name}_charge_mw")[t]
        return power == _base(m, prefix, t) - factor * _part(m, prefix, _names(level), t)

    return rule


def called_one_sided(prefix: str, level: Level) -> tuple[tuple[str, Rule], tuple[str, Rule]]:
    """The rules that a downward call charges no less and discharges no more."""

    def charges(m: Any, t: Any) -> Any:
        """c' >= c."""
        return getattr(m, f"{level.name}_charge_mw")[t] >= point(m, prefix, "charge", t)

    def discharges(m: Any, t: Any) -> Any:
        """d' <= d."""
        return getattr(m, f"{level.name}_discharge_mw")[t] <= point(m, prefix, "discharge", t)

    return ("charges_more", charges), ("discharges_less", discharges)


def room_for_down(prefix: str, levels: list[Level], end: int) -> Rule:
    """The rule that the cells have room for all downward calls at one end of the step."""

    def rule(m: Any, t: Any) -> Any:
        """e + Σ hours·(η_c·(c' − c) + (d − d')/η_d) <= ceiling, at the start of the step or at its end."""
        eta_c, eta_d = getattr(m, f"{prefix}eta_charge"), getattr(m, f"{prefix}eta_discharge")
        charge, discharge = (point(m, prefix, flow, t) for flow in ("charge", "discharge"))
        taken = sum(
            getattr(m, f"{level.name}_h")
            * (
                eta_c * (getattr(m, f"{level.powers}_charge_mw")[t] - charge)
                + (discharge - getattr(m, f"{level.powers}_discharge_mw")[t]) / eta_d
            )
            for level in levels
        )
        ceiling = getattr(m, f"{prefix}call_ceiling_mwh")[t + end]
        return getattr(m, f"{prefix}energy_mwh")[t + end] + taken <= ceiling

    return rule


def charge_room_in_call(prefix: str, levels: list[Level], factor: float) -> Rule:
    """The rule that a charging battery has no discharge to make room for downward calls."""

    def rule(m: Any, t: Any) -> Any:
        """ρ·e[t] + η_c·h·c[t] + η_c·Σ hours·Q <= e_max: while it discharges, its own energy at the start says it."""
        called = sum(
            getattr(m, f"{level.name}_h") * (factor * _part(m, prefix, _names(level), t)) for level in levels
        )
        taken = m.step_h * point(m, prefix, "charge", t) + called
        stored = getattr(m, f"{prefix}retention") * getattr(m, f"{prefix}energy_mwh")[t]
        return stored + getattr(m, f"{prefix}eta_charge") * taken <= getattr(m, f"{prefix}room_ceiling_mwh")[t]

    return rule


def discharge_room_in_call(prefix: str, levels: list[Level]) -> Rule:
    """The rule that a discharging battery has no charge to hold energy for upward calls."""

    def rule(m: Any, t: Any) -> Any:
        """ρ·(e[t] − Σ hours·drawn) − h·d[t]/η_d >= e_min: while it charges, its own energy at the start says it."""
        drawn = sum(getattr(m, f"{level.name}_h") * _drawn_mw(m, prefix, level, t) for level in levels)
        kept = getattr(m, f"{prefix}retention") * (getattr(m, f"{prefix}energy_mwh")[t] - drawn)
        given = (m.step_h / getattr(m, f"{prefix}eta_discharge")) * point(m, prefix, "discharge", t)
        return kept - given >= getattr(m, f"{prefix}room_floor_mwh")[t]

    return rule


def grid_when_called(names: tuple[str, ...], direction: Direction) -> Rule:
    """The rule that base point and all calls of a direction keep the limit at the grid."""
    sign = 1.0 if direction == "up" else -1.0

    def rule(m: Any, t: Any) -> Any:
        """±(export − import) + Σ bid <= limit."""
        return sign * base_grid(m, t) + _part(m, "", names, t) <= getattr(m, f"call_{direction}_grid_mw")[t]

    return rule


def _solar_used(m: Any, t: Any) -> Any:
    used = m.solar_ac_mw[t] - m.curtailed_ac_mw[t]
    if hasattr(m, "eta_inverter_out"):
        used = used + m.eta_inverter_out * (m.solar_dc_mw[t] - m.curtailed_dc_mw[t])
    return used


def export_when_called(names: tuple[str, ...]) -> Rule:
    """The rule that a battery that may not feed the grid does not when called."""

    def rule(m: Any, t: Any) -> Any:
        """export − import + Σ bid <= PV used + max(−load, 0)."""
        return base_grid(m, t) + _part(m, "", names, t) <= _solar_used(m, t) + m.generation_mw[t]

    return rule


def strict_export_when_called(names: tuple[str, ...]) -> Rule:
    """The rule that export is what PV has over the load, when called too."""

    def rule(m: Any, t: Any) -> Any:
        """export − import + Σ bid <= over."""
        return base_grid(m, t) + _part(m, "", names, t) <= m.solar_over_load_mw[t]

    return rule


def charging_when_called(names: tuple[str, ...]) -> Rule:
    """The rule that a battery that may not charge from the grid does not when called."""

    def rule(m: Any, t: Any) -> Any:
        """import − export + Σ bid + unserved <= max(load, 0)."""
        bought = m.unserved_mw[t] - base_grid(m, t)
        return bought + _part(m, "", names, t) <= m.consumption_mw[t]

    return rule


def inverter_when_called(prefixes: tuple[str, ...], names: tuple[str, ...], direction: Direction) -> Rule:
    """The rule that the shared inverter carries the base point and all calls of a direction."""
    sign = 1.0 if direction == "up" else -1.0

    def rule(m: Any, t: Any) -> Any:
        """±(out − in) + Σ part of the batteries on the bus <= rating."""
        called = sum(_part(m, prefix, names, t) for prefix in prefixes)
        return sign * base_inverter_net(m, t) + called <= m.call_inverter_mw

    return rule
