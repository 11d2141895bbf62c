"""What a series looks like in numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bess_opt.common.columns import SERIES
from bess_opt.common.findings import findings_table
from bess_opt.common.html import box, pairs
from bess_opt.common.wording import NOTHING, Number, Row, number
from bess_opt.inputs.battery import Battery

if TYPE_CHECKING:
    from bess_opt.inputs.scenario import Scenario


def describe_series(frame: pd.DataFrame, step_h: float) -> pd.DataFrame:
    """One row per column of a clean series, each statistic in the column's own `unit`.

    count, mean, minimum, maximum, p05, p50, p95; `sum_mwh` is the energy of a series in MW, else NaN;
    `negative_steps` and `zero_steps` count; `minimum_at` and `maximum_at` are the first local times of the
    extremes.
    """
    power = np.array([SERIES[str(name)].unit == "MW" for name in frame.columns], dtype=bool)
    p05, p50, p95 = np.quantile(frame.to_numpy(), [0.05, 0.5, 0.95], axis=0)
    table = {
        "unit": [SERIES[str(name)].unit for name in frame.columns],
        "count": frame.count(),
        "mean": frame.mean(),
        "minimum": frame.min(),
        "maximum": frame.max(),
        "p05": p05,
        "p50": p50,
        "p95": p95,
        "sum_mwh": np.where(power, frame.sum() * step_h, np.nan),
        "negative_steps": (frame < 0).sum(),
        "zero_steps": (frame == 0).sum(),
        "minimum_at": frame.idxmin(),
        "maximum_at": frame.idxmax(),
    }
    return pd.DataFrame(table, index=pd.Index(frame.columns, name="column"))


def scenario_rows(scenario: Scenario) -> list[Row]:
    """Battery, site, series and strategy in a line each."""
    batteries, site = scenario.batteries, scenario.site
    index = scenario.series.index
    series = ", ".join(f"{name} [{SERIES[str(name)].unit}]" for name in scenario.series.columns)
    limits = [
        f"{word} at most {number(limit)} MW"
        for word, limit in (("import", site.import_limit_mw), ("export", site.export_limit_mw))
        if limit is not None
    ]
    return [
        *(row for battery in batteries for row in _battery_rows(battery, len(batteries) > 1)),
        ("strategy", " + ".join(entry.name for entry in scenario.strategies) or NOTHING),
        ("site", ", ".join([f"prices in {site.currency}", *limits])),
        ("series", series.replace("currency", site.currency)),
        ("horizon", f"{len(index):,} steps of {scenario.step_h * 60:g} min from {index[0]:%Y-%m-%d %H:%M}"),
        ("time zone", scenario.time_zone),
    ]


def _battery_rows(battery: Battery, named: bool) -> list[Row]:
    tech = battery.technology if isinstance(battery.technology, str) else "stated"
    whose = f" {battery.name}" if named else ""
    return [
        (f"battery{whose}", _sizes(battery)),
        (f"technology, topology{whose and ' of' + whose}", f"{tech}, {battery.topology}"),
    ]


def _sizes(sized: Battery) -> str:
    sizes = ((sized.power_mw, "MW"), (sized.duration_h, "h"), (sized.energy_mwh, "MWh"))
    return ", ".join(str(Number(value, unit)) for value, unit in sizes)


def scenario_html(scenario: Scenario) -> str:
    """Battery, site, series and strategy, and what was assumed."""
    notes = findings_table(scenario.notes) if scenario.notes else ""
    return box(f"Scenario {scenario.name}", pairs(scenario_rows(scenario)) + notes)
