"""The numbers of a scenario's physics: what every model, the stepper and the audit read, derived once.

A topology is here a set of paths: which efficiencies stand between the battery's port and its cells, on
which bus the PV power arrives, and whether one inverter is shared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from bess_opt.common import clock
from bess_opt.common.arrays import Array
from bess_opt.common.clock import Mask
from bess_opt.common.errors import ScenarioError
from bess_opt.inputs.batteries import several_batteries
from bess_opt.plant import physics
from bess_opt.plant.billing import Billing
from bess_opt.plant.connection import Connection, Outages
from bess_opt.plant.products.offers import Offer, called_down, called_states, settled_limits
from bess_opt.plant.warranty.cycle_caps import CycleCap
from bess_opt.plant.warranty.depth_wear import DepthWear, Worn, worn

PRECISION = 1e-12  # of a number: doubles hold 2e-16, and a step's balance passes through a dozen operations


@dataclass(frozen=True)
class Storage:
    """Battery seen from its port. Powers in MW at the port, energies in MWh in the cells.

    `name` tells several batteries apart; it is empty where there is one. `on_dc_bus`: its port is at the DC bus.
    """

    energy_mwh: float
    power_mw: float  # rated, of discharging
    charge_max_mw: float  # rated power or C-rate, whichever is lower
    discharge_max_mw: float
    eta_charge: float
    eta_discharge: float
    retention: float
    start_mwh: float
    floor_mwh: Array  # n+1 values: start of the horizon, then the end of each step
    ceiling_mwh: Array
    end_min_mwh: float  # the end condition, apart from the window
    end_max_mwh: float
    end_value_per_mwh: float
    caps: tuple[CycleCap, ...]  # on the energy that leaves or enters the cells
    wear_cost_per_mwh: float
    variable_om_per_mwh: float
    charge_given_mw: Array | float = np.inf  # a stated limit per step, beside `charge_max_mw`
    discharge_given_mw: Array | float = np.inf
    drawn_mw: Array | float = 0.0  # taken from the cells per step, without loss
    name: str = ""
    on_dc_bus: bool = False
    wear: DepthWear | None = None  # by depth of cycle, beside `wear_cost_per_mwh` at the port

    @property
    def prefix(self) -> str:
        """What stands before the battery's own columns and components; nothing where there is one battery."""
        return f"{self.name}." if self.name else ""

    def place(self, key: str) -> str:
        """Where `key` is stated: "battery.power_mw", with several "battery.north.power_mw"."""
        return f"battery.{self.prefix}{key}"

    def series(self, column: str) -> str:
        """Where a column of the battery's own is stated: "series.drawn_mw", with several "series.north.drawn_mw"."""
        return f"series.{self.prefix}{column}"

    @property
    def charge_limit_mw(self) -> Array | float:
        """Most charge power at the port: the battery's own, or what is stated for the step; one or n values."""
        lower: Array | float = np.minimum(self.charge_max_mw, self.charge_given_mw)
        return lower

    @property
    def discharge_limit_mw(self) -> Array | float:
        """Most discharge power at the port: the battery's own, or what is stated for the step; one or n values."""
        lower: Array | float = np.minimum(self.discharge_max_mw, self.discharge_given_mw)
        return lower

    def through_cells(self, charge_mw: Array, discharge_mw: Array, step_h: float) -> tuple[Array, Array]:
        """(energy that enters, energy that leaves) the cells per step, MWh."""
        _, into, out = self.law(step_h)
        return into * charge_mw, out * discharge_mw

    def worn(self, charge_mw: Array, discharge_mw: Array, step_h: float) -> Worn:
        """Wear by depth of cycle of powers from the first step on; nothing where the battery states none."""
        if self.wear is None:
            return Worn(np.zeros(len(discharge_mw)), np.zeros(0))
        into, out = self.through_cells(charge_mw, discharge_mw, step_h)
        drawn = step_h * np.broadcast_to(self.drawn_mw, len(discharge_mw))
        return worn(self.wear, self.retention, into, out, drawn)

    def law(self, step_h: float) -> tuple[float, float, float]:
        """(kept, into, out of) of a step of `step_h` hours, see `physics.law`."""
        return physics.law(
            eta_charge=self.eta_charge, eta_discharge=self.eta_discharge, retention=self.retention, step_h=step_h
        )


def _together(batteries: Sequence[Storage]) -> Storage:
    power = np.array([battery.power_mw for battery in batteries])
    energy = np.array([battery.energy_mwh for battery in batteries])

    def total(name: str) -> Any:
        return sum(getattr(battery, name) for battery in batteries)

    def mean(name: str, weight: Array) -> float:
        values = np.array([getattr(battery, name) for battery in batteries])
        return float(values @ weight / weight.sum())

    sums = ("energy_mwh", "power_mw", "charge_max_mw", "discharge_max_mw", "start_mwh", "floor_mwh", "ceiling_mwh")
    means = ("eta_charge", "eta_discharge", "wear_cost_per_mwh", "variable_om_per_mwh")
    numbers: dict[str, Any] = {name: total(name) for name in (*sums, "end_min_mwh", "end_max_mwh", "drawn_mw")}
    numbers |= {name: mean(name, power) for name in means}
    return Storage(
        **numbers,
        retention=mean("retention", energy),
        end_value_per_mwh=0.0,
        caps=(),
        charge_given_mw=total("charge_limit_mw"),
        discharge_given_mw=total("discharge_limit_mw"),
    )


@dataclass(frozen=True)
class Ratings:
    """What limits a battery's power, each in proportion to its size: at the port, and at the cells."""

    charge_mw: float
    discharge_mw: float
    cells_mw: float
    eta_in: float  # between the port and the cells' terminals
    eta_out: float


@dataclass(frozen=True)
class Bus:
    """Shared inverter of a DC-coupled battery; `inverter_mw` is its rating at the AC side, both directions."""

    eta_out: float
    eta_in: float
    inverter_mw: float


@dataclass(frozen=True)
class Plant:
    """Everything numeric about one scenario. Arrays have one value per step unless said otherwise."""

    index: pd.DatetimeIndex
    step_h: float
    batteries: tuple[Storage, ...]
    bus: Bus | None
    solar_ac_mw: Array
    solar_dc_mw: Array
    load_mw: Array
    import_price: Array  # NaN where the scenario states none; with tiers that of the tier under way at first
    export_price: Array
    import_max_mw: Array  # inf where nothing limits
    export_max_mw: Array
    grid_charging: bool
    battery_export: bool  # whether the battery may feed the grid
    curtailment: bool
    unserved_price_per_mwh: float | None
    billing: Billing | None = None
    solar_capacity_mw: float | None = None
    extra: dict[str, Array] = field(default_factory=dict)
    auxiliary_mw: float = 0.0  # part of load_mw
    clauses: Connection | None = None
    strict_export: bool = False  # export is no more than what PV has over the load
    outages: Outages | None = None
    offers: tuple[Offer, ...] = ()  # market products that it may hold

    @property
    def activated(self) -> bool:
        """Whether market products are called in some step, so that flows are means over calls."""
        return any(offer.called for offer in self.offers)

    @property
    def storage(self) -> Storage:
        """The one battery. ScenarioError where there are several: what asks for it serves one alone."""
        if len(self.batteries) > 1:
            raise ScenarioError([several_batteries([battery.name for battery in self.batteries])])
        return self.batteries[0]

    @cached_property
    def together(self) -> Storage:
        """One battery that stands for all, for rules: sums, and efficiencies by rated power; the one battery itself.

        Its floor, ceiling and limits are the sums, its caps none: the step simulator holds those of each.
        """
        return self.batteries[0] if len(self.batteries) == 1 else _together(self.batteries)

    @property
    def power_mw(self) -> float:
        """Rated power of all batteries."""
        return sum(battery.power_mw for battery in self.batteries)

    @property
    def energy_mwh(self) -> float:
        """Nameplate energy of all batteries."""
        return sum(battery.energy_mwh for battery in self.batteries)

    @property
    def on_ac_bus(self) -> tuple[Storage, ...]:
        """The batteries whose port is at the AC bus."""
        return tuple(battery for battery in self.batteries if not battery.on_dc_bus)

    @property
    def on_dc_bus(self) -> tuple[Storage, ...]:
        """The batteries whose port is at the DC bus."""
        return tuple(battery for battery in self.batteries if battery.on_dc_bus)

    @property
    def connection(self) -> Connection:
        """The clauses of the connection agreement, none where the site has none."""
        return self.clauses if self.clauses is not None else Connection((), self.steps, self.step_h)

    @property
    def steps(self) -> int:
        """Number of steps."""
        return len(self.index)

    @property
    def horizon_h(self) -> float:
        """Length of the horizon in hours."""
        return self.steps * self.step_h

    @property
    def has_prices(self) -> bool:
        """Whether energy prices are known at every step."""
        return not (np.isnan(self.import_price).any() or np.isnan(self.export_price).any())

    @property
    def away(self) -> Mask:
        """Steps without the grid."""
        return np.zeros(self.steps, dtype=np.bool_) if self.outages is None else self.outages.away

    @property
    def curtailable(self) -> Mask:
        """Steps in which PV may be curtailed: where that is allowed all, and always those without the grid."""
        return np.ones(self.steps, dtype=np.bool_) if self.curtailment else self.away

    @property
    def free_shed_mw(self) -> Array:
        """Load that may go unserved free of charge: in an outage what is not critical."""
        share: Array = np.zeros(self.steps) if self.outages is None else self.outages.free_share
        return share * np.maximum(self.load_mw - self.auxiliary_mw, 0.0)

    @property
    def sheddable_mw(self) -> Array:
        """Load that may go unserved: where that has a price, all but the battery's own."""
        if self.unserved_price_per_mwh is None:
            return self.free_shed_mw
        shed: Array = np.maximum(self.load_mw - self.auxiliary_mw, 0.0)
        return shed

    def shed_mw(self, unserved_mw: Array) -> Array:
        """The part of unserved load that is free of charge."""
        shed: Array = np.minimum(unserved_mw, self.free_shed_mw)
        return shed

    @property
    def generation_mw(self) -> Array:
        """Negative load: generation of the site that cannot be curtailed."""
        given: Array = np.maximum(-self.load_mw, 0.0)
        return given

    @property
    def solar_mw(self) -> Array:
        """PV power available where it meets the battery: AC part plus DC part."""
        both: Array = self.solar_ac_mw + self.solar_dc_mw
        return both

    def settled_energy(self, import_mw: Array, export_mw: Array) -> tuple[Array, Array, Array]:
        """(import price, export price, revenue) of each step for flows that are known."""
        if self.billing is None or not self.has_prices:
            return self.import_price, self.export_price, np.zeros(self.steps)
        return self.billing.energy.settled(import_mw, export_mw)

    @cached_property
    def day(self) -> Array:
        """Number of the local calendar day of each step, from 0."""
        return clock.day_number(self.index)

    @cached_property
    def day_end(self) -> Array:
        """For each step, the first step of the next local calendar day."""
        last = np.append(np.flatnonzero(np.diff(self.day)) + 1, self.steps)
        ends: Array = last[np.searchsorted(last, np.arange(self.steps), side="right")]
        return ends

    @cached_property
    def scale_mw(self) -> float:
        """Power that stands for the battery: tolerances and the solver's scaling are relative to it.

        PV and load have no say, or one cell of theirs could hide the battery. Without a battery their typical power.
        """
        largest = max(max(battery.charge_max_mw, battery.discharge_max_mw) for battery in self.batteries)
        if largest > 0.0:
            return largest
        flows = np.abs(np.concatenate([self.solar_mw, self.load_mw]))
        return float(np.median(flows[flows > 0.0])) if flows.any() else 1.0

    @cached_property
    def rounding_mw(self) -> Array:
        """What double precision cannot tell apart in each step, MW: its flows are as large as its PV and load."""
        rounding: Array = PRECISION * np.maximum(np.abs(self.solar_mw), np.abs(self.load_mw))
        return rounding

    def solar_used_mw(self, curtailed_ac_mw: Array, curtailed_dc_mw: Array) -> Array:
        """PV used at the AC side per step: the AC part, and the DC part behind the shared inverter's loss."""
        to_ac = 1.0 if self.bus is None else self.bus.eta_out
        used: Array = self.solar_ac_mw - curtailed_ac_mw + to_ac * (self.solar_dc_mw - curtailed_dc_mw)
        return used

    def flow_limits(self) -> dict[str, Array]:
        """Most of each flow per step when its converter runs one way only (one way).

        Stated limits, or what the plant can take or give at all; so every flow is bounded.
        """
        one, limits = np.ones(self.steps), dict[str, Array]()
        takes, gives, takes_dc, gives_dc = (np.zeros(self.steps) for _ in range(4))
        for battery in self.batteries:
            into, out = battery.charge_limit_mw * one, battery.discharge_limit_mw * one
            limits |= {f"{battery.prefix}charge_mw": into, f"{battery.prefix}discharge_mw": out}
            calls = (*called_down(battery.prefix, self.offers), *called_states(battery.prefix, self.offers))
            for state in calls:
                limits |= {f"{state}_charge_mw": into, f"{state}_discharge_mw": out}
            if battery.on_dc_bus:
                takes_dc, gives_dc = takes_dc + into, gives_dc + out
            else:
                takes, gives = takes + into, gives + out
        if self.bus is not None:
            discharging = gives_dc
            gives_dc = np.minimum((gives_dc + self.solar_dc_mw) * self.bus.eta_out, self.bus.inverter_mw)
            takes_dc = np.minimum(takes_dc / self.bus.eta_in, self.bus.inverter_mw)
            limits |= {"inverter_out_mw": gives_dc, "inverter_in_mw": takes_dc}
            limits |= {"base_inverter_out_mw": gives_dc, "base_inverter_in_mw": takes_dc}
            if self.activated:  # a call that turns them round comes in through the losses of both ways
                turned = discharging * (1.0 / self.bus.eta_in - self.bus.eta_out)
                takes_dc = np.minimum(takes_dc + turned, self.bus.inverter_mw)
            takes, gives = takes + takes_dc, gives + gives_dc
        limits["import_mw"] = np.minimum(np.maximum(takes + self.load_mw, 0.0), self.import_max_mw)
        limits["export_mw"] = np.minimum(gives + self.solar_ac_mw + self.generation_mw, self.export_max_mw)
        limits |= settled_limits(self.offers, limits["import_mw"], limits["export_mw"])
        if self.strict_export:
            nothing = np.zeros(self.steps)
            over = np.maximum(self.solar_used_mw(nothing, nothing) - self.load_mw, 0.0)
            limits |= {"solar_over_load_mw": over, "solar_short_of_load_mw": np.maximum(self.load_mw, 0.0)}
        return limits

    def with_storage(self, **changes: object) -> Plant:
        """The same plant with some numbers of its one battery replaced."""
        return self.with_batteries(lambda _battery: changes)

    def with_batteries(self, changes: Callable[[Storage], Mapping[str, object]]) -> Plant:
        """The same plant with some numbers of each battery replaced; `changes` says which."""
        changed = tuple(replace(battery, **changes(battery)) for battery in self.batteries)  # type: ignore[arg-type]
        return replace(self, batteries=changed)
