"""What a battery's numbers may mean unnoticed: odd size, small connection, another boundary, nothing at all."""

from __future__ import annotations

from dataclasses import replace

from bess_opt.common.findings import Finding
from bess_opt.inputs.batteries import place_of
from bess_opt.inputs.battery import Battery
from bess_opt.inputs.scenario import Scenario
from bess_opt.inputs.wear import CycleLifeWear
from bess_opt.plant.from_scenario import port_efficiency
from bess_opt.plant.plant import Plant

C_RATE_MOST, C_RATE_LEAST = 2.0, 0.25  # 1/h, power over nameplate energy
HOURS_LEAST, HOURS_MOST = 1.0, 8.0
ROUND_TRIP_LEAST = 0.80  # of today's batteries, from bus to bus


def battery_findings(scenario: Scenario, plant: Plant) -> list[Finding]:
    """All findings about the battery, its converters and its place at the connection."""
    found = []
    for battery in scenario.batteries:
        place = place_of(battery, scenario.batteries)
        found += [*_size(battery, place), *_c_rate(battery, place)]
    found += _connection(scenario, plant)
    for battery in scenario.batteries:
        place = place_of(battery, scenario.batteries)
        found += [*_efficiency(battery, place), *_lossless(battery, place)]
        if isinstance(battery.wear, CycleLifeWear):
            found += [replace(finding, where=f"{place}.{finding.where}") for finding in battery.wear.findings]
    return found + _unused(scenario, plant)


def _size(battery: Battery, place: str) -> list[Finding]:
    """Power and energy out of the usual proportion."""
    hours, rate = battery.duration_h, 1.0 / battery.duration_h
    unit = "duration_h is energy over power; give hours"
    if rate > C_RATE_MOST:
        found = f"found {hours:g} h, a C-rate of {rate:.4g} per h"
        return [
            Finding(
                "c_rate_high", f"{place}.duration_h", found, f"at most {C_RATE_MOST:g} is usual; {unit}", "warning"
            )
        ]
    if hours < HOURS_LEAST:
        found, expected = f"found {hours:g} h", f"{HOURS_LEAST:g} to {HOURS_MOST:g} h is usual; {unit}"
        return [Finding("duration_short", f"{place}.duration_h", found, expected, "recommendation")]
    if hours > HOURS_MOST:
        found, expected = f"found {hours:g} h", f"{HOURS_LEAST:g} to {HOURS_MOST:g} h is usual; {unit}"
        return [Finding("duration_long", f"{place}.duration_h", found, expected, "recommendation")]
    if rate < C_RATE_LEAST:
        found = f"found {hours:g} h, a C-rate of {rate:.4g} per h"
        expected = f"{C_RATE_LEAST:g} or more is usual; a long duration pays where the day has one long peak"
        return [Finding("c_rate_low", f"{place}.duration_h", found, expected, "recommendation")]
    return []


def _c_rate(battery: Battery, place: str) -> list[Finding]:
    """The C-rate at the cells below the stated power: the battery is derated, and says so."""
    eta_in, eta_out = port_efficiency(battery)
    limit, power = battery.tech.c_rate_max * battery.energy_mwh, battery.power_mw
    charge, discharge = min(power, limit / eta_in), min(power, limit * eta_out)
    if charge >= power and discharge >= power:
        return []
    found = (
        f"{power:g} MW over {battery.duration_h:g} h asks for a C-rate of {1.0 / battery.duration_h:.4g} "
        f"per h, the technology allows {battery.tech.c_rate_max:g} at the cells"
    )
    expected = (
        f"charging is limited to {charge:.4g} MW and discharging to {discharge:.4g} MW at the port; "
        "lengthen duration_h or choose another technology"
    )
    return [Finding("c_rate_limits_power", f"{place}.power_mw", found, expected, "warning")]


def _connection(scenario: Scenario, plant: Plant) -> list[Finding]:
    """Power of a battery that connection, load and PV can never take or give."""
    site, found = scenario.site, []
    for battery in plant.batteries:
        power, where = battery.power_mw, battery.place("power_mw")
        to_ac = 1.0 if plant.bus is None or not battery.on_dc_bus else plant.bus.eta_out
        if site.export_limit_mw is not None:
            takes = site.export_limit_mw + float(plant.load_mw.max())
            if power * to_ac > takes * (1.0 + 1e-9):
                what = f"{power:g} MW, of which export limit and load take at most {takes:.4g} MW"
                found.append(_beyond("power_above_export", where, what))
        if site.import_limit_mw is not None and plant.grid_charging:
            gives = site.import_limit_mw + float(plant.solar_mw.max())
            if power > gives * (1.0 + 1e-9):
                what = f"{power:g} MW, to which import limit and solar give at most {gives:.4g} MW"
                found.append(_beyond("power_above_import", where, what))
    return found


def _beyond(code: str, where: str, found: str) -> Finding:
    expected = "the battery never runs at full power that way; check the limits of [site]"
    return Finding(code, where, found, expected, "warning")


def _efficiency(battery: Battery, place: str) -> list[Finding]:
    """A round trip so low that a figure of another boundary is likely; only stated figures are doubted."""
    if isinstance(battery.technology, str):
        return []
    cells = battery.tech.eta_charge * battery.tech.eta_discharge
    eta_in, eta_out = port_efficiency(battery)
    whole = cells * eta_in * eta_out
    if whole >= ROUND_TRIP_LEAST:
        return []
    found = f"the round trip is {whole:.4g} at the port ({cells:.4g} in the cells)"
    if cells >= ROUND_TRIP_LEAST:
        expected = (
            "if the technology's figures include the converters, set battery.converters to 1; else they count twice"
        )
        return [Finding("converters_counted_twice", f"{place}.converters", found, expected, "warning")]
    same = battery.tech.eta_charge == battery.tech.eta_discharge
    if same and battery.tech.eta_charge * eta_in * eta_out >= ROUND_TRIP_LEAST:
        expected = (
            f"if {battery.tech.eta_charge:g} is the efficiency of a round trip, give it as round_trip_efficiency; "
            "eta_charge and eta_discharge are one-way"
        )
        return [Finding("round_trip_as_one_way", f"{place}.technology.eta_charge", found, expected, "warning")]
    expected = f"batteries reach {ROUND_TRIP_LEAST:g} or more; check the boundary of the figures"
    return [Finding("efficiency_low", f"{place}.technology", found, expected, "warning")]


def _lossless(battery: Battery, place: str) -> list[Finding]:
    """Converters without loss beside cells that are data of the package, and batteries without any loss."""
    eta_in, eta_out = port_efficiency(battery)
    if eta_in * eta_out < 1.0:
        return []
    cells = battery.tech.eta_charge * battery.tech.eta_discharge
    if isinstance(battery.technology, str):
        found = f"are 1, and {battery.technology!r} has the losses of its cells alone, {cells:.4g} for a round trip"
        expected = "leave them out for the usual 0.96 each way, unless the site's converters are counted elsewhere"
        return [Finding("converters_lossless", f"{place}.converters", found, expected, "recommendation")]
    if cells == 1.0:
        expected = "real batteries lose 8 to 20 % of a round trip"
        return [
            Finding(
                "lossless", f"{place}.technology", "cells and converters lose nothing", expected, "recommendation"
            )
        ]
    return []


def _unused(scenario: Scenario, plant: Plant) -> list[Finding]:
    """Stated numbers that this topology or these series do not use."""
    site, columns = scenario.site, scenario.series.columns
    topologies = {battery.topology for battery in scenario.batteries}
    notes: list[tuple[str, str, str, str]] = []
    if plant.bus is None and site.inverter_mw is not None and "solar_mw" in columns:
        found = "solar_mw is given behind its inverter and parallel_ac shares none"
        notes.append(("inverter_unused", "site.inverter_mw", found, "the rating is not used"))
    if site.dc_share is not None and "hybrid" not in topologies:
        shown = " and ".join(repr(topology) for topology in sorted(topologies))
        notes.append(("dc_share_unused", "site.dc_share", f"the topology is {shown}", "only hybrid uses it"))
    if site.pv_inverter_mw is not None and ("series_dc" in topologies or "solar_dc_mw" not in columns):
        found = "no array before an inverter of its own stands in the series"
        notes.append(("pv_inverter_unused", "site.pv_inverter_mw", found, "the rating is not used"))
    if site.unserved_price_per_mwh is not None and not plant.load_mw.any():
        notes.append(("unserved_price_unused", "site.unserved_price_per_mwh", "there is no load", "it is not used"))
    for battery in (battery for battery in scenario.batteries if battery.self_discharge_per_h > 0.01):
        place = place_of(battery, scenario.batteries)
        found = f"{battery.self_discharge_per_h:g} per hour, {1 - (1 - battery.self_discharge_per_h) ** 24:.1%} a day"
        notes.append(
            ("self_discharge_high", f"{place}.self_discharge_per_h", found, "it is a share per hour, not per day")
        )
    return [Finding(*note, "recommendation") for note in notes]
