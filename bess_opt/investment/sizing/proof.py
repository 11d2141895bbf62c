"""Cutting planes over the sizes: the best size, and a bound on every other one.

Each round solves the size at which the bound is highest, and its plane lowers the bound there. It ends when the
best value found and the bound are within the tolerance; with steps, when the best step itself is proven.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import pandas as pd
from scipy.optimize import brentq

from bess_opt.dispatch.optimize import optimize
from bess_opt.dispatch.result import Dispatch
from bess_opt.inputs.scenario import Scenario
from bess_opt.investment.lifetime.cash_flow import Weights
from bess_opt.investment.sizing.objectives import Goal
from bess_opt.investment.sizing.planes import Cut, Cuts
from bess_opt.investment.sizing.region import Region
from bess_opt.investment.sizing.sized_program import NotConcaveError, SizedProgram, burns, resized

MOST_ROUNDS = 60
EXACT = 1e-10  # share of the scale at which a bound and a value are the same
RATES = (-0.5, 10.0)  # internal rates of return that are told apart
AGREE = 1e-6  # share of the objective by which a score may differ from it in rounding


@dataclass(frozen=True)
class Proven:
    """What the proof found: the winner with its exact plan, bounds in the objective's unit, and the work it took."""

    power_mw: float
    energy_mwh: float
    plan: Dispatch
    bound: float
    bound_continuous: float
    table: pd.DataFrame
    marginal_value: dict[str, float]
    calls: int
    seconds: dict[str, float]
    cuts: Cuts


def prove(scenario: Scenario, sizes: Region, goal: Goal, tolerance: float) -> Proven:
    """Find the best size of a concave value. NotConcaveError, InfeasibleProgramError as `SizedProgram`.

    Where prices are negative a plan may burn energy by running both ways: the cuts of rule 10 stand there at once.
    """
    search = _Search(scenario, sizes, goal)
    tight = burns(scenario)
    for target, tightly in ((0.9 * tolerance, tight), (0.2 * tolerance, tight), (0.2 * tolerance, True)):
        search.run(target, tight=tightly)
        plan = search.exact_plan()
        if search.gap_to(goal.value(plan)) <= tolerance:
            break
    return search.proven(plan)


class _Search:
    """The rounds of one proof; values and bounds in the objective's unit."""

    def __init__(self, scenario: Scenario, sizes: Region, goal: Goal) -> None:
        self._scenario, self._sizes, self._goal = scenario, sizes, goal
        self._cuts = Cuts(sizes)
        self._program: SizedProgram | None = None
        self._seconds = {"first solve": 0.0, "proof": 0.0, "exact plan": 0.0}
        self._earlier, self._tried = 0, set[tuple[float, float]]()
        self._best: Cut | None = None
        self._plan: Dispatch | None = None
        self._planned = (math.nan, math.nan)
        self.best_value = -math.inf * goal.sign

    def run(self, target: float, *, tight: bool) -> None:
        """Rounds until the bound is within `target` of the best value (with steps: closed)."""
        began = time.perf_counter()
        if self._program is None or self._program.tight != tight:
            self._start(tight)
        elif self._best is not None:
            self._look(self._next())
        for _ in range(MOST_ROUNDS):
            following = self._next()
            if self._closed(target) or following in self._tried:
                break
            self._look(following)
        self._seconds["proof"] += time.perf_counter() - began

    def _start(self, tight: bool) -> None:
        """A program, solved at the best size so far or in the middle of the range."""
        at = (self._best.power_mw, self._best.energy_mwh) if self._best else self._sizes.middle()
        if self._program is not None:
            self._earlier += self._program.calls
        self._program = SizedProgram(self._scenario, *at, cash=self._goal.name != "score", tight=tight)
        self._seconds["first solve"] += self._program.cold_s
        self._best, self.best_value = None, -math.inf * self._goal.sign  # a tighter program has lower values
        self._tried = set()
        self._look(at)

    def _look(self, at: tuple[float, float]) -> None:
        """Solve a size and take its plane."""
        if self._program is not None and at not in self._tried:
            self._tried.add(at)
            self._take(self._program.cut(*at))

    def _take(self, cut: Cut) -> None:
        self._cuts.all.append(cut)
        value = self._value(cut)
        if self._best is None or math.isnan(self.best_value) or self._goal.better(value, self.best_value):
            self._best, self.best_value = cut, value

    def _value(self, cut: Cut) -> float:
        return self._goal.of_revenue(cut.revenue, cut.power_mw, cut.energy_mwh)

    def _weights(self) -> Weights:
        """What the planes are priced with; of a rate of return, at the best rate so far."""
        if self._goal.name != "irr":
            return self._goal.linear or Weights(1.0, 0.0, 0.0, 0.0)
        return self._goal.weights_at(RATES[0] if math.isnan(self.best_value) else max(self.best_value, RATES[0]))

    def _next(self) -> tuple[float, float]:
        """Where the bound is highest."""
        best = self._cuts.best(self._weights(), stepped=True)
        return best.power_mw, best.energy_mwh

    @property
    def scale(self) -> float:
        """What a gap is a share of."""
        return self._goal.scale(self._best.revenue if self._best else 0.0, self.best_value)

    def bound(self, *, stepped: bool) -> float:
        """The proven limit of the value."""
        if self._goal.name != "irr":
            return self._goal.sign * self._cuts.best(self._weights(), stepped=stepped).bound
        return self._rate_bound(stepped=stepped)

    def _rate_bound(self, *, stepped: bool) -> float:
        """The lowest rate at which no size can have a present value above nought."""

        def most(rate: float) -> float:
            return self._cuts.best(self._goal.weights_at(rate), stepped=stepped).bound

        low, high = RATES
        if not math.isnan(self.best_value):
            low = max(low, self.best_value)
        if most(low) <= 0.0:
            return low
        return high if most(high) > 0.0 else float(brentq(most, low, high, xtol=1e-9))

    def gap_to(self, value: float) -> float:
        """Distance of a value from the bound, as a share of the scale."""
        return self._goal.sign * (self.bound(stepped=True) - value) / self.scale

    def _closed(self, target: float) -> bool:
        gap = self.gap_to(RATES[0] if math.isnan(self.best_value) else self.best_value)
        return gap <= (EXACT if self._sizes.stepped else target)

    def exact_plan(self) -> Dispatch:
        """The plan of the winner, exact in rule 10. NotConcaveError if a score is not what was maximised."""
        if self._best is None:
            raise NotConcaveError("no size was solved")
        began, at = time.perf_counter(), (self._best.power_mw, self._best.energy_mwh)
        if self._plan is not None and self._planned == at:
            return self._plan
        self._planned = at
        self._plan = plan = optimize(resized(self._scenario, *at))
        self._seconds["exact plan"] += time.perf_counter() - began
        if self._goal.name == "score" and plan.report is not None:
            aim = self._goal.sign * plan.report.objective
            if abs(aim - plan.metrics.score) > AGREE * max(abs(aim), 1.0):
                raise NotConcaveError("the strategy's score is not all that its dispatch maximises")
        return plan

    def proven(self, plan: Dispatch) -> Proven:
        """The result, the exact plan's value in its table."""
        battery, linear, cut = plan.scenario.battery, self._weights(), self._best
        exact = self._goal.value(plan)
        rows = [self._row(c.power_mw, c.energy_mwh, self._value(c), c.revenue, exact=False) for c in self._cuts.all]
        rows.append(self._row(battery.power_mw, battery.energy_mwh, exact, plan.metrics.net_revenue, exact=True))
        slopes = (cut.per_mw, cut.per_mwh) if cut else (math.nan, math.nan)
        return Proven(
            power_mw=battery.power_mw,
            energy_mwh=battery.energy_mwh,
            plan=plan,
            bound=self.bound(stepped=True),
            bound_continuous=self.bound(stepped=False),
            table=pd.DataFrame(rows),
            marginal_value={
                "power_mw": self._goal.sign * (linear.revenue * slopes[0] - linear.per_mw),
                "energy_mwh": self._goal.sign * (linear.revenue * slopes[1] - linear.per_mwh),
            },
            calls=self._earlier + (self._program.calls if self._program else 0),
            seconds=self._seconds,
            cuts=self._cuts,
        )

    def _row(self, power: float, energy: float, value: float, revenue: float, *, exact: bool) -> dict[str, object]:
        return {
            "power_mw": power,
            "duration_h": energy / power,
            "energy_mwh": energy,
            "value": value,
            "objective_revenue": revenue,
            "exact": exact,
        }
