"""What a battery is worth over a life that its own wear shortens: a function of a horizon's cash and wear."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding
from bess_opt.dispatch.result import Dispatch
from bess_opt.inputs.battery import Battery
from bess_opt.inputs.finance import Finance
from bess_opt.inputs.scenario import Scenario
from bess_opt.inputs.technologies.ageing_model import AgeingModel
from bess_opt.investment.lifetime.ageing import calendar_capacity
from bess_opt.investment.lifetime.assumptions import assumptions_of
from bess_opt.investment.lifetime.cash_flow import Figures, cash_flow_of, since_new, year_weight
from bess_opt.investment.lifetime.without_battery import without_battery
from bess_opt.plant.from_scenario import plant_of
from bess_opt.plant.plant import Storage


@dataclass(frozen=True)
class Cells:
    """Cells whose cycle life a horizon's wear uses up. `of_full_cycle` is the wear of one full cycle.

    Wear is in the money of the stated prices by depth, or without them in MWh discharged at the port.
    """

    storage: Storage
    step_h: float
    cycle_life: float
    of_full_cycle: float
    year_weight: float
    new_cells: float  # what all cells cost anew, currency

    def wear_of(self, plan: Dispatch) -> float:
        """The wear of a plan, whatever its own prices of wear are."""
        own = plan.units[self.storage.name] if self.storage.name else plan.schedule
        charge, discharge = (own[name].to_numpy() for name in ("charge_mw", "discharge_mw"))
        if self.storage.wear is None:
            return float(discharge.sum()) * self.step_h
        return float(self.storage.worn(charge, discharge, self.step_h).cost.sum())

    def used_per_year(self, wear: float) -> float:
        """Share of the cycle life that a year of such horizons uses."""
        return self.year_weight * wear / (self.of_full_cycle * self.cycle_life)

    @property
    def usual_price(self) -> float:
        """The price of wear at which the whole cycle life costs what new cells do; 1 where these cost nothing."""
        return (self.new_cells or self.of_full_cycle * self.cycle_life) / (self.of_full_cycle * self.cycle_life)

    def most_wear(self, steps: int) -> float:
        """What no plan of so many steps wears more than."""
        limit = np.broadcast_to(self.storage.discharge_limit_mw, steps)
        if self.storage.wear is None:
            return float(limit.sum()) * self.step_h
        left = self.storage.through_cells(np.zeros(steps), limit, self.step_h)[1]
        return float(left.sum()) * float(self.storage.wear.price_per_mwh.max())


def cells_of(scenario: Scenario) -> tuple[Cells, ...]:
    """The cells of each battery. ScenarioError where a technology states no cycle life, or its wear is free."""
    plant, finance = plant_of(scenario), scenario.finance or Finance()
    weight, made = year_weight(scenario), []
    for battery, storage in zip(scenario.batteries, plant.batteries, strict=True):
        if battery.tech.cycle_life is None:
            expected = "state cycle_life, full cycles until 0.8 of the capacity is left"
            where = storage.place("technology.cycle_life")
            raise ScenarioError([Finding("missing_key", where, "is missing", expected)])
        whole = storage.energy_mwh * storage.eta_discharge
        if storage.wear is not None:
            whole = float(storage.wear.of_falls(np.array(storage.energy_mwh)))
            if whole <= 0.0:
                expected = "give a price above 0 to a segment, of which the factor is looked for"
                where = storage.place("wear.cost_per_mwh")
                raise ScenarioError([Finding("wrong_value", where, "all are 0", expected)])
        anew = finance.replacement(battery.power_mw, battery.energy_mwh)
        new_cells = anew or finance.capital_per_mwh * battery.energy_mwh
        made.append(Cells(storage, plant.step_h, battery.tech.cycle_life, whole, weight, new_cells))
    return tuple(made)


@dataclass(frozen=True)
class LifeValue:
    """Net present value of a battery that earns `cash` a horizon while new and wears so much, currency.

    It is `base` + Σ_y `worth[y]` · (site + (cash − site) · capacity_y), with the capacity of year y the mean of that
    at its ends: at each age the smaller of `calendar` and of what the cycles so far leave. `site` is what a horizon
    earns without a battery, which does not fade.
    """

    cells: Cells
    base: float
    worth: Array
    site: float
    calendar: Array  # capacity at ages 0 to the life
    failure: float  # capacity at which the cycle life ends
    age: Array  # of the cells at the beginning of each year
    assumptions: str

    def capacity(self, wear: float) -> Array:
        """Mean capacity of each year, as a share of nameplate."""
        ages = np.arange(len(self.calendar))
        cycles = 1.0 - (1.0 - self.failure) * self.cells.used_per_year(wear) * ages
        fresh = np.clip(np.minimum(self.calendar, cycles), 0.0, None)
        mean: Array = 0.5 * (fresh[self.age] + fresh[self.age + 1])
        return mean

    def of(self, cash: float, wear: float) -> float:
        """The value."""
        return self.base + float(self.worth @ (self.site + (cash - self.site) * self.capacity(wear)))

    def scale(self, cash: float) -> float:
        """What the battery earns over its life while nothing fades: what gaps are shares of."""
        return max(float(np.abs(self.worth).sum()) * abs(cash - self.site), 1e-12)

    def highest(self, lines: Sequence[tuple[float, float]], least_wear: float, most_wear: float) -> float:
        """The most value of a wear between the two, where cash is under every line most + price·wear.

        Between the corners of lines and capacities the value is a parabola in the wear, so that it is looked at
        exactly.
        """
        inner = [*self.corners, *_crossings(lines)]
        corners = np.unique([least_wear, most_wear, *(wear for wear in inner if least_wear < wear < most_wear)])
        found = [self._under(lines, float(wear)) for wear in corners]
        for low, high in pairwise(corners.tolist()):
            left, centre, right = (self._under(lines, wear) for wear in (low, 0.5 * (low + high), high))
            bend, slope = 2.0 * (left - 2.0 * centre + right), right - left
            if abs(slope) < -bend:
                found.append(centre - 0.25 * slope**2 / bend)
        return max(found)

    def _under(self, lines: Sequence[tuple[float, float]], wear: float) -> float:
        return self.of(min(most + price * wear for most, price in lines), wear)

    @property
    def corners(self) -> list[float]:
        """Wear at which the cycles take over from the calendar at some age, or leave nothing."""
        per_wear = self.cells.used_per_year(1.0) * (1.0 - self.failure)
        ages = np.arange(1, len(self.calendar))
        return [*((1.0 - self.calendar[1:]) / (per_wear * ages)), *(1.0 / (per_wear * ages))]


def _crossings(lines: Sequence[tuple[float, float]]) -> list[float]:
    return [
        (most - other) / (dearer - price)
        for i, (most, price) in enumerate(lines)
        for other, dearer in lines[i + 1 :]
        if dearer != price
    ]


def life_values_of(scenario: Scenario, cells: Sequence[Cells]) -> tuple[LifeValue, ...]:
    """The value over life of the site, once as the cells of each battery alone would wear it down.

    ScenarioError where the site's own money is not known.
    """
    finance, batteries = scenario.finance or Finance(), scenario.batteries
    site, years = _without(scenario), finance.lifetime_years or 0
    power, energy = (sum(getattr(battery, key) for battery in batteries) for key in ("power_mw", "energy_mwh"))

    def npv(yearly: Array) -> float:
        figures = Figures(power, energy, 0.0, cells[0].year_weight, yearly=tuple(yearly.tolist()))
        return float(cash_flow_of(figures, finance, fade=0.0)["present_value"].sum())

    base = npv(np.zeros(years))
    worth = np.array([npv(row) - base for row in np.eye(years)])
    age = since_new(np.arange(years), finance.replaced_after)
    assumptions = assumptions_of(finance, scenario.site.currency, "optimal", _basis(batteries, cells))
    lives = []
    for battery, own in zip(batteries, cells, strict=True):
        model = AgeingModel.of_technology(battery.tech)
        calendar = calendar_capacity(model, own.step_h, years)
        lives.append(LifeValue(own, base, worth, site, calendar, model.failure_capacity, age, assumptions))
    return tuple(lives)


def _basis(batteries: Sequence[Battery], cells: Sequence[Cells]) -> str:
    """In words, what wears the cells and what that does to the revenue."""
    each = []
    for battery, own in zip(batteries, cells, strict=True):
        by_depth = own.storage.wear is not None
        shared = "over depths as the stated wear" if by_depth else "by the energy that leaves the cells"
        each.append((f"cells that last {battery.tech.life_in_words}", f"cycle life shared {shared}"))
    if len(each) == 1:
        return f"{each[0][0]}, revenue scaled by each year's mean capacity, {each[0][1]}"
    named = "; ".join(f"{own.storage.name}: {', '.join(words)}" for own, words in zip(cells, each, strict=True))
    return f"{named}; revenue scaled by each year's mean capacity of all nameplate"


def _without(scenario: Scenario) -> float:
    """Net revenue of a horizon without the battery; 0 where it stands alone."""
    if not {"solar_mw", "solar_dc_mw", "load_mw"} & set(scenario.series.columns):
        return 0.0
    money = without_battery(scenario)
    if money is None:
        found = "the site needs its battery, so that its own part of the money is not known"
        expected = "state site.unserved_price_per_mwh, or raise the import limit"
        raise ScenarioError([Finding("site_needs_battery", "site", found, expected)])
    return money
