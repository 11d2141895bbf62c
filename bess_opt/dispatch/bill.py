"""The bill of a site, without a battery or with a plan's: a table by month and line, and its picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bess_opt.common.arrays import Array
from bess_opt.common.errors import InfeasibleError
from bess_opt.inputs.scenario import Scenario
from bess_opt.plant.billing.lines import bill_table
from bess_opt.plant.from_scenario import plant_of
from bess_opt.plant.stepper import run_rule
from bess_opt.plant.without_battery import site_without_battery

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from bess_opt.dispatch.result import Dispatch


@dataclass(frozen=True)
class Bill:
    """What a site pays for import and is paid for export, in its currency.

    `table` has a row per month and line: month, line, quantity, unit, rate, money (paid where positive), step (which
    set the peak). `import_mw` is what is billed, `without_mw` the site's import without a battery where that is
    another and possible.
    """

    table: pd.DataFrame
    currency: str
    name: str
    import_mw: pd.Series
    without_mw: pd.Series | None = None

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
        stamps = [
            stamp for text in self.table.loc[self.table["month"] == chosen, "step"] for stamp in text.split(", ")
        ]
        return bill_figure(
            self.import_mw,
            self.without_mw,
            chosen,
            [pd.Timestamp(stamp) for stamp in dict.fromkeys(stamps) if stamp],
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
        idle = run_rule(site_without_battery(plan.scenario), lambda _state: 0.0).import_mw
    except InfeasibleError:
        idle = None
    return _bill(plan.scenario, bought, sold, idle)


def _bill(scenario: Scenario, import_mw: Array, export_mw: Array, without_mw: Array | None) -> Bill:
    plant = plant_of(scenario)
    if plant.billing is None:
        raise ValueError("a scenario has a billing")
    table = bill_table(plant.billing, plant.index, np.asarray(import_mw), np.asarray(export_mw))
    index = plant.index
    without = None if without_mw is None else pd.Series(without_mw, index=index, name="without")
    return Bill(
        table, scenario.site.currency, scenario.name, pd.Series(import_mw, index=index, name="import"), without
    )
