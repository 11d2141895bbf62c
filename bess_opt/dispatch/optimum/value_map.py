"""What one MWh more in store is worth at every energy and time, from the value functions of a plan's scenario."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bess_opt.inputs.scenario import Scenario
from bess_opt.models.assemble import model_of
from bess_opt.models.one_way import pairs_of
from bess_opt.plant.from_scenario import plant_of
from bess_opt.solver.value_function.recursion import Curve
from bess_opt.solver.value_function.values import ValueFunctions
from bess_opt.strategies.shared.activation import activate

LEVELS = 240  # intervals of energy


def value_map(scenario: Scenario, first: int, last: int) -> pd.DataFrame:
    """Worth of a MWh at the ends of the steps `first` to `last` − 1, a row each, in the first objective per MWh.

    Columns are energies [MWh], each the lower end of an interval, the last one (NaN) the end of the last interval.
    NaN also where the limits allow no such energy. Raises `NotStepwiseError` where value functions do not fit,
    `RecursionFailedError` as they do.
    """
    stated_plant = plant_of(scenario)
    active = activate(scenario, stated_plant)
    plant = active.restrict(stated_plant)
    m, objectives = model_of(plant, active)
    curves = ValueFunctions.of(m, objectives, pairs_of(plant)).recursion.curves_between(first, last)
    low = min(float(curve.energy[0]) for curve in curves)
    high = max(float(curve.energy[-1]) for curve in curves)
    levels = np.linspace(low, high, LEVELS + 1)
    rows = [np.append(_slopes(curve, (levels[:-1] + levels[1:]) / 2.0), np.nan) for curve in curves]
    return pd.DataFrame(rows, index=plant.index[first:last], columns=levels)


def _slopes(curve: Curve, energy: np.ndarray) -> np.ndarray:
    """Slope in the first objective at energies; NaN outside of what the limits allow."""
    piece = np.clip(np.searchsorted(curve.energy, energy, side="right") - 1, 0, len(curve.slope) - 1)
    inside = (energy >= curve.energy[0]) & (energy <= curve.energy[-1])
    slopes: np.ndarray = np.where(inside, curve.slope[piece, 0], np.nan)
    return slopes
