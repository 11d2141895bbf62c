"""Which sizes of several batteries may be bought together: a range for each, a budget and a least energy for all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding
from bess_opt.common.names import nearest
from bess_opt.inputs.finance import Finance
from bess_opt.investment.joint.sites import Size, Sizes
from bess_opt.investment.sizing.region import SLACK, SMALLEST, Range, Region, region_of

Ranges = Range | Mapping[str, Range]
AmountT = TypeVar("AmountT")


@dataclass(frozen=True)
class JointRegion:
    """The sizes of the batteries `names`: each in its own part, all within `budget` and above `energy_min_mwh`.

    `capital` = (per MW, per MWh, fixed). A part whose range begins at 0 lets its battery be left out, save those
    `bought_anyhow`, which are there however small.
    """

    names: tuple[str, ...]
    parts: tuple[Region, ...]
    budget: float | None
    capital: tuple[float, float, float]
    energy_min_mwh: float
    bought_anyhow: frozenset[str] = frozenset()

    @property
    def stepped(self) -> bool:
        """Whether not every size of the ranges can be bought."""
        return any(part.stepped for part in self.parts)

    @property
    def holds_nothing(self) -> bool:
        """Whether no battery at all is one of the choices."""
        free = all(part.holds_nothing for part in self.parts)
        return self.energy_min_mwh <= 0.0 and free and not self.bought_anyhow

    def of(self, names: Sequence[str]) -> JointRegion:
        """The region of some of the batteries, the others left out."""
        kept = [place for place, name in enumerate(self.names) if name in names]
        return replace(self, names=tuple(self.names[i] for i in kept), parts=tuple(self.parts[i] for i in kept))

    def contains(self, sizes: Sizes) -> bool:
        """Whether sizes are within ranges, budget and least energy; steps are not looked at."""
        power, energy = totals(sizes)
        within = self.budget is None or self._capital(power, energy) <= self.budget * (1.0 + SLACK)
        enough = energy >= self.energy_min_mwh * (1.0 - SLACK)
        each = (part.contains(*size) for part, size in zip(self.parts, sizes, strict=True))
        return within and enough and all(each)

    def _capital(self, power_mw: float, energy_mwh: float) -> float:
        return self.capital[0] * power_mw + self.capital[1] * energy_mwh + self.capital[2]

    def middle(self) -> Sizes:
        """A size in the middle of each range; together they may be beyond the budget."""
        return tuple(part.middle() for part in self.parts)

    def batteries(self, sizes: Sizes) -> Sizes:
        """The nearest sizes that are batteries, each: one that is left out is the smallest of its range."""
        return tuple(part.battery(*size) for part, size in zip(self.parts, sizes, strict=True))

    def bought(self, sizes: Sizes) -> Sizes:
        """`sizes` with those at the small end of a range that begins at 0 left out."""
        return tuple(
            (0.0, 0.0) if name not in self.bought_anyhow and _is_nothing(part, size) else size
            for name, part, size in zip(self.names, self.parts, sizes, strict=True)
        )


def _is_nothing(part: Region, size: Size) -> bool:
    small = size[0] <= 2.0 * SMALLEST * part.power_mw[1] or size[1] <= SMALLEST * part.duration_h[1] * size[0]
    return part.holds_nothing and small


def totals(sizes: Sequence[Size]) -> Size:
    """(MW, MWh) of all batteries together."""
    return sum(power for power, _ in sizes), sum(energy for _, energy in sizes)


def joint_region_of(
    names: Sequence[str],
    power_mw: Ranges,
    duration_h: Ranges,
    finance: Finance | None,
    *,
    power_step_mw: float | Mapping[str, float] | None,
    energy_step_mwh: float | Mapping[str, float] | None,
    module: Sequence[float] | Mapping[str, Sequence[float]] | None,
    budget: float | None,
    energy_min_mwh: float | None,
) -> JointRegion:
    """The region of checked inputs; each may be one for all batteries or by name. ScenarioError as `region_of`."""
    if len(names) > 1 and not isinstance(power_mw, Mapping):
        found, expected = "is one range for several batteries", f"give a range by name for {', '.join(names)}"
        raise ScenarioError([Finding("wrong_range", "power_mw", found, expected)])
    powers: dict[str, Range] = by_name(names, power_mw, "power_mw", every=True)
    durations: dict[str, Range] = by_name(names, duration_h, "duration_h", every=True)
    of_power = by_name(names, power_step_mw, "power_step_mw")
    of_energy = by_name(names, energy_step_mwh, "energy_step_mwh")
    blocks = by_name(names, module, "module")
    parts, problems = [], list[Finding]()
    for name in names:
        try:
            parts.append(
                region_of(
                    powers[name], durations[name], finance, power_step_mw=of_power.get(name),
                    energy_step_mwh=of_energy.get(name), module=blocks.get(name), budget=budget, energy_min_mwh=None,
                )
            )  # fmt: skip
        except ScenarioError as error:
            problems += [
                replace(one, where=f"{one.where} of {name}" if name else one.where) for one in error.problems
            ]
    capital = (finance.capital_per_mw, finance.capital_per_mwh, finance.capital_fixed) if finance else (0.0, 0.0, 0.0)
    if energy_min_mwh is not None and not 0.0 < energy_min_mwh < float("inf"):
        expected = "give a number above 0, or leave it out"
        problems.append(Finding("wrong_range", "energy_min_mwh", f"found {energy_min_mwh!r}", expected))
    if problems:
        raise ScenarioError(problems)
    return JointRegion(tuple(names), tuple(parts), budget, capital, energy_min_mwh or 0.0)


def by_name(
    names: Sequence[str], value: AmountT | Mapping[str, AmountT] | None, where: str, *, every: bool = False
) -> dict[str, AmountT]:
    """A value for each battery: the same for all, or by name.

    ScenarioError for a name that is unknown and, if `every` has to be named, for one that is missing.
    """
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        return dict.fromkeys(names, value)
    for name in value:
        if name not in names:
            found = f"no battery is named {name!r}"
            raise ScenarioError([Finding("unknown_key", where, found, nearest(str(name), names))])
    missing = [name for name in names if name not in value]
    if missing and every:
        expected = f"give a range for {', '.join(missing)} too; a battery of a fixed size has that size as its range"
        raise ScenarioError([Finding("missing_key", where, f"does not name {', '.join(missing)}", expected)])
    return {name: value[name] for name in names if name in value}
