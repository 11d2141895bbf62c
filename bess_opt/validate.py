"""What a scenario's numbers mean that its author may not have meant: warnings that reach the caller."""

from __future__ import annotations

from bess_opt.findings import Finding, Findings
from bess_opt.plant import Plant, port_efficiency
from bess_opt.scenario import Scenario


def findings(scenario: Scenario, plant: Plant) -> Findings:
    """Warnings about a valid scenario, after what reading it noted (resampled, filled, defaulted)."""
    return Findings([*scenario.notes, *_c_rate(scenario), *_unused(scenario, plant)])


def _c_rate(scenario: Scenario) -> list[Finding]:
    """The C-rate at the cells below the stated power: the battery is derated, and says so."""
    battery = scenario.battery
    eta_in, eta_out = port_efficiency(battery)
    limit, power = battery.tech.c_rate_max * battery.energy_mwh, battery.power_mw
    charge, discharge = min(power, limit / eta_in), min(power, limit * eta_out)
    if charge >= power and discharge >= power:
        return []
    found = (
        f"{power:g} MW over {battery.duration_h:g} h asks for a C-rate of {1.0 / battery.duration_h:.4g} per h, "
        f"the technology allows {battery.tech.c_rate_max:g} at the cells"
    )
    expected = (
        f"charging is limited to {charge:.4g} MW and discharging to {discharge:.4g} MW at the port; "
        "lengthen duration_h or choose another technology"
    )
    return [Finding("c_rate_limits_power", "battery.power_mw", found, expected, "warning")]


def _unused(scenario: Scenario, plant: Plant) -> list[Finding]:
    """Stated numbers that this topology or these series do not use."""
    site, notes = scenario.site, []
    if plant.bus is None and site.inverter_mw is not None and "solar_mw" in scenario.series:
        found = "solar_mw is given behind its inverter and parallel_ac shares none"
        notes.append(Finding("inverter_unused", "site.inverter_mw", found, "the rating is not used", "warning"))
    if site.dc_share is not None and scenario.battery.topology != "hybrid":
        found = f"the topology is {scenario.battery.topology!r}"
        notes.append(Finding("dc_share_unused", "site.dc_share", found, "only hybrid uses it", "warning"))
    return notes
