"""The solver-free ledger: every plan passes here before it reaches the caller.

Nothing of the model is read, only the schedule and the plant's numbers. Each check returns violations with
the time of the worst one; a strategy adds its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bess_opt.common.arrays import Array
from bess_opt.common.columns import LIMITS, SCHEDULE
from bess_opt.common.errors import AuditError
from bess_opt.plant import physics
from bess_opt.plant.plant import PRECISION, Plant

TOLERANCE = 1e-6  # of the battery's size, per step (rule 9)


@dataclass(frozen=True)
class Violation:
    """One broken law: which, when it is worst, by how much, and how many steps break it."""

    law: str
    time: pd.Timestamp | None
    excess: float
    unit: str
    steps: int = 1

    def sentence(self) -> str:
        """The violation as one line."""
        when = f" at {self.time.isoformat()}" if self.time is not None else ""
        return f"{self.law}: off by {self.excess:.3g} {self.unit}{when} ({self.steps} steps)"


Check = Callable[[pd.DataFrame, Plant], Iterable[Violation]]


def audit(schedule: pd.DataFrame, plant: Plant, checks: Iterable[Check] = ()) -> tuple[Violation, ...]:
    """All violations of physics, limits and stated conditions; empty for a plan that may be trusted.

    A schedule of other columns or times than the plant's is looked at no further.
    """
    misshapen = _shape(schedule, plant)
    if misshapen:
        return tuple(misshapen)
    own: tuple[Check, ...] = (
        _inputs,
        _balance,
        _derived,
        _dc_bus,
        _storage_law,
        _limits,
        _one_way,
        _sources,
        _conditions,
    )
    return tuple(violation for check in (*own, *checks) for violation in check(schedule, plant))


def require(schedule: pd.DataFrame, plant: Plant, checks: Iterable[Check] = ()) -> None:
    """Raise `AuditError` with every violation, if there is one."""
    violations = audit(schedule, plant, checks)
    if violations:
        raise AuditError("the plan fails its audit:\n" + "\n".join(v.sentence() for v in violations))


def exceeds(
    law: str, excess: Array, plant: Plant, scale: float | Array | None = None, unit: str = "MW"
) -> list[Violation]:
    """A violation if any of `excess` (one value per step) is above the tolerance or not a number.

    The tolerance is a millionth of `scale`, a number or one per step; by default of the battery's power, and what
    double precision leaves open at the size of the step's own PV and load.
    """
    most = TOLERANCE * plant.scale_mw + plant.rounding_mw if scale is None else TOLERANCE * scale
    over = ~(excess <= most)
    if not over.any():
        return []
    worst = int(np.argmax(np.where(np.isnan(excess), np.inf, excess / most)))
    return [Violation(law, plant.index[worst], float(excess[worst]), unit, int(over.sum()))]


def _shape(schedule: pd.DataFrame, plant: Plant) -> list[Violation]:
    """Every column is there, numbers are numbers, and each row is the step of its time."""
    found = []
    for name in SCHEDULE:
        numeric = name in schedule and pd.api.types.is_numeric_dtype(schedule[name].dtype)
        if name not in schedule or not (numeric or name == "limited_by"):
            what = f"column {name} is missing" if name not in schedule else f"column {name} holds no numbers"
            found.append(Violation(what, None, np.nan, ""))
    foreign = [str(name) for name in schedule.columns if name not in SCHEDULE]
    found += [Violation(f"column {name} is none of a schedule's", None, np.nan, "") for name in foreign[:3]]
    rows = min(len(schedule), plant.steps)
    if len(schedule) != plant.steps:
        found.append(Violation("a row for each step", None, float(abs(len(schedule) - plant.steps)), "rows"))
    elif not schedule.index.equals(plant.index):
        other = np.asarray(schedule.index[:rows] != plant.index[:rows])
        worst = int(np.argmax(other)) if other.any() else 0
        found.append(Violation("rows are at the times of their steps", plant.index[worst], np.nan, ""))
    return found


def _arrays(schedule: pd.DataFrame, *names: str) -> tuple[Array, ...]:
    return tuple(schedule[name].to_numpy(dtype=float) for name in names)


def _inputs(schedule: pd.DataFrame, plant: Plant) -> list[Violation]:
    """What the scenario gives is in the schedule as it was given; no regulation is held unless it was asked for."""
    solar, solar_dc, load, up, down, buy, sell = _arrays(
        schedule,
        "solar_mw",
        "solar_dc_mw",
        "load_mw",
        "regulation_up_mw",
        "regulation_down_mw",
        "import_price_per_mwh",
        "export_price_per_mwh",
    )
    held = np.abs(up) + np.abs(down) if plant.reserves is None else np.maximum(-np.minimum(up, down), 0.0)
    found = [
        *exceeds("solar power is the scenario's", np.abs(solar - plant.solar_mw), plant),
        *exceeds("solar power on the DC bus is the scenario's", np.abs(solar_dc - plant.solar_dc_mw), plant),
        *exceeds("load is the scenario's", np.abs(load - plant.load_mw), plant),
        *exceeds("regulation is held only by a strategy for it", held, plant),
    ]
    bought, sold = _arrays(schedule, "import_mw", "export_mw")
    stated_buy, stated_sell, _ = plant.settled_energy(bought, sold)
    for price, stated in ((buy, stated_buy), (sell, stated_sell)):
        known = np.isfinite(stated)
        wrong = np.where(np.isnan(price) & ~known, 0.0, np.abs(price - stated))
        dear = 1.0 + PRECISION / TOLERANCE * np.where(known, np.abs(stated), 0.0)
        found += exceeds("prices are the scenario's", wrong, plant, dear, "currency/MWh")
    return found


def _derived(schedule: pd.DataFrame, plant: Plant) -> list[Violation]:
    """Grid power, losses and revenue follow from the flows."""
    grid, bought, sold, lost, inverter_lost = _arrays(
        schedule, "grid_mw", "import_mw", "export_mw", "loss_mw", "inverter_loss_mw"
    )
    charge, discharge, energy, revenue = _arrays(schedule, "charge_mw", "discharge_mw", "energy_mwh", "revenue")
    storage = plant.storage
    storage_lost = physics.storage_loss_mw(
        np.concatenate([[storage.start_mwh], energy[:-1]]),
        charge,
        discharge,
        eta_charge=storage.eta_charge,
        eta_discharge=storage.eta_discharge,
        retention=storage.retention,
        step_h=plant.step_h,
    )
    buy, sell, due = plant.settled_energy(bought, sold)
    # Of the battery's own turnover in the step, and what doubles leave open at the size of all that is paid.
    dear = np.maximum(1.0, np.maximum(np.abs(buy), np.abs(sell))) if plant.has_prices else np.ones(plant.steps)
    worth = dear * plant.step_h * (plant.scale_mw + PRECISION / TOLERANCE * (np.abs(bought) + np.abs(sold)))
    worth = worth + PRECISION / TOLERANCE * np.abs(due)
    return [
        *exceeds("grid power is export minus import", np.abs(grid - sold + bought), plant),
        *exceeds("losses add up", np.abs(lost - storage_lost - inverter_lost), plant),
        *exceeds("revenue is flows times prices", np.abs(revenue - due), plant, worth, "currency"),
    ]


def _balance(schedule: pd.DataFrame, plant: Plant) -> list[Violation]:
    """solar + import + discharge + unserved = load + export + charge + curtailed + inverter loss (rule 9)."""
    solar, bought, out, unserved = _arrays(schedule, "solar_mw", "import_mw", "discharge_mw", "unserved_mw")
    load, sold, into, curtailed = _arrays(schedule, "load_mw", "export_mw", "charge_mw", "curtailed_mw")
    (lost,) = _arrays(schedule, "inverter_loss_mw")
    residual = np.abs(solar + bought + out + unserved - load - sold - into - curtailed - lost)
    return exceeds("energy balance", residual, plant)


def _dc_bus(schedule: pd.DataFrame, plant: Plant) -> list[Violation]:
    """What the DC bus gives is what the inverter takes, each way with its efficiency."""
    inverter, lost = _arrays(schedule, "inverter_mw", "inverter_loss_mw")
    if plant.bus is None:
        return exceeds("no shared inverter", np.abs(inverter) + np.abs(lost), plant)
    solar, curtailed, battery = _arrays(schedule, "solar_dc_mw", "curtailed_dc_mw", "battery_mw")
    eta_out, eta_in = plant.bus.eta_out, plant.bus.eta_in
    out, into = np.maximum(inverter, 0.0), np.maximum(-inverter, 0.0)
    bus = np.abs(solar - curtailed + battery - physics.inverter_dc_mw(out, into, eta_out=eta_out, eta_in=eta_in))
    loss = np.abs(lost - physics.inverter_loss_mw(out, into, eta_out=eta_out, eta_in=eta_in))
    rating = np.abs(inverter) - plant.bus.inverter_mw
    return [
        *exceeds("DC bus balance", bus, plant),
        *exceeds("inverter loss", loss, plant),
        *exceeds("inverter rating", rating, plant),
    ]


def _storage_law(schedule: pd.DataFrame, plant: Plant) -> list[Violation]:
    storage = plant.storage
    charge, discharge, energy, soc = _arrays(schedule, "charge_mw", "discharge_mw", "energy_mwh", "soc")
    (battery,) = _arrays(schedule, "battery_mw")
    before = np.concatenate([[storage.start_mwh], energy[:-1]])
    law = physics.energy_after(
        before,
        charge,
        discharge,
        eta_charge=storage.eta_charge,
        eta_discharge=storage.eta_discharge,
        retention=storage.retention,
        step_h=plant.step_h,
        drawn_mw=storage.drawn_mw,
    )
    scale = max(storage.energy_mwh, plant.scale_mw * plant.step_h)  # of the battery alone
    told = ~schedule["limited_by"].isin(LIMITS).to_numpy(dtype=bool)
    return [
        *exceeds("limited_by names a limit", told.astype(float), plant, 1.0, "1"),
        *exceeds("storage law", np.abs(energy - law), plant, scale, "MWh"),
        *exceeds("soc is energy over nameplate", np.abs(soc - energy / storage.energy_mwh), plant, 1.0, "1"),
        *exceeds("battery is discharge minus charge", np.abs(battery - discharge + charge), plant),
    ]


def _limits(schedule: pd.DataFrame, plant: Plant) -> list[Violation]:
    storage = plant.storage
    charge, discharge, energy = _arrays(schedule, "charge_mw", "discharge_mw", "energy_mwh")
    bought, sold, unserved = _arrays(schedule, "import_mw", "export_mw", "unserved_mw")
    curtailed, curtailed_dc, solar, solar_dc = _arrays(
        schedule, "curtailed_mw", "curtailed_dc_mw", "solar_mw", "solar_dc_mw"
    )
    curtailable = 1.0 if plant.curtailment else 0.0
    upper = {
        "charge limit": charge - storage.charge_limit_mw,
        "discharge limit": discharge - storage.discharge_limit_mw,
        "import limit": bought - plant.import_max_mw,
        "export limit": sold - plant.export_max_mw,
        "unserved load": unserved - plant.sheddable_mw,
        "curtailment": curtailed - curtailable * solar,
        "curtailment on the DC bus": curtailed_dc - curtailable * solar_dc,
        "curtailment on the AC bus": (curtailed - curtailed_dc) - curtailable * (solar - solar_dc),
    }
    sign = np.minimum.reduce([charge, discharge, bought, sold, unserved, curtailed_dc, curtailed - curtailed_dc])
    window = np.maximum(storage.floor_mwh[1:] - energy, energy - storage.ceiling_mwh[1:])
    return [
        *(v for law, excess in upper.items() for v in exceeds(law, excess, plant)),
        *exceeds("powers are not negative", -sign, plant),
        *exceeds("ramp of a clause", plant.connection.ramp_excess_mw(sold - bought), plant),
        *exceeds("SOC window and reserve", window, plant, storage.energy_mwh, "MWh"),
    ]


def _one_way(schedule: pd.DataFrame, plant: Plant) -> list[Violation]:
    """Each converter runs one way in a step (one way); the inverter's column is net, its loss tells.

    A step that holds regulation has calls of both signs within it: against its base point the battery moves
    no more than what is held. The strategy's own check looks at the base point.
    """
    charge, discharge, bought, sold = _arrays(schedule, "charge_mw", "discharge_mw", "import_mw", "export_mw")
    held = np.maximum(*_arrays(schedule, "regulation_up_mw", "regulation_down_mw"))
    return [
        *exceeds("battery runs one way", np.minimum(charge, discharge) - held, plant),
        *exceeds("site imports or exports", np.minimum(bought, sold), plant),
    ]


def _sources(schedule: pd.DataFrame, plant: Plant) -> list[Violation]:
    """Who may charge from and feed the grid."""
    bought, sold, unserved, load = _arrays(schedule, "import_mw", "export_mw", "unserved_mw", "load_mw")
    found: list[Violation] = []
    if not plant.grid_charging:
        found += exceeds("no charging from the grid", bought + unserved - load, plant)
    if not plant.battery_export:
        curtailed, curtailed_dc = _arrays(schedule, "curtailed_mw", "curtailed_dc_mw")
        used = plant.solar_used_mw(curtailed - curtailed_dc, curtailed_dc)
        most = np.maximum(used - load, 0.0) if plant.strict_export else used
        found += exceeds("no export from the battery", sold - most, plant)
    return found


def _conditions(schedule: pd.DataFrame, plant: Plant) -> list[Violation]:
    """End of the horizon, and caps on cycles."""
    storage = plant.storage
    energy, charge, discharge = _arrays(schedule, "energy_mwh", "charge_mw", "discharge_mw")
    end = max(storage.end_min_mwh - energy[-1], energy[-1] - storage.end_max_mwh)
    found = []
    if end > TOLERANCE * storage.energy_mwh:
        found.append(Violation("end SOC", plant.index[-1], float(end), "MWh"))
    into, out = storage.through_cells(charge, discharge, plant.step_h)
    for cap in storage.caps:
        excess = cap.excess_mwh(cap.counted(into, out))
        worst = int(np.argmax(excess))
        if excess[worst] > TOLERANCE * storage.energy_mwh:
            first = plant.index[int(cap.first[worst])]
            runs = int((excess > TOLERANCE * storage.energy_mwh).sum())
            found.append(Violation(f"cycles per {cap.period}", first, float(excess[worst]), "MWh", runs))
    return found
