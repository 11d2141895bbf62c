"""The site: what the grid connection, the array and the rules of the place allow."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, Discriminator, Field, Tag

from bess_opt.common.clock import is_zone
from bess_opt.common.findings import Finding
from bess_opt.common.input_table import Flag, Number, Table, Text, quantity, reject
from bess_opt.common.names import nearest
from bess_opt.common.wording import show
from bess_opt.inputs.calendar.holidays import Holidays
from bess_opt.inputs.technologies import TopologyKey


def _known_zone(name: str | None) -> str | None:
    if name is not None and not is_zone(name):
        found, known = f"unknown time zone {show(name)}", available_timezones()
        hint = nearest(name, known)
        expected = hint if "mean" in hint else 'give an IANA name such as "Europe/Berlin"'
        reject([Finding("unknown_zone", "", found, expected)])
    return name


def _flag_or_word(value: object) -> str:
    return "(word)" if value == "strict" else "(flag)"


class Site(Table):
    """Grid limits, permissions and array of a site. Limits default to none."""

    where: ClassVar[str] = "site"

    time_zone: Annotated[
        Text | None,
        AfterValidator(_known_zone),
        Field(description="an IANA name for the local clock; default: the series' own zone"),
    ] = None
    currency: Annotated[Text, Field(description="a text: the currency of every price", min_length=1)] = "EUR"
    import_limit_mw: Annotated[Number | None, quantity("most power from the grid; default: no limit", "MW", ge=0)] = (
        None
    )
    export_limit_mw: Annotated[Number | None, quantity("most power to the grid; default: no limit", "MW", ge=0)] = (
        None
    )
    grid_charging: Annotated[Flag, Field(description="true or false: may the grid charge the battery")] = True
    battery_export: Annotated[
        Annotated[Flag, Tag("(flag)")] | Annotated[Literal["strict"], Tag("(word)")],
        Discriminator(_flag_or_word),
        Field(
            description='true or false: may the battery feed the grid; "strict": nor serve the load in place of PV, '
            "export is what PV has over the load"
        ),
    ] = True
    curtailment: Annotated[Flag, Field(description="true or false: may PV power be thrown away")] = True
    solar_capacity_mw: Annotated[
        Number | None, quantity("capacity of the array, for ramp limits and yields", "MW", gt=0)
    ] = None
    inverter_mw: Annotated[
        Number | None,
        quantity("rating of the inverter PV and battery share, AC side, both directions", "MW", gt=0),
    ] = None
    pv_inverter_mw: Annotated[
        Number | None,
        quantity(
            "rating of the array's own inverter, AC side, where solar_dc_mw is AC-coupled; "
            "default: inverter_mw for parallel_ac, else no limit",
            "MW",
            gt=0,
        ),
    ] = None
    dc_share: Annotated[
        Number | None, quantity("hybrid: share of the array on the battery's DC bus", "1", ge=0, le=1)
    ] = None
    holidays: Annotated[Holidays | None, Field(description='which dates rows with "holiday" mean')] = None
    unserved_price_per_mwh: Annotated[
        Number | None, quantity("price of load that is not met; default: forbidden", "currency/MWh", ge=0)
    ] = None

    def pv_rating_mw(self, topology: TopologyKey) -> float | None:
        """Rating of the array's own inverter [MW, AC side] under `topology`; None is no limit."""
        if self.pv_inverter_mw is not None:
            return self.pv_inverter_mw
        return self.inverter_mw if topology == "parallel_ac" else None
