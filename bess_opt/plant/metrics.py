"""The figures of a schedule: energy, efficiency, cycles, peaks, money. Definitions stand under each name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from bess_opt.common.arrays import ReadColumns
from bess_opt.plant.ledger import FIGURE_OF, LINES, MoneyFigures, cash
from bess_opt.plant.plant import Plant, Storage

FLOWS = ("solar", "load", "unserved", "shed", "import", "export", "curtailed", "charge", "discharge", "loss")


@dataclass(frozen=True)
class Score:
    """A strategy's own figure of merit, passed in by whoever knows the strategy."""

    value: float
    unit: str
    sense: str  # "max" | "min"


@dataclass(frozen=True)
class PhysicalFigures:
    """Energy, efficiency, cycles and peaks over the horizon.

    With Δ = stored change + drawn and base = solar + import + max(−Δ, 0).
    """

    solar_mwh: float  # PV energy available where it meets the battery
    load_mwh: float  # demand, auxiliary load included
    unserved_mwh: float
    shed_mwh: float  # part of it that goes unserved free of charge, in outages
    import_mwh: float
    export_mwh: float
    curtailed_mwh: float
    charged_mwh: float  # at the port
    discharged_mwh: float  # at the port
    losses_mwh: float  # conversion and self-discharge
    stored_change_mwh: float  # end minus start
    drawn_mwh: float  # taken from the cells without loss
    round_trip_efficiency: float | None  # discharged / (charged − Δ/η_charge), port to port
    energy_efficiency: float | None  # (served load + export + max(Δ, 0)) / base
    curtailment_ratio: float | None  # curtailed / solar
    loss_ratio: float | None  # losses / base
    equivalent_full_cycles: float  # energy leaving the cells / nameplate
    cycles_per_day: float
    utilisation: float  # (charged + discharged) / (rated power × horizon)
    soc_min: float
    soc_mean: float
    soc_max: float
    peak_import_mw: float
    peak_export_mw: float
    max_ramp_mw_per_h: float  # largest change of grid power between steps, per hour


@dataclass(frozen=True)
class Metrics(MoneyFigures, PhysicalFigures):
    """Figures of a schedule over the whole horizon: physics, each line of money, and the strategy's score."""

    net_revenue: float  # all lines of money but wear and stored value: energy and products less charges and costs
    score: float
    score_unit: str
    score_sense: str
    balance_residual_mwh: float  # what the year's energy balance leaves open
    end_shortfall_mwh: float  # stored energy missing at the end against soc_end

    def to_dict(self) -> dict[str, float | str | None]:
        """The same figures under the same names."""
        return {one.name: getattr(self, one.name) for one in fields(self)}


def metrics_of(
    schedule: pd.DataFrame | ReadColumns, plant: Plant, score: Score, booked: Mapping[str, float]
) -> Metrics:
    """Compute all figures of `schedule`, of which `booked` is the ledger."""
    columns = ReadColumns.of(schedule)
    hours = plant.step_h
    energy = {name: float(columns[f"{name}_mw"].sum()) * hours for name in FLOWS}
    units = [_Unit.of(columns, battery, plant) for battery in plant.batteries]
    stored, drawn = sum(unit.stored for unit in units), sum(unit.drawn for unit in units)
    kept = stored + drawn
    base = energy["solar"] + energy["import"] + max(-kept, 0.0)
    served = energy["load"] - energy["unserved"]
    cycles = sum(unit.out_of_cells for unit in units) / plant.energy_mwh
    grid = columns["grid_mw"]
    inputs = energy["solar"] + energy["import"] + energy["unserved"]
    outputs = energy["load"] + energy["export"] + energy["curtailed"] + energy["loss"] + kept
    return Metrics(
        solar_mwh=energy["solar"],
        load_mwh=energy["load"],
        unserved_mwh=energy["unserved"],
        shed_mwh=energy["shed"],
        import_mwh=energy["import"],
        export_mwh=energy["export"],
        curtailed_mwh=energy["curtailed"],
        charged_mwh=energy["charge"],
        discharged_mwh=energy["discharge"],
        losses_mwh=energy["loss"],
        stored_change_mwh=stored,
        drawn_mwh=drawn,
        round_trip_efficiency=_ratio(
            energy["discharge"], energy["charge"] - sum(unit.charged_for_kept for unit in units)
        ),
        energy_efficiency=_ratio(served + energy["export"] + max(kept, 0.0), base),
        curtailment_ratio=_ratio(energy["curtailed"], energy["solar"]),
        loss_ratio=_ratio(energy["loss"], base),
        equivalent_full_cycles=cycles,
        cycles_per_day=cycles * 24.0 / plant.horizon_h,
        utilisation=(energy["charge"] + energy["discharge"]) / (plant.power_mw * plant.horizon_h),
        soc_min=float(columns["soc"].min()),
        soc_mean=float(columns["soc"].mean()),
        soc_max=float(columns["soc"].max()),
        peak_import_mw=float(columns["import_mw"].max()),
        peak_export_mw=float(columns["export_mw"].max()),
        max_ramp_mw_per_h=float(np.abs(np.diff(grid)).max(initial=0.0)) / hours,
        **{FIGURE_OF[name]: line.shown(booked[name]) for name, line in LINES.items()},
        net_revenue=cash(booked),
        score=score.value,
        score_unit=score.unit,
        score_sense=score.sense,
        balance_residual_mwh=inputs - outputs,
        end_shortfall_mwh=sum(unit.end_shortfall for unit in units),
    )


@dataclass(frozen=True)
class _Unit:
    """What one battery adds to the figures, MWh: in the cells, and what charging its gain took at the port."""

    stored: float
    drawn: float
    out_of_cells: float
    charged_for_kept: float
    end_shortfall: float

    @classmethod
    def of(cls, columns: ReadColumns, battery: Storage, plant: Plant) -> _Unit:
        end = float(columns[f"{battery.prefix}energy_mwh"][-1])
        stored = end - battery.start_mwh
        drawn = float(np.sum(np.broadcast_to(battery.drawn_mw, plant.steps))) * plant.step_h
        discharged = float(columns[f"{battery.prefix}discharge_mw"].sum()) * plant.step_h
        return cls(
            stored=stored,
            drawn=drawn,
            out_of_cells=discharged / battery.eta_discharge + drawn,
            charged_for_kept=(stored + drawn) / battery.eta_charge,
            end_shortfall=max(0.0, battery.end_min_mwh - end, end - battery.end_max_mwh),
        )


def _ratio(part: float, whole: float) -> float | None:
    """None where the ratio says nothing: no throughput, no energy."""
    return part / whole if abs(whole) > 1e-9 else None
