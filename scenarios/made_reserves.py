"""Prices of capacity, invented from energy prices, for the scenarios of this folder."""

from __future__ import annotations

import numpy as np
import pandas as pd
from made_prices import Floats, autoregressive

BLOCK_H = 4
COST = 70.0  # EUR/MWh of the plants that hold reserve beside batteries
LEVEL, FORGONE = 4.0, 0.12  # EUR/MW/h for standing ready, and the share of a forgone margin that sets the price
UP_SHARE = 0.525  # of such a price, where capacity is held one way alone
NOISE, MEMORY = 0.2, 0.98  # of the logarithm of the price, and from hour to hour


def by_block(values: pd.Series) -> Floats:
    """Means over blocks of four hours of the local clock, one value a step."""
    index = pd.DatetimeIndex(values.index)
    return values.groupby([index.strftime("%Y-%m-%d"), index.hour // BLOCK_H]).transform("mean").to_numpy(dtype=float)


def reserve_prices(price: pd.Series, random: np.random.Generator) -> pd.DataFrame:
    """Prices per MW and hour of a product held up and down, and of one held up: what plants near their cost forgo."""
    block = by_block(price)
    fcr = LEVEL + FORGONE * np.abs(block - COST)
    afrr_up = LEVEL + FORGONE * np.maximum(block - COST, 0.0)
    columns = {"fcr_price_per_mw": fcr, "afrr_up_price_per_mw": UP_SHARE * afrr_up}
    return pd.DataFrame({name: values * _noise(price, random) for name, values in columns.items()}, index=price.index)


def _noise(price: pd.Series, random: np.random.Generator) -> Floats:
    rest = pd.Series(autoregressive(random, len(price), correlation=MEMORY), index=price.index)
    return np.asarray(np.exp(NOISE * by_block(rest)))
