"""What is wrong with an input, and what its numbers mean that its author may not have meant."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import numpy as np

from bess_opt.common.errors import BessOptError, InfeasibleError, ScenarioError
from bess_opt.common.findings import Finding, Findings
from bess_opt.dispatch.checks.battery import battery_findings
from bess_opt.dispatch.checks.money import money_findings
from bess_opt.dispatch.checks.series import series_findings
from bess_opt.dispatch.checks.tariff import tariff_findings
from bess_opt.dispatch.infeasible.unreachable import unreachable
from bess_opt.dispatch.optimum.bring_back import prepare, return_findings
from bess_opt.inputs.scenario import Scenario, load
from bess_opt.plant.from_scenario import plant_of
from bess_opt.plant.plant import Plant
from bess_opt.plant.products.activation import movable_mw, port_factor
from bess_opt.plant.products.offers import Direction, Offer
from bess_opt.solver.engines import engine, engines_asked
from bess_opt.strategies.shared.discovery import get
from bess_opt.strategies.shared.stack import ActiveStrategy

MANY_BIDS = 100  # blocks of market products from which on their bids take long to choose exactly
EASY_GAP = 1e-3  # relative gap that is reached in seconds all the same


def validate(scenario: Scenario | str | Path) -> Findings:
    """Every finding about a scenario, or about the folder or file of one. Bad input is a finding, not raised.

    Limits that no schedule can meet are errors too, as far as they show without a solve.
    """
    return examine(scenario)[0]


def examine(scenario: Scenario | str | Path) -> tuple[Findings, type[BessOptError] | None]:
    """The findings, and the kind of error that a solve would end with, if they hold one."""
    try:
        read = scenario if isinstance(scenario, Scenario) else load(scenario)
        plant, active = prepare(read) if read.strategies else (plant_of(read), None)
    except BessOptError as error:
        return Findings(problems_of(error)), type(error)
    conflicts = unreachable(plant)
    found = Findings([*conflicts, *_no_strategy(read), *findings_of(read, plant, active)])
    return found, InfeasibleError if conflicts else None


def problems_of(error: BessOptError) -> list[Finding]:
    """What an error says, one finding for each problem."""
    if isinstance(error, ScenarioError):
        return list(error.problems)
    if isinstance(error, InfeasibleError):
        return list(error.reasons)
    code = re.sub(r"(?<!^)(?=[A-Z])", "_", type(error).__name__.removesuffix("Error")).lower()
    return [_from_line(code, line) for line in str(error).splitlines()]


def _from_line(code: str, line: str) -> Finding:
    """A finding from "where: found; expected", of which the outer parts may be missing."""
    where, colon, rest = line.partition(": ")
    if not colon or " " in where:
        where, rest = "", line
    found, _, expected = rest.partition("; ")
    return Finding(code, where, found, expected)


def _no_strategy(scenario: Scenario) -> list[Finding]:
    if scenario.strategies:
        return []
    expected = "add [strategy] with name = one of the names that bess-opt list shows"
    return [Finding("no_strategy", "strategy", "none is stated", expected, "warning")]


def findings_of(scenario: Scenario, plant: Plant, active: ActiveStrategy | None = None) -> Findings:
    """Warnings and recommendations about a valid scenario, after what reading it noted (filled, defaulted)."""
    assumed = active.notes(plant) if active is not None else []
    own = [
        *battery_findings(scenario, plant),
        *return_findings(scenario, plant),
        *series_findings(scenario, plant),
        *money_findings(scenario, plant),
        *tariff_findings(scenario, plant),
        *_never_held(scenario, plant),
        *_alone_in_a_group(scenario),
        *_long_search(scenario, plant, active),
        *_not_built(scenario),
    ]
    return Findings([*scenario.notes, *own, *assumed])


def _not_built(scenario: Scenario) -> list[Finding]:
    """An installation without an engine's compiled part: right all the same, and slower."""
    asked = [engine(word) for word in engines_asked(scenario.solver)]
    expected = "install bess-opt where a C compiler is, or state 'highs'; HiGHS solves meanwhile"
    return [
        Finding(
            "engine_not_built",
            "solver.engine",
            f"{one.title} are not at hand: {one.not_built}",
            expected,
            "recommendation",
        )
        for one in asked
        if one.not_built
    ]


def _never_held(scenario: Scenario, plant: Plant) -> list[Finding]:
    """A market product of which no bid fits into any block, or not the one stated: hours or power are short."""
    found = []
    offers = {offer.name: offer for offer in plant.offers}
    for n, product in enumerate(scenario.products):
        offer = offers[product.name]
        most = np.minimum(offer.most_mw, movable_mw(plant, offer.directions))
        if not (most >= max(offer.least_mw - 1e-9, 1e-9)).any():
            what = f"bids begin at {offer.least_mw:g} MW, and no block can hold more than {most.max():g} MW"
            expected = "see its maximum and hours, and the power of the batteries; a pool may bid for several"
            found.append(Finding("product_never_fits", f"product[{n}]", what, expected, "warning"))
        elif offer.bid_mw > (most := min(float(most.max()), _at_rest_mw(plant, offer))) + 1e-9:
            what = (
                f"found {offer.bid_mw:g} MW, and at rest no block can hold more than {most:g} MW: the rule holds none"
            )
            expected = f"give at most {most:g} MW, or see its hours and the power of the batteries"
            found.append(Finding("product_never_fits", f"product[{n}].bid_mw", what, expected, "warning"))
    return found


def _alone_in_a_group(scenario: Scenario) -> list[Finding]:
    """A stated group of market products with one member, which excludes nothing: its name may be misspelt."""
    named = Counter(product.exclusive_group for product in scenario.products)
    expected = "name the same group at each of its products, or leave it out"
    return [
        Finding(
            "product_group_of_one",
            f"product[{n}].exclusive_group",
            f"no other product names {group!r}",
            expected,
            "warning",
        )
        for n, product in enumerate(scenario.product)
        if (group := product.exclusive_group) is not None and named[group] == 1
    ]


def _at_rest_mw(plant: Plant, offer: Offer) -> float:
    """The most that the batteries can hold of a product while they rest, MW at the AC bus."""

    def rated(way: Direction) -> float:
        powers = [(b, b.discharge_max_mw if way == "up" else b.charge_max_mw) for b in plant.batteries]
        return sum(power / port_factor(plant, battery, way) for battery, power in powers)

    return min(rated(way) for way in offer.directions)


def _long_search(scenario: Scenario, plant: Plant, active: ActiveStrategy | None) -> list[Finding]:
    """A strategy, or bids of market products, whose exact plan may take very long, without a limit on it."""
    if active is None or scenario.solver.time_limit_s is not None:
        return []
    stated = (get(name) for name in active.names)
    hard = [
        f"{s.name!r} over {plant.steps:,} steps"
        for s in stated
        if s.exact_steps is not None and plant.steps > s.exact_steps
    ]
    bids = sum(len(offer.block_starts) for offer in plant.offers if offer.chooses)
    if bids > MANY_BIDS and scenario.solver.rel_gap < EASY_GAP:
        hard.append(f"{bids:,} blocks whose bids have a least size or step")
    return [
        Finding(
            "long_search",
            "solver.time_limit_s",
            f"none is stated; an exact plan of {what} may take very long",
            "state a limit in seconds, or a larger solver.rel_gap: the plan says how far from the best it may be",
            "recommendation",
        )
        for what in hard
    ]
