"""Published cases whose data are too large for the package; they are read from a folder of the user's."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from bess_opt.comparison.published.cases import NO_LOSS
from bess_opt.inputs.readers.read_series import read_load
from bess_opt.inputs.readers.tariffs.read_tariff import read_tariff
from bess_opt.inputs.scenario import Scenario
from bess_opt.investment.sizing.size import size
from bess_opt.plant.money import pjm_credit

DERVET_FILES = ("dervet_site/hourly_timeseries_ref_wholesale_es.csv", "dervet_site/tariff.csv")
PJM_FILES = ("regulation_pjm/pjm_reg_hourly_jan2017_prices_mileage_credit.csv",)
PRESENT_VALUE = sum((1.022 / 1.06) ** year for year in range(20))  # of every yearly amount
CAPITAL = {"capital_per_mw": 800e3, "capital_per_mwh": 250e3, "fixed_om_per_mw_year": 10e3}
CELLS = {"eta_charge": 0.91, "eta_discharge": 1.0, "soc_min": 0.0, "soc_max": 1.0, "c_rate_max": 1.0}


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
