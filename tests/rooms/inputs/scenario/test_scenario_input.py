"""The scenario as a whole: one error for all inputs, frozen, replaced, written and read again."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import pickle
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pandas as pd
import pytest
import tomli_w

from bess_opt.common.errors import ScenarioError
from bess_opt.inputs.battery import Battery, EndValue
from bess_opt.inputs.finance import Finance
from bess_opt.inputs.scenario import Scenario, StrategyEntry, describe, json_schema, load
from bess_opt.inputs.site import Site
from bess_opt.inputs.solver_options import SolverOptions
from bess_opt.inputs.tariff import Tariff
from bess_opt.inputs.technologies import Technology

Problems = Callable[..., list[str]]
Frames = Callable[..., pd.DataFrame]
Folder = Callable[..., Path]
SIZE = {"power_mw": 2, "duration_h": 4}

EVERY_KEY = """
[battery]
name = "north"
power_mw = 2.0
duration_h = 4
technology = {eta_charge = 0.95, eta_discharge = 0.95, soc_min = 0.0, soc_max = 1.0, c_rate_max = 2.0}
topology = "hybrid"
converters = {ac_to_dc = 0.96, dc_to_ac = 0.96, dc_to_dc = 0.99}
soc_start = 0.5
soc_end = {value_per_mwh = 35.0}
wear_cost_per_mwh = 0.0
wear = {depth = [0.2, 1.0], cost_per_mwh = [17.2, 27.3]}
wear_stand = [1.6, 2.4]
charge_power_mw = 1.5
max_cycles_per_day = 1.5
max_cycles = {count = 365, per = "year", used = 0.0, counts = "discharged"}
self_discharge_per_h = 0.001
auxiliary_mw = 0.01
[site]
time_zone = "Europe/Berlin"
currency = "USD"
import_limit_mw = 5.0
export_limit_mw = 8.0
grid_charging = false
battery_export = false
curtailment = false
solar_capacity_mw = 10.0
inverter_mw = 8.0
pv_inverter_mw = 4.0
dc_share = 0.6
unserved_price_per_mwh = 5000.0
holidays = ["2025-06-09"]
[series]
file = "series.csv"
step_min = 60
resample = {load_mw = "mean"}
fill = {load_mw = "previous"}
[[strategy]]
name = "arbitrage"
[[strategy]]
name = "time_shift"
window = ["18:00", "22:00"]
[[tariff.energy]]
price_per_mwh = 262.4
days = "weekday"
hours = [12, 18]
[[tariff.energy]]
price_per_mwh = 100
days = "weekday"
hours = [18, 12]
[[tariff.energy]]
price_per_mwh = 90
months = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]
days = "weekend"
[[tariff.demand]]
price_per_mw_month = 7016.0
interval_min = 120
incurred_mw = 0.5
ratchet = {share = 0.35, months = 11}
[tariff]
export = 20
fixed_per_month = 100
minimum_per_month = 120
credit_months = 12
billed_so_far = 5
credit_so_far = [1, 2.5]
[finance]
capital_per_mw = 800e3
capital_per_mwh = 250e3
capital_fixed = 1000
fixed_om_per_mw_year = 1e4
variable_om_per_mwh = 0.3
lifetime_years = 20
discount_rate = 0.07
money = "real"
escalation_rate = 0.022
first_payment_year = 0
present_value_factor = 11.5
fade_per_year = 0.02
replacement_year = 10
replacement_years = []
replacement_per_mw = 1e4
replacement_per_mwh = 9e4
replacement_cost = 5e5
augmentation = []
augmentation_price_change_per_year = -0.02
residual_share = 0.1
tax_rate = 0.25
horizons_per_year = 365
[solver]
time_limit_s = 60
rel_gap = 1e-4
threads = 2
seed = 7
engine = "highs"
"""
SERIES = "time,load_mw\n" + "".join(
    f"2025-01-01 {hour:02d}:00+01:00,{hour / 7 if hour != 5 else ''}\n" for hour in range(24)
)


@pytest.fixture
def full(folder: Folder) -> Scenario:
    return load(folder(SERIES, EVERY_KEY, battery=""))


def write(scenario: Scenario, place: Path) -> Path:
    """What a saver does: the tables as TOML, the series beside it."""
    place.mkdir(exist_ok=True)
    (place / "scenario.toml").write_text(tomli_w.dumps(scenario.to_tables()))
    scenario.series.to_csv(place / "series.csv")
    return place


def build(frame: pd.DataFrame, **more: Any) -> Scenario:
    return Scenario(battery=SIZE, series=frame, **more)


def test_every_key_is_read(full: Scenario) -> None:
    assert full.battery.technology == Technology(
        eta_charge=0.95, eta_discharge=0.95, soc_min=0, soc_max=1, c_rate_max=2
    )
    assert full.battery.soc_end == EndValue(value_per_mwh=35)
    assert full.site.dc_share == 0.6
    assert full.tariff is not None
    assert full.tariff.demand[0].ratchet is not None
    assert full.finance is not None
    assert full.finance.first_payment_year == 0
    assert full.solver == SolverOptions(time_limit_s=60, rel_gap=1e-4, threads=2, seed=7, engine="highs")
    assert full.strategies[1] == StrategyEntry("time_shift", {"window": ["18:00", "22:00"]})
    assert [note.code for note in full.notes] == ["filled"]
    assert (full.step_h, full.time_zone, full.name) == (1.0, "Europe/Berlin", full.folder.name)  # type: ignore[union-attr]


def test_the_file_above_holds_every_key() -> None:
    """The list of keys in the types is the list of keys in the file: a new key needs its line here."""
    tables = tomllib.loads(EVERY_KEY)
    kinds = {"battery": Battery, "site": Site, "tariff": Tariff, "finance": Finance, "solver": SolverOptions}
    for key, kind in kinds.items():
        unstated = {"net_metering"} if key == "tariff" else set()  # beside an export price series it is refused
        assert set(tables[key]) == set(kind.model_fields) - unstated


def test_written_and_read_again_it_is_equal(full: Scenario, tmp_path: Path) -> None:
    again = load(write(full, tmp_path / "again"))
    assert again == full
    assert again.digest() == full.digest()
    assert hash(again) == hash(full)
    assert again.to_tables() == full.to_tables()


def test_defaults_survive_the_round_trip(hours: Frames, tmp_path: Path) -> None:
    frame = hours(25, start="2025-10-26")
    scenario = build(frame)
    assert (scenario.site, scenario.tariff, scenario.finance, scenario.strategies) == (Site(), None, None, ())
    assert (scenario.solver, scenario.name, scenario.folder) == (SolverOptions(), "scenario", None)
    assert load(write(scenario, tmp_path / "a")) == scenario
    assert load(tmp_path / "a" / "scenario.toml") == scenario


@pytest.mark.parametrize(
    ("freq", "count"), [("2s", 10), ("5min", 7), ("15min", 1), ("30min", 3), ("h", 2), ("24h", 2)]
)
def test_every_step_survives_the_round_trip(hours: Frames, tmp_path: Path, freq: str, count: int) -> None:
    minutes = pd.Timedelta(freq if freq[0].isdigit() else f"1{freq}").total_seconds() / 60
    scenario = build(hours(count, freq), series_options={"step_min": minutes})
    assert load(write(scenario, tmp_path / "a")) == scenario


def test_equality_is_of_content(hours: Frames) -> None:
    one = build(hours(), name="one")
    assert one == build(hours(), name="two")
    assert one != build(hours() + 1)
    assert one != one.replace(battery={"power_mw": 3})
    assert one != one.replace(strategy="arbitrage")
    assert one != one.replace(site={"time_zone": "UTC"})
    assert one != "scenario"


def test_copies_are_equal_and_just_as_frozen(full: Scenario) -> None:
    for twin in (pickle.loads(pickle.dumps(full)), copy.deepcopy(full), copy.copy(full)):
        assert twin == full
        assert twin.notes == full.notes
        assert not twin._clean.frame.to_numpy().flags.writeable


def test_nobody_changes_a_scenario(hours: Frames) -> None:
    frame = hours()
    options = {"name": "x", "levels": [1, 2]}
    scenario = build(frame, strategy=options)
    digest = scenario.digest()
    frame.iloc[0, 0] = 99.0
    options["levels"].append(3)  # type: ignore[attr-defined]
    mine = scenario.series
    with contextlib.suppress(ValueError):  # pandas before 3 refuses to write
        mine.iloc[0, 0] = 99.0
    mine["solar_mw"] = 1.0
    mine.index.name = "stamp"
    with pytest.raises(ValueError, match="read-only"):
        scenario.series["load_mw"].to_numpy()[0] = 99.0
    with pytest.raises(dataclasses.FrozenInstanceError):
        scenario.name = "other"  # type: ignore[misc]
    with pytest.raises(TypeError):
        scenario.strategies[0].options["levels"] = 1  # type: ignore[index]
    assert scenario.digest() == digest
    assert scenario.series.index.name == "time"
    assert list(scenario.series) == ["load_mw"]


def test_problems_of_all_inputs_come_at_once(hours: Frames, problems: Problems) -> None:
    frame = hours(48).assign(price=1.0, solar_mw=-1.0)
    found = problems(
        Scenario,
        battery={"power_mw": -1, "duration_h": 4, "topologie": "hybrid"},
        site={"time_zon": "UTC", "dc_share": "half"},
        series=frame,
        strategy=[{"nam": "x"}, 3, {"name": "y", "rule": len}],
        tariff={
            "energy": [{"price_per_mwh": 1, "hours": [0, 12]}],
            "demand": [{"price_per_mw_month": 1, "interval_min": 90}],
        },
        finance={"discount_rate": 7},
        solver=5,
        series_options={"step": 60},
    )
    assert [sentence.split(": ")[0] for sentence in found] == [
        "battery.power_mw",
        "battery.topologie",
        "site.dc_share",
        "site.time_zon",
        "series.step",
        "finance.discount_rate",
        "solver",
        "strategy[0].name",
        "strategy[1]",
        "strategy[2].rule",
        "series column price",
        "series row 1, column solar_mw",
        "tariff.demand[0].interval_min",
        "tariff.energy",
    ]
    assert "solver: found 5; give a table [solver]" in found
    assert found[-2] == (
        "tariff.demand[0].interval_min: found 90, but steps are 60 min; give a whole number of steps, or a series with shorter steps"
    )
    assert found[-1] == (
        "tariff.energy: no row applies to 24 of 48 steps, first at 2025-01-01 12:00+01:00; add a row that covers it"
    )


@pytest.mark.parametrize(
    ("strategy", "sentence"),
    [
        ({"window": 1}, "strategy.name: is missing; give the name of a strategy"),
        ({"name": 3}, "strategy.name: found 3; give the name of a strategy"),
        (3, 'strategy: found 3; give a name, or a table with the key "name" and the options beside it'),
        (
            {"name": "x", "f": {1}},
            "strategy.f: found {1}; give plain data: a number, text, true or false, a list or a table",
        ),
    ],
)
def test_wrong_strategies(hours: Frames, problems: Problems, strategy: object, sentence: str) -> None:
    assert problems(build, hours(), strategy=strategy) == [sentence]


def test_strategies_are_names_and_plain_options(hours: Frames) -> None:
    assert build(hours(), strategy="arbitrage").strategies == (StrategyEntry("arbitrage", {}),)
    listed = build(
        hours(),
        strategy=["a", {"name": "b", "levels": np.array([1.5, 2.0]), "soc": np.float64(0.5), "off": None}],
    )
    assert listed.strategies[1].to_plain() == {"name": "b", "levels": [1.5, 2.0], "soc": 0.5}
    assert type(listed.strategies[1].options["soc"]) is float


def test_hybrid_needs_the_share(hours: Frames, problems: Problems) -> None:
    battery = {**SIZE, "topology": "hybrid"}
    assert problems(Scenario, battery=battery, series=hours()) == [
        'site.dc_share: is missing, but battery.topology is "hybrid"; give the share of the array on the battery\'s DC bus, 0 to 1'
    ]
    assert Scenario(battery=battery, series=hours(), site={"dc_share": 0}).site.dc_share == 0


def test_tariff_beside_prices_is_noted(hours: Frames) -> None:
    tariff = {"energy": [{"price_per_mwh": 50}]}
    assert build(hours(), tariff=tariff).notes == ()
    for column in ("price_per_mwh", "import_price_per_mwh"):
        notes = build(hours().assign(**{column: 1.0}), tariff=tariff | {"export": "none"}).notes
        assert [(note.code, note.severity) for note in notes] == [("prices_add_up", "warning")]
        assert notes[0].sentence() == (
            f"tariff.energy: stands beside the series {column}: the two add up; leave one of them out unless both are paid"
        )


@pytest.mark.parametrize(("minutes", "right"), [(60, True), (120, True), (None, True), (15, False), (90, False)])
def test_billing_interval_is_a_number_of_steps(hours: Frames, problems: Problems, minutes: Any, right: bool) -> None:
    tariff = {"demand": [{"price_per_mw_month": 1, "interval_min": minutes}]}
    if right:
        assert build(hours(), tariff=tariff).tariff is not None
    else:
        assert problems(build, hours(), tariff=tariff)[0].startswith(
            f"tariff.demand[0].interval_min: found {minutes}, but steps are 60 min"
        )


def test_replace_merges_tables(full: Scenario) -> None:
    larger = {"power_mw": 3, "converters": {"dc_to_dc": 1}, "wear_stand": [2.4, 3.6]}
    changed = full.replace(battery=larger, solver={"seed": 1}, name="new")
    assert changed.battery.power_mw == 3
    assert changed.battery.converters.dc_to_dc == 1
    assert changed.battery.converters.ac_to_dc == 0.96
    assert changed.battery.technology == full.battery.technology
    assert changed.solver == SolverOptions(time_limit_s=60, rel_gap=1e-4, threads=2, seed=1, engine="highs")
    assert (changed.name, changed.folder, changed.notes) == ("new", full.folder, full.notes)
    again = {"power_mw": 2, "converters": {"dc_to_dc": 0.99}, "wear_stand": [1.6, 2.4]}
    assert changed.replace(battery=again, solver={"seed": 7}) == full


def test_replace_takes_some_whole(full: Scenario, hours: Frames, problems: Problems) -> None:
    assert problems(full.replace, battery={"technology": {"eta_charge": 0.9}})[0].startswith(
        "battery.technology.eta_discharge: is missing"
    )
    assert full.replace(battery={"technology": "premium"}).battery.tech.c_rate_max == 2.0
    assert full.replace(strategy="cycling").strategies == (StrategyEntry("cycling", {}),)
    assert full.replace(strategy=None).strategies == ()
    fresh = full.replace(series=hours(72))
    assert (len(fresh.series), fresh.notes) == (72, ())
    assert full.replace(battery=Battery(power_mw=1, duration_h=1)).battery.soc_start is None


def test_replace_with_none_takes_the_default(full: Scenario, problems: Problems) -> None:
    assert full.replace(tariff=None, finance=None).tariff is None
    assert full.replace(solver=None).solver == SolverOptions()
    assert full.replace(site={"import_limit_mw": None}).site.import_limit_mw is None
    assert problems(full.replace, battery=None) == [
        "battery: is missing; give [battery] with power_mw and duration_h"
    ]
    assert problems(full.replace, series=None) == [
        "series: found NoneType; give a pandas DataFrame with a tz-aware index"
    ]


def test_replace_is_checked_again(full: Scenario, problems: Problems) -> None:
    assert problems(full.replace, batery={}) == ["batery: unknown table 'batery'; did you mean 'battery'?"]
    assert problems(full.replace, series_options={"step_min": 60}) == [
        "series_options: stand without a series, and the present one is already clean; give series too"
    ]
    assert problems(full.replace, battery={"soc_min": 1})[0].startswith("battery.soc_min: unknown key 'soc_min'")
    assert problems(full.replace, site={"dc_share": None})[0].startswith("site.dc_share: is missing, but")


@pytest.mark.parametrize(
    "battery",
    [
        {"power_mw": 3, "duration_h": 1},
        {"power_mw": 1e-8},
        {"power_mw": 1e-3, "technology": "premium", "topology": "parallel_ac"},
        {"max_cycles": {"count": 1, "hours": 0.1}},
        {"topology": "cars"},
        {"wear_cost_per_mwh": 1e11},
        [{"name": "a", **SIZE}, {"name": "b", **SIZE}],
        [SIZE, SIZE],
    ],
    ids=str,
)
def test_other_batteries_are_checked_as_a_whole_scenario_is(full: Scenario, hours: Frames, battery: Any) -> None:
    """What else there is was checked with the scenario, and is not gone through once more."""
    far = build(hours(), site={"import_limit_mw": 9e4})
    for scenario in (full, far):
        answers = []
        for more in ({}, {"name": scenario.name}):
            try:
                answers.append(vars(scenario.replace(battery=battery, **more)) | {"_clean": None, "_largest": None})
            except ScenarioError as error:
                answers.append({"problems": error.problems})
        assert answers[0] == answers[1]


def test_replace_of_the_zone_moves_the_clock(hours: Frames, folder: Folder) -> None:
    scenario = build(hours())
    moved = scenario.replace(site={"time_zone": "Asia/Tokyo"})
    assert moved.series.index[0].isoformat() == "2025-01-01T08:00:00+09:00"
    assert (moved.series.index == scenario.series.index).all()
    text = "time,load_mw\n2025-01-01 00:00Z,1\n2025-01-01 01:00Z,2\n"
    assert load(folder(text)).replace(site={"time_zone": "Asia/Tokyo"}).notes == ()


def test_unknown_tables_and_their_series_come_together(folder: Folder, problems: Problems) -> None:
    found = problems(load, folder("time,load_mw\n2025-01-01 00:00Z,x\n2025-01-01 01:00Z,1\n", "[sites]\na = 1\n"))
    assert found[0] == "sites: unknown table 'sites' in scenario.toml; did you mean 'site'?"
    assert found[1].startswith("series.csv row 2, column load_mw: found 'x'")


def test_files_that_cannot_be_read(tmp_path: Path, problems: Problems) -> None:
    assert problems(load, tmp_path / "none") == [
        f"{tmp_path / 'none'}: cannot be opened: No such file or directory; give a folder with scenario.toml, or a .toml file"
    ]
    file = tmp_path / "scenario.toml"
    assert problems(load, tmp_path)[0].startswith(f"{file}: cannot be opened")
    file.write_text("[battery]\npower_mw = \n")
    assert problems(load, tmp_path) == [
        "scenario.toml line 2: cannot be read: Invalid value (at line 2, column 12); mend the TOML syntax there"
    ]
    file.write_bytes(b"[battery]\n# \xe4\n")
    assert problems(load, file) == ["scenario.toml: byte 12 is not UTF-8; save the file as UTF-8"]
    file.write_text("")
    assert problems(load, file)[0] == "battery: is missing; give [battery] with power_mw and duration_h"


def test_a_toml_with_byte_order_mark(folder: Folder) -> None:
    place = folder("time,load_mw\n2025-01-01 00:00Z,1\n2025-01-01 01:00Z,2\n")
    file = place / "scenario.toml"
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    assert load(str(place)).battery.power_mw == 2


def test_describe() -> None:
    index = pd.date_range("2025-01-01", periods=4, freq="30min", tz="Europe/Berlin")
    frame = pd.DataFrame({"load_mw": [0.0, 2.0, 4.0, 6.0], "price_per_mwh": [-10.0, 0.0, 10.0, 20.0]}, index=index)
    table = describe(build(frame))
    load_row, price = table.loc["load_mw"], table.loc["price_per_mwh"]
    assert (load_row["unit"], load_row["count"], load_row["mean"]) == ("MW", 4, 3.0)
    assert (load_row["minimum"], load_row["maximum"], load_row["p50"]) == (0.0, 6.0, 3.0)
    assert load_row["p05"] == pytest.approx(0.3)
    assert load_row["p95"] == pytest.approx(5.7)
    assert load_row["sum_mwh"] == 12.0 * 0.5
    assert np.isnan(price["sum_mwh"])
    assert (price["negative_steps"], price["zero_steps"]) == (1, 1)
    assert (price["minimum_at"], price["maximum_at"]) == (index[0], index[3])
    assert describe(build(frame[[]])).shape[0] == 0


def test_repr_says_what_it_is(hours: Frames) -> None:
    assert repr(build(hours(), strategy="arbitrage")) == (
        "Scenario('scenario': 2 MW, 8 MWh, arbitrage, 4 steps of 60 min from 2025-01-01T00:00:00+01:00)"
    )


def test_schema_accepts_files_and_refuses_unknown_keys() -> None:
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    check = jsonschema.Draft202012Validator(schema)
    tables = tomllib.loads(EVERY_KEY)
    assert list(check.iter_errors(tables)) == []
    assert check.is_valid({"battery": SIZE, "strategy": {"name": "x", "own": 1}})
    for key in ("battery", "site", "series", "tariff", "finance", "solver"):
        assert not check.is_valid(tables | {key: tables[key] | {"unknown": 1}})
    assert not check.is_valid(tables | {"unknown": {}})
    assert not check.is_valid({"battery": SIZE | {"power_mw": 0}})
    assert not check.is_valid({"battery": SIZE | {"soc_start": 1.1}})
    cells = {"round_trip_efficiency": 0.9, "soc_min": 0, "soc_max": 1, "c_rate_max": 1}
    assert check.is_valid({"battery": SIZE | {"technology": cells}})
    assert not check.is_valid({"battery": SIZE | {"technology": cells | {"eta_charge": 0.9, "eta_discharge": 0.9}}})


def test_every_key_of_the_schema_is_described_with_its_unit() -> None:
    schema = json_schema()
    for name, table in {"root": schema, **schema["$defs"]}.items():
        for key, entry in table["properties"].items():
            assert entry.get("description"), f"{name}.{key}"
            if "unit" in entry and key != "round_trip_efficiency":
                assert entry["description"].endswith(f"[{entry['unit']}]")


def test_inputs_load_no_heavy_library() -> None:
    """Reading a scenario needs no solver, no model and no chart."""
    code = "import sys, bess_opt.inputs.scenario; print([m for m in ('pyomo', 'highspy', 'matplotlib', 'scipy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
