"""Why an optimal plan does what it does: prices, limits and a reason per step, and what more would be worth.

The break-even prices are those of the plan's own duals: energy worth less than `charge_below_per_mwh` at the
battery's port is stored, energy worth more than `discharge_above_per_mwh` is given back, and between the two
the spread is below losses and wear. They hold what else an action costs, warranty cycles for example.
All prices are in units of the strategy's first objective (maximised) per MWh.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bess_opt.common.errors import BessOptError
from bess_opt.dispatch.optimum.causes import Places, cause_of, reserved
from bess_opt.dispatch.optimum.marginals import Marginals, duals_of
from bess_opt.dispatch.optimum.marginals import marginals as marginals_of
from bess_opt.dispatch.optimum.solve_scenario import Solved, flows_of, solve_scenario
from bess_opt.plant.flows import schedule_of

if TYPE_CHECKING:
    from bess_opt.common.arrays import Array
    from bess_opt.dispatch.result import Dispatch
    from bess_opt.plant.plant import Plant, Storage
    from bess_opt.solver.change import Duals
    from bess_opt.solver.program import Block, Program

CERTAIN = 1e-6  # of the typical cost: a smaller dual proves nothing
MOVES = 1e-6  # of the plant's size: less power is rest
SAME = 1e-5  # of the plant's size: how close a plan must be to the one that is explained


class NotExplainableError(BessOptError):
    """Only an optimal plan has duals, and only the one that its scenario gives."""


def explain(plan: Dispatch) -> pd.DataFrame:
    """Each step of an optimal plan: prices, what binds, and the reason.

    Columns: `battery_mw` · `stored_energy_value_per_mwh` (one MWh more in the cells at the step's end) ·
    `local_price_per_mwh` (one MWh more at the battery's port: the market price, unless a limit or a peak
    stands between) · `charge_below_per_mwh`, `discharge_above_per_mwh` (break-even prices, to be held against
    the local price) · `binds` (limits whose relief would be worth something) · `reason`.
    Of several batteries each has these columns, "north.reason". `.attrs["marginals"]` is `marginals(plan).to_dict()`,
    with one battery. The scenario is solved again for its duals.
    Raises `NotExplainableError` for a rule or replay, and for a plan that a time limit cut short otherwise.
    """
    solved = _solved(plan)
    if plan.of_batteries is not None:
        return _tables_of_several(solved, plan)
    table = _table(solved, plan.schedule)
    table.attrs["marginals"] = marginals_of(solved).to_dict()
    return table


def _tables_of_several(solved: Solved, plan: Dispatch) -> pd.DataFrame:
    """The table of each battery, as if the others were part of the site."""
    program, found = solved.program, []
    for battery in solved.plant.batteries:
        own = replace(
            program,
            variables=_blocks_of(program.variables, battery),
            constraints=_blocks_of(program.constraints, battery),
        )
        plant = replace(solved.plant, batteries=(replace(battery, name=""),))
        schedule = plan.schedule.assign(**plan.units[battery.name])
        found.append(_table(solved, schedule, own, plant).add_prefix(battery.prefix))
    return pd.concat(found, axis=1)


def _blocks_of(blocks: Mapping[str, Block], battery: Storage) -> dict[str, Block]:
    """The site's components and those of one battery, by their own names."""
    own = ("", battery.name)
    return {name.removeprefix(battery.prefix): block for name, block in blocks.items() if block.battery in own}


def marginals(result: Dispatch | Solved) -> Marginals:
    """Worth over the horizon of one more MW or MWh of each size, in units of the first objective."""
    return marginals_of(result if isinstance(result, Solved) else _solved(result))


def _solved(plan: Dispatch) -> Solved:
    """The plan's program with its duals."""
    if plan.twin != "optimal":
        raise NotExplainableError(
            f"twin: this plan was made by the {plan.twin} twin; only optimal plans have duals, "
            "explain that of bess_opt.optimize(scenario)"
        )
    solved = solve_scenario(plan.scenario)
    again = schedule_of(solved.plant, flows_of(solved.optimum, solved.plant))["battery_mw"].to_numpy()
    power = plan.schedule["battery_mw"].to_numpy()
    if np.abs(again - power).max() > SAME * solved.plant.scale_mw:
        raise NotExplainableError(
            "plan: its scenario now gives another plan (a time limit, or another version of the solver); "
            "optimize it again and explain that"
        )
    return solved


def _table(
    solved: Solved, schedule: pd.DataFrame, program: Program | None = None, plant: Plant | None = None
) -> pd.DataFrame:
    """Prices and reasons for one battery; `program` and `plant` name its components as those of the only one."""
    plant = solved.plant if plant is None else plant
    found = _Prices(solved.program if program is None else program, duals_of(solved), plant)
    moving = schedule["battery_mw"].to_numpy()
    return pd.DataFrame(
        {
            "battery_mw": moving,
            "stored_energy_value_per_mwh": found.stored,
            "local_price_per_mwh": found.local,
            "charge_below_per_mwh": found.charge_below,
            "discharge_above_per_mwh": found.discharge_above,
            "binds": found.binding(),
            "reason": _reasons(found, schedule, plant),
        },
        index=plant.index,
    )


class _Prices:
    """The duals as prices per step; `masks` tells where each limit binds."""

    def __init__(self, program: Program, duals: Duals, plant: Plant) -> None:
        self._program, self._duals, self._plant = program, duals, plant
        present = np.abs(program.cost[program.cost != 0.0])
        self._zero = CERTAIN * (float(np.median(present)) if len(present) else 1.0)
        hours = plant.step_h
        bus = program.constraints["dc_balance" if plant.storage.on_dc_bus else "ac_balance"]
        self.zero = self._zero / hours
        self.stored = duals.row[program.constraints["energy_balance"].slice]
        self.local = 0.0 - duals.row[bus.slice] / hours
        self.charge_below = self.local + self._reduced("charge_mw") / hours
        self.discharge_above = self.local - self._reduced("discharge_mw") / hours
        self.masks = self._masks()

    def _reduced(self, name: str) -> Array:
        z: Array = self._duals.column[self._program.variables[name].slice]
        return z

    def at(self, *limits: str) -> Array:
        """Steps at which one of `limits` binds."""
        nowhere = np.zeros(self._plant.steps, dtype=bool)
        binds: Array = np.logical_or.reduce([self.masks.get(limit, nowhere) for limit in limits])
        return binds

    def binding(self) -> list[str]:
        """The limits that bind, per step, as text."""
        texts = np.full(self._plant.steps, "", dtype=object)
        for name, mask in self.masks.items():
            texts[mask] = texts[mask] + np.where(texts[mask] == "", name, ", " + name).astype(object)
        return [str(text) for text in texts]

    def _masks(self) -> dict[str, Array]:
        masks: dict[str, Array] = {}
        for name, mask in [*self._flow_masks(), *self._energy_masks(), *self._row_masks()]:
            masks[name] = masks.get(name, False) | mask
        return {name: mask for name, mask in masks.items() if mask.any()}

    def _flow_masks(self) -> list[tuple[str, Array]]:
        found = []
        for column, block in self._program.variables.items():
            limit = block.meaning.limit
            if limit is None:
                continue
            scarce = (self._reduced(column) > self._zero) & limit.something
            closed = self._duals.closed[block.slice]
            derived = self._program.upper[block.slice] < limit.most
            own = limit.derived or limit.name
            found += [(limit.name, scarce & ~closed & ~derived), (own, scarce & ~closed & derived)]
            found += [("one way at a time", scarce & closed)]
        return found

    def _energy_masks(self) -> list[tuple[str, Array]]:
        z = self._reduced("energy_mwh")
        low, high = z < -self._zero, z > self._zero
        end = np.zeros(self._plant.steps, dtype=bool)
        end[-1] = low[-1] or high[-1]
        low[-1] = high[-1] = False
        held = reserved(self._plant.storage)
        named = [("SOC max", high), ("SOC min", low & ~held), ("reserve", low & held)]
        return [*((name, mask[1:]) for name, mask in named), ("end condition", end)]

    def _row_masks(self) -> list[tuple[str, Array]]:
        program, places = self._program, Places(self._program)
        on_steps = np.maximum.reduceat(places.step[program.column], program.start[:-1]) >= 0
        scarce = (np.abs(self._duals.row) > self._zero) & (program.row_lower != program.row_upper) & on_steps
        found = []
        for block in program.constraints.values():
            if block.meaning.kind == "law":
                continue  # segments of wear gain nothing but what enters them: no limit that somebody states
            mask = np.zeros(self._plant.steps, dtype=bool)
            for i in np.flatnonzero(scarce[block.slice]):
                own = block.index == "steps"
                mask[int(block.positions[i]) if own else places.of_row(block.first + int(i))] = True
            found.append((cause_of(block), mask))
        return found


def _reasons(found: _Prices, schedule: pd.DataFrame, plant: Plant) -> Array:
    """One plain sentence per step, the first that is true."""
    power, still = schedule["battery_mw"].to_numpy(), MOVES * plant.scale_mw
    charging, discharging = power < -still, power > still
    rules = [
        *((charging & true, f"charges: {why}") for true, why in _why_charging(found, schedule, plant)),
        *((discharging & true, f"discharges: {why}") for true, why in _why_discharging(found, schedule, plant)),
        *((true, f"idle: {why}") for true, why in _why_idle(found, schedule, plant)),
    ]
    idle = "idle: the price lies between the break-evens, the spread is below the losses"
    reasons: Array = np.select([true for true, _ in rules], [text for _, text in rules], default=idle)
    return reasons


def _indifferent(found: _Prices, edge: Array) -> Array:
    """Steps at which the first objective does not care: nothing is worth anything there."""
    near = 10.0 * found.zero
    values = np.abs(np.stack([found.local, found.stored, edge]))
    nothing: Array = (values < near).all(axis=0)
    return nothing


def _why_charging(found: _Prices, schedule: pd.DataFrame, plant: Plant) -> list[tuple[Array, str]]:
    solar = schedule["solar_mw"].to_numpy() > MOVES * plant.scale_mw
    lost = schedule["curtailed_mw"].to_numpy() > MOVES * plant.scale_mw
    blocked = found.at("export limit", "inverter", "curtailment")
    return [
        (found.local < -found.zero, "it is paid to take energy"),
        (solar & (lost | blocked), "PV power finds no other way out"),
        (_indifferent(found, found.charge_below), "the first objective does not mind, a later one decides"),
        (np.ones(plant.steps, dtype=bool), "energy is cheap"),
    ]


def _why_discharging(found: _Prices, schedule: pd.DataFrame, plant: Plant) -> list[tuple[Array, str]]:
    unserved = schedule["unserved_mw"].to_numpy() > MOVES * plant.scale_mw
    return [
        (found.stored < -found.zero, "it makes room, stored energy is a burden"),
        (found.at("peak"), "it keeps the billed peak down"),
        (unserved | found.at("import limit"), "the load is more than the connection gives"),
        (
            _indifferent(found, found.discharge_above),
            "the first objective does not mind, a later one decides",
        ),
        (np.ones(plant.steps, dtype=bool), "energy is dear"),
    ]


def _why_idle(found: _Prices, schedule: pd.DataFrame, plant: Plant) -> list[tuple[Array, str]]:
    storage, close = plant.storage, MOVES * plant.storage.energy_mwh
    energy, power = schedule["energy_mwh"].to_numpy(), schedule["battery_mw"].to_numpy()
    low, high = energy <= storage.floor_mwh[1:] + close, energy >= storage.ceiling_mwh[1:] - close
    moves = np.flatnonzero(np.abs(power) > MOVES * plant.scale_mw)
    tail = np.arange(plant.steps) > (moves[-1] if len(moves) else -1)
    spent = found.at("cycles") & (found.local > _storage_edge(found, plant) + found.zero)
    indifferent = _indifferent(found, found.charge_below) & _indifferent(found, found.discharge_above)
    return [
        (indifferent, "the first objective does not mind, a later one decides"),
        (low & reserved(plant.storage)[1:], "what is stored is held as reserve"),
        (low, "empty, and energy is not cheap enough to charge"),
        (high, "full, and energy is not dear enough to discharge"),
        (tail & bool(found.at("end condition")[-1]), "what is stored is held for the end condition"),
        (spent, "the day's warranty cycles are worth more at another time"),
        (found.at("one way at a time"), "a converter runs one way at a time"),
    ]


def _storage_edge(found: _Prices, plant: Plant) -> Array:
    """Break-even price of discharging by losses and wear alone."""
    storage = plant.storage
    edge: Array = found.stored / storage.eta_discharge + storage.wear_cost_per_mwh + storage.variable_om_per_mwh
    return edge
