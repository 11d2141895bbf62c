"""Solar profiles: every format gives the same plant, noon is where the sun says, and the inverter cuts."""

from __future__ import annotations

import shutil
import sys
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support import weather as made
from support.places import ROOT

import bess_opt as bo

PLANT = {"dc_mw": 13.0, "inverter_mw": 10.0, "tilt_deg": 25.0}
PLACE = {"latitude": made.LATITUDE, "longitude": made.LONGITUDE, "altitude_m": made.ALTITUDE}
ROME = "Europe/Rome"
MERCHANT = ROOT / "scenarios" / "solar_merchant" / "series.csv"


def packaged(name: str) -> Path:
    """A weather file in pvlib's data folder."""
    with resources.as_file(resources.files("pvlib") / "data" / name) as path:
        return path


@cache
def greensboro(**options: Any) -> pd.DataFrame:
    return bo.solar(packaged("723170TYA.CSV"), **(PLANT | options))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {name: write(tmp_path_factory.mktemp("w")) for name, write in made.WRITERS.items()}


@cache
def clear(minute: int = 30, step_min: int = 60, stamps: str = "start", **options: Any) -> pd.DataFrame:
    frame = made.clear_sky(minute, step_min)
    return bo.solar(frame, **(PLACE | PLANT | {"stamps": stamps} | options))


def energy(profile: pd.DataFrame, column: str = "solar_mw") -> float:
    return float(profile[column].sum()) * ((profile.index[1] - profile.index[0]) / pd.Timedelta(hours=1))


def noon_off_h(profile: pd.DataFrame, longitude: float, month: int) -> float:
    """Centre of a month's mean day against true solar noon (equation of time of the month's middle)."""
    utc = profile["solar_dc_mw"].tz_convert("UTC")
    step = (utc.index[1] - utc.index[0]) / pd.Timedelta(hours=1)
    mean = utc[utc.index.month == month]
    hours = mean.index.hour + mean.index.minute / 60 + step / 2 + longitude / 15  # mean solar time
    hours = np.asarray(hours, dtype=float) % 24
    centre = float((mean.to_numpy() * hours).sum() / mean.sum())
    b = 2 * np.pi * ((month - 0.5) / 12 * 365 - 81) / 365
    equation_min = 9.87 * np.sin(2 * b) - 7.53 * np.cos(b) - 1.5 * np.sin(b)
    return centre - (12.0 - equation_min / 60)


# ------------------------------------------------------------------------------------------- formats


@pytest.mark.parametrize("name", made.WRITERS)
def test_every_format_gives_the_same_plant(files: dict[str, Path], name: str) -> None:
    """Kind, place, stamps, offsets and typical months are read right, or energy and noon would be off."""
    profile = bo.solar(files[name], time_zone=ROME, **PLANT)
    reference = clear(time_zone=ROME)
    year = pd.date_range("2025-01-01", "2026-01-01", freq=profile.index[1] - profile.index[0], tz=ROME)[:-1]
    assert profile.index.equals(year)
    assert energy(profile) == pytest.approx(energy(reference), rel=0.01)
    for month in range(1, 13):
        mine, theirs = (p.loc[p.index.month == month] for p in (profile, reference))
        assert energy(mine, "solar_dc_mw") == pytest.approx(energy(theirs, "solar_dc_mw"), rel=0.02)
        assert noon_off_h(profile, made.LONGITUDE, month) == pytest.approx(0.0, abs=0.1)


def test_stamps_say_which_part_of_the_step_they_mark() -> None:
    sky = made.clear_sky(30)
    reference = clear()
    for stamps, shift in (("middle", 30), ("end", 60)):
        moved = sky.set_axis(sky.index + pd.Timedelta(minutes=shift))
        assert bo.solar(moved, stamps=stamps, **PLACE, **PLANT).equals(reference)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("723170TYA.CSV", "tmy3"), ("703165TY.csv", "tmy3"), ("12839.tm2", "tmy2")],
)
def test_kind_is_seen_in_the_content(tmp_path: Path, name: str, kind: str) -> None:
    from bess_opt.inputs.solar.weather_files import _kind_of

    copy = tmp_path / "weather.txt"
    shutil.copy(packaged(name), copy)
    assert _kind_of(copy) == kind


@pytest.mark.parametrize("name", made.WRITERS)
def test_kind_does_not_hang_on_the_extension(files: dict[str, Path], tmp_path: Path, name: str) -> None:
    from bess_opt.inputs.solar.weather_files import _kind_of

    copy = tmp_path / "weather.txt"
    shutil.copy(files[name], copy)
    assert _kind_of(copy) == _kind_of(files[name])


def test_a_plane_of_pvgis_is_used_as_it_is(tmp_path: Path) -> None:
    """Irradiance on a plane of 30 degrees needs no sky model, and serves no other plane."""
    file = made.pvgis_hourly_csv(tmp_path, slope="30 deg. (optimum)")
    rated = {"dc_mw": 13.0, "inverter_mw": 10.0}
    profile = bo.solar(file, **rated)
    sky = made.clear_sky(10)
    most = sky["ghi"].sum() / 1000 * 13.0
    assert 0.75 * most < energy(profile, "solar_dc_mw") < 0.93 * most
    assert bo.solar(file, **rated, tilt_deg=30.0, azimuth_deg=180.0).equals(profile)
    for wrong in ({"tilt_deg": 20.0}, {"azimuth_deg": 90.0}, {"tracking": "single_axis"}):
        with pytest.raises(bo.ScenarioError, match="holds irradiance on a fixed plane, tilt 30, azimuth 180"):
            bo.solar(file, **rated, **wrong)


# ------------------------------------------------------------------------------------- packaged files


def test_the_shipped_scenario_is_this_plant() -> None:
    """Same weather, same parameters: the same power to the four decimals of the file."""
    profile = greensboro(time_zone="America/New_York")
    shipped = pd.read_csv(MERCHANT)
    assert [t.isoformat(timespec="minutes") for t in profile.index] == shipped["time"].tolist()
    for column in ("solar_mw", "solar_dc_mw"):
        assert profile[column].to_numpy() == pytest.approx(shipped[column].to_numpy(), abs=1e-3)


@pytest.mark.parametrize(
    ("name", "zone", "longitude", "low", "high"),
    [
        ("723170TYA.CSV", "America/New_York", -79.95, 0.20, 0.23),
        ("12839.tm2", "America/New_York", -80.27, 0.21, 0.25),
        ("703165TY.csv", "America/Anchorage", -160.517, 0.11, 0.15),
    ],
)
def test_typical_years(name: str, zone: str, longitude: float, low: float, high: float) -> None:
    """Plausible yields; noon where it belongs with and without summer time; one whole local year."""
    profile = bo.solar(packaged(name), time_zone=zone, **PLANT)
    assert profile.index[0] == pd.Timestamp("2025-01-01", tz=zone)
    assert profile.index[-1] == pd.Timestamp("2025-12-31 23:00", tz=zone)
    assert len(profile) == 8760
    assert str(profile.index.tz) == zone
    assert low < profile["solar_mw"].mean() / 10.0 < high
    for month in (1, 6, 7, 12):
        assert noon_off_h(profile, longitude, month) == pytest.approx(0.0, abs=0.5)


def test_the_inverter_cuts() -> None:
    profile = greensboro()
    at_rating = profile["solar_mw"] == 10.0
    assert profile["solar_mw"].max() == 10.0
    assert 100 < at_rating.sum() < 150
    assert (profile.loc[at_rating, "solar_dc_mw"] >= 10.0 / 0.96 * 0.999).all()
    below = ~at_rating & (profile["solar_dc_mw"] > 3.0)
    ratio = profile.loc[below, "solar_mw"] / profile.loc[below, "solar_dc_mw"]
    assert ratio.between(0.94, 0.965).all()
    assert (profile >= 0.0).all().all()
    assert greensboro(inverter_mw=20.0)["solar_mw"].max() > 11.0


def test_options_change_what_they_should() -> None:
    base = energy(greensboro(), "solar_dc_mw")
    assert energy(greensboro(losses=0.0), "solar_dc_mw") == pytest.approx(base / (1 - 0.0867856), rel=1e-4)
    assert energy(greensboro(dc_mw=26.0), "solar_dc_mw") == pytest.approx(2 * base)
    assert 1.0 < energy(greensboro(transposition="perez"), "solar_dc_mw") / base < 1.05
    assert 1.08 < energy(greensboro(tracking="single_axis", tilt_deg=None), "solar_dc_mw") / base < 1.30
    assert energy(greensboro(mounting="insulated"), "solar_dc_mw") < base  # hotter cells
    assert energy(greensboro(tilt_deg=None), "solar_dc_mw") == pytest.approx(base, rel=0.02)
    east, west = greensboro(azimuth_deg=90.0), greensboro(azimuth_deg=270.0)
    assert noon_off_h(east, -79.95, 6) < -0.3 < 0.3 < noon_off_h(west, -79.95, 6)


def test_south_of_the_equator_modules_face_north() -> None:
    sky = made.clear_sky(30)
    half_year = sky.set_axis(sky.index + pd.Timedelta(days=182))
    rated = {"dc_mw": 1.0, "inverter_mw": 1.0, "latitude": -45.0, "longitude": 8.0}
    own, south = bo.solar(half_year, **rated), bo.solar(half_year, azimuth_deg=180.0, **rated)
    assert energy(own) > 1.2 * energy(south)
    assert own.equals(bo.solar(half_year, azimuth_deg=0.0, tilt_deg=0.76 * 45 + 3.1, **rated))


# ---------------------------------------------------------------------------------- steps and calendar


def test_quarter_hours_follow_the_sun_within_the_hour() -> None:
    """Same energy, no power before sunrise, a rise within the hour, and what a finer sky would give."""
    hourly, quarters = greensboro(), greensboro(step_min=15)
    assert len(quarters) == 4 * 8760
    assert energy(quarters, "solar_dc_mw") == pytest.approx(energy(hourly, "solar_dc_mw"), rel=0.005)
    sunrise = slice("2025-12-21 07:00", "2025-12-21 07:45")  # at 7:25 standard time
    assert hourly["solar_dc_mw"].loc["2025-12-21 07:00"] > 0.0
    assert (quarters["solar_dc_mw"].loc[sunrise].to_numpy() > 0.0).tolist() == [False, False, True, True]


def test_quarter_hours_are_near_what_a_finer_sky_gives() -> None:
    fine = clear(7, 15, stamps="start")
    sky = made.clear_sky(7, 15).resample("h").mean()
    refined = bo.solar(sky, step_min=15.0, **PLACE, **PLANT)
    hourly = bo.solar(sky, **PLACE, **PLANT)["solar_dc_mw"]
    assert energy(refined) == pytest.approx(energy(fine), rel=0.01)
    off = (refined["solar_dc_mw"] - fine["solar_dc_mw"]).abs()
    held = (hourly.reindex(fine.index, method="ffill") - fine["solar_dc_mw"]).abs()
    assert off.mean() < 0.2 * held.mean()
    assert off.max() < held.max()


def test_longer_steps_are_means() -> None:
    hourly, longer = greensboro(), greensboro(step_min=120)
    assert longer["solar_dc_mw"].to_numpy() == pytest.approx(
        hourly["solar_dc_mw"].to_numpy().reshape(-1, 2).mean(axis=1)
    )


def test_a_leap_year_repeats_a_day() -> None:
    leap = greensboro(year=2024, time_zone="America/New_York")
    assert len(leap) == 8784
    days = leap["solar_dc_mw"].loc["2024-02-28":"2024-02-29"].to_numpy().reshape(2, 24)
    assert days[0] == pytest.approx(days[1], abs=0.2)


def test_a_far_zone_gives_its_own_year() -> None:
    """Half an hour off the file's clock, and the year's ends come from its other end."""
    far = greensboro(time_zone="Asia/Kolkata")
    assert far.index[0] == pd.Timestamp("2025-01-01", tz="Asia/Kolkata")
    assert len(far) == 8760
    assert energy(far, "solar_dc_mw") == pytest.approx(energy(greensboro(), "solar_dc_mw"), rel=0.005)
    assert noon_off_h(far, -79.95, 6) == pytest.approx(noon_off_h(greensboro(), -79.95, 6), abs=0.05)


def test_zones_come_from_the_file() -> None:
    """Whole hours get a name, so that the days of a scenario have a clock; half hours have none."""
    assert str(greensboro().index.tz) == "Etc/GMT+5"
    assert str(clear().index.tz) == "UTC"
    half = made.clear_sky(30).tz_convert("UTC+05:30")[:48]
    first = bo.solar(half, **PLACE, **PLANT).index[0]
    assert first.isoformat() == "2025-01-01T06:00:00+05:30"  # the first whole local hour
    rome = made.clear_sky(30).tz_convert(ROME)[2000:2100]
    assert str(bo.solar(rome, **PLACE, **PLANT).index.tz) == ROME


def test_real_years_stay_or_are_picked(tmp_path: Path) -> None:
    sky = made.clear_sky(30)
    two = pd.concat([sky, sky.set_axis(sky.index + pd.Timedelta(days=365))])
    both = bo.solar(two, **PLACE, **PLANT)
    assert (both.index[0].year, both.index[-1].year, len(both)) == (2025, 2026, 2 * 8760)
    assert set(bo.solar(two, year=2026, **PLACE, **PLANT).index.year) == {2026}
    assert set(clear(year=2023).index.year) == {2023}
    with pytest.raises(bo.ScenarioError, match=r"solar.year: found 2019, but weather covers 2025 to 2026"):
        bo.solar(two, year=2019, **PLACE, **PLANT)
    short = bo.solar(made.epw(tmp_path, hours=48, year=2021), time_zone=ROME, **PLANT)
    assert short.index[0] == pd.Timestamp("2021-01-01", tz=ROME)
    assert len(short) == 48


def test_a_piece_of_a_year_begins_on_the_clock() -> None:
    """Rows that stand off the clock give the whole steps that they cover."""
    sky = made.clear_sky(10)[3000:3100]
    moments = sky.set_axis(sky.index + pd.Timedelta(minutes=10))
    profile = bo.solar(moments, stamps="middle", time_zone=ROME, **PLACE, **PLANT)
    assert profile.index[0].minute == 0
    assert len(profile) == 99


def test_a_profile_is_ready_for_a_scenario() -> None:
    series = greensboro(time_zone="America/New_York").assign(price_per_mwh=50.0)
    battery = bo.Battery(power_mw=2.0, duration_h=4.0)
    scenario = bo.Scenario(battery=battery, series=series, strategy="arbitrage")
    assert scenario.site.time_zone in (None, "America/New_York")
    assert list(scenario.series) == list(series)
    series = greensboro().assign(price_per_mwh=50.0)
    assert len(bo.Scenario(battery=battery, series=series, strategy="arbitrage").series) == 8760


# --------------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dc_mw": 0.0}, r"solar.dc_mw: found 0.0; give a number > 0 MW"),
        ({"dc_mw": "13"}, r"solar.dc_mw: found '13'"),
        ({"inverter_mw": -1.0}, r"solar.inverter_mw: found -1.0"),
        ({"tilt_deg": 91.0}, r"solar.tilt_deg: found 91.0"),
        ({"azimuth_deg": -1.0}, r"solar.azimuth_deg"),
        ({"latitude": 99.0}, r"solar.latitude"),
        ({"losses": 14.0}, r"solar.losses: found 14.0; give a number >= 0 and < 1"),
        ({"tracking": "singleaxis"}, r"solar.tracking: found 'singleaxis'; did you mean 'single_axis'\?"),
        ({"kind": "tmy4"}, r"solar.kind: found 'tmy4'; did you mean 'tmy"),
        ({"albido": 0.3}, r"solar.albido: unknown key 'albido'; did you mean 'albedo'\?"),
        ({"time_zone": "Europe/Berln"}, r"solar.time_zone: found 'Europe/Berln'"),
        ({"step_min": 7.0}, r"solar.step_min: found 7, but 723170TYA.CSV has steps of 60 min"),
        ({"step_min": 0.0}, r"solar.step_min"),
        ({"year": 1800}, r"solar.year"),
        ({"kind": "epw"}, r"723170TYA.CSV: cannot be read as epw: .*another kind than 'epw'"),
        ({"kind": "nsrdb"}, r"723170TYA.CSV: cannot be read as nsrdb"),
    ],
)
def test_bad_options_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(bo.ScenarioError, match=message):
        bo.solar(packaged("723170TYA.CSV"), **(PLANT | options))


def test_bad_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "place.epw").write_text("LOCATION,cut off\n", encoding="utf-8")
    (tmp_path / "other.csv").write_text("time,ghi\n1,2\n", encoding="utf-8")
    with pytest.raises(bo.ScenarioError, match=r"there is no file .*plce.epw'; did you mean 'place.epw'"):
        bo.solar(tmp_path / "plce.epw", **PLANT)
    with pytest.raises(bo.ScenarioError, match="weather: there is no file"):
        bo.solar(str(tmp_path / "nowhere" / "a.epw"), **PLANT)
    with pytest.raises(bo.ScenarioError, match=r"other.csv: is of no kind known here; give a TMY3"):
        bo.solar(tmp_path / "other.csv", **PLANT)
    with pytest.raises(bo.ScenarioError, match=r"place.epw: cannot be read as epw"):
        bo.solar(tmp_path / "place.epw", **PLANT)
    with pytest.raises(bo.ScenarioError, match="weather: found int"):
        bo.solar(3, **PLANT)  # type: ignore[arg-type]


def test_trackers_of_pvgis_are_refused(tmp_path: Path) -> None:
    with pytest.raises(bo.ScenarioError, match=r"hourly.json: cannot be read as pvgis_hourly: it does not"):
        bo.solar(made.pvgis_hourly_json(tmp_path, mounting="two_axis"), **PLANT)


def test_missing_values_of_a_format_are_found(tmp_path: Path) -> None:
    file = made.epw(tmp_path, hours=72)
    lines = file.read_text(encoding="utf-8").splitlines()
    cells = lines[8 + 30].split(",")
    cells[13] = "9999"
    made.written(file, [*lines[:38], ",".join(cells), *lines[39:]])
    where = r"place.epw row 31 \(2006-01-02 06:30\+01:00\), column ghi: found 9999"
    with pytest.raises(bo.ScenarioError, match=where):
        bo.solar(file, **PLANT)


def test_bad_frames_are_named() -> None:
    sky = made.clear_sky(30)[:48]
    with pytest.raises(bo.ScenarioError, match="weather: lacks dhi, wind_speed; has ghi, dni, temp_air"):
        bo.solar(sky.drop(columns=["dhi", "wind_speed"]), **PLACE, **PLANT)
    gaps = np.isin(np.arange(48), [5, 9, 11])
    with pytest.raises(bo.ScenarioError, match=r"weather row 6 .*, column temp_air: found nan, and 2 more"):
        bo.solar(sky.assign(temp_air=sky["temp_air"].mask(gaps)), **PLACE, **PLANT)
    with pytest.raises(bo.ScenarioError, match="weather: has no index of times with a time zone"):
        bo.solar(sky.tz_localize(None), **PLACE, **PLANT)
    with pytest.raises(bo.ScenarioError, match=r"solar.latitude: weather does not say where it is"):
        bo.solar(sky, **PLANT)
    with pytest.raises(bo.ScenarioError, match=r"weather: rows of 60 min do not follow .* 2025-01-01 09:30"):
        bo.solar(sky.drop(sky.index[10]), **PLACE, **PLANT)
    with pytest.raises(bo.ScenarioError, match="weather: has fewer than two rows"):
        bo.solar(sky[:1], **PLACE, **PLANT)


def test_without_pvlib_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    file = packaged("723170TYA.CSV")
    monkeypatch.setitem(sys.modules, "pvlib", None)
    with pytest.raises(bo.ScenarioError, match=r'pvlib is not installed; .*pip install "bess-opt\[solar\]"'):
        bo.solar(file, **PLANT)


def test_weather_shorter_than_a_step_or_coarser_than_a_scenario() -> None:
    """Three hours hold no whole day, and a series of two-day means is no series of a scenario."""
    with pytest.raises(bo.ScenarioError, match="weather: covers no whole step of 1440 min; give more rows"):
        bo.solar(made.clear_sky(30, 60).iloc[:3], step_min=1440.0, **PLACE, **PLANT)
    with pytest.raises(bo.ScenarioError, match=r"solar.step_min: .*(2880|2 days|48)"):
        bo.solar(made.clear_sky(30, 60).resample("2D").mean(), **PLACE, **PLANT)
