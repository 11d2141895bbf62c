"""A start for programs with wear by depth: which segments fill and empty at what is known without them.

Without segments, at one mean price of wear, the program is small; its solution prices each MWh that the cells take or
give in a step. At given prices of power the segments know nothing of each other, and the worth of a MWh in one of
them follows backward in time: what it is worth a step later, but never less than selling it now brings, nor more than
buying it now costs. Where the worth is held by neither the segment rests, half full.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.models.warranty.wear import energy_name, leaving_name
from bess_opt.solver.program import ENERGY, ENERGY_LAW, Block, Program
from bess_opt.solver.solution import AT_LOWER, AT_UPPER, BASIC

SAME = 1e-9  # of the dearest worth: prices closer than this are one


@dataclass(frozen=True)
class SegmentBlocks:
    """Where the segments of a program's one battery stand, an entry for each, cheapest first."""

    filled: Array  # first row of what each segment gains
    energy: Array  # first column of each segment's energy
    leaving: Array  # first column of what leaves each segment
    steps: int
    below: float  # stored energy at which all segments are empty


def segment_blocks(program: Program) -> SegmentBlocks | None:
    """The segments of a program of one battery without drawn energy; None for any other program."""
    if ENERGY not in program.variables or energy_name(1) not in program.variables:
        return None
    number = 0
    rows, energies, leavings = [], [], []
    while energy_name(number) in program.variables:
        row = program.constraints.get(f"wear_{number}_filled")
        if row is None or "wear_drawn" in program.constraints:
            return None
        rows.append(row.first)
        energies.append(program.variables[energy_name(number)].first)
        leavings.append(program.variables[leaving_name(number)].first)
        number += 1
    steps = len(program.constraints[ENERGY_LAW].positions)
    below = max(-float(program.row_lower[program.constraints["wear_holds"].first]), 0.0)
    return SegmentBlocks(np.array(rows), np.array(energies), np.array(leavings), steps, below)


def without_segments(program: Program, blocks: SegmentBlocks) -> Program:
    """The program without segments, at one mean price of wear."""
    bare = np.ones(program.columns, dtype=bool)
    for block in program.variables.values():
        bare[block.slice] = not block.meaning.of_wear
    ours = np.ones(program.rows, dtype=bool)
    for block in program.constraints.values():
        ours[block.slice] = not block.meaning.of_wear
    of_row = program.row_of_entry
    entries = np.flatnonzero(ours[of_row])
    columns = np.flatnonzero(bare)
    small, rows = program.part(columns, entries, of_row[entries])
    places = {name: block for name, block in program.variables.items() if not block.meaning.of_wear}
    small.variables = {name: _moved(block, columns) for name, block in places.items()}
    held = {name: block for name, block in program.constraints.items() if not block.meaning.of_wear}
    small.constraints = {name: _moved(block, rows) for name, block in held.items()}
    small.cost[small.variables["discharge_mw"].slice] += mean_wear(program, blocks) * _leaves_per_mw(program)
    return small


def mean_wear(program: Program, blocks: SegmentBlocks) -> float:
    """The mean of the segments' prices, weighted by their width, currency/MWh."""
    width = program.upper[blocks.energy + 1]
    return float(width @ program.cost[blocks.leaving] / width.sum())


def worn_basis(
    program: Program, blocks: SegmentBlocks, bare: Program, row_dual: Array, statuses: tuple[Array, Array]
) -> tuple[Array, Array]:
    """(column, row) statuses of `program`, from the prices `row_dual` of `bare` and the `statuses` of its basis.

    In each step the cells' three flows are basic, as the segments' two sums and the energy law ask for, save those at
    their upper limit: for each of these, one more segment is half full.
    """
    worth, sold, bought = _worth_in_cells(bare, row_dual)
    least = sold[:, None] + (mean_wear(program, blocks) - program.cost[blocks.leaving])[None, :]
    most = np.maximum(bought[:, None], least)
    later, now = _worth_by_segment(least, most, float(worth[-1]))
    same = SAME * float(np.abs(now).max(initial=1.0))
    empties, fills = later < least - same, later > most + same
    column, row, more = _statuses_of_cells(program, bare, statuses)
    half = ~(empties | fills)
    nearest = np.argsort(np.where(half, np.inf, np.abs(later - now)), axis=1, kind="stable")
    for extra in range(min(int(more.max(initial=0)), half.shape[1])):
        step = np.flatnonzero(more > extra)
        half[step, nearest[step, extra]] = True
    step = np.arange(blocks.steps)[:, None]
    column[blocks.energy] = AT_LOWER
    column[blocks.energy + step + 1] = np.where(half, BASIC, np.where(fills, AT_UPPER, AT_LOWER))
    column[blocks.leaving + step] = np.where(empties, BASIC, AT_LOWER)
    row[blocks.filled + step] = np.where(fills, BASIC, AT_LOWER)
    return column, row


def emptied(program: Program, blocks: SegmentBlocks, column: Array, row: Array) -> Array:
    """Per instant, whether by the statuses of `worn_basis` no segment holds energy: none was filled last."""
    step = np.arange(blocks.steps)
    fills = row[blocks.filled[:, None] + step] == BASIC
    empties = column[blocks.leaving[:, None] + step] == BASIC
    event = np.where(fills, 1, np.where(empties, 0, -1))
    last = np.maximum.accumulate(np.where(event >= 0, step, -1), axis=1)
    began = program.lower[blocks.energy] > 0.0
    holds = np.where(last >= 0, np.take_along_axis(event, np.maximum(last, 0), 1) == 1, began[:, None])
    return np.concatenate([[not began.any()], ~holds.any(axis=0)])


def _worth_in_cells(bare: Program, row_dual: Array) -> tuple[Array, Array, Array]:
    """(worth of a MWh in the cells after each step, what one brings that leaves, what one costs that enters).

    A flow at its upper limit is worth more than it costs: the rest is the price of power, and counts as its cost.
    """
    law = bare.constraints[ENERGY_LAW]
    reduced = bare.cost - bare.priced(row_dual)
    per_mwh = {}
    for name in (ENERGY, "charge_mw", "discharge_mw"):
        block = bare.variables[name]
        last = block.positions[-len(law.positions) :] + block.first
        entries, step = bare.entries_of(np.arange(law.first, law.slice.stop))
        value = np.zeros(len(law.positions))
        own = bare.column[entries] == last[step]
        value[step[own]] = bare.value[entries[own]]
        per_mwh[name] = value
    worth = -row_dual[law.slice] * per_mwh[ENERGY]
    enters, leaves = np.abs(per_mwh["charge_mw"]), np.abs(per_mwh["discharge_mw"])
    bought = worth + np.maximum(reduced[bare.variables["charge_mw"].slice], 0.0) / enters
    sold = worth - np.maximum(reduced[bare.variables["discharge_mw"].slice], 0.0) / leaves
    return worth, sold, bought


def _worth_by_segment(least: Array, most: Array, at_end: float) -> tuple[Array, Array]:
    """(worth after the next step, worth after this one) of a MWh in each segment, a row for each step."""
    later, now = np.empty_like(least), np.empty_like(least)
    worth = np.full(least.shape[1], at_end)
    for t in range(len(least) - 1, -1, -1):
        later[t] = worth
        worth = np.minimum(np.maximum(worth, least[t]), most[t])
        now[t] = worth
    return later, now


def _statuses_of_cells(program: Program, bare: Program, statuses: tuple[Array, Array]) -> tuple[Array, Array, Array]:
    """(column, row) statuses of `program` without its segments, and how many of these must be half full by step."""
    column, row = np.full(program.columns, AT_LOWER), np.full(program.rows, AT_LOWER)
    for name, block in bare.variables.items():
        column[program.variables[name].slice] = statuses[0][block.slice]
    for name, block in bare.constraints.items():
        row[program.constraints[name].slice] = statuses[1][block.slice]
    more = np.full(len(program.constraints[ENERGY_LAW].positions), 2)
    for name in (ENERGY, "charge_mw", "discharge_mw"):
        block = program.variables[name]
        own = slice(block.slice.stop - len(more), block.slice.stop)
        before = column[own] == BASIC
        basic = before | (column[own] == AT_LOWER) | (name == ENERGY)
        column[own] = np.where(basic, BASIC, column[own])
        more += before.astype(int) - basic.astype(int)
    return column, row, more


def _leaves_per_mw(program: Program) -> float:
    """MWh that leave the cells in a step for each MW of discharge."""
    block, column = program.constraints["wear_leaves"], program.variables["discharge_mw"].first
    entries, _ = program.entries_of(np.array([block.first]))
    return -float(program.value[entries][program.column[entries] == column].sum())


def _moved(block: Block, kept: Array) -> Block:
    """The block where its first place has come to among those `kept`."""
    return replace(block, first=int(np.searchsorted(kept, block.first)))
