"""The best size where the market takes whole bids: planes say where to look, exact plans what a size is worth.

The planes let any bid be made and bound every size. Of a plan with whole bids the best size that holds the very same
bids comes from planes of its own: there a bid just fits, and no power is paid for that it leaves idle.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.common.errors import ScenarioError
from bess_opt.common.progress import Stretch
from bess_opt.dispatch.result import Dispatch
from bess_opt.inputs.scenario import Scenario
from bess_opt.investment.lifetime.cash_flow import Weights
from bess_opt.investment.sizing.exact.plans import ExactPlans
from bess_opt.investment.sizing.faces import NotConcaveError
from bess_opt.investment.sizing.objectives import Goal
from bess_opt.investment.sizing.planes import EmptyRangeError, Planes
from bess_opt.investment.sizing.region import Region
from bess_opt.investment.sizing.sized_program import NoPlanError, Size, SizedProgram
from bess_opt.plant.from_scenario import plant_of
from bess_opt.plant.products.offers import Offer

MOST_PLANS = 12  # sizes planned exactly beside those of the climbs
MOST_CLIMBS = 4  # times that the size is fitted to the bids of the plan found last
MOST_ROUNDS = 30  # solves of one fit
FITTED = 1e-7  # of the value: as near to its bound as that a fit ends
LONGER = (0.9, 0.95, 1.0, 1.05, 1.1)  # of the duration of the best size: where bids are looked at too
DIGITS = 9  # of a size that is fitted: a whole MW is to be one


def takes_whole_bids(scenario: Scenario) -> bool:
    """Whether a product takes not any bid, so that the value of a plan is no concave function of the size."""
    return bool(scenario.product) and any(offer.chooses for offer in plant_of(scenario).offers)


@dataclass
class WholeBids:
    """Looks for the best size of `plans`; `planes` bound the value where any bid is taken.

    `look` solves a size so and adds its planes, `plan` makes its exact plan. What is worth no more than `tolerance`,
    a difference of values, is not looked for.
    """

    scenario: Scenario
    sizes: Region
    goal: Goal
    planes: Planes
    plans: ExactPlans
    look: Callable[[Size], None]
    plan: Callable[[Size], Dispatch | None]
    tolerance: float
    told: Stretch

    def run(self) -> float | None:
        """Plan sizes until none promises more. Returns the bound over all steps, where each of them is bounded."""
        candidates = self._candidates()
        looked: set[Size] = set(self.plans.made)
        self._climb(self.plans.best)
        left = MOST_PLANS
        while left:
            at = self._most_promising(candidates)
            self.plans.cut_short = at is not None and self.plans.out_of_time
            if at is None or self._ended:
                break
            if at not in looked:
                looked.add(at)
                self.look(at)
                continue
            left -= 1
            plan = self.plan(at)
            if plan is not None:
                self._climb(plan)
        return self._bound_of(candidates)

    @property
    def _ended(self) -> bool:
        return self.told.cancelled or self.plans.out_of_time

    @property
    def _best_value(self) -> float:
        return self.goal.value(self.plans.best)

    def _candidates(self) -> list[Size]:
        """All sizes on the steps, none where these are too many; without steps an even grid, and where bids fit."""
        with suppress(ScenarioError):
            return [*self.sizes.grid(), *([] if self.sizes.stepped else self._where_bids_fit())]
        return []

    def _where_bids_fit(self) -> list[Size]:
        """Sizes near the best at which a bid of whole steps just fits the power, or the share of it held at most."""
        battery, powers = self.plans.best.scenario.battery, set[float]()
        for offer in plant_of(self.scenario).offers:
            if offer.least_mw > 0.0 and offer.most_mw.any():
                share = min(float(offer.most_mw.max()) / self.scenario.battery.power_mw, 1.0)
                below = math.floor(battery.power_mw * share / offer.least_mw)
                fitting = (below + more for more in (-1, 0, 1, 2))
                powers |= {round(offer.least_mw * number / share, DIGITS) for number in fitting}
        sizes = [(power, power * battery.duration_h * longer) for power in sorted(powers) for longer in LONGER]
        return [size for size in sizes if min(size) > 0.0 and self.sizes.contains(*size)]

    def _most_promising(self, candidates: list[Size]) -> Size | None:
        """The size whose bound is highest among those without a plan; None where none can be much better."""
        left = [size for size in candidates if self.plans.is_open(size) and self.planes.region.contains(*size)]
        if not left:
            return None
        weights, least = self.goal.priced_at(self._best_value)
        bound = self._bounds(weights, left)
        place = int(bound.argmax())
        return left[place] if bound[place] > least + (0.0 if self.goal.kind.rate else self.tolerance) else None

    def _bounds(self, weights: Weights, sizes: list[Size]) -> Array:
        power, energy = np.array(sizes).T
        return self.planes.bound_at(weights, power, energy)

    def _bound_of(self, candidates: list[Size]) -> float | None:
        """What no size on the steps is worth more than; None where not every size is one of `candidates`."""
        every = self.sizes.module or (self.sizes.power_step_mw and self.sizes.energy_step_mwh)
        if not every or not candidates or self.goal.kind.rate:
            return None
        bounds = [self._most(plan) for plan in self.plans.made.values()]
        left = [size for size in candidates if self.plans.is_open(size) and self.planes.region.contains(*size)]
        if left:
            bounds.append(self.goal.sign * float(self._bounds(self.goal.priced, left).max()))
        return max(bounds, key=lambda bound: self.goal.sign * bound)

    def _most(self, plan: Dispatch) -> float:
        """What a size is worth at most whose plan may not be the best by its own gap."""
        revenue = self.goal.sign * plan.metrics.score if self.goal.name == "score" else plan.metrics.net_revenue
        short = 0.0 if plan.report is None else plan.report.bound - plan.report.objective
        battery = plan.scenario.battery
        return self.goal.of_revenue(revenue + max(short, 0.0), battery.power_mw, battery.energy_mwh)

    # ---- sizes that fit the bids of a plan

    def _climb(self, plan: Dispatch) -> None:
        """Fit the size to the bids of a plan and plan it anew, as long as that is better than any so far."""
        for _ in range(MOST_CLIMBS):
            at = None if self._ended else self._fitted(plan)
            fitted = None if at is None or not self.plans.is_open(at) else self.plan(at)
            if fitted is None:
                return
            plan = fitted

    def _fitted(self, plan: Dispatch) -> Size | None:
        """The best size that holds the bids of a plan; None where it cannot be told, or is worth no more."""
        battery = plan.scenario.battery
        at, own = (battery.power_mw, battery.energy_mwh), Planes(self.planes.region)
        weights, least = self.goal.priced_at(self._best_value)
        held = {f"{offer.component}_mw": _bids(plan, offer) for offer in plant_of(self.scenario).offers}
        values: dict[Size, float] = {}
        tried: set[Size] = set()
        with suppress(NotConcaveError, EmptyRangeError):
            program = SizedProgram(self.scenario, *at, cash=self.goal.name != "score", held=held)
            for _ in range(MOST_ROUNDS):
                tried.add(at)
                try:
                    found = program.solved(*at)
                except NoPlanError as error:
                    own.rule_out(error.ruled_out)
                else:
                    own.add((*found.planes, *found.others))
                    values[at] = weights.npv(found.revenue, *at)
                best = own.best(weights, stepped=True)
                at = self.sizes.battery(round(best.power_mw, DIGITS), round(best.energy_mwh, DIGITS))
                if at in tried or best.bound - max(values.values(), default=-math.inf) <= FITTED * abs(best.bound):
                    break
        better = {size: value for size, value in values.items() if value > least + FITTED * abs(least)}
        return max(better, key=lambda size: better[size]) if better else None


def _bids(plan: Dispatch, offer: Offer) -> Array:
    """The bids of a plan, on their very steps."""
    bids = plan.schedule[offer.column].to_numpy(dtype=float)
    return bids if offer.step_mw is None else np.round(bids / offer.step_mw) * offer.step_mw
