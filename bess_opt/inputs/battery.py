"""The battery of a scenario: size, technology, topology, limits and states.

Efficiencies are one-way, at a named boundary: those of a technology are the cells' own, at their DC
terminals; those of `Converters` lie between the cells and the bus. `power_mw` is at the port, the bus side of
the battery's converter: the AC bus for "parallel_ac", the DC bus otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self, TypeVar

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from bess_opt.common.findings import Finding
from bess_opt.common.input_table import Number, Table, Text, quantity, reject
from bess_opt.common.wording import show
from bess_opt.inputs.cycle_limits import CycleLimit
from bess_opt.inputs.technologies import ROUNDING, TECHNOLOGIES, Converters, Technology, TechnologyKey, TopologyKey
from bess_opt.inputs.wear import Wear

SocEndWord = Literal["at_least_start", "equal", "free"]


class EndValue(Table):
    """End of horizon priced instead of fixed."""

    where: ClassVar[str] = "soc_end"

    value_per_mwh: Annotated[
        Number, quantity("money per MWh in store, on the change since the start", "currency/MWh")
    ]


class EndLimits(Table):
    """End of horizon between bounds."""

    where: ClassVar[str] = "soc_end"

    at_least: Annotated[Number | None, quantity("least state of charge at the end", "1", ge=0, le=1)] = None
    at_most: Annotated[Number | None, quantity("most state of charge at the end", "1", ge=0, le=1)] = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.at_least is None and self.at_most is None:
            reject([Finding("missing_key", "at_least", "is missing", "give at_least, at_most, or both")])
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            found = f"{self.at_least:g} is above at_most, {self.at_most:g}"
            reject([Finding("levels", "at_least", found, "give at_least no higher than at_most")])
        return self


def _branch(value: object) -> str:
    """Which kind of `soc_end` was meant; what is neither word nor table is checked as a number."""
    if isinstance(value, str):
        return "(word)"
    if isinstance(value, EndLimits) or (isinstance(value, Mapping) and {"at_least", "at_most"} & set(value)):
        return "(limits)"
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
    | Annotated[EndLimits, Tag("(limits)")]
    | Annotated[Number, Field(ge=0, le=1), Tag("(number)")],
    Discriminator(_branch),
]


def _list_or_table(value: object) -> str:
    return "(list)" if isinstance(value, list | tuple) else "(table)"


_MaxCycles = Annotated[
    Annotated[CycleLimit, Tag("(table)")] | Annotated[tuple[CycleLimit, ...], Tag("(list)")],
    Discriminator(_list_or_table),
]


STAND_ROUNDING = 1e-6  # of nameplate: what segments and start may differ by, the audit's own tolerance
LONGEST_NAME = 40  # characters; it stands before the columns of the battery


def _plain_name(name: str | None) -> str | None:
    if name is not None and not (0 < len(name.strip()) == len(name) <= LONGEST_NAME and name.isprintable()):
        reject([Finding("wrong_value", "", f"found {show(name)}", f"give 1 to {LONGEST_NAME} characters")])
    if name is not None and "." in name:
        reject([Finding("wrong_value", "", f"found {show(name)}", "give a name without a dot")])
    return name


class Battery(Table):
    """A battery storage system at its port, with its start and end."""

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
        quantity(
            "state of charge at the start; default: middle of the window, outside of it it is brought back",
            "1",
            ge=0,
            le=1,
        ),
    ] = None
    soc_end: Annotated[
        _SocEnd,
        Field(
            description='"at_least_start", "equal", "free", a state of charge 0 to 1 (equality), '
            "{at_least, at_most} states of charge, or {value_per_mwh = money per MWh in store at the end}"
        ),
    ] = "at_least_start"
    wear_cost_per_mwh: Annotated[
        Number, quantity("shadow price for dispatch per MWh discharged, not cash", "currency/MWh", ge=0)
    ] = 0.0
    wear: Annotated[
        Wear | None,
        Field(
            description="a table {depth, cost_per_mwh}: the cost of a cycle by its depth, rising, per MWh that "
            "leaves the cells; in place of wear_cost_per_mwh"
        ),
    ] = None
    wear_stand: Annotated[
        tuple[Annotated[Number, quantity("stored energy in a segment at the start", "MWh", ge=0)], ...] | None,
        Field(description="stored energy in each segment of wear at the start [MWh]; default: the cheapest are full"),
    ] = None
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
    def _ends_lie_in_window(self) -> Self:
        tech = self.tech
        states: dict[str, object] = {"soc_end": self.soc_end}
        if isinstance(self.soc_end, EndLimits):
            states |= {f"soc_end.{key}": getattr(self.soc_end, key) for key in ("at_least", "at_most")}
        remedy = f"give a state of charge from {tech.soc_min:g} to {tech.soc_max:g}, the technology's window"
        outside = [
            Finding("outside_window", key, f"found {value:.12g}", remedy)
            for key, value in states.items()
            if isinstance(value, float) and not tech.soc_min - ROUNDING <= value <= tech.soc_max + ROUNDING
        ]
        if outside:
            reject(outside)
        return self

    @model_validator(mode="after")
    def _wear_fits(self) -> Self:
        wear, stand = self.wear, self.wear_stand
        if wear is not None and self.wear_cost_per_mwh > 0.0:
            found = f"found {self.wear_cost_per_mwh:g} beside wear"
            expected = "give one of the two: wear by depth of cycle, or one price for all MWh"
            reject([Finding("contradiction", "wear_cost_per_mwh", found, expected)])
        if stand is None:
            return self
        if wear is None or len(stand) != len(wear.depth):
            segments = 0 if wear is None else len(wear.depth)
            found = f"found {len(stand)} values, and wear has {segments} segments"
            expected = "give one for each segment of wear, or leave it out"
            reject([Finding("contradiction", "wear_stand", found, expected)])
        energy, start = self.energy_mwh, self.soc_start_resolved * self.energy_mwh
        depth = (0.0, *wear.depth)
        over = [
            f"{held:.12g} MWh of {(deep - shallow) * energy:.12g} in segment {j + 1}"
            for j, (held, shallow, deep) in enumerate(zip(stand, depth, depth[1:], strict=False))
            if held > (deep - shallow) * energy + STAND_ROUNDING * energy
        ]
        if over:
            expected = "give no more than the segment's share of the nameplate"
            reject([Finding("contradiction", "wear_stand", f"found {over[0]}", expected)])
        if abs(sum(stand) - start) > STAND_ROUNDING * energy:
            found = f"holds {sum(stand):.12g} MWh, and the battery starts with {start:.12g}"
            expected = f"give soc_start = {sum(stand) / energy:.12g}, or segments that add up to the start"
            reject([Finding("contradiction", "wear_stand", found, expected)])
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
