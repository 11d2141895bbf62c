"""The parts of a report between decision and proof: each a sentence and a table, from plans that are there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from bess_opt.common.arrays import Integers
from bess_opt.common.errors import BessOptError
from bess_opt.common.wording import number, percent
from bess_opt.comparison.compare import NONE, OPTIMAL, RULE
from bess_opt.comparison.resilience.resilience import resilience
from bess_opt.comparison.stack_attribution import TOTAL, VALUE
from bess_opt.dispatch.result import Dispatch
from bess_opt.dispatch.stack_picture import stack_figure
from bess_opt.inputs.cycle_limits import CycleLimit
from bess_opt.investment.lifetime.ageing import SiteAgeing, ageing
from bess_opt.plant.ledger import LINES, label_of
from bess_opt.plant.plant import Plant, Storage
from bess_opt.plots.duration import soc_duration_figure
from bess_opt.plots.shared.time_axes import local_days

NEAR = 1e-6  # of a limit: as near is at it
MOST_DRAWN = 4  # batteries in one picture
LEFT = (
    ("margin_mw", "left when called [MW]"),
    ("margin_mwh", "left when called [MWh]"),
    ("quiet_market_mwh", "if no call comes [MWh]"),
    ("every_block_mwh", "if each block is called [MWh]"),
)
YEAR = "The year at a glance"
STACK = "The local day whose capacity pays most: bids on the base point, stored energy, and the prices of capacity."
RUNGS = {NONE: "no battery", RULE: "simple rule", OPTIMAL: "optimal plan"}


@dataclass(frozen=True)
class Section:
    """A heading, a sentence, a table (heads and rows, the first cell names the row), and pictures with captions."""

    title: str
    words: str
    heads: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    pictures: Sequence[tuple[str, Figure]] = field(default_factory=list)


def sections_of(plans: Mapping[str, Dispatch], plant: Plant, lines: pd.DataFrame) -> list[Section]:
    """What the scenario's optimal plan has to show: parts that it lacks (clauses, products, outages) are left out."""
    best = plans[OPTIMAL]
    made = [
        _months(best, plans.get(NONE)),
        _peaks(best, plans.get(NONE)),
        _money(best, lines),
        _limits(best, plant),
        _wear(best),
        _clauses(best, plant),
        _products(best, plant),
        _batteries(best, plant),
        _outages(best, plant),
    ]
    return [section for section in made if section is not None]


def _by_month(plan: Dispatch) -> tuple[list[str], Integers]:
    """(local months of the horizon, as "2025-03", the place among them of each step)."""
    of_step = local_days(pd.DatetimeIndex(plan.schedule.index)).astype("datetime64[M]")
    months, place = np.unique(of_step, return_inverse=True)
    return months.astype(str).tolist(), place


def _months(best: Dispatch, without: Dispatch | None) -> Section | None:
    """Energy and money by local month, where the horizon holds several."""
    months, of_step = _by_month(best)
    if len(months) < 2:
        return None
    flows = {
        "PV": "solar_mw", "load": "load_mw", "import": "import_mw", "export": "export_mw",
        "curtailed": "curtailed_mw", "charged": "charge_mw", "discharged": "discharge_mw",
    }  # fmt: skip
    step, currency = best.scenario.step_h, best.scenario.site.currency
    measured = {
        f"{name} [MWh]": best.schedule[column].to_numpy() * step
        for name, column in flows.items()
        if best.schedule[column].any()
    }
    if best.schedule["revenue"].any():
        if without is not None:
            measured[f"energy money without [{currency}]"] = without.schedule["revenue"].to_numpy()
        measured[f"with the battery [{currency}]"] = best.schedule["revenue"].to_numpy()
    table = pd.DataFrame(measured).groupby(of_step).sum()
    rows = [[month, *(number(value) for value in row)] for month, row in zip(months, table.to_numpy(), strict=True)]
    words = "Energy and energy money by local month; money received is positive. Demand charges stand in the bill."
    return Section(YEAR, words, ["month", *table.columns], rows)


def _peaks(best: Dispatch, without: Dispatch | None) -> Section | None:
    """The highest power of each month at the meter, before and after."""
    flows = [name for name in ("import_mw", "export_mw") if best.schedule[name].any()]
    if without is None or not flows:
        return None
    months, of_step = _by_month(best)
    heads = ["month"]
    both = {(name, place): plan.schedule[name] for name in flows for place, plan in enumerate((without, best))}
    highest = pd.DataFrame({key: power.to_numpy() for key, power in both.items()}).groupby(of_step).max()
    for name in flows:
        word = name.removesuffix("_mw")
        heads += [f"{word} without [MW]", f"{word} with [MW]"]
    rows = [
        [month, *(number(power) for power in powers)]
        for month, powers in zip(months, highest.to_numpy().tolist(), strict=True)
    ]
    words = (
        "The highest mean of one step at the meter in each local month. A billing interval of several steps has a "
        "lower peak; the bill has those."
    )
    return Section("Peaks before and after", words, heads, rows)


def _money(best: Dispatch, lines: pd.DataFrame) -> Section | None:
    """The ledger by line and by who operates."""
    if not len(lines):
        return None
    own = lines.xs(lines.index.get_level_values("strategy")[0], level="strategy")
    rungs = [rung for rung in RUNGS if rung in own.columns]
    heads = [f"line [{best.scenario.site.currency}]", *(RUNGS[rung] for rung in rungs), "worth of the battery"]
    rows = [
        [
            "sum" if name == TOTAL else label_of(str(name)),
            *(number(float(row[rung])) for rung in rungs),
            number(float(row[VALUE])),
        ]
        for name, row in own.iterrows()
    ]
    words = "Each line of the ledger; the last column is the optimal plan less the site without a battery."
    return Section("Where the money comes from", words, heads, rows)


def _limits(best: Dispatch, plant: Plant) -> Section:
    """For how long each limit was reached: what a larger one could help."""
    frame, step = best.schedule, best.scenario.step_h
    rows: list[list[str]] = []

    def reached(name: str, at: np.ndarray) -> None:
        hours = float(np.count_nonzero(at)) * step
        rows.append([name, number(hours), percent(hours / plant.horizon_h)])

    for storage in plant.batteries:
        own = best.units[storage.name] if len(plant.batteries) > 1 else frame
        label = f"{storage.name}: " if len(plant.batteries) > 1 else ""
        for words, column, most in (
            ("charging as fast as it can", "charge_mw", storage.charge_limit_mw),
            ("discharging as fast as it can", "discharge_mw", storage.discharge_limit_mw),
        ):
            limit = np.broadcast_to(most, plant.steps)
            reached(f"{label}{words}", (own[column].to_numpy() >= limit * (1.0 - NEAR)) & (limit > 0.0))
        energy = own["energy_mwh"].to_numpy()
        reached(f"{label}full", energy >= storage.ceiling_mwh[1:] - NEAR * storage.energy_mwh)
        reached(f"{label}empty", energy <= storage.floor_mwh[1:] + NEAR * storage.energy_mwh)
    for words, column, limit in (
        ("import at its limit", "import_mw", plant.import_max_mw),
        ("export at its limit", "export_mw", plant.export_max_mw),
    ):
        if np.isfinite(limit).any():
            reached(words, (frame[column].to_numpy() >= limit * (1.0 - NEAR)) & np.isfinite(limit) & ~plant.away)
    words = "Hours in which the optimal plan stands at a limit. One that is never reached costs nothing."
    return Section("What limits it", words, ["limit", "hours", "share of the time"], rows)


def _wear(best: Dispatch) -> Section | None:
    """Cycles, what they cost in dispatch, and how long the cells live at this use."""
    if not best.metrics.discharged_mwh:
        return None
    scenario, figures = best.scenario, best.metrics
    year = 8760.0 / (len(best.schedule) * scenario.step_h)
    rows = [
        ["full cycles of the horizon", number(figures.equivalent_full_cycles)],
        ["full cycles a year at this pace", number(figures.equivalent_full_cycles * year)],
        ["discharged at the port [MWh]", number(figures.discharged_mwh)],
    ]
    prices = {line.label: best.ledger.get(name, 0.0) for name, line in LINES.items() if not line.cash}
    rows += [
        [f"{label} [{scenario.site.currency}], no cash", number(-paid)] for label, paid in prices.items() if paid
    ]
    for battery in scenario.batteries:
        label = f"{battery.name}: " if len(scenario.batteries) > 1 else ""
        rows += [[f"{label}{place.rpartition('.')[2]}", _cap(limit)] for place, limit in battery.cycle_limits()]
    words = "How the battery is used, and how long its cells live if every year is like this one."
    try:
        life = ageing(best)
    except BessOptError:  # a use that the model of ageing does not know
        return Section("Wear and life", words, ["figure", "value"], rows)
    for name, own in (life.units if isinstance(life, SiteAgeing) else {"": life}).items():
        label, end = f"{name}: " if name else "", number(own.years_to_end_of_life)
        rows.append([f"{label}share of the cycle life used in a year", percent(own.damage_per_year)])
        rows.append([f"{label}years until {percent(own.end_of_life)} of the capacity are left", end])
    return Section("Wear and life", f"{words} {life.basis[0].upper()}{life.basis[1:]}.", ["figure", "value"], rows)


def _cap(limit: CycleLimit) -> str:
    """A cap on cycles in words."""
    span = f"in any {number(limit.hours)} h" if limit.hours is not None else f"a {limit.per}"
    return f"{number(limit.count)} full cycles {span}"


def _clauses(best: Dispatch, plant: Plant) -> Section | None:
    """Each clause of the connection agreement: when it is active, how often it binds, what overruns cost."""
    if not plant.connection.clauses:
        return None
    step, rows = best.scenario.step_h, []
    for clause in plant.connection.clauses:
        at, over = np.zeros(plant.steps, dtype=bool), 0.0
        for flow, most in clause.caps.items():
            power = best.schedule[flow].to_numpy()
            at |= clause.active & (power >= most * (1.0 - NEAR) - NEAR)
            over += float(clause.overrun_mw(flow, power).sum()) * step
        caps = [f"{flow.removesuffix('_mw')} {number(most)} MW" for flow, most in clause.caps.items()]
        if np.isfinite(clause.ramp_mw):
            caps.append(f"ramp {number(clause.ramp_mw)} MW a step")
        price = clause.overrun_price_per_mwh
        cost = number(None) if price is None else number(price * over)
        hours = [number(float(np.count_nonzero(mask)) * step) for mask in (clause.active, at)]
        rows.append([clause.name, ", ".join(caps), *hours, number(over), cost])
    heads = [
        "clause", "most", "active [h]", "at a cap [h]", "above it [MWh]",
        f"for overruns [{best.scenario.site.currency}]",
    ]  # fmt: skip
    words = (
        "What each clause of the connection agreement asks. What one costs, alone and together: bess-opt connection."
    )
    return Section("Connection clauses", words, heads, rows)


def _products(best: Dispatch, plant: Plant) -> Section | None:
    """Capacity that is sold, by product, and what is left of power and energy when it is called."""
    rows, step, delivery = [], best.scenario.step_h, best.delivery.reset_index()
    for offer in plant.offers:
        held = best.schedule[offer.column].to_numpy(dtype=float)
        paid = float((held * offer.price).sum()) * step
        called = float(offer.activation_revenue(held, step).sum())
        hours = float(np.count_nonzero(held > NEAR)) * step
        calls = delivery.loc[delivery["product"] == offer.name, [key for key, _ in LEFT]].min()
        left = [number(float(value)) for value in calls]
        figures = [number(held.mean()), number(held.max()), number(hours), number(paid), number(called)]
        rows.append([offer.name.replace("_", " "), *figures, *left])
    if not rows:
        return None
    currency = best.scenario.site.currency
    heads = ["product", "mean [MW]", "most [MW]", "held [h]", f"paid for capacity [{currency}]"]
    heads += [f"paid for calls [{currency}]", *(head for _, head in LEFT)]
    words = (
        "Capacity that the optimal plan holds for the market. What is promised leaves room in the worst call; "
        "the last two say what calls unlike the plan's would leave in store, and are below zero where it falls short."
    )
    drawn = [] if not best.scenario.product else [(STACK, stack_figure(best, None, "light"))]
    return Section("Products", words, heads, rows, drawn)


def _batteries(best: Dispatch, plant: Plant) -> Section | None:
    """Each of several batteries on its own."""
    if len(plant.batteries) < 2:
        return None
    step = best.scenario.step_h
    rows = [[storage.name, *_battery(storage, best.units[storage.name], step)] for storage in plant.batteries]
    heads = [
        "battery", "power [MW]", "energy [MWh]", "charged [MWh]", "discharged [MWh]", "full cycles",
        "state of charge, lowest", "mean", "highest",
    ]  # fmt: skip
    drawn = {storage.name: best.units[storage.name]["soc"] for storage in plant.batteries[:MOST_DRAWN]}
    text = "For how long each battery holds each state of charge."
    return Section(
        "The batteries", "How each is used in the optimal plan.", heads, rows, [(text, soc_duration_figure(drawn))]
    )


def _battery(storage: Storage, own: pd.DataFrame, step_h: float) -> list[str]:
    charged, discharged = (float(own[name].sum()) * step_h for name in ("charge_mw", "discharge_mw"))
    cycles = discharged / storage.eta_discharge / storage.energy_mwh
    soc = own["soc"]
    figures = (storage.power_mw, storage.energy_mwh, charged, discharged, cycles)
    return [*(number(one) for one in figures), *(percent(float(one)) for one in (soc.min(), soc.mean(), soc.max()))]


def _outages(best: Dispatch, plant: Plant) -> Section | None:
    """Each outage: what was asked, what was served."""
    if plant.outages is None or not plant.away.any():
        return None
    step, rows, frame = best.scenario.step_h, [], best.schedule
    for place, share in enumerate(plant.outages.shares):
        here = plant.outages.number == place
        if not here.any():
            continue
        load, unserved, shed = (
            float(frame[name][here].sum()) * step for name in ("load_mw", "unserved_mw", "shed_mw")
        )
        begin = plant.index[int(np.argmax(here))]
        hours = float(np.count_nonzero(here)) * step
        served, lowest = load - unserved, float(frame["soc"][here].min())
        cells = [number(hours), number(load), percent(share), number(served), number(shed), percent(lowest)]
        rows.append([f"{begin:%Y-%m-%d %H:%M}", *cells])
    heads = [
        "the grid is away from", "for [h]", "load [MWh]", "critical", "served [MWh]", "shed free of charge [MWh]",
        "lowest state of charge",
    ]  # fmt: skip
    words = "What the site serves while the grid is away, in the optimal plan."
    return Section("Outages", words, heads, rows, _survival(best, float(plant.outages.shares[0])))


def _survival(best: Dispatch, critical_share: float) -> list[tuple[str, Figure]]:
    """For how long an outage from any start would be survived; nothing for a site that cannot be followed."""
    try:
        found = resilience(best.scenario.replace(outage=[]), critical_share=critical_share)
    except BessOptError:  # batteries on a DC bus, or a site without a load or without a plan
        return []
    share = percent(critical_share)
    text = f"Hours survived by an outage from each start, {share} of the load critical, planned without any outage."
    return [(text, found.plot())]
