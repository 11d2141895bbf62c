"""Names for what a column or row of the program stands for, and the step to which each belongs."""

from __future__ import annotations

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.models.wear import is_of_wear
from bess_opt.plant.plant import Storage
from bess_opt.solver.program import Program

# Cause of a column that is (too low, too high), and of a row that is not used up.
COLUMN_CAUSES = {
    "charge_mw": ("missed charge", "needless charge"),
    "discharge_mw": ("missed discharge", "needless discharge"),
    "energy_mwh": ("not full", "not empty"),
    "import_mw": ("import", "import"),
    "export_mw": ("export", "export"),
    "curtailed_ac_mw": ("curtailment", "curtailment"),
    "curtailed_dc_mw": ("curtailment", "curtailment"),
    "unserved_mw": ("unserved load", "unserved load"),
    "inverter_out_mw": ("inverter", "inverter"),
    "inverter_in_mw": ("inverter", "inverter"),
    "measured_mw": ("peak", "peak"),
    "billed_mw": ("peak", "peak"),
    "level_mw": ("peak", "peak"),
    "over_level_mw": ("peak", "peak"),
    "mean_mw": ("peak", "peak"),
    "demand_over_mw": ("peak", "peak"),
    "overrun_over_mw": ("peak", "peak"),
    "counted_mwh": ("tier", "tier"),
    "counted_over_mwh": ("tier", "tier"),
    "month_sum": ("bill of the month", "bill of the month"),
    "topped": ("bill of the month", "bill of the month"),
}
CLAUSE_ROWS = ("connection_", "grid_ramp_", "first_grid_ramp_")
CYCLE_ROWS = ("cycles_per_", "cycles_within_", "stated_cycles_at_most")
ROW_CAUSES = {
    "no_grid_charging": "grid charging",
    "no_battery_export": "battery export",
    "strict_export": "battery export",
    "strict_export_chord": "battery export",
    "no_battery_export_behind_inverter": "battery export",
    "measured_peak": "peak",
    "measured_peak_cut": "peak",
    "billed_at_least_measured": "peak",
    "billed_at_least_mean": "peak",
    "over_level": "peak",
    "known_over_level": "peak",
    "mean_of_highest": "peak",
    "demand_over_mw_at_least": "peak",
    "overrun_over_mw_at_least": "peak",
    "counted": "tier",
    "counted_over_mwh_at_least": "tier",
    "month_adds_up": "bill of the month",
    "month_minimum_holds": "bill of the month",
}


class Places:
    """The steps that rows and columns stand in: their own, or those of what they are tied to."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self.step = np.full(program.columns, -1)
        for block in program.variables.values():
            if block.index == "steps":
                self.step[block.slice] = block.positions
            elif block.index == "instants":
                self.step[block.slice] = np.maximum(block.positions - 1, 0)
        self._by_column = np.argsort(program.column, kind="stable")
        self._first = np.searchsorted(program.column[self._by_column], np.arange(program.columns + 1))
        self._row_of = program.row_of_entry

    def of_row(self, row: int, seen: frozenset[int] = frozenset()) -> Array:
        """Steps of the row's columns; if none has any, of what these are tied to."""
        program = self._program
        columns = program.column[program.start[row] : program.start[row + 1]]
        steps = self.step[columns]
        if (steps >= 0).any() or row in seen:
            return np.unique(steps[steps >= 0])
        return _union([self.of_column(int(j), seen | {row}) for j in columns])

    def of_column(self, column: int, seen: frozenset[int] = frozenset()) -> Array:
        """The column's own step, or those of its rows."""
        if self.step[column] >= 0:
            return self.step[column : column + 1]
        rows = self._row_of[self._by_column[self._first[column] : self._first[column + 1]]]
        return _union([self.of_row(int(i), seen) for i in rows if int(i) not in seen])


def _union(parts: list[Array]) -> Array:
    return np.unique(np.concatenate(parts)) if parts else np.zeros(0, dtype=np.int64)


def reserved(battery: Storage) -> Array:
    """Instants at which a stated reserve, not the SOC window, is the floor."""
    floor = battery.floor_mwh
    held: Array = floor > floor[0] * (1.0 + 1e-12)
    return held


def readable(name: str) -> str:
    """A component's name as words."""
    return name.removesuffix("_mwh").removesuffix("_mw").replace("_", " ")


def column_causes(name: str) -> tuple[str, str]:
    """What a column that is (too low, too high) stands for, in words."""
    return ("wear", "wear") if is_of_wear(name) else COLUMN_CAUSES.get(name, (readable(name),) * 2)


def row_cause(name: str) -> str:
    """Why a row binds, in words: by its table, else by its name."""
    if is_of_wear(name):
        return "wear"
    if name.startswith(CLAUSE_ROWS):
        return "connection clause"
    return ROW_CAUSES.get(name, "cycles" if name.startswith(CYCLE_ROWS) else readable(name))
