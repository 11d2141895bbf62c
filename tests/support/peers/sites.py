"""Random sites: one to three batteries, every topology, limits over time, clauses, outages, negative prices and load."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from support.peers.plant_program import SiteCase, Table
from support.peers.rates import Row

ZONES = ["Europe/Berlin", "America/New_York", "UTC", "Australia/Adelaide"]


def chance(rng: np.random.Generator, share: float) -> bool:
    return bool(rng.random() < share)


def number(rng: np.random.Generator, low: float, high: float, digits: int = 2) -> float:
    return round(float(rng.uniform(low, high)), digits)


def random_end(rng: np.random.Generator, low: float, high: float) -> Any:
    kind = int(rng.integers(7))
    between = number(rng, low, high)
    ends = ["at_least_start", "equal", "free", between, {"value_per_mwh": number(rng, -10, 120)}]
    return [*ends, {"at_least": between}, {"at_most": between}][kind]


def random_battery(rng: np.random.Generator, topology: str, shared: Table) -> Table:
    low, high = number(rng, 0.0, 0.15), number(rng, 0.8, 1.0)
    own = shared if topology != "parallel_ac" else {key: number(rng, 0.9, 1.0) for key in shared}
    battery: Table = {
        "power_mw": number(rng, 0.3, 2.5),
        "duration_h": number(rng, 0.5, 4.0, 1),
        "technology": {
            "eta_charge": number(rng, 0.88, 1.0),
            "eta_discharge": number(rng, 0.88, 1.0),
            "soc_min": low,
            "soc_max": high,
            "c_rate_max": number(rng, 0.25, 2.5),
        },
        "topology": topology,
        "converters": dict(own),
        "soc_end": random_end(rng, low, high),
    }
    if chance(rng, 0.7):
        battery["soc_start"] = number(rng, low, high)
    if chance(rng, 0.3):
        battery["charge_power_mw"] = number(rng, 0.2, 3.0)
    if chance(rng, 0.3):
        battery["wear_cost_per_mwh"] = number(rng, 0, 25)
    if chance(rng, 0.3):
        battery["self_discharge_per_h"] = number(rng, 0, 0.01, 4)
    if chance(rng, 0.3):
        battery["auxiliary_mw"] = number(rng, 0, 0.1)
    return battery


def random_batteries(rng: np.random.Generator) -> list[Table]:
    count = int(rng.choice([1, 1, 2, 2, 3]))
    coupled = str(rng.choice(["series_dc", "hybrid"]))
    shared = {"ac_to_dc": number(rng, 0.92, 1.0), "dc_to_ac": number(rng, 0.92, 1.0)}
    batteries = []
    for at in range(count):
        topology = coupled if chance(rng, 0.5) else "parallel_ac"
        battery = random_battery(rng, topology, shared | {"dc_to_dc": number(rng, 0.94, 1.0)})
        if count > 1:
            battery["name"] = ["north", "south", "west"][at]
        batteries.append(battery)
    return batteries


def random_prices(rng: np.random.Generator, series: pd.DataFrame, tariff: Table) -> None:
    steps = len(series)
    prices = np.round(rng.normal(45, 60, steps), 2)
    if chance(rng, 0.6):
        series["price_per_mwh"] = prices
        return
    series["import_price_per_mwh"] = prices
    kind = int(rng.integers(3))
    if kind == 0:
        series["export_price_per_mwh"] = np.round(prices - rng.uniform(-20, 40, steps), 2)  # at times above import
    else:
        tariff["export"] = number(rng, -20, 80) if kind == 1 else "none"


def random_site(rng: np.random.Generator, batteries: list[Table]) -> Table:
    site: Table = {}
    coupled = [battery["topology"] for battery in batteries if battery["topology"] != "parallel_ac"]
    if coupled and chance(rng, 0.75):
        site["inverter_mw"] = number(rng, 0.6, 4)
    if "hybrid" in coupled:
        site["dc_share"] = number(rng, 0, 1)
    for key in ("import_limit_mw", "export_limit_mw"):
        if chance(rng, 0.5):
            site[key] = number(rng, 0.3, 5)
    if chance(rng, 0.3):
        site["grid_charging"] = False
    if chance(rng, 0.4):
        site["battery_export"] = [False, "strict"][int(rng.integers(2))]
    if chance(rng, 0.15):
        site["curtailment"] = False
    if chance(rng, 0.5):
        site["unserved_price_per_mwh"] = number(rng, 50, 3000)
    return site


def limits_over_time(rng: np.random.Generator, series: pd.DataFrame, batteries: list[Table]) -> None:
    steps = len(series)
    for key in ("import_limit_mw", "export_limit_mw"):
        if chance(rng, 0.25):
            series[key] = np.round(rng.uniform(0.2, 5, steps), 2)
    for battery in batteries:
        prefix = f"{battery['name']}." if "name" in battery else ""
        nameplate = battery["power_mw"] * battery["duration_h"]
        low, high = (battery["technology"][key] * nameplate for key in ("soc_min", "soc_max"))
        for key in ("charge_limit_mw", "discharge_limit_mw"):
            if chance(rng, 0.2):
                series[prefix + key] = np.round(rng.uniform(0, 2, steps), 2)
        if chance(rng, 0.2):
            series[prefix + "energy_min_mwh"] = np.round(rng.uniform(0, low + 0.35 * (high - low), steps), 3)
        if chance(rng, 0.2):
            series[prefix + "energy_max_mwh"] = np.round(rng.uniform(low + 0.5 * (high - low), nameplate, steps), 3)
        if chance(rng, 0.2):
            series[prefix + "drawn_mw"] = np.round(rng.uniform(0, 0.15, steps) * (rng.random(steps) < 0.4), 3)


def random_clause(rng: np.random.Generator, series: pd.DataFrame, at: int) -> Row:
    clause: Row = {"name": f"clause {at}"}
    kind = str(rng.choice(["export", "import", "both", "ramp"]))
    if kind in ("export", "both"):
        clause["export_mw"] = number(rng, 0, 2.5)
    if kind in ("import", "both"):
        clause["import_mw"] = number(rng, 0.1, 2.5)
    if kind == "ramp":
        clause["ramp_mw_per_min"] = number(rng, 0.01, 0.08, 3)
        if chance(rng, 0.4):
            clause["before_mw"] = number(rng, -1, 1)
    elif chance(rng, 0.6):
        clause["overrun_price_per_mwh"] = number(rng, 0, 150)
    if chance(rng, 0.5):
        low, high = sorted(int(hour) for hour in rng.choice(np.arange(1, 24), size=2, replace=False))
        clause["hours"] = [low, high] if chance(rng, 0.6) else [[high, 24], [0, low]]
    if chance(rng, 0.3):
        clause["days"] = ["weekday", "weekend", ["saturday", "sunday"], ["weekday"]][int(rng.integers(4))]
    if chance(rng, 0.2):
        clause["months"] = [int(series.index[0].month), int(series.index[0].month) % 12 + 1]
    if chance(rng, 0.3):
        name = "price_per_mwh" if "price_per_mwh" in series else "import_price_per_mwh"
        clause["when"] = {"series": name, "below": number(rng, 0, 90)}
        if chance(rng, 0.4):
            clause["when"]["above"] = number(rng, -60, 0)
    return clause


def random_outages(rng: np.random.Generator, case: SiteCase) -> list[Table]:
    steps = len(case.series)
    length = int(rng.integers(1, 5))
    first = int(rng.integers(1, steps - length))
    outage: Table = {"start": case.series.index[first].isoformat(), "hours": length * case.step_h}
    if chance(rng, 0.7):
        outage["critical_share"] = number(rng, 0, 0.8)
    return [outage]


def random_caps(rng: np.random.Generator, step_h: float, index: pd.DatetimeIndex) -> list[Table]:
    caps = []
    for _ in range(int(rng.integers(1, 3))):
        cap: Table = {"count": number(rng, 0.1, 1.2)}
        kind = str(rng.choice(["day", "month", "year", "horizon", "hours"]))
        if kind == "hours":
            cap["hours"] = number(rng, 1, 8) if chance(rng, 0.3) else step_h * int(rng.integers(1, 12))
            cap["hours"] = max(cap["hours"], step_h)
        else:
            cap["per"] = kind
        if kind == "year" and chance(rng, 0.5):
            cap["begins"] = (index[0] + pd.Timedelta(days=int(rng.integers(0, 3)))).strftime("%m-%d")
        if chance(rng, 0.4):
            cap["used"] = number(rng, 0, 1.3)
        if chance(rng, 0.4):
            cap["counts"] = "charged"
        caps.append(cap)
    return caps


def random_wear(rng: np.random.Generator) -> Table:
    count = int(rng.integers(1, 7))
    depths = sorted(number(rng, 0.02, 0.98) for _ in range(count - 1))
    depths = [round(depth + 0.001 * at, 3) for at, depth in enumerate(depths)]
    prices = sorted(number(rng, 0, 60) for _ in range(count))
    if chance(rng, 0.3):
        prices[0] = 0.0
    return {"depth": [*depths, 1.0], "cost_per_mwh": prices}


def random_worn_case(seed: int, *, drawn: bool = False, **built: bool) -> SiteCase:
    """A random site whose batteries have caps on cycles, wear by depth, or both."""
    case = random_site_case(seed, **built)
    if not drawn:
        case.series = case.series.drop(columns=[name for name in case.series if name.endswith("drawn_mw")])
    rng = np.random.default_rng(seed + 5 * 10**6)
    if chance(rng, 0.5):
        case.clauses = []
    for battery in case.batteries:
        kind = str(rng.choice(["caps", "wear", "both"]))
        if kind != "wear":
            caps = random_caps(rng, case.step_h, case.series.index)
            battery["max_cycles"] = caps if len(caps) > 1 or chance(rng, 0.3) else caps[0]
        if kind != "caps":
            battery.pop("wear_cost_per_mwh", None)
            battery["wear"] = random_wear(rng)
    return case


def random_site_case(
    seed: int, *, outages: bool = False, negative_load: bool = False, bounded_ends: bool = False
) -> SiteCase:
    """A site of up to 30 steps."""
    rng = np.random.default_rng(seed)
    zone = str(rng.choice(ZONES))
    step = int(rng.choice([15, 30, 60]))
    steps = int(rng.integers(8, 31))
    day = pd.Timestamp(
        str(rng.choice(["2025-03-30", "2025-10-26", "2024-02-29", "2025-07-05", "2024-12-31", "2025-11-02"]))
    )
    start = day.tz_localize(zone) + pd.Timedelta(hours=int(rng.integers(0, 20)))
    index = pd.date_range(start, periods=steps, freq=f"{step}min", name="time")
    series = pd.DataFrame(index=index)
    batteries = random_batteries(rng)
    tariff: Table = {}
    random_prices(rng, series, tariff)
    if chance(rng, 0.7):
        low = -1.0 if chance(rng, 0.4) else 0.0
        series["load_mw"] = np.round(rng.uniform(low, 2.5, steps), 3)
    coupled = any(battery["topology"] != "parallel_ac" for battery in batteries)
    if coupled or chance(rng, 0.7):
        name = "solar_dc_mw" if coupled and chance(rng, 0.5) else "solar_mw"
        series[name] = np.round(np.maximum(rng.uniform(-1, 4, steps), 0), 3)
    if "load_mw" in series and not negative_load:
        series["load_mw"] = series["load_mw"].abs()
    for battery in batteries:
        if not bounded_ends and isinstance(battery["soc_end"], dict) and "value_per_mwh" not in battery["soc_end"]:
            battery["soc_end"] = "free"
    site = random_site(rng, batteries)
    if "solar_dc_mw" in series and chance(rng, 0.4):
        site["pv_inverter_mw"] = number(rng, 0.5, 3)
    limits_over_time(rng, series, batteries)
    case = SiteCase(series=series, batteries=batteries, site=site, tariff=tariff)
    if chance(rng, 0.25):
        case.finance = {"variable_om_per_mwh": number(rng, 0, 8)}
    if chance(rng, 0.5):
        case.clauses = [random_clause(rng, series, at) for at in range(int(rng.integers(1, 4)))]
    if outages:
        case.outages = random_outages(rng, case)
    return case


def random_outside_case(seed: int, **built: bool) -> SiteCase:
    """A random site with batteries that start outside their window; nothing can be shed or overrun for money."""
    case = random_site_case(seed, **built)
    rng = np.random.default_rng(seed + 7 * 10**6)
    case.site.pop("unserved_price_per_mwh", None)
    case.clauses = [clause for clause in case.clauses if "overrun_price_per_mwh" not in clause]
    columns = [name for name in case.series if name.endswith(("energy_min_mwh", "energy_max_mwh", "drawn_mw"))]
    case.series = case.series.drop(columns=columns)
    for battery in case.batteries:
        low, high = number(rng, 0.08, 0.25), number(rng, 0.7, 0.92)
        battery["technology"] |= {"soc_min": low, "soc_max": high}
        if chance(rng, 0.7):
            battery["soc_start"] = number(rng, 0, low) if chance(rng, 0.5) else number(rng, high, 1)
        else:
            battery["soc_start"] = number(rng, low, high)
        if not isinstance(battery["soc_end"], str | dict):
            battery["soc_end"] = number(rng, low, high)
    return case
