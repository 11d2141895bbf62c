"""Caps on cycles in the model: energy that leaves or enters the cells over runs of steps."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyomo.core as pyo

from bess_opt.models.assets import asset, rule_of
from bess_opt.models.components import ArrayConstraint, ArrayParam, Rule, total
from bess_opt.models.meaning import Meaning
from bess_opt.models.units import MWH
from bess_opt.plant.plant import Storage
from bess_opt.plant.warranty.cycle_caps import CycleCap

CYCLES = Meaning("cycles", kind="limit")


def add_cycle_caps(m: Any, battery: Storage) -> None:
    """Add the rows of every cap of the battery, each under its own name.

    A calendar cap has a row per period. A cap within hours has one per window, named by the step that begins it, and
    one for what a window that begins before the horizon holds of it.
    """
    for cap in battery.caps:
        windows = cap.windows
        runs = np.setdiff1d(np.arange(len(cap.first)), windows)
        if len(runs):
            _add_rows(
                m, battery, cap, cap.name, pyo.RangeSet(0, len(runs) - 1), cap.most_mwh[runs], _in_run(cap, runs)
            )
        if len(windows):
            begins = pyo.RangeSet(int(cap.first[windows[0]]), int(cap.first[windows[-1]]))
            _add_rows(m, battery, cap, f"{cap.name}_window", begins, cap.most_mwh[windows], _in_window(cap))


def _add_rows(m: Any, battery: Storage, cap: CycleCap, name: str, index: Any, most_mwh: Any, rule: Rule) -> None:
    own, meaning = asset(m, battery), replace(CYCLES, stated_at=cap.where)
    setattr(own, f"{name}_index", index)
    setattr(own, f"{name}_most_mwh", ArrayParam(index, most_mwh, units=MWH, doc="energy through the cells allowed"))
    rows = ArrayConstraint(index, rule=rule_of(battery, rule), by_member=name == cap.name, meaning=meaning)
    setattr(own, name, rows)


def _in_run(cap: CycleCap, runs: Any) -> Rule:
    """The rule of the runs of a cap."""
    charged, name = cap.charged, f"{cap.name}_most_mwh"
    steps = [np.arange(cap.first[run], cap.last[run]) for run in runs]

    def rule(m: Any, run: Any) -> Any:
        """Σ_{t in run} h·d[t]/η_d <= cycles·E, counted on charging Σ h·η_c·c[t]: energy through the cells."""
        flow, per_mw = (m.charge_mw, m.eta_charge) if charged else (m.discharge_mw, 1.0 / m.eta_discharge)
        return total(flow, steps[run]) * (m.step_h * per_mw) <= getattr(m, name)[run]

    return rule


def _in_window(cap: CycleCap) -> Rule:
    """The rule of the windows of a cap within hours, alike for all of them."""
    charged, name, width = cap.charged, f"{cap.name}_window_most_mwh", cap.width or 1

    def rule(m: Any, first: Any) -> Any:
        """Σ_{i < steps of the window} h·d[first + i]/η_d <= cycles·E, on charging Σ h·η_c·c[first + i]."""
        flow, per_mw = (m.charge_mw, m.eta_charge) if charged else (m.discharge_mw, 1.0 / m.eta_discharge)
        moved = flow[first]
        for i in range(1, width):
            moved = moved + flow[first + i]
        return moved * (m.step_h * per_mw) <= getattr(m, name)[first]

    return rule
