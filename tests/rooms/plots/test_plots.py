"""The figures: units on every axis, the right days in the right cells, and the same bytes every time."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from support.drawn_bars import bars_of

from bess_opt import plots
from bess_opt.common.columns import SCHEDULE

BERLIN = "Europe/Berlin"
ENERGY_MWH = 8.0


def schedule(index: pd.DatetimeIndex, **columns: Any) -> pd.DataFrame:
    """The same day every day: sun and a charge at noon, a discharge in the evening, a price that dips."""
    hour = index.hour.to_numpy() + index.minute.to_numpy() / 60
    frame = pd.DataFrame(0.0, index=index, columns=list(SCHEDULE))
    frame["limited_by"] = ""
    frame["solar_mw"] = np.clip(5.0 - np.abs(hour - 12.5), 0.0, None)
    frame["load_mw"] = 1.5
    frame["charge_mw"] = np.where((hour >= 10) & (hour < 14), 2.0, 0.0)
    frame["discharge_mw"] = np.where((hour >= 18) & (hour < 22), 2.0, 0.0)
    frame["curtailed_mw"] = np.where((hour >= 12) & (hour < 13), 0.5, 0.0)
    frame["soc"] = np.where((hour >= 13) & (hour < 21), 0.9, 0.1)
    frame["import_price_per_mwh"] = frame["export_price_per_mwh"] = 60.0 - 20.0 * frame["solar_mw"]
    for name, values in columns.items():
        frame[name] = values
    grid = frame["solar_mw"] - frame["curtailed_mw"] + frame["discharge_mw"] - frame["charge_mw"] - frame["load_mw"]
    frame["battery_mw"] = frame["discharge_mw"] - frame["charge_mw"]
    frame["export_mw"], frame["import_mw"], frame["grid_mw"] = (
        grid.clip(lower=0.0),
        (-grid).clip(lower=0.0),
        grid,
    )
    return frame


def days(start: str, count: int, freq: str = "h", zone: str = BERLIN) -> pd.DatetimeIndex:
    begin = pd.Timestamp(start, tz=zone)
    return pd.date_range(begin, begin + pd.DateOffset(days=count), freq=freq, inclusive="left")


def draw(frame: pd.DataFrame, **options: Any) -> Figure:
    return plots.dispatch_figure(frame, energy_mwh=ENERGY_MWH, **options)


def texts(figure: Figure) -> list[str]:
    return [axes.get_title(loc="left") for axes in figure.axes]


def legend(axes: Axes) -> list[str]:
    found = axes.get_legend()
    return [] if found is None else [text.get_text() for text in found.get_texts()]


def span(axes: Axes) -> tuple[pd.Timestamp, pd.Timestamp]:
    left, right = (pd.Timestamp(x * 86400e9, tz="UTC").round("s").tz_convert(BERLIN) for x in axes.get_xlim())
    return left, right


@pytest.fixture(scope="module")
def year() -> pd.DataFrame:
    return schedule(days("2025-01-01", 365, "15min"))


# ---- labels


def test_every_axis_says_its_unit(year: pd.DataFrame) -> None:
    figure = draw(year, currency="GBP")
    left = [axes.get_ylabel() for axes in figure.axes]
    assert left == ["power [MW]", "SOC [1]", "price [GBP/MWh]", "local hour [h]", "local hour [h]"]
    right = [child.get_ylabel() for axes in figure.axes for child in axes.child_axes]
    assert right == ["energy [MWh]", "power [MW]", "price [GBP/MWh]"]
    below = [axes.get_xlabel() for axes in figure.axes if axes.get_xlabel()]
    assert below == ["local time [day], Europe/Berlin", "local date [day], 2025"]


def test_the_legend_names_what_is_there_and_stands_beside_the_data() -> None:
    figure = draw(schedule(days("2025-06-23", 1)))
    names = [
        "solar curtailed",
        "import",
        "battery discharge",
        "solar used",
        "load",
        "battery charge",
        "export",
    ]
    power = figure.axes[0]
    assert legend(power) == names
    figure.draw_without_rendering()
    box = power.get_legend().get_window_extent()
    assert box.x0 > power.get_window_extent().x1
    assert box.x1 < figure.bbox.x1


def test_series_without_power_stay_out_of_the_legend() -> None:
    quiet = schedule(days("2025-06-23", 1), load_mw=0.0, curtailed_mw=1e-9, charge_mw=0.0, discharge_mw=0.0)
    assert legend(draw(quiet).axes[0]) == ["solar used", "export"]
    assert legend(draw(schedule(days("2025-06-23", 1), solar_mw=0.0, unserved_mw=0.2)).axes[0])[1] == "unserved load"


def test_a_plan_in_which_nothing_happens_is_drawn() -> None:
    still = schedule(days("2025-06-01", 20))
    numbers = still.columns.drop("limited_by")
    still[numbers] = 0.0
    figure = draw(still)
    assert legend(figure.axes[0]) == []
    assert "busiest" not in texts(figure)[0]
    assert plots.figure_png(figure)


# ---- values where they belong


def test_power_holds_from_the_stamp_and_soc_stands_at_the_end() -> None:
    frame = schedule(days("2025-06-23", 1))
    figure = draw(frame, soc_start=0.4)
    load = figure.axes[0].lines[0]
    assert load.get_drawstyle() == "steps-post"
    x, soc = figure.axes[1].lines[0].get_data()
    assert soc[0] == 0.4
    assert soc[1] == frame["soc"].iloc[0]
    hours = (np.asarray(x) - figure.axes[0].get_xlim()[0]) * 24
    assert hours == pytest.approx(np.arange(25))


def test_soc_of_a_week_begins_with_the_step_before_it(year: pd.DataFrame) -> None:
    frame = year.copy()
    frame.loc[frame.index < pd.Timestamp("2025-06-23", tz=BERLIN), "soc"] = 0.77
    soc = draw(frame, week="2025-06-23").axes[1].lines[0].get_ydata()
    assert np.asarray(soc)[:2] == pytest.approx([0.77, 0.1])


def test_import_and_export_prices_are_two_lines_only_if_they_differ() -> None:
    index = days("2025-06-23", 1)
    assert legend(draw(schedule(index)).axes[2]) == []
    apart = draw(schedule(index, export_price_per_mwh=10.0))
    assert legend(apart.axes[2]) == ["import price", "export price"]
    single = draw(schedule(index, import_price_per_mwh=np.nan))
    assert texts(single)[2] == "Export price"


def test_negative_prices_get_a_zero_line() -> None:
    index = days("2025-06-23", 1)
    assert len(draw(schedule(index)).axes[2].lines) == 2
    above = schedule(index, import_price_per_mwh=50.0, export_price_per_mwh=50.0)
    assert len(draw(above).axes[2].lines) == 1


def test_without_prices_there_is_no_price_panel() -> None:
    absent = {"import_price_per_mwh": np.nan, "export_price_per_mwh": np.nan}
    assert len(draw(schedule(days("2025-06-23", 2), **absent)).axes) == 2
    figure = draw(schedule(days("2025-06-01", 30), **absent))
    assert [text.split(":")[0] for text in texts(figure)[2:]] == [
        "Battery, + discharge − charge",
        "State of charge",
    ]
    assert figure.axes[1].lines


def test_a_price_that_never_moves_leaves_its_map_to_the_soc() -> None:
    flat = schedule(days("2025-06-01", 30), import_price_per_mwh=80.0, export_price_per_mwh=80.0)
    figure = draw(flat)
    assert texts(figure)[2] == "Price"
    assert texts(figure)[4].startswith("State of charge")


# ---- which week


def test_the_busiest_week_runs_from_monday_to_sunday(year: pd.DataFrame) -> None:
    frame = year.copy()
    busy = (frame.index >= pd.Timestamp("2025-08-06", tz=BERLIN)) & (
        frame.index < pd.Timestamp("2025-08-09", tz=BERLIN)
    )
    frame.loc[busy, "discharge_mw"] += 1.0
    figure = draw(frame)
    assert texts(figure)[0] == "Power: Mon 4 Aug to Sun 10 Aug 2025, the battery's busiest week"
    assert span(figure.axes[0]) == (
        pd.Timestamp("2025-08-04", tz=BERLIN),
        pd.Timestamp("2025-08-11", tz=BERLIN),
    )


def test_equal_weeks_give_the_earliest(year: pd.DataFrame) -> None:
    assert "Mon 6 Jan to Sun 12 Jan 2025" in texts(draw(year))[0]


def test_without_a_whole_calendar_week_any_seven_days_will_do() -> None:
    frame = schedule(days("2025-06-03", 11))
    frame.loc["2025-06-12":, "charge_mw"] += 1.0
    assert "Sat 7 Jun to Fri 13 Jun 2025" in texts(draw(frame))[0]


@pytest.mark.parametrize(
    ("week", "first"),
    [
        ("2025-06-23", "2025-06-23"),
        ("2025-06-25", "2025-06-25"),
        ("2025-12-30", "2025-12-25"),
        ("2025-01-01",) * 2,
    ],
)
def test_a_week_starts_at_its_date_and_stays_inside(year: pd.DataFrame, week: str, first: str) -> None:
    figure = draw(year, week=week)
    begin = pd.Timestamp(first, tz=BERLIN)
    assert span(figure.axes[0]) == (begin, begin + pd.DateOffset(days=7))
    assert "busiest" not in texts(figure)[0]


@pytest.mark.parametrize(("week", "hours"), [("2025-03-24", 167), ("2025-10-20", 169)])
def test_a_week_with_a_clock_change_keeps_all_its_hours(year: pd.DataFrame, week: str, hours: int) -> None:
    left, right = span(draw(year, week=week).axes[0])
    assert right - left == pd.Timedelta(hours=hours)
    assert (left.hour, right.hour) == (0, 0)


@pytest.mark.parametrize("count", [2, 30])
@pytest.mark.parametrize(
    ("week", "message"),
    [
        ("2024-12-31", "outside the horizon, which runs from 2025-06-01 to 2025-06"),
        ("midsummer", "is not a date; write it like"),
    ],
)
def test_a_week_that_is_not_there_is_refused(count: int, week: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        draw(schedule(days("2025-06-01", count)), week=week)


@pytest.mark.parametrize("zone", ["America/Santiago", "Australia/Lord_Howe", "UTC", "+05:30"])
def test_days_begin_where_the_zone_says(zone: str) -> None:
    """Santiago skips midnight on 7 September 2025; Lord Howe moves its clock by half an hour."""
    start = pd.Timestamp("2025-08-25", tz=zone)
    frame = schedule(pd.date_range(start, periods=24 * 60, freq="30min"))
    figure = draw(frame, week="2025-09-07")
    assert "Sun 7 Sep to Sat 13 Sep 2025" in texts(figure)[0]
    assert plots.figure_png(figure)


def test_a_horizon_may_begin_and_end_within_a_day() -> None:
    frame = schedule(days("2025-06-02", 15)[9:-5])
    figure = draw(frame)
    assert "Mon 9 Jun to Sun 15 Jun" in texts(figure)[0]
    assert "Tue 3 Jun to Mon 9 Jun" in texts(draw(frame[:-48]))[0]
    first = draw(frame, week="2025-06-02")
    assert span(first.axes[0])[0] == pd.Timestamp("2025-06-02 09:00", tz=BERLIN)


# ---- short horizons


def test_a_short_horizon_is_shown_whole_without_maps() -> None:
    figure = draw(schedule(days("2025-06-03", 9)))
    assert len(figure.axes) == 3
    assert span(figure.axes[0]) == (
        pd.Timestamp("2025-06-03", tz=BERLIN),
        pd.Timestamp("2025-06-12", tz=BERLIN),
    )
    assert len(draw(schedule(days("2025-06-03", 10))).axes) == 5


def test_a_single_step_works() -> None:
    frame = schedule(days("2025-06-23", 1)).iloc[12:13]
    figure = draw(frame)
    left, right = span(figure.axes[0])
    assert right - left == pd.Timedelta(hours=1)
    assert figure.axes[1].lines[0].get_marker() == "o"
    left, right = span(draw(frame, step_h=0.25).axes[0])
    assert right - left == pd.Timedelta(minutes=15)
    assert plots.figure_png(figure)


def test_times_are_written_as_the_local_clock_shows_them() -> None:
    figure = draw(schedule(days("2025-06-23", 1, zone="America/New_York")))
    figure.draw_without_rendering()
    lowest = figure.axes[2]
    assert lowest.get_xlabel() == "local time [h] from Mon 23 Jun 2025, America/New_York"
    assert [tick.get_text() for tick in lowest.get_xticklabels()][:2] == ["00:00", "03:00"]


# ---- the map of all hours


def test_map_cells_are_local_days_and_clock_hours() -> None:
    index = days("2025-03-29", 3)
    table = plots.day_hour_table(pd.Series(np.arange(len(index), dtype=float), index=index))
    assert table.shape == (24, 3)
    spring = pd.Timestamp("2025-03-30")
    assert np.isnan(table.loc[2, spring])
    assert int(table.isna().sum().sum()) == 1
    assert table.loc[[1, 3], spring].tolist() == [25.0, 26.0]
    assert table.loc[0, pd.Timestamp("2025-03-31")] == 47.0


def test_an_hour_shown_twice_is_the_mean_of_both() -> None:
    index = days("2025-10-26", 1)
    table = plots.day_hour_table(pd.Series(np.arange(25.0), index=index))
    assert table.iloc[:5, 0].tolist() == [0.0, 1.0, 2.5, 4.0, 5.0]


def test_short_steps_are_averaged_and_long_steps_spread() -> None:
    fine = days("2025-06-23", 1, "15min")
    table = plots.day_hour_table(pd.Series(np.arange(96.0), index=fine))
    assert table.iloc[:2, 0].tolist() == [1.5, 5.5]
    coarse = days("2025-06-23", 1, "4h")
    table = plots.day_hour_table(pd.Series(np.arange(6.0), index=coarse))
    assert table.iloc[:, 0].tolist() == np.repeat(np.arange(6.0), 4).tolist()


def test_hours_before_the_first_step_are_blank() -> None:
    index = days("2025-06-23", 2)[5:]
    table = plots.day_hour_table(pd.Series(1.0, index=index))
    assert table.iloc[:, 0].isna().tolist() == [True] * 5 + [False] * 19


def test_zero_is_neutral_and_charge_and_discharge_reach_equally_far(year: pd.DataFrame) -> None:
    frame = year.copy()
    frame["battery_mw"] = frame["discharge_mw"] - 0.5 * frame["charge_mw"]
    image = draw(frame).axes[3].images[0]
    assert (image.norm.vmin, image.norm.vmax) == (-2.0, 2.0)
    assert image.cmap(0.5)[3] < 0.01  # clear: the paper is seen


def test_a_map_without_any_number_is_blank() -> None:
    axes = Figure().add_subplot()
    plots.draw_heat_map(axes, pd.Series(np.nan, index=days("2025-06-23", 2)), label="price [EUR/MWh]")
    assert np.ma.getmaskarray(axes.images[0].get_array()).all()


@pytest.mark.parametrize(("count", "label"), [(20, "Mon 2 Jun"), (365, "Jun"), (1200, "2025")])
def test_the_dates_under_a_map_fit_its_length(count: int, label: str) -> None:
    axes = Figure().add_subplot()
    plots.draw_heat_map(axes, pd.Series(1.0, index=days("2025-06-01", count, "6h")), label="SOC [1]")
    axes.figure.draw_without_rendering()
    assert axes.get_xticklabels(minor=True)[0].get_text() == label


# ---- input, themes, bytes


def test_a_clock_without_zone_and_an_empty_plan_are_refused() -> None:
    frame = schedule(days("2025-06-23", 1))
    with pytest.raises(ValueError, match="time-zone-aware"):
        draw(frame.tz_localize(None))
    with pytest.raises(ValueError, match="at least one step"):
        draw(frame.iloc[:0])


def test_the_input_is_left_as_it_was() -> None:
    frame = schedule(days("2025-06-01", 20))
    before = frame.copy(deep=True)
    draw(frame)
    pd.testing.assert_frame_equal(frame, before)


def test_dark_paper_has_light_ink_everywhere(year: pd.DataFrame) -> None:
    figure = draw(year, theme="dark", title="Dark")
    assert sum(figure.get_facecolor()[:3]) < 0.5
    figure.draw_without_rendering()
    panels = [*figure.axes, *(child for axes in figure.axes for child in axes.child_axes)]
    written = [*figure.texts]
    for axes in panels:
        written += [axes.yaxis.label, axes.xaxis.label, *axes.get_xticklabels(), *axes.get_yticklabels()]
    shown = [text for text in written if text.get_text()]
    assert len(shown) > 20
    assert all(sum(mpl.colors.to_rgb(text.get_color())) > 2.0 for text in shown)


def test_an_unknown_theme_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match='"sepia" is unknown; known are light, dark'):
        draw(schedule(days("2025-06-23", 1)), theme="sepia")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_same_input_gives_the_same_bytes(theme: str) -> None:
    frame = schedule(days("2025-06-01", 30))
    first = plots.figure_png(draw(frame, theme=theme, title="Twice"))
    with mpl.rc_context({"font.size": 31, "axes.grid": True, "axes.facecolor": "pink", "savefig.dpi": 11}):
        second = plots.figure_png(draw(frame, theme=theme, title="Twice"))
    assert first == second
    assert first.startswith(b"\x89PNG")
    assert b"matplotlib" not in first.lower()


def test_a_notebook_gets_the_same_picture() -> None:
    figure = draw(schedule(days("2025-06-23", 1)))
    assert isinstance(figure, plots.NotebookFigure)
    assert figure._repr_png_() == plots.figure_png(figure)


def test_a_given_figure_is_drawn_into() -> None:
    mine = Figure(figsize=(8, 9))
    assert draw(schedule(days("2025-06-23", 1)), figure=mine) is mine
    assert mine.get_size_inches().tolist() == [8.0, 9.0]
    assert len(mine.axes) == 3


def test_single_panels_stand_alone() -> None:
    frame = schedule(days("2025-06-23", 3))
    power, soc, price = Figure().subplots(3)
    plots.draw_power(power, frame)
    plots.draw_soc(soc, frame["soc"])
    plots.draw_price(price, frame, currency="AUD")
    assert [a.get_ylabel() for a in (power, soc, price)] == ["power [MW]", "SOC [1]", "price [AUD/MWh]"]
    assert soc.child_axes == []


PYPLOT_FREE = """
import sys
import pandas as pd
from bess_opt import plots
from bess_opt.common.columns import SCHEDULE
index = pd.date_range("2025-06-01", periods=300, freq="h", tz="Europe/Berlin")
frame = pd.DataFrame(1.0, index=index, columns=list(SCHEDULE))
plots.figure_png(plots.dispatch_figure(frame, energy_mwh=1.0))
sys.exit("pyplot was imported" if "matplotlib.pyplot" in sys.modules else 0)
"""


def test_pyplot_is_never_imported() -> None:
    run = subprocess.run([sys.executable, "-c", PYPLOT_FREE], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")


def test_global_settings_are_left_alone() -> None:
    before = mpl.rcParams.copy()
    plots.figure_png(draw(schedule(days("2025-06-01", 12)), theme="dark"))
    assert mpl.rcParams.copy() == before


def test_a_year_of_five_minutes_takes_less_than_two_seconds() -> None:
    frame = schedule(days("2025-01-01", 365, "5min"))
    assert len(frame) == 105_120
    begin = time.perf_counter()
    figure = draw(frame)
    assert time.perf_counter() - begin < 2.0
    assert figure.axes[3].images[0].get_array().shape == (24, 365)


def test_discharge_that_saves_import_is_shown_at_the_import_price() -> None:
    """A site that exports nothing: its discharge at an import price of 100 is not one at an export price of 5."""
    from bess_opt.plots.battery_use import action_figure

    time = pd.date_range("2025-01-01", periods=4, freq="h", tz="UTC")
    schedule = pd.DataFrame(
        {
            "charge_mw": [1.0, 0.0, 0.0, 0.0], "discharge_mw": [0.0, 0.0, 1.0, 0.0], "export_mw": 0.0,
            "import_price_per_mwh": [20.0, 50.0, 100.0, 60.0], "export_price_per_mwh": 5.0,
        },
        index=time,
    )  # fmt: skip
    panel = action_figure(schedule).axes[0]
    left, height = bars_of(panel)["battery discharge"]
    assert height.sum() == pytest.approx(1.0)
    assert (left[height > 0.0] > 60.0).all()
