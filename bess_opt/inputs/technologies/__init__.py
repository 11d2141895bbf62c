"""Technologies and topologies of batteries: the cells and the power electronics, as data.

Efficiencies are one-way, at a named boundary: those of a `Technology` are the cells' own, at their DC
terminals; those of `Converters` lie between the cells and the bus. Built-in technologies are tables of
`technologies.toml`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from math import nan, sqrt
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

import pandas as pd
from pydantic import ConfigDict, model_validator

from bess_opt.common.findings import Finding
from bess_opt.common.input_table import Number, Table, plain, quantity, reject
from bess_opt.common.wording import show

ROUNDING = 1e-9  # of nameplate energy: a state of charge outside the window by less is on its edge
_WORDS = ("meaning", "ageing_source", "source")  # what a row of the file says beside the figures
_DATA: dict[str, dict[str, Any]] = tomllib.loads(
    (files("bess_opt.inputs.technologies") / "technologies.toml").read_text("utf-8")
)
if TYPE_CHECKING:
    TechnologyKey = str
else:
    TechnologyKey = Literal[tuple(_DATA)]
TopologyKey = Literal["parallel_ac", "series_dc", "hybrid"]

_ROUND_TRIP: dict[str, Any] = {
    "description": "in place of both one-way efficiencies, which are then its square root; 0 < and <= 1 [1]",
    "exclusiveMinimum": 0,
    "maximum": 1,
    "type": "number",
    "unit": "1",
}


def _schema_with_round_trip(schema: dict[str, Any]) -> None:
    """`round_trip_efficiency` is a key of the file, not a field: it is turned into the two it stands for."""
    schema["properties"]["round_trip_efficiency"] = _ROUND_TRIP
    etas = ["eta_charge", "eta_discharge"]
    schema["required"] = [key for key in schema["required"] if key not in etas]
    schema["oneOf"] = [{"required": etas}, {"required": ["round_trip_efficiency"]}]


LIFE_ENDS_AT = 0.8  # of the capacity: where cycle life and calendar life are counted to
CYCLES_A_YEAR = 365.0
MOST_FADE = 0.99  # a year; cells that lived less than a year would leave nothing to count


class Technology(Table):
    """Cells as data. `round_trip_efficiency` (0 < and <= 1) may be given in place of both efficiencies."""

    model_config = ConfigDict(json_schema_extra=_schema_with_round_trip)
    where: ClassVar[str] = "technology"

    eta_charge: Annotated[Number, quantity("one-way efficiency of the cells while charging", "1", gt=0, le=1)]
    eta_discharge: Annotated[Number, quantity("one-way efficiency of the cells while discharging", "1", gt=0, le=1)]
    soc_min: Annotated[Number, quantity("lowest usable fraction of nameplate energy", "1", ge=0, lt=1)]
    soc_max: Annotated[Number, quantity("highest usable fraction of nameplate energy", "1", gt=0, le=1)]
    c_rate_max: Annotated[Number, quantity("power at the cells over nameplate energy, both directions", "1/h", gt=0)]
    cycle_life: Annotated[
        Number | None, quantity("full cycles until 0.8 of the capacity is left, the calendar apart", "1", gt=0)
    ] = None
    calendar_life_years: Annotated[
        Number | None, quantity("years until 0.8 of the capacity is left, cycles apart", "year", gt=0)
    ] = None
    fade_per_year: Annotated[
        Number | None,
        quantity(
            "share of the capacity lost each year; default: of both lives at one cycle a day", "1/year", ge=0, lt=1
        ),
    ] = None

    @model_validator(mode="before")
    @classmethod
    def _split_round_trip(cls, values: Any) -> Any:
        if not isinstance(values, Mapping) or "round_trip_efficiency" not in values:
            return values
        rest = {key: value for key, value in values.items() if key != "round_trip_efficiency"}
        both = sorted({"eta_charge", "eta_discharge"} & rest.keys())
        round_trip: Any = plain(values["round_trip_efficiency"])
        if both:
            found = f"stands beside {' and '.join(both)}"
            remedy = "give either it or both one-way efficiencies"
            reject([Finding("contradiction", "round_trip_efficiency", found, remedy)])
        number = isinstance(round_trip, int | float) and not isinstance(round_trip, bool)
        if not number or not 0 < round_trip <= 1:
            remedy = "give a number > 0 and <= 1 (efficiency of one full cycle of the cells)"
            reject([Finding("wrong_value", "round_trip_efficiency", f"found {show(round_trip)}", remedy)])
        return {"eta_charge": sqrt(round_trip), "eta_discharge": sqrt(round_trip), **rest}

    @model_validator(mode="after")
    def _window_is_open(self) -> Self:
        if self.soc_min >= self.soc_max:
            found = f"soc_min {self.soc_min:g} is not below soc_max {self.soc_max:g}"
            reject([Finding("contradiction", "soc_min", found, "give soc_min < soc_max")])
        return self

    def inside(self, soc: float) -> float:
        """`soc` on the window's edge where it misses it by rounding, else as it is."""
        nearest_inside = min(max(soc, self.soc_min), self.soc_max)
        return nearest_inside if abs(soc - nearest_inside) <= ROUNDING else soc

    @property
    def states_ageing(self) -> bool:
        """Whether any figure of ageing is stated."""
        return (self.cycle_life, self.calendar_life_years, self.fade_per_year) != (None, None, None)

    @property
    def fade(self) -> float:
        """Share of the capacity lost each year [1/year]: as stated, else the calendar and one full cycle a day.

        0 where no figure is stated.
        """
        if self.fade_per_year is not None:
            return self.fade_per_year
        calendar = 1.0 / self.calendar_life_years if self.calendar_life_years is not None else 0.0
        cycles = CYCLES_A_YEAR / self.cycle_life if self.cycle_life is not None else 0.0
        return min((1.0 - LIFE_ENDS_AT) * (calendar + cycles), MOST_FADE)

    @property
    def life_in_words(self) -> str:
        """How long the cells last, as far as it is stated."""
        parts = [f"{self.cycle_life:,.0f} full cycles"] if self.cycle_life is not None else []
        parts += [f"{self.calendar_life_years:g} years"] if self.calendar_life_years is not None else []
        return f"{' or '.join(parts)} to {LIFE_ENDS_AT:g} of their capacity" if parts else "as their fade says"


class Converters(Table):
    """One-way efficiencies of the power electronics; defaults of NREL SSC. 1 switches a loss off."""

    where: ClassVar[str] = "converters"

    ac_to_dc: Annotated[Number, quantity("AC to DC, one way", "1", gt=0, le=1)] = 0.96
    dc_to_ac: Annotated[Number, quantity("DC to AC, one way", "1", gt=0, le=1)] = 0.96
    dc_to_dc: Annotated[Number, quantity("DC to DC, one way", "1", gt=0, le=1)] = 0.99


TECHNOLOGIES: dict[str, Technology] = {
    key: Technology(**{name: value for name, value in row.items() if name not in _WORDS})
    for key, row in _DATA.items()
}
_TOPOLOGIES = {
    "parallel_ac": "AC-coupled: PV inverter and battery converter meet at the AC bus (default)",
    "series_dc": "DC-coupled: PV and battery share a DC bus and one inverter with one rating",
    "hybrid": "a stated share of the array is DC-coupled to the battery, the rest is AC-coupled",
}


def technologies() -> pd.DataFrame:
    """Built-in technologies, one row per key: efficiencies and SOC window [1], C-rate [1/h], ageing, sources.

    `cycle_life` counts full cycles, `calendar_life_years` years until 0.8 of the capacity is left, each by itself;
    `fade_per_year` [1/year] is both together at one cycle a day, what money over life assumes unless told otherwise.
    """
    rows = {
        key: {
            "meaning": _DATA[key]["meaning"],
            "round_trip_efficiency": round(tech.eta_charge * tech.eta_discharge, 12),
            **tech.to_plain(),
            "fade_per_year": round(tech.fade, 12),
            "ageing_source": _DATA[key]["ageing_source"],
            "source": _DATA[key]["source"],
        }
        for key, tech in TECHNOLOGIES.items()
    }
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis(index="technology")
    return table.rename(columns={"c_rate_max": "c_rate_max_per_h"})


def topologies(converters: Converters | None = None) -> pd.DataFrame:
    """Topologies, one row per key: the battery's port and the efficiency of each path without the cells.

    Paths run from the array (before any inverter) or the grid through the battery to the grid [1]; NaN where
    a topology has no such path. `converters` defaults to the defaults of `Converters`.
    """
    eta = converters or Converters()
    to_ac, to_dc, dc_dc = eta.dc_to_ac, eta.ac_to_dc, eta.dc_to_dc
    on_dc = (dc_dc**2 * to_ac, to_dc * dc_dc**2 * to_ac)
    paths = {
        "parallel_ac": ("AC bus", nan, to_ac * to_dc * to_ac, to_dc * to_ac),
        "series_dc": ("DC bus", on_dc[0], nan, on_dc[1]),
        "hybrid": ("DC bus", on_dc[0], to_ac * on_dc[1], on_dc[1]),
    }
    columns = ["port", "eta_dc_solar_battery_grid", "eta_ac_solar_battery_grid", "eta_grid_battery_grid"]
    table = pd.DataFrame.from_dict(paths, orient="index", columns=columns).rename_axis(index="topology")
    table.insert(0, "meaning", pd.Series(_TOPOLOGIES))
    return table.assign(source="NREL SSC class defaults: AC-DC 0.96 each way, DC-DC 0.99")
