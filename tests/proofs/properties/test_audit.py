"""The audit can see: every law is broken once, and a change in any column of a good schedule is noticed."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from support.cases import Case, case

import bess_opt as bo
from bess_opt.common.columns import SCHEDULE
from bess_opt.plant import audit as room
from bess_opt.plant.audit import audit, require
from bess_opt.plant.from_scenario import plant_of
from bess_opt.plant.plant import Plant
from bess_opt.strategies.shared.activation import activate

CELLS = {"eta_charge": 0.9, "eta_discharge": 0.9, "soc_min": 0.1, "soc_max": 0.9, "c_rate_max": 1.0}
TEXT = "limited_by"


def busy(topology: str = "hybrid", **changes: dict[str, object]) -> Case:
    """Eight hours in which everything moves: PV, load, import, export, curtailment, unserved load, both
    directions.
    """
    return case(
        solar_mw=[0.0, 1.0, 4.0, 6.0, 5.0, 1.0, 0.0, 0.0],
        load_mw=[1.0, 1.0, 0.5, 0.5, 0.5, 1.0, 5.0, 1.0],
        price_per_mwh=[5.0, 10.0, 20.0, -10.0, -20.0, 60.0, 150.0, 30.0],
        battery={
            "technology": CELLS,
            "soc_start": 0.5,
            "soc_end": "equal",
            "topology": topology,
            "max_cycles_per_day": 2.0,
            "converters": {"ac_to_dc": 0.95, "dc_to_ac": 0.95, "dc_to_dc": 0.98},
        }
        | changes.get("battery", {}),
        site={"import_limit_mw": 3.0, "export_limit_mw": 2.0, "unserved_price_per_mwh": 500.0}
        | ({} if topology == "parallel_ac" else {"inverter_mw": 4.0})
        | ({"dc_share": 0.6} if topology == "hybrid" else {})
        | changes.get("site", {}),
    )


PLANS: dict[str, tuple[pd.DataFrame, Plant]] = {}


def planned(of: Case) -> tuple[pd.DataFrame, Plant]:
    """A good schedule, free to be spoilt, and its plant."""
    key = repr((of.battery, of.site, of.strategy, of.connection))
    if key not in PLANS:
        plan = of.optimize()
        PLANS[key] = plan.schedule, plant_of(plan.scenario)
    schedule, numbers = PLANS[key]
    return schedule.copy(), numbers


def laws(schedule: pd.DataFrame, plant: Plant) -> set[str]:
    """Names of the laws that the audit finds broken."""
    return {violation.law for violation in audit(schedule, plant)}


@pytest.mark.parametrize("topology", ["parallel_ac", "series_dc", "hybrid"])
def test_a_good_schedule_breaks_nothing(topology: str) -> None:
    schedule, numbers = planned(busy(topology))
    assert laws(schedule, numbers) == set()
    moving = schedule[["import_mw", "export_mw", "charge_mw", "discharge_mw", "curtailed_mw"]].max()
    assert (moving > 0.1).all(), "or the tests below prove little"


@pytest.mark.parametrize("topology", ["parallel_ac", "series_dc", "hybrid"])
@pytest.mark.parametrize("column", [name for name in SCHEDULE if name != TEXT])
def test_a_change_in_any_column_is_noticed(column: str, topology: str) -> None:
    """Half a MW (or MWh, or currency) more in one step of one column breaks at least one law."""
    schedule, numbers = planned(busy(topology))
    step = int(np.argmax(schedule["solar_mw"].to_numpy()))
    schedule.iloc[step, schedule.columns.get_loc(column)] += 0.5
    assert laws(schedule, numbers), f"nobody noticed a wrong {column}"


@pytest.mark.parametrize("column", [name for name in SCHEDULE if name != TEXT and "price" not in name])
def test_a_missing_number_is_noticed(column: str) -> None:
    """NaN is neither more nor less: it must not slip through (nothing but prices may be NaN)."""
    schedule, numbers = planned(busy())
    schedule.iloc[3, schedule.columns.get_loc(column)] = np.nan
    assert laws(schedule, numbers), f"nobody noticed a NaN in {column}"


@pytest.mark.parametrize(
    ("given", "taken"), [("solar_mw", "export_mw"), ("load_mw", "import_mw"), ("solar_mw", "curtailed_mw")]
)
def test_the_inputs_of_a_plan_are_those_of_the_scenario(given: str, taken: str) -> None:
    """A quarter of a MW more on both sides keeps every balance; only the scenario's own series shows that
    it is made up.
    """
    schedule, numbers = planned(busy("parallel_ac"))
    free = {
        "export_mw": schedule["export_mw"] > 0.1,
        "import_mw": schedule["import_mw"] > 0.1,
        "curtailed_mw": schedule["curtailed_mw"] > 0.1,
    }
    room_left = {"export_mw": 2.0, "import_mw": 3.0, "curtailed_mw": np.inf}[taken] - schedule[taken] > 0.3
    step = int(np.argmax((free[taken] & room_left).to_numpy()))
    for name in (given, taken):
        schedule.iloc[step, schedule.columns.get_loc(name)] += 0.25
    schedule["grid_mw"] = schedule["export_mw"] - schedule["import_mw"]
    schedule["revenue"] = (
        schedule["export_mw"] * schedule["export_price_per_mwh"]
        - schedule["import_mw"] * schedule["import_price_per_mwh"]
    )
    assert laws(schedule, numbers), f"nobody noticed {given} out of thin air"


def put(**values: float | str) -> Callable[[pd.DataFrame], None]:
    """Set columns in step 2."""

    def change(schedule: pd.DataFrame) -> None:
        for name, value in values.items():
            schedule.iloc[2, schedule.columns.get_loc(name)] = value

    return change


RAMP = {"name": "ramp", "ramp_mw_per_min": 1.0}  # 60 MW from hour to hour: far from what the plan does


def _an_hour_late(schedule: pd.DataFrame) -> None:
    schedule.index = schedule.index + pd.Timedelta(hours=1)


def _empty_at_the_end(schedule: pd.DataFrame) -> None:
    schedule.iloc[-1, schedule.columns.get_loc("energy_mwh")] = 0.3


NO_CHARGING, NO_EXPORT, NO_CURTAILMENT = (
    {"grid_charging": False},
    {"battery_export": False},
    {"curtailment": False},
)
ROOMY = {"export_limit_mw": 20.0, "inverter_mw": 20.0}
BROKEN: dict[str, tuple[Case, Callable[[pd.DataFrame], None]]] = {
    "rows are at the times of their steps": (busy(), _an_hour_late),
    "limited_by names a limit": (busy(), put(limited_by="<b>")),
    "energy balance": (busy(), put(load_mw=0.0)),
    "solar power is the scenario's": (busy(), put(solar_mw=4.5)),
    "solar power on the DC bus is the scenario's": (busy(), put(solar_dc_mw=4.5)),
    "load is the scenario's": (busy(), put(load_mw=4.5)),
    "regulation is held only by a strategy for it": (busy(), put(regulation_up_mw=0.1)),
    "prices are the scenario's": (busy(), put(export_price_per_mwh=21.0)),
    "grid power is export minus import": (busy(), put(grid_mw=7.0)),
    "losses add up": (busy(), put(loss_mw=7.0)),
    "revenue is flows times prices": (busy(), put(revenue=1e4)),
    "no shared inverter": (busy("parallel_ac"), put(inverter_mw=1.0)),
    "DC bus balance": (busy(), put(solar_dc_mw=9.0)),
    "inverter loss": (busy(), put(inverter_loss_mw=0.0)),
    "inverter rating": (busy(), put(inverter_mw=4.5)),
    "storage law": (busy(), put(energy_mwh=1.23)),
    "soc is energy over nameplate": (busy(), put(soc=0.77)),
    "battery is discharge minus charge": (busy(), put(battery_mw=0.123)),
    "charge limit": (busy(), put(charge_mw=1.1)),
    "discharge limit": (busy(), put(discharge_mw=1.1)),
    "import limit": (busy(), put(import_mw=3.1)),
    "export limit": (busy(), put(export_mw=2.1)),
    "unserved load": (busy(), put(unserved_mw=0.6)),
    "load is shed free of charge first": (busy(), put(shed_mw=0.5)),
    "curtailment": (busy(), put(curtailed_mw=20.0)),
    "curtailment on the DC bus": (busy(), put(curtailed_dc_mw=20.0)),
    "curtailment on the AC bus": (busy("hybrid", site=NO_CURTAILMENT | ROOMY), put(curtailed_mw=0.1)),
    "powers are not negative": (busy(), put(charge_mw=-0.1)),
    "SOC window and reserve": (busy(), put(energy_mwh=0.19)),
    "battery runs one way": (busy(), put(charge_mw=0.2, discharge_mw=0.2)),
    "site imports or exports": (busy(), put(import_mw=0.2, export_mw=0.2)),
    "no charging from the grid": (busy(site=NO_CHARGING), put(import_mw=0.6)),
    "no export from the battery": (busy(site=NO_EXPORT), put(export_mw=6.0)),
    "end SOC": (busy(), _empty_at_the_end),
    "ramp of a clause": (busy().but(connection=[RAMP]), put(export_mw=500.0)),
    "cycles per day": (busy(), lambda schedule: schedule.__setitem__("discharge_mw", 1.0)),
}


@pytest.mark.parametrize("law", BROKEN)
def test_each_law_is_seen_when_broken(law: str) -> None:
    of, spoil = BROKEN[law]
    schedule, numbers = planned(of)
    assert law not in laws(schedule, numbers)
    spoil(schedule)
    assert law in laws(schedule, numbers)


def test_every_law_of_the_audit_is_broken_above() -> None:
    """A law added to the audit needs its line in BROKEN."""
    source = inspect.getsource(room)
    named = set(re.findall(r'(?:exceeds|Violation|_law)\(\s*"([^"]+)"', source))
    named |= set(re.findall(r'^\s+"([A-Za-z ]+)": ', source, re.MULTILINE))
    named |= {"cycles per day"}  # named by the period of its cap
    assert named == set(BROKEN) | {"a row for each step"}, "which has a test of its own"


def test_a_violation_says_where_and_by_how_much() -> None:
    schedule, numbers = planned(busy())
    put(import_mw=3.25)(schedule)
    found = {violation.law: violation for violation in audit(schedule, numbers)}
    wrong = found["import limit"]
    assert wrong.time == schedule.index[2]
    assert wrong.excess == pytest.approx(0.25)
    assert wrong.unit == "MW"
    assert wrong.steps == 1
    with pytest.raises(bo.AuditError, match=r"import limit: off by 0\.25 MW at 2025-06-02T02:00"):
        require(schedule, numbers)


@pytest.mark.parametrize(
    ("spoil", "law"),
    [
        (lambda s: s.drop(columns="soc"), "column soc is missing"),
        (lambda s: s.assign(soc="half"), "column soc holds no numbers"),
        (lambda s: s.assign(profit=1.0), "column profit is none of a schedule's"),
        (lambda s: pd.concat([s, s.iloc[-1:]]), "a row for each step"),
        (lambda s: s.iloc[::-1], "rows are at the times of their steps"),
        (lambda s: s.tz_convert("Asia/Tokyo"), "rows are at the times of their steps"),
    ],
)
def test_a_schedule_of_another_shape_is_looked_at_no_further(
    spoil: Callable[[pd.DataFrame], pd.DataFrame], law: str
) -> None:
    schedule, numbers = planned(busy())
    assert laws(spoil(schedule), numbers) == {law}


OUTLIERS = [
    (topology, outlier) for topology in ("parallel_ac", "series_dc", "hybrid") for outlier in ("solar_mw", "load_mw")
]
FIRST = (("parallel_ac", "load_mw"), ("hybrid", "solar_mw"))


@pytest.mark.parametrize(
    ("topology", "outlier"),
    [pytest.param(*case, marks=[] if case in FIRST else [pytest.mark.second_tier]) for case in OUTLIERS],
)
def test_one_cell_does_not_blind_the_audit(topology: str, outlier: str) -> None:
    """A cell of 1e7 MW beside a battery of 1 MW: the other steps earn what they earn without it, and a change of a
    hundredth of the battery in any column of any step is seen, that of the cell too.
    """
    of, step = busy(topology, site={"unserved_price_per_mwh": 5000.0}), 6
    series = of.series.copy()
    series.loc[series.index[step], outlier] = 1e7
    plan = of.but(series=series).optimize()
    sound, numbers = plan.schedule, plant_of(plan.scenario)
    assert laws(sound, numbers) == set()
    assert plan.report.certificate.primal_violation < 1e-6
    for column in (name for name in SCHEDULE if name != TEXT):
        for place in range(len(sound)):
            for by in (-0.01, 0.01, 2.0):
                schedule = sound.copy()
                schedule.iloc[place, schedule.columns.get_loc(column)] += by
                assert laws(schedule, numbers), (column, place, by)


def test_rounding_is_no_violation_and_a_millionth_is() -> None:
    """Tolerance 1e-6 of the battery's power per step (rule 9)."""
    schedule, numbers = planned(busy())
    place = schedule.columns.get_loc("load_mw")
    kept = schedule.iloc[2, place]
    schedule.iloc[2, place] = kept + 0.5e-6 * numbers.scale_mw
    assert "energy balance" not in laws(schedule, numbers)
    schedule.iloc[2, place] = kept + 3e-6 * numbers.scale_mw
    assert "energy balance" in laws(schedule, numbers)


def test_a_strategy_brings_its_own_law() -> None:
    """time_shift charges from PV only, whatever the site allows."""
    of = busy("parallel_ac").but(strategy={"name": "time_shift", "window": ["05:00", "07:00"]})
    scenario = of.scenario()
    schedule, numbers = planned(of)
    own = activate(scenario, numbers).checks
    assert not audit(schedule, numbers, [own])
    put(import_mw=2.9)(schedule)
    assert "time_shift charges from PV only" in {v.law for v in audit(schedule, numbers, [own])}


def test_a_violation_of_the_horizon_counts_once() -> None:
    """The end is one place: the sentence says one step, and its last."""
    schedule, numbers = planned(busy())
    last = float(schedule["energy_mwh"].iloc[-1])
    higher = numbers.with_storage(end_min_mwh=last + 0.25, end_max_mwh=last + 0.25)
    (found,) = [v for v in audit(schedule, higher) if v.law == "end SOC"]
    assert (found.steps, found.time, found.excess) == (1, numbers.index[-1], pytest.approx(0.25))
    assert found.sentence().endswith("(1 steps)")


def test_an_inverter_and_its_loss_do_not_cancel() -> None:
    """An AC-coupled plant has no shared inverter: 0.5 MW through it with 0.5 MW lost is seen."""
    schedule, numbers = planned(busy("parallel_ac"))
    schedule["inverter_mw"] = schedule["inverter_loss_mw"] = 0.5
    found = {v.law: v.excess for v in audit(schedule, numbers)}
    assert found["no shared inverter"] == pytest.approx(1.0)
