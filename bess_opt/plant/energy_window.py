"""The window of stored energy with the start in it, which may lie outside."""

from __future__ import annotations

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.plant.plant import Storage


def least_mwh(battery: Storage) -> Array:
    """The floor at each instant, at the first one the start where it lies below."""
    return np.append(min(battery.floor_mwh[0], battery.start_mwh), battery.floor_mwh[1:])


def most_mwh(battery: Storage) -> Array:
    """The ceiling at each instant, at the first one the start where it lies above."""
    return np.append(max(battery.ceiling_mwh[0], battery.start_mwh), battery.ceiling_mwh[1:])
