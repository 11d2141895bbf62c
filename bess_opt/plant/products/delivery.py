"""Whether a schedule can deliver the market products that it holds: margins of each call, without the solver.

A call moves the battery's port from its base point. What it takes from the cells is the step simulator's law with it
minus the same law without it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bess_opt.common.arrays import Array, ReadColumns
from bess_opt.plant import money
from bess_opt.plant.audit import TOLERANCE, Violation, exceeds
from bess_opt.plant.flows import of_battery
from bess_opt.plant.plant import Plant, Storage
from bess_opt.plant.products.activation import BASE, bids_of, called_mw, mean_flows, port_factor, through_inverter
from bess_opt.plant.products.offers import SIGN, Direction, Offer, call_levels, of_direction
from bess_opt.plant.products.unlike_plan import UnlikePlan, leaving_mw
from bess_opt.plant.reach import least_mwh, most_mwh

WHAT_IF = ("longer_call_mwh", "quiet_market_mwh", "every_block_mwh")
HELD = 1e-9  # of rated power: less is no bid


@dataclass(frozen=True)
class Margins:
    """What is left in each step when called: power [MW], and energy at the worse end of the step [MWh]."""

    power_mw: Array
    energy_mwh: Array


def margins_of(
    schedule: pd.DataFrame | ReadColumns, plant: Plant, offers: Sequence[Offer], direction: Direction
) -> Margins:
    """What is left when `offers` are called in a direction at once, each for its own hours; least over batteries."""
    schedule = ReadColumns.of(schedule)
    power, energy = np.full(plant.steps, np.inf), np.full(plant.steps, np.inf)
    called = np.zeros(plant.steps)
    for offer in of_direction(offers, direction):
        called = called + schedule[offer.column]
    for battery in plant.batteries:
        power = np.minimum(power, _battery_power(schedule, plant, battery, offers, direction))
        energy = np.minimum(energy, _battery_energy(schedule, plant, battery, offers, direction))
    for left in _site(schedule, plant, offers, direction, called):
        power = np.minimum(power, left)
    return Margins(power, energy)


def _moved_by(
    schedule: ReadColumns, plant: Plant, battery: Storage, offers: Sequence[Offer], way: Direction
) -> Array:
    """MW by which the battery's port moves, + discharges."""
    prefix = battery.prefix
    held = sum((schedule[f"{prefix}{offer.column}"] for offer in offers), np.zeros(plant.steps))
    moved: Array = SIGN[way] * port_factor(plant, battery, way) * held
    return moved


def _battery_power(
    schedule: ReadColumns, plant: Plant, battery: Storage, offers: Sequence[Offer], way: Direction
) -> Array:
    (base,) = of_battery(schedule, battery, BASE)
    power = base + _moved_by(schedule, plant, battery, of_direction(offers, way), way)
    left: Array = battery.discharge_limit_mw - power if way == "up" else battery.charge_limit_mw + power
    return left


def _battery_energy(
    schedule: ReadColumns, plant: Plant, battery: Storage, offers: Sequence[Offer], way: Direction
) -> Array:
    (after,) = of_battery(schedule, battery, "energy_mwh")
    energy = np.append(battery.start_mwh, after)
    room = energy - least_mwh(battery) if way == "up" else most_mwh(battery) - energy
    left: Array = np.minimum(room[:-1], room[1:]) - _energy_taken(schedule, plant, battery, offers, way)
    return left


def _energy_taken(
    schedule: ReadColumns, plant: Plant, battery: Storage, offers: Sequence[Offer], way: Direction
) -> Array:
    """MWh that a call of `offers` at once, each for its own hours, takes from the cells or puts into them."""
    (base,) = of_battery(schedule, battery, BASE)
    taken = np.zeros(plant.steps)
    for hours, still in call_levels(offers, way):
        moved = base + _moved_by(schedule, plant, battery, still, way)
        taken = taken + hours * (leaving_mw(battery, moved) - leaving_mw(battery, base))
    return SIGN[way] * taken


def room_when_called(schedule: pd.DataFrame | ReadColumns, plant: Plant) -> pd.DataFrame:
    """Sums of batteries at the end of each step, MWh: `energy`, and the `least` and `most` of it that leave calls.

    `least` is the floor with what all upward calls at once take from the cells, `most` the ceiling less what all
    downward ones bring.
    """
    schedule = ReadColumns.of(schedule)
    total = {"energy": np.zeros(plant.steps), "least": np.zeros(plant.steps), "most": np.zeros(plant.steps)}
    for battery in plant.batteries:
        total["energy"] += of_battery(schedule, battery, "energy_mwh")[0]
        up, down = (_energy_taken(schedule, plant, battery, of_direction(plant.offers, way), way) for way in SIGN)
        total["least"] += least_mwh(battery)[1:] + up
        total["most"] += most_mwh(battery)[1:] - down
    return pd.DataFrame(total, index=plant.index)


def _site(
    schedule: ReadColumns, plant: Plant, offers: Sequence[Offer], way: Direction, called: Array
) -> Iterator[Array]:
    """What grid, permissions and shared inverter leave when called, MW."""
    bids = bids_of(schedule, plant)
    net = schedule["export_mw"] - schedule["import_mw"] - called_mw(plant, bids)
    through = schedule["inverter_mw"] - np.subtract(*through_inverter(plant, bids))
    if way == "up":
        yield plant.export_max_mw - net - called
        if not plant.battery_export:
            used = plant.solar_used_mw(
                schedule["curtailed_mw"] - schedule["curtailed_dc_mw"], schedule["curtailed_dc_mw"]
            )
            load = schedule["load_mw"]
            most = np.maximum(used - load, 0.0) if plant.strict_export else used + np.maximum(-load, 0.0)
            yield most - net - called
    else:
        yield plant.import_max_mw + net - called
        if not plant.grid_charging:
            yield np.maximum(schedule["load_mw"], 0.0) - schedule["unserved_mw"] + net - called
    if plant.bus is not None and np.isfinite(plant.bus.inverter_mw):
        held = [
            schedule[f"{battery.prefix}{offer.column}"]
            for battery in plant.on_dc_bus
            for offer in of_direction(offers, way)
        ]
        yield plant.bus.inverter_mw - SIGN[way] * through - sum(held, np.zeros(plant.steps))


def product_checks(schedule: pd.DataFrame | ReadColumns, plant: Plant) -> list[Violation]:
    """What is held of market products is a bid that the market takes, and can be delivered in every step."""
    found: list[Violation] = []
    schedule = ReadColumns.of(schedule)
    for offer in plant.offers:
        found += _bid_checks(schedule, plant, offer)
    found += _group_checks(schedule, plant)
    found += _base_checks(schedule, plant)
    for direction in SIGN:
        together = of_direction(plant.offers, direction)
        for offers in (*([offer] for offer in together), *([together] if len(together) > 1 else [])):
            held = sum((schedule[offer.column] for offer in offers), np.zeros(plant.steps))
            margins = margins_of(schedule, plant, offers, direction)
            names = " and ".join(offer.name for offer in offers)
            some = held > HELD * plant.power_mw
            law = f"{names} called {direction}"
            found += exceeds(f"power of {law}", np.where(some, -margins.power_mw, 0.0), plant)
            energy = np.where(some, -margins.energy_mwh, 0.0)
            found += exceeds(f"energy of {law}", energy, plant, plant.energy_mwh, "MWh")
    return found


def _bid_checks(schedule: ReadColumns, plant: Plant, offer: Offer) -> list[Violation]:
    bid = schedule[offer.column]
    first = np.where((offer.block == offer.block[0]) & ~np.isnan(offer.held_mw), offer.held_mw, np.nan)
    most = np.where(np.isnan(first), offer.most_mw, first)
    excess = {
        f"capacity of {offer.name}": np.maximum(-bid, bid - most),
        f"capacity of {offer.name} that stands": np.where(np.isnan(first), 0.0, np.abs(bid - first)),
        f"constant capacity of {offer.name} within a block": _change_inside(bid, offer),
    }
    some = bid > TOLERANCE * plant.scale_mw
    if offer.chooses:
        excess[f"least bid of {offer.name}"] = np.where(some, offer.least_mw - bid, 0.0)
    if offer.step_mw is not None:
        excess[f"whole steps of {offer.name}"] = np.abs(bid - offer.step_mw * np.round(bid / offer.step_mw))
    if offer.alike is not None:
        prefixes = {"", *(battery.prefix for battery in plant.batteries)}
        pairs = [(schedule[f"{p}{offer.column}"], schedule[f"{p}{offer.alike}_mw"]) for p in prefixes]
        apart = np.maximum.reduce([np.abs(one - other) for one, other in pairs])
        excess[f"capacity of {offer.name} as that of {offer.alike}"] = apart
    if len(plant.batteries) > 1:
        parts = [schedule[f"{battery.prefix}{offer.column}"] for battery in plant.batteries]
        excess[f"{offer.column} is the batteries' sum"] = np.abs(sum(parts, np.zeros(plant.steps)) - bid)
        excess[f"parts of {offer.name}"] = -np.minimum.reduce(parts)
    return [violation for law, off in excess.items() for violation in exceeds(law, off, plant)]


def _base_checks(schedule: ReadColumns, plant: Plant) -> list[Violation]:
    """Flows are means over a base point that runs one way and calls of whole bids; the site bears the base point."""
    bids, found = bids_of(schedule, plant), list[Violation]()
    if not plant.offers:
        return found
    for battery in plant.batteries:
        base, charge, discharge = of_battery(schedule, battery, BASE, "charge_mw", "discharge_mw")
        means = mean_flows(plant, battery, base, bids)
        off = np.maximum(np.abs(charge - means[0]), np.abs(discharge - means[1]))
        name = f" of {battery.name}" if battery.name else ""
        found += exceeds(f"charge and discharge{name} are the mean over the calls", off, plant)
    bases = [of_battery(schedule, battery, BASE)[0] for battery in plant.batteries]
    found += exceeds("base_mw is the batteries' sum", np.abs(schedule[BASE] - sum(bases)), plant)
    for direction in SIGN if plant.activated else ():
        for left in (
            *(_battery_power(schedule, plant, battery, (), direction) for battery in plant.batteries),
            *_site(schedule, plant, (), direction, np.zeros(plant.steps)),
        ):
            found += exceeds("power of the base point", -left, plant)
    return found


def _change_inside(bid: Array, offer: Offer) -> Array:
    moved = np.append(0.0, np.abs(np.diff(bid)))
    kept = np.zeros(len(bid))
    kept[offer.inside_block] = moved[offer.inside_block]
    return kept


def _group_checks(schedule: ReadColumns, plant: Plant) -> list[Violation]:
    found: list[Violation] = []
    for group in sorted({offer.group for offer in plant.offers if offer.group is not None}):
        bids = [schedule[offer.column] for offer in plant.offers if offer.group == group]
        second = np.sort(np.vstack([*bids, np.zeros(plant.steps)]), axis=0)[-2]
        found += exceeds(f"one product of the group {group}", second, plant)
    return found


def _unlike_plan(schedule: pd.DataFrame, plant: Plant, offers: Sequence[Offer], way: Direction) -> dict[str, Array]:
    """Least room over the batteries in each step if calls came unlike those that the plan expects, MWh."""
    found = {key: np.full(plant.steps, np.inf) for key in WHAT_IF}
    for battery in plant.batteries:
        unlike = UnlikePlan(schedule, plant, battery)
        quiet, every = (unlike.room(energy, way) for energy in (unlike.quiet(), unlike.every_block(offers, way)))
        taken = _energy_taken(ReadColumns.of(schedule), plant, battery, offers, way)
        for key, left in zip(
            WHAT_IF,
            (unlike.longer(offers, way), np.minimum(quiet[:-1], quiet[1:]) - taken, every[1:]),
            strict=True,
        ):
            found[key] = np.minimum(found[key], left)
    return found


def delivery_of(schedule: pd.DataFrame, plant: Plant) -> pd.DataFrame:
    """The least margins of each product called alone and of all of a direction together; see `Dispatch.delivery`."""
    rows, read = [], ReadColumns(schedule)
    for direction in SIGN:
        together = of_direction(plant.offers, direction)
        calls = [(offer.name, [offer]) for offer in together]
        for name, offers in (*calls, *([("all", together)] if together else [])):
            held = sum((schedule[offer.column].to_numpy(dtype=float) for offer in offers), np.zeros(plant.steps))
            some = held > HELD * plant.power_mw
            margins = margins_of(read, plant, offers, direction)
            row: dict[str, object] = {"product": name, "direction": direction}
            known = (("margin_mw", margins.power_mw), ("margin_mwh", margins.energy_mwh))
            for key, left in (*known, *_unlike_plan(schedule, plant, offers, direction).items()):
                worst = int(np.argmin(np.where(some, left, np.inf)))
                row[key] = float(left[worst]) if some.any() else np.nan
                row[f"{key}_at"] = plant.index[worst] if some.any() else pd.NaT
            rows.append(row)
    named = [name for key in ("margin_mw", "margin_mwh", *WHAT_IF) for name in (key, f"{key}_at")]
    columns = ["product", "direction", *named]
    return pd.DataFrame(rows, columns=columns).set_index(["product", "direction"])


def products_table(schedule: pd.DataFrame, plant: Plant) -> pd.DataFrame:
    """What each market product earns and how much of it is held, one row each; see `Dispatch.products`."""
    rows = {}
    for offer in plant.offers:
        bid = schedule[offer.column].to_numpy(dtype=float)
        called = sum((share for share in offer.called.values()), np.zeros(plant.steps))
        rows[offer.name] = {
            "capacity_revenue": float(money.capacity_revenue(bid, offer.price, plant.step_h).sum()),
            "activation_revenue": float(offer.activation_revenue(bid, plant.step_h).sum()),
            "activated_mwh": float((bid * called).sum() * plant.step_h),
            "mean_mw": float(bid.mean()),
            "most_mw": float(bid.max()),
            "blocks": int((bid[offer.block_starts] > HELD * plant.power_mw).sum()),
        }
    columns = ["capacity_revenue", "activation_revenue", "activated_mwh", "mean_mw", "most_mw", "blocks"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis(index="product")
