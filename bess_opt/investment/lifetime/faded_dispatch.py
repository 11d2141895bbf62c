"""Dispatch made anew for cells that have faded, in some years of the life."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bess_opt.common.arrays import Array
from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding
from bess_opt.dispatch.optimize import optimize
from bess_opt.dispatch.result import Dispatch
from bess_opt.dispatch.simulate import simulate
from bess_opt.inputs.battery import Battery
from bess_opt.inputs.scenario import Scenario
from bess_opt.investment.lifetime.ageing import Ageing, SiteAgeing


@dataclass(frozen=True)
class Faded:
    """Plans at the faded energy. `table`: index `year` (those sampled), columns capacity (mean of the year, share
    of nameplate), net_revenue (of the horizon, the site's), discharged_mwh. Year 0 is the plan with new cells.

    Other years are interpolated by their mean capacity, and held beyond the smallest that was sampled.
    """

    table: pd.DataFrame
    ageing: Ageing | SiteAgeing

    @property
    def basis(self) -> str:
        """In words, what years of operation do to the revenue."""
        years = ", ".join(str(year) for year in self.table.index if year)
        between = f"other years interpolated by capacity; {self.ageing.cells}"
        return f"dispatch made anew at the faded energy of years {years}; {between}"

    def course(self, plan: Dispatch, baseline: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """(net revenue of a horizon, share of throughput) in each year of operation; see `financials.Course`.

        ScenarioError if `plan` is not the one that these plans follow.
        """
        energy, new = self._each("discharged_mwh"), self.table["discharged_mwh"].iloc[0]
        if (plan.metrics.net_revenue, plan.metrics.discharged_mwh) != tuple(self.table.iloc[0, 1:]):
            found = "holds plans that follow another one"
            raise ScenarioError([Finding("contradiction", "ageing", found, "make it from this plan")])
        share = energy / new if new > 0.0 else np.ones_like(energy)
        return tuple((self._each("net_revenue") - baseline).tolist()), tuple(share.tolist())

    def _each(self, column: str) -> Array:
        """`column` in every year of the life."""
        known = self.table.sort_values("capacity")
        every: Array = np.interp(self.ageing.mean_capacity, known["capacity"], known[column])
        return every


def faded_dispatch(plan: Dispatch, ageing: Ageing | SiteAgeing, years: Sequence[int] = (1, 5, 10)) -> Faded:
    """Plan again with the energy that is left in each of `years`, by the twin that made `plan`.

    Rated power stays, energy and with it the C-rate limit shrink to the year's mean capacity, of several batteries
    each to its own; caps on cycles and wear by depth stay those of the nameplate as bought. ScenarioError for a year
    that `ageing` does not reach or a replayed plan; raises what `optimize` or `simulate` raise.
    """
    outside = [year for year in years if year not in ageing.mean_capacity.index]
    if outside or not years:
        found = f"found {list(years)}"
        expected = f"give years from 1 to {ageing.mean_capacity.index[-1]}, which ageing looks at"
        raise ScenarioError([Finding("wrong_value", "years", found, expected)])
    if plan.twin == "replay":
        raise ScenarioError([Finding("wrong_twin", "plan", "is a replay", "give an optimal plan or a rule's")])
    again: Callable[[Scenario], Dispatch] = optimize if plan.twin == "optimal" else simulate
    rows = [(0, 1.0, plan)]
    for year in sorted(set(years)):
        capacity = float(ageing.mean_capacity[year])
        faded = plan.scenario.replace(battery=with_capacities(plan.scenario.batteries, ageing.capacities(year)))
        rows.append((year, capacity, again(faded)))
    figures = [(capacity, made.metrics.net_revenue, made.metrics.discharged_mwh) for _, capacity, made in rows]
    index = pd.Index([year for year, _, _ in rows], name="year")
    return Faded(pd.DataFrame(figures, index=index, columns=["capacity", "net_revenue", "discharged_mwh"]), ageing)


def with_capacities(batteries: Sequence[Battery], capacities: Sequence[float]) -> dict[str, Any]:
    """What changes of a site's batteries whose cells hold such shares of their nameplate, see `with_capacity`."""
    changes = [with_capacity(*pair) for pair in zip(batteries, capacities, strict=True)]
    if len(batteries) == 1:
        return changes[0]
    return {str(battery.name): change for battery, change in zip(batteries, changes, strict=True)}


def with_capacity(battery: Battery, capacity: float) -> dict[str, Any]:
    """What changes of a battery whose cells hold `capacity` of their nameplate; caps and wear are as bought.

    Beyond the nameplate, where cells were added, a MWh wears as in the deepest segment.
    """
    changes: dict[str, Any] = {"duration_h": battery.duration_h * capacity, "wear_stand": None}
    if battery.max_cycles_per_day is not None:
        changes["max_cycles_per_day"] = battery.max_cycles_per_day / capacity
    stated = battery.max_cycles
    if stated is not None:
        limits = stated if isinstance(stated, tuple) else (stated,)
        changes["max_cycles"] = [
            limit.to_plain() | {"count": limit.count / capacity, "used": limit.used / capacity} for limit in limits
        ]
    if battery.wear is not None:
        inside = [j for j, depth in enumerate(battery.wear.depth) if depth < capacity]
        last = len(inside)  # the segment that the faded nameplate ends in
        depth = [battery.wear.depth[j] / capacity for j in inside]
        price = [*battery.wear.cost_per_mwh, battery.wear.cost_per_mwh[-1]]
        changes["wear"] = {"depth": [*depth, 1.0], "cost_per_mwh": price[: last + 1]}
    return changes
