"""Models of small scenarios, and their rows as text."""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Iterator
from io import StringIO
from typing import Any

import numpy as np
import pandas as pd
import pyomo.environ as pyo
from pyomo.repn.plugins.lp_writer import LPWriter

from bess_opt.models import assemble
from bess_opt.models.one_way import add_one_way, pairs_of
from bess_opt.plant.from_scenario import plant_of
from bess_opt.plant.plant import Plant
from bess_opt.strategies.shared.activation import activate
from bess_opt.strategies.shared.discovery import discover
from support.cases import TOPOLOGIES, Case, case
from support.places import ROOT

GOLDEN = ROOT / "tests" / "proofs" / "formulation" / "golden"
CELLS = {"eta_charge": 0.5, "eta_discharge": 0.625, "soc_min": 0.125, "soc_max": 0.875, "c_rate_max": 1.0}
DEMAND = [
    {"price_per_mw_month": 7000.0, "interval_min": 120.0, "ratchet": {"share": 0.5, "months": 11}},
    {"price_per_mw_month": 1000.0, "period": "horizon", "incurred_mw": 2.5},
]
INF = float("inf")
BENT = {  # bends both ways: demand and energy get dearer, then cheaper; a contract is overrun
    "export": "none",
    "energy": [{"tiers": [[1.0, 30.0], [4.0, 70.0], [INF, 50.0]], "used_mwh": 0.5}],
    "demand": [
        {"tiers": [[1.0, 5000.0], [2.0, 7000.0], [INF, 6000.0]], "minimum_mw": 0.5},
        {"price_per_mw_month": 1000.0, "contracted_mw": 1.5, "overrun_price_per_mw_month": 3000.0},
        {"price_per_mw_month": 1000.0, "peaks": {"n": 2}, "incurred_mw": [2.5]},
    ],
}
KEPT = {  # a month's sum decides, and export may bring it below zero
    "export": 60.0,
    "energy": [{"price_per_mwh": 40.0}],
    "fixed_per_month": 50.0,
    "minimum_per_month": 100.0,
    "credit_months": 1,
    "credit_so_far": [25.0],
}
LEAST = {key: value for key, value in KEPT.items() if not key.startswith("credit")}
FIRM: dict[str, dict[str, Any]] = {
    "block": {"block_mw": 3.0},
    "firm": {"period": "month"},
    "firm-spared": {"period": "month", "share_of_days": 0.5},
}
REGULATION: dict[str, dict[str, Any]] = {
    "each-way": {"activation_up": 0.125, "activation_down": 0.25, "headroom_h": 0.5},
    "block": {"symmetric": True, "block_h": 2.0},
}
WORN = {"wear_cost_per_mwh": 0.0, "wear": {"depth": [0.25, 1.0], "cost_per_mwh": [3.0, 7.0]}}
PRESSED = {"dc_share": 0.25}  # the middle step has more AC-side PV than the site may export
PRODUCTS: list[dict[str, Any]] = [  # each kind of bid, and all three directions
    {"name": "both", "block_h": 2.0, "headroom_h": 0.5, "min_bid_mw": 0.5, "exclusive_group": "one"},
    {
        "name": "rise",
        "direction": "up",
        "headroom_h": 1.0,
        "step_mw": 0.25,
        "min_bid_mw": 0.5,
        "exclusive_group": "one",
    },
    {"name": "fall", "direction": "down", "headroom_h": 0.25, "max_mw": 1.5},
]
CALLS = {
    "both_activation_up": [0.125, 0.0, 0.25],
    "both_activation_down": [0.0, 0.25, 0.125],
    "rise_activation": [0.25, 0.5, 0.0],
    "rise_activation_price_per_mwh": [80.0, 90.0, 100.0],
}
CONVERTERS = {"ac_to_dc": 0.5, "dc_to_ac": 0.8, "dc_to_dc": 1.0}


def tiny(topology: str = "parallel_ac", steps: int = 2, **changes: Any) -> Case:
    """Two or three steps with PV, load and prices, in numbers that can be followed by eye."""
    base = case(
        battery={
            "power_mw": 2.0,
            "duration_h": 2.0,
            "technology": CELLS,
            "converters": CONVERTERS,
            "topology": topology,
            "soc_start": 0.5,
            "soc_end": "at_least_start",
            "wear_cost_per_mwh": 3.0,
            "self_discharge_per_h": 0.25,
        },
        site={
            "inverter_mw": 5.0,
            "import_limit_mw": 6.0,
            "export_limit_mw": 7.0,
            "unserved_price_per_mwh": 400.0,
        }
        | ({"dc_share": 0.75} if topology == "hybrid" else {}),
        solar_mw=[4.0, 8.0, 2.0][:steps],
        load_mw=[1.0, 2.0, 3.0][:steps],
        price_per_mwh=[-20.0, 50.0, 90.0][:steps],
    )
    return base.but(**changes)


def everything(topology: str, name: str, **changes: Any) -> Case:
    """A scenario with every series there is, so that any strategy finds what it needs."""
    basis = at_month_end(tiny(topology, 3, **changes))
    series = basis.series.assign(
        regulation_up_price_per_mw=5.0, regulation_down_price_per_mw=4.0, energy_min_mwh=[0.0, 1.0, 0.5]
    )
    return basis.but(series=series, strategy=name, finance={"variable_om_per_mwh": 1.5})


def priced(topology: str, tariff: dict[str, Any]) -> Case:
    """Three steps that a tariff alone prices."""
    basis = tiny(topology, 3, tariff=tariff, strategy="peak_shaving")
    return basis.but(series=basis.series.drop(columns="price_per_mwh"))


def at_month_end(of: Case) -> Case:
    """The same steps from two hours before the end of May on."""
    return of.but(series=of.series.shift(freq=pd.Timestamp("2025-05-31 22:00", tz="UTC") - of.series.index[0]))


def firm(topology: str, options: dict[str, Any]) -> Case:
    """Two deliveries on two days of a month, at the first and the last of three steps around midnight."""
    basis = tiny(topology, 3, strategy={"name": "firm_delivery", "window": ["00:00", "23:00"]} | options)
    return basis.but(series=basis.series.shift(22, freq="h"))


def regulation(topology: str, options: dict[str, Any], **changes: Any) -> Case:
    """Three steps of which the first two are a block, with every permission withheld."""
    site = {"grid_charging": False, "battery_export": False, "export_limit_mw": 3.0}
    basis = everything(topology, "frequency_regulation", site=site)
    strategy = {"name": "frequency_regulation"} | options
    return basis.but(strategy=strategy, **changes)


def products(topology: str, *, called: bool = False, **changes: Any) -> Case:
    """Three steps of which the first two are a block of a product, with every permission withheld."""
    site = {"grid_charging": False, "battery_export": False, "export_limit_mw": 3.0}
    basis = tiny(topology, 3, site=site, product=PRODUCTS)
    prices = {"both_price_per_mw": 6.0, "rise_price_per_mw": [5.0, 4.0, 7.0], "fall_price_per_mw": 3.0}
    return basis.but(series=basis.series.assign(**prices, **(CALLS if called else {})), **changes)


def products_of_two() -> Case:
    """The same with a second battery, of half the power."""
    basis = products("parallel_ac", called=True)
    own = {key: value for key, value in basis.battery.items() if key != "topology"}
    both = [own | {"name": "north"}, own | {"name": "south", "power_mw": 1.0}]
    return dataclasses.replace(basis, battery=both)


def drawing() -> Case:
    """Three steps in which energy is drawn from the cells, under limits that change from step to step."""
    basis = tiny(steps=3)
    limits = {
        "charge_limit_mw": [1.0, 2.0, 0.5],
        "import_limit_mw": [8.0, 1.0, 4.0],
        "energy_max_mwh": [3.0, 3.5, 4.0],
    }
    return basis.but(series=basis.series.assign(drawn_mw=[0.5, 0.0, 0.25], **limits))


def worn(topology: str = "parallel_ac") -> Case:
    """Three steps with two segments of wear, the first full at the start and the other holding a part."""
    return tiny(topology, steps=3, battery=WORN)


def worn_above_floor(topology: str = "parallel_ac") -> Case:
    """As `worn`, without self-discharge: what lies under the window is in no segment."""
    return tiny(topology, steps=3, battery=WORN | {"self_discharge_per_h": 0.0})


def plant_of_case(of: Case) -> Plant:
    """The plant of a case."""
    return plant_of(of.scenario())


def restricted(of: Case) -> Plant:
    """The plant of a case with what its strategy forbids taken away, and what it sells."""
    scenario = of.scenario()
    stated_plant = plant_of(scenario)
    return activate(scenario, stated_plant).restrict(stated_plant)


def physical(of: Case, *, one_way: bool = False) -> Any:
    """The model of what is possible, with the one-way rows if `one_way`."""
    m = assemble.physical_model_of(plant_of_case(of))
    if one_way:
        add_one_way(m, plant_of_case(of), pairs_of(plant_of_case(of)))
    return m


def wanted(of: Case, *, one_way: bool = False) -> tuple[Any, Any]:
    """The model with a strategy's constraints, and its objectives."""
    scenario = of.scenario()
    stated_plant = plant_of(scenario)
    active = activate(scenario, stated_plant)
    data = active.restrict(stated_plant)
    m, objectives = assemble.model_of(data, active)
    if one_way:
        add_one_way(m, data, pairs_of(data))
    return m, objectives


def all_variants() -> Iterator[tuple[str, Case, bool]]:
    """(label, case, one_way) for each topology x strategy, and for arbitrage x permission x one way."""
    flags = itertools.product(TOPOLOGIES, discover(), ("", "no_charging", "no_export", "bare"), (False, True))
    for topology, name, flag, one_way in flags:
        if name != "arbitrage" and (flag or not one_way):
            continue
        site = {"grid_charging": flag != "no_charging", "battery_export": flag != "no_export"}
        if flag == "bare":
            site["curtailment"] = False
        tariff = None if flag == "bare" else {"demand": DEMAND}
        battery = {} if flag == "bare" else {"max_cycles_per_day": 1.5, "soc_end": {"value_per_mwh": 30.0}}
        yield (
            f"{topology}-{name}-{flag}-{one_way}",
            everything(topology, name, site=site, battery=battery, tariff=tariff),
            one_way,
        )
    for topology, (label, options) in itertools.product(TOPOLOGIES, FIRM.items()):
        yield f"{topology}-{label}", firm(topology, options), True
    for topology, (label, options) in itertools.product(TOPOLOGIES, REGULATION.items()):
        yield f"{topology}-regulation-{label}", regulation(topology, options), True
    for topology, (label, tariff) in itertools.product(
        TOPOLOGIES, (("bent", BENT), ("kept", KEPT), ("least", LEAST))
    ):
        yield f"{topology}-{label}", at_month_end(priced(topology, tariff)), False
    yield "hybrid-regulation-pressed", regulation("hybrid", {}, site=PRESSED), True
    strict, within = {"battery_export": "strict"}, {"max_cycles": {"count": 1.5, "hours": 2.0, "counts": "charged"}}
    for topology in TOPOLOGIES:
        yield f"{topology}-strict", everything(topology, "arbitrage", site=strict, battery=within), True
    yield "hybrid-regulation-strict", regulation("hybrid", {}, site=strict), True
    yield "drawing", drawing(), True
    for topology in TOPOLOGIES:
        yield f"{topology}-worn", worn(topology), True
    yield "worn-above-floor", worn_above_floor(), True
    yield "worn-drawing", drawing().but(battery=WORN), True
    for topology in TOPOLOGIES:
        yield f"{topology}-products", products(topology), True
        yield f"{topology}-products-called", products(topology, called=True), True
    yield "hybrid-products-strict", products("hybrid", site={"battery_export": "strict"}), True
    yield "products-of-two", products_of_two(), True
    yield "clauses", clauses(), False
    yield "outage", without_grid(), False


def clauses() -> Case:
    """Three steps under caps that may be overrun, in the first two, and a ramp into the last two and from before."""
    return tiny(
        steps=3,
        connection=[
            {"name": "evening", "export_mw": 2.5, "import_mw": 1.5, "hours": [0, 2], "overrun_price_per_mwh": 40.0},
            {"name": "ramp", "ramp_mw_per_min": 1 / 64, "before_mw": 0.25},
        ],
    )


def without_grid() -> Case:
    """Three steps, the grid away in the second, where a quarter of the load may go unserved free of charge."""
    basis = tiny(steps=3)
    return basis.but(outage=[{"start": basis.series.index[1].isoformat(), "hours": 1.0, "critical_share": 0.75}])


def of_any(name: str) -> str:
    """The name of a component whatever battery or product it is of, `product_name_whole_steps`."""
    own, sold = re.sub(r"^(north|south)\.", "", name), "both|rise|fall|regulation_up|regulation_down"
    own = re.sub(rf"product_({sold})_", "product_name_", own)
    return re.sub(rf"activated_(up|down)_({sold})_", r"activated_\1_name_", own)


def key(constraint: Any) -> str:
    """Name of a constraint's golden file: that of the component for any product and battery, or of its rule where
    a component has variants.
    """
    rule = getattr(constraint, "array_rule", None)
    called = getattr(rule, "__name__", "")
    name = of_any(str(constraint.local_name))
    return called if called.startswith(name + "_") else name


def rows_as_lp(m: Any, name: str) -> str:
    """The rows of one constraint as Pyomo writes them to an LP file, its header left out."""
    for component in m.component_objects(pyo.Constraint):
        if component.local_name != name:
            component.deactivate()
    m.nothing = pyo.Objective(expr=0.0)
    stream = StringIO()
    LPWriter().write(m, stream, symbolic_solver_labels=True)
    text = re.sub(r"\\\*.*?\*\\\s*", "", stream.getvalue())
    return "\n".join(line.rstrip() for line in text.splitlines() if line.strip()) + "\n"


def nonzero(entries: dict[str, float]) -> dict[str, float]:
    """The entries that count."""
    return {name: value for name, value in entries.items() if value != 0.0}


def upright(low: float, high: float, entries: dict[str, float]) -> tuple[float, float, dict[str, float]]:
    """A row as equality or as "at most": "at least" turned round, zeros left out."""
    sign = -1.0 if np.isposinf(high) else 1.0
    sides = sorted((sign * low, sign * high))
    return sides[0], sides[1], {name: sign * value for name, value in nonzero(entries).items()}


def close(a: dict[str, float], b: dict[str, float]) -> bool:
    """The same entries up to rounding."""
    return a.keys() == b.keys() and all(np.isclose(a[k], b[k], rtol=1e-12, atol=1e-12) for k in a)
