"""Names of days under panels, remembered from one panel to the next: each zone has its own."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from bess_opt.plots.shared.style import LIGHT
from bess_opt.plots.shared.time_axes import time_axis


def named(zone: str) -> list[str]:
    index = pd.date_range("2025-06-01", periods=72, freq="h", tz="UTC").tz_convert(zone)
    axes = Figure().add_subplot()
    time_axis(axes, pd.Series(0.0, index=index), 1.0, LIGHT)
    return [label.replace("\n", " ") for label in axes.xaxis.get_minor_formatter().seq]


def test_equal_instants_of_two_zones_have_days_of_their_own() -> None:
    """A day of which less than two fifths are shown has no name."""
    utc = ["Sun 1 Jun", "Mon 2 Jun", "Tue 3 Jun"]
    assert named("UTC") == utc
    assert named("Pacific/Honolulu") == ["Sat 31 May", *utc]
    assert named("UTC") == utc
