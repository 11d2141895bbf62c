"""Write the series files of the scenarios in this folder: same script, same bytes.

`python scenarios/generate.py` rewrites every file; with `--check` it writes nothing and ends with exit code
1 if a file on disk differs. Solar power comes from the typical year of Greensboro that pvlib ships; prices
come from a small merit-order model with fixed seeds. The README of each scenario states the equations.
"""

from __future__ import annotations

import argparse
import functools
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]

HERE = Path(__file__).resolve().parent
YEAR = 2025

MERCHANT_ZONE = "America/New_York"
EVENING_FIRST, EVENING_LAST = "2025-03-03", "2025-04-27"  # eight weeks, clocks go forward on 9 March
BERLIN_ZONE = "Europe/Berlin"
BERLIN_LATITUDE, BERLIN_LONGITUDE = 51.0, 10.0  # the middle of Germany stands for its solar plants

OFFICE_MONTHS = (5, 7)
OFFICE_CLOSED = ("2025-05-01", "2025-05-29", "2025-06-09", "2025-06-19")  # public holidays of Bavaria

TWO_FIRST, TWO_LAST = "2025-04-07", "2025-06-01"  # eight weeks of spring, with hours at negative prices
DEPOT_CHARGES = 120.0  # EUR/MWh of grid charges and levies, on top of the hourly price
DEPOT_FIRST, DEPOT_LAST = "2025-05-05", "2025-06-01"  # four weeks
CARS, CAR_MWH, CAR_CHARGER_MW = 20, 0.06, 0.011  # delivery vans, usable energy and charger of each
DRIVE_FROM, DRIVE_TO, CAR_DAY_MWH = 7, 16, 0.035  # local hours on the road on weekdays, energy that a day takes
CAR_RESERVE = 0.8  # of their energy, to be there when they leave

DECIMALS = {
    "solar_mw": 4, "solar_dc_mw": 4, "load_mw": 4, "price_per_mwh": 2, "import_price_per_mwh": 2,
    "cars.charge_limit_mw": 4, "cars.discharge_limit_mw": 4, "cars.drawn_mw": 6, "cars.energy_min_mwh": 4,
}  # fmt: skip


# ------------------------------------------------------------------------------------------------------ solar


@dataclass(frozen=True)
class Array:
    """A fixed-tilt solar plant with one inverter rating; losses are those before the inverter."""

    weather_file: str = "723170TYA.CSV"  # TMY3, Greensboro, North Carolina, in pvlib's data folder
    dc_mw: float = 13.0
    ac_mw: float = 10.0
    tilt_deg: float = 25.0
    azimuth_deg: float = 180.0
    albedo: float = 0.2
    gamma_per_k: float = -0.0035
    eta_inverter: float = 0.96


def weather(array: Array) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Read the typical year; the index becomes the start of each hour of `YEAR` in standard time."""
    import pvlib

    path = Path(pvlib.__file__).parent / "data" / array.weather_file
    data, site = pvlib.iotools.read_tmy3(path, coerce_year=YEAR, map_variables=True)
    data.index = data.index - pd.Timedelta(hours=1)  # TMY3 stamps the end of the hour
    return data, site


def plane_of_array(array: Array, data: pd.DataFrame, site: dict[str, Any]) -> tuple[pd.Series, pd.Series]:
    """Irradiance on the modules and the part of it that reaches the cells, W/m2, with the sun at mid-hour."""
    import pvlib

    middle = pd.DatetimeIndex(data.index) + pd.Timedelta(minutes=30)
    sun = pvlib.solarposition.get_solarposition(
        middle, site["latitude"], site["longitude"], site["altitude"], method="nrel_numpy"
    ).set_index(data.index)
    day = middle.tz_convert("UTC").day_of_year.to_numpy(dtype=float)
    extra = pd.Series(pvlib.irradiance.get_extra_radiation(day), index=data.index)
    parts = pvlib.irradiance.get_total_irradiance(
        array.tilt_deg, array.azimuth_deg, sun["apparent_zenith"], sun["azimuth"],
        data["dni"], data["ghi"], data["dhi"], dni_extra=extra, albedo=array.albedo, model="haydavies",
    )  # fmt: skip
    angle = pvlib.irradiance.aoi(array.tilt_deg, array.azimuth_deg, sun["apparent_zenith"], sun["azimuth"])
    effective = parts["poa_direct"] * pvlib.iam.physical(angle) + parts["poa_diffuse"]
    return parts["poa_global"].fillna(0.0), effective.fillna(0.0)


def solar_power(array: Array) -> pd.DataFrame:
    """AC power after the clipping inverter and DC power before it, MW, per hour of the year."""
    import pvlib

    data, site = weather(array)
    on_modules, effective = plane_of_array(array, data, site)
    thermal = pvlib.temperature.TEMPERATURE_MODEL_PARAMETERS["sapm"]["open_rack_glass_polymer"]
    cell = pvlib.temperature.sapm_cell(on_modules, data["temp_air"], data["wind_speed"], **thermal)
    losses_percent = pvlib.pvsystem.pvwatts_losses(shading=0.0, availability=0.0)  # the others as PVWatts
    dc = pvlib.pvsystem.pvwatts_dc(effective, cell, array.dc_mw, array.gamma_per_k)
    dc = (dc * (1.0 - losses_percent / 100.0)).clip(lower=0.0)
    ac = pvlib.inverter.pvwatts(dc, array.ac_mw / array.eta_inverter, eta_inv_nom=array.eta_inverter)
    return pd.DataFrame({"solar_mw": ac, "solar_dc_mw": dc})


def sine_of_elevation(index: pd.DatetimeIndex, latitude_deg: float, longitude_deg: float) -> Floats:
    """Sine of the sun's elevation at the middle of each step (declination by Cooper, mean solar time)."""
    step = index[1] - index[0]
    utc = (index + step / 2).tz_convert("UTC")
    day = utc.day_of_year.to_numpy(dtype=float)
    hour = utc.hour.to_numpy(dtype=float) + utc.minute.to_numpy(dtype=float) / 60.0
    declination = np.deg2rad(23.45) * np.sin(2.0 * np.pi * (284.0 + day) / 365.0)
    hour_angle = np.deg2rad(15.0 * (hour - 12.0) + longitude_deg)
    latitude = np.deg2rad(latitude_deg)
    sine = np.sin(latitude) * np.sin(declination)
    return np.asarray(sine + np.cos(latitude) * np.cos(declination) * np.cos(hour_angle), dtype=float)


def regional_solar_from_site(solar_dc_mw: pd.Series, dc_mw: float) -> Floats:
    """Per-unit solar of the region: the site's own, spread over three hours, and the month's mean day."""
    own = solar_dc_mw / dc_mw
    spread = (own.shift(1, fill_value=0.0) + own + own.shift(-1, fill_value=0.0)) / 3.0
    index = pd.DatetimeIndex(own.index).tz_convert("UTC")
    mean_day = own.groupby([index.month, index.hour]).transform("mean")
    return np.asarray(0.7 * spread + 0.3 * mean_day, dtype=float)


def regional_solar_from_sun(index: pd.DatetimeIndex, random: np.random.Generator) -> Floats:
    """Per-unit solar of a country: clear-sky shape times a clearness that drifts from day to day."""
    clear = 0.85 * np.maximum(sine_of_elevation(index, BERLIN_LATITUDE, BERLIN_LONGITUDE), 0.0) ** 1.2
    days, position = np.unique(index.normalize().tz_localize(None).to_numpy(), return_inverse=True)
    drift = autoregressive(random, len(days), correlation=0.55)
    season = season_wave(pd.DatetimeIndex(days), peak_day=172)
    clearness = 0.3 + 0.65 / (1.0 + np.exp(-(0.2 + 0.5 * season + 1.1 * drift)))
    return np.asarray(clear * clearness[position], dtype=float)


# ----------------------------------------------------------------------------------------------------- prices


@dataclass(frozen=True)
class Market:
    """A day-ahead market in one curve: residual demand (1 = mean demand) in, price out."""

    solar_share: float  # regional solar at full sun over mean demand
    wind_share: float  # regional wind at full wind over mean demand
    winter_demand: float  # swing of demand over the year, + with its top in mid-January
    summer_cooling: float  # afternoon demand added in midsummer
    mean_price: float = 92.0  # price at residual demand `middle`
    middle: float = 0.72
    slope: float = 110.0  # price per unit of residual demand in the flat middle of the curve
    scarcity_slope: float = 220.0  # added above `scarce`
    scarce: float = 1.05
    surplus_slope: float = 210.0  # added below `surplus`: must-run plants that pay to stay on
    surplus: float = 0.36
    bend: float = 0.05  # width of the two bends
    shelf: float = 40.0  # renewables that stop at a negative price hold it near zero over this depth
    fuel_swing: float = 0.10  # winter fuel is dearer by this share
    fuel_noise: float = 0.08
    noise: float = 7.0  # standard deviation of the autocorrelated rest
    spike_share: float = 0.97  # hours above this quantile of residual demand may spike
    spike_chance: float = 0.09
    spike_mean: float = 90.0
    saw_tooth: float = 330.0  # quarter-hours only: price per unit of residual demand off the hour's mean
    quarter_noise: float = 4.5


@dataclass(frozen=True)
class Conditions:
    """What drives the price in every step: residual demand, and fuel as a factor around 1."""

    residual: Floats
    fuel: Floats


MERCHANT_MARKET = Market(solar_share=1.0, wind_share=0.45, winter_demand=0.05, summer_cooling=0.12)
BERLIN_MARKET = Market(solar_share=1.2, wind_share=0.75, winter_demand=0.08, summer_cooling=0.0)


def autoregressive(random: np.random.Generator, steps: int, correlation: float) -> Floats:
    """A stationary first-order autoregression with mean 0 and variance 1."""
    shocks = random.standard_normal(steps)
    scale = (1.0 - correlation**2) ** 0.5
    values = np.empty(steps)
    value = float(shocks[0])
    values[0] = value
    for step in range(1, steps):
        value = correlation * value + scale * float(shocks[step])
        values[step] = value
    return values


def season_wave(index: pd.DatetimeIndex, peak_day: int) -> Floats:
    """A cosine over the year, 1 on `peak_day`, -1 half a year later."""
    return np.asarray(np.cos(2.0 * np.pi * (index.day_of_year.to_numpy(dtype=float) - peak_day) / 365.0))


def hours_of_day(index: pd.DatetimeIndex) -> Floats:
    """Local clock hours at the middle of each step."""
    middle = index + (index[1] - index[0]) / 2
    return middle.hour.to_numpy(dtype=float) + middle.minute.to_numpy(dtype=float) / 60.0


def bump(hour: Floats, centre: float, width: float) -> Floats:
    """A bell around an hour of the day, wrapped at midnight."""
    distance = (hour - centre + 12.0) % 24.0 - 12.0
    return np.asarray(np.exp(-0.5 * (distance / width) ** 2))


def demand(index: pd.DatetimeIndex, market: Market) -> Floats:
    """Demand over mean demand: morning and evening peaks, weekends, heating and cooling."""
    hour = hours_of_day(index)
    shape = 0.80 + 0.17 * bump(hour, 8.5, 1.8) + 0.19 * bump(hour, 13.0, 3.2) + 0.30 * bump(hour, 19.5, 2.3)
    weekday = index.day_of_week.to_numpy()
    working = np.where(weekday == 6, 0.86, np.where(weekday == 5, 0.91, 1.02))
    winter = 1.0 + market.winter_demand * season_wave(index, peak_day=15)
    cooling = market.summer_cooling * np.maximum(season_wave(index, peak_day=205), 0.0) * bump(hour, 17.5, 3.5)
    return np.asarray(shape * working * winter + cooling, dtype=float)


def wind(index: pd.DatetimeIndex, random: np.random.Generator) -> Floats:
    """Per-unit wind of the region: weather fronts of about a day and a half, more of them in winter."""
    step_h = (index[1] - index[0]) / pd.Timedelta(hours=1)
    fronts = autoregressive(random, len(index), correlation=float(np.exp(-step_h / 36.0)))
    return np.asarray(1.0 / (1.0 + np.exp(-(-1.25 + 0.3 * season_wave(index, peak_day=15) + 0.95 * fronts))))


def conditions(index: pd.DatetimeIndex, market: Market, solar: Floats, random: np.random.Generator) -> Conditions:
    """Residual demand and fuel of every step."""
    step_h = (index[1] - index[0]) / pd.Timedelta(hours=1)
    residual = demand(index, market) - market.wind_share * wind(index, random) - market.solar_share * solar
    drift = autoregressive(random, len(index), correlation=float(np.exp(-step_h / (24.0 * 20.0))))
    fuel = 1.0 + market.fuel_swing * season_wave(index, peak_day=15) + market.fuel_noise * drift
    return Conditions(residual, fuel)


def merit_order(market: Market, now: Conditions) -> Floats:
    """Price on the supply curve: straight in the middle, steep where plants get scarce or run in surplus."""
    above = market.bend * np.logaddexp(0.0, (now.residual - market.scarce) / market.bend)
    below = market.bend * np.logaddexp(0.0, (market.surplus - now.residual) / market.bend)
    thermal = market.mean_price + market.slope * (now.residual - market.middle)
    return np.asarray(now.fuel * (thermal + market.scarcity_slope * above) - market.surplus_slope * below)


def spikes(market: Market, residual: Floats, random: np.random.Generator) -> Floats:
    """Rare extra prices in the tightest hours, halved from hour to hour as they fade."""
    tight = residual > np.quantile(residual, market.spike_share)
    start = tight & (random.random(len(residual)) < market.spike_chance)
    size = np.where(start, random.exponential(market.spike_mean, len(residual)), 0.0)
    fading = np.concatenate(([0.0], size[:-1])) / 2.0
    return np.asarray(size + fading, dtype=float)


def near_zero(price: Floats, shelf: float) -> Floats:
    """Negative prices drawn towards zero, the small ones most; positive prices as they are."""
    depth = np.maximum(-price, 0.0)
    return np.maximum(price, 0.0) - depth**2 / (depth + shelf)


def hourly_price(market: Market, now: Conditions, random: np.random.Generator) -> Floats:
    """Day-ahead price of every hour."""
    rest = market.noise * autoregressive(random, len(now.residual), correlation=0.85)
    return near_zero(merit_order(market, now) + rest + spikes(market, now.residual, random), market.shelf)


def quarter_hour_price(index: pd.DatetimeIndex, market: Market, solar: Floats, random: np.random.Generator) -> Floats:
    """Hourly price, plus the saw-tooth of ramps inside the hour, plus noise of the single quarter."""
    quarter = conditions(index, market, solar, random)
    by_hour = quarter.residual.reshape(-1, 4).mean(axis=1)
    hour = Conditions(by_hour, quarter.fuel.reshape(-1, 4).mean(axis=1))
    level = np.repeat(hourly_price(market, hour, random), 4)
    ramp = quarter.residual - np.repeat(by_hour, 4)
    rest = autoregressive(random, len(index), correlation=0.3)
    return np.asarray(level + market.saw_tooth * ramp + market.quarter_noise * rest)


# -------------------------------------------------------------------------------------------------- the files


def generator(seed: int) -> np.random.Generator:
    """The random numbers of one scenario."""
    return np.random.Generator(np.random.PCG64(seed))


def local_year(zone: str, step_min: int) -> pd.DatetimeIndex:
    """All steps of the local calendar year, equal in UTC."""
    first, end = pd.Timestamp(f"{YEAR}-01-01", tz=zone), pd.Timestamp(f"{YEAR + 1}-01-01", tz=zone)
    step = pd.Timedelta(minutes=step_min)
    return pd.date_range(first.tz_convert("UTC"), end.tz_convert("UTC"), freq=step, inclusive="left").tz_convert(zone)


@functools.cache
def merchant() -> pd.DataFrame:
    """Solar and prices of the merchant solar plant, a year by the hour."""
    array = Array()
    frame = solar_power(array).tz_convert(MERCHANT_ZONE)
    index = local_year(MERCHANT_ZONE, 60)
    if not frame.index.equals(index):
        raise ValueError("the weather file does not cover the local year hour by hour")
    random = generator(20250101)
    solar = regional_solar_from_site(frame["solar_dc_mw"], array.dc_mw)
    now = conditions(index, MERCHANT_MARKET, solar, random)
    return frame.assign(price_per_mwh=hourly_price(MERCHANT_MARKET, now, random))


def evening() -> pd.DataFrame:
    """Eight weeks in spring of the same plant on its DC side."""
    return merchant().loc[EVENING_FIRST:EVENING_LAST, ["solar_dc_mw", "price_per_mwh"]]


def flexible() -> pd.DataFrame:
    """A year of the merchant plant's AC power and prices."""
    return merchant()[["solar_mw", "price_per_mwh"]]


def arbitrage() -> pd.DataFrame:
    """A year of prices by the quarter of an hour."""
    index = local_year(BERLIN_ZONE, 15)
    random = generator(20250115)
    solar = regional_solar_from_sun(index, random)
    return pd.DataFrame({"price_per_mwh": quarter_hour_price(index, BERLIN_MARKET, solar, random)}, index=index)


@functools.cache
def hourly_prices() -> pd.DataFrame:
    """Hourly means of the quarter-hours' prices."""
    return arbitrage().resample("1h").mean()


def two_batteries() -> pd.DataFrame:
    """Eight weeks of prices by the hour."""
    return hourly_prices().loc[TWO_FIRST:TWO_LAST]


def depot() -> pd.DataFrame:
    """Load, roof and prices of a depot, and where its vans are, by the hour."""
    frame = hourly_prices().loc[DEPOT_FIRST:DEPOT_LAST].copy()
    index = pd.DatetimeIndex(frame.index)
    random, hour = generator(20250505), index.hour.to_numpy()
    works = index.day_of_week.to_numpy() < 5
    away = works & (hour >= DRIVE_FROM) & (hour < DRIVE_TO)
    day = pd.factorize(index.strftime("%Y-%m-%d"))[0]
    driven = CARS * CAR_DAY_MWH * random.uniform(0.8, 1.15, day.max() + 1)[day] / (DRIVE_TO - DRIVE_FROM)
    shed = 0.05 + 0.06 * np.where(works, bump(hour + 0.5, 6.5, 2.5) + bump(hour + 0.5, 17.0, 2.5), 0.1)
    clear = 0.22 * np.maximum(sine_of_elevation(index, BERLIN_LATITUDE, BERLIN_LONGITUDE), 0.0) ** 1.15
    cloud = 1.0 / (1.0 + np.exp(-(0.6 + 1.1 * autoregressive(random, len(index), correlation=0.9))))
    leaves = np.flatnonzero(np.append(away[1:], False) & ~away)  # hours at whose end they set off
    left = leaves[np.minimum(np.searchsorted(leaves, np.arange(len(index))), len(leaves) - 1)] - np.arange(len(index))
    still = 0.88 * CARS * CAR_CHARGER_MW * np.maximum(left, 0)  # what the chargers put into the cells until then
    reserve = np.where(away | (left < 0), 0.0, np.maximum(CAR_RESERVE * CARS * CAR_MWH - still, 0.0))
    frame["price_per_mwh"] += DEPOT_CHARGES
    return frame.rename(columns={"price_per_mwh": "import_price_per_mwh"}).assign(
        **{
            "load_mw": shed,
            "solar_mw": clear * cloud,
            "cars.charge_limit_mw": np.where(away, 0.0, CARS * CAR_CHARGER_MW),
            "cars.discharge_limit_mw": 0.0,
            "cars.drawn_mw": np.where(away, driven, 0.0),
            "cars.energy_min_mwh": reserve,
        }
    )


def office() -> pd.DataFrame:
    """Load and roof of an office from May to July, by the quarter of an hour."""
    whole = local_year(BERLIN_ZONE, 15)
    index = whole[(whole.month >= OFFICE_MONTHS[0]) & (whole.month <= OFFICE_MONTHS[1])]
    random = generator(20250501)
    hour, day = hours_of_day(index), index.strftime("%Y-%m-%d")
    open_ = (index.day_of_week.to_numpy() < 5) & ~day.isin(OFFICE_CLOSED)
    work = 0.5 * (np.tanh((hour - 7.2) / 0.7) - np.tanh((hour - 18.4) / 0.8))
    warm = 1.0 + 0.35 * autoregressive(random, len(index), correlation=float(np.exp(-0.25 / 60.0)))
    cooling = np.maximum(warm, 0.2) * bump(hour, 14.8, 3.0)
    load = 0.11 + np.where(open_, 0.30 * work + 0.16 * cooling, 0.03 * cooling)
    load += 0.012 * autoregressive(random, len(index), correlation=0.6)
    starts = open_ & (random.random(len(index)) < 0.012) & (work > 0.5)
    load += np.where(starts, random.uniform(0.03, 0.12, len(index)), 0.0)  # a quarter-hour of lifts and kitchens
    clear = 0.33 * np.maximum(sine_of_elevation(index, BERLIN_LATITUDE, BERLIN_LONGITUDE), 0.0) ** 1.15
    cloud = 1.0 / (1.0 + np.exp(-(0.6 + 1.1 * autoregressive(random, len(index), correlation=0.98))))
    return pd.DataFrame({"load_mw": np.maximum(load, 0.05), "solar_mw": clear * cloud}, index=index)


def number(value: float, decimals: int) -> str:
    """A rounded number without a negative zero."""
    return f"{round(value, decimals) + 0.0:.{decimals}f}"


def to_csv(frame: pd.DataFrame) -> bytes:
    """The series file: local time with its offset, fixed decimals, LF line ends."""
    index = pd.DatetimeIndex(frame.index)
    columns = [[stamp.isoformat(timespec="minutes") for stamp in index]]
    columns += [[number(value, DECIMALS[name]) for value in frame[name].tolist()] for name in frame.columns]
    rows = [",".join(["time", *frame.columns]), *(",".join(row) for row in zip(*columns, strict=True))]
    return ("\n".join(rows) + "\n").encode("ascii")


FILES: dict[str, Callable[[], pd.DataFrame]] = {
    "solar_merchant/series.csv": merchant,
    "solar_evening/series.csv": evening,
    "arbitrage_15min/series.csv": arbitrage,
    "office_with_tariff/series.csv": office,
    "flexible_connection/series.csv": flexible,
    "two_batteries_one_connection/series.csv": two_batteries,
    "depot_with_cars/series.csv": depot,
}


def write(root: Path) -> None:
    """Write every series file under `root`."""
    for name, make in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(to_csv(make()))


def differing(root: Path) -> list[str]:
    """Names of the series files under `root` that are missing or not what this script writes."""
    return [
        name
        for name, make in FILES.items()
        if not (root / name).is_file() or (root / name).read_bytes() != to_csv(make())
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: write, or check."""
    parser = argparse.ArgumentParser(description="Write the series files of the scenarios.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if a file differs")
    parser.add_argument("--root", type=Path, default=HERE, help="folder of the scenarios (default: this one)")
    options = parser.parse_args(arguments)
    if not options.check:
        write(options.root)
        return 0
    wrong = differing(options.root)
    for name in wrong:
        print(f"{name} differs from what generate.py writes; run python scenarios/generate.py", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
