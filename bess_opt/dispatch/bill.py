"""The bill of a site, without a battery or with a plan's: a table by month and line, and its picture."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bess_opt.common.arrays import Array
from bess_opt.common.errors import InfeasibleError
from bess_opt.common.findings import Findings
from bess_opt.common.wording import number
from bess_opt.dispatch.checks.tariff import least_bill_findings
from bess_opt.inputs.scenario import Scenario
from bess_opt.plant.billing.lines import bill_table, peaks_set
from bess_opt.plant.flows import Flows
from bess_opt.plant.from_scenario import plant_of
from bess_opt.plant.products.activation import settled
from bess_opt.plant.stepper import run_rule
from bess_opt.plant.without_battery import site_without_battery

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from bess_opt.dispatch.result import Dispatch


@dataclass(frozen=True)
class Bill:
    """What a site pays for import and is paid for export, in its currency.

    `table` has a row per month and line: month, line, quantity, unit, rate, money (paid where positive), step (which
    set the peak). `import_mw` is what is billed, `peaks_mw` the means that set its peaks by the start of their
    interval, `without_mw` the site's import without a battery and `without_battery` its table, where that is another
    and possible. `findings` say where a least bill binds in a month that the horizon cuts.
    """

    table: pd.DataFrame
    currency: str
    name: str
    import_mw: pd.Series
    peaks_mw: pd.Series
    without_mw: pd.Series | None = None
    without_battery: pd.DataFrame | None = None
    findings: Findings = field(default_factory=Findings)

    @property
    def total(self) -> float:
        """The whole bill, currency: the sum of the table's money."""
        return float(self.table["money"].sum())

    @property
    def by_month(self) -> pd.Series:
        """The bill of each local month."""
        return self.table.groupby("month", sort=False)["money"].sum()

    def plot(self, month: str | None = None, *, theme: str = "light") -> Figure:
        """Import of a month, without and with the battery, and the steps that set its charges.

        `month` is one of the table's, as "2025-03"; by default the dearest. ValueError for another.
        """
        from bess_opt.plots import bill_figure

        chosen = str(self.by_month.idxmax()) if month is None else month
        if chosen not in set(self.table["month"]):
            known = ", ".join(dict.fromkeys(self.table["month"]))
            raise ValueError(f"month: {chosen!r} is not in the bill; give one of {known}")
        of_month = self.table.loc[self.table["month"] == chosen, "step"]
        stamps = {pd.Timestamp(text) for steps in of_month for text in steps.split(", ") if text}
        return bill_figure(
            self.import_mw,
            self.without_mw,
            chosen,
            self.peaks_mw[[stamp in stamps for stamp in self.peaks_mw.index]],
            title=f"{self.name}: bill of {chosen}",
            theme="dark" if theme == "dark" else "light",
        )


def bill(scenario: Scenario) -> Bill:
    """The bill of `scenario`'s site without its battery; a strategy is not needed.

    PV is curtailed for limits only; load beyond the import limit goes unserved where that has a price, else
    `InfeasibleError` with the time.
    """
    plant = site_without_battery(scenario)
    made = run_rule(plant, lambda _state: 0.0)
    return _bill(scenario, made.import_mw, made.export_mw, None)


def bill_of(plan: Dispatch) -> Bill:
    """The bill of a plan, whoever made it."""
    bought, sold = (plan.schedule[name].to_numpy() for name in ("import_mw", "export_mw"))
    try:
        idle = run_rule(site_without_battery(plan.scenario), lambda _state: 0.0)
    except InfeasibleError:
        idle = None
    return _bill(plan.scenario, bought, sold, idle, settled(plan.whole_schedule, plant_of(plan.scenario)))


def _bill(
    scenario: Scenario,
    import_mw: Array,
    export_mw: Array,
    idle: Flows | None,
    settled_mw: tuple[Array, Array] | None = None,
) -> Bill:
    plant = plant_of(scenario)
    if plant.billing is None:
        raise ValueError("a scenario has a billing")
    table = bill_table(plant.billing, plant.index, np.asarray(import_mw), np.asarray(export_mw), settled_mw)
    index = plant.index
    without = None if idle is None else pd.Series(idle.import_mw, index=index, name="without")
    before = None if idle is None else bill_table(plant.billing, index, idle.import_mw, idle.export_mw)
    bought = pd.Series(import_mw, index=index, name="import")
    notes = Findings(least_bill_findings(plant.billing, np.asarray(import_mw), np.asarray(export_mw), settled_mw))
    peaks = peaks_set(plant.billing, index, np.asarray(import_mw))
    return Bill(table, scenario.site.currency, scenario.name, bought, peaks, without, before, notes)


def bill_rows(made: Bill) -> tuple[list[str], list[list[str]]]:
    """Header and rows of a bill by month and line as words, beside what each line comes to without a battery."""
    idle = made.without_battery
    header = ["month", "line", "quantity", "rate", f"{made.currency} paid", "peak set at"]
    header[5:5] = [] if idle is None else ["without battery"]
    before = {} if idle is None else idle.set_index(["month", "line"])["money"].to_dict()
    rows = []
    for row in made.table.to_dict("records"):
        cells = [row["month"], row["line"], f"{number(row['quantity'])} {row['unit']}", number(row["rate"])]
        cells.append(f"{row['money']:,.2f}")
        if idle is not None:
            cells.append(f"{before.get((row['month'], row['line']), 0.0):,.2f}")
        rows.append([*cells, row["step"]])
    total = ["", "total", "", "", f"{made.total:,.2f}", ""]
    total[5:5] = [] if idle is None else [f"{float(idle['money'].sum()):,.2f}"]
    return header, [*rows, total]
