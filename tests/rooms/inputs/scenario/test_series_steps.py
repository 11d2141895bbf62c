"""Filling and resampling: only as stated, always noted (rule 4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bess_opt.inputs.scenario import Scenario

Problems = Callable[..., list[str]]
Frames = Callable[..., pd.DataFrame]
SIZE = {"power_mw": 2, "duration_h": 4}


def build(frame: pd.DataFrame, **options: Any) -> Scenario:
    return Scenario(battery=SIZE, series=frame, series_options=options)


@pytest.mark.parametrize(
    ("method", "values", "words"),
    [
        ("previous", [1, 1, 1, 4], "the previous value"),
        ("next", [1, 4, 4, 4], "the next value"),
        ("zero", [1, 0, 0, 4], "zero"),
        ("linear", [1, 2, 3, 4], "a straight line between neighbours"),
    ],
)
def test_fill_of_cells_is_stated_and_noted(hours: Frames, method: str, values: list[float], words: str) -> None:
    frame = hours(4).assign(load_mw=[1, np.nan, np.nan, 4])
    scenario = build(frame, fill={"load_mw": method})
    assert scenario.series["load_mw"].tolist() == values
    assert [note.to_dict() for note in scenario.notes] == [
        {
            "code": "filled",
            "where": "series column load_mw",
            "found": f"2 empty cells filled with {words}: 2025-01-01 01:00+01:00, 2025-01-01 02:00+01:00",
            "expected": "stated in series.fill",
            "severity": "warning",
        }
    ]


def test_missing_rows_are_filled_if_every_column_says_how(hours: Frames, problems: Problems) -> None:
    """Proves that rows are inserted where they lack: 4 rows with a hole of 2 become 6."""
    frame = hours(6).assign(solar_mw=7.0).drop(index=hours(6).index[2:4])
    scenario = build(frame, fill={"load_mw": "linear", "solar_mw": "zero"})
    assert scenario.series["load_mw"].tolist() == [0, 1, 2, 3, 4, 5]
    assert scenario.series["solar_mw"].tolist() == [7, 7, 0, 0, 7, 7]
    assert [note.found.split(":")[0] for note in scenario.notes] == [
        "2 missing rows inserted",
        "2 empty cells filled with zero",
        "2 empty cells filled with a straight line between neighbours",
    ]
    assert problems(build, frame, fill={"load_mw": "linear"}) == [
        "series row 3: 2 steps of 60 min missing between 2025-01-01 01:00+01:00 and 2025-01-01 04:00+01:00; "
        "add the rows, or state series.fill for solar_mw"
    ]


def test_a_mistyped_year_is_not_filled(hours: Frames, problems: Problems) -> None:
    frame = hours(3)
    frame.index = frame.index[:2].append(frame.index[2:] + pd.DateOffset(years=10))
    assert problems(build, frame, fill={"load_mw": "zero"})[0].endswith(
        "add the rows; 87648 of them are too many to fill"
    )


@pytest.mark.parametrize(
    ("method", "values", "row"),
    [
        ("previous", [np.nan, 1, 2], 1),
        ("next", [0, 1, np.nan], 3),
        ("linear", [0, 1, np.nan], 3),
        ("linear", [np.nan, 1, 2], 1),
    ],
)
def test_a_fill_with_nothing_to_take(
    hours: Frames, problems: Problems, method: str, values: list[float], row: int
) -> None:
    frame = hours(3).assign(load_mw=values)
    found = problems(build, frame, fill={"load_mw": method})
    assert found[0].startswith(f"series row {row}, column load_mw: is empty (NaN) at 2025-01-01")
    assert found[0].endswith(f'fill "{method}" has no value to take here; give a number')


def test_fill_mends_neither_text_nor_infinity(hours: Frames, problems: Problems) -> None:
    frame = hours(3).assign(load_mw=[1, np.inf, 2])
    assert problems(build, frame, fill={"load_mw": "zero"})[0].endswith("give a finite number")


def test_step_is_asserted(hours: Frames, problems: Problems) -> None:
    assert build(hours(), step_min=60).notes == ()
    frame = hours(4).assign(price_per_mwh=1.0)
    assert problems(build, frame, step_min=15) == [
        "series.resample: steps are 60 min in series, but step_min is 15 min; "
        'state series.resample for load_mw, price_per_mwh: "hold"'
    ]
    assert problems(build, frame, step_min=120, resample={"load_mw": "mean"}) == [
        "series.resample: steps are 60 min in series, but step_min is 120 min; "
        'state series.resample for price_per_mwh: "mean" or "sum"'
    ]


def test_to_longer_steps(hours: Frames) -> None:
    """Mean of 0..3 is 1.5 and of 4..7 is 5.5; a sum would be four times as much."""
    frame = hours(8, "15min").assign(energy_min_mwh=1.0, price_per_mwh=[5.0] * 4 + [-7.0] * 4)
    methods = {"load_mw": "mean", "energy_min_mwh": "sum", "price_per_mwh": "hold"}
    scenario = build(frame, step_min=60, resample=methods)
    assert scenario.step_h == 1.0
    assert scenario.series["load_mw"].tolist() == [1.5, 5.5]
    assert scenario.series["energy_min_mwh"].tolist() == [4.0, 4.0]
    assert scenario.series["price_per_mwh"].tolist() == [5.0, -7.0]
    assert scenario.series.index.equals(hours(2).index)
    assert scenario.notes[0].sentence() == (
        "series column load_mw: steps of 15 min made 60 min by 'mean'; stated in series.resample"
    )
    assert [note.code for note in scenario.notes] == ["resampled"] * 3


def test_to_shorter_steps(hours: Frames) -> None:
    scenario = build(hours(2), step_min=15, resample={"load_mw": "hold"})
    assert scenario.series["load_mw"].tolist() == [0.0] * 4 + [1.0] * 4
    assert scenario.series.index.equals(hours(8, "15min").index)


@pytest.mark.parametrize(("start", "steps"), [("2025-03-30", 23), ("2025-10-26", 25)])
def test_over_a_clock_change(hours: Frames, start: str, steps: int) -> None:
    scenario = build(hours(steps * 4, "15min", start), step_min=60, resample={"load_mw": "mean"})
    assert len(scenario.series) == steps
    assert scenario.series["load_mw"].tolist() == [4 * hour + 1.5 for hour in range(steps)]


@pytest.mark.parametrize(
    ("frame", "options", "sentence"),
    [
        (("h", 4), {"step_min": 45}, "series.step_min: found 45, but series has steps of 60 min; give a whole multiple or a whole part of that step"),
        (("30min", 6), {"step_min": 90, "resample": {"load_mw": "mean"}}, "series.step_min: steps are 90 min; give steps that divide an hour, or of 1 to 24 whole hours"),
        (("h", 4), {"step_min": 30, "resample": {"load_mw": "mean"}}, "series.resample.load_mw: 'mean' cannot make shorter steps of 60 min; state \"hold\", which repeats the value"),
        (("30min", 4), {"step_min": 60, "resample": {"load_mw": "sum"}}, "series.resample.load_mw: 'sum' would change the meaning of a column in MW; state \"mean\"; \"sum\" is for energies"),
        (("30min", 4), {"step_min": 60, "resample": {"load_mw": "hold"}}, "series.resample.load_mw: series: values differ within the block at 2025-01-01 00:00+01:00, so none of them can be held; state \"mean\""),
        (("30min", 5), {"step_min": 60, "resample": {"load_mw": "mean"}}, "series row 5: the last block of 60 min has 1 of 2 steps; end the series with a whole block"),
        (("h", 4), {"step_min": 1500}, "series.step_min: found 1500; give a number >= 0.001 and <= 1440 min (step of the scenario: asserted, or reached by resample)"),
        (("h", 4), {"fill": {"load_mw": "last"}}, "series.fill.load_mw: found 'last'; one of 'linear', 'next', 'previous', 'zero'"),
        (("h", 4), {"fil": {}}, "series.fil: unknown key 'fil'; did you mean 'fill'?"),
        (("h", 4), {"fill": {"solar_mw": "zero"}}, "series.fill.solar_mw: series has no such column; one of 'load_mw'"),
        (("h", 4), {"resample": {"load": "mean"}}, "series.resample.load: unknown column 'load'; did you mean 'load_mw'?"),
        (("h", 4), {"file": "series.csv"}, "series.file: found 'series.csv' beside a DataFrame; give one of the two"),
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_wrong_steps(
    hours: Frames, problems: Problems, frame: tuple[str, int], options: dict[str, Any], sentence: str
) -> None:
    assert problems(build, hours(frame[1], frame[0]), **options) == [sentence]


def test_blocks_begin_on_the_local_clock(hours: Frames, problems: Problems) -> None:
    """India is half an hour off UTC: blocks follow its clock, not UTC's."""
    late = hours(4, "30min", "2025-01-01 00:30")
    assert problems(build, late, step_min=60, resample={"load_mw": "mean"}) == [
        "series row 1: a block of 60 min begins at 2025-01-01 00:30+01:00, off the local clock; "
        "begin the series on a block; over a clock change blocks are at most 60 min"
    ]
    india = late.tz_convert("Asia/Kolkata")
    assert build(india, step_min=60, resample={"load_mw": "mean"}).series.index[0].strftime("%H:%M") == "05:00"
    change = hours(48, "h", "2025-03-29")
    found = problems(build, change, step_min=120, resample={"load_mw": "mean"})
    assert found[0].startswith(
        "series row 27: a block of 120 min begins at 2025-03-30 03:00+02:00, off the local clock"
    )


def test_filled_rows_stand_in_their_blocks(hours: Frames) -> None:
    """Without the two missing rows counted, the second block would begin half an hour late."""
    frame = hours(8, "30min")
    frame = frame.drop(index=frame.index[2:4])
    scenario = build(frame, step_min=60, fill={"load_mw": "linear"}, resample={"load_mw": "mean"})
    assert scenario.series["load_mw"].tolist() == [0.5, 2.5, 4.5, 6.5]


def test_a_single_step_needs_its_length(hours: Frames, problems: Problems) -> None:
    assert build(hours(1), step_min=15).step_h == 0.25
    assert problems(build, hours(1)) == [
        "series: has one step, which does not say how long it is; state series.step_min"
    ]
    assert problems(build, hours(1), step_min=7)[0].startswith(
        "series: steps are 7 min; give steps that divide an hour"
    )
