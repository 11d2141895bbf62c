"""Time axes: grid and marks stand where local days begin, names only under the lowest panel; settings are undone."""

from __future__ import annotations

import gc

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch

from bess_opt.plots.shared.page import collection_paused
from bess_opt.plots.shared.style import DARK, LIGHT, drawing, dress
from bess_opt.plots.shared.time_axes import date_numbers, time_axis, without_names

INDEX = pd.date_range("2025-03-29", "2025-04-01", freq="h", tz="Europe/Berlin", inclusive="left")
SERIES = pd.Series(1.0, index=INDEX)
BEGIN = date_numbers(
    pd.DatetimeIndex(pd.to_datetime([f"2025-03-{day}" for day in (29, 30, 31)]).tz_localize(INDEX.tz))
)


def drawn(*, grid: bool) -> list[PathPatch]:
    """What a time axis of three days, the second of 23 hours, draws: lines, marks, dotted lines."""
    axes = Figure().add_subplot()
    dress(axes, LIGHT, grid=grid)
    time_axis(axes, SERIES, 1.0, LIGHT)
    return [patch for patch in axes.patches if isinstance(patch, PathPatch)]


def test_lines_and_marks_stand_at_local_midnights_and_dots_between() -> None:
    lines, marks, dots = drawn(grid=True)
    end = float(date_numbers(INDEX[-1:])[0]) + 1.0 / 24.0
    for patch in (lines, marks):
        assert np.asarray(patch.get_path().vertices)[::2, 0].tolist() == pytest.approx([*BEGIN, end])
    middles = [(a + b) / 2.0 for a, b in zip([*BEGIN], [*BEGIN[1:], end], strict=True)]
    assert np.asarray(dots.get_path().vertices)[::2, 0].tolist() == pytest.approx(middles)
    assert lines.get_linestyle() == "solid"
    assert dots.get_linestyle() == "dotted"
    assert len(drawn(grid=False)) == 2  # marks and dots


def test_a_panel_over_another_one_has_marks_and_no_names() -> None:
    figure = Figure()
    axes = figure.add_subplot()
    dress(axes, LIGHT)
    time_axis(axes, SERIES, 1.0, LIGHT)
    figure.draw_without_rendering()
    assert [text.get_text() for text in axes.get_xticklabels(minor=True)][:1] == ["Sat\n29 Mar"]
    without_names(axes)
    assert not axes.xaxis.get_visible()
    assert axes.get_xlabel() == ""
    assert len(axes.patches) == 3


def test_settings_hold_while_drawing_and_are_undone() -> None:
    """Within one theme nothing is set twice, within another one all is; afterwards a user's settings are back."""
    with mpl.rc_context({"text.color": "pink"}):
        with drawing(LIGHT), drawing(LIGHT):
            assert mpl.rcParams["text.color"] == LIGHT.ink
            with drawing(DARK):
                assert mpl.rcParams["text.color"] == DARK.ink
            assert mpl.rcParams["text.color"] == LIGHT.ink
        assert mpl.rcParams["text.color"] == "pink"


def test_the_search_for_garbage_goes_on_after_drawing_also_after_an_error() -> None:
    assert gc.isenabled()
    with collection_paused(), collection_paused():
        assert not gc.isenabled()
    assert gc.isenabled()
    with pytest.raises(ZeroDivisionError), collection_paused():
        raise ZeroDivisionError
    assert gc.isenabled()
    gc.disable()
    try:
        with collection_paused():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
