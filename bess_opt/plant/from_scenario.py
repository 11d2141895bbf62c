"""A scenario's site, battery, tariff and series as the numbers of a `Plant`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from bess_opt.common.arrays import Array
from bess_opt.common.columns import OF_BATTERY
from bess_opt.inputs.batteries import battery_of_array, column_of, place_of
from bess_opt.inputs.battery import Battery, EndLimits, EndValue
from bess_opt.inputs.scenario import Scenario
from bess_opt.inputs.technologies import ROUNDING
from bess_opt.plant import physics
from bess_opt.plant.billing import billing_of
from bess_opt.plant.connection import Connection, connection_of, outages_of
from bess_opt.plant.plant import Bus, Plant, Ratings, Storage
from bess_opt.plant.products.offers import offers_of
from bess_opt.plant.warranty.cycle_caps import cycle_caps_of
from bess_opt.plant.warranty.depth_wear import depth_wear_of

T = TypeVar("T")
_KEPT: ContextVar[dict[tuple[int, str], tuple[Scenario, Any]] | None] = ContextVar("kept", default=None)


@contextmanager
def plants_kept() -> Iterator[None]:
    """Meanwhile what is `kept` of each scenario is made once: for work that asks many times about the same one."""
    token = _KEPT.set({})
    try:
        yield
    finally:
        _KEPT.reset(token)


def kept(scenario: Scenario, what: str, make: Callable[[], T]) -> T:
    """What `make` gives, the same each time while plants are kept; `what` tells apart what is kept of a scenario."""
    store = _KEPT.get()
    if store is None:
        return make()
    if (id(scenario), what) not in store:
        store[id(scenario), what] = scenario, make()  # held, so that no other gets its id
    found: T = store[id(scenario), what][1]
    return found


def plant_of(scenario: Scenario, values: pd.DataFrame | None = None) -> Plant:
    """Derive the numbers of `scenario`'s physics and prices.

    `values` stand for the scenario's series, of the same columns and index: what is forecast of them.
    """
    if values is not None:
        return _derived(scenario, values)
    return kept(scenario, "plant", lambda: _derived(scenario, None))


def plant_beside(scenario: Scenario, other: Scenario) -> Plant:
    """The plant of `scenario`, which has all but its batteries of `other`; from that of `other` where it can be.

    It cannot where the batteries' auxiliary load, which the plant's load holds, is another.
    """

    def made() -> Plant:
        alike = [sum(battery.auxiliary_mw for battery in one.batteries) for one in (scenario, other)]
        return with_size_of(plant_of(other), scenario) if alike[0] == alike[1] else _derived(scenario, None)

    return kept(scenario, "plant", made)


def _derived(scenario: Scenario, values: pd.DataFrame | None) -> Plant:
    site, batteries = scenario.site, scenario.batteries
    series = scenario.series if values is None else values
    index = pd.DatetimeIndex(series.index)
    solar_ac, solar_dc = _solar(scenario, series)
    with_array = battery_of_array(batteries)
    converters = with_array.converters
    shared = Bus(converters.dc_to_ac, converters.ac_to_dc, _or_inf(site.inverter_mw))
    auxiliary = sum(battery.auxiliary_mw for battery in batteries)
    columns = {str(name): series[name].to_numpy(dtype=float) for name in series.columns}
    outages = outages_of(scenario.outage, index, scenario.step_h)
    there = np.inf if outages is None else np.where(outages.away, 0.0, np.inf)
    clauses = connection_of(
        scenario.connection, series, scenario.step_h, scenario.holidays, None if outages is None else outages.away
    )
    billing = billing_of(scenario.tariff, columns, index, scenario.step_h, scenario.holidays)
    plant = Plant(
        index=index,
        step_h=scenario.step_h,
        batteries=tuple(_storage(scenario, battery, series) for battery in batteries),
        bus=shared if with_array.topology != "parallel_ac" else None,
        solar_ac_mw=solar_ac,
        solar_dc_mw=solar_dc,
        load_mw=_column(series, "load_mw") + auxiliary,
        import_price=billing.energy.import_price,
        export_price=billing.energy.export_price,
        import_max_mw=_lower(site.import_limit_mw, series, "import_limit_mw", there),
        export_max_mw=_lower(site.export_limit_mw, series, "export_limit_mw", there),
        grid_charging=site.grid_charging,
        battery_export=site.battery_export is True,
        strict_export=site.battery_export == "strict",
        curtailment=site.curtailment,
        unserved_price_per_mwh=site.unserved_price_per_mwh,
        billing=billing,
        solar_capacity_mw=site.solar_capacity_mw,
        extra={name: series[name].to_numpy() for name in series.columns if name.startswith("regulation")},
        auxiliary_mw=auxiliary,
        outages=outages,
        offers=offers_of(
            scenario.products,
            series,
            scenario.step_h,
            scenario.holidays,
            None if outages is None else outages.away,
            _rated_mw(batteries),
            _turned_mw(batteries),
        ),
    )
    return plant_under(plant, clauses)


def _rated_mw(batteries: Sequence[Battery]) -> dict[str, float]:
    """Rated power of all batteries by the direction of a product; both ways each has the lower of its own."""
    pairs = [(battery.power_mw, battery.charge_power) for battery in batteries]
    up, down = map(sum, zip(*pairs, strict=True))
    return {"up": up, "down": down, "symmetric": sum(min(pair) for pair in pairs)}


def _turned_mw(batteries: Sequence[Battery]) -> float:
    """MW at the AC bus between full discharge of all batteries and full charge; more through an inverter."""
    return sum(
        (battery.power_mw + battery.charge_power)
        / (1.0 if battery.topology == "parallel_ac" else battery.converters.ac_to_dc)
        for battery in batteries
    )


def plant_under(plant: Plant, clauses: Connection) -> Plant:
    """`plant`, that of a site without clauses, under `clauses`: their hard caps are among its limits."""
    return replace(
        plant,
        clauses=clauses,
        import_max_mw=np.minimum(plant.import_max_mw, clauses.cap_mw("import_mw")),
        export_max_mw=np.minimum(plant.export_max_mw, clauses.cap_mw("export_mw")),
    )


def with_size_of(plant: Plant, scenario: Scenario) -> Plant:
    """`plant` with the power and cells of `scenario`, which differs from its own in the batteries' sizes alone."""
    batteries = tuple(_storage(scenario, battery, scenario.series) for battery in scenario.batteries)
    return replace(plant, batteries=batteries)


def port_efficiency(battery: Battery) -> tuple[float, float]:
    """Converter efficiency between port and cells' terminals: (charging, discharging)."""
    if battery.topology == "parallel_ac":
        return battery.converters.ac_to_dc, battery.converters.dc_to_ac
    return battery.converters.dc_to_dc, battery.converters.dc_to_dc


def ratings_of(battery: Battery) -> Ratings:
    """What limits the power of `battery`, apart; a `Storage` has the lower of them."""
    eta_in, eta_out = port_efficiency(battery)
    cells = battery.tech.c_rate_max * battery.energy_mwh
    return Ratings(battery.charge_power, battery.power_mw, cells, eta_in, eta_out)


def _storage(scenario: Scenario, battery: Battery, series: pd.DataFrame) -> Storage:
    batteries, cells, energy = scenario.batteries, battery.tech, battery.energy_mwh
    named = {column: column_of(battery, batteries, column, series) for column in OF_BATTERY}
    own = {column: series[name].to_numpy(dtype=float) for column, name in named.items() if name is not None}
    without, nothing = np.full(len(series), np.inf), np.zeros(len(series))
    floor = np.full(len(series) + 1, cells.soc_min * energy)
    ceiling = np.full(len(series) + 1, cells.soc_max * energy)
    if "energy_min_mwh" in own:
        floor[1:] = np.maximum(floor[1:], own["energy_min_mwh"])
    if "energy_max_mwh" in own:
        ceiling[1:] = np.minimum(ceiling[1:], own["energy_max_mwh"])
    touching = np.abs(floor - ceiling) <= ROUNDING * energy
    floor[touching] = ceiling[touching]
    variable_om = scenario.finance.variable_om_per_mwh if scenario.finance else 0.0
    return replace(
        storage_of(battery, scenario.step_h, floor, ceiling, variable_om),
        charge_given_mw=own.get("charge_limit_mw", without),
        discharge_given_mw=own.get("discharge_limit_mw", without),
        drawn_mw=own.get("drawn_mw", nothing),
        name=str(battery.name) if len(batteries) > 1 else "",
        on_dc_bus=battery.topology != "parallel_ac",
        caps=cycle_caps_of(
            battery.cycle_limits(place_of(battery, batteries)),
            pd.DatetimeIndex(series.index),
            scenario.step_h,
            energy,
            own.get("drawn_mw", 0.0),
        ),
    )


def storage_of(
    battery: Battery, step_h: float, floor_mwh: Array, ceiling_mwh: Array, variable_om_per_mwh: float = 0.0
) -> Storage:
    """The numbers of `battery` at its port for steps of `step_h` hours inside a window of n+1 values each."""
    cells, energy = battery.tech, battery.energy_mwh
    eta_in, eta_out = port_efficiency(battery)
    start = battery.soc_start_resolved * energy
    end_min, end_max = _end_condition(battery, min(max(start, cells.soc_min * energy), cells.soc_max * energy))
    stated = battery.wear
    return Storage(
        energy_mwh=energy,
        power_mw=battery.power_mw,
        charge_max_mw=physics.charge_limit_mw(battery.charge_power, energy, cells.c_rate_max, eta_in),
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
        wear=None
        if stated is None
        else depth_wear_of(stated.depth, stated.cost_per_mwh, energy, start, battery.wear_stand),
    )


def _end_condition(battery: Battery, start_mwh: float) -> tuple[float, float]:
    """(least, most) energy at the end of the horizon that `soc_end` asks for, MWh."""
    end = battery.soc_end
    if end == "at_least_start":
        return start_mwh, np.inf
    if end == "equal":
        return start_mwh, start_mwh
    if isinstance(end, EndLimits):
        least = 0.0 if end.at_least is None else battery.tech.inside(end.at_least) * battery.energy_mwh
        return least, np.inf if end.at_most is None else battery.tech.inside(end.at_most) * battery.energy_mwh
    if isinstance(end, float):
        end = battery.tech.inside(end)
        return end * battery.energy_mwh, end * battery.energy_mwh
    return 0.0, np.inf


def _solar(scenario: Scenario, series: pd.DataFrame) -> tuple[Array, Array]:
    """PV power (AC part, DC part) where it meets the battery, MW."""
    battery, site = battery_of_array(scenario.batteries), scenario.site
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


def _column(series: pd.DataFrame, name: str, default: Array | None = None) -> Array:
    if name in series:
        return series[name].to_numpy(dtype=float)
    return np.zeros(len(series)) if default is None else default.copy()


def _lower(limit: float | None, series: pd.DataFrame, name: str, beside: Array | float = np.inf) -> Array:
    """The lowest of a stated limit, a series of limits and what holds `beside`, per step; inf where there is none."""
    lower: Array = np.minimum(_or_inf(limit), _column(series, name, np.full(len(series), np.inf)))
    lowest: Array = np.minimum(lower, beside)
    return lowest


def _or_inf(limit: float | None) -> float:
    return np.inf if limit is None else float(limit)
