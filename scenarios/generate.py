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
from pathlib import Path

import numpy as np
import pandas as pd
from made_prices import (
    BERLIN_MARKET,
    MERCHANT_MARKET,
    autoregressive,
    bump,
    conditions,
    hourly_price,
    hours_of_day,
    quarter_hour_price,
)
from made_reserves import reserve_prices
from made_solar import (
    BERLIN_LATITUDE,
    BERLIN_LONGITUDE,
    YEAR,
    Array,
    regional_solar_from_site,
    regional_solar_from_sun,
    sine_of_elevation,
    solar_power,
)

HERE = Path(__file__).resolve().parent

MERCHANT_ZONE = "America/New_York"
EVENING_FIRST, EVENING_LAST = "2025-03-03", "2025-04-27"  # eight weeks, clocks go forward on 9 March
BERLIN_ZONE = "Europe/Berlin"

OFFICE_MONTHS = (5, 7)
OFFICE_CLOSED = ("2025-05-01", "2025-05-29", "2025-06-09", "2025-06-19")  # public holidays of Bavaria

TWO_FIRST, TWO_LAST = "2025-04-07", "2025-06-01"  # eight weeks of spring, with hours at negative prices
RESERVE_FIRST, RESERVE_LAST = "2025-03-27", "2025-03-30"  # four days, clocks go forward on the last
DEPOT_CHARGES = 120.0  # EUR/MWh of grid charges and levies, on top of the hourly price
DEPOT_FIRST, DEPOT_LAST = "2025-05-05", "2025-06-01"  # four weeks
CARS, CAR_MWH, CAR_CHARGER_MW = 20, 0.06, 0.011  # delivery vans, usable energy and charger of each
DRIVE_FROM, DRIVE_TO, CAR_DAY_MWH = 7, 16, 0.035  # local hours on the road on weekdays, energy that a day takes
CAR_RESERVE = 0.8  # of their energy, to be there when they leave

DECIMALS = {
    "solar_mw": 4, "solar_dc_mw": 4, "load_mw": 4, "price_per_mwh": 2, "import_price_per_mwh": 2,
    "cars.charge_limit_mw": 4, "cars.discharge_limit_mw": 4, "cars.drawn_mw": 6, "cars.energy_min_mwh": 4,
    "fcr_price_per_mw": 2, "afrr_up_price_per_mw": 2,
}  # fmt: skip


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


def warranty() -> pd.DataFrame:
    """A year of prices by the hour."""
    return hourly_prices()


def two_batteries() -> pd.DataFrame:
    """Eight weeks of prices by the hour."""
    return hourly_prices().loc[TWO_FIRST:TWO_LAST]


def energy_and_reserve() -> pd.DataFrame:
    """Four days of prices by the hour, for energy and for two reserves held in blocks of four hours."""
    frame = hourly_prices().loc[RESERVE_FIRST:RESERVE_LAST]
    return frame.join(reserve_prices(frame["price_per_mwh"], generator(20250324)))


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
    "warranty_year/series.csv": warranty,
    "two_batteries_one_connection/series.csv": two_batteries,
    "depot_with_cars/series.csv": depot,
    "energy_and_reserve/series.csv": energy_and_reserve,
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
