"""Every constraint, written out for two or three steps and compared with a file that was read by a person.

To write the files anew after a meant change, and then to read what `git diff` shows:

    BESS_OPT_WRITE_GOLDEN=1 pytest tests/proofs/formulation/test_golden_rows.py
"""

from __future__ import annotations

import os
import re

import pyomo.environ as pyo
import pytest
from support.cases import Case
from support.models import (
    BENT,
    CELLS,
    DEMAND,
    FIRM,
    GOLDEN,
    KEPT,
    LEAST,
    REGULATION,
    WORN,
    all_variants,
    at_month_end,
    clauses,
    drawing,
    firm,
    key,
    of_any,
    physical,
    priced,
    products,
    products_of_two,
    regulation,
    rows_as_lp,
    tiny,
    wanted,
    without_grid,
    worn,
    worn_above_floor,
)

WRITE = "BESS_OPT_WRITE_GOLDEN"
NO_CHARGING, NO_EXPORT = {"grid_charging": False}, {"battery_export": False}
STRICT = {"battery_export": "strict"}
CYCLED = tiny(steps=3, strategy={"name": "cycling", "cycles_per_day": 1.5})
WITHIN = tiny(steps=3, battery={"max_cycles": {"count": 1.5, "hours": 2.0, "used": 0.5, "counts": "charged"}})
OVER_MIDNIGHT = tiny(steps=3, battery={"max_cycles_per_day": 1.5})
OVER_MIDNIGHT = OVER_MIDNIGHT.but(series=OVER_MIDNIGHT.series.shift(23, freq="h"))
SMOOTH = tiny(
    steps=3,
    site={"solar_capacity_mw": 10.0},
    strategy={
        "name": "solar_smoothing",
        "ramp_limit_per_min": 1 / 512,
        "ramp_window_min": 120.0,
        "export_before_mw": 1.5,
    },
)
BILLED = at_month_end(tiny(steps=3, tariff={"demand": DEMAND}))
BENT_ROWS = (
    "over_level", "known_over_level", "mean_of_highest", "billed_at_least_mean", "counted",
    "counted_over_mwh_at_least", "counted_over_mwh_only_past", "counted_over_mwh_at_most",
    "demand_over_mw_at_least", "demand_over_mw_only_past", "demand_over_mw_at_most", "overrun_over_mw_at_least",
)  # fmt: skip
KEPT_ROWS = (
    "month_adds_up", "due_or_credit", "due_only", "credit_only", "credit_minimum_holds", "credit_lasts",
)  # fmt: skip
LEAST_ROWS = ("month_minimum_holds",)
CLAUSE_ROWS = (
    "connection_0_import_overrun", "connection_0_export_overrun", "grid_ramp_up", "grid_ramp_down",
    "first_grid_ramp_up", "first_grid_ramp_down",
)  # fmt: skip
HELD, CALLED = products("hybrid"), products("hybrid", called=True)
HELD_ROWS = (
    "call_down_energy_after", "call_down_energy_before", "call_down_grid", "call_down_inverter", "call_down_power",
    "call_group_0", "call_no_battery_export", "call_no_grid_charging", "call_up_energy_after",
    "call_up_energy_before", "call_up_grid", "call_up_inverter", "call_up_power",
    *(f"called_down_{level}_{kind}" for level in (0, 1) for kind in ("charges_more", "discharges_less", "state")),
    *(f"called_up_{level}_drawn_{kind}" for level in (0, 1) for kind in ("charging", "discharging")),
)  # fmt: skip
CALLED_ROWS = (
    *(f"activated_{way}_both_{kind}" for way in ("up", "down") for kind in ("power", "charges", "discharges")),
    "activated_up_both_shared_power", "activated_down_both_shared_power",
    "mean_charge", "mean_discharge", "settled_net", "base_inverter_in", "base_inverter_out", "base_shared_power",
)  # fmt: skip
BID_ROWS = (
    "product_both_constant", "product_both_if_on", "product_both_least", "product_rise_whole_steps",
)  # fmt: skip
STATES = ("activated_up_both", "activated_down_both")
TWO_FLOWS = (
    "base_inverter_in", "base_inverter_out", "settled_import", "settled_export",
    *(f"{state}_{flow}" for state in ("base", *STATES) for flow in ("charge", "discharge")),
)  # fmt: skip
PRODUCT_ROWS: tuple[tuple[str, Case, bool], ...] = (
    *((name, HELD, False) for name in (*HELD_ROWS, *BID_ROWS)),
    *((f"called_down_{j}_{flow}_mw_one_way", HELD, True) for j in (0, 1) for flow in ("charge", "discharge")),
    *((name, HELD, True) for name in ("charge_room_in_call", "discharge_room_in_call")),
    *((name, CALLED, False) for name in CALLED_ROWS),
    *((f"{flow}_mw_one_way", CALLED, True) for flow in TWO_FLOWS),
    ("call_strict_export", products("hybrid", site=STRICT), False),
    ("product_both_split", products_of_two(), False),
    ("product_regulation_down_alike", regulation("parallel_ac", REGULATION["block"]), False),
)

# golden file: (component, case, with the one-way rows)
ROWS: dict[str, tuple[str, Case, bool]] = {
    "energy_balance": ("energy_balance", tiny(steps=3), False),
    "energy_balance_with_drawn": ("energy_balance", drawing(), False),
    "cycles_per_day": ("cycles_per_day", OVER_MIDNIGHT, False),
    "stated_cycles_at_most": ("stated_cycles_at_most", CYCLED, False),
    "cycles_within_hours": ("cycles_within_hours", WITHIN, False),
    "cycles_within_hours_window": ("cycles_within_hours_window", WITHIN, False),
    "solar_against_load": ("solar_against_load", tiny(site=STRICT), False),
    "strict_export": ("strict_export", tiny(site=STRICT), False),
    "strict_export_chord": ("strict_export_chord", tiny(site=STRICT), False),
    "solar_over_load_mw_one_way": ("solar_over_load_mw_one_way", tiny(site=STRICT), True),
    "solar_short_of_load_mw_one_way": ("solar_short_of_load_mw_one_way", tiny(site=STRICT), True),
    "dc_balance": ("dc_balance", tiny("hybrid"), False),
    "ac_balance": ("ac_balance", tiny(), False),
    "ac_balance_behind_inverter": ("ac_balance", tiny("hybrid"), False),
    "no_grid_charging": ("no_grid_charging", tiny(site=NO_CHARGING), False),
    "no_battery_export": ("no_battery_export", tiny(site=NO_EXPORT), False),
    "no_battery_export_behind_inverter": ("no_battery_export", tiny("hybrid", site=NO_EXPORT), False),
    "measured_peak": ("measured_peak", BILLED, False),
    "measured_peak_cut": ("measured_peak_cut", BILLED, False),
    "billed_at_least_measured": ("billed_at_least_measured", BILLED, False),
    **{
        name: (name, at_month_end(priced("parallel_ac", tariff)), False)
        for tariff, names in ((BENT, BENT_ROWS), (KEPT, KEPT_ROWS), (LEAST, LEAST_ROWS))
        for name in names
    },
    **{name: (name, clauses(), False) for name in CLAUSE_ROWS},
    "unserved_beyond_free": ("unserved_beyond_free", without_grid(), False),
    "ramp_up": ("ramp_up", SMOOTH, False),
    "ramp_down": ("ramp_down", SMOOTH, False),
    "first_ramp_up": ("first_ramp_up", SMOOTH, False),
    "first_ramp_down": ("first_ramp_down", SMOOTH, False),
    "charge_mw_one_way": ("charge_mw_one_way", tiny(), True),
    "discharge_mw_one_way": ("discharge_mw_one_way", tiny(), True),
    "import_mw_one_way": ("import_mw_one_way", tiny(), True),
    "export_mw_one_way": ("export_mw_one_way", tiny(), True),
    "inverter_out_mw_one_way": ("inverter_out_mw_one_way", tiny("series_dc"), True),
    "inverter_in_mw_one_way": ("inverter_in_mw_one_way", tiny("series_dc"), True),
    "stated_cycles_per_day": ("stated_cycles_per_day", OVER_MIDNIGHT.but(strategy="cycling"), False),
    "shared_power": ("shared_power", tiny(strategy="cycling"), False),
    "block_or_missing": ("block_or_missing", firm("parallel_ac", FIRM["block"]), False),
    "held_in_window": ("held_in_window", firm("parallel_ac", FIRM["firm"]), False),
    "firm_block": ("firm_block", firm("parallel_ac", FIRM["firm"]), False),
    "firm_block_unless_spared": ("firm_block", firm("parallel_ac", FIRM["firm-spared"]), False),
    "spared_in_period": ("spared_in_period", firm("parallel_ac", FIRM["firm-spared"]), False),
    **{of_any(name): (name, of, one_way) for name, of, one_way in PRODUCT_ROWS},
    **{name: (name, worn(), False) for name in ("wear_0_filled", "wear_1_filled", "wear_leaves", "wear_holds")},
    "wear_holds_above": ("wear_holds", worn_above_floor(), False),
    **{f"wear_{j}_filled_with_drawn": (f"wear_{j}_filled", drawing().but(battery=WORN), False) for j in (0, 1)},
    "wear_drawn": ("wear_drawn", drawing().but(battery=WORN), False),
    "charge_room": ("charge_room", tiny(steps=3), True),
    "discharge_room": ("discharge_room", tiny(steps=3), True),
}


def terms_of_rows(text: str) -> list[list[str]]:
    """The lines of each row of an LP file, in order: versions of Pyomo write the terms of a row in different ones."""
    return [sorted(block.splitlines()) for block in re.split(r"\n(?=c_|bounds)", text)]


@pytest.mark.parametrize("name", ROWS)
def test_rows_are_as_read(name: str) -> None:
    """A changed sign, efficiency, index or bound shows as a changed line."""
    component, of, one_way = ROWS[name]
    m = wanted(of, one_way=one_way)[0]
    assert key(m.component(component)) == name
    text = rows_as_lp(m, component)
    file = GOLDEN / f"{name}.lp"
    if os.environ.get(WRITE):
        file.write_text(text, "utf-8")
    assert terms_of_rows(text) == terms_of_rows(file.read_text("utf-8"))


def test_no_constraint_is_without_a_golden_file() -> None:
    """A new constraint, in whatever topology, permission or strategy, needs its file; a file needs its
    constraint.
    """
    present = set()
    for _, of, one_way in all_variants():
        m, _objectives = wanted(of, one_way=one_way)
        present |= {key(c) for c in m.component_objects(pyo.Constraint)}
    files = {file.stem for file in GOLDEN.glob("*.lp")}
    assert present == files == set(ROWS)


def test_a_changed_efficiency_changes_the_rows() -> None:
    """The comparison can fail."""
    text = rows_as_lp(physical(tiny(steps=3, battery={"technology": CELLS | {"eta_charge": 0.51}})), "energy_balance")
    assert text != (GOLDEN / "energy_balance.lp").read_text("utf-8")
