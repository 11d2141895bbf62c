"""Times as text: a date word and a time word each, read once for every different word.

A year of five-minute rows has 105,120 stamps but only 365 dates and 288 times of day, so each kind of word is read
once and the stamps are put together from the numbers.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from bess_opt.inputs.readers.file.table import Mask, split_once
from bess_opt.inputs.readers.problems import problem

Nanoseconds = npt.NDArray[np.int64]
DAY_NS = 86_400_000_000_000
_CHUNK = 262_144  # cells that are taken apart at once
NO_DAY = np.iinfo(np.int64).min
READABLE = "write times as in 2025-03-30 01:00 or 2025-03-30T01:00+01:00"
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan januar january jän jänner", "feb februar february", "mar märz mär march mrz maerz", "apr april",
            "may mai", "jun juni june", "jul juli july", "aug august", "sep sept september",
            "oct okt oktober october", "nov november", "dec dez dezember december",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
_YEAR_FIRST = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})\.?")
_YEAR_LAST = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
_NAMED_LAST = re.compile(r"(\d{1,2})\.?[- ]*([^\W\d_]+)\.?,?[- ]*(\d{4}|\d{2})", re.UNICODE)
_NAMED_FIRST = re.compile(r"([^\W\d_]+)\.?[- ]*(\d{1,2}),?[- ]+(\d{4})", re.UNICODE)
_WEEKDAY = re.compile(r"^(?:mon|tue|wed|thu|fri|sat|sun|mo|di|mi|do|fr|sa|so)[a-z]*\.?,?\s+", re.IGNORECASE)
_TIME = re.compile(
    r"(?P<h>\d{1,2})(?P<letter>[AB])?(?::?(?P<m>\d{2})(?::?(?P<s>\d{2})(?:[.,](?P<f>\d{1,9}))?)?)?"
    r"\s*(?P<ampm>[ap]\.?m\.?)?\s*(?:uhr|h)?\s*"
    r"(?P<zone>z|[+-]\d{2}(?::?\d{2})?)?\s*(?P<mark>\(?[a-z]{1,5}\)?|\*)?",
    re.IGNORECASE,
)
_CELL = re.compile(r"(?P<date>.*?\d)[ T,:]*\s(?P<time>\d{1,2}[AB]?:\d{2}.*)|(?P<only>.*)", re.IGNORECASE)
SUMMER = ("CEST", "MESZ", "WEST", "EEST", "BST", "IST", "EDT", "CDT", "MDT", "PDT", "AEDT", "ACDT", "NZDT", "A", "S")
WINTER = ("CET", "MEZ", "WET", "EET", "GMT", "EST", "CST", "MST", "PST", "AEST", "ACST", "NZST", "B", "W")


@dataclass(frozen=True)
class Words:
    """Stamps taken apart: `days` holds, for each way to read the dates, days since 1970 by unique word.

    `time_ns` is the time of day by unique word; `offset_s` the offset from UTC (NaN: none written); `mark` a name
    of a zone or a letter that tells repeated hours apart. `late` says that "24:00" occurs.
    """

    texts: pa.Array
    day_of: npt.NDArray[np.int32]
    time_of: npt.NDArray[np.int32]
    days: dict[str, Nanoseconds]
    time_ns: Nanoseconds
    offset_s: npt.NDArray[np.float64]
    mark: tuple[str, ...]
    late: bool

    def wall(self, order: str) -> Nanoseconds:
        """Clock times [ns since 1970 on their own clock] with the dates read in `order`."""
        made: Nanoseconds = self.days[order][self.day_of] * DAY_NS + self.time_ns[self.time_of]
        return made

    @property
    def offsets(self) -> npt.NDArray[np.float64] | None:
        """Offset of each stamp from UTC [s]; None unless all stamps say theirs."""
        each = self.offset_s[self.time_of]
        return None if np.isnan(each).any() else each

    @property
    def summer(self) -> npt.NDArray[np.float64]:
        """1 where a stamp is marked as summer time or first of a repeated hour, 0 as winter time, NaN unmarked."""
        by_word = np.array([1.0 if m in SUMMER else 0.0 if m in WINTER else np.nan for m in self.mark])
        marked: npt.NDArray[np.float64] = by_word[self.time_of]
        return marked


def read_words(where: str, cells: pa.Array, times: pa.Array | None = None) -> Words:
    """Stamps of one column, or dates of one and times of day of another. ScenarioError for a cell that is none."""
    if times is not None:
        cells = pc.replace_substring_regex(cells, r"[ T]00:00(:00)?$", "")
    texts = cells if times is None else pc.binary_join_element_wise(cells, times, " ")
    days_coded, times_coded = [], []
    for at in range(0, max(len(cells), 1), _CHUNK):
        part = cells.slice(at, _CHUNK)
        dates, clocks = (part, times.slice(at, _CHUNK)) if times is not None else _parted(part)
        days_coded.append(dates.dictionary_encode())
        times_coded.append(clocks.dictionary_encode())
    day_words, day_of = _joined(days_coded)
    time_words, time_of = _joined(times_coded)
    days, wrong = _dates(day_words)
    if wrong.any():
        _refuse(where, texts, wrong[day_of])
    read = [_time(word) for word in time_words]
    _refuse(where, texts, np.array([one is None for one in read])[time_of])
    good = [one for one in read if one is not None]
    return Words(
        texts,
        day_of,
        time_of,
        days,
        np.array([one[0] for one in good], dtype=np.int64),
        np.array([one[1] for one in good], dtype=np.float64),
        tuple(one[2] for one in good),
        any(one[0] >= DAY_NS for one in good),
    )


def is_time(text: str) -> bool:
    """Whether a cell reads as a date, with or without a time of day."""
    try:
        read_words("", pa.array([text], pa.string()))
    except Exception as error:
        if type(error).__name__ == "ScenarioError":
            return False
        raise
    return True


def _joined(parts: list[pa.Array]) -> tuple[list[str], npt.NDArray[np.int32]]:
    """Different words, and which of them each cell is."""
    coded = pa.chunked_array(parts).unify_dictionaries().combine_chunks()
    if isinstance(coded, pa.ChunkedArray):
        coded = coded.chunk(0)
    return [str(word) for word in coded.dictionary.to_pylist()], np.asarray(coded.indices.to_numpy(), dtype=np.int32)


def _unique(cells: pa.Array) -> tuple[list[str], npt.NDArray[np.int64]]:
    coded = cells.dictionary_encode()
    return [str(word) for word in coded.dictionary.to_pylist()], np.asarray(coded.indices.to_numpy(), dtype=np.int64)


def _parted(cells: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Date and time of day of each cell."""
    for mark in (" ", "T"):
        if pc.all(pc.match_substring(cells, mark)).as_py():
            dates, times = split_once(cells, mark)
            sample = str(dates[0].as_py())
            if _YEAR_FIRST.fullmatch(sample) or _YEAR_LAST.fullmatch(sample) or _COMPACT.fullmatch(sample):
                return dates, pc.utf8_trim_whitespace(times)
    words, places = _unique(cells)
    parts = [_one_parted(text) for text in words]
    at = pa.array(places)
    dates, times = (pa.array([part[i] for part in parts], pa.string()).take(at) for i in (0, 1))
    return dates, times


def _one_parted(text: str) -> tuple[str, str]:
    bare = _WEEKDAY.sub("", text.strip())
    compact = re.fullmatch(r"(\d{8})[T:_]?(\d{2}:?(?:\d{2})?:?(?:\d{2})?Z?)", bare)
    if compact:
        return compact[1], compact[2]
    iso = re.fullmatch(r"(\d{4}-\d{1,2}-\d{1,2})T(.*)", bare)
    if iso:
        return iso[1], iso[2]
    found = _CELL.fullmatch(bare)
    if found is None or found["date"] is None:
        return bare, "00:00"
    return found["date"].rstrip(" ,"), found["time"]


def _dates(words: Sequence[str]) -> tuple[dict[str, Nanoseconds], Mask]:
    """Days since 1970 of each word in each order that all words allow; else the words that no order reads."""
    read = [_date(word) for word in words]
    wrong = np.array([not one for one in read], dtype=bool)
    if wrong.any():
        return {}, wrong
    orders = [order for order in read[0] if all(order in one for one in read)]
    if not orders:
        counts = {order: sum(order in one for one in read) for one in read for order in one}
        best = max(counts, key=lambda order: counts[order])
        return {}, np.array([best not in one for one in read])
    return {order: np.array([one[order] for one in read], dtype=np.int64) for order in orders}, wrong


def _date(word: str) -> dict[str, int]:
    """Days since 1970 of a date, by the orders in which it can be read."""
    found = _YEAR_FIRST.fullmatch(word) or _COMPACT.fullmatch(word)
    if found:
        return _valid({"year first": (int(found[1]), int(found[2]), int(found[3]))})
    last = _YEAR_LAST.fullmatch(word)
    if last:
        first, second, year = int(last[1]), int(last[3]), int(last[4])
        full = year if len(last[4]) == 4 else _century(year)
        if last[2] == ".":
            return _valid({"day first": (full, second, first)})
        orders = {"day first": (full, second, first), "month first": (full, first, second)}
        if len(last[4]) == 2 and len(last[1]) == 2:
            orders["year first"] = (_century(first), second, year)
        return _valid(orders)
    named = _NAMED_LAST.fullmatch(word)
    if named and named[2].lower() in _MONTHS:
        year = int(named[3])
        full = year if len(named[3]) == 4 else _century(year)
        return _valid({"month named": (full, _MONTHS[named[2].lower()], int(named[1]))})
    named = _NAMED_FIRST.fullmatch(word)
    if named and named[1].lower() in _MONTHS:
        return _valid({"month named": (int(named[3]), _MONTHS[named[1].lower()], int(named[2]))})
    return {}


def _century(year: int) -> int:
    return year + (2000 if year < 70 else 1900)


def _valid(orders: dict[str, tuple[int, int, int]]) -> dict[str, int]:
    epoch = dt.date(1970, 1, 1).toordinal()
    good = {}
    for order, (year, month, day) in orders.items():
        try:
            good[order] = dt.date(year, month, day).toordinal() - epoch
        except ValueError:
            continue
    return {order: day for order, day in good.items() if -25_000 < day < 85_000}


def _time(word: str) -> tuple[int, float, str] | None:
    """(nanoseconds of the day, offset from UTC [s] or NaN, mark in capitals) of a time of day."""
    found = _TIME.fullmatch(word.strip())
    if found is None:
        return None
    hour, minute, second = (int(found[key] or 0) for key in "hms")
    if found["ampm"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if found["ampm"].lower().startswith("p") else 0)
    if minute > 59 or second > 59 or hour > 24 or (hour == 24 and (minute or second)):
        return None
    fraction = int((found["f"] or "0").ljust(9, "0"))
    nanoseconds = ((hour * 60 + minute) * 60 + second) * 1_000_000_000 + fraction
    mark = (found["mark"] or found["letter"] or "").strip("()").upper()
    if found["zone"] is None and mark == "UTC":
        return nanoseconds, 0.0, ""
    return nanoseconds, _offset(found["zone"]), mark


def _offset(zone: str | None) -> float:
    if zone is None:
        return float("nan")
    if zone.upper() == "Z":
        return 0.0
    digits = zone[1:].replace(":", "").ljust(4, "0")
    seconds = float(int(digits[:2]) * 3600 + int(digits[2:]) * 60)
    return -seconds if zone[0] == "-" else seconds


def _refuse(where: str, texts: pa.Array, wrong: Mask) -> None:
    if wrong.any():
        row = int(np.argmax(wrong))
        more = int(wrong.sum()) - 1
        found = f"found {texts[row].as_py()!r}, no time" + (f", and {more:,} more" if more else "")
        raise problem("unreadable_time", where, found, READABLE)
