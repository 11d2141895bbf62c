"""How five other tools name the same battery, and where each puts the losses of a round trip.

A cell is (the tool's own name with its unit or meaning, the value in that tool as a format of `facts`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt

Cell = tuple[str, str]


@dataclass(frozen=True)
class Efficiencies:
    """One-way efficiencies of a battery from its port: converter and cells, charging and discharging."""

    converter_in: float
    converter_out: float
    cells_in: float
    cells_out: float

    @property
    def round_trip(self) -> float:
        """From port to port."""
        return self.converter_in * self.converter_out * self.cells_in * self.cells_out


Placement = Callable[[Efficiencies], tuple[float, float]]


def as_stated(eta: Efficiencies) -> tuple[float, float]:
    """(charging, discharging) as the scenario has them."""
    return eta.converter_in * eta.cells_in, eta.converter_out * eta.cells_out


def on_charging(eta: Efficiencies) -> tuple[float, float]:
    """(η_charge, η_discharge) where a tool takes all losses of the round trip while charging."""
    return eta.round_trip, 1.0


def evenly(eta: Efficiencies) -> tuple[float, float]:
    """(η_charge, η_discharge) where a tool shares the losses evenly: the square root of the round trip each way."""
    return sqrt(eta.round_trip), sqrt(eta.round_trip)


def cells_evenly(eta: Efficiencies) -> tuple[float, float]:
    """Converters each their own way, the cells' round trip split evenly."""
    cells = sqrt(eta.cells_in * eta.cells_out)
    return eta.converter_in * cells, eta.converter_out * cells


@dataclass(frozen=True)
class Tool:
    """Names of one tool. `rated_at_cells`: its power is that of the cells, behind the converter."""

    cells: dict[str, Cell]
    place: Placement
    source: str
    rated_at_cells: bool = False


PARAMETERS = (
    "power", "energy", "efficiency", "boundary", "soc_window", "self_discharge", "cycle_cost", "start", "end",
)  # fmt: skip

TOOLS: dict[str, Tool] = {
    "bess_opt": Tool(
        {
            "power": ("power_mw [MW] at the port, both directions", "{power_mw:g}"),
            "energy": ("power_mw · duration_h [MWh] nameplate", "{energy_mwh:g}"),
            "efficiency": ("eta_charge, eta_discharge, port to cells", "{eta_in:.6g}, {eta_out:.6g}"),
            "boundary": ("technology: cells; converters: cells to bus", ""),
            "soc_window": ("technology.soc_min, soc_max [1]", "{soc_min:g}, {soc_max:g}"),
            "self_discharge": ("self_discharge_per_h [1/h], of what is stored", "{loss_per_h:g}"),
            "cycle_cost": ("wear_cost_per_mwh [/MWh discharged at the port]", "{wear:g}"),
            "start": ("soc_start [1]", "{soc_start:g}"),
            "end": ("soc_end: at least the start by default", "{soc_end}"),
        },
        as_stated,
        "docs/design.md, rules 5 to 7",
    ),
    "PyPSA": Tool(
        {
            "power": ("StorageUnit.p_nom [MW] at the bus", "{power_mw:g}"),
            "energy": ("p_nom · max_hours, all of it usable; max_hours [h]", "{usable_h:g}"),
            "efficiency": ("efficiency_store, efficiency_dispatch", "{eta_in:.6g}, {eta_out:.6g}"),
            "boundary": ("bus to store, each way its own", ""),
            "soc_window": ("none for StorageUnit; Store.e_min_pu, e_max_pu", "{soc_min:g}, {soc_max:g}"),
            "self_discharge": ("standing_loss [1/h], of what is stored", "{loss_per_h:g}"),
            "cycle_cost": ("marginal_cost [/MWh dispatched]", "{wear:g}"),
            "start": ("state_of_charge_initial [MWh], no standing_loss in the first step", "{start_usable_mwh:g}"),
            "end": ("cyclic_state_of_charge (end = start); free unless True", ""),
        },
        as_stated,
        "PyPSA documentation, components StorageUnit and Store",
    ),
    "REopt": Tool(
        {
            "power": ("ElectricStorage.min_kw = max_kw [kW], charge + discharge, AC", "{power_kw:g}"),
            "energy": ("min_kwh = max_kwh [kWh] nameplate", "{energy_kwh:g}"),
            "efficiency": (
                "rectifier_, inverter_, internal_efficiency_fraction",
                "{converter_in:.6g}, {converter_out:.6g}, {cells:.6g}",
            ),
            "boundary": ("rectifier·√internal charging, inverter·√internal discharging", ""),
            "soc_window": ("soc_min_fraction; the top is 1", "{soc_min:g}"),
            "self_discharge": ("none in the constraints read", ""),
            "cycle_cost": ("none; degradation only with model_degradation", ""),
            "start": ("soc_init_fraction [1]", "{soc_start:g}"),
            "end": ("free, unless optimize_soc_init_fraction (then end = start)", ""),
        },
        cells_evenly,
        "REopt.jl, electric_storage.jl and storage_constraints.jl",
    ),
    "DER-VET": Tool(
        {
            "power": ("ch_max_rated, dis_max_rated [kW]", "{power_kw:g}, {power_kw:g}"),
            "energy": ("ene_max_rated [kWh] nameplate", "{energy_kwh:g}"),
            "efficiency": ("rte [%]", "{round_trip_percent:.6g}"),
            "boundary": ("all on charging: stored = rte·charged", ""),
            "soc_window": ("llsoc, ulsoc [%]", "{soc_min_percent:g}, {soc_max_percent:g}"),
            "self_discharge": ("sdr [%/h], of what is stored", "{loss_percent_per_h:g}"),
            "cycle_cost": ("OMexpenses [$/MWh discharged]; daily_cycle_limit", "{wear:g}"),
            "start": ("soc_target [%], of ulsoc·ene_max_rated", "{target_percent:.6g}"),
            "end": ("soc_target again: end equals start", ""),
        },
        on_charging,
        "StorageVET, Technology/EnergyStorage.py",
    ),
    "SAM": Tool(
        {
            "power": (
                "batt_power_charge_max_kwdc, _discharge_max_kwdc [kW DC]; also as kwac",
                "{power_kw:g}",
            ),
            "energy": ("batt_computed_bank_capacity [kWh DC]", "{energy_kwh:g}"),
            "efficiency": (
                "batt_ac_dc_efficiency, batt_dc_ac_efficiency [%]",
                "{converter_in_percent:.6g}, {converter_out_percent:.6g}",
            ),
            "boundary": ("converters apart; cells by voltage curve and resistance, taken here as split evenly", ""),
            "soc_window": ("batt_minimum_SOC, batt_maximum_SOC [%]", "{soc_min_percent:g}, {soc_max_percent:g}"),
            "self_discharge": ("none", ""),
            "cycle_cost": ("batt_cycle_cost [$/cycle-kWh], from wear or replacement", ""),
            "start": ("batt_initial_SOC [%]", "{soc_start_percent:g}"),
            "end": ("free", ""),
        },
        cells_evenly,
        "NREL SSC, compute module battery",
        rated_at_cells=True,
    ),
    "energy-py-linear": Tool(
        {
            "power": ("Battery.power_mw, discharge_power_mw [MW]", "{power_mw:g}, {power_mw:g}"),
            "energy": ("capacity_mwh [MWh], all of it usable", "{usable_mwh:g}"),
            "efficiency": ("efficiency_pct [1, in spite of its name]", "{round_trip:.6g}"),
            "boundary": ("all on charging: loss = (1 − efficiency)·charge", ""),
            "soc_window": ("none", ""),
            "self_discharge": ("none", ""),
            "cycle_cost": ("none; by a custom objective", ""),
            "start": ("initial_charge_mwh [MWh]", "{start_usable_mwh:g}"),
            "end": ("final_charge_mwh [MWh], met exactly; the start by default", ""),
        },
        on_charging,
        "energy-py-linear 1.4, assets/battery.py",
    ),
}
