"""The figures of a result that people look at first, as words and numbers with units: shared by all faces."""

from __future__ import annotations

import math
from dataclasses import dataclass

from bess_opt.common.columns import SERIES
from bess_opt.comparison.compare import Comparison
from bess_opt.dispatch.result import Dispatch
from bess_opt.inputs.battery import Battery
from bess_opt.inputs.scenario import Scenario

NOTHING = "–"
Row = tuple[str, str]


@dataclass(frozen=True)
class Number:
    """A value with its unit, written once for all faces."""

    value: float | None
    unit: str = ""

    def __str__(self) -> str:
        return f"{number(self.value)} {self.unit}".strip() if number(self.value) != NOTHING else NOTHING


def number(value: float | None) -> str:
    """Four digits, or all before the point with separators; a dash for what is undefined."""
    if value is None or not math.isfinite(value):
        return NOTHING
    value += 0.0
    if abs(value) >= 1000.0:
        return f"{value:,.0f}"
    return f"{value:.4g}" if abs(value) >= 1e-6 else "0"


def percent(value: float | None) -> str:
    """A fraction as percent with one decimal."""
    return NOTHING if value is None or not math.isfinite(value) else f"{round(value, 3) + 0.0:.1%}"


def scenario_rows(scenario: Scenario) -> list[Row]:
    """Battery, site, series and strategy in a line each."""
    battery, site = scenario.battery, scenario.site
    tech = battery.technology if isinstance(battery.technology, str) else "stated"
    index = scenario.series.index
    series = ", ".join(f"{name} [{SERIES[str(name)].unit}]" for name in scenario.series.columns)
    limits = [
        f"{word} at most {number(limit)} MW"
        for word, limit in (("import", site.import_limit_mw), ("export", site.export_limit_mw))
        if limit is not None
    ]
    return [
        ("battery", _sizes(battery)),
        ("technology, topology", f"{tech}, {battery.topology}"),
        ("strategy", " + ".join(entry.name for entry in scenario.strategies) or NOTHING),
        ("site", ", ".join([f"prices in {site.currency}", *limits])),
        ("series", series.replace("currency", site.currency)),
        ("horizon", f"{len(index):,} steps of {scenario.step_h * 60:g} min from {index[0]:%Y-%m-%d %H:%M}"),
        ("time zone", scenario.time_zone),
    ]


def _sizes(sized: Battery) -> str:
    sizes = ((sized.power_mw, "MW"), (sized.duration_h, "h"), (sized.energy_mwh, "MWh"))
    return ", ".join(str(Number(value, unit)) for value, unit in sizes)


def dispatch_rows(plan: Dispatch) -> list[Row]:
    """What a plan earns, moves and holds."""
    m, currency = plan.metrics, plan.scenario.site.currency
    unit = m.score_unit.replace("currency", currency)
    rows = [
        ("net revenue", str(Number(m.net_revenue, currency))),
        (f"score, {'more' if m.score_sense == 'max' else 'less'} is better", str(Number(m.score, unit))),
        ("discharged", str(Number(m.discharged_mwh, "MWh"))),
        ("full cycles", f"{number(m.equivalent_full_cycles)}, {number(m.cycles_per_day)} a day"),
        ("round trip, port to port", percent(m.round_trip_efficiency)),
        ("losses", str(Number(m.losses_mwh, "MWh"))),
    ]
    if m.solar_mwh:
        rows.append(("curtailed", f"{Number(m.curtailed_mwh, 'MWh')}, {percent(m.curtailment_ratio)} of solar"))
    if plan.report is not None:
        gap = f"{plan.report.gap:.1e}" if plan.report.gap else "0"
        rows.append(("proven gap", f"{gap} ({plan.report.status})"))
    return rows


def comparison_table(comparison: Comparison) -> tuple[list[str], list[list[str]]]:
    """Header and rows: strategy, rung, score, share of the possible gain, net revenue, cycles.

    A unit that all scores share stands in the header, otherwise with each score.
    """
    currency = comparison.scenario.site.currency
    units = {str(unit).replace("currency", currency) for unit in comparison.table["score_unit"]}
    shared = units.pop() if len(units) == 1 else ""
    score = f"score [{shared}]" if shared else "score"
    header = ["strategy", "rung", score, "captured", f"net revenue [{currency}]", "full cycles"]
    rows = []
    for key, row in comparison.table.iterrows():
        strategy, rung = key if isinstance(key, tuple) else (key, "")
        unit = "" if shared else str(row["score_unit"]).replace("currency", currency)
        rows.append(
            [
                str(strategy),
                str(rung),
                str(Number(row["score"], unit)),
                percent(row["captured"]),
                number(row["net_revenue"]),
                number(row["equivalent_full_cycles"]),
            ]
        )
    return header, rows
