"""What a series looks like in numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bess_opt.common.columns import SERIES


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
