"""The pictures beside the overview: right numbers in right places, units, light and dark, axes of the caller."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from support.drawn_bars import bars_of
from test_plots import BERLIN, days, legend, schedule

from bess_opt import plots
from bess_opt.common.wording import percent
from bess_opt.comparison.gap import Gap
from bess_opt.plots.shared.style import LIGHT, PlainNumbers

PLAN = schedule(days("2025-06-02", 14))
VALUE = pd.Series(50.0, index=PLAN.index)
WORTH = pd.DataFrame(
    [[40.0, 20.0, np.nan], [np.nan, 10.0, np.nan], [40.0, -5.0, np.nan]],
    index=PLAN.index[:3],
    columns=[0.0, 1.0, 2.0],
)
GAP = Gap(pd.DataFrame({"missed charge": 1.0, "needless charge": 0.5}, index=PLAN.index), 504.0, 504.0)
FLOW = pd.DataFrame(
    {"capital": [-9e6, 0, 0], "revenue": [0, 5e6, 5e6], "fixed_om": [0, -1e6, -1e6], "replacement": 0.0, "tax": 0.0,
     "net": [-9e6, 4e6, 4e6], "discount_factor": [1.0, 0.9, 0.8], "present_value": [-9e6, 3.6e6, 3.2e6],
     "cumulative": [-9e6, -5e6, -1e6]},
    index=pd.RangeIndex(3, name="year"),
)  # fmt: skip

PICTURES: dict[str, Callable[..., Figure]] = {
    "heat map": lambda **o: plots.heat_map_figure(PLAN["battery_mw"], label="power [MW]", diverging=True, **o),
    "soc duration": lambda **o: plots.soc_duration_figure(PLAN["soc"], window=(0.1, 0.95), **o),
    "action": lambda **o: plots.action_figure(PLAN, **o),
    "stored value": lambda **o: plots.stored_value_figure(VALUE, PLAN, **o),
    "value map": lambda **o: plots.value_map_figure(WORTH, PLAN["energy_mwh"].iloc[:3], before_mwh=0.5, **o),
    "gap": lambda **o: plots.gap_figure(GAP, **o),
    "cash flow": lambda **o: plots.cash_flow_figure(FLOW, **o),
}


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_picture_names_units_and_repeats_itself(name: str, theme: str) -> None:
    """Units in brackets on both axes, ink that fits the paper, same bytes whatever the user's settings."""
    figure = PICTURES[name](theme=theme, title="Title")
    axes = figure.axes[0]
    assert "[" in axes.get_xlabel() or "local date, from" in axes.get_xlabel()
    assert "[" in axes.get_ylabel()
    ink = sum(mpl.colors.to_rgb(axes.yaxis.label.get_color()))
    assert (ink > 2.0) == (theme == "dark")
    first = plots.figure_png(figure)
    with mpl.rc_context({"font.size": 31, "axes.facecolor": "pink"}):
        assert plots.figure_png(PICTURES[name](theme=theme, title="Title")) == first


@pytest.mark.parametrize("name", PICTURES)
def test_every_picture_draws_into_axes_of_the_caller(name: str) -> None:
    mine = Figure(figsize=(8, 4))
    axes = mine.add_subplot()
    assert PICTURES[name](axes=axes) is mine
    assert axes.get_title(loc="left") or name == "heat map"


def test_soc_duration_is_the_sorted_soc() -> None:
    """Three steps at 0.9, 0.5 and 0.1: each holds a third of the time, the highest first."""
    soc = pd.Series([0.1, 0.9, 0.5])
    x, y = plots.soc_duration_figure(soc).axes[0].lines[0].get_data()
    assert np.asarray(x) == pytest.approx([0.0, 100 / 3, 200 / 3, 100.0])
    assert np.asarray(y).tolist() == [0.9, 0.9, 0.5, 0.1]
    both = plots.soc_duration_figure({"optimal": soc, "rule": soc})
    assert legend(both.axes[0]) == ["optimal", "rule"]
    turned = plots.soc_duration_figure({"mine": soc, "rule": soc, "optimal": soc}).axes[0].lines
    colours = {line.get_label(): line.get_color() for line in turned}
    assert (colours["optimal"], colours["rule"], colours["mine"]) == (LIGHT.soc, LIGHT.charge, LIGHT.exported)
    with pytest.raises(ValueError, match="at least one step"):
        plots.soc_duration_figure({})


def test_a_share_a_little_below_nothing_is_nothing() -> None:
    """No "-0%", in the ladder and wherever a fraction is written."""
    bars = {
        "score": [10.0, 9.99, 20.0],
        "score_unit": "currency",
        "score_sense": "max",
        "captured": [0.0, -0.001, 1.0],
    }
    rungs = pd.MultiIndex.from_product([["arbitrage"], ["none", "rule", "optimal"]], names=["strategy", "rung"])
    ladder = plots.ladder_figure(pd.DataFrame(bars, index=rungs), {}).axes[0]
    assert "9.99, 0% of the possible gain" in [text.get_text() for text in ladder.texts]
    assert (percent(-0.0004), percent(-0.001)) == ("0.0%", "-0.1%")


def test_numbers_of_an_axis_are_written_alike() -> None:
    """As many decimals as the finest needs, thousands apart, a true minus, nothing of floating point."""
    write = PlainNumbers().format_ticks
    assert write([-1.5, 0.0, 1.5, 3.0]) == ["\N{MINUS SIGN}1.5", "0.0", "1.5", "3.0"]
    assert write([0.0, 20000.0]) == ["0", "20,000"]
    assert write([0.1 + 0.2, 0.6]) == ["0.3", "0.6"]
    assert write([-0.0]) == ["0"]
    assert (PlainNumbers()(1234.5), write([])) == ("1,234.5", [])


def test_action_sums_energy_at_its_price() -> None:
    """All discharge in 56 hours of 2 MW at the evening's price, all charge at noon's: no energy gets lost."""
    panel = plots.action_figure(PLAN).axes[0]
    names = ["battery discharge", "battery charge"]
    up, down = (bars_of(panel)[name][1].sum() for name in names)
    assert (up, down) == (pytest.approx(2.0 * 4 * 14), pytest.approx(-2.0 * 4 * 14))
    quarter = schedule(days("2025-06-02", 14, "15min"))
    fine = bars_of(plots.action_figure(quarter).axes[0])
    assert [fine[name][1].sum() for name in names] == pytest.approx([up, down])
    flat = schedule(days("2025-06-02", 2), import_price_per_mwh=50.0, export_price_per_mwh=50.0)
    assert len(bars_of(plots.action_figure(flat).axes[0])[names[0]][1]) == 1
    free = schedule(days("2025-06-02", 2), import_price_per_mwh=np.nan, export_price_per_mwh=np.nan)
    with pytest.raises(ValueError, match="needs a schedule with prices"):
        plots.action_figure(free)


def test_cash_flow_adds_up_to_its_lines() -> None:
    panel = plots.cash_flow_figure(FLOW, currency="USD").axes[0]
    assert panel.get_ylabel() == "money [million USD]"
    assert np.asarray(panel.lines[0].get_ydata()).tolist() == [-9.0, -5.0, -1.0]
    assert np.asarray(panel.lines[1].get_ydata())[-1] == pytest.approx(-2.2)
    assert legend(panel) == ["capital", "revenue", "fixed O&M", "sum so far", "sum, present value"]
    assert plots.cash_flow_figure(FLOW / 1e6).axes[0].get_ylabel() == "money [EUR]"
    with pytest.raises(ValueError, match="without years"):
        plots.cash_flow_figure(FLOW.iloc[:0])


def test_stored_value_stands_at_the_ends_of_its_steps() -> None:
    panel = plots.stored_value_figure(VALUE, PLAN, week="2025-06-03").axes[0]
    line = next(line for line in panel.lines if line.get_label() == "stored energy")
    first = pd.Timestamp(line.get_xdata()[0] * 86400e9, tz="UTC").round("s").tz_convert(BERLIN)
    assert first == pd.Timestamp("2025-06-03 01:00", tz=BERLIN)
    with pytest.raises(ValueError, match="take both from one plan"):
        plots.stored_value_figure(VALUE.iloc[:5], PLAN)


def test_a_gap_of_nothing_is_not_drawn() -> None:
    with pytest.raises(ValueError, match="as good as the optimum"):
        plots.gap_figure(Gap(pd.DataFrame(index=PLAN.index), 0.0, 0.0))


def test_a_week_has_as_many_panels_as_it_says() -> None:
    figure = plots.week_figure(PLAN, energy_mwh=8.0, week="2025-06-03")
    assert len(figure.axes) == 3
    mine = Figure()
    assert plots.week_figure(PLAN, energy_mwh=8.0, axes=list(mine.subplots(3))) is mine
    with pytest.raises(ValueError, match="axes: found 2, this schedule has 3 panels"):
        plots.week_figure(PLAN, energy_mwh=8.0, axes=list(Figure().subplots(2)))


def test_axes_without_a_figure_are_refused() -> None:
    from bess_opt.plots.shared.page import figure_of

    lost: Any = SimpleNamespace(get_figure=lambda root: None)
    with pytest.raises(ValueError, match="axes stand on no figure"):
        figure_of(lost)
    panel: Axes = Figure().add_subplot()
    assert isinstance(figure_of(panel), Figure)


def test_svg_is_the_same_twice_and_keeps_its_ids_to_itself() -> None:
    """Two pictures on one page must not share an id; letters are drawn, so that no font is missed."""
    draw = PICTURES["soc duration"]
    one = plots.figure_svg(draw(), prefix="a")
    assert one == plots.figure_svg(draw(), prefix="a")
    assert one != plots.figure_svg(draw(), prefix="b")
    assert "<text" not in one
    assert "<dc:date>" not in one


@pytest.mark.parametrize(("count", "first"), [(14, "02 Jun"), (56, "02 Jun"), (365, "Jul")])
def test_days_of_a_gap_are_named_as_their_number_allows(count: int, first: str) -> None:
    """Two weeks show days, two months their Mondays, a year its months."""
    index = days("2025-06-02", count)
    gap = Gap(pd.DataFrame({"peak": 1.0}, index=index), 1.0, 1.0)
    labels = [label.get_text() for label in plots.gap_figure(gap).axes[0].get_xticklabels()]
    assert labels[0] == first
    assert 7 <= len(labels) <= 13


def test_dollars_in_a_name_or_currency_are_text() -> None:
    """ "$ $" and "a_b $x^" would be formulas: the first empty, the second none at all."""
    from bess_opt.plots.shared.page import figure_svg
    from bess_opt.plots.shared.style import LIGHT, drawing

    for name in ("$ $", r"a $\frac$ b", "$x^"):
        with drawing(LIGHT):
            figure = Figure()
            figure.subplots().set_title(name)
        assert "<svg" in figure_svg(figure, prefix="p")
