"""The numbers of a scenario's physics: what every model, the stepper and the audit read, derived once.

A topology is here a set of paths: which efficiencies stand between the battery's port and its cells, on
which bus the PV power arrives, and whether one inverter is shared.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pandas as pd

from bess_opt.common import clock
from bess_opt.inputs.battery import ROUNDING, Battery, EndValue
from bess_opt.inputs.scenario import Scenario
from bess_opt.inputs.tariff import Tariff, energy_price
from bess_opt.plant import physics
from bess_opt.plant.billing import Billing, billing
from bess_opt.plant.cycle_caps import CycleCap, cycle_caps

Array = np.ndarray


@dataclass(frozen=True)
class Storage:
    """Battery seen from its port. Powers in MW at the port, energies in MWh in the cells."""

    energy_mwh: float
    charge_max_mw: float
    discharge_max_mw: float
    eta_charge: float
    eta_discharge: float
    retention: float
    start_mwh: float
    floor_mwh: Array  # n+1 values: start of the horizon, then the end of each step
    ceiling_mwh: Array
    end_min_mwh: float  # the end condition (rule 7), apart from the window
    end_max_mwh: float
    end_value_per_mwh: float
    caps: tuple[CycleCap, ...]  # on the energy that leaves or enters the cells
    wear_cost_per_mwh: float
    variable_om_per_mwh: float

    def through_cells(self, charge_mw: Array, discharge_mw: Array, step_h: float) -> tuple[Array, Array]:
        """(energy that enters, energy that leaves) the cells per step, MWh."""
        _, into, out = self.law(step_h)
        return into * charge_mw, out * discharge_mw

    def law(self, step_h: float) -> tuple[float, float, float]:
        """(kept, into, out of) of a step of `step_h` hours, see `physics.law`."""
        return physics.law(
            eta_charge=self.eta_charge, eta_discharge=self.eta_discharge, retention=self.retention, step_h=step_h
        )


@dataclass(frozen=True)
class Bus:
    """Shared inverter of a DC-coupled battery; `inverter_mw` is its rating at the AC side, both directions."""

    eta_out: float
    eta_in: float
    inverter_mw: float


@dataclass(frozen=True)
class Reserves:
    """Regulation that this plant may sell: pay per direction, and what a held MW asks of the battery.

    Pay in currency per MW and hour. `activation_up` and `activation_down` are the shares of the held capacity
    that are called on average over a step; `block_starts` marks the steps at which the capacity may change.
    """

    up_price: Array
    down_price: Array
    activation_up: Array
    activation_down: Array
    headroom_h: float
    max_mw: float
    symmetric: bool
    block_starts: Array


@dataclass(frozen=True)
class Plant:
    """Everything numeric about one scenario. Arrays have one value per step unless said otherwise."""

    index: pd.DatetimeIndex
    step_h: float
    power_mw: float
    storage: Storage
    bus: Bus | None
    solar_ac_mw: Array
    solar_dc_mw: Array
    load_mw: Array
    import_price: Array  # NaN where the scenario states none
    export_price: Array
    import_max_mw: float
    export_max_mw: float
    grid_charging: bool
    battery_export: bool  # whether the battery may feed the grid
    curtailment: bool
    unserved_price_per_mwh: float | None
    billing: Billing | None = None
    solar_capacity_mw: float | None = None
    extra: dict[str, Array] = field(default_factory=dict)
    reserves: Reserves | None = None
    auxiliary_mw: float = 0.0  # part of load_mw
    strict_export: bool = False  # export is no more than what PV has over the load

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
    def sheddable_mw(self) -> Array:
        """Load that may go unserved: where that has a price, all but the battery's own."""
        if self.unserved_price_per_mwh is None:
            return np.zeros(self.steps)
        shed: Array = np.maximum(self.load_mw - self.auxiliary_mw, 0.0)
        return shed

    @property
    def solar_mw(self) -> Array:
        """PV power available where it meets the battery: AC part plus DC part."""
        both: Array = self.solar_ac_mw + self.solar_dc_mw
        return both

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

    @property
    def scale_mw(self) -> float:
        """Power that stands for this plant's size: tolerances and scaling are relative to it."""
        peak = max(float(self.solar_mw.max()), float(self.load_mw.max()))
        return max(peak, self.storage.charge_max_mw, self.storage.discharge_max_mw)

    def solar_used_mw(self, curtailed_ac_mw: Array, curtailed_dc_mw: Array) -> Array:
        """PV used at the AC side per step: the AC part, and the DC part behind the shared inverter's loss."""
        to_ac = 1.0 if self.bus is None else self.bus.eta_out
        used: Array = self.solar_ac_mw - curtailed_ac_mw + to_ac * (self.solar_dc_mw - curtailed_dc_mw)
        return used

    def flow_limits(self) -> dict[str, Array]:
        """Most of each flow per step when its converter runs one way only (rule 10).

        Stated limits, or what the plant can take or give at all; so every flow is bounded.
        """
        one = np.ones(self.steps)
        takes, gives = self.storage.charge_max_mw * one, self.storage.discharge_max_mw * one
        limits = {"charge_mw": takes, "discharge_mw": gives}
        if self.reserves is not None:
            for state in ("base", "up", "down"):
                limits |= {f"{state}_charge_mw": takes, f"{state}_discharge_mw": gives}
        if self.bus is not None:
            gives = np.minimum((gives + self.solar_dc_mw) * self.bus.eta_out, self.bus.inverter_mw)
            takes = np.minimum(takes / self.bus.eta_in, self.bus.inverter_mw)
            limits |= {"inverter_out_mw": gives, "inverter_in_mw": takes}
        limits["import_mw"] = np.minimum(takes + self.load_mw, self.import_max_mw)
        limits["export_mw"] = np.minimum(gives + self.solar_ac_mw, self.export_max_mw)
        if self.strict_export:
            nothing = np.zeros(self.steps)
            over = np.maximum(self.solar_used_mw(nothing, nothing) - self.load_mw, 0.0)
            limits |= {"solar_over_load_mw": over, "solar_short_of_load_mw": np.maximum(self.load_mw, 0.0)}
        return limits

    def with_storage(self, **changes: object) -> Plant:
        """The same plant with some of its storage numbers replaced."""
        return replace(self, storage=replace(self.storage, **changes))  # type: ignore[arg-type]


def plant(scenario: Scenario, values: pd.DataFrame | None = None) -> Plant:
    """Derive the numbers of `scenario`'s physics and prices.

    `values` stand for the scenario's series, of the same columns and index: what is forecast of them.
    """
    site, battery = scenario.site, scenario.battery
    series = scenario.series if values is None else values
    index = pd.DatetimeIndex(series.index)
    solar_ac, solar_dc = _solar(scenario, series)
    dc_coupled = battery.topology != "parallel_ac"
    converters = battery.converters
    import_price, export_price = _prices(scenario.tariff, series)
    return Plant(
        index=index,
        step_h=scenario.step_h,
        power_mw=battery.power_mw,
        storage=_storage(scenario, series),
        bus=Bus(converters.dc_to_ac, converters.ac_to_dc, _or_inf(site.inverter_mw)) if dc_coupled else None,
        solar_ac_mw=solar_ac,
        solar_dc_mw=solar_dc,
        load_mw=_column(series, "load_mw") + battery.auxiliary_mw,
        import_price=import_price,
        export_price=export_price,
        import_max_mw=_or_inf(site.import_limit_mw),
        export_max_mw=_or_inf(site.export_limit_mw),
        grid_charging=site.grid_charging,
        battery_export=site.battery_export is True,
        strict_export=site.battery_export == "strict",
        curtailment=site.curtailment,
        unserved_price_per_mwh=site.unserved_price_per_mwh,
        billing=billing(scenario.tariff, index, scenario.step_h),
        solar_capacity_mw=site.solar_capacity_mw,
        extra={name: series[name].to_numpy() for name in series.columns if name.startswith("regulation")},
        auxiliary_mw=battery.auxiliary_mw,
    )


def port_efficiency(battery: Battery) -> tuple[float, float]:
    """Converter efficiency between port and cells' terminals: (charging, discharging)."""
    if battery.topology == "parallel_ac":
        return battery.converters.ac_to_dc, battery.converters.dc_to_ac
    return battery.converters.dc_to_dc, battery.converters.dc_to_dc


def _storage(scenario: Scenario, series: pd.DataFrame) -> Storage:
    battery = scenario.battery
    cells, energy = battery.tech, battery.energy_mwh
    floor = np.full(len(series) + 1, cells.soc_min * energy)
    ceiling = np.full(len(series) + 1, cells.soc_max * energy)
    if "energy_min_mwh" in series:
        reserve = series["energy_min_mwh"].to_numpy()
        at_edge = np.abs(reserve - ceiling[1:]) <= ROUNDING * energy
        floor[1:] = np.maximum(floor[1:], np.where(at_edge, ceiling[1:], reserve))
    variable_om = scenario.finance.variable_om_per_mwh if scenario.finance else 0.0
    storage = storage_of(battery, scenario.step_h, floor, ceiling, variable_om)
    index = pd.DatetimeIndex(series.index)
    return replace(storage, caps=cycle_caps(battery.cycle_limits, index, scenario.step_h, energy))


def storage_of(
    battery: Battery, step_h: float, floor_mwh: Array, ceiling_mwh: Array, variable_om_per_mwh: float = 0.0
) -> Storage:
    """The numbers of `battery` at its port for steps of `step_h` hours inside a window of n+1 values each.

    Caps on cycles need a calendar and are left out.
    """
    cells, energy = battery.tech, battery.energy_mwh
    eta_in, eta_out = port_efficiency(battery)
    start = battery.soc_start_resolved * energy
    end_min, end_max = _end_condition(battery, start)
    return Storage(
        energy_mwh=energy,
        charge_max_mw=physics.charge_limit_mw(battery.power_mw, energy, cells.c_rate_max, eta_in),
        discharge_max_mw=physics.discharge_limit_mw(battery.power_mw, energy, cells.c_rate_max, eta_out),
        eta_charge=eta_in * cells.eta_charge,
        eta_discharge=eta_out * cells.eta_discharge,
        retention=physics.retention(battery.self_discharge_per_h, step_h),
        start_mwh=start,
        floor_mwh=floor_mwh,
        ceiling_mwh=ceiling_mwh,
        end_min_mwh=end_min,
        end_max_mwh=end_max,
        end_value_per_mwh=battery.soc_end.value_per_mwh if isinstance(battery.soc_end, EndValue) else 0.0,
        caps=(),
        wear_cost_per_mwh=battery.wear_cost_per_mwh,
        variable_om_per_mwh=variable_om_per_mwh,
    )


def _end_condition(battery: Battery, start_mwh: float) -> tuple[float, float]:
    """(least, most) energy at the end of the horizon that `soc_end` asks for, MWh."""
    end = battery.soc_end
    if end == "at_least_start":
        return start_mwh, np.inf
    if end == "equal":
        return start_mwh, start_mwh
    if isinstance(end, float):
        end = battery.tech.inside(end)
        return end * battery.energy_mwh, end * battery.energy_mwh
    return 0.0, np.inf


def _solar(scenario: Scenario, series: pd.DataFrame) -> tuple[Array, Array]:
    """PV power (AC part, DC part) where it meets the battery, MW."""
    battery, site = scenario.battery, scenario.site
    to_ac = battery.converters.dc_to_ac
    nothing = np.zeros(len(series))
    if battery.topology == "parallel_ac":
        return _solar_ac(series, to_ac, site.pv_rating_mw(battery.topology), 1.0), nothing
    array = _column(series, "solar_dc_mw" if "solar_dc_mw" in series else "solar_mw")
    dc = array if "solar_dc_mw" in series else array / to_ac
    if battery.topology == "series_dc":
        return nothing, dc
    share = site.dc_share if site.dc_share is not None else 1.0
    return _solar_ac(series, to_ac, site.pv_rating_mw(battery.topology), 1.0 - share), share * dc


def _solar_ac(series: pd.DataFrame, to_ac: float, inverter_mw: float | None, share: float) -> Array:
    """AC power of `share` of the array behind an inverter of its own."""
    if "solar_mw" in series or "solar_dc_mw" not in series:
        return share * _column(series, "solar_mw")
    ac: Array = np.minimum(share * _column(series, "solar_dc_mw") * to_ac, _or_inf(inverter_mw))
    return ac


def _prices(tariff: Tariff | None, series: pd.DataFrame) -> tuple[Array, Array]:
    """(import, export) price per step: the series' prices plus the tariff's energy rates."""
    index = pd.DatetimeIndex(series.index)
    both = "price_per_mwh" in series
    unknown = np.full(len(index), np.nan)
    import_price = _column(series, "price_per_mwh" if both else "import_price_per_mwh", unknown)
    export_price = _column(series, "price_per_mwh" if both else "export_price_per_mwh", unknown)
    if tariff is None or not tariff.energy:
        return import_price, export_price
    rate = energy_price(tariff, index)
    paid = np.nan_to_num(import_price, nan=0.0) + rate
    if tariff.export == "same":
        return paid, np.nan_to_num(export_price, nan=0.0) + rate
    flat = 0.0 if isinstance(tariff.export, str) else float(tariff.export)
    return paid, np.where(np.isnan(export_price), flat, export_price)


def _column(series: pd.DataFrame, name: str, default: Array | None = None) -> Array:
    if name in series:
        return series[name].to_numpy(dtype=float)
    return np.zeros(len(series)) if default is None else default.copy()


def _or_inf(limit: float | None) -> float:
    return np.inf if limit is None else float(limit)
