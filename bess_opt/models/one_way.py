"""The one-way rule in the model: each converter runs one way in a step.

The plain model leaves this out, because most plans keep it by themselves and binaries cost time.
`bess_opt.solver.one_way_search` adds it where a plan breaks it. The cuts are valid for every plan that keeps the rule
and bring the relaxation close to the exact optimum.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyomo.environ as pyo

from bess_opt.models.assets import asset, rule_of
from bess_opt.models.components import ArrayConstraint, ArrayParam, ArrayVar, Rule
from bess_opt.models.storage import energy_bounds
from bess_opt.models.units import MW, MWH, PER_UNIT
from bess_opt.plant.plant import Plant, Storage


@dataclass(frozen=True)
class Pair:
    """Two flows of one converter of which at most one may be positive, and the binary that chooses."""

    first: str
    second: str
    binary: str


GRID = Pair("import_mw", "export_mw", "importing")
SOLAR = Pair("solar_over_load_mw", "solar_short_of_load_mw", "over_load")
INVERTER = Pair("inverter_out_mw", "inverter_in_mw", "inverting")
# A battery that holds regulation runs one way at its base point and at each end of what may be called.
STATES = (
    Pair("base_charge_mw", "base_discharge_mw", "base_charging"),
    Pair("up_charge_mw", "up_discharge_mw", "up_charging"),
    Pair("down_charge_mw", "down_discharge_mw", "down_charging"),
)


def battery_pair(battery: Storage) -> Pair:
    """The pair of a battery."""
    return Pair(*(f"{battery.prefix}{name}" for name in ("charge_mw", "discharge_mw", "charging")))


def pairs_of(plant: Plant) -> tuple[Pair, ...]:
    """The converters of this plant that the one-way rule binds."""
    batteries = tuple(map(battery_pair, plant.batteries)) if plant.reserves is None else STATES
    site = (GRID,) if plant.bus is None else (INVERTER, GRID)
    return (*batteries, *site, SOLAR) if plant.strict_export else (*batteries, *site)


def add_one_way(m: Any, plant: Plant, converters: tuple[Pair, ...]) -> None:
    """Add binaries, their rows and the cuts, for every step of the converters in `converters` that have none yet."""
    limits = plant.flow_limits()
    for pair in converters:
        if hasattr(m, pair.binary):
            continue
        for flow in (pair.first, pair.second):
            setattr(m, f"{flow}_limit", ArrayParam(m.steps, limits[flow], units=MW, doc=f"most {flow}"))
        setattr(
            m, pair.binary, ArrayVar(m.steps, upper=1.0, binary=True, units=PER_UNIT, doc=f"1: {pair.first} may flow")
        )
        setattr(m, f"{pair.first}_one_way", ArrayConstraint(m.steps, rule=first_only(pair)))
        setattr(m, f"{pair.second}_one_way", ArrayConstraint(m.steps, rule=second_only(pair)))
    add_room_cuts(m, plant)


def add_one_way_cuts(m: Any, plant: Plant) -> None:
    """Tighten the plain model without binaries: what every plan that keeps the one-way rule also keeps."""
    add_room_cuts(m, plant)
    for battery in plant.batteries:
        own, most = asset(m, battery), max(battery.charge_max_mw, battery.discharge_max_mw)
        own.one_way_max_mw = pyo.Param(initialize=most, units=MW, mutable=True)
        own.one_way_power = ArrayConstraint(m.steps, rule=rule_of(battery, one_way_power))


def one_way_power(m: Any, t: Any) -> Any:
    """c[t] + d[t] <= max(c_max, d_max): one of the two is zero."""
    return m.charge_mw[t] + m.discharge_mw[t] <= m.one_way_max_mw


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


def add_room_cuts(m: Any, plant: Plant) -> None:
    """Add the cuts, unless a strategy has done so because its plain model would break the rule often.

    With regulation they do not hold: mean charge and discharge of a step are then both positive.
    """
    if plant.reserves is not None:
        return
    for battery in plant.batteries:
        if not hasattr(m, f"{battery.prefix}charge_room"):
            _add_room_cuts_of(m, battery, plant.step_h)


def _add_room_cuts_of(m: Any, battery: Storage, step_h: float) -> None:
    own, (floor, ceiling) = asset(m, battery), energy_bounds(battery)
    kept, drawn = battery.retention, step_h * battery.drawn_mw
    own.room_ceiling_mwh = ArrayParam(
        m.steps, np.maximum(ceiling[1:] + drawn, kept * ceiling[:-1]), units=MWH, doc="most energy while charging"
    )
    own.room_floor_mwh = ArrayParam(
        m.steps, np.minimum(floor[1:] + drawn, kept * floor[:-1]), units=MWH, doc="least energy while discharging"
    )
    own.charge_room = ArrayConstraint(m.steps, rule=rule_of(battery, charge_room))
    own.discharge_room = ArrayConstraint(m.steps, rule=rule_of(battery, discharge_room))


def charge_room(m: Any, t: Any) -> Any:
    """ρ·e[t] + η_c·h·c[t] <= e_max: a charging battery has no discharge to make room."""
    return m.retention * m.energy_mwh[t] + m.eta_charge * m.step_h * m.charge_mw[t] <= m.room_ceiling_mwh[t]


def discharge_room(m: Any, t: Any) -> Any:
    """ρ·e[t] − h·d[t]/η_d >= e_min: a discharging battery has no charge to live on."""
    return m.retention * m.energy_mwh[t] - (m.step_h / m.eta_discharge) * m.discharge_mw[t] >= m.room_floor_mwh[t]
