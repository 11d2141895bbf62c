"""Numbers that mean something else than their author thought are named, and sound ones are left alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.cases import IDEAL, LOSSLESS

import bess_opt as bo

TWO_DAYS = 48
YEAR = pd.date_range("2023-01-01", periods=8760, freq="h", tz="UTC")


def series(
    steps: int = TWO_DAYS, *, start: str = "2025-06-02", zone: str = "Europe/Berlin", **columns: Any
) -> pd.DataFrame:
    """Hourly prices around 60, and whatever else."""
    index = pd.date_range(start, periods=steps, freq="h", tz=zone)
    hour = index.hour.to_numpy()
    price = 60.0 + 30.0 * np.cos((hour - 19.0) / 24.0 * 2.0 * np.pi)
    return pd.DataFrame({"price_per_mwh": price} | columns, index=index)


def sun(steps: int = TWO_DAYS, noon: float = 12.5) -> np.ndarray:
    """A clear day, again and again."""
    return 5.0 * np.clip(np.cos((np.arange(steps) % 24 + 0.5 - noon) / 24.0 * 2.0 * np.pi), 0.0, None)


def scenario(frame: pd.DataFrame | None = None, **tables: Any) -> bo.Scenario:
    """A sound scenario of 2 MW, 8 MWh, but for `tables`."""
    battery = {"power_mw": 2.0, "duration_h": 4.0} | tables.pop("battery", {})
    given = {"strategy": "arbitrage"} | tables
    return bo.Scenario(battery=battery, series=series() if frame is None else frame, **given)


FLAT_TARIFF = {"energy": [{"price_per_mwh": 250.0}]}
NO_PRICE = ["price_per_mwh"]
CELLS = {"soc_min": 0.1, "soc_max": 0.9, "c_rate_max": 1.0}

ODD: dict[str, tuple[bo.Scenario, str, str]] = {
    "long_search": (scenario(series(100), strategy="cycling"), "solver.time_limit_s", "'cycling' over 100 steps"),
    "c_rate_high": (scenario(battery={"duration_h": 0.25, "technology": IDEAL}), "battery.duration_h", "C-rate of 4"),
    "c_rate_low": (scenario(battery={"duration_h": 6.0}), "battery.duration_h", "0.1667"),
    "duration_short": (scenario(battery={"duration_h": 0.75, "technology": "premium"}), "battery.duration_h", "0.75 h"),
    "duration_long": (scenario(battery={"duration_h": 12.0}), "battery.duration_h", "12 h"),
    "c_rate_limits_power": (scenario(battery={"duration_h": 1.0, "technology": "standard"}), "battery.power_mw", "0.5"),
    "power_above_export": (scenario(site={"export_limit_mw": 1.0}), "battery.power_mw", "at most 1 MW"),
    "power_above_import": (scenario(site={"import_limit_mw": 0.5}), "battery.power_mw", "at most 0.5 MW"),
    "round_trip_as_one_way": (
        scenario(battery={"technology": CELLS | {"eta_charge": 0.88, "eta_discharge": 0.88}}),
        "battery.technology.eta_charge", "0.7137",
    ),
    "converters_counted_twice": (
        scenario(battery={"technology": CELLS | {"round_trip_efficiency": 0.85}}), "battery.converters", "0.7834",
    ),
    "efficiency_low": (
        scenario(battery={"technology": CELLS | {"round_trip_efficiency": 0.5}}), "battery.technology", "0.4608",
    ),
    "converters_lossless": (scenario(battery={"converters": LOSSLESS}), "battery.converters", "0.93"),
    "lossless": (scenario(battery={"technology": IDEAL, "converters": LOSSLESS}), "battery.technology", "nothing"),
    "self_discharge_high": (scenario(battery={"self_discharge_per_h": 0.03}), "battery.self_discharge_per_h", "51.9% a day"),
    "wear_beside_replacement": (
        scenario(battery={"wear_cost_per_mwh": 5.0}, finance={"replacement_cost": 1e5, "replacement_year": 10}),
        "battery.wear_cost_per_mwh", "replacement_cost = 100000",
    ),
    "power_in_kw": (scenario(series(load_mw=3000.0)), "series.load_mw", "1500 times"),
    "solar_above_capacity": (scenario(series(solar_mw=sun()), site={"solar_capacity_mw": 3.0}), "site.solar_capacity_mw", "reaches 5"),
    "solar_at_night": (scenario(series(solar_mw=sun(noon=1.0))), "site.time_zone", "before 01:"),
    "not_a_year": (scenario(series(8759, start="2023-01-01", zone="UTC")), "series", "1 h shorter"),
    "prices_add_up": (scenario(tariff=FLAT_TARIFF), "tariff.energy", "add up"),
    "price_per_kwh": (scenario(series() / 1000.0), "series.price_per_mwh", "0.09"),
    "price_in_cents": (scenario(series() * 100.0), "series.price_per_mwh", "6000"),
    "demand_price_per_kw": (
        scenario(tariff={"demand": [{"price_per_mw_month": 7.0}]}), "tariff.demand[0].price_per_mw_month", "found 7",
    ),
    "capital_too_small": (scenario(finance={"capital_per_mw": 200.0}), "finance.capital_per_mw", "found 200"),
    "capital_too_large": (scenario(finance={"capital_per_mwh": 2e8}), "finance.capital_per_mwh", "2e+08"),
    "variable_om_large": (scenario(finance={"variable_om_per_mwh": 900.0}), "finance.variable_om_per_mwh", "900"),
    "export_above_import": (
        scenario(series(import_price_per_mwh=50.0, export_price_per_mwh=55.0).drop(columns=NO_PRICE)),
        "export price", "48 of 48 steps, first at 2025-06-02 00:00, by up to 5",
    ),
    "inverter_unused": (scenario(series(solar_mw=sun()), site={"inverter_mw": 5.0}), "site.inverter_mw", "parallel_ac"),
    "pv_inverter_unused": (scenario(series(solar_mw=sun()), site={"pv_inverter_mw": 5.0}), "site.pv_inverter_mw", "no array"),
    "dc_share_unused": (scenario(site={"dc_share": 0.5}), "site.dc_share", "parallel_ac"),
    "unserved_price_unused": (scenario(site={"unserved_price_per_mwh": 1e4}), "site.unserved_price_per_mwh", "no load"),
    "solar_column_unused": (
        scenario(series(solar_mw=sun(), solar_dc_mw=sun())), "series.solar_dc_mw", "both solar columns",
    ),
    "column_unused": (scenario(series(regulation_up_price_per_mw=5.0)), "series.regulation_up_price_per_mw", "arbitrage"),
    "rates_unused": (
        scenario(finance={"present_value_factor": 12.0, "discount_rate": 0.05}), "finance.present_value_factor", "discount_rate",
    ),
}  # fmt: skip


@pytest.mark.parametrize("code", ODD)
def test_what_is_odd_is_named(code: str) -> None:
    """Each code comes from the scenario made for it, at its key path, with the number that was found."""
    odd, where, number = ODD[code]
    (finding,) = [f for f in bo.validate(odd) if f.code == code]
    assert finding.where == where
    assert number in finding.found
    assert finding.expected
    assert finding.severity != "error"


@pytest.mark.parametrize("code", ODD)
def test_it_reaches_the_caller_of_a_plan(code: str) -> None:
    """The same finding is at `Dispatch.findings`, of the rule twin too (old tool's error 10)."""
    odd = ODD[code][0]
    if len(odd.series) > TWO_DAYS:
        odd = odd.replace(battery={"power_mw": odd.battery.power_mw})
    assert code in {finding.code for finding in bo.simulate(odd).findings}


@pytest.mark.parametrize("key", ["replacement_per_mw", "replacement_per_mwh"])
def test_wear_beside_a_replacement_by_size(key: str) -> None:
    """A replacement paid by the MW or the MWh stands for the same cells as one at a fixed sum."""
    odd = scenario(battery={"wear_cost_per_mwh": 5.0}, finance={key: 8e4, "replacement_year": 10})
    (finding,) = [f for f in bo.validate(odd) if f.code == "wear_beside_replacement"]
    assert f"{key} = 80000" in finding.found


def test_a_sound_scenario_has_no_finding() -> None:
    assert list(bo.validate(scenario())) == []
    assert list(bo.validate(scenario(series(solar_mw=sun(), load_mw=3.0), site={"import_limit_mw": 5.0}))) == []
    year = scenario(pd.DataFrame({"price_per_mwh": 50.0 + np.sin(np.arange(8760.0))}, index=YEAR))
    assert list(bo.validate(year)) == []


def test_a_leap_year_needs_its_day() -> None:
    """8,760 h from 1 January 2024 end on 30 December: worth a look, no warning."""
    (finding,) = bo.validate(scenario(series(8760, start="2024-01-01", zone="UTC")))
    assert (finding.code, finding.severity) == ("not_a_year", "recommendation")
    assert "24 h shorter" in finding.found
    assert list(bo.validate(scenario(series(8784, start="2024-01-01", zone="UTC")))) == []


def test_a_local_year_with_two_clock_changes_is_a_year() -> None:
    assert list(bo.validate(scenario(series(8760, start="2023-01-01")))) == []


def test_orders_of_magnitude_say_nothing_about_other_currencies() -> None:
    assert list(bo.validate(scenario(series() * 100.0, site={"currency": "JPY"}))) == []


def test_a_small_plant_is_no_mistake() -> None:
    """A home in kW, stated in MW, has small numbers everywhere."""
    home = series(load_mw=0.002, solar_mw=sun() / 1000.0)
    assert list(bo.validate(scenario(home, battery={"power_mw": 0.005}, site={"import_limit_mw": 0.02}))) == []


def test_a_tariff_in_cents_is_worth_a_look() -> None:
    of = scenario(series(load_mw=1.0).drop(columns=NO_PRICE), tariff={"energy": [{"price_per_mwh": 30.0}]})
    (finding,) = bo.validate(of)
    assert (finding.code, finding.severity) == ("price_in_cents", "recommendation")


def test_many_bids_of_least_size_are_a_long_search() -> None:
    """Two weeks of six blocks a day and two products; not where a larger gap is stated, or no bid has a least size."""
    frame = series(14 * 24).assign(fcr_price_per_mw=10.0, up_price_per_mw=5.0)
    rows = [{"name": name, "block_h": 4.0, "min_bid_mw": 0.1} for name in ("fcr", "up")]
    (found,) = [f for f in bo.validate(scenario(frame, product=rows)) if f.code == "long_search"]
    assert "168 blocks whose bids have a least size or step" in found.found
    free = [{"name": name, "block_h": 4.0} for name in ("fcr", "up")]
    for tables in ({"product": rows, "solver": {"rel_gap": 1e-3}}, {"product": free}):
        assert "long_search" not in {f.code for f in bo.validate(scenario(frame, **tables))}


def test_a_limit_on_a_long_search_leaves_nothing_to_recommend() -> None:
    """Nor does a horizon that is short enough."""
    for tables in ({"solver": {"time_limit_s": 10.0}}, {"frame": series(48)}):
        found = bo.validate(scenario(**({"frame": series(100)} | tables), strategy="cycling"))
        assert "long_search" not in {finding.code for finding in found}


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"min_bid_mw": 3.0}, "bids begin at 3 MW, and no block can hold more than 2 MW"),
        ({"direction": "up", "min_bid_mw": 5.0}, "bids begin at 5 MW, and no block can hold more than 4 MW"),
        (
            {"step_mw": 1.0, "share_of_power": 0.4},
            "bids begin at 1 MW, and no block can hold more than 0.8 MW",
        ),
        ({"block_h": 24.0, "hours": [0, 12]}, "bids begin at 0 MW, and no block can hold more than 0 MW"),
        ({"bid_mw": 2.5}, "found 2.5 MW, and at rest no block can hold more than 2 MW: the rule holds none"),
        (
            {"direction": "up", "bid_mw": 2.5},
            "found 2.5 MW, and at rest no block can hold more than 2 MW: the rule holds none",
        ),
        ({"bid_mw": 2.0}, ""),
        ({"min_bid_mw": 2.0}, ""),
        ({"direction": "up", "min_bid_mw": 4.0}, ""),
        ({"block_h": 4.0, "hours": [0, 12]}, ""),
    ],
)
def test_a_product_that_never_fits_is_named(row: dict[str, Any], words: str) -> None:
    """2 MW hold 2 MW in both directions, and 4 MW in one of them from the other end."""
    product = [{"name": "fcr", "headroom_h": 0.25} | row]
    found = bo.validate(scenario(series(fcr_price_per_mw=9.0), product=product))
    never = [finding.found for finding in found.warnings if finding.code == "product_never_fits"]
    assert never == ([words] if words else [])


@pytest.mark.parametrize(("groups", "alone"), [(("a", "a"), []), (("a", "b"), [0, 1]), (("a", None), [0])])
def test_a_group_of_one_product_is_named(groups: tuple[str, str | None], alone: list[int]) -> None:
    """One that no other product names excludes nothing: its name may be misspelt."""
    product = [{"name": name, "exclusive_group": group} for name, group in zip(("fcr", "slow"), groups, strict=True)]
    stated = [{key: value for key, value in row.items() if value is not None} for row in product]
    found = bo.validate(scenario(series(fcr_price_per_mw=9.0, slow_price_per_mw=5.0), product=stated)).warnings
    where = [finding.where for finding in found if finding.code == "product_group_of_one"]
    assert where == [f"product[{n}].exclusive_group" for n in alone]


@pytest.mark.parametrize(("least", "fits"), [(5.0, True), (5.1, False)])
def test_a_downward_bid_behind_an_inverter_reaches_further(least: float, fits: bool) -> None:
    """4 MW between full discharge and full charge at the port are 5 MW at the AC bus with 0.8 from it to the port."""
    product = [{"name": "fcr", "direction": "down", "min_bid_mw": least}]
    columns = {"fcr_price_per_mw": 9.0, "solar_mw": 0.0}
    battery = {"topology": "series_dc", "converters": {"ac_to_dc": 0.8}}
    found = bo.validate(scenario(series(**columns), battery=battery, product=product))
    assert ("product_never_fits" not in {finding.code for finding in found}) == fits
