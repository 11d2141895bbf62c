"""What a sizing of several batteries, or over several years, found."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from bess_opt.common.findings import Findings, findings_table
from bess_opt.common.html import box, pairs
from bess_opt.common.wording import Number, Row
from bess_opt.inputs.scenario import Scenario
from bess_opt.investment.joint.limits import Limits, profile_of
from bess_opt.investment.joint.region import JointRegion
from bess_opt.investment.joint.sites import bought_site, name_of
from bess_opt.investment.sizing.objective_units import unit_of
from bess_opt.investment.sizing.objectives import OBJECTIVES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from bess_opt.dispatch.result import Dispatch
    from bess_opt.plots.shared.units import Unit

Amount = float | dict[str, float]


@dataclass(frozen=True)
class JointSizing:
    """The best sizes found, what they are worth together, and what no choice can be worth more than.

    `power_mw`, `duration_h` and `energy_mwh` are by the batteries' names, numbers where the site's one battery has
    none; all 0 for a battery that is left out. `value` is that of the objective from exact plans, the mean over
    `years` where several are given: a row for each with its value, net_revenue and without (None: the site needs a
    battery). `p10`, `p50` and `p90` are reached or exceeded in 10, 50 and 90 % of the years.
    `bound` is the proven limit of the mean over all choices; None where there is no proof (`findings` say why). `gap`
    is (bound − value) as a share of the present value of what the batteries earn, or of what they cost if that is
    more. `without` is the mean value without any battery, `build` whether the batteries are worth more.
    `costs` are present values over the lifetime, costs positive, the mean of the years; they add up to "total".
    `table` has a row for each choice solved (its value is that of the relaxation where "exact" is False). `plan` is
    the exact plan of the first year, `scenario` that site with the best sizes. `calls` counts solves. `region` is
    what could be bought, `sign` +1 where more is better, `scale` what the gap is a share of.
    """

    scenario: Scenario
    objective: str
    power_mw: Amount
    duration_h: Amount
    energy_mwh: Amount
    value: float
    bound: float | None
    gap: float | None
    without: float | None
    build: bool
    years: pd.DataFrame
    costs: dict[str, float]
    assumptions: str
    table: pd.DataFrame
    plan: Dispatch
    findings: Findings
    calls: int
    seconds: dict[str, float] = field(compare=False)
    unit: str
    region: JointRegion
    sign: float
    scale: float
    limits: Limits | None = field(repr=False, compare=False)

    @property
    def p10(self) -> float:
        """What a tenth of the years reach or exceed."""
        return exceeded(self.years["value"].tolist(), 0.10)

    @property
    def p50(self) -> float:
        """What half of the years reach or exceed."""
        return exceeded(self.years["value"].tolist(), 0.50)

    @property
    def p90(self) -> float:
        """What nine tenths of the years reach or exceed."""
        return exceeded(self.years["value"].tolist(), 0.90)

    @property
    def sizes(self) -> pd.DataFrame:
        """A row per battery: power_mw, duration_h, energy_mwh."""
        amounts = {"power_mw": self.power_mw, "duration_h": self.duration_h, "energy_mwh": self.energy_mwh}
        named = {key: amount if isinstance(amount, Mapping) else {"": amount} for key, amount in amounts.items()}
        return pd.DataFrame(named).rename_axis("battery")

    @property
    def holds_nothing(self) -> bool:
        """Whether no battery is bought."""
        return not (self.sizes["power_mw"] > 0.0).any()

    def is_of(self, scenario: Scenario) -> bool:
        """Whether this is a sizing of `scenario`: the same in all but the sizes."""
        if {name_of(battery) for battery in scenario.batteries} != set(self.region.names):
            return False
        sizes = {str(name): (row["power_mw"], row["energy_mwh"]) for name, row in self.sizes.iterrows()}
        bought = any(power > 0.0 for power, _ in sizes.values())
        return (bought_site(scenario, sizes) if bought else scenario) == self.scenario

    def profile(self) -> pd.DataFrame:
        """What no choice with so much power of a battery is worth more than: columns battery, power_mw, bound.

        The other sizes are free. Where the bound stays near `value`, the power hardly matters. Empty without a proof;
        NaN where no choice with that power has a plan.
        """
        if self.limits is None:
            return pd.DataFrame({"battery": [], "power_mw": [], "bound": []})
        return profile_of(self.limits, self.region, self.sign)

    def plot(self, *, theme: str = "light") -> Figure:
        """What the power of each battery can be worth, with the best sizes, and the value of each year.

        `theme` is "light" or "dark"; ValueError for another.
        """
        from bess_opt.plots.sizing.joint import joint_figure

        return joint_figure(self, theme=theme)

    def unit_of(self, values: pd.Series) -> Unit:
        """The unit in which `values` of the objective are drawn."""
        return unit_of(self.objective, self.scenario.site.currency, values, str(self.plan.metrics.score_unit))

    def _repr_html_(self) -> str:
        warned = list(self.findings)
        notes = findings_table(warned) if warned else ""
        return box(f"Sizes of {self.scenario.name}", pairs(joint_rows(self)) + notes)


def exceeded(values: Sequence[float], share: float) -> float:
    """The largest of `values` that at least `share` of them reach or exceed."""
    ordered = sorted(values)
    place = math.floor((1.0 - share) * len(ordered) + 1e-9)
    return ordered[min(place, len(ordered) - 1)]


def joint_rows(sizing: JointSizing) -> list[Row]:
    """The figures of a sizing for people: sizes, what they are worth, what no choice exceeds, what was assumed."""
    rows: list[Row] = []
    for name, size in sizing.sizes.iterrows():
        parts = ((size["power_mw"], "MW"), (size["duration_h"], "h"), (size["energy_mwh"], "MWh"))
        told = ", ".join(str(Number(float(value), unit)) for value, unit in parts)
        rows.append((f"best size of {name}" if name else "best size", told if size["power_mw"] > 0.0 else "none"))

    def money(value: float) -> str:
        return str(Number(value, sizing.unit))

    several = len(sizing.years) > 1
    label = OBJECTIVES[sizing.objective].label
    rows.append((f"{label}, mean of {len(sizing.years)} years" if several else label, money(sizing.value)))
    if several:
        of_years = {"10": sizing.p10, "50": sizing.p50, "90": sizing.p90}
        rows += [(f"reached or exceeded in {share} % of them", money(value)) for share, value in of_years.items()]
    if sizing.without is not None:
        rows.append(("the same without a battery", money(sizing.without)))
        rows.append(("worth building", "yes" if sizing.build else "no"))
    unproven = "no bound: see the notes"
    rows.append(("no choice has more than", unproven if sizing.bound is None else money(sizing.bound)))
    if sizing.gap is not None:
        rows.append(("gap to that bound", f"{sizing.gap:.1e}" if sizing.gap else "0"))
    costs = {key: value for key, value in sizing.costs.items() if key != "total"}
    rows += [(f"present {key.replace('_', ' ')}", money(value)) for key, value in costs.items()]
    rows.append(("choices solved", str(sizing.calls)))
    return [*rows, ("assumed", sizing.assumptions)] if sizing.assumptions else rows
