"""The solver-free ledger: every plan passes here before it reaches the caller.

Nothing of the model is read, only the schedule and the plant's numbers. Each check returns violations with
the time of the worst one; a strategy adds its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bess_opt.common.arrays import Array, ReadColumns
from bess_opt.common.columns import LIMITS, REGULATION, SCHEDULE, UNIT
from bess_opt.common.errors import AuditError
from bess_opt.plant import physics
from bess_opt.plant.flows import of_battery, own_columns
from bess_opt.plant.plant import PRECISION, Plant, Storage
from bess_opt.plant.products.activation import bids_of, called_mw, settled, through_inverter

TOLERANCE = 1e-6  # of the battery's size, per step


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
Law = Callable[[ReadColumns, Plant], Iterable[Violation]]


def audit(schedule: pd.DataFrame, plant: Plant, checks: Iterable[Check] = ()) -> tuple[Violation, ...]:
    """All violations of physics, limits and stated conditions; empty for a plan that may be trusted.

    A schedule of other columns or times than the plant's is looked at no further.
    """
    misshapen = _shape(schedule, plant)
    if misshapen:
        return tuple(misshapen)
    own: tuple[Law, ...] = (
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
    columns = ReadColumns(schedule)
    broken = [violation for law in own for violation in law(columns, plant)]
    return (*broken, *(violation for check in checks for violation in check(schedule, plant)))


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
    own = own_columns(plant)
    kinds = dict(zip(schedule.columns, schedule.dtypes, strict=True))
    for name in (*SCHEDULE, *own):
        numeric = name in kinds and pd.api.types.is_numeric_dtype(kinds[name])
        if name not in kinds or not (numeric or name == "limited_by"):
            what = f"column {name} is missing" if name not in kinds else f"column {name} holds no numbers"
            found.append(Violation(what, None, np.nan, ""))
    foreign = [str(name) for name in kinds if name not in SCHEDULE and name not in own]
    found += [Violation(f"column {name} is none of a schedule's", None, np.nan, "") for name in foreign[:3]]
    rows = min(len(schedule), plant.steps)
    if len(schedule) != plant.steps:
        found.append(Violation("a row for each step", None, float(abs(len(schedule) - plant.steps)), "rows"))
    elif not schedule.index.equals(plant.index):
        other = np.asarray(schedule.index[:rows] != plant.index[:rows])
        worst = int(np.argmax(other)) if other.any() else 0
        found.append(Violation("rows are at the times of their steps", plant.index[worst], np.nan, ""))
    return found


def _arrays(columns: ReadColumns, *names: str) -> tuple[Array, ...]:
    return tuple(columns[name] for name in names)


def _inputs(columns: ReadColumns, plant: Plant) -> list[Violation]:
    """What the scenario gives is in the schedule as it was given; no regulation is held unless it was asked for."""
    solar, solar_dc, load, buy, sell = _arrays(
        columns,
        "solar_mw",
        "solar_dc_mw",
        "load_mw",
        "import_price_per_mwh",
        "export_price_per_mwh",
    )
    held, sold = np.zeros(plant.steps), {offer.name for offer in plant.offers}
    for name in REGULATION.keys() - sold:  # capacity that nobody asked for
        held = held + np.abs(columns[REGULATION[name].column])
    found = [
        *exceeds("solar power is the scenario's", np.abs(solar - plant.solar_mw), plant),
        *exceeds("solar power on the DC bus is the scenario's", np.abs(solar_dc - plant.solar_dc_mw), plant),
        *exceeds("load is the scenario's", np.abs(load - plant.load_mw), plant),
        *exceeds("regulation is held only by a strategy for it", held, plant),
    ]
    stated_buy, stated_sell, _ = plant.settled_energy(*settled(columns, plant))
    for price, stated in ((buy, stated_buy), (sell, stated_sell)):
        known = np.isfinite(stated)
        wrong = np.where(np.isnan(price) & ~known, 0.0, np.abs(price - stated))
        dear = 1.0 + PRECISION / TOLERANCE * np.where(known, np.abs(stated), 0.0)
        found += exceeds("prices are the scenario's", wrong, plant, dear, "currency/MWh")
    return found


def _derived(columns: ReadColumns, plant: Plant) -> list[Violation]:
    """Grid power, losses and revenue follow from the flows."""
    grid, bought, sold, lost, inverter_lost, revenue = _arrays(
        columns, "grid_mw", "import_mw", "export_mw", "loss_mw", "inverter_loss_mw", "revenue"
    )
    storage_lost = np.zeros(plant.steps)
    for battery in plant.batteries:
        storage_lost = storage_lost + _storage_lost(columns, battery, plant)
    buy, sell, due = plant.settled_energy(*settled(columns, plant))
    # Of the battery's own turnover in the step, and what doubles leave open at the size of all that is paid.
    dear = np.maximum(1.0, np.maximum(np.abs(buy), np.abs(sell))) if plant.has_prices else np.ones(plant.steps)
    worth = dear * plant.step_h * (plant.scale_mw + PRECISION / TOLERANCE * (np.abs(bought) + np.abs(sold)))
    worth = worth + PRECISION / TOLERANCE * np.abs(due)
    return [
        *exceeds("grid power is export minus import", np.abs(grid - sold + bought), plant),
        *exceeds("losses add up", np.abs(lost - storage_lost - inverter_lost), plant),
        *exceeds("revenue is flows times prices", np.abs(revenue - due), plant, worth, "currency"),
    ]


def _storage_lost(columns: ReadColumns, battery: Storage, plant: Plant) -> Array:
    """Losses of one battery as its flows make them."""
    charge, discharge, energy = of_battery(columns, battery, "charge_mw", "discharge_mw", "energy_mwh")
    lost: Array = physics.storage_loss_mw(
        np.concatenate([[battery.start_mwh], energy[:-1]]),
        charge,
        discharge,
        eta_charge=battery.eta_charge,
        eta_discharge=battery.eta_discharge,
        retention=battery.retention,
        step_h=plant.step_h,
    )
    return lost


def _balance(columns: ReadColumns, plant: Plant) -> list[Violation]:
    """solar + import + discharge + unserved = load + export + charge + curtailed + inverter loss."""
    solar, bought, out, unserved = _arrays(columns, "solar_mw", "import_mw", "discharge_mw", "unserved_mw")
    load, sold, into, curtailed = _arrays(columns, "load_mw", "export_mw", "charge_mw", "curtailed_mw")
    (lost,) = _arrays(columns, "inverter_loss_mw")
    residual = np.abs(solar + bought + out + unserved - load - sold - into - curtailed - lost)
    return exceeds("energy balance", residual, plant)


def _dc_bus(columns: ReadColumns, plant: Plant) -> list[Violation]:
    """What the DC bus gives is what the inverter takes, each way with its efficiency."""
    inverter, lost = _arrays(columns, "inverter_mw", "inverter_loss_mw")
    if plant.bus is None:
        return exceeds("no shared inverter", np.abs(inverter) + np.abs(lost), plant)
    solar, curtailed = _arrays(columns, "solar_dc_mw", "curtailed_dc_mw")
    battery = sum(of_battery(columns, own, "battery_mw")[0] for own in plant.on_dc_bus)
    eta_out, eta_in = plant.bus.eta_out, plant.bus.eta_in
    called_out, called_in = through_inverter(plant, bids_of(columns, plant))
    base = inverter - called_out + called_in
    out, into = np.maximum(base, 0.0) + called_out, np.maximum(-base, 0.0) + called_in
    bus = np.abs(solar - curtailed + battery - physics.inverter_dc_mw(out, into, eta_out=eta_out, eta_in=eta_in))
    loss = np.abs(lost - physics.inverter_loss_mw(out, into, eta_out=eta_out, eta_in=eta_in))
    rating = np.abs(inverter) - plant.bus.inverter_mw
    return [
        *exceeds("DC bus balance", bus, plant),
        *exceeds("inverter loss", loss, plant),
        *exceeds("inverter rating", rating, plant),
    ]


def _storage_law(columns: ReadColumns, plant: Plant) -> list[Violation]:
    limits = columns.frame["limited_by"]
    found: list[Violation] = []
    if not set(limits.unique()) <= set(LIMITS):
        unknown = ~limits.isin(LIMITS).to_numpy(dtype=bool)
        found = exceeds("limited_by names a limit", unknown.astype(float), plant, 1.0, "1")
    for battery in plant.batteries:
        found += _storage_law_of(columns, battery, plant)
    return found + _sums(columns, plant)


def _storage_law_of(columns: ReadColumns, battery: Storage, plant: Plant) -> list[Violation]:
    charge, discharge, energy, soc = of_battery(columns, battery, "charge_mw", "discharge_mw", "energy_mwh", "soc")
    (net,) = of_battery(columns, battery, "battery_mw")
    before = np.concatenate([[battery.start_mwh], energy[:-1]])
    law = physics.energy_after(
        before,
        charge,
        discharge,
        eta_charge=battery.eta_charge,
        eta_discharge=battery.eta_discharge,
        retention=battery.retention,
        step_h=plant.step_h,
        drawn_mw=battery.drawn_mw,
    )
    scale = max(battery.energy_mwh, plant.scale_mw * plant.step_h)  # of the battery alone
    return [
        *exceeds(_law("storage law", battery), np.abs(energy - law), plant, scale, "MWh"),
        *exceeds(
            _law("soc is energy over nameplate", battery), np.abs(soc - energy / battery.energy_mwh), plant, 1.0, "1"
        ),
        *exceeds(_law("battery is discharge minus charge", battery), np.abs(net - discharge + charge), plant),
    ]


def _sums(columns: ReadColumns, plant: Plant) -> list[Violation]:
    """The site's columns are the sums of those of several batteries."""
    if len(plant.batteries) == 1:
        return []
    found: list[Violation] = []
    for name in UNIT:
        (site,) = _arrays(columns, name)
        total = sum(of_battery(columns, battery, name)[0] for battery in plant.batteries)
        if name == "soc":
            total = _arrays(columns, "energy_mwh")[0] / plant.energy_mwh
        if name == "loss_mw":
            total = total + _arrays(columns, "inverter_loss_mw")[0]
        scale = 1.0 if name == "soc" else plant.energy_mwh if name == "energy_mwh" else plant.power_mw
        found += exceeds(f"{name} is the batteries' sum", np.abs(site - total), plant, scale)
    return found


def _law(law: str, battery: Storage) -> str:
    return f"{law} of {battery.name}" if battery.name else law


def _limits(columns: ReadColumns, plant: Plant) -> list[Violation]:
    bought, sold, unserved, shed = _arrays(columns, "import_mw", "export_mw", "unserved_mw", "shed_mw")
    curtailed, curtailed_dc, solar, solar_dc = _arrays(
        columns, "curtailed_mw", "curtailed_dc_mw", "solar_mw", "solar_dc_mw"
    )
    curtailable = plant.curtailable.astype(float)
    upper: dict[str, Array] = {}
    signs, windows = [bought, sold, unserved, curtailed_dc, curtailed - curtailed_dc], []
    for battery in plant.batteries:
        charge, discharge, energy = of_battery(columns, battery, "charge_mw", "discharge_mw", "energy_mwh")
        upper[_law("charge limit", battery)] = charge - battery.charge_limit_mw
        upper[_law("discharge limit", battery)] = discharge - battery.discharge_limit_mw
        signs += [charge, discharge]
        window = np.maximum(battery.floor_mwh[1:] - energy, energy - battery.ceiling_mwh[1:])
        windows += exceeds(_law("SOC window and reserve", battery), window, plant, battery.energy_mwh, "MWh")
    upper |= {
        "import limit": bought - plant.import_max_mw,
        "export limit": sold - plant.export_max_mw,
        "unserved load": unserved - plant.sheddable_mw,
        "curtailment": curtailed - curtailable * solar,
        "curtailment on the DC bus": curtailed_dc - curtailable * solar_dc,
        "curtailment on the AC bus": (curtailed - curtailed_dc) - curtailable * (solar - solar_dc),
    }
    called = called_mw(plant, bids_of(columns, plant)) if plant.activated else 0.0
    return [
        *(v for law, excess in upper.items() for v in exceeds(law, excess, plant)),
        *exceeds("powers are not negative", -np.minimum.reduce(signs), plant),
        *exceeds("load is shed free of charge first", np.abs(shed - plant.shed_mw(unserved)), plant),
        *exceeds("ramp of a clause", plant.connection.ramp_excess_mw(sold - bought - called), plant),
        *windows,
    ]


def _one_way(columns: ReadColumns, plant: Plant) -> list[Violation]:
    """Each converter runs one way in a step (one way); the inverter's column is net, its loss tells.

    Where market products are called their own check holds the base point and each call to it.
    """
    bought, sold = _arrays(columns, "import_mw", "export_mw")
    found: list[Violation] = []
    for battery in plant.batteries:
        both = np.minimum(*of_battery(columns, battery, "charge_mw", "discharge_mw"))
        if not plant.activated:
            found += exceeds(_law("battery runs one way", battery), both, plant)
    return [
        *found,
        *exceeds("site imports or exports", np.minimum(bought, sold), plant),
    ]


def _sources(columns: ReadColumns, plant: Plant) -> list[Violation]:
    """Who may charge from and feed the grid."""
    bought, sold, unserved, load = _arrays(columns, "import_mw", "export_mw", "unserved_mw", "load_mw")
    found: list[Violation] = []
    if not plant.grid_charging:
        found += exceeds("no charging from the grid", bought + unserved - np.maximum(load, 0.0), plant)
    if not plant.battery_export:
        curtailed, curtailed_dc = _arrays(columns, "curtailed_mw", "curtailed_dc_mw")
        used = plant.solar_used_mw(curtailed - curtailed_dc, curtailed_dc)
        most = np.maximum(used - load, 0.0) if plant.strict_export else used + np.maximum(-load, 0.0)
        found += exceeds("no export from the battery", sold - most, plant)
    return found


def _conditions(columns: ReadColumns, plant: Plant) -> list[Violation]:
    """End of the horizon, and caps on cycles."""
    found: list[Violation] = []
    for battery in plant.batteries:
        energy, charge, discharge = of_battery(columns, battery, "energy_mwh", "charge_mw", "discharge_mw")
        end, slack = max(battery.end_min_mwh - energy[-1], energy[-1] - battery.end_max_mwh), TOLERANCE
        if end > slack * battery.energy_mwh:
            found.append(Violation(_law("end SOC", battery), plant.index[-1], float(end), "MWh"))
        into, out = battery.through_cells(charge, discharge, plant.step_h)
        for cap in battery.caps:
            excess = cap.excess_mwh(cap.counted(into, out))
            worst = int(np.argmax(excess))
            if excess[worst] > slack * battery.energy_mwh:
                first = plant.index[int(cap.first[worst])]
                runs = int((excess > slack * battery.energy_mwh).sum())
                law = _law(f"cycles per {cap.period}", battery)
                found.append(Violation(law, first, float(excess[worst]), "MWh", runs))
    return found
