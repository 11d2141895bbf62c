"""Days on which a clock changes, in every way in which files write them: each is read to the same frame."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bess_opt as bo

# Zone, a day on which its clock goes forward, one on which it goes back.
CHANGES = {
    "Europe/Berlin": ("2025-03-30", "2025-10-26"),
    "America/New_York": ("2025-03-09", "2025-11-02"),
    "Europe/London": ("2025-03-30", "2025-10-26"),
    "Australia/Sydney": ("2025-10-05", "2025-04-06"),
    "Australia/Lord_Howe": ("2025-10-05", "2025-04-06"),
    "America/Santiago": ("2025-09-07", "2025-04-05"),
}
CASES = [(zone, day) for zone, days in CHANGES.items() for day in days]


def truth(zone: str, day: str, minutes: int) -> pd.DataFrame:
    """Three local days around `day`, whose values are all different."""
    first, last = pd.Timestamp(day, tz=None) - pd.Timedelta(days=1), pd.Timestamp(day) + pd.Timedelta(days=2)
    index = pd.date_range(
        first.tz_localize(zone), last.tz_localize(zone), freq=f"{minutes}min", inclusive="left"
    ).as_unit("ns")
    values = np.round(0.5 + np.arange(len(index)) * 0.25, 2)
    return pd.DataFrame({"load_mw": values}, index=index.rename("time"))


def lines(header: str, *columns: list[str]) -> str:
    return "\n".join([header, *(",".join(cells) for cells in zip(*columns, strict=True))]) + "\n"


def values(frame: pd.DataFrame) -> list[str]:
    return [f"{value:.2f}" for value in frame["load_mw"]]


def stamps(index: pd.DatetimeIndex) -> list[str]:
    return [f"{stamp:%Y-%m-%d %H:%M}" for stamp in index]


def bare_starts(frame: pd.DataFrame, step: pd.Timedelta) -> str:
    return lines("start,load (MW)", stamps(frame.index), values(frame))


def newest_first(frame: pd.DataFrame, step: pd.Timedelta) -> str:
    return lines("start,load (MW)", stamps(frame.index[::-1]), values(frame)[::-1])


def clock_ends(frame: pd.DataFrame, step: pd.Timedelta) -> str:
    """Ends as the clock shows them."""
    return lines("end,load (MW)", stamps(frame.index + step), values(frame))


def wall_ends(frame: pd.DataFrame, step: pd.Timedelta) -> str:
    """Ends as the start's clock time and the step: 02:00 before the clock goes forward, 03:00 twice."""
    return lines("end,load (MW)", stamps(frame.index.tz_localize(None) + step), values(frame))


def with_offsets(frame: pd.DataFrame, step: pd.Timedelta) -> str:
    return lines("start,load (MW)", [stamp.isoformat() for stamp in frame.index], values(frame))


def offset_ends(frame: pd.DataFrame, step: pd.Timedelta) -> str:
    return lines("end,load (MW)", [stamp.isoformat() for stamp in frame.index + step], values(frame))


def utc_beside(frame: pd.DataFrame, step: pd.Timedelta) -> str:
    utc = stamps(frame.index.tz_convert("UTC"))
    return lines("start_utc,start_local,load (MW)", utc, stamps(frame.index), values(frame))


def both_ends(frame: pd.DataFrame, step: pd.Timedelta) -> str:
    return lines("from,to,load (MW)", stamps(frame.index), stamps(frame.index + step), values(frame))


def marked(frame: pd.DataFrame, step: pd.Timedelta) -> str:
    winter = min(
        stamp.utcoffset() for stamp in pd.date_range("2025-01-01", "2025-07-01", periods=2, tz=frame.index.tz)
    )
    marks = ["A" if stamp.utcoffset() > winter else "B" for stamp in frame.index]
    return lines(
        "start,load (MW)", [f"{s} {m}" for s, m in zip(stamps(frame.index), marks, strict=True)], values(frame)
    )


def counted(frame: pd.DataFrame, step: pd.Timedelta) -> str:
    """A date and the number of the step, counted from the day's first instant."""
    dates = [f"{stamp:%Y-%m-%d}" for stamp in frame.index]
    numbers = pd.Series(1, index=range(len(dates))).groupby(dates).cumsum()
    return lines("date,period,load (MW)", dates, [str(number) for number in numbers], values(frame))


def skipped_empty(frame: pd.DataFrame, step: pd.Timedelta) -> str:
    """All clock times of the days, those that the clock skips without a value."""
    wall = frame.index.tz_localize(None)
    every = pd.date_range(wall[0], wall[-1], freq=step)
    gone = [time for time in every if time not in set(wall)]
    at = [*range(len(wall)), *(float(np.searchsorted(wall, time)) - 0.5 for time in gone)]
    rows = sorted(zip(at, [*wall, *gone], [*values(frame), *("" for _ in gone)], strict=True))
    return lines(
        "start,load (MW)", [f"{time:%Y-%m-%d %H:%M}" for _, time, _ in rows], [value for _, _, value in rows]
    )


WAYS: list[Callable[[pd.DataFrame, pd.Timedelta], str]] = [
    bare_starts, newest_first, clock_ends, wall_ends, with_offsets, offset_ends, utc_beside, both_ends, marked, counted,
    skipped_empty,
]  # fmt: skip


@pytest.mark.parametrize(("zone", "day"), CASES)
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_each_way_of_writing_gives_the_same_frame(
    tmp_path: Path, zone: str, day: str, way: Callable[..., str]
) -> None:
    for minutes in (60, 30, 15):
        if way in (counted, wall_ends, skipped_empty) and zone == "Australia/Lord_Howe" and minutes == 60:
            continue  # hours do not fill a day that is half an hour longer
        frame = truth(zone, day, minutes)
        file = tmp_path / f"{minutes}.csv"
        file.write_text(way(frame, pd.Timedelta(minutes=minutes)))
        read = bo.read_load(file, clock=zone)
        pd.testing.assert_frame_equal(pd.DataFrame(read), frame, check_freq=False)
