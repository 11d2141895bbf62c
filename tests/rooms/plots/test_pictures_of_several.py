"""Pictures of a plan with several batteries and with an outage: a band and a line for each, shaded hours."""

from __future__ import annotations

import pandas as pd
import pytest

import bess_opt as bo
from bess_opt.plots.shared.style import DARK, LIGHT, tones


@pytest.fixture(scope="module")
def plan() -> bo.Dispatch:
    """North and south at one meter; the grid is away from 18:00 to 20:00."""
    at = pd.date_range("2025-07-01", periods=24, freq="h", tz="Europe/Berlin", name="time")
    batteries = [{"name": name, "power_mw": 1.0, "duration_h": 2.0} for name in ("north", "south")]
    return bo.optimize(
        bo.Scenario(
            battery=batteries,
            series=pd.DataFrame({"price_per_mwh": [10.0, 90.0] * 12, "load_mw": 0.5}, index=at),
            strategy="arbitrage",
            outage=[{"start": "2025-07-01T18:00+02:00", "hours": 2.0}],
        )
    )


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_each_battery_has_its_band_and_its_line(plan: bo.Dispatch, theme: str) -> None:
    power, soc, *_ = plan.plot(theme=theme).axes
    labels = [text.get_text() for text in power.get_legend().get_texts()]  # type: ignore[union-attr]
    words = {f"{name} {word}" for name in ("north", "south") for word in ("charge", "discharge")}
    assert words | {"grid away"} <= set(labels)
    assert "battery charge" not in labels
    look = DARK if theme == "dark" else LIGHT
    lines = {line.get_label(): line for line in soc.get_lines()}
    assert [lines[name].get_color() for name in ("north", "south")] == tones(look.soc, look, 2)
    ends = plan.units["south"]["soc"].to_numpy()
    assert list(lines["south"].get_ydata()) == pytest.approx(list(ends))  # type: ignore[arg-type]


def test_the_hours_without_the_grid_are_shaded(plan: bo.Dispatch) -> None:
    """One band of two hours in each panel."""
    for axes in plan.plot().axes:
        (band,) = [patch for patch in axes.patches if patch.get_alpha() == 0.45]
        assert band.get_width() * 24.0 == pytest.approx(2.0)  # type: ignore[attr-defined]


def test_tones_differ_in_brightness() -> None:
    assert tones(LIGHT.charge, LIGHT, 1) == [LIGHT.charge]
    assert len(set(tones(LIGHT.charge, LIGHT, 4))) == 4
