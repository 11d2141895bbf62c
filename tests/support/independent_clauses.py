"""A site with connection clauses written once more, as arrays with a binary per converter and step.

Nothing of the package is imported; calendars are read with plain loops over local stamps.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import Bounds, LinearConstraint, milp

DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


def active(clause: dict[str, Any], series: pd.DataFrame, holidays: list[str]) -> np.ndarray:
    """Steps in which a clause holds."""
    return np.array([_holds(clause, stamp, row, holidays) for stamp, row in series.iterrows()])


def _holds(clause: dict[str, Any], stamp: pd.Timestamp, row: pd.Series, holidays: list[str]) -> bool:
    if "months" in clause and stamp.month not in clause["months"]:
        return False
    if "from" in clause:
        day, first, last = stamp.strftime("%m-%d"), clause["from"], clause["to"]
        if not (first <= day <= last if first <= last else day >= first or day <= last):
            return False
    if not _on_day(clause.get("days", "all"), stamp, holidays):
        return False
    hour = stamp.hour + stamp.minute / 60
    windows = clause.get("hours", [0, 24])
    windows = windows if isinstance(windows[0], list) else [windows]
    if not any(a <= hour < b if a < b else hour >= a or hour < b for a, b in windows):
        return False
    when = clause.get("when")
    if when is None:
        return True
    value = row[when["series"]]
    return bool(value < when.get("below", np.inf) and value > when.get("above", -np.inf))


def _on_day(days: Any, stamp: pd.Timestamp, holidays: list[str]) -> bool:
    name = DAYS[stamp.day_of_week]
    workday = name not in ("saturday", "sunday")
    if isinstance(days, str):
        return {"all": True, "weekday": workday, "weekend": not workday}[days]
    kind = "holiday" if stamp.strftime("%Y-%m-%d") in holidays else "weekday" if workday else name
    return kind in days


class _Rows:
    """Rows of a program, term by term."""

    def __init__(self, names: list[str], steps: int) -> None:
        self.first = {name: i * steps for i, name in enumerate(names)}
        self.width, self.rows, self.low, self.high = len(names) * steps, [], [], []

    def add(self, terms: list[tuple[str, int, float]], low: float, high: float) -> None:
        """low <= Σ factor·name[t] <= high."""
        row = np.zeros(self.width)
        for name, t, factor in terms:
            row[self.first[name] + t] += factor
        self.rows.append(row)
        self.low.append(low)
        self.high.append(high)


def best(case: Any, clauses: list[dict[str, Any]], holidays: list[str]) -> float | None:
    """The most money of a case (energy less overruns), None where it has no plan."""
    battery, site, series, h = case.battery, case.site, case.series, case.step_h
    n, tech, conv = len(series), battery["technology"], battery["converters"]
    on_dc = battery["topology"] == "series_dc"
    soft = [(k, flow) for k, c in enumerate(clauses) if "overrun_price_per_mwh" in c for flow in ("import", "export")]
    soft = [(k, flow) for k, flow in soft if f"{flow}_mw" in clauses[k]]
    names = ["c", "d", "e", "import", "export", "cut", "un", "out", "in", "B", "G", "V"]
    names += [f"over{k}{flow}" for k, flow in soft]
    r = _Rows(names, n)
    e_max = battery["power_mw"] * battery["duration_h"]
    e_in = tech["eta_charge"] * (conv["dc_to_dc"] if on_dc else conv["ac_to_dc"])
    e_out = tech["eta_discharge"] * (conv["dc_to_dc"] if on_dc else conv["dc_to_ac"])
    solar = series["solar_mw"].to_numpy() if "solar_mw" in series else np.zeros(n)
    load = series["load_mw"].to_numpy() if "load_mw" in series else np.zeros(n)
    price = series["price_per_mwh"].to_numpy()
    low, high = np.zeros(r.width), np.full(r.width, np.inf)
    gain, integer = np.zeros(r.width), np.zeros(r.width)
    at = lambda name: slice(r.first[name], r.first[name] + n)  # noqa: E731
    high[at("c")] = high[at("d")] = battery["power_mw"]
    low[at("e")], high[at("e")] = tech["soc_min"] * e_max, tech["soc_max"] * e_max
    start = battery["soc_start"] * e_max
    low[at("e")][-1:] = 0.0
    low[r.first["e"] + n - 1] = max(low[r.first["e"] + n - 1], start)
    high[at("cut")] = (solar / conv["dc_to_ac"] if on_dc else solar) if site.get("curtailment", True) else 0.0
    high[at("un")] = load if "unserved_price_per_mwh" in site else 0.0
    big = 50.0 * (battery["power_mw"] + solar.max() + load.max())
    high[at("import")] = site.get("import_limit_mw", big)
    high[at("export")] = site.get("export_limit_mw", big)
    high[at("out")] = high[at("in")] = big if on_dc else 0.0
    for choice in ("B", "G", "V"):
        high[at(choice)], integer[at(choice)] = 1.0, 1
    gain[at("import")], gain[at("export")] = -h * price, h * price
    gain[at("un")] = -h * site.get("unserved_price_per_mwh", 0.0)
    for t in range(n):
        before = [("e", t - 1, -1.0)] if t else []
        begin = 0.0 if t else start
        r.add([("e", t, 1.0), *before, ("c", t, -h * e_in), ("d", t, h / e_out)], begin, begin)
        if on_dc:
            sun = solar[t] / conv["dc_to_ac"]
            r.add([("cut", t, -1.0), ("d", t, 1.0), ("c", t, -1.0), ("out", t, -1 / conv["dc_to_ac"]),
                   ("in", t, conv["ac_to_dc"])], -sun, -sun)  # fmt: skip
            r.add([("out", t, 1.0), ("in", t, -1.0), ("import", t, 1.0), ("un", t, 1.0), ("export", t, -1.0)],
                  load[t], load[t])  # fmt: skip
        else:
            r.add([("cut", t, -1.0), ("d", t, 1.0), ("c", t, -1.0), ("import", t, 1.0), ("un", t, 1.0),
                   ("export", t, -1.0)], load[t] - solar[t], load[t] - solar[t])  # fmt: skip
        for one, other, choice in (("c", "d", "B"), ("import", "export", "G"), ("out", "in", "V")):
            r.add([(one, t, 1.0), (choice, t, -big)], -np.inf, 0.0)
            r.add([(other, t, 1.0), (choice, t, big)], -np.inf, big)
    for k, clause in enumerate(clauses):
        steps = np.flatnonzero(active(clause, series, holidays))
        for flow in ("import", "export"):
            if f"{flow}_mw" not in clause:
                continue
            cap = clause[f"{flow}_mw"]
            for t in steps.tolist():
                over = [(f"over{k}{flow}", t, -1.0)] if (k, flow) in soft else []
                r.add([(flow, t, 1.0), *over], -np.inf, cap)
            if (k, flow) in soft:
                gain[at(f"over{k}{flow}")] = -h * clause["overrun_price_per_mwh"]
        if "ramp_mw_per_min" in clause:
            most = clause["ramp_mw_per_min"] * h * 60
            for t in steps.tolist():
                grid = [("export", t, 1.0), ("import", t, -1.0)]
                if t:
                    r.add([*grid, ("export", t - 1, -1.0), ("import", t - 1, 1.0)], -most, most)
                elif "before_mw" in clause:
                    r.add(grid, clause["before_mw"] - most, clause["before_mw"] + most)
    found = milp(
        -gain,
        constraints=LinearConstraint(np.array(r.rows), r.low, r.high),
        bounds=Bounds(low, high),
        integrality=integer,
        options={"mip_rel_gap": 0.0},
    )
    return -float(found.fun) if found.success else None
