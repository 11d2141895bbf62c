"""Inputs that nobody should give and somebody will: a plan, or one clear sentence with its exit code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support.command_line import Ended

import bess_opt as bo

SCENARIO = """\
[battery]
power_mw = 1.0
duration_h = 2.0
[site]
time_zone = "Europe/Berlin"
[strategy]
name = "arbitrage"
"""
Run = Callable[..., Ended]


def day(hours: int = 48, start: str = "2025-06-02") -> pd.DataFrame:
    index = pd.date_range(start, periods=hours, freq="h", tz="Europe/Berlin")
    return pd.DataFrame({"price_per_mwh": 50.0 + 30.0 * np.sin(np.arange(hours) / 4.0)}, index=index)


def written(frame: pd.DataFrame, **how: str) -> bytes:
    return frame.to_csv(index_label="time", **how).encode()  # type: ignore[call-overload, no-any-return]


def with_last_nan() -> bytes:
    frame = day()
    frame.iloc[-1, 0] = np.nan
    return written(frame)


STAMPS = "time,price_per_mwh\n{}\n{}\n"
SERIES: dict[str, tuple[bytes, int, str]] = {
    "no bytes": (b"", 1, "series.csv: has no rows"),
    "a header alone": (b"time,price_per_mwh\n", 1, "series.csv: has no rows"),
    "one step": (written(day(1)), 1, "series.csv: has one step, which does not say how long it is"),
    "two steps": (written(day(2)), 0, ""),
    "NaN in the last row": (with_last_nan(), 1, "series.csv row 49, column price_per_mwh: is empty (NaN)"),
    "a leap year": (written(day(8784, "2024-01-01")), 0, ""),
    "an hour twice": (written(day(72, "2025-10-25")), 0, ""),
    "an hour left out": (written(day(72, "2025-03-29")), 0, ""),
    "prices of 1e9": (written(1e9 * day()), 0, ""),
    "prices of 1e30": (written(1e30 * day()), 1, "give a number of at most 1e+12"),
    "negative load": (written(day().assign(load_mw=-1.0)), 0, ""),
    "negative solar power": (written(day().assign(solar_mw=-1.0)), 1, "column solar_mw: found -1.0"),
    "a byte-order mark": (b"\xef\xbb\xbf" + written(day()), 0, ""),
    "semicolons and decimal commas": (written(day(), sep=";", decimal=","), 1, "are separated by semicolons"),
    "decimal commas": (written(day(), decimal=","), 1, "give a number, with a point for decimals"),
    "Windows' line ends": (written(day()).replace(b"\n", b"\r\n"), 0, ""),
    "no text at all": (bytes(range(256)), 1, "series.csv: cannot be read"),
    "a comma too many": (written(day()).replace(b"\n", b",\n"), 1, "series.csv column 3: has no name; name it"),
    "rows that are longer": (b"time,price_per_mwh\n1,2,3\n4,5\n", 1, "rows have more cells than the header"),
    "a stamp four times": (STAMPS.format(*["2025-06-02 00:00Z,1"] * 2).encode(), 1, "stands already in row 2"),
    "the year 9999": (STAMPS.format("9999-12-31 22:00Z,1", "9999-12-31 23:00Z,2").encode(), 1, "a year far off"),
    "seven minutes": (STAMPS.format("2025-06-02 00:00Z,1", "2025-06-02 00:07Z,2").encode(), 1, "steps are 7 min"),
    "seconds": (STAMPS.format("2025-06-02 00:00:00Z,1", "2025-06-02 00:00:01Z,2").encode(), 0, ""),
    "serial dates": (STAMPS.format("45000.0,1", "45000.04,2").encode(), 1, "found '45000.0', no time"),
    "backwards": (written(day().iloc[::-1]), 1, "sort the rows by time"),
}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "scenario.toml").write_text(SCENARIO)
    (tmp_path / "series.csv").write_bytes(written(day()))
    return tmp_path


def ends(done: Ended, code: int, sentence: str) -> None:
    assert done.code == code, done.err
    assert sentence in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("name", SERIES)
def test_a_series_is_planned_or_refused_in_a_sentence(run: Run, site: Path, name: str) -> None:
    content, code, sentence = SERIES[name]
    (site / "series.csv").write_bytes(content)
    for command in ("validate", "optimize", "simulate"):
        ends(run(command, site), code, sentence)
    size = run("size", site, "--power", "0.5:2", "--duration", "2", "--objective", "net_revenue")
    ends(size, code, sentence)


def as_folder(site: Path) -> None:
    (site / "series.csv").unlink()
    (site / "series.csv").mkdir()


def linked_outside(site: Path) -> None:
    (site / "series.csv").unlink()
    (site / "series.csv").symlink_to("/etc/hostname")


def linked_to_itself(site: Path) -> None:
    (site / "series.csv").unlink()
    (site / "series.csv").symlink_to("series.csv")


FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "the series is a folder": (as_folder, "series.file: 'series.csv' is a folder; give the name of a file"),
    "a link to elsewhere": (linked_outside, "file 'series.csv' leaves the scenario folder"),
    "a link to itself": (linked_to_itself, "file 'series.csv' cannot be opened"),
    "a scenario in Latin-1": (
        lambda site: (site / "scenario.toml").write_bytes(b"# caf\xe9\n" + SCENARIO.encode()),
        "scenario.toml: byte 5 is not UTF-8; save the file as UTF-8",
    ),
    "a scenario in UTF-16": (
        lambda site: (site / "scenario.toml").write_text(SCENARIO, "utf-16"),
        "scenario.toml: byte 0 is not UTF-8",
    ),
    "no scenario": (lambda site: (site / "scenario.toml").unlink(), "cannot be opened: No such file or directory"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_none_is_named(run: Run, site: Path, name: str) -> None:
    spoil, sentence = FILES[name]
    spoil(site)
    for command in ("validate", "optimize", "simulate"):
        ends(run(command, site), 1, sentence)


def test_a_path_with_dots_and_links_leads_to_its_scenario(run: Run, site: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(site, target_is_directory=True)
    ends(run("optimize", link / ".." / site.name / "." / "link"), 0, "")


VALUES: dict[str, tuple[str, int, str]] = {
    "a time limit of a moment": ("solver.time_limit_s=1e-9", 4, "raise solver.time_limit_s"),
    "no time at all": ("solver.time_limit_s=0", 1, "solver.time_limit_s: found 0; give a number > 0 s"),
    "more threads than a machine has": ("solver.threads=100000", 1, "solver.threads: found 100000"),
    "a seed that HiGHS would drop": ("solver.seed=3000000000", 1, "solver.seed: found 3000000000"),
    "no power": ("battery.power_mw=0", 1, "battery.power_mw: found 0; give a number > 0 MW"),
    "power beyond all numbers": ("battery.power_mw=1e400", 1, "battery.power_mw: found inf"),
    "a zone with an error": ("site.time_zone=Europe/Berlim", 1, "did you mean 'Europe/Berlin'?"),
    "an empty store after an hour": ("battery.self_discharge_per_h=0.9999999", 3, "infeasible: "),
    "10 MW behind 1 kW": ("site.import_limit_mw=0.001", 0, "the battery never runs at full power that way"),
}


@pytest.mark.parametrize("name", VALUES)
def test_a_value_is_planned_or_refused_in_a_sentence(run: Run, site: Path, name: str) -> None:
    value, code, sentence = VALUES[name]
    done = run("optimize", site, "--set", value)
    ends(done, code, sentence)
    assert "state site.time_zone" not in done.err


@pytest.mark.parametrize("power_mw", [1e-9, 0.005, 1e4, 1e9])
def test_a_home_and_a_grid_get_the_same_plan(power_mw: float) -> None:
    """Everything in proportion: revenue and energy per MW are those of 1 MW, to rounding."""

    def figures(size: float) -> tuple[float, float, float]:
        n = np.arange(72)
        series = day(72).assign(
            load_mw=0.16 * size * (1.0 + 0.5 * np.cos(n / 5.0)),
            solar_mw=0.5 * size * np.maximum(0.0, np.sin((n - 6) * np.pi / 12.0)),
        )
        scenario = bo.Scenario(
            battery={"power_mw": size, "duration_h": 2.0},
            site={"time_zone": "Europe/Berlin", "export_limit_mw": 0.9 * size},
            series=series,
            strategy="arbitrage",
        )
        best, rule = bo.optimize(scenario).metrics, bo.simulate(scenario).metrics
        return best.net_revenue / size, best.discharged_mwh / size, rule.net_revenue / size

    assert figures(power_mw) == pytest.approx(figures(1.0), rel=1e-9)
