"""Random sites with one to four market products: directions, blocks, groups, least bids, activation, clock changes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from support.peers.plant_program import SiteCase, Table
from support.peers.product_program import ProductCase
from support.peers.sites import chance, number, random_battery

DAYS = ("2025-03-30", "2025-10-26", "2025-11-02", "2025-03-09", "2025-07-05", "2024-12-31")
ZONES = ("Europe/Berlin", "America/New_York", "UTC")


def random_product(rng: np.random.Generator, at: int, step_h: float, steps: int) -> Table:
    product: Table = {"name": ["alpha", "beta", "gamma", "delta"][at]}
    if chance(rng, 0.8):
        product["direction"] = str(rng.choice(["symmetric", "up", "down"]))
    fitting = [length for length in (step_h, 1.0, 2.0, 3.0, 4.0, 6.0) if length >= step_h]
    if chance(rng, 0.8):
        product["block_h"] = float(rng.choice(fitting))
    if chance(rng, 0.7):
        product["headroom_h"] = float(rng.choice([0.0, 0.25, 0.5, 1.0, 2.0]))
    if chance(rng, 0.3):
        product["min_bid_mw"] = number(rng, 0.1, 0.8)
    if chance(rng, 0.3):
        product["step_mw"] = float(rng.choice([0.1, 0.25, 0.5]))
    if chance(rng, 0.3):
        product["max_mw"] = number(rng, 0.2, 2.0)
    if chance(rng, 0.3):
        product["share_of_power"] = number(rng, 0.2, 1.0)
    if chance(rng, 0.35):
        product["exclusive_group"] = "reserve"
    if chance(rng, 0.2):
        product["acceptance_share"] = number(rng, 0.3, 1.0)
    if chance(rng, 0.1):
        product["time_zone"] = "Europe/London"
    return product


def random_columns(
    rng: np.random.Generator, product: Table, series: pd.DataFrame, called: bool, free: np.ndarray
) -> np.ndarray:
    """Prices, and with `called` activation within the time that is left; what is left then."""
    name, steps = product["name"], len(series)
    series[f"{name}_price_per_mw"] = np.round(rng.normal(12, 12, steps), 2)
    if not called or not chance(rng, 0.5):
        return free
    return random_activation(rng, product, series, free)


def random_activation(rng: np.random.Generator, product: Table, series: pd.DataFrame, free: np.ndarray) -> np.ndarray:
    """A signal within the time that is left, perhaps with its price; what is left then."""
    name, steps = product["name"], len(series)
    share = np.round(np.where(rng.random(steps) < 0.4, rng.uniform(0, 1, steps) * free, 0.0), 3)
    share = np.minimum(share, free)
    if product.get("direction", "symmetric") != "symmetric":
        series[f"{name}_activation"] = share
    elif chance(rng, 0.5):
        series[f"{name}_activation"] = share * rng.choice([-1.0, 1.0], steps)
    else:
        part = np.round(share * rng.uniform(0, 1, steps), 3)
        part = np.minimum(part, share)
        series[f"{name}_activation_up"], series[f"{name}_activation_down"] = part, share - part
    if chance(rng, 0.5):
        series[f"{name}_activation_price_per_mwh"] = np.round(rng.normal(60, 60, steps), 2)
    return np.maximum(free - share, 0.0)


def random_batteries(rng: np.random.Generator) -> list[Table]:
    coupled = chance(rng, 0.35)
    shared = {"ac_to_dc": number(rng, 0.92, 1.0), "dc_to_ac": number(rng, 0.92, 1.0)}
    kinds = ["series_dc", "hybrid"]
    batteries: list[Table] = []
    kind = str(rng.choice(kinds))
    for at in range(int(rng.choice([1, 1, 2]))):
        topology = kind if coupled and (at == 0 or chance(rng, 0.5)) else "parallel_ac"
        battery = random_battery(rng, topology, shared | {"dc_to_dc": number(rng, 0.94, 1.0)})
        tech = battery["technology"]
        battery["soc_start"] = number(rng, tech["soc_min"] + 0.2, tech["soc_max"] - 0.2)
        ends: list[Any] = ["at_least_start", "equal", "free", {"value_per_mwh": number(rng, -10, 120)}]
        battery["soc_end"] = ends[int(rng.integers(4))]
        batteries.append(battery)
    if len(batteries) > 1:
        batteries = [{"name": name} | battery for name, battery in zip(("north", "south"), batteries, strict=True)]
    return batteries


def random_limits(rng: np.random.Generator, batteries: list[Table], series: pd.DataFrame) -> Table:
    site: Table = {}
    topologies = [battery["topology"] for battery in batteries]
    if set(topologies) - {"parallel_ac"} and chance(rng, 0.6):
        site["inverter_mw"] = number(rng, 1.0, 4.0)
    if "hybrid" in topologies:
        site["dc_share"] = number(rng, 0.2, 1.0)
    for key, rest in (("import_limit_mw", 2.6), ("export_limit_mw", 0.5)):
        if chance(rng, 0.5):
            site[key] = number(rng, rest, 5)
    if chance(rng, 0.2):
        site["grid_charging"] = False
    if chance(rng, 0.3):
        site["battery_export"] = [False, "strict"][int(rng.integers(2))]
    if chance(rng, 0.2):
        series["export_limit_mw"] = np.round(rng.uniform(0.3, 4, len(series)), 2)
    return site


def random_product_case(seed: int) -> ProductCase:
    """Up to a day, often across a change of the clock, with one or two batteries."""
    rng = np.random.default_rng([20, seed])
    zone = str(rng.choice(ZONES))
    step = int(rng.choice([30, 60, 60]))
    steps = int(rng.integers(6, 19))
    start = pd.Timestamp(str(rng.choice(DAYS))).tz_localize(zone) + pd.Timedelta(hours=int(rng.integers(0, 12)))
    series = pd.DataFrame(index=pd.date_range(start, periods=steps, freq=f"{step}min", name="time"))
    batteries = random_batteries(rng)
    called = chance(rng, 0.5)
    series["price_per_mwh"] = np.round(rng.normal(45, 40, steps), 2)
    if not called and chance(rng, 0.4):
        series["import_price_per_mwh"] = series.pop("price_per_mwh")
        series["export_price_per_mwh"] = np.round(series["import_price_per_mwh"] - rng.uniform(0, 40, steps), 2)
    if chance(rng, 0.5):
        series["load_mw"] = np.round(rng.uniform(0, 2.5, steps), 3)
    if any(battery["topology"] != "parallel_ac" for battery in batteries) or chance(rng, 0.4):
        series["solar_mw"] = np.round(np.maximum(rng.uniform(-1, 3, steps), 0), 3)
    site = random_limits(rng, batteries, series)
    products, free = [], np.ones(steps)
    for at in range(int(rng.integers(1, 5))):
        product = random_product(rng, at, step / 60, steps)
        free = random_columns(rng, product, series, called, free)
        products.append(product)
    inner = SiteCase(series=series, batteries=batteries, site=site)
    if chance(rng, 0.2):
        inner.finance = {"variable_om_per_mwh": number(rng, 0, 8)}
    if chance(rng, 0.2):
        inner.clauses = [{"name": "hard", "export_mw": number(rng, 0.5, 3), "hours": [2, 8]}]
    return ProductCase(inner, products)


def random_called_case(seed: int) -> ProductCase:
    """A random case whose products are called: signals one and two ways, with and without a price of their own.

    Import and export may differ in price, peaks may be billed, and the connection may limit ramps.
    """
    rng = np.random.default_rng([21, seed])
    case = random_product_case(seed)
    series = case.site.series
    free = np.ones(len(series))
    for product in case.products:
        own = [name for name in series if str(name).startswith(f"{product['name']}_activation")]
        series = series.drop(columns=own)
        if product["name"] == "alpha" or chance(rng, 0.6):
            free = random_activation(rng, product, series, free)
    if "price_per_mwh" in series and chance(rng, 0.5):
        series["import_price_per_mwh"] = series.pop("price_per_mwh")
        series["export_price_per_mwh"] = np.round(
            series["import_price_per_mwh"] - rng.uniform(-5, 40, len(series)), 2
        )
    case.site.series = series
    if chance(rng, 0.3):
        case.site.tariff = {"demand": [{"price_per_mw_month": number(rng, 5, 200)}]}
    if not case.site.clauses and chance(rng, 0.25):
        case.site.clauses = [{"name": "slow", "ramp_mw_per_min": number(rng, 0.02, 0.1, 3), "hours": [3, 9]}]
    return case


def with_bids(case: ProductCase, seed: int) -> ProductCase:
    """The case with a bid of each product that its rule holds, up to half of the power, as its market takes bids."""
    rng = np.random.default_rng([22, seed])
    power = sum(battery["power_mw"] for battery in case.site.batteries)
    for product in case.products:
        step, bid = product.get("step_mw", 1e-3), number(rng, 0.05, 0.5) * power
        bid = round(float(np.ceil(max(bid, product.get("min_bid_mw", 0.0)) / step - 1e-9) * step), 6)
        if bid <= product.get("max_mw", np.inf):
            product["bid_mw"] = bid
    return case


def with_regulation(case: ProductCase, seed: int) -> tuple[pd.DataFrame, Table]:
    """The series of a case with prices of regulation, and a strategy that sells it within the time left for calls."""
    rng = np.random.default_rng([99, seed])
    series, steps = case.site.series.copy(), len(case.site.series)
    names = [f"{row['name']}_activation{way}" for row in case.products for way in ("", "_up", "_down")]
    free = np.ones(steps) - sum((abs(series[name]) for name in names if name in series), np.zeros(steps))
    for way in ("up", "down"):
        series[f"regulation_{way}_price_per_mw"] = rng.uniform(0, 20, steps).round(2)
    options: Table = {"name": "frequency_regulation", "headroom_h": float(rng.choice([0.25, 0.5, 1.0]))}
    most = max(float(free.min()) - 1e-9, 0.0) / 2
    shares = rng.uniform(0, 0.3, 2)
    options |= {f"activation_{way}": min(share, most) for way, share in zip(("up", "down"), shares, strict=True)}
    if chance(rng, 0.5):
        options["block_h"] = float(rng.choice([1.0, 2.0, 4.0]))
    options["symmetric"] = chance(rng, 0.4)
    if chance(rng, 0.4):
        called = np.minimum(rng.uniform(0, 1, steps), np.maximum(free, 0.0))
        series["regulation_signal"] = called * rng.choice([-1.0, 1.0], steps)
    return series, options
