"""What one MWh more in store is worth at every energy and time, of a plan's scenario."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bess_opt.dispatch.optimum.bring_back import prepare
from bess_opt.inputs.scenario import Scenario
from bess_opt.models.assemble import model_of
from bess_opt.models.one_way import pairs_of
from bess_opt.solver.engines import EnergyWorth, EngineRefusedError, engines_at_hand

LEVELS = 240  # intervals of energy


def value_map(scenario: Scenario, first: int, last: int) -> pd.DataFrame:
    """Worth of a MWh at the ends of the steps `first` to `last` − 1, a row each, in the first objective per MWh.

    Columns are energies [MWh], each the lower end of an interval, the last one (NaN) the end of the last interval.
    NaN also where the limits allow no such energy. Raises `EngineRefusedError` where no engine can say.
    """
    plant, active = prepare(scenario)
    m, objectives = model_of(plant, active)
    any_engine = scenario.solver.model_copy(update={"engine": "auto"})  # the worth is a question of its own
    for engine in engines_at_hand(any_engine):
        curves = engine.read(m, objectives, pairs_of(plant)).worth_between(first, last)
        break
    else:
        raise EngineRefusedError.because("no engine that knows what stored energy is worth is at hand")
    low = min(float(curve.energy[0]) for curve in curves)
    high = max(float(curve.energy[-1]) for curve in curves)
    levels = np.linspace(low, high, LEVELS + 1)
    rows = [np.append(_slopes(curve, (levels[:-1] + levels[1:]) / 2.0), np.nan) for curve in curves]
    return pd.DataFrame(rows, index=plant.index[first:last], columns=levels)


def _slopes(curve: EnergyWorth, energy: np.ndarray) -> np.ndarray:
    """Slope in the first objective at energies; NaN outside of what the limits allow."""
    piece = np.clip(np.searchsorted(curve.energy, energy, side="right") - 1, 0, len(curve.slope) - 1)
    inside = (energy >= curve.energy[0]) & (energy <= curve.energy[-1])
    slopes: np.ndarray = np.where(inside, curve.slope[piece, 0], np.nan)
    return slopes
