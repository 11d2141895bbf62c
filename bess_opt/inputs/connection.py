"""Clauses of a connection agreement: caps on import and export and limits on ramps, by calendar and by condition."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Annotated, ClassVar, Self

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from bess_opt.common.clock import Mask
from bess_opt.common.columns import SERIES
from bess_opt.common.findings import Finding
from bess_opt.common.input_table import Number, Table, Text, quantity, reject
from bess_opt.common.names import nearest
from bess_opt.common.wording import show
from bess_opt.inputs.calendar.keys import CalendarKeys, edge_findings


class Condition(Table):
    """A condition on a column of the series, taken on each step's own value."""

    where: ClassVar[str] = "when"

    series: Annotated[Text, Field(description='a column of the series, such as "price_per_mwh"', min_length=1)]
    below: Annotated[Number | None, quantity("holds where the value is less than this", "unit of the column")] = None
    above: Annotated[Number | None, quantity("holds where the value is more than this", "unit of the column")] = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.below is None and self.above is None:
            reject([Finding("missing_key", "below", "is missing", "give below, above, or both")])
        return self

    def mask(self, values: np.ndarray) -> Mask:
        """Steps whose value meets the condition; both bounds together are "and"."""
        holds = np.ones(len(values), dtype=np.bool_)
        if self.below is not None:
            holds &= values < self.below
        if self.above is not None:
            holds &= values > self.above
        return holds


class Clause(CalendarKeys):
    """What a grid operator allows at the meter in the steps in which the clause is active.

    Active where its part of the year, days, hours and condition hold at once; a key left out restricts nothing.
    """

    where: ClassVar[str] = "connection"

    name: Annotated[Text, Field(description="a text: what results call the clause, unique", min_length=1)]
    import_mw: Annotated[Number | None, quantity("most power from the grid", "MW", ge=0)] = None
    export_mw: Annotated[Number | None, quantity("most power to the grid", "MW", ge=0)] = None
    ramp_mw_per_min: Annotated[
        Number | None, quantity("most change of the grid power from step to step, either way", "MW/min", gt=0)
    ] = None
    before_mw: Annotated[
        Number | None,
        quantity(
            "grid power in the step before the horizon, + exports; default: the first step's ramp is free", "MW"
        ),
    ] = None
    when: Annotated[
        Condition | None, Field(description="a table {series, below, above}: a condition on a column of the series")
    ] = None
    overrun_price_per_mwh: Annotated[
        Number | None,
        quantity("price of energy above a cap, beside its own; default: the cap is hard", "currency/MWh", ge=0),
    ] = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        problems = []
        capped = self.import_mw is not None or self.export_mw is not None
        if not capped and self.ramp_mw_per_min is None:
            expected = "give import_mw, export_mw or ramp_mw_per_min"
            problems.append(Finding("missing_key", "export_mw", "is missing", expected))
        if self.overrun_price_per_mwh is not None and self.ramp_mw_per_min is not None:
            found, expected = (
                "stands beside ramp_mw_per_min",
                "state the ramp as a clause of its own, without a price",
            )
            problems.append(Finding("keys_in_conflict", "overrun_price_per_mwh", found, expected))
        if self.before_mw is not None and self.ramp_mw_per_min is None:
            found, expected = "stands without ramp_mw_per_min", "give the ramp too, or leave it out"
            problems.append(Finding("keys_in_conflict", "before_mw", found, expected))
        if problems:
            reject(problems)
        return self

    def active(self, series: pd.DataFrame, holidays: Collection[str]) -> Mask:
        """Steps of `series` in which the clause holds; `holidays` are local dates."""
        mask = self.calendar.mask(pd.DatetimeIndex(series.index), holidays)
        if self.when is not None:
            mask = mask & self.when.mask(series[self.when.series].to_numpy(dtype=float))
        return mask


def clause_findings(
    clauses: Sequence[Clause], index: pd.DatetimeIndex, step_h: float, holidays: Collection[str] | None
) -> list[Finding]:
    """Problems between the clauses and the steps; `holidays` is None where the site states none."""
    counted = Counter(clause.name for clause in clauses)
    problems = [
        Finding(
            "same_name", f"connection[{n}].name", f"{clause.name!r} is the name of another clause", "give another"
        )
        for n, clause in enumerate(clauses)
        if counted[clause.name] > 1 and any(other.name == clause.name for other in clauses[:n])
    ]
    for n, clause in enumerate(clauses):
        where = f"connection[{n}]"
        problems += edge_findings(clause.calendar, where, index, step_h)
        if clause.calendar.needs_holidays and holidays is None:
            expected = 'state site.holidays: a region such as "DE-BY", or a list of dates'
            problems.append(Finding("no_holidays", f"{where}.days", 'names "holiday", but none are stated', expected))
    return problems


def condition_findings(clauses: Sequence[Clause], columns: Sequence[str]) -> list[Finding]:
    """Conditions on a column that the series has not."""
    problems = []
    for n, clause in enumerate(clauses):
        name = None if clause.when is None else clause.when.series
        if name is not None and name not in columns:
            hint = nearest(name, list(columns)) if columns else f"add the column {name} to the series"
            found = "the series has no such column" if name in SERIES else "no column of the series has this name"
            problems.append(
                Finding("unknown_column", f"connection[{n}].when.series", f"found {show(name)}: {found}", hint)
            )
    return problems


def clause_notes(clauses: Sequence[Clause], series: pd.DataFrame, holidays: Collection[str]) -> list[Finding]:
    """Clauses that are active in no step of the horizon."""
    found = "is active in no step of the horizon, so that it limits nothing"
    expected = "mend months, days, hours or when, or plan a horizon that holds such steps"
    return [
        Finding("connection_never_active", f"connection[{n}]", f"clause {clause.name!r} {found}", expected, "warning")
        for n, clause in enumerate(clauses)
        if not clause.active(series, holidays).any()
    ]
