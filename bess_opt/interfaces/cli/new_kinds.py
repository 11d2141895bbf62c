"""The kinds of first scenarios: what each asks, its scenario.toml, and a week of invented data for it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

DAY_SUN = (0.95, 0.85, 0.35, 0.70, 0.98, 0.60, 0.90)  # how clear each day is
DAY_DEMAND = (1.00, 1.03, 1.05, 1.02, 0.98, 0.80, 0.72)  # demand of each day, drives the price
HEAD = "# `bess-opt schema` prints every key with its unit, `bess-opt list` what there is to choose from.\n"
FINANCE = """
[finance]                          # an example: put your own costs in its place
capital_per_mw = 120000.0          # converter, installation and grid connection
capital_per_mwh = {energy}         # cells, housing and their control
fixed_om_per_mw_year = 5000.0
lifetime_years = 15
discount_rate = 0.06
horizons_per_year = 52.142857      # the series is a week, which stands for every week of a year
"""


@dataclass(frozen=True)
class Kind:
    """A kind of first scenario.

    `row` gives the values of `columns` at a day and an hour of its week, `sizes` are options of `bess-opt size` that
    fit.
    """

    question: str
    scenario: str
    columns: Mapping[str, tuple[str, str]]
    row: Callable[[int, float], tuple[float, ...]]
    sizes: str
    steps_per_hour: int = 1


def sun(day: int, clock: float) -> float:
    """Share of the rated power that a plant gives: a bell with its noon at 13:20."""
    return math.pow(max(0.0, math.sin(math.pi * (clock + 0.5 - 5.3) / 16.1)), 1.5) * DAY_SUN[day]


def price(day: int, clock: float) -> float:
    """Price per MWh with two peaks, which the sun lowers at noon."""
    peaks = math.exp(-(((clock - 7.5) / 2.0) ** 2)) + 1.4 * math.exp(-(((clock - 20.0) / 2.3) ** 2))
    return round(70.0 * DAY_DEMAND[day] + 45.0 * peaks * DAY_DEMAND[day] - 85.0 * sun(day, clock), 2)


def _works(day: int, clock: float) -> float:
    """Load of a works with a shift on weekdays and machines that start in the morning [MW]."""
    shift = 1.0 / (1.0 + math.exp(-(clock - 6.5) * 2.5)) / (1.0 + math.exp((clock - 17.0) * 1.5))
    start = math.exp(-(((clock - 8.0) / 0.8) ** 2))
    busy = 1.0 if day < 5 else 0.15
    return round(0.35 + busy * (0.95 * shift + 0.45 * start * DAY_DEMAND[day]), 4)


def _depot(day: int, clock: float) -> float:
    """Load of a depot whose vehicles come back between 16:00 and 20:00 and charge at once [MW]."""
    evening = math.exp(-(((clock - 18.5) / 1.8) ** 2))
    noon = 0.35 * math.exp(-(((clock - 12.5) / 0.7) ** 2))
    busy = (1.0, 1.02, 1.05, 1.0, 0.97, 0.45, 0.2)[day]
    return round(0.06 + busy * (1.15 * evening + noon), 4)


def _home(day: int, clock: float) -> float:
    """Load of a house: mornings, evenings, and more at weekends [MW]."""
    peaks = 0.9 * math.exp(-(((clock - 7.0) / 1.2) ** 2)) + 1.6 * math.exp(-(((clock - 19.0) / 2.0) ** 2))
    at_home = 0.8 * math.exp(-(((clock - 12.5) / 2.5) ** 2)) if day >= 5 else 0.0
    return round(0.001 * (0.35 + peaks + at_home), 6)


LOAD = {"load_mw": ("MW", "load at the meter")}
SUN = {"solar_mw": ("MW", "solar power at the AC side of its own inverter")}
PRICE = {"price_per_mwh": ("EUR/MWh", "price paid for import and received for export")}

MERCHANT = (
    "# A battery alone at the grid that trades at day-ahead prices. Keys behind a # are choices left open.\n"
    + HEAD
    + """
[battery]
power_mw = 10.0                    # rated power at its port
duration_h = 2.0                   # nameplate energy = power x duration
technology = "modern_lfp"          # or "standard", "premium", or a table of your own figures
soc_start = 0.5                    # fraction of nameplate energy
soc_end = "at_least_start"         # or "equal", "free", a fraction, or {value_per_mwh = 35.0}
max_cycles_per_day = 1.5           # full cycles a day that the warranty allows
wear_cost_per_mwh = 2.0            # EUR per MWh discharged: steers the plan, is not cash

[site]
time_zone = "Europe/Berlin"        # the local clock: days, windows and tariffs follow it
currency = "EUR"                   # of every price

[series]
file = "series.csv"                # column "time" and the columns of README.md
step_min = 60                      # the step that the file must have

[strategy]
name = "arbitrage"
"""
    + FINANCE.format(energy="110000.0")
)

BILL = """
[tariff]
export = {export}

[[tariff.energy]]                  # price of import, EUR/MWh, in the hours of high demand
price_per_mwh = 220.0
days = "weekday"
hours = [[7, 20]]

[[tariff.energy]]                  # exactly one row holds at each step
price_per_mwh = 160.0
days = "weekday"
hours = [[0, 7], [20, 24]]

[[tariff.energy]]
price_per_mwh = 160.0
days = "weekend"

[[tariff.demand]]                  # for the highest import of each month
price_per_mw_month = {demand}
part_months = "share"              # the week of the series is billed as its share of the month; or "full"
"""
_PAID = '60.0                      # EUR/MWh of what is fed in; or "none", or "same" as import'
_UNPAID = '"none"                    # nothing is paid for what is fed in'

BEHIND_THE_METER = (
    "# A works with solar power on its roof and a battery behind its meter. Keys behind a # are choices left open.\n"
    + HEAD
    + """
[battery]
power_mw = 0.4                     # rated power at its port
duration_h = 2.0                   # nameplate energy = power x duration
technology = "modern_lfp"
soc_start = 0.5                    # fraction of nameplate energy
soc_end = "at_least_start"

[site]
time_zone = "Europe/Berlin"        # the local clock: days, windows and tariffs follow it
currency = "EUR"                   # of every price
import_limit_mw = 2.5              # most power from the grid; no limit if left out
export_limit_mw = 1.0              # most power to the grid
solar_capacity_mw = 0.8

[series]
file = "series.csv"                # column "time" and the columns of README.md
step_min = 15                      # the step that the file must have, here the billing interval

[strategy]
name = "peak_shaving"              # the least bill: energy and demand
"""
    + BILL.format(demand="12000.0", export=_PAID)
    + FINANCE.format(energy="160000.0")
)

EV_DEPOT = (
    "# A depot whose vehicles charge when they come back, behind a connection that is dear in the evening.\n"
    "# Keys behind a # are choices left open.\n"
    + HEAD
    + """
[battery]
power_mw = 0.5                     # rated power at its port
duration_h = 2.0                   # nameplate energy = power x duration
technology = "modern_lfp"
soc_start = 0.5                    # fraction of nameplate energy
soc_end = "at_least_start"

[site]
time_zone = "Europe/Berlin"        # the local clock: days, windows and tariffs follow it
currency = "EUR"                   # of every price
import_limit_mw = 1.4              # what the connection carries: more vehicles need a battery, or a larger one

[series]
file = "series.csv"                # column "time" and the columns of README.md
step_min = 15                      # the step that the file must have, here the billing interval

[strategy]
name = "peak_shaving"              # the least bill: energy and demand
"""
    + BILL.format(demand="15000.0", export=_UNPAID)
    + FINANCE.format(energy="160000.0")
)

HOME = (
    "# A house with solar power on its roof that uses as much of it as it can.\n"
    "# Keys behind a # are choices left open.\n"
    + HEAD
    + """
[battery]
power_mw = 0.004                   # rated power at its port: 4 kW
duration_h = 2.0                   # nameplate energy = power x duration
technology = "modern_lfp"
soc_start = 0.5                    # fraction of nameplate energy
soc_end = "at_least_start"

[site]
time_zone = "Europe/Berlin"        # the local clock: days, windows and tariffs follow it
currency = "EUR"                   # of every price
solar_capacity_mw = 0.008

[series]
file = "series.csv"                # column "time" and the columns of README.md
step_min = 60                      # the step that the file must have

[strategy]
name = "self_consumption"          # the most solar power used; or "arbitrage", the least bill

[tariff]
export = 80.0                      # EUR/MWh of what is fed in

[[tariff.energy]]                  # price of import, EUR/MWh
price_per_mwh = 320.0
"""
    + FINANCE.format(energy="250000.0")
)

KINDS = {
    "merchant": Kind(
        "What does a battery of 10 MW and 2 h earn in a week of day-ahead prices?",
        MERCHANT,
        PRICE,
        lambda day, clock: (price(day, clock),),
        "--power 0:20 --duration 1:4",
    ),
    "behind_the_meter": Kind(
        "What does a battery of 400 kW and 2 h take off the bill of a works with solar power on its roof?",
        BEHIND_THE_METER,
        LOAD | SUN,
        lambda day, clock: (_works(day, clock), round(0.69 * sun(day, clock - 0.5), 4)),
        "--power 0:1 --duration 1:4",
        4,
    ),
    "ev_depot": Kind(
        "What does a battery of 500 kW and 2 h take off the bill of a depot that charges in the evening?",
        EV_DEPOT,
        LOAD,
        lambda day, clock: (_depot(day, clock),),
        "--power 0:1 --duration 1:4",
        4,
    ),
    "home": Kind(
        "What does a battery of 4 kW and 2 h take off the bill of a house with solar power on its roof?",
        HOME,
        LOAD | SUN,
        lambda day, clock: (_home(day, clock), round(0.0069 * sun(day, clock), 6)),
        "--power 0:0.01 --duration 1:4",
    ),
}
