"""What a sizing of one battery found."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from bess_opt.common.findings import Finding, Findings
from bess_opt.common.progress import ShowProgress
from bess_opt.common.progress_bar import followed
from bess_opt.inputs.scenario import Scenario
from bess_opt.investment.sizing import key_figures
from bess_opt.investment.sizing.objective_units import unit_of
from bess_opt.investment.sizing.objectives import ROUNDING, SITE_ROUNDING, Goal
from bess_opt.investment.sizing.operated import operated
from bess_opt.investment.sizing.planes import require_within
from bess_opt.investment.sizing.region import Region
from bess_opt.investment.sizing.surface import surface_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from bess_opt.dispatch.result import Dispatch
    from bess_opt.investment.sizing.planes import Planes
    from bess_opt.plots.shared.units import Unit


@dataclass(frozen=True)
class Proven:
    """What the proof found: the winner with its exact plan, bounds in the objective's unit, and the work it took.

    `scale` is what a gap is a share of, `rounding` a difference of values that means nothing. `whole_bids`: not any
    bid is taken, so that the bound may stay open; `notes` say what ended the search.
    """

    power_mw: float
    energy_mwh: float
    plan: Dispatch
    bound: float
    bound_continuous: float
    scale: float
    rounding: float
    table: pd.DataFrame
    marginal_value: dict[str, float] | None
    calls: int
    seconds: dict[str, float]
    planes: Planes
    whole_bids: bool
    notes: list[Finding]


@dataclass(frozen=True)
class Sizing:
    """The best size found, what it is worth, and what no size can be worth more than.

    `value` is that of the objective, from an exact plan of the winner; money is of the whole site. `without` is
    the same without a battery (None where that has no meaning), `build` whether the battery is worth more than
    nothing. Where no battery is the best of the sizes, power, duration and energy are 0, `scenario` keeps its size,
    and `plan` is of the site without a battery.
    `bound` is the proven limit over all sizes, on the steps where these are stated; `bound_continuous`
    that over the whole range; both None where the argument does not hold (`findings` say why). `gap` is
    (bound − value) as a share of the present value of what the battery earns beyond the site without it, or of what
    it costs if that is more; for `irr` it is the difference of the rates.
    `costs` are present values over the lifetime, costs positive, and add up to "total"; empty without [finance].
    `assumptions` says in one line what the money over life assumes; empty without [finance].
    `table` has a row per size tried: power_mw, duration_h, energy_mwh, value (of the relaxation where "exact" is
    False). `marginal_value` is what one more MW and MWh would add at most, costs taken off; of irr and npv in present
    value. `calls` counts the solves of the proof, `seconds` times its parts.
    """

    scenario: Scenario
    objective: str
    twin: Literal["optimal", "rule"]
    power_mw: float
    duration_h: float
    energy_mwh: float
    value: float
    bound: float | None
    bound_continuous: float | None
    gap: float | None
    without: float | None
    build: bool
    costs: dict[str, float]
    assumptions: str
    table: pd.DataFrame
    plan: Dispatch
    marginal_value: dict[str, float] | None
    findings: Findings
    calls: int
    seconds: dict[str, float]
    region: Region
    goal: Goal
    planes: Planes | None = field(repr=False, default=None)
    _known: dict[str, Any] = field(repr=False, compare=False, default_factory=dict)

    def surface(
        self,
        powers: int = 9,
        durations: int = 9,
        executor: Executor | None = None,
        workers: int | None = None,
        progress: ShowProgress = False,
    ) -> pd.DataFrame:
        """The value over an even grid of the ranges, a row per size: power_mw, duration_h, energy_mwh, value, exact.

        Steps and budget are not looked at; NaN where a size meets no limits. With a proof the values are exact where
        value functions fit (`solver.engine`), else those of the relaxation, by one program solved again for every
        size ("exact" False); without one they are those of exact plans.
        The same to the last bit on any `concurrent.futures.Executor`, on `workers` processes and in this one.
        A grid is computed once and kept. `progress` is a callable that is told a `Progress`, or whether to draw
        a bar. ScenarioError for numbers below 1; AuditError for a value beyond the proven bound.
        """
        name = f"surface {powers} x {durations}"
        if name not in self._known:
            with followed(progress, "valuing sizes") as told:
                table = surface_of(
                    self.goal, self.region, powers, durations, proven=self.planes is not None, executor=executor,
                    workers=workers, told=told,
                )  # fmt: skip
            self._require_below(table)
            self._known[name] = table
        return self._known[name].copy()  # type: ignore[no-any-return]

    def _require_below(self, table: pd.DataFrame) -> None:
        """AuditError if any value of a surface lies beyond its proven limit."""
        if self.planes is None:
            return
        rounding = max(ROUNDING * (self._known.get("scale") or 1.0), self.goal.rounding(0.0))
        for row in table.dropna(subset="value").to_dict("records"):
            size = row["power_mw"], row["energy_mwh"]
            if min(size) <= 0.0 or self.goal.kind.rate:
                continue
            limit = self.goal.sign * float(
                self.planes.bound_at(self.goal.priced, np.array(size[0]), np.array(size[1]))
            )
            allowed = rounding + SITE_ROUNDING * abs(limit)
            require_within(limit, row["value"], self.goal.sign, allowed, *size)

    @property
    def operated(self) -> dict[str, float]:
        """The value of the best size by who operates it: "optimal", "rule", "forecast-driven"; NaN where none can.

        The optimum knows every price beforehand; the rule knows none, the forecast-driven plan is made anew each day
        on the day before (persistence). Both are what the same battery is worth without foresight. Worked out once,
        when first asked for; that runs the site through its horizon twice.
        """
        if "operated" not in self._known:
            self._known["operated"] = operated(self.goal, self.plan, nothing=self.power_mw <= 0.0)
        return dict(self._known["operated"])

    @property
    def was_operated(self) -> bool:
        """Whether `operated` is worked out already."""
        return "operated" in self._known

    def plot(self, *, theme: str = "light") -> Figure:
        """The value over power and duration, with the optimum, the sizes tried and the certified region."""
        from bess_opt.plots.sizing import surface as plots_sizing

        return plots_sizing.surface_figure(self, theme=theme)

    def unit_of(self, values: pd.Series) -> Unit:
        """The unit in which `values` of the objective are drawn."""
        currency, score_unit = self.scenario.site.currency, str(self.plan.metrics.score_unit)
        return unit_of(self.objective, currency, values, score_unit)

    def _repr_html_(self) -> str:
        return key_figures.sizing_html(self)
