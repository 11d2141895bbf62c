"""Three days worth seeing: when the battery earned most, when least, and when the meter saw its peak."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bess_opt.dispatch.result import Dispatch, drawn_with
from bess_opt.interfaces.report.sections import Section
from bess_opt.plots.shared.shown_days import ShownDays
from bess_opt.plots.shared.time_axes import local_days
from bess_opt.plots.week import days_figure

FEWEST = 10  # days of a horizon from which three are worth picking out


def three_days(best: Dispatch, without: Dispatch | None) -> Section | None:
    """The days with a sentence each and a picture each; None where the horizon is seen whole anyway."""
    clock = local_days(pd.DatetimeIndex(best.schedule.index))
    if len(np.unique(clock)) < FEWEST:
        return None
    picked: dict[str, str] = {}
    for words, measure in _measures(best, without).items():
        by_day = measure.groupby(clock).sum() if "peak" not in words else measure.groupby(clock).max()
        for stamp in by_day.sort_values(ascending=False, kind="stable").index:
            day = f"{stamp:%Y-%m-%d}"
            if day not in picked:
                picked[day] = words
                break
    pictures = []
    for day in sorted(picked):
        rows = np.flatnonzero(clock == np.datetime64(day))
        text = f"{day}: {picked[day]}"
        window = ShownDays(int(rows[0]), int(rows[-1]) + 1, False, text)
        figure = days_figure(best.schedule, window, **drawn_with(best))
        pictures.append((f"{text}.", figure))
    words = "Picked by what they show; local time, the optimal plan."
    return Section("Three days worth seeing", words, pictures=pictures)


def _measures(best: Dispatch, without: Dispatch | None) -> dict[str, pd.Series]:
    """What a day is picked for, and by what."""
    frame = best.schedule
    gain = frame["revenue"] - (0.0 if without is None else without.schedule["revenue"])
    peak = frame["import_mw"] if frame["import_mw"].max() >= frame["export_mw"].max() else frame["export_mw"]
    flow = str(peak.name).removesuffix("_mw")
    if gain.isna().any() or not gain.any():
        moved = frame["charge_mw"] + frame["discharge_mw"]
        first = {"the battery moves most": moved, "the battery moves least": -moved}
    else:
        first = {"the battery earns most with energy": gain, "the battery earns least with energy": -gain}
    return first | {f"the highest peak of {flow}": peak}
