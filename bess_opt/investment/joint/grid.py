"""Where no proof is possible: choices of a grid of several batteries' sizes, each planned exactly in every year."""

from __future__ import annotations

import math
from itertools import product

import numpy as np

from bess_opt.inputs.scenario import Scenario
from bess_opt.investment.joint.region import JointRegion
from bess_opt.investment.joint.sites import Size, Sizes, bought_site
from bess_opt.investment.sizing.region import Region

MOST_CHOICES = 400  # that are planned


def choices(region: JointRegion) -> list[Sizes]:
    """An even grid of choices within budget and least energy, of all batteries together; none is left out whole."""
    each = max(2, int(MOST_CHOICES ** (1.0 / len(region.parts))))
    options = [_some(part, each) for part in region.parts]
    return [choice for choice in product(*options) if any(power for power, _ in choice) and region.contains(choice)]


def _some(part: Region, number: int) -> list[Size]:
    """Sizes of one battery spread over its range, no battery among them where that is one of its sizes."""
    nothing: list[Size] = [(0.0, 0.0)] if part.holds_nothing else []
    sizes = part.grid()
    left = max(number - len(nothing), 1)
    if len(sizes) > left:
        across = max(1, math.isqrt(left))
        powers, durations = sorted({p for p, _ in sizes}), sorted({round(e / p, 9) for p, e in sizes})
        kept_powers = {powers[i] for i in _spread(len(powers), across)}
        kept = {durations[i] for i in _spread(len(durations), max(1, left // across))}
        sizes = [(p, e) for p, e in sizes if p in kept_powers and round(e / p, 9) in kept] or sizes[:left]
    return [*nothing, *sizes]


def _spread(count: int, number: int) -> list[int]:
    """Places spread evenly over `count`, both ends among them where there is more than one."""
    if number >= count:
        return list(range(count))
    places = np.linspace(0, count - 1, number) if number > 1 else np.array([count // 2])
    return [round(float(place)) for place in places]


def site_of(scenario: Scenario, region: JointRegion, choice: Sizes) -> Scenario:
    """The site with a choice of sizes; batteries of size 0 are left out."""
    return bought_site(scenario, dict(zip(region.names, choice, strict=True)))
