"""Scenarios that no plan can meet, by kind, and which changes alone must mend each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

import bess_opt as bo
from support.cases import IDEAL, LOSSLESS, Case, case

LOSSY = {"eta_charge": 0.9, "eta_discharge": 0.95, "soc_min": 0.1, "soc_max": 0.9, "c_rate_max": 10.0}
SLOW = IDEAL | {"c_rate_max": 0.5}


@dataclass(frozen=True)
class Impossible:
    """A case without a plan; `mends` are key paths that must be among its single relaxations."""

    kind: str
    make: Callable[[], Case]
    mends: tuple[str, ...] = ()
    more: tuple[tuple[str, Any], ...] = ()

    def scenario(self) -> bo.Scenario:
        """The package's scenario."""
        return self.make().scenario(**dict(self.more))


def flat(steps: int) -> list[float]:
    """Prices that play no part."""
    return [10.0] * steps


def peak(
    load: list[float], *, limit: float, battery: dict[str, Any] | None = None, **more: Any
) -> Callable[[], Case]:
    """A load behind a connection that is too small for it."""
    site = {"import_limit_mw": limit} | more.pop("site", {})
    return lambda: case(price_per_mwh=flat(len(load)), load_mw=load, battery=battery, site=site, **more)


def glut(
    solar: list[float], *, limit: float, battery: dict[str, Any] | None = None, **more: Any
) -> Callable[[], Case]:
    """PV that may not be curtailed, behind a connection that cannot take it."""
    site = {"export_limit_mw": limit, "curtailment": False} | more.pop("site", {})
    column = more.pop("column", "solar_mw")
    columns = {"price_per_mwh": flat(len(solar)), column: solar}
    return lambda: case(**columns, battery=battery, site=site, **more)


def aim(steps: int, **more: Any) -> Callable[[], Case]:
    """A state of charge at the end, or a reserve on the way, that is out of reach."""
    return lambda: case(price_per_mwh=flat(steps), **more)


HUMP = [0.5, 2.5, 2.6, 2.7, 2.6, 2.5, 0.5]
NOON = [0.0, 1.0, 3.0, 4.0, 3.0, 1.0, 0.0]
FULL = {"soc_start": 1.0, "soc_end": "free"}

IMPOSSIBLE: dict[str, Impossible] = {
    # ---- energy behind a small connection
    "hump": Impossible("load", peak(HUMP, limit=2.0, battery={"soc_start": 0.5}), ("site.import_limit_mw", "battery.duration_h")),
    "hump lossy": Impossible(
        "load",
        peak(HUMP, limit=2.0, battery={"technology": LOSSY, "soc_start": 0.5}),
        ("site.import_limit_mw", "battery.duration_h"),
    ),
    "hump in quarter-hours": Impossible(
        "load",
        peak(np.repeat(HUMP, 4).tolist(), limit=2.0, battery={"soc_start": 0.5}, step_min=15),
        ("site.import_limit_mw", "battery.duration_h"),
    ),
    "hump behind converters": Impossible(
        "load",
        peak(HUMP, limit=2.0, battery={"converters": {"ac_to_dc": 0.95, "dc_to_ac": 0.95, "dc_to_dc": 0.99}, "soc_start": 0.2}),
        ("site.import_limit_mw", "battery.duration_h"),
    ),
    "hump in the window": Impossible(
        "load",
        peak([0.5, 2.5, 2.5, 2.3, 0.5], limit=2.0, battery={"technology": IDEAL | {"soc_min": 0.3, "soc_max": 0.9}, "soc_start": 0.5}),
        ("site.import_limit_mw", "battery.technology.soc_min", "battery.technology.soc_max"),
    ),
    "no import at all": Impossible("load", peak([0.3] * 6, limit=0.0, battery={"soc_start": 0.5}), ("site.import_limit_mw",)),
    "auxiliary load": Impossible("load", peak([1.0] * 4, limit=1.0, battery={"auxiliary_mw": 0.1}), ("site.import_limit_mw",)),
    # ---- power
    "spike": Impossible("power", peak([0.5, 3.4, 0.5], limit=2.0, battery={"soc_start": 1.0}), ("site.import_limit_mw", "battery.power_mw")),
    "spike at the C-rate": Impossible(
        "power",
        peak([0.5, 3.0, 0.5], limit=2.0, battery={"technology": SLOW, "duration_h": 1.0, "soc_start": 1.0}),
        ("site.import_limit_mw", "battery.duration_h"),
    ),
    "spike behind the inverter": Impossible(
        "power",
        peak([0.5, 3.4, 0.5], limit=2.0, battery={"power_mw": 2.0, "topology": "series_dc", "soc_start": 1.0}, site={"inverter_mw": 1.0}),
        ("site.inverter_mw", "site.import_limit_mw"),
    ),
    # ---- warranty
    "warranty": Impossible(
        "warranty",
        peak([0.5, 2.5, 0.5, 2.5, 0.5], limit=1.5, battery={"soc_start": 0.5, "max_cycles_per_day": 0.6}),
        ("battery.max_cycles_per_day", "site.import_limit_mw", "battery.duration_h"),
    ),
    "warranty over two days": Impossible(
        "warranty",
        peak(([0.5] * 10 + [2.5] * 2) * 4, limit=2.0, battery={"soc_start": 0.5, "max_cycles_per_day": 0.8}),
        ("battery.max_cycles_per_day",),
    ),
    "warranty of the cycling strategy": Impossible(
        "warranty",
        peak([0.5, 2.5, 2.5, 0.5], limit=2.0, battery={"soc_start": 1.0}, strategy={"name": "cycling", "cycles_per_day": 2.4}),
        ("strategy.cycles_per_day", "site.import_limit_mw"),
    ),
    # ---- the end
    "end too high": Impossible("end", aim(2, battery={"power_mw": 0.5, "duration_h": 4.0, "soc_start": 0.1, "soc_end": 0.8}), ("battery.soc_end", "battery.power_mw")),
    "end too low": Impossible("end", aim(2, battery={"power_mw": 0.5, "duration_h": 4.0, "soc_start": 0.9, "soc_end": 0.2}), ("battery.soc_end", "battery.power_mw")),
    "end behind the connection": Impossible(
        "end",
        peak([0.8, 0.8, 0.8, 0.8], limit=1.0, battery={"soc_start": 0.1, "soc_end": 0.9}),
        ("battery.soc_end", "site.import_limit_mw"),
    ),
    "end as the start, and self-discharge": Impossible(
        "end",
        peak([1.0] * 5, limit=1.0, battery={"soc_start": 0.8, "soc_end": "at_least_start", "self_discharge_per_h": 0.02}),
        ("battery.soc_end", "site.import_limit_mw"),
    ),
    "end equal, no export": Impossible(
        "end",
        aim(3, battery={"soc_start": 0.9, "soc_end": 0.4}, site={"export_limit_mw": 0.2}),
        ("battery.soc_end", "site.export_limit_mw"),
    ),
    # ---- reserve
    "reserve above reach": Impossible(
        "reserve",
        aim(4, energy_min_mwh=[0.0, 1.9, 0.0, 0.0], battery={"power_mw": 0.5, "duration_h": 4.0}),
        ("series.energy_min_mwh", "battery.power_mw"),
    ),
    "reserve above the window": Impossible(
        "reserve",
        aim(4, energy_min_mwh=[0.0, 0.0, 1.95, 0.0], battery={"technology": LOSSY, "soc_start": 0.5}),
        ("series.energy_min_mwh", "battery.technology.soc_max"),
    ),
    "reserve and load": Impossible(
        "reserve",
        peak([0.5, 0.5, 2.5, 2.5, 2.5, 0.5], limit=2.0, battery={"soc_start": 0.5}, energy_min_mwh=[0.0, 0.0, 0.0, 0.0, 1.2, 1.0]),
        ("series.energy_min_mwh", "site.import_limit_mw"),
    ),
    # ---- curtailment
    "noon": Impossible("curtailment", glut(NOON, limit=2.0), ("site.curtailment", "site.export_limit_mw")),
    "noon with a full battery": Impossible(
        "curtailment", glut([2.5, 2.5, 0.0], limit=2.0, battery=FULL | {"soc_end": "equal"}), ("site.curtailment", "site.export_limit_mw")
    ),
    "noon on the DC bus": Impossible(
        "curtailment",
        glut(NOON, limit=3.0, column="solar_dc_mw", battery={"topology": "series_dc"}, site={"inverter_mw": 2.0}),
        ("site.curtailment", "site.inverter_mw"),
    ),
    "noon behind a hybrid": Impossible(
        "curtailment",
        glut(NOON, limit=2.0, battery={"topology": "hybrid"}, site={"inverter_mw": 3.0, "dc_share": 0.5}),
        ("site.curtailment", "site.export_limit_mw"),
    ),
    "noon under an export cap": Impossible(
        "strategy",
        glut(NOON, limit=5.0, strategy={"name": "export_cap", "cap_mw": 2.0}),
        ("site.curtailment", "strategy.cap_mw"),
    ),
    "export cap and a full battery": Impossible(
        "strategy",
        lambda: case(price_per_mwh=flat(3), solar_mw=[0.0, 1.5, 0.0], battery=FULL | {"soc_end": 0.1}, site={"export_limit_mw": 5.0}, strategy={"name": "export_cap", "cap_mw": 0.4}),
        ("strategy.cap_mw", "battery.soc_end"),
    ),
    # ---- permissions
    "only PV may charge": Impossible(
        "permission",
        aim(3, solar_mw=[0.1, 0.1, 0.1], battery={"soc_end": 0.5}, site={"grid_charging": False}),
        ("site.grid_charging", "battery.soc_end"),
    ),
    "battery may not feed the grid": Impossible(
        "permission",
        aim(3, load_mw=[0.1, 0.1, 0.1], battery={"soc_start": 0.9, "soc_end": 0.2}, site={"battery_export": False}),
        ("site.battery_export", "battery.soc_end"),
    ),
    "battery may not feed the grid through the inverter": Impossible(
        "permission",
        aim(3, load_mw=[0.1, 0.1, 0.1], battery={"soc_start": 0.9, "soc_end": 0.2, "topology": "series_dc"}, site={"battery_export": False}),
        ("site.battery_export", "battery.soc_end"),
    ),
    # ---- the one-way rule: the linear model finds a way by wasting energy in a converter
    "wasting energy": Impossible(
        "one way",
        glut([0.6, 0.6, 0.6, 0.6], limit=0.5, battery={"technology": LOSSY, "duration_h": 0.25, "soc_start": 0.5}),
        ("site.curtailment", "site.export_limit_mw"),
    ),
    "wasting energy at the end": Impossible(
        "one way",
        glut([0.52, 0.52, 0.52], limit=0.5, battery={"technology": LOSSY, "soc_start": 0.5, "soc_end": "equal"}),
        ("site.curtailment", "site.export_limit_mw"),
    ),
    # ---- other strategies
    "regulation behind a small connection": Impossible(
        "strategy",
        peak(
            HUMP, limit=2.0, battery={"soc_start": 0.5}, strategy="frequency_regulation",
            regulation_up_price_per_mw=flat(7), regulation_down_price_per_mw=flat(7),
        ),
        ("site.import_limit_mw",),
    ),
    "firm block behind a small connection": Impossible(
        "strategy",
        peak(HUMP, limit=2.0, battery={"soc_start": 0.5}, strategy={"name": "firm_delivery", "window": ["02:00", "04:00"]}),
        ("site.import_limit_mw",),
    ),
    "firm block with spared days": Impossible(
        "strategy",
        peak(
            ([0.5] * 10 + [2.5] * 6 + [0.5] * 8) * 2, limit=2.0, battery={"soc_start": 0.5},
            strategy={"name": "firm_delivery", "window": ["18:00", "20:00"], "period": "month", "share_of_days": 0.5},
        ),
        ("site.import_limit_mw",),
    ),
}  # fmt: skip

# No single change mends these.
TWOFOLD: dict[str, Callable[[], Case]] = {
    "load and PV": lambda: case(
        price_per_mwh=flat(4), load_mw=[4.0, 0.0, 0.0, 0.0], solar_mw=[0.0, 0.0, 5.0, 0.0],
        battery={"soc_start": 0.5}, site={"import_limit_mw": 2.0, "export_limit_mw": 2.0, "curtailment": False},
    ),
    "reserve at once and a load": lambda: case(
        price_per_mwh=flat(4), load_mw=[0.0, 0.0, 0.0, 3.5], energy_min_mwh=[1.9, 0.0, 0.0, 0.0],
        battery={"soc_start": 0.5, "power_mw": 1.0, "duration_h": 2.0, "technology": SLOW | {"c_rate_max": 0.25}},
        site={"import_limit_mw": 2.0},
    ),
}  # fmt: skip


def with_values(scenario: bo.Scenario, relaxation: bo.Relaxation, share: float) -> bo.Scenario:
    """`scenario` with each changed number only `share` of the way; permissions are granted."""
    from bess_opt.dispatch.infeasible.user_limits import tables_of

    values = {
        c.where: c.value if isinstance(c.value, bool) else c.stated + share * (c.value - c.stated)
        for c in relaxation.changes
    }
    return scenario.replace(**tables_of(scenario, values))


__all__ = ["IMPOSSIBLE", "LOSSLESS", "TWOFOLD", "Impossible", "replace", "with_values"]
