"""Prices of a small merit-order model with fixed seeds, for the scenarios of this folder."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]


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
