"""Pages written as SVG at once: the same words at the same places as matplotlib, in the same colours."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from support.sites import SCENARIOS

import bess_opt as bo
from bess_opt.comparison.compare import Comparison
from bess_opt.dispatch.result import drawn_with
from bess_opt.plots.battery_use import action_figure
from bess_opt.plots.bill import bill_figure
from bess_opt.plots.comparison import ladder_figure
from bess_opt.plots.dispatch import dispatch_figure
from bess_opt.plots.duration import soc_duration_figure
from bess_opt.plots.shared.page import figure_svg
from bess_opt.plots.shared.style import DARK, LIGHT
from bess_opt.plots.shared.svg.page import written_as_svg
from bess_opt.plots.value import stored_value_figure

WORDS = re.compile(
    r"<!-- (.+?) -->\s*<g style=\"fill: (#\w+)\" transform=\"translate\(([-\d.]+) ([-\d.]+)\)( rotate\(-90\))?"
)
NEAR_PT = 1.0  # of a word's place: letters are hinted a little otherwise


@pytest.fixture(scope="module")
def compared() -> Comparison:
    return bo.compare(bo.load(SCENARIOS / "solar_evening"))


def pictures(compared: Comparison) -> dict[str, Callable[[], Figure]]:
    best = next(plan for (_, rung), plan in compared.plans.items() if rung == "optimal")
    drawn = drawn_with(best)
    away = np.zeros(len(best.schedule), dtype=bool)
    away[30:40] = True
    units = {"first": best.schedule, "second": best.schedule}
    value = best.stored_energy_value
    assert value is not None
    month = best.schedule["import_mw"]
    return {
        "dispatch": partial(dispatch_figure, best.schedule, **drawn | {"away": away, "title": "A & B -- C"}),
        "units": partial(dispatch_figure, best.schedule, **drawn | {"units": units}),
        "ladder": partial(ladder_figure, compared.table, compared.gaps),
        "duration": partial(soc_duration_figure, {"optimal": best.schedule["soc"]}, window=(0.1, 0.9)),
        "action": partial(action_figure, best.schedule),
        "value": partial(stored_value_figure, value, best.schedule),
        "stack": partial(stack_of(4).plot, "stack"),
        "bill": partial(bill_figure, month, month, f"{month.index[0]:%Y-%m}", month[month == month.max()]),
    }


def stack_of(count: int) -> bo.Dispatch:
    """A plan that holds so many products upward, 0.2 MW of each."""
    names = ["one", "two", "three", "four", "five", "six"][:count]
    index = pd.date_range("2025-03-29", periods=24, freq="h", tz="Europe/Berlin", name="time")
    series = {"price_per_mwh": 50.0} | {f"{name}_price_per_mw": 10.0 + at for at, name in enumerate(names)}
    products = [{"name": name, "direction": "up", "max_mw": 0.2} for name in names]
    battery = {"power_mw": 2.0, "duration_h": 2.0}
    frame = pd.DataFrame(series, index=index)
    return bo.optimize(bo.Scenario(battery=battery, series=frame, product=products, strategy="arbitrage"))


def said(svg: str) -> list[tuple[str, str, float, float, bool]]:
    """Each word with its colour, place and whether it reads upwards."""
    return sorted((w, c, float(x), float(y), bool(turn)) for w, c, x, y, turn in WORDS.findall(svg))


@pytest.mark.parametrize("name", ["dispatch", "units", "ladder", "duration", "action", "value", "bill", "stack"])
def test_words_stand_where_matplotlib_has_them(compared: Comparison, name: str) -> None:
    draw = pictures(compared)[name]
    theirs = figure_svg(draw(), prefix="a")
    with written_as_svg():
        ours = figure_svg(draw(), prefix="a")
    one, other = said(ours), said(theirs)
    assert len(one) > 10
    assert [(w, c, turn) for w, c, _, _, turn in one] == [(w, c, turn) for w, c, _, _, turn in other]
    off = [(a[0], a[2:4], b[2:4]) for a, b in zip(one, other, strict=True) if not near(a[2:4], b[2:4])]
    assert off == []
    assert colours(ours) == colours(theirs)
    assert re.search(r'viewBox="[^"]+"', ours).group() == re.search(r'viewBox="[^"]+"', theirs).group()  # type: ignore[union-attr]


def near(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return max(abs(a - b) for a, b in zip(one, other, strict=True)) < NEAR_PT


def colours(svg: str) -> set[str]:
    return set(re.findall(r"#[0-9a-f]{6}\b", svg)) - {"#000000"}


def test_a_pattern_for_each_product() -> None:
    """Six products are told apart without their tones: plain, and five patterns none of which is another's."""
    with written_as_svg():
        svg = figure_svg(stack_of(6).plot("stack"), prefix="a")
    patterns = re.findall(r'<pattern id="[^"]+" patternUnits="userSpaceOnUse" (.+?)</pattern>', svg)
    drawn = {re.sub(r"fill: #\w+", "", re.sub(r"stroke-width: [\d.]+", "", pattern)) for pattern in patterns}
    assert len(drawn) == 5


def test_ids_keep_two_pages_apart(compared: Comparison) -> None:
    with written_as_svg():
        svgs = [figure_svg(pictures(compared)["action"](), prefix=prefix) for prefix in ("a", "b")]
    first, second = (set(re.findall(r'id="([^"]+)"', svg)) for svg in svgs)
    assert first
    assert not first & second
    assert all(
        set(re.findall(r'(?:href="#|url\(#)([^")]+)', svg)) <= set(re.findall(r'id="([^"]+)"', svg)) for svg in svgs
    )


def test_the_same_page_has_the_same_bytes(compared: Comparison) -> None:
    with written_as_svg():
        first, second = (figure_svg(pictures(compared)["dispatch"](), prefix="a") for _ in range(2))
    assert first == second


def test_outside_the_block_pages_are_figures() -> None:
    with written_as_svg():
        pass
    assert isinstance(soc_duration_figure(pd.Series([0.5, 0.6])), Figure)


def test_zero_of_a_map_shows_the_paper() -> None:
    for theme in (LIGHT, DARK):
        assert theme.diverging(0.5)[3] < 0.01
        assert to_hex(theme.diverging(0.0), keep_alpha=True) == f"{theme.charge}ff".lower()
        assert to_hex(theme.diverging(1.0), keep_alpha=True) == f"{theme.discharge}ff".lower()
