"""What has to be said about a size that was found."""

from __future__ import annotations

from bess_opt.common.findings import Finding
from bess_opt.common.progress import Stretch
from bess_opt.investment.sizing.objectives import Goal
from bess_opt.investment.sizing.region import Region

AT_END = 1e-6  # of a size: as near is at the end of its range


def gap_open(gap: float, tolerance: float, *, whole_bids: bool) -> Finding:
    """The finding for a gap that stayed above the tolerance; `whole_bids`: not any bid is taken."""
    found = f"a better size, if there is one, is better by at most {gap:.2g}, more than the tolerance {tolerance:g}"
    expected = (
        "the bound relaxes the one-way rule (each converter one way), and exact plans stay below it at these prices"
    )
    if whole_bids:
        expected = "the bound lets any bid be made, and exact plans make those that the market takes"
    return Finding("gap_open", "tolerance", found, expected, "warning")


def out_of_time(plans: int) -> Finding:
    """What to say where the time limit ended the search for whole bids."""
    found = f"the time limit ended the search after {plans} exact plan{'s' if plans > 1 else ''}"
    expected = "this is the best size so far; raise the limit for a better one, if there is one"
    return Finding("time_limit", "solver.time_limit_s", found, expected, "warning")


def ends(sizes: Region, power_mw: float, energy_mwh: float) -> list[Finding]:
    """Ends of the stated ranges at which the best size lies: a wider range may hold a better one."""
    found, duration = [], energy_mwh / power_mw
    for name, unit, value, (low, high) in (
        ("power_mw", "MW", power_mw, sizes.power_mw),
        ("duration_h", "h", duration, sizes.duration_h),
    ):
        for end, limit in (("smallest", low), ("largest", high)):
            if low < high and abs(value - limit) <= AT_END * limit:
                text = f"the best size has the {end} of the range, {limit:g} {unit}"
                found.append(Finding("at_the_end", name, text, "widen the range if it may be", "warning"))
    capital = sizes.capital[0] * power_mw + sizes.capital[1] * energy_mwh + sizes.capital[2]
    if sizes.budget is not None and capital >= sizes.budget * (1.0 - AT_END):
        text = f"the best size takes all of it, {capital:,.0f}"
        found.append(Finding("at_the_end", "budget", text, "a larger budget may buy a better size", "warning"))
    return found


def do_not_build(
    goal: Goal, value: float, without: float, power_mw: float, energy_mwh: float, bound: float | None, rounding: float
) -> Finding:
    """The finding for a best battery that earns less than none."""
    loss = f"{goal.name} is {value:,.6g} with the best battery and {without:,.6g} without"
    found = f"do not build: {loss}; the least loss is at {power_mw:.4g} MW, {energy_mwh:.4g} MWh"
    if bound is None:
        expected = "no size that was tried earns its cost"
    elif goal.sign * (bound - without) <= rounding:
        expected = "no size of the range earns its cost"
    else:
        more = goal.sign * (bound - without)
        expected = f"no size found earns its cost; one that earns up to {more:,.4g} beyond it is not ruled out"
    return Finding("do_not_build", "finance", found, expected, "warning")


def ended(told: Stretch) -> list[Finding]:
    """What to say where the search was ended before its end."""
    if not told.cancelled:
        return []
    expected = "this is the best size so far; run it again to the end for the best of all"
    return [Finding("cancelled", "progress", "the search was ended from outside", expected, "warning")]
