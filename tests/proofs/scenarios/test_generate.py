"""The shipped series are what the script writes, and look like the sun and the markets they stand for."""

from __future__ import annotations

import importlib.util
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from support.places import ROOT

SCENARIOS = ROOT / "scenarios"
ZONES = {
    "solar_merchant": "America/New_York",
    "solar_evening": "America/New_York",
    "arbitrage_15min": "Europe/Berlin",
    "flexible_connection": "America/New_York",
    "office_with_tariff": "Europe/Berlin",
    "two_batteries_one_connection": "Europe/Berlin",
    "depot_with_cars": "Europe/Berlin",
    "energy_and_reserve": "Europe/Berlin",
    "warranty_year": "Europe/Berlin",
}
STEP_MIN = dict.fromkeys(ZONES, 60) | {"arbitrage_15min": 15, "office_with_tariff": 15}


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("scenarios_generate", SCENARIOS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    sys.path.insert(0, str(SCENARIOS))  # as where it runs as a script
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(SCENARIOS))
    return module


def series(name: str) -> pd.DataFrame:
    frame = pd.read_csv(SCENARIOS / name / "series.csv")
    stamps = pd.to_datetime(frame.pop("time"), utc=True)
    return frame.set_index(pd.DatetimeIndex(stamps).tz_convert(ZONES[name]))


def table(name: str, file: str) -> dict:
    return tomllib.loads((SCENARIOS / name / file).read_text("utf-8"))


# ----------------------------------------------------------------------------------------- made by the script


def test_every_file_is_rebuilt_byte_for_byte(script: ModuleType, tmp_path: Path) -> None:
    """A changed model, seed or format shows here; so does a series file edited by hand."""
    pytest.importorskip("pvlib")
    assert script.main(["--root", str(tmp_path)]) == 0
    assert set(script.FILES) == {f"{name}/series.csv" for name in ZONES}
    for name in script.FILES:
        assert (tmp_path / name).read_bytes() == (SCENARIOS / name).read_bytes(), name


def test_check_names_the_file_that_differs(
    script: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One changed byte and one missing file are found, and nothing else is blamed."""
    pytest.importorskip("pvlib")
    script.main(["--root", str(tmp_path)])
    assert script.main(["--root", str(tmp_path), "--check"]) == 0
    changed = tmp_path / "solar_evening" / "series.csv"
    changed.write_bytes(changed.read_bytes().replace(b"\n", b"\r\n"))
    (tmp_path / "arbitrage_15min" / "series.csv").unlink()
    assert script.main(["--root", str(tmp_path), "--check"]) == 1
    message = capsys.readouterr().err
    assert "solar_evening/series.csv" in message
    assert "arbitrage_15min/series.csv" in message
    assert "solar_merchant" not in message


def test_numbers_have_no_negative_zero(script: ModuleType) -> None:
    assert script.number(-0.004, 2) == "0.00"
    assert script.number(-0.006, 2) == "-0.01"


# ------------------------------------------------------------------------------------------------ time stamps


@pytest.mark.parametrize("name", ZONES)
def test_stamps_are_equal_steps_with_the_offset_of_the_zone(name: str) -> None:
    """Rule 2: local stamps, equal in UTC; each written offset is the zone's own at that time."""
    frame = series(name)
    assert (frame.index[1:] - frame.index[:-1] == pd.Timedelta(minutes=STEP_MIN[name])).all()
    written = pd.read_csv(SCENARIOS / name / "series.csv")["time"].tolist()
    assert written == [stamp.isoformat(timespec="minutes") for stamp in frame.index]
    settings = table(name, "scenario.toml")
    assert settings["site"]["time_zone"] == ZONES[name]
    assert settings["series"]["step_min"] == STEP_MIN[name]


@pytest.mark.parametrize(
    ("name", "short_day", "long_day"),
    [("solar_merchant", "2025-03-09", "2025-11-02"), ("arbitrage_15min", "2025-03-30", "2025-10-26")],
)
def test_years_are_whole_and_clock_changes_are_where_they_belong(name: str, short_day: str, long_day: str) -> None:
    frame = series(name)
    per_hour = 60 // STEP_MIN[name]
    assert len(frame) == 8760 * per_hour
    assert frame.index[0] == pd.Timestamp("2025-01-01", tz=ZONES[name])
    days = pd.Series(1, index=frame.index).groupby(frame.index.strftime("%Y-%m-%d")).sum()
    assert days[short_day] == 23 * per_hour
    assert days[long_day] == 25 * per_hour
    assert (days.drop([short_day, long_day]) == 24 * per_hour).all()


def test_evening_is_a_window_of_the_merchant_year() -> None:
    """Eight whole weeks with the clock change inside, one hour short, of the same plant and prices."""
    frame = series("solar_evening")
    assert len(frame) == 8 * 7 * 24 - 1
    assert frame.index[0].day_name() == "Monday"
    pd.testing.assert_frame_equal(frame, series("solar_merchant").loc[frame.index, frame.columns])


@pytest.mark.parametrize("name", ZONES)
def test_expected_figures_of_the_series(name: str) -> None:
    frame, expected = series(name), table(name, "expected.toml")
    assert expected["series"]["steps"] == len(frame)
    if "negative_price_steps" in expected["series"]:
        assert expected["series"]["negative_price_steps"] == int((frame["price_per_mwh"] < 0).sum())
    solar = next((frame[column] for column in ("solar_mw", "solar_dc_mw") if column in frame), None)
    energy = 0.0 if solar is None else float(solar.sum()) * STEP_MIN[name] / 60
    wanted = expected["metrics"]["solar_mwh"]
    assert energy == pytest.approx(wanted["value"], rel=wanted.get("rel", 0), abs=wanted.get("abs", 0))


# ----------------------------------------------------------------------------------------------- plausibility


def test_solar_yield_is_that_of_a_good_fixed_tilt_site() -> None:
    frame = series("solar_merchant")
    assert 0.17 < frame["solar_mw"].mean() / 10.0 < 0.25  # capacity factor of AC
    assert 1300 < frame["solar_dc_mw"].sum() / 13.0 < 1700  # kWh per kW of DC
    assert frame["solar_mw"].max() == 10.0
    assert frame["solar_dc_mw"].max() < 13.0 * 1.05


def test_inverter_clips_and_otherwise_loses_a_few_percent() -> None:
    """The AC column is cut at the rating in some hours; below it, it follows the DC column."""
    frame = series("solar_merchant")
    clipped = frame["solar_dc_mw"] * 0.96 > 10.0
    assert 50 < clipped.sum() < 500
    assert (frame.loc[clipped, "solar_mw"] > 9.95).all()
    assert (frame["solar_mw"] <= frame["solar_dc_mw"]).all()
    middle = frame["solar_dc_mw"].between(3.0, 9.0)
    ratio = frame.loc[middle, "solar_mw"] / frame.loc[middle, "solar_dc_mw"]
    assert ratio.between(0.94, 0.98).all()


def test_connection_is_smaller_than_the_plant_at_noon_only_sometimes() -> None:
    limit = table("solar_merchant", "scenario.toml")["site"]["export_limit_mw"]
    assert 0.02 < (series("solar_merchant")["solar_mw"] > limit).mean() < 0.15


@pytest.mark.parametrize(("month", "noon"), [(1, 12.4), (6, 13.35), (12, 12.25)])
def test_solar_noon_is_where_longitude_and_clock_put_it(month: int, noon: float) -> None:
    """80° W is 20 minutes behind the zone's meridian, and summer time adds an hour; a shifted series fails.

    Noon is the centre of the clear day that the best value of each hour of the month makes.
    """
    solar = series("solar_merchant")["solar_dc_mw"]
    solar = solar[solar.index.month == month]
    best = solar.groupby(solar.index.hour).max()
    centre = float((best * (best.index + 0.5)).sum() / best.sum())
    assert centre == pytest.approx(noon, abs=0.35)


def test_sun_is_down_at_night() -> None:
    solar = series("solar_merchant")["solar_dc_mw"]
    assert solar[(solar.index.hour >= 22) | (solar.index.hour < 5)].max() == 0.0


@pytest.mark.parametrize("name", ["solar_merchant", "arbitrage_15min"])
def test_price_level_and_negative_share(name: str) -> None:
    price = series(name)["price_per_mwh"]
    assert 70 < price.mean() < 90
    assert 30 < price.std() < 50
    assert 0.03 < (price < 0).mean() < 0.06
    assert price.min() > -500
    assert 200 < price.max() < 1000


@pytest.mark.parametrize("name", ["solar_merchant", "arbitrage_15min"])
def test_price_shape_over_day_week_and_year(name: str) -> None:
    """Cheap noon and dear evening in summer, a morning peak in winter, cheaper weekends, dearer winters."""
    price = series(name)["price_per_mwh"]
    summer = price.index.month.isin([6, 7, 8])
    winter = price.index.month.isin([12, 1, 2])
    by_hour = price[summer].groupby(price.index[summer].hour).mean()
    assert by_hour.loc[19:21].mean() > by_hour.loc[12:14].mean() + 50
    cold = price[winter].groupby(price.index[winter].hour).mean()
    assert cold.loc[7:8].mean() > cold.loc[3] + 10
    assert cold.loc[7:8].mean() > cold.loc[12] + 10
    weekend = price.index.day_of_week >= 5
    assert price[weekend].mean() < price[~weekend].mean() - 5
    assert price[winter].mean() > price[summer].mean() + 5
    negative = price.index.hour[price < 0]
    assert ((negative >= 9) & (negative <= 17)).mean() > 0.9


def test_price_is_autocorrelated_and_follows_the_sites_own_solar() -> None:
    """The merit-order effect: sunnier than usual for its month and hour means cheaper than usual."""
    frame = series("solar_merchant")
    usual = frame.groupby([frame.index.month, frame.index.hour]).transform("mean")
    apart = frame - usual
    day = frame["solar_dc_mw"] > 1.0
    assert apart.loc[day, "solar_dc_mw"].corr(apart.loc[day, "price_per_mwh"]) < -0.4
    assert np.corrcoef(apart["price_per_mwh"][1:], apart["price_per_mwh"][:-1])[0, 1] > 0.6


def test_quarter_hours_have_the_saw_tooth_of_ramps() -> None:
    """Sun rising: prices fall within the hour and jump back at its turn; setting: the other way round."""
    price = series("arbitrage_15min")["price_per_mwh"]
    sunny = price[price.index.month.isin([4, 5, 6, 7, 8])]
    mean = sunny.groupby([sunny.index.hour, sunny.index.minute]).mean()
    for hour in (8, 9, 10):
        assert mean[hour, 0] > mean[hour, 45] + 15
        assert mean[hour, 0] > mean[hour - 1, 45] + 2
    for hour in (16, 17, 18):
        assert mean[hour, 0] < mean[hour, 45] - 15
        assert mean[hour, 0] < mean[hour - 1, 45] - 2
