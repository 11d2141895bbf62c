"""Published cases that fit inside the package: each as a scenario, and what of it was published."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from bess_opt.common.arrays import Array
from bess_opt.dispatch.optimize import optimize
from bess_opt.dispatch.simulate import simulate
from bess_opt.inputs.battery import Battery
from bess_opt.inputs.readers.read_series import read_load
from bess_opt.inputs.readers.tariffs.read_tariff import read_tariff
from bess_opt.inputs.scenario import Scenario
from bess_opt.inputs.technologies.ageing_model import AgeingModel
from bess_opt.investment.lifetime.ageing import calendar_loss, rainflow_cycles
from bess_opt.investment.sizing.size import size
from bess_opt.plant.money import pjm_credit

NO_LOSS = {"ac_to_dc": 1.0, "dc_to_ac": 1.0, "dc_to_dc": 1.0}
EIGHT_HOURS = (100.0, 50.0, 200.0, -100.0, 0.0, 200.0, 100.0, -100.0)
FIVE_HOURS = (10.0, -50.0, 200.0, -50.0, 200.0)
BLOCKS = ((30.0,) * 8 + (100.0,) * 8) * 3
RAINFLOW = (-2.0, 1.0, -3.0, 5.0, -1.0, 3.0, -4.0, 4.0, -2.0)
WINTER, SUMMER = (1, 2, 3, 10, 11, 12), (4, 5, 6, 7, 8, 9)

DERVET_FILES = ("dervet_site/hourly_timeseries_ref_wholesale_es.csv", "dervet_site/tariff.csv")
PJM_FILES = ("regulation_pjm/pjm_reg_hourly_jan2017_prices_mileage_credit.csv",)
PRESENT_VALUE = sum((1.022 / 1.06) ** year for year in range(20))  # of every yearly amount
CAPITAL = {"capital_per_mw": 800e3, "capital_per_mwh": 250e3, "fixed_om_per_mw_year": 10e3}
CELLS = {"eta_charge": 0.91, "eta_discharge": 1.0, "soc_min": 0.0, "soc_max": 1.0, "c_rate_max": 1.0}


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


def dervet_site(folder: Path, power_kw: float, energy_kwh: float) -> Scenario:
    """DER-VET's site: a year of load, its tariff, 0.91 on the charging side, full at start and end.

    Stamps are the ends of hours on the standard clock: with daylight saving the bill is 0.56 % off.
    """
    series, rates = (folder / name for name in DERVET_FILES)
    return Scenario(
        battery={
            "power_mw": power_kw / 1000.0,
            "duration_h": energy_kwh / power_kw,
            "technology": CELLS,
            "converters": NO_LOSS,
            "soc_start": 1.0,
            "soc_end": 1.0,
        },
        site={"time_zone": "Etc/GMT+8", "currency": "USD"},
        series=read_load(series, column="Site Load", clock="Etc/GMT+8"),
        strategy="peak_shaving",
        tariff=read_tariff(rates, export="same"),
        finance=CAPITAL | {"present_value_factor": PRESENT_VALUE},
    )


def dervet(folder: Path) -> dict[str, float]:
    """Best size in whole kW and kWh, and the present value of each cost."""
    scenario = dervet_site(folder, 1000.0, 4000.0)
    best = size(scenario, power_mw=(0.1, 5.0), duration_h=(0.5, 12.0), power_step_mw=0.001, energy_step_mwh=0.001)
    costs = best.costs
    return {
        "power": best.power_mw * 1000.0,
        "energy": best.energy_mwh * 1000.0,
        "energy bill": costs["energy_bill"],
        "demand charges": costs["demand_charges"],
        "fixed O&M": costs["fixed_om"],
        "capital": costs["capital"],
        "total": costs["total"],
    }


def pjm_settlement(folder: Path) -> dict[str, float]:
    """A month's credits. The file's MW are effective ones: the score is in them already and counts as 1."""
    hours = pd.read_csv(folder / PJM_FILES[0])
    mw, ratio = hours["integrated_mw"], hours["mileage_ratio"]
    capability, performance = hours["rmccp"], hours["rmpcp"]
    return {
        f"credits of {len(hours)} hours": float(pjm_credit(mw, 1.0, capability, ratio, performance).sum()),
        "capability part": float(pjm_credit(mw, 1.0, capability, ratio, 0.0).sum()),
        "performance part": float(pjm_credit(mw, 1.0, 0.0, ratio, performance).sum()),
    }
