"""Small makers that the input tests share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bess_opt.common.errors import ScenarioError
from bess_opt.inputs.scenario import load

BATTERY = "[battery]\npower_mw = 2\nduration_h = 4\n"
BERLIN = '[site]\ntime_zone = "Europe/Berlin"\n'


@pytest.fixture
def problems() -> Callable[..., list[str]]:
    """The sentences of the ScenarioError that a call raises."""

    def call(function: Callable[..., object], *args: object, **values: Any) -> list[str]:
        with pytest.raises(ScenarioError) as caught:
            function(*args, **values)
        assert str(caught.value).splitlines() == [problem.sentence() for problem in caught.value.problems]
        return [problem.sentence() for problem in caught.value.problems]

    return call


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    """A scenario folder with a series as text, and more TOML after [battery]."""

    def make(series: str | bytes | None, toml: str = "", battery: str = BATTERY) -> Path:
        (tmp_path / "scenario.toml").write_text(battery + toml)
        if isinstance(series, str):
            (tmp_path / "series.csv").write_text(series)
        elif series is not None:
            (tmp_path / "series.csv").write_bytes(series)
        return tmp_path

    return make


@pytest.fixture
def csv_problems(folder: Callable[..., Path], problems: Callable[..., list[str]]) -> Callable[..., list[str]]:
    """The sentences that loading a series raises."""
    return lambda series, toml="": problems(load, folder(series, toml))


@pytest.fixture
def hours() -> Callable[..., pd.DataFrame]:
    """A frame in Berlin time with load 0, 1, 2, ... MW."""

    def make(count: int = 4, freq: str = "h", start: str = "2025-01-01") -> pd.DataFrame:
        index = pd.date_range(start, periods=count, freq=freq, tz="Europe/Berlin")
        return pd.DataFrame({"load_mw": np.arange(count, dtype=float)}, index=index)

    return make
