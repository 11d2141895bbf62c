"""What other tools call the same battery, and that the worth of a convention is what a scenario of it gives."""

from __future__ import annotations

from math import sqrt

import pandas as pd
import pytest
from support.cases import case

import bess_opt as bo
from bess_opt.comparison.convention import EVENLY
from bess_opt.comparison.other_tools import PARAMETERS, TOOLS

PRICES = [10.0, 20.0, 5.0, 90.0, 80.0, 30.0, 15.0, 60.0] * 3
CELLS = {"eta_charge": 0.95, "eta_discharge": 0.9, "soc_min": 0.1, "soc_max": 0.9, "c_rate_max": 5.0}
CONVERTERS = {"ac_to_dc": 0.97, "dc_to_ac": 0.94, "dc_to_dc": 1.0}
BATTERY = {
    "technology": CELLS,
    "converters": CONVERTERS,
    "soc_start": 0.5,
    "soc_end": "equal",
    "wear_cost_per_mwh": 2.0,
}


def own() -> bo.Scenario:
    return case(price_per_mwh=PRICES, battery=BATTERY).scenario()


def worth(eta_charge: float, eta_discharge: float) -> float:
    """Net revenue of a battery whose cells alone have these efficiencies."""
    cells = CELLS | {"eta_charge": eta_charge, "eta_discharge": eta_discharge}
    converters = dict.fromkeys(CONVERTERS, 1.0)
    return bo.optimize(own().replace(battery={"technology": cells, "converters": converters})).metrics.net_revenue


def test_without_a_scenario_it_is_a_table_of_names() -> None:
    """One row per tool, every parameter named, every row with its source, nothing solved."""
    table = bo.convention()
    assert list(table.index) == ["bess_opt", "PyPSA", "REopt", "DER-VET", "SAM", "energy-py-linear"]
    assert list(table.columns) == [*PARAMETERS, "source"]
    assert (table != "").all(axis=None)
    assert table.loc["DER-VET", "efficiency"] == "rte [%]"
    assert table.loc["energy-py-linear", "boundary"].startswith("all on charging")


def test_each_tool_is_the_scenario_with_its_efficiencies() -> None:
    """The same round trip, 0.779589, in five places: the worth is that of a scenario that states it so."""
    table = bo.convention(own())
    whole = 0.95 * 0.9 * 0.97 * 0.94
    cells = sqrt(0.95 * 0.9)
    expected = {
        "bess_opt": (0.95 * 0.97, 0.9 * 0.94),
        "PyPSA": (0.95 * 0.97, 0.9 * 0.94),
        "REopt": (0.97 * cells, 0.94 * cells),
        "DER-VET": (whole, 1.0),
        "energy-py-linear": (whole, 1.0),
        EVENLY: (sqrt(whole), sqrt(whole)),
    }
    for tool, (eta_charge, eta_discharge) in expected.items():
        row = table.loc[tool]
        assert (row["eta_charge"], row["eta_discharge"]) == pytest.approx((eta_charge, eta_discharge)), tool
        assert row["eta_charge"] * row["eta_discharge"] == pytest.approx(whole), tool
        assert row["net_revenue"] == pytest.approx(worth(eta_charge, eta_discharge), rel=1e-9), tool
        assert row["difference"] == pytest.approx(row["net_revenue"] - table.loc["bess_opt", "net_revenue"]), tool
    assert table.loc["PyPSA", "difference"] == 0.0
    assert table.loc["DER-VET", "share"] > 0.005
    assert table.loc["DER-VET", "share"] == table.loc["DER-VET", "difference"] / abs(
        table.loc["bess_opt", "net_revenue"]
    )
    assert set(table["note"]) == {""}


def test_power_at_the_cells_is_more_at_the_port_while_charging_and_less_after() -> None:
    """1 MW at the DC terminals: 1/0.97 MW from the bus while charging, 0.94 MW to it while discharging."""
    row = bo.convention(own()).loc["SAM"]
    assert row["charge_max_mw"] == pytest.approx(1 / 0.97)
    assert row["discharge_max_mw"] == pytest.approx(0.94)
    assert row["net_revenue"] != pytest.approx(bo.convention(own()).loc["REopt", "net_revenue"], rel=1e-6)


def test_values_stand_in_each_tools_units() -> None:
    """1 MW, 2 h, window 10 to 90 %: kW, percent and usable energy where the tool has them."""
    table = bo.convention(own())
    assert table.loc["REopt", "power"].endswith("= 1000")
    assert table.loc["PyPSA", "energy"] == "p_nom · max_hours, all of it usable; max_hours [h] = 1.6"
    assert table.loc["DER-VET", "efficiency"] == "rte [%] = 77.9589"
    assert table.loc["DER-VET", "start"].endswith("= 55.5556")
    assert table.loc["energy-py-linear", "energy"].endswith("= 1.6")
    assert table.loc["energy-py-linear", "start"].endswith("= 0.8")
    assert table.loc["bess_opt", "end"].endswith("= equal")
    priced = own().replace(battery={"soc_end": {"value_per_mwh": 31.0}})
    assert bo.convention(priced).loc["bess_opt", "end"].endswith("= 31 per MWh")
    for tool in TOOLS.values():
        assert set(tool.cells) == set(PARAMETERS)


def test_a_convention_without_a_plan_is_said_and_ones_own_must_have_one() -> None:
    """An end that is just in reach with 0.95 while charging is not with the whole round trip there."""
    cells = CELLS | {"eta_charge": 0.95, "soc_min": 0.0, "soc_max": 1.0}
    start = {"soc_start": 0.0, "power_mw": 1.0, "duration_h": 10.0, "converters": dict.fromkeys(CONVERTERS, 1.0)}
    tight = case(price_per_mwh=[10.0] * 4, battery=BATTERY | start | {"technology": cells, "soc_end": 0.379})
    table = bo.convention(tight.scenario())
    assert table.loc["bess_opt", "note"] == ""
    assert pd.isna(table.loc["DER-VET", "net_revenue"])
    assert "soc_end" in table.loc["DER-VET", "note"]
    with pytest.raises(bo.InfeasibleError, match="soc_end"):
        bo.convention(tight.but(battery={"soc_end": 0.5}).scenario())
