"""One site at other sizes of its batteries, and without some of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from bess_opt.common.columns import owner_of
from bess_opt.inputs.batteries import battery_of_array, column_of
from bess_opt.inputs.battery import Battery
from bess_opt.inputs.scenario import Scenario

Size = tuple[float, float]  # MW, MWh; both 0: no battery
Sizes = tuple[Size, ...]  # of the batteries that are sized, in the order of the file
ASKING = ("energy_min_mwh", "drawn_mw")  # columns that ask the same of a battery of any size
SOLAR = ("solar_mw", "solar_dc_mw")
RESTING = ("charge_limit_mw", "discharge_limit_mw")  # 0 for a battery not bought, through whose inverter PV goes
NAMELESS = ""  # the name of a site's only battery that has none


def name_of(battery: Battery) -> str:
    """The name under which a battery's size is asked for."""
    return NAMELESS if battery.name is None else battery.name


def sized(scenario: Scenario, sizes: Mapping[str, Size]) -> Scenario:
    """`scenario` with other sizes of the batteries named; a charge power of its own keeps its share."""
    return scenario.replace(battery=[_sized(battery, sizes) for battery in scenario.batteries])


def _sized(battery: Battery, sizes: Mapping[str, Size]) -> object:
    if name_of(battery) not in sizes:
        return battery
    power, energy = sizes[name_of(battery)]
    keys = {"power_mw": power, "duration_h": energy / power}
    if battery.charge_power_mw is not None:
        keys["charge_power_mw"] = battery.charge_power_mw * power / battery.power_mw
    return battery.merged(keys)


def burdened(scenario: Scenario, names: Collection[str]) -> list[str]:
    """The batteries of `names` that take something of the site however small they are.

    An auxiliary load, stored energy that is kept or drawn: without the battery it is not there.
    """
    columns = scenario.series.columns

    def asks(battery: Battery) -> bool:
        owned = (column_of(battery, scenario.batteries, column, columns) for column in ASKING)
        return battery.auxiliary_mw > 0.0 or any(column is not None for column in owned)

    return [name_of(b) for b in scenario.batteries if name_of(b) in names and asks(b)]


def without_some(scenario: Scenario, names: Collection[str]) -> Scenario:
    """`scenario` without the batteries of `names`, of which one at least stays.

    A battery on whose converters the way of PV depends stays, as one that may neither charge nor discharge.
    """
    if not names:
        return scenario
    stay = [battery for battery in scenario.batteries if name_of(battery) not in names]
    carries = battery_of_array(scenario.batteries)
    has_solar = any(column in scenario.series for column in SOLAR)
    batteries: list[object] = list(stay)
    series = scenario.series
    series = series.drop(columns=[column for column in series if owner_of(column) in names])
    if has_solar and carries not in stay and not _same_way(battery_of_array(stay), carries):
        batteries = [_resting(b) if b is carries else b for b in scenario.batteries if b in (*stay, carries)]
        series = series.assign(**{f"{carries.name}.{column}": 0.0 for column in RESTING})
    if list(series) == list(scenario.series):
        return scenario.replace(battery=batteries)
    return scenario.replace(battery=batteries, series=series, series_options={"step_min": scenario.step_h * 60.0})


def _same_way(one: Battery, other: Battery) -> bool:
    """Whether PV takes the same way through the converters of both."""
    return one.topology == other.topology and all(
        getattr(one.converters, key) == getattr(other.converters, key) for key in ("ac_to_dc", "dc_to_ac")
    )


def _resting(battery: Battery) -> object:
    """The battery without anything that it takes of the site by itself."""
    middle = (battery.tech.soc_min + battery.tech.soc_max) / 2.0
    return battery.merged(
        {"auxiliary_mw": 0.0, "self_discharge_per_h": 0.0, "soc_start": middle, "soc_end": "at_least_start"}
    )


def bought_site(scenario: Scenario, sizes: Mapping[str, Size]) -> Scenario:
    """The site with the sizes of the batteries named; those of size 0 are left out, of which one at least is not."""
    left_out = [name for name, (power, _) in sizes.items() if power <= 0.0]
    return sized(without_some(scenario, left_out), {k: size for k, size in sizes.items() if k not in left_out})
