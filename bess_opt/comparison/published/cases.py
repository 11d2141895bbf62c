"""Published cases that fit inside the package: each as a scenario, and what of it was published."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from bess_opt.common.arrays import Array
from bess_opt.dispatch.optimize import optimize
from bess_opt.dispatch.simulate import simulate
from bess_opt.inputs.ageing_model import AgeingModel
from bess_opt.inputs.battery import Battery
from bess_opt.inputs.scenario import Scenario
from bess_opt.investment.lifetime.ageing import calendar_loss, rainflow_cycles

NO_LOSS = {"ac_to_dc": 1.0, "dc_to_ac": 1.0, "dc_to_dc": 1.0}
EIGHT_HOURS = (100.0, 50.0, 200.0, -100.0, 0.0, 200.0, 100.0, -100.0)
FIVE_HOURS = (10.0, -50.0, 200.0, -50.0, 200.0)
BLOCKS = ((30.0,) * 8 + (100.0,) * 8) * 3
RAINFLOW = (-2.0, 1.0, -3.0, 5.0, -1.0, 3.0, -4.0, 4.0, -2.0)
WINTER, SUMMER = (1, 2, 3, 10, 11, 12), (4, 5, 6, 7, 8, 9)


def energy_py_linear_site(prices: Sequence[float]) -> Scenario:
    """2 MW, 4 MWh, 0.90 on the charging side, start and end empty, hourly `prices` per MWh."""
    cells = {"eta_charge": 0.9, "eta_discharge": 1.0, "soc_min": 0.0, "soc_max": 1.0, "c_rate_max": 1.0}
    battery = Battery(power_mw=2.0, duration_h=2.0, technology=cells, converters=NO_LOSS, soc_start=0.0, soc_end=0.0)
    return Scenario(battery=battery, site={"time_zone": "UTC"}, series=_hourly(prices), strategy="arbitrage")


def hopp_site(prices: Sequence[float] = BLOCKS) -> Scenario:
    """50 MW, 200 MWh, SOC 10 to 90 %, start and end at 10 %, round trip 0.88 split evenly, blocks of 8 h."""
    cells = {"round_trip_efficiency": 0.88, "soc_min": 0.1, "soc_max": 0.9, "c_rate_max": 1.0}
    battery = Battery(power_mw=50.0, duration_h=4.0, technology=cells, converters=NO_LOSS, soc_start=0.1, soc_end=0.1)
    return Scenario(battery=battery, site={"time_zone": "UTC"}, series=_hourly(prices), strategy="arbitrage")


def ratchet_site() -> Scenario:
    """1 kW all year and 100 kW in one hour of January; 35 % of a peak is billed for 11 months."""
    index = pd.date_range("2017-01-01", "2018-01-01", freq="h", tz="UTC", inclusive="left")
    load = pd.Series(0.001, index=index)
    load.loc["2017-01-17 14:00"] = 0.1
    ratchet = {"share": 0.35, "months": 11}
    rows = [
        {"price_per_mw_month": 10_500.0, "months": WINTER, "ratchet": ratchet},
        {"price_per_mw_month": 11_500.0, "months": SUMMER, "ratchet": ratchet},
    ]
    return Scenario(
        battery={"power_mw": 0.01, "duration_h": 1.0},
        site={"time_zone": "UTC", "currency": "USD"},
        series=pd.DataFrame({"load_mw": load, "price_per_mwh": 0.0}),
        strategy="peak_shaving",
        tariff={"demand": rows},
    )


def energy_py_linear() -> dict[str, float]:
    """Profit of eight hours, net import of five others."""
    profit = optimize(energy_py_linear_site(EIGHT_HOURS)).metrics.net_revenue
    bought = -optimize(energy_py_linear_site(FIVE_HOURS)).schedule["grid_mw"].to_numpy()
    hours = {f"net import of hour {hour}": float(power) for hour, power in enumerate(bought, start=1)}
    return {"profit of 8 hours": profit} | hours


def hopp() -> dict[str, float]:
    """Three cycles of 160 MWh at the cells."""
    return {"revenue of 48 hours": optimize(hopp_site()).metrics.net_revenue}


def reopt_ratchet() -> dict[str, float]:
    """A year's demand charges with an idle battery."""
    idle = simulate(ratchet_site(), rule=lambda _state: 0.0)
    return {"demand charges of a year": idle.metrics.demand_charges}


def astm_rainflow() -> dict[str, float]:
    """Full cycles of each range."""
    counts = rainflow_cycles(np.array(RAINFLOW)).groupby("depth")["count"].sum()
    return {f"cycles of range {depth:g}": float(count) for depth, count in counts.items()}


def sam_calendar() -> dict[str, float]:
    """Capacity at 4.85 °C after an hour at 20 % and the rest at 90 %, in percent."""
    model, hours = AgeingModel(), (500, 1000, 200_000)
    soc: Array = np.where(np.arange(max(hours)) < 1, 0.2, 0.9)
    rate = model.calendar_rate(soc, 4.85)
    return {f"capacity after {h:,} h": 100.0 * (model.calendar_q0 - calendar_loss(rate[:h], 1.0)) for h in hours}


def _hourly(prices: Sequence[float]) -> pd.DataFrame:
    index = pd.date_range("2025-01-01", periods=len(prices), freq="h", tz="UTC")
    return pd.DataFrame({"price_per_mwh": list(prices)}, index=index, dtype=float)
