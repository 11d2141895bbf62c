"""How cells age: the figures of the calendar model and of the cycle-life table."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

import numpy as np
from pydantic import Field, model_validator

from bess_opt.common.arrays import Array
from bess_opt.common.findings import Finding
from bess_opt.common.input_table import Number, Table, quantity, reject
from bess_opt.inputs.technologies import LIFE_ENDS_AT, Technology

KELVIN, REFERENCE_K = 273.15, 296.0
DAYS_A_YEAR = 365.0
NEVER = 1e9  # cycles of cells whose cycle life is not stated


class AgeingModel(Table):
    """Calendar fade as in NREL SAM (after K. Smith), cycle fade from a cycle-life table.

    Defaults of the calendar: SAM's lithium-ion model. Default table: 5,000 cycles of depth 0.2 and 1,000 of
    depth 0.8 until 0.8 of the capacity is left, as in the battery inputs of SAM's own tests: older cells. What a
    technology of the table is known for, `of_technology` takes; give a maker's curve as `cycles_to_failure`.
    """

    where: ClassVar[str] = "ageing"

    calendar_q0: Annotated[Number, quantity("capacity at the start of the calendar", "1", gt=0)] = 1.02
    calendar_a: Annotated[Number, quantity("calendar fade at 296 K", "1/day^0.5", ge=0)] = 2.66e-3
    calendar_b: Annotated[Number, quantity("temperature dependence of calendar fade", "K")] = -7280.0
    calendar_c: Annotated[Number, quantity("charge dependence of calendar fade", "K")] = 930.0
    temperature_c: Annotated[Number, quantity("cell temperature", "degree Celsius", gt=-KELVIN)] = 25.0
    cycles_to_failure: Annotated[
        tuple[tuple[Number, Number], ...],
        Field(description="rows of (depth of discharge 0 to 1, full cycles of it until failure_capacity is left)"),
    ] = ((0.2, 5000.0), (0.8, 1000.0))
    failure_capacity: Annotated[
        Number, quantity("capacity at which the cycles of the table end", "1", gt=0, lt=1)
    ] = 0.8
    end_of_life: Annotated[Number, quantity("capacity at which the battery's life ends", "1", gt=0, lt=1)] = 0.8

    @model_validator(mode="after")
    def _table_is_a_curve(self) -> Self:
        depth, cycles = np.array(self.cycles_to_failure or [(0.0, 0.0)]).T
        rising = (np.diff(depth) > 0.0).all() and (np.diff(cycles) <= 0.0).all()
        if len(depth) < 2 or depth[0] <= 0.0 or depth[-1] > 1.0 or cycles.min() <= 0.0 or not rising:
            found = f"found {self.cycles_to_failure}"
            expected = "give two rows or more, depth rising within 0 to 1, cycles > 0 and not rising"
            reject([Finding("wrong_value", "cycles_to_failure", found, expected)])
        return self

    @classmethod
    def of_technology(cls, cells: Technology) -> Self:
        """The model with the cycle life and calendar life that `cells` state; what they leave out does not age.

        A cycle counts by its depth: N full ones are 2·N of half the depth. The calendar reaches 0.8 of the
        capacity after the stated years at the model's own temperature, whatever the charge.
        """
        bare = cls()
        full = cells.cycle_life if cells.cycle_life is not None else NEVER
        years = cells.calendar_life_years
        if years is None and cells.cycle_life is None and cells.fade_per_year:
            years = (1.0 - LIFE_ENDS_AT) / cells.fade_per_year
        lost = bare.calendar_q0 - LIFE_ENDS_AT
        slow = 0.0 if years is None else lost / np.sqrt(DAYS_A_YEAR * years)
        even = cls(calendar_a=1.0, calendar_c=0.0)
        usual = float(even.calendar_rate(np.array(0.5), even.temperature_c))
        cycles = ((0.1, 10.0 * full), (1.0, full))
        return cls(calendar_a=float(slow / usual), calendar_c=0.0, cycles_to_failure=cycles)

    def cycles(self, depth: Array) -> Array:
        """Cycles of `depth` (0 to 1] to failure: straight lines in log-log, the outer ones drawn on."""
        x, y = np.log(np.array(self.cycles_to_failure).T)
        at = np.log(depth)
        piece = np.clip(np.searchsorted(x, at) - 1, 0, len(x) - 2)
        slope = np.diff(y) / np.diff(x)
        life: Array = np.exp(y[piece] + slope[piece] * (at - x[piece]))
        return life

    def calendar_rate(self, soc: Array, temperature_c: Array | float) -> Array:
        """k = a·exp(b(1/T − 1/296))·exp(c(SOC/T − 1/296)) per step, 1/day^0.5."""
        kelvin = np.asarray(temperature_c) + KELVIN
        heat = self.calendar_b * (1.0 / kelvin - 1.0 / REFERENCE_K)
        rate: Array = self.calendar_a * np.exp(heat + self.calendar_c * (soc / kelvin - 1.0 / REFERENCE_K))
        return rate
