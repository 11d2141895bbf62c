"""The frozen tables: what they take, and the sentence for everything they refuse."""

from __future__ import annotations

import copy
import importlib
import pickle
import re
from collections.abc import Callable, Iterator
from math import inf, nan, sqrt
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from bess_opt.common.input_table import Table, read_table
from bess_opt.inputs.battery import Battery, EndValue
from bess_opt.inputs.finance import Finance
from bess_opt.inputs.site import Site
from bess_opt.inputs.solver_options import SolverOptions
from bess_opt.inputs.tariff import DemandRate, EnergyRate, Ratchet, Tariff
from bess_opt.inputs.technologies import Converters, Technology, technologies, topologies

Problems = Callable[..., list[str]]
SIZE: dict[str, Any] = {"power_mw": 2, "duration_h": 4}
CELLS = {"eta_charge": 0.9, "eta_discharge": 0.8, "soc_min": 0.1, "soc_max": 0.9, "c_rate_max": 1}


def test_battery_defaults() -> None:
    battery = Battery(**SIZE)
    assert battery.energy_mwh == 8.0
    assert battery.technology == "modern_lfp"
    assert battery.topology == "parallel_ac"
    assert battery.converters == Converters(ac_to_dc=0.96, dc_to_ac=0.96, dc_to_dc=0.99)
    assert battery.soc_start is None
    assert battery.soc_start_resolved == pytest.approx((0.10 + 0.95) / 2)
    assert battery.soc_end == "at_least_start"
    assert Battery(**SIZE, soc_start=0.2).soc_start_resolved == 0.2
    assert (battery.wear_cost_per_mwh, battery.max_cycles_per_day, battery.auxiliary_mw) == (0, None, 0)


@pytest.mark.parametrize(
    ("key", "round_trip", "window", "c_rate"),
    [
        ("standard", 0.90, (0.20, 0.90), 0.5),
        ("modern_lfp", 0.93, (0.10, 0.95), 1.0),
        ("premium", 0.95, (0.05, 0.95), 2.0),
    ],
)
def test_built_in_technologies(key: Any, round_trip: float, window: tuple[float, float], c_rate: float) -> None:
    tech = Battery(**SIZE, technology=key).tech
    assert tech.eta_charge == tech.eta_discharge == sqrt(round_trip)
    assert (tech.soc_min, tech.soc_max, tech.c_rate_max) == (*window, c_rate)
    row = technologies().loc[key]
    assert (row["round_trip_efficiency"], row["soc_min"], row["soc_max"]) == (round_trip, *window)
    assert row["c_rate_max_per_h"] == c_rate
    assert row["source"]


def test_topologies_are_paths() -> None:
    """Figures of the requirements; a penalty factor in their place would not reproduce them."""
    table = topologies()
    assert table.index.tolist() == ["parallel_ac", "series_dc", "hybrid"]
    assert table.loc["parallel_ac", "eta_ac_solar_battery_grid"] == pytest.approx(0.96**3)
    assert table.loc["parallel_ac", "eta_grid_battery_grid"] == pytest.approx(0.96**2)
    assert table.loc["series_dc", "eta_dc_solar_battery_grid"] == pytest.approx(0.99**2 * 0.96)
    assert table.loc["series_dc", "eta_grid_battery_grid"] == pytest.approx((0.96 * 0.99) ** 2)
    assert np.isnan(table.loc["series_dc", "eta_ac_solar_battery_grid"])
    lossless = topologies(Converters(ac_to_dc=1, dc_to_ac=1, dc_to_dc=1))
    assert (lossless.filter(like="eta_").stack().dropna() == 1).all()


def test_custom_technology() -> None:
    assert Battery(**SIZE, technology=CELLS).tech == Technology(**CELLS)
    cells = {key: value for key, value in CELLS.items() if not key.startswith("eta")}
    tech = Battery(**SIZE, technology={**cells, "round_trip_efficiency": 0.81}).tech
    assert (tech.eta_charge, tech.eta_discharge) == (0.9, 0.9)


def test_numpy_scalars_and_whole_numbers_are_numbers() -> None:
    battery = Battery(power_mw=np.int64(3), duration_h=np.float32(2))
    assert (battery.power_mw, battery.duration_h) == (3.0, 2.0)
    assert isinstance(battery.power_mw, float)


POWER = "rated power at the port, both directions"
BATTERY_ERRORS: list[tuple[dict[str, Any], str]] = [
    ({"power_mw": 0}, f"battery.power_mw: found 0; give a number > 0 MW ({POWER})"),
    ({"power_mw": "3"}, f"battery.power_mw: found '3'; give a number > 0 MW ({POWER})"),
    ({"power_mw": True}, f"battery.power_mw: found True; give a number > 0 MW ({POWER})"),
    ({"power_mw": nan}, f"battery.power_mw: found nan; give a number > 0 MW ({POWER})"),
    ({"power_mw": inf}, f"battery.power_mw: found inf; give a number > 0 MW ({POWER})"),
    ({"power_mw": None}, f"battery.power_mw: found None; give a number > 0 MW ({POWER})"),
    ({"power_mw": np.array([1.0, 2.0])}, f"battery.power_mw: found array([1., 2.]); give a number > 0 MW ({POWER})"),
    ({"duration_h": -1}, "battery.duration_h: found -1; give a number > 0 h (nameplate energy over rated power)"),
    ({"powr_mw": 1}, "battery.powr_mw: unknown key 'powr_mw'; did you mean 'power_mw'?"),
    (
        {"technology": "modern_lpf"},
        "battery.technology: found 'modern_lpf'; did you mean 'modern_lfp'? ('standard', 'modern_lfp', 'premium')",
    ),
    ({"technology": 3}, "battery.technology: found 3; one of 'modern_lfp', 'premium', 'standard'"),
    (
        {"technology": {**CELLS, "soc_min": 0.9}},
        "battery.technology.soc_min: soc_min 0.9 is not below soc_max 0.9; give soc_min < soc_max",
    ),
    (
        {"technology": {**CELLS, "eta_charge": 1.01}},
        "battery.technology.eta_charge: found 1.01; give a number > 0 and <= 1 "
        "(one-way efficiency of the cells while charging)",
    ),
    (
        {"technology": {**CELLS, "round_trip_efficiency": 0.9}},
        "battery.technology.round_trip_efficiency: stands beside eta_charge and eta_discharge; "
        "give either it or both one-way efficiencies",
    ),
    (
        {"technology": {"round_trip_efficiency": 90}},
        "battery.technology.round_trip_efficiency: found 90; "
        "give a number > 0 and <= 1 (efficiency of one full cycle of the cells)",
    ),
    ({"topology": "dc"}, "battery.topology: found 'dc'; one of 'hybrid', 'parallel_ac', 'series_dc'"),
    (
        {"converters": {"ac_to_dc": 0}},
        "battery.converters.ac_to_dc: found 0; give a number > 0 and <= 1 (AC to DC, one way)",
    ),
    ({"converters": 0.9}, "battery.converters: found 0.9; give a table with one-way efficiencies of the power electronics"),
    (
        {"soc_end": 0.96},
        "battery.soc_end: found 0.96; give a state of charge from 0.1 to 0.95, the technology's window",
    ),
    (
        {"soc_end": "eqal"},
        "battery.soc_end: found 'eqal'; did you mean 'equal'? ('at_least_start', 'equal', 'free')",
    ),
    (
        {"soc_end": True},
        'battery.soc_end: found True; give "at_least_start", "equal", "free", a state of charge 0 to 1 (equality), '
        "{at_least, at_most} states of charge, or {value_per_mwh = money per MWh in store at the end}",
    ),
    (
        {"soc_end": {"value_per_mwh": "x"}},
        "battery.soc_end.value_per_mwh: found 'x'; give a number currency/MWh "
        "(money per MWh in store, on the change since the start)",
    ),
    (
        {"wear_cost_per_mwh": -1},
        "battery.wear_cost_per_mwh: found -1; give a number >= 0 currency/MWh "
        "(shadow price for dispatch per MWh discharged, not cash)",
    ),
    (
        {"max_cycles_per_day": 0},
        "battery.max_cycles_per_day: found 0; give a number > 0 1/day (warranty: full equivalent cycles per local day)",
    ),
    (
        {"self_discharge_per_h": 1},
        "battery.self_discharge_per_h: found 1; give a number >= 0 and < 1 1/h (share of the stored energy lost per hour)",
    ),
    ({"auxiliary_mw": -1}, "battery.auxiliary_mw: found -1; give a number >= 0 MW (constant own demand, met like load)"),
]  # fmt: skip


@pytest.mark.parametrize(("values", "sentence"), BATTERY_ERRORS, ids=lambda value: str(value)[:40])
def test_wrong_batteries(values: dict[str, Any], sentence: str, problems: Problems) -> None:
    found = problems(Battery, **(SIZE | values))
    assert found[0] == sentence


def test_all_problems_of_a_table_come_at_once(problems: Problems) -> None:
    found = problems(Battery, duration_h="4", topology="x", soc_end=[], colour="red")
    assert [sentence.split(":")[0] for sentence in found] == [
        "battery.power_mw",
        "battery.duration_h",
        "battery.topology",
        "battery.soc_end",
        "battery.colour",
    ]
    assert found[0] == f"battery.power_mw: is missing; give a number > 0 MW ({POWER})"


def test_values_need_keys(problems: Problems) -> None:
    assert problems(SolverOptions, 3) == [
        "solver: found 1 values without a key; name each value: time_limit_s, rel_gap, threads, seed, engine"
    ]


OTHER_ERRORS: list[tuple[type[Table], dict[str, Any], str]] = [
    (Technology, {**CELLS, "c_rate_max": 0}, "technology.c_rate_max: found 0; give a number > 0 1/h (power at the cells"),
    (Technology, {**CELLS, "soc_max": 1.1}, "technology.soc_max: found 1.1; give a number > 0 and <= 1 (highest"),
    (EndValue, {}, "soc_end.value_per_mwh: is missing; give a number currency/MWh (money per MWh"),
    (Site, {"time_zone": "Europe/Berln"}, "site.time_zone: unknown time zone 'Europe/Berln'; did you mean 'Europe/Berlin'?"),
    (Site, {"time_zone": "qqq"}, "site.time_zone: unknown time zone 'qqq'; give an IANA name such as \"Europe/Berlin\""),
    (Site, {"time_zone": 1}, "site.time_zone: found 1; give an IANA name for the local clock"),
    (Site, {"currency": ""}, "site.currency: found ''; give a text: the currency of every price"),
    (Site, {"import_limit_mw": -1}, "site.import_limit_mw: found -1; give a number >= 0 MW (most power from the grid"),
    (Site, {"export_limit_mw": "8"}, "site.export_limit_mw: found '8'; give a number >= 0 MW (most power to the grid"),
    (Site, {"grid_charging": 1}, "site.grid_charging: found 1; give true or false: may the grid charge the battery"),
    (Site, {"battery_export": "no"}, "site.battery_export: found 'no'; give true or false"),
    (Site, {"curtailment": None}, "site.curtailment: found None; give true or false"),
    (Site, {"solar_capacity_mw": 0}, "site.solar_capacity_mw: found 0; give a number > 0 MW"),
    (Site, {"inverter_mw": 0}, "site.inverter_mw: found 0; give a number > 0 MW"),
    (Site, {"pv_inverter_mw": 0}, "site.pv_inverter_mw: found 0; give a number > 0 MW"),
    (Site, {"dc_share": 1.5}, "site.dc_share: found 1.5; give a number >= 0 and <= 1 (hybrid"),
    (Site, {"unserved_price_per_mwh": -1}, "site.unserved_price_per_mwh: found -1; give a number >= 0 currency/MWh"),
    (EnergyRate, {"price_per_mwh": "1"}, "tariff.energy.price_per_mwh: found '1'; give a number currency/MWh"),
    (Ratchet, {"share": 2, "months": 1}, "ratchet.share: found 2; give a number >= 0 and <= 1"),
    (Ratchet, {"share": 1, "months": 0}, "ratchet.months: found 0; give a whole number >= 1 month"),
    (Ratchet, {"share": 1, "months": 1.0}, "ratchet.months: found 1.0; give a whole number >= 1 month"),
    (DemandRate, {"price_per_mw_month": -1}, "tariff.demand.price_per_mw_month: found -1; give a number >= 0"),
    (Finance, {"first_payment_year": True}, "finance.first_payment_year: found True; give 0 or 1"),
    (Finance, {"first_payment_year": 2}, "finance.first_payment_year: found 2; give 0 or 1"),
    (Finance, {"lifetime_years": 20.5}, "finance.lifetime_years: found 20.5; give a whole number >= 1 and <= 1000 year"),
    (Finance, {"discount_rate": 8}, "finance.discount_rate: found 8; give a number > -1 and <= 1 1/year"),
    (Finance, {"capital_per_mw": -1}, "finance.capital_per_mw: found -1; give a number >= 0 currency/MW (capital"),
    (Finance, {"tax_rate": 1}, "finance.tax_rate: found 1; give a number >= 0 and < 1 (tax"),
    (Finance, {"present_value_factor": 0}, "finance.present_value_factor: found 0; give a number > 0 year"),
    (
        Finance,
        {"replacement_cost": 5},
        "finance.replacement_year: replacement_cost is 5 but replacement_year is missing; give the year",
    ),
    (
        Finance,
        {"replacement_year": 12, "lifetime_years": 10},
        "finance.replacement_year: found 12, after the lifetime of 10 years; give a year within the lifetime",
    ),
    (SolverOptions, {"threads": 0}, "solver.threads: found 0; give a whole number >= 1 and <= 256 (threads"),
    (SolverOptions, {"threads": 257}, "solver.threads: found 257; give a whole number >= 1 and <= 256 (threads"),
    (SolverOptions, {"seed": 1.5}, "solver.seed: found 1.5; give a whole number >= 0 and <= 999999 (seed"),
    (SolverOptions, {"seed": 10**6}, "solver.seed: found 1000000; give a whole number >= 0 and <= 999999 (seed"),
    (SolverOptions, {"rel_gap": 2}, "solver.rel_gap: found 2; give a number >= 0 and <= 1 (relative gap"),
    (SolverOptions, {"time_limit_s": 0}, "solver.time_limit_s: found 0; give a number > 0 s (most time"),
    (Tariff, {"export": "non"}, "tariff.export: found 'non'; did you mean 'none'? ('same', 'none')"),
    (Tariff, {"export": True}, 'tariff.export: found True; give "same" as the import price, "none", or a price'),
    (Tariff, {"energy": 3}, "tariff.energy: found 3; give a list of tables [[tariff.energy]]"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "values", "sentence"), OTHER_ERRORS, ids=lambda value: str(value)[:40])
def test_other_wrong_tables(kind: type[Table], values: dict[str, Any], sentence: str, problems: Problems) -> None:
    found = problems(kind, **values)
    assert len(found) == 1
    assert found[0].startswith(sentence)


@pytest.mark.parametrize("months", [[], [0], [13], [1, 1], [1.0], ["May"], [True], 5, None])
def test_wrong_months(months: object, problems: Problems) -> None:
    assert problems(Tariff, energy=[{"price_per_mwh": 1, "months": months}]) == [
        f"tariff.energy[0].months: found {months!r}; give a list of different months, 1 to 12"
    ]


@pytest.mark.parametrize("hours", [[], [1], [1, 2, 3], [24, 6], [-1, 6], [1, 25], [6, 6], ["1", 2], [True, 2], 5])
def test_wrong_hours(hours: object, problems: Problems) -> None:
    found = problems(Tariff, demand=[{"price_per_mw_month": 1}, {"price_per_mw_month": 1, "hours": hours}])
    assert found == [
        f'tariff.demand[1].hours: found {hours!r}; give [from, to] in local hours, numbers or "HH:MM", '
        "0 <= from < 24, 0 <= to <= 24, not equal, or a list of such pairs that do not overlap; [0, 24] is all day, "
        "[22, 6] wraps over midnight"
    ]


def test_ranges_and_arrays_are_lists_of_months() -> None:
    rate = EnergyRate(price_per_mwh=-5, months=np.arange(6, 10), hours=(22, 6.5))
    assert rate.months == (6, 7, 8, 9)
    assert rate.hours == (22.0, 6.5)
    assert EnergyRate(price_per_mwh=1, months=range(1, 3)).months == (1, 2)


def test_deep_problems_name_their_place(problems: Problems) -> None:
    row = {"price_per_mw_month": 1, "ratchet": {"share": -1, "month": 3}, "period": "day", "interval_min": 0}
    assert [sentence.split(":")[0] for sentence in problems(Tariff, demand=[row], energy=[3])] == [
        "tariff.energy[0]",
        "tariff.demand[0].interval_min",
        "tariff.demand[0].period",
        "tariff.demand[0].ratchet.share",
        "tariff.demand[0].ratchet.month",
    ]


def test_rating_of_the_own_inverter_depends_on_the_topology() -> None:
    assert Site(inverter_mw=8).pv_rating_mw("parallel_ac") == 8
    assert Site(inverter_mw=8).pv_rating_mw("hybrid") is None
    assert Site(inverter_mw=8, pv_inverter_mw=5).pv_rating_mw("parallel_ac") == 5
    assert Site(inverter_mw=8, pv_inverter_mw=5).pv_rating_mw("hybrid") == 5


@pytest.mark.parametrize("table", [Battery(**SIZE, technology=CELLS), Site(), Finance(), SolverOptions(), Tariff()])
def test_tables_are_frozen_and_can_be_copied(table: Table) -> None:
    assert pickle.loads(pickle.dumps(table)) == table == copy.deepcopy(table)
    with pytest.raises(ValidationError, match="frozen"):
        setattr(table, next(iter(type(table).model_fields)), 1)


@pytest.mark.parametrize(
    "table", [Battery(**SIZE, soc_end={"value_per_mwh": 3}), Tariff(energy=[{"price_per_mwh": 1}])]
)
def test_plain_form_builds_an_equal_table(table: Table) -> None:
    assert type(table)(**table.to_plain()) == table


RUBBISH = (
    1e300,
    -1e9,
    "x",
    [1, -1],
    [1e300],
    True,
    nan,
    {},
    {"a": 1},
    [[1, 2], [3]],
    [["a", None]],
    None,
    [None],
    [{}],
)


def every_table(kind: type[Table] = Table) -> Iterator[type[Table]]:
    for below in kind.__subclasses__():
        yield below
        yield from every_table(below)


def test_a_place_is_made_of_keys_whatever_stands_there() -> None:
    """Rubbish in every key of every table: a problem names keys and rows alone, in our words, and nothing is raised."""
    importlib.import_module("bess_opt.inputs.scenario")
    tables = [kind for kind in every_table() if kind.__module__.startswith("bess_opt.inputs")]
    assert len(tables) > 15
    for kind in tables:
        for key, field in kind.model_fields.items():
            name = field.alias or key
            for value in RUBBISH:
                for problem in read_table(kind, {name: value}, "here")[1]:
                    assert re.fullmatch(r"here([.](\w| )+|\[\d+\])*", problem.where), (kind, problem)
                    assert not re.search("pydantic|Input should|Value error", problem.sentence()), (kind, problem)
