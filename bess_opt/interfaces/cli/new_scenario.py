"""A first scenario to start from: commented, small, and runnable at once."""

from __future__ import annotations

import datetime as dt
import math
from pathlib import Path
from zoneinfo import ZoneInfo

from bess_opt.common.atomic_folders import new_folder

ZONE = "Europe/Berlin"
MONDAY = dt.datetime(2025, 6, 2, tzinfo=ZoneInfo(ZONE))
HOURS = 7 * 24
SOLAR_MW = 5.0
DAY_SUN = (0.95, 0.85, 0.35, 0.70, 0.98, 0.60, 0.90)  # how clear each day is
DAY_DEMAND = (1.00, 1.03, 1.05, 1.02, 0.98, 0.80, 0.72)  # demand of each day, drives the price

SCENARIO = """\
# A solar plant with a battery that trades at day-ahead prices. Keys behind a # are choices left open.
# `bess-opt schema` prints every key with its unit, `bess-opt list` what there is to choose from.

[battery]
power_mw = 2.0                     # rated power at its port
duration_h = 4.0                   # nameplate energy = power x duration
technology = "modern_lfp"          # or "standard", "premium", or a table of your own figures
topology = "parallel_ac"           # or "series_dc", "hybrid"
soc_start = 0.5                    # fraction of nameplate energy
soc_end = "at_least_start"         # or "equal", "free", a fraction, or {value_per_mwh = 35.0}
wear_cost_per_mwh = 2.0            # EUR per MWh discharged: steers the plan, is not cash
# max_cycles_per_day = 1.5         # full cycles a day that the warranty allows

[site]
time_zone = "Europe/Berlin"        # the local clock: days, windows and tariffs follow it
currency = "EUR"                   # of every price
import_limit_mw = 2.0              # most power from the grid; no limit if left out
export_limit_mw = 4.0              # most power to the grid; no limit if left out
grid_charging = true               # may the grid charge the battery
battery_export = true              # may the battery feed the grid
curtailment = true                 # may solar power be thrown away
solar_capacity_mw = 5.0

[series]
file = "series.csv"                # column "time" and the columns of README.md
step_min = 60                      # the step that the file must have
# fill = {solar_mw = "zero"}       # how empty cells are filled; without it they are an error

[strategy]
name = "arbitrage"
# name = "time_shift"              # instead: store solar for a window of the day, with the option
# window = ["18:00", "22:00"]

# [solver]
# time_limit_s = 60.0
# rel_gap = 1e-6                   # relative gap at which a plan counts as optimal
"""

README = """\
# {name}

**Question.** What does a battery of 2 MW and 4 h earn in a week beside a 5 MW solar plant whose
connection carries 4 MW?

In this folder:

    bess-opt validate .
    bess-opt optimize . --out result
    bess-opt optimize . --set battery.power_mw=3

`series.csv`: {hours} hours from Monday 2 June 2025, `Europe/Berlin`.
A stamp is the start of its hour, a power its mean.

| column | unit | meaning |
|---|---|---|
| `time` | | start of the step, with its offset from UTC |
| `solar_mw` | MW | solar power at the AC side of its own inverter |
| `price_per_mwh` | EUR/MWh | price paid for import and received for export |

More columns may be added: `load_mw`, `solar_dc_mw`, `import_price_per_mwh` and `export_price_per_mwh`.

Both series are invented, by two sine curves and a few factors per day; they belong to no real place or
market. Replace them, and say here where yours come from and under which licence.
"""


def new_scenario(folder: str | Path) -> Path:
    """Write a scenario with a week of invented data to `folder`, which must be new or empty."""
    name = Path(folder).resolve().name
    with new_folder(folder) as parts:
        _write(parts / "scenario.toml", SCENARIO)
        _write(parts / "series.csv", series_csv())
        _write(parts / "README.md", README.format(name=name, hours=HOURS))
    return Path(folder)


def series_csv() -> str:
    """The week as CSV: bells of sun with their noon at 13:20, prices with two peaks that the sun lowers."""
    lines = ["time,solar_mw,price_per_mwh"]
    for hour in range(HOURS):
        day, clock = divmod(hour, 24)
        sun = max(0.0, math.sin(math.pi * (clock + 0.5 - 5.3) / 16.1)) ** 1.5 * DAY_SUN[day]
        peaks = math.exp(-(((clock - 7.5) / 2.0) ** 2)) + 1.4 * math.exp(-(((clock - 20.0) / 2.3) ** 2))
        price = 70.0 * DAY_DEMAND[day] + 45.0 * peaks * DAY_DEMAND[day] - 85.0 * sun
        stamp = (MONDAY + dt.timedelta(hours=hour)).isoformat(timespec="minutes")
        lines.append(f"{stamp},{0.86 * SOLAR_MW * sun:.3f},{price:.2f}")
    return "\n".join(lines) + "\n"


def _write(file: Path, text: str) -> None:
    file.write_bytes(text.encode("utf-8"))
