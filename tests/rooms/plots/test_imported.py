"""The picture of what came in: dates below, every step drawn, the clock changes without a kink."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bess_opt.plots.imported import draw_imported


@pytest.mark.parametrize(("days", "word"), [(1, "12:00"), (7, "Apr"), (90, "May"), (365, "Jul")])
def test_the_axis_shows_dates(days: int, word: str) -> None:
    index = pd.date_range("2025-03-26", periods=days * 24, freq="h", tz="Europe/Berlin")
    frame = pd.DataFrame({"price_per_mwh": 50.0, "load_mw": np.arange(len(index), dtype=float)}, index=index)
    figure = draw_imported(frame, "USD")
    figure.canvas.draw()
    axes = figure.axes[-1]
    assert word in [label.get_text() for label in axes.get_xticklabels()]
    assert axes.get_xlabel() == "clock of Europe/Berlin"
    assert figure.axes[0].get_ylabel() == "price [USD/MWh]"
    times, values = axes.lines[0].get_data()
    assert len(times) == len(index) + 1
    assert np.diff(np.asarray(times, dtype=float)) == pytest.approx(1 / 24)
    assert list(values[:-1]) == list(frame["load_mw"])
