"""Solar power of a site without a profile: from a weather file to the AC power of a PV plant, by pvlib.

Every row of weather is tied to the moment that its irradiance stands for (the middle of its interval, or the
moment of a satellite picture), and the sun is put where it stands then. What comes out is on the site's own
clock: a stamp is the start of its step, a power the mean over it (rule 2).
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import AfterValidator, Field

from bess_opt.clock import is_zone, zone_name
from bess_opt.errors import ScenarioError, nearest
from bess_opt.findings import Finding
from bess_opt.series_time import check_step, minutes, moment
from bess_opt.tables import Count, Number, Table, Text, quantity, reject

Kind = Literal["tmy3", "tmy2", "epw", "pvgis_tmy", "pvgis_hourly", "nsrdb"]
Floats = npt.NDArray[np.float64]

TYPICAL_YEAR = 2025  # the calendar of weather whose months come from different years
PVWATTS_LOSSES = {
    "soiling": 0.02,
    "mismatch": 0.02,
    "wiring": 0.02,
    "connections": 0.005,
    "light": 0.015,
    "nameplate": 0.01,
}
LOSSES = 1.0 - prod(1.0 - share for share in PVWATTS_LOSSES.values())  # without shading and availability
WEATHER = {  # column of pvlib: what it may hold, unit
    "ghi": (-50.0, 2000.0, "W/m2"),
    "dni": (-50.0, 2000.0, "W/m2"),
    "dhi": (-50.0, 2000.0, "W/m2"),
    "temp_air": (-90.0, 70.0, "degrees C"),
    "wind_speed": (0.0, 100.0, "m/s"),
}
ON_PLANE = {f"poa_{part}": WEATHER["ghi"] for part in ("direct", "sky_diffuse", "ground_diffuse")}


def _known_zone(name: str | None) -> str | None:
    if name is not None and not is_zone(name):
        reject([Finding("unknown_zone", "", f"found {name!r}", "give an IANA name such as 'Europe/Berlin'")])
    return name


class SolarPlant(Table):
    """What `bess_opt.solar` is told about the plant, its place and the reading of the weather."""

    where: ClassVar[str] = "solar"

    dc_mw: Annotated[Number, quantity("rated power of the array", "MW", gt=0)]
    inverter_mw: Annotated[Number, quantity("rated power of the inverter, AC side", "MW", gt=0)]
    latitude: Annotated[Number | None, quantity("of the site, north positive", "deg", ge=-90, le=90)] = None
    longitude: Annotated[Number | None, quantity("of the site, east positive", "deg", ge=-180, le=180)] = None
    altitude_m: Annotated[Number | None, quantity("height above the sea", "m", ge=-500, le=9000)] = None
    time_zone: Annotated[
        Text | None, AfterValidator(_known_zone), Field(description='clock of the result: "Europe/Berlin"')
    ] = None
    tilt_deg: Annotated[Number | None, quantity("of the modules or the tracker's axis", "deg", ge=0, le=90)] = None
    azimuth_deg: Annotated[Number | None, quantity("180 faces south", "deg", ge=0, le=360)] = None
    tracking: Annotated[Literal["fixed", "single_axis"], Field(description="how the modules are held")] = "fixed"
    step_min: Annotated[Number | None, quantity("step of the result", "min", gt=0, le=1440)] = None
    year: Annotated[Count | None, quantity("calendar of the result", "1", ge=1950, le=2100)] = None
    losses: Annotated[Number | None, quantity("share lost before the inverter", "1", ge=0, lt=1)] = None
    eta_inverter: Annotated[Number, quantity("nominal efficiency of the inverter", "1", gt=0, le=1)] = 0.96
    gamma_per_k: Annotated[
        Number, quantity("change of power with cell temperature", "1/K", ge=-0.02, le=0.02)
    ] = -0.0035
    albedo: Annotated[Number, quantity("share of light that the ground reflects", "1", ge=0, le=1)] = 0.2
    transposition: Annotated[Literal["haydavies", "perez"], Field(description="model of the sky")] = "haydavies"
    mounting: Annotated[
        Literal[
            "open_rack_glass_polymer", "open_rack_glass_glass", "close_mount_glass_glass",
            "insulated_back_glass_polymer", "freestanding", "semi_integrated", "insulated",
        ],
        Field(description="thermal model of the modules: SAPM's four, then PVsyst's three"),
    ] = "open_rack_glass_polymer"  # fmt: skip
    ground_cover: Annotated[Number, quantity("module over ground area of trackers", "1", gt=0, le=1)] = 0.35
    max_angle_deg: Annotated[Number, quantity("most turn of trackers", "deg", gt=0, le=90)] = 60.0
    kind: Annotated[Kind | None, Field(description="format of the file, if it cannot be told")] = None
    stamps: Annotated[
        Literal["start", "middle", "end"] | None,
        Field(description="which part of its interval a row's stamp marks, if not as the format says"),
    ] = None


@dataclass(frozen=True)
class Weather:
    """Rows of weather as a file gives them.

    `middle` is the moment that the irradiance of a row stands for, on a clock without summer time; `typical`
    says that the months come from different years. `plane` is (tilt, azimuth) [deg] where irradiance is given
    on a plane, in columns poa_*, in place of ghi, dni and dhi. `place` is (latitude, longitude, altitude).
    """

    source: str
    frame: pd.DataFrame
    middle: pd.DatetimeIndex
    step: pd.Timedelta
    zone: Any
    typical: bool = False
    plane: tuple[float, float] | None = None
    place: tuple[float | None, float | None, float | None] = (None, None, None)


def solar(
    weather: str | Path | pd.DataFrame, *, dc_mw: float, inverter_mw: float, latitude: float | None = None,
    longitude: float | None = None, altitude_m: float | None = None, time_zone: str | None = None,
    tilt_deg: float | None = None, azimuth_deg: float | None = None, tracking: str = "fixed",
    step_min: float | None = None, year: int | None = None, losses: float | None = None,
    kind: str | None = None, **options: Any,
) -> pd.DataFrame:  # fmt: skip
    """Power of a PV plant from weather: columns `solar_mw` (AC) and `solar_dc_mw` (before the inverter).

    The index is the start of each step, tz-aware; the frame fits `bess_opt.Scenario(series=...)`. Needs
    pvlib: `pip install "bess-opt[solar]"`. Further `options`: see `bess_opt.solar.SolarPlant`.

    `weather`: a TMY3, TMY2, EPW, PVGIS (typical year or hourly; csv, json) or NSRDB PSM file, or a DataFrame
    with a tz-aware index and columns ghi, dni, dhi [W/m2], temp_air [degrees C], wind_speed [m/s]. `kind`
    overrides what the file looks like: "tmy3", "tmy2", "epw", "pvgis_tmy", "pvgis_hourly", "nsrdb".
    Place and clock are the file's where not stated; `time_zone` (an IANA name) gives local time.
    `tilt_deg` defaults to 0.76 |latitude| + 3.1 (trackers: 0), `azimuth_deg` to the equator's side (180 is
    south). `tracking` is "fixed" or "single_axis" (backtracking, axis along `azimuth_deg`).
    `step_min` defaults to the file's: longer steps are means, in shorter ones the light follows the sun.
    `year`: months of different years are put on it (default 2025; 29 February is left out or repeats the day
    before); of several real years it picks one. Whole years come out as whole local years: the hours that
    the zone moves over one end come in at the other. `losses` before the inverter: a fraction, default 0.087.
    ScenarioError for whatever is wrong with file or numbers.
    """
    plant = SolarPlant(
        dc_mw=dc_mw, inverter_mw=inverter_mw, latitude=latitude, longitude=longitude, altitude_m=altitude_m,
        time_zone=time_zone, tilt_deg=tilt_deg, azimuth_deg=azimuth_deg, tracking=tracking, step_min=step_min,
        year=year, losses=losses, kind=kind, **options,
    )  # fmt: skip
    return _profile(weather, plant)


def _profile(weather: str | Path | pd.DataFrame, plant: SolarPlant) -> pd.DataFrame:
    _pvlib()
    rows = _from_frame(weather, plant) if isinstance(weather, pd.DataFrame) else _from_file(weather, plant)
    rows, plant = _placed(_checked(rows), plant)
    out = _out_step(rows, plant)
    whole, rows = _on_calendar(rows, plant.year)
    index = _clock(rows, whole, out, plant.time_zone or _zone_of(rows.zone))
    rows = _finer(_around(rows) if whole else rows, out)
    dc = _means(rows, _dc_power(rows, plant), index, out)
    return pd.DataFrame({"solar_mw": _ac_power(dc, plant), "solar_dc_mw": dc}, index=index)


def _error(code: str, where: str, found: str, expected: str) -> ScenarioError:
    return ScenarioError([Finding(code, where, found, expected)])


def _pvlib() -> Any:
    """The package that does the physics of the sun; it is an extra."""
    try:
        import pvlib
    except ImportError:
        remedy = 'install it: pip install "bess-opt[solar]"'
        raise _error("missing_package", "solar", "the package pvlib is not installed", remedy) from None
    return pvlib


# -------------------------------------------------------------------------------------------- reading


def _from_frame(frame: pd.DataFrame, plant: SolarPlant) -> Weather:
    index = frame.index
    if not isinstance(index, pd.DatetimeIndex) or index.tz is None:
        expected = 'give a tz-aware DatetimeIndex: frame.tz_localize("Europe/Berlin")'
        raise _error("naive_time", "weather", "has no index of times with a time zone", expected)
    zone = zone_name(index.tz) or index.tz
    utc = frame.set_axis(index.tz_convert("UTC"))
    return _rows("weather", utc, plant.stamps or "start", zone)


def _from_file(path: str | Path, plant: SolarPlant) -> Weather:
    if not isinstance(path, str | Path):
        expected = "give the path of a weather file or a DataFrame"
        raise _error("wrong_value", "weather", f"found {type(path).__name__}", expected)
    file = Path(path)
    if not file.is_file():
        others = [other.name for other in file.parent.glob("*")] if file.parent.is_dir() else []
        raise _error("missing_file", "weather", f"there is no file {str(file)!r}", nearest(file.name, others))
    kind = plant.kind or _kind_of(file)
    read, stamps, typical = _READERS[kind]
    try:
        data, meta = read(file)
        index = pd.DatetimeIndex(data.index)
        zone = index.tz
        offset = pd.Timedelta(hours=float(meta.get("offset_h", 0.0)))
        place = tuple(None if meta.get(key) is None else float(meta[key]) for key in _PLACE)
    except (ValueError, LookupError, TypeError, AttributeError, OSError) as problem:
        reason = (str(problem).strip() or type(problem).__name__).splitlines()[0]
        expected = f"give a whole file of this kind, or another kind than {kind!r}"
        raise _error("unreadable_file", file.name, f"cannot be read as {kind}: {reason}", expected) from None
    rows = _rows(file.name, data.set_axis(index + offset), plant.stamps or stamps, zone)
    return replace(rows, typical=typical, plane=meta.get("plane"), place=place)  # type: ignore[arg-type]


_PLACE = ("latitude", "longitude", "altitude")


def _rows(source: str, data: pd.DataFrame, stamps: str, zone: Any) -> Weather:
    index = pd.DatetimeIndex(data.index).as_unit("ns")
    gaps = np.diff(index.asi8)
    gaps = gaps[gaps > 0]
    if not len(gaps):
        raise _error("too_short", source, "has fewer than two rows in order", "give at least two rows")
    lengths, counts = np.unique(gaps, return_counts=True)
    step = pd.Timedelta(int(lengths[np.argmax(counts)]), "ns")
    shift = {"start": step / 2, "middle": pd.Timedelta(0), "end": -step / 2}[stamps]
    return Weather(source, data.reset_index(drop=True), index + shift, step, zone)


def _kind_of(file: Path) -> str:
    """The format, from the extension where it says enough, else from how the file begins."""
    suffix = file.suffix.lower()
    with file.open(encoding="latin-1") as lines:
        head = lines.read(4000)
    if suffix == ".tm2" or re.match(r" ?\d{5} .{22} .{2} *-?\d+ [NS] ", head):
        return "tmy2"
    if suffix == ".epw" or head.startswith("LOCATION,"):
        return "epw"
    if suffix == ".json" or head.lstrip().startswith("{"):
        text = file.read_text(encoding="utf-8", errors="replace")
        if '"tmy_hourly"' in text or '"hourly"' in text:
            return "pvgis_tmy" if '"tmy_hourly"' in text else "pvgis_hourly"
    if head.startswith("Latitude (decimal degrees)"):
        return "pvgis_tmy" if "month,year" in head else "pvgis_hourly"
    if head.startswith("Source,Location ID"):
        return "nsrdb"
    if "Date (MM/DD/YYYY),Time (HH:MM)" in head:
        return "tmy3"
    expected = "give a TMY3, TMY2, EPW, PVGIS or NSRDB file, or state its kind"
    raise _error("unknown_kind", file.name, "is of no kind known here", expected)


def _read_tmy3(file: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    # In a leap year the end of 28 February would else be read as that of the 29th.
    data, meta = _pvlib().iotools.read_tmy3(file, coerce_year=TYPICAL_YEAR, map_variables=True)
    return data, meta


def _read_tmy2(file: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    data, meta = _pvlib().iotools.read_tmy2(file)
    names = {"GHI": "ghi", "DNI": "dni", "DHI": "dhi", "DryBulb": "temp_air", "Wspd": "wind_speed"}
    data = data.rename(columns=names)
    return data.assign(temp_air=data["temp_air"] / 10.0, wind_speed=data["wind_speed"] / 10.0), meta


def _read_epw(file: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    data, meta = _pvlib().iotools.read_epw(file)
    return data, meta


def _read_pvgis_tmy(file: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The irradiance of a row was taken some minutes off its stamp, as the file says."""
    data, meta = _pvlib().iotools.read_pvgis_tmy(file, pvgis_format=_pvgis_format(file), map_variables=True)
    inputs = _flat(meta["inputs"])
    offset = inputs.get("irradiance time offset", inputs.get("irradiance_time_offset", 0.0))
    return data, inputs | {"altitude": inputs.get("elevation"), "offset_h": offset}


def _read_pvgis_hourly(file: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Irradiance on the plane that the file was made for; its stamps are the moments of the pictures."""
    data, meta = _pvlib().iotools.read_pvgis_hourly(file, pvgis_format=_pvgis_format(file), map_variables=True)
    inputs = {key.lower(): value for key, value in _flat(meta["inputs"]).items()}
    tilt, azimuth = (_leading_number(inputs.get(key)) for key in ("slope", "azimuth"))
    if tilt is None:
        raise ValueError("it does not state a fixed plane")
    # South is 0 there.
    plane = (tilt, (180.0 + (azimuth or 0.0)) % 360.0)
    return data, inputs | {"altitude": inputs.get("elevation"), "plane": plane}


def _pvgis_format(file: Path) -> str:
    with file.open(encoding="latin-1") as lines:
        return "json" if lines.read(100).lstrip().startswith("{") else "csv"


def _flat(inputs: dict[str, Any]) -> dict[str, Any]:
    """PVGIS nests in json what it writes in lines in csv: location.latitude, mounting_system.fixed.slope."""
    fixed: dict[str, Any] = inputs.get("mounting_system", {}).get("fixed", {})
    angles = {key: value.get("value") for key, value in fixed.items() if isinstance(value, dict)}
    location: dict[str, Any] = inputs.get("location", {})
    return inputs | location | angles


def _leading_number(value: object) -> float | None:
    found = re.match(r"\s*(-?\d+(\.\d+)?)", str(value))
    return float(found[1]) if found else None


def _read_nsrdb(file: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    data, meta = _pvlib().iotools.read_nsrdb_psm4(file, map_variables=True)
    return data, meta


# Reader, which part of its interval pvlib's stamp marks, and whether the months come from different years.
_READERS: dict[str, tuple[Callable[[Path], tuple[pd.DataFrame, dict[str, Any]]], str, bool]] = {
    "tmy3": (_read_tmy3, "end", True),
    "tmy2": (_read_tmy2, "start", True),
    "epw": (_read_epw, "start", False),
    "pvgis_tmy": (_read_pvgis_tmy, "middle", True),
    "pvgis_hourly": (_read_pvgis_hourly, "middle", False),
    "nsrdb": (_read_nsrdb, "middle", False),
}


# ------------------------------------------------------------------------------------------- checking


def _checked(rows: Weather) -> Weather:
    """The columns that are needed, as numbers inside their ranges; small negative irradiance is none."""
    wanted = WEATHER if rows.plane is None else ON_PLANE | {key: WEATHER[key] for key in list(WEATHER)[3:]}
    missing = [name for name in wanted if name not in rows.frame]
    if missing:
        have = ", ".join(str(name) for name in rows.frame.columns[:12])
        hint = "; download PVGIS with its radiation components" if rows.plane is not None else ""
        expected = f"give {', '.join(wanted)}{hint}"
        raise _error("missing_column", rows.source, f"lacks {', '.join(missing)}; has {have}", expected)
    values: dict[str, Any] = {}
    for name, (low, high, unit) in wanted.items():
        numbers = pd.to_numeric(rows.frame[name], errors="coerce").to_numpy(dtype=np.float64)
        bad = ~((numbers >= low) & (numbers <= high))
        if bad.any():
            at = int(np.argmax(bad))
            where = f"{rows.source} row {at + 1} ({moment(rows.middle[at])}), column {name}"
            found = f"found {rows.frame[name].iloc[at]}" + (f", and {bad.sum() - 1} more" if bad.sum() > 1 else "")
            raise _error("wrong_value", where, found, f"give {low:g} to {high:g} {unit}, and fill gaps first")
        values[name] = np.maximum(numbers, 0.0) if unit == "W/m2" else numbers
    return replace(rows, frame=pd.DataFrame(values))


def _placed(rows: Weather, plant: SolarPlant) -> tuple[Weather, SolarPlant]:
    """Place and angles: stated, else the file's, else the usual; a level plane made beam and sky."""
    stated = (plant.latitude, plant.longitude, plant.altitude_m)
    latitude, longitude, height = (
        own if own is not None else theirs for own, theirs in zip(stated, rows.place, strict=True)
    )
    lacking = [name for name, value in (("latitude", latitude), ("longitude", longitude)) if value is None]
    if latitude is None or longitude is None:
        found = f"{rows.source} does not say where it is"
        raise _error("missing_key", f"solar.{lacking[0]}", found, f"state {' and '.join(lacking)}")
    place = (latitude, longitude, height or 0.0)
    rows = replace(rows, place=place)
    if rows.plane is not None and rows.plane[0] == 0.0:
        rows = _level(rows)
    angles = {"tilt_deg": plant.tilt_deg, "azimuth_deg": plant.azimuth_deg}
    if rows.plane is not None:
        _same_plane(rows.plane, plant)
        angles = dict(zip(angles, rows.plane, strict=True))
    usual = {"tilt_deg": 0.0 if plant.tracking != "fixed" else 0.76 * abs(latitude) + 3.1}
    usual["azimuth_deg"] = 180.0 if latitude >= 0.0 else 0.0
    filled = {key: usual[key] if value is None else value for key, value in angles.items()}
    return rows, SolarPlant(**plant.merged(filled))


def _same_plane(plane: tuple[float, float], plant: SolarPlant) -> None:
    """Irradiance on a plane serves that plane only."""
    for key, there in zip(("tilt_deg", "azimuth_deg"), plane, strict=True):
        own = getattr(plant, key)
        if plant.tracking != "fixed" or (own is not None and abs(own - there) > 0.5):
            found = f"the file holds irradiance on a fixed plane, tilt {plane[0]:g}, azimuth {plane[1]:g} deg"
            expected = "leave tilt and azimuth out, or download the file for slope 0"
            raise _error("contradiction", f"solar.{key}", found, expected)


def _level(rows: Weather) -> Weather:
    """Beam and sky on the level plane as ghi, dni and dhi; the beam of a sun at the horizon is left out."""
    beam, sky = rows.frame["poa_direct"].to_numpy(), rows.frame["poa_sky_diffuse"].to_numpy()
    height = _height(_sun(rows))
    high = height > 0.03
    dni = np.where(high, np.minimum(beam / np.where(high, height, 1.0), 1361.0), 0.0)
    horizontal = {"ghi": beam + sky, "dni": dni, "dhi": sky}
    rest = {name: rows.frame[name] for name in ("temp_air", "wind_speed")}
    return replace(rows, frame=pd.DataFrame(horizontal | rest), plane=None)


def _out_step(rows: Weather, plant: SolarPlant) -> pd.Timedelta:
    """Step of the result: a whole part or multiple of the file's, and one that scenarios can have."""
    out = rows.step if plant.step_min is None else pd.Timedelta(round(plant.step_min * 60_000), "ms")
    longer, shorter = max(out, rows.step), min(out, rows.step)
    if longer % shorter != pd.Timedelta(0):
        found = f"found {plant.step_min:g}, but {rows.source} has steps of {minutes(rows.step.value)}"
        raise _error("odd_step", "solar.step_min", found, "give a whole multiple or a whole part of that")
    problems = check_step("solar.step_min", int(out / pd.Timedelta(1, "ns")))
    if problems:
        raise ScenarioError(problems)
    return out


# ------------------------------------------------------------------------------------------- calendar


def _on_calendar(rows: Weather, year: int | None) -> tuple[bool, Weather]:
    """(whole calendar years?, rows in order of time without gaps), put on `year` where that is needed."""
    real = bool((np.diff(rows.middle.asi8) == _ns(rows.step)).all()) and not rows.typical
    years = rows.middle.year.unique()
    if real and year is not None and year in years:
        mine = np.asarray(rows.middle.year == year)
        rows = replace(rows, frame=rows.frame[mine].reset_index(drop=True), middle=rows.middle[mine])
    elif real and year is not None and rows.middle[-1] - rows.middle[0] > pd.Timedelta(days=366):
        found = f"found {year}, but {rows.source} covers {years[0]} to {years[-1]}"
        raise _error("outside_horizon", "solar.year", found, "give one of its years")
    elif not real or year is not None:
        own = int(years[0]) if len(years) == 1 and not rows.typical else TYPICAL_YEAR
        rows = _moved(rows, year or own)
    first, last = rows.middle[0], rows.middle[-1]
    start = pd.Timestamp(first.year, 1, 1, tz=first.tz)
    length = pd.Timestamp(last.year + 1, 1, 1, tz=first.tz) - start
    return len(rows.middle) * rows.step == length and first - start < rows.step, rows


def _moved(rows: Weather, year: int) -> Weather:
    """Every row on the same month, day and hour of `year`."""
    old, frame = rows.middle, rows.frame
    leap_day = np.asarray((old.month == 2) & (old.day == 29))
    if not calendar.isleap(year):
        old, frame = old[~leap_day], frame[~leap_day]
    days = pd.to_datetime({"year": year, "month": old.month, "day": old.day})
    clock = old.tz_localize(None)
    new = (pd.DatetimeIndex(days) + (clock - clock.normalize())).tz_localize(old.tz)
    if calendar.isleap(year) and not leap_day.any():
        day = np.asarray((new.month == 2) & (new.day == 28))
        ends = day.any() and bool((new.month == 3).any())
        again = new[day & ends] + pd.Timedelta(days=1)
        new, frame = pd.DatetimeIndex(new.append(again)), pd.concat([frame, frame[day & ends]])
    order = np.argsort(new.asi8, kind="stable")
    new = new[order].as_unit("ns")
    wrong = np.diff(new.asi8) != _ns(rows.step)
    if wrong.any():
        at = moment(new[int(np.argmax(wrong))])
        found = f"rows of {minutes(_ns(rows.step))} do not follow each other after {at}, all put on {year}"
        raise _error("gap", rows.source, found, "give every row of the period once")
    return replace(rows, frame=frame.iloc[order].reset_index(drop=True), middle=new)


def _ns(span: pd.Timedelta) -> int:
    return int(span / pd.Timedelta(1, "ns"))


def _zone_of(zone: Any) -> Any:
    """A named zone for a fixed offset of whole hours, so that days and windows have a clock."""
    if isinstance(zone, str):
        return zone
    shift = pd.Timestamp(2025, 1, 1, tz=zone).utcoffset()
    hours = shift.total_seconds() / 3600.0 if shift is not None else 0.0
    if zone_name(zone) is not None or hours != round(hours):
        return zone_name(zone) or zone
    return f"Etc/GMT{-round(hours):+d}" if hours else "UTC"


def _clock(rows: Weather, whole: bool, out: pd.Timedelta, zone: Any) -> pd.DatetimeIndex:
    """Starts of the steps on the local clock: the whole local years, or all steps that the rows cover."""
    first, last = rows.middle[0], rows.middle[-1]
    if whole:
        start = pd.Timestamp(first.year, 1, 1, tz=zone)
        end = pd.Timestamp(last.year + 1, 1, 1, tz=zone)
    else:
        start, end = (first - rows.step / 2).tz_convert(zone), (last + rows.step / 2).tz_convert(zone)
        over = (start.tz_localize(None) - start.tz_localize(None).normalize()) % out
        start = start + (out - over) % out
    steps = (end - start) // out
    if steps < 1:
        raise _error("too_short", rows.source, f"covers no whole step of {minutes(_ns(out))}", "give more rows")
    index = pd.date_range(start.tz_convert("UTC"), periods=steps, freq=out, name="time")
    return index.tz_convert(zone).as_unit("ns")


def _around(rows: Weather) -> Weather:
    """A day more at both ends of whole years, taken from the other end."""
    day = round(pd.Timedelta(days=1) / rows.step)
    period = len(rows.middle) * rows.step
    middle = (rows.middle[-day:] - period).append([rows.middle, rows.middle[:day] + period])
    frame = pd.concat([rows.frame[-day:], rows.frame, rows.frame[:day]], ignore_index=True)
    return replace(rows, frame=frame, middle=pd.DatetimeIndex(middle))


# -------------------------------------------------------------------------------------------- physics


def _sun(rows: Weather) -> pd.DataFrame:
    """Where the sun stands at the middle of each row."""
    latitude, longitude, height = rows.place
    sun: pd.DataFrame = _pvlib().solarposition.get_solarposition(
        rows.middle, latitude, longitude, height, method="nrel_numpy"
    )
    return sun


def _height(sun: pd.DataFrame) -> Floats:
    """Sine of the sun's height, 0 below the horizon."""
    height: Floats = np.maximum(np.cos(np.deg2rad(sun["zenith"].to_numpy())), 0.0)
    return height


def _finer(rows: Weather, out: pd.Timedelta) -> Weather:
    """Rows of `out` where the file's are longer: light follows the sun's height and keeps its mean."""
    parts = rows.step // out
    if parts <= 1:
        return rows
    steps = (np.arange(parts) - (parts - 1) / 2.0) * _ns(out)
    stamps = (rows.middle.asi8[:, None] + steps.astype(np.int64)).ravel()
    middle = pd.DatetimeIndex(stamps).tz_localize("UTC").tz_convert(rows.middle.tz)
    fine = replace(rows, middle=middle, step=out)
    height = _height(_sun(fine)).reshape(-1, parts)
    mean = height.mean(axis=1, keepdims=True)
    shape = np.where(mean > 0.0, height / np.where(mean > 0.0, mean, 1.0), 1.0)
    risen = (shape > 0.0).astype(float)  # the beam is the same as long as the sun is up
    up = risen / risen.mean(axis=1, keepdims=True)
    values: dict[str, Floats] = {}
    for name in rows.frame:
        column = rows.frame[name].to_numpy()
        if name in ("temp_air", "wind_speed"):
            values[str(name)] = np.interp(stamps, rows.middle.asi8, column)
        else:
            values[str(name)] = (column[:, None] * (up if name == "dni" else shape)).ravel()
    return replace(fine, frame=pd.DataFrame(values))


def _dc_power(rows: Weather, plant: SolarPlant) -> Floats:
    """Power of the array at the middle of each row, MW, by PVWatts."""
    pvlib, air = _pvlib(), rows.frame.set_axis(rows.middle)
    on_modules, effective = _on_modules(rows, plant)
    family = "sapm" if "_glass_" in plant.mounting else "pvsyst"
    thermal = pvlib.temperature.TEMPERATURE_MODEL_PARAMETERS[family][plant.mounting]
    model = pvlib.temperature.sapm_cell if family == "sapm" else pvlib.temperature.pvsyst_cell
    cell = model(on_modules, air["temp_air"], air["wind_speed"], **thermal)
    power = pvlib.pvsystem.pvwatts_dc(effective, cell, plant.dc_mw, plant.gamma_per_k)
    losses = LOSSES if plant.losses is None else plant.losses
    array: Floats = np.maximum(power.to_numpy() * (1.0 - losses), 0.0)
    return array


def _on_modules(rows: Weather, plant: SolarPlant) -> tuple[pd.Series, pd.Series]:
    """(irradiance on the modules, the part of it that reaches the cells), W/m2."""
    pvlib, sun, light = _pvlib(), _sun(rows), rows.frame.set_axis(rows.middle)
    tilt, azimuth = _held(sun, plant)
    angle = pvlib.irradiance.aoi(tilt, azimuth, sun["apparent_zenith"], sun["azimuth"])
    if rows.plane is not None:
        beam, diffuse = light["poa_direct"], light["poa_sky_diffuse"] + light["poa_ground_diffuse"]
    else:
        day = rows.middle.tz_convert("UTC").day_of_year.to_numpy(dtype=float)
        extra = pd.Series(pvlib.irradiance.get_extra_radiation(day), index=rows.middle)
        parts = pvlib.irradiance.get_total_irradiance(
            tilt, azimuth, sun["apparent_zenith"], sun["azimuth"], light["dni"], light["ghi"], light["dhi"],
            dni_extra=extra, airmass=pvlib.atmosphere.get_relative_airmass(sun["apparent_zenith"]),
            albedo=plant.albedo, model=plant.transposition,
        )  # fmt: skip
        beam, diffuse = parts["poa_direct"], parts["poa_diffuse"]
    effective = beam * pvlib.iam.physical(angle) + diffuse
    return (beam + diffuse).fillna(0.0), effective.fillna(0.0)


def _held(sun: pd.DataFrame, plant: SolarPlant) -> tuple[Any, Any]:
    """Tilt and azimuth of the modules; a tracker lies flat at night."""
    if plant.tracking == "fixed":
        return plant.tilt_deg, plant.azimuth_deg
    turned = _pvlib().tracking.singleaxis(
        sun["apparent_zenith"], sun["azimuth"], axis_tilt=plant.tilt_deg, axis_azimuth=plant.azimuth_deg,
        max_angle=plant.max_angle_deg, backtrack=True, gcr=plant.ground_cover,
    )  # fmt: skip
    return turned["surface_tilt"].fillna(0.0), turned["surface_azimuth"].fillna(plant.azimuth_deg)


def _means(rows: Weather, power: Floats, index: pd.DatetimeIndex, out: pd.Timedelta) -> Floats:
    """Means over the steps of `index`; between rows that do not fit the clock the power is drawn straight."""
    starts, stamps, step, length = index.asi8, rows.middle.asi8, _ns(rows.step), _ns(out)
    ahead = starts[0] - (stamps[0] - step // 2)
    if ahead % step == 0:
        first, parts = ahead // step, length // step
        whole: Floats = power[first : first + len(starts) * parts].reshape(len(starts), parts).mean(axis=1)
        return whole
    pieces = 12 * max(length // step, 1)
    within = starts[:, None] + ((np.arange(pieces) + 0.5) * (length / pieces)).astype(np.int64)
    mean: Floats = np.interp(within, stamps, power).mean(axis=1)
    return mean


def _ac_power(dc_mw: Floats, plant: SolarPlant) -> Floats:
    """Power after the inverter, cut at its rating, MW."""
    eta = plant.eta_inverter
    ac = _pvlib().inverter.pvwatts(dc_mw, plant.inverter_mw / eta, eta_inv_nom=eta)
    cut: Floats = np.clip(ac, 0.0, plant.inverter_mw)
    return cut
