"""The battery: its frozen types, and the data tables of technologies and topologies.

Efficiencies are one-way, at a named boundary (rule 5): those of a technology are the cells' own, at their DC
terminals; those of `Converters` lie between the cells and the bus. `power_mw` is at the port, the bus side of
the battery's converter (rule 6): the AC bus for "parallel_ac", the DC bus otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import nan, sqrt
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar

import pandas as pd
from pydantic import AfterValidator, ConfigDict, Discriminator, Field, Tag, model_validator

from bess_opt.common.findings import Finding
from bess_opt.common.input_table import Number, Table, Text, plain, quantity, reject
from bess_opt.common.wording import show
from bess_opt.inputs.cycle_limits import CycleLimit

ROUNDING = 1e-9  # of nameplate energy: a state of charge outside the window by less is on its edge
TechnologyKey = Literal["standard", "modern_lfp", "premium"]
TopologyKey = Literal["parallel_ac", "series_dc", "hybrid"]
SocEndWord = Literal["at_least_start", "equal", "free"]

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
            reject([Finding("wrong_value", "round_trip_efficiency", f"found {round_trip!r}", remedy)])
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


class EndValue(Table):
    """End of horizon priced instead of fixed."""

    where: ClassVar[str] = "soc_end"

    value_per_mwh: Annotated[
        Number, quantity("money per MWh in store, on the change since the start", "currency/MWh")
    ]


def _branch(value: object) -> str:
    """Which kind of `soc_end` was meant; what is neither word nor table is checked as a number."""
    if isinstance(value, str):
        return "(word)"
    return "(table)" if isinstance(value, Mapping | Table) else "(number)"


def _key_or_table(value: object) -> str:
    return "(table)" if isinstance(value, Mapping | Table) else "(word)"


W = TypeVar("W")
_Word = Annotated[W, Tag("(word)")]
_TechnologyChoice = Annotated[
    Annotated[TechnologyKey, Tag("(word)")] | Annotated[Technology, Tag("(table)")],
    Discriminator(_key_or_table),
]
_SocEnd = Annotated[
    Annotated[SocEndWord, Tag("(word)")]
    | Annotated[EndValue, Tag("(table)")]
    | Annotated[Number, Field(ge=0, le=1), Tag("(number)")],
    Discriminator(_branch),
]


def _list_or_table(value: object) -> str:
    return "(list)" if isinstance(value, list | tuple) else "(table)"


_MaxCycles = Annotated[
    Annotated[CycleLimit, Tag("(table)")] | Annotated[tuple[CycleLimit, ...], Tag("(list)")],
    Discriminator(_list_or_table),
]


LONGEST_NAME = 40  # characters; it stands before the columns of the battery


def _plain_name(name: str | None) -> str | None:
    if name is not None and not (0 < len(name.strip()) == len(name) <= LONGEST_NAME and name.isprintable()):
        reject([Finding("wrong_value", "", f"found {show(name)}", f"give 1 to {LONGEST_NAME} characters")])
    if name is not None and "." in name:
        reject([Finding("wrong_value", "", f"found {show(name)}", "give a name without a dot")])
    return name


class Battery(Table):
    """A battery storage system at its port (rule 6), with its start and end (rule 7)."""

    where: ClassVar[str] = "battery"

    name: Annotated[
        Text | None,
        AfterValidator(_plain_name),
        Field(description="tells several batteries apart; one may go without"),
    ] = None
    power_mw: Annotated[Number, quantity("rated power at the port, both directions", "MW", gt=0)]
    duration_h: Annotated[Number, quantity("nameplate energy over rated power", "h", gt=0)]
    charge_power_mw: Annotated[
        Number | None, quantity("most charge power at the port; default: power_mw", "MW", gt=0)
    ] = None
    technology: Annotated[
        _TechnologyChoice, Field(description="key of a technology, or a table with its figures")
    ] = "modern_lfp"
    topology: Annotated[TopologyKey, Field(description="how battery and PV are connected: a topology")] = (
        "parallel_ac"
    )
    converters: Annotated[
        Converters, Field(description="a table with one-way efficiencies of the power electronics")
    ] = Converters()
    soc_start: Annotated[
        Number | None,
        quantity("state of charge at the start; default: middle of the window", "1", ge=0, le=1),
    ] = None
    soc_end: Annotated[
        _SocEnd,
        Field(
            description='"at_least_start", "equal", "free", a state of charge 0 to 1 (equality), '
            "or {value_per_mwh = money per MWh in store at the end}"
        ),
    ] = "at_least_start"
    wear_cost_per_mwh: Annotated[
        Number, quantity("shadow price for dispatch per MWh discharged, not cash", "currency/MWh", ge=0)
    ] = 0.0
    max_cycles_per_day: Annotated[
        Number | None, quantity("warranty: full equivalent cycles per local day", "1/day", gt=0)
    ] = None
    max_cycles: Annotated[
        _MaxCycles | None,
        Field(
            description='warranty: a table {count, per = "day", "month", "year" or "horizon", or hours, used, '
            "counts, begins}, or a list of such tables, which all hold"
        ),
    ] = None
    self_discharge_per_h: Annotated[
        Number, quantity("share of the stored energy lost per hour", "1/h", ge=0, lt=1)
    ] = 0.0
    auxiliary_mw: Annotated[Number, quantity("constant own demand, met like load", "MW", ge=0)] = 0.0

    @model_validator(mode="after")
    def _states_lie_in_window(self) -> Self:
        tech = self.tech
        states = {"soc_start": self.soc_start, "soc_end": self.soc_end}
        remedy = f"give a state of charge from {tech.soc_min:g} to {tech.soc_max:g}, the technology's window"
        outside = [
            Finding("outside_window", key, f"found {value:.12g}", remedy)
            for key, value in states.items()
            if isinstance(value, float) and not tech.soc_min - ROUNDING <= value <= tech.soc_max + ROUNDING
        ]
        if outside:
            reject(outside)
        return self

    @property
    def tech(self) -> Technology:
        """The technology's figures, looked up if a key was given."""
        return self.technology if isinstance(self.technology, Technology) else TECHNOLOGIES[self.technology]

    @property
    def charge_power(self) -> float:
        """Most charge power at the port [MW], the C-rate apart: the stated one, else `power_mw`."""
        return self.power_mw if self.charge_power_mw is None else self.charge_power_mw

    @property
    def energy_mwh(self) -> float:
        """Nameplate energy [MWh] = power × duration; the SOC window is a fraction of it."""
        return self.power_mw * self.duration_h

    @property
    def soc_start_resolved(self) -> float:
        """State of charge at the start [1]: the stated one, else the middle of the window."""
        if self.soc_start is not None:
            return self.tech.inside(self.soc_start)
        return (self.tech.soc_min + self.tech.soc_max) / 2

    def cycle_limits(self, place: str = "battery") -> tuple[tuple[str, CycleLimit], ...]:
        """All caps on cycles with the key path of each, the battery standing at `place`."""
        own = self.max_cycles
        stated = () if own is None else own if isinstance(own, tuple) else (own,)
        several = isinstance(own, tuple)
        found = [(f"{place}.max_cycles{f'[{i}]' if several else ''}", limit) for i, limit in enumerate(stated)]
        if self.max_cycles_per_day is not None:
            found.insert(0, (f"{place}.max_cycles_per_day", CycleLimit(count=self.max_cycles_per_day, per="day")))
        return tuple(found)


def _cells(
    round_trip: float,
    soc_min: float,
    soc_max: float,
    c_rate_max: float,
    cycle_life: float,
    calendar_life_years: float,
) -> Technology:
    eta = sqrt(round_trip)
    return Technology(
        eta_charge=eta,
        eta_discharge=eta,
        soc_min=soc_min,
        soc_max=soc_max,
        c_rate_max=c_rate_max,
        cycle_life=cycle_life,
        calendar_life_years=calendar_life_years,
    )


TECHNOLOGIES: dict[str, Technology] = {
    "standard": _cells(0.90, 0.20, 0.90, 0.5, 2_800.0, 10.0),
    "modern_lfp": _cells(0.93, 0.10, 0.95, 1.0, 6_000.0, 16.0),
    "premium": _cells(0.95, 0.05, 0.95, 2.0, 20_000.0, 20.0),
}
_CELLS = {
    "standard": "older Li-ion, lead-acid",
    "modern_lfp": "LiFePO4 (default)",
    "premium": "LTO, advanced Li-ion",
}
AGEING_SOURCES = {
    "standard": "PNNL-28866 (2019), lithium-ion: 3,500 cycles of depth 0.8, 10 years",
    "modern_lfp": "cycles: data sheets of 280 Ah LFP cells, 25 degree Celsius, 0.5 C; years: PNNL-33283 (2022), LFP",
    "premium": "cycles: Toshiba SCiB, more than 20,000; years: design life usual for LTO systems, an assumption",
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
            "meaning": _CELLS[key],
            "round_trip_efficiency": round(tech.eta_charge * tech.eta_discharge, 12),
            **tech.to_plain(),
            "fade_per_year": round(tech.fade, 12),
            "ageing_source": AGEING_SOURCES[key],
            "source": "figures of the earlier PV+BESS tool; at the cells' DC terminals, losses split evenly",
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
