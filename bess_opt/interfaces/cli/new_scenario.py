"""A first scenario to start from: commented, small, and runnable at once."""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Callable, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

from bess_opt.common.atomic_folders import new_folder
from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding
from bess_opt.interfaces.cli.new_kinds import KINDS, price, sun

ZONE = "Europe/Berlin"
MONDAY = dt.datetime(2025, 6, 2, tzinfo=ZoneInfo(ZONE))
HOURS = 7 * 24
SOLAR_MW = 5.0
SOLAR = "solar"

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

[finance]                          # an example: put your own costs in its place
capital_per_mw = 120000.0          # converter, installation and grid connection
capital_per_mwh = 110000.0         # cells, housing and their control
fixed_om_per_mw_year = 5000.0
lifetime_years = 15
discount_rate = 0.06
horizons_per_year = 52.142857      # the series is a week, which stands for every week of a year

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
    bess-opt size . --power 0:5 --duration 1:6

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


OTHER_README = """\
# {name}

**Question.** {question}

In this folder:

    bess-opt validate .
    bess-opt optimize . --out result
    bess-opt size . {sizes}

`series.csv`: {steps} from Monday 2 June 2025, `Europe/Berlin`.
A stamp is the start of its step, a power its mean.

| column | unit | meaning |
|---|---|---|
| `time` | | start of the step, with its offset from UTC |
{rows}

All series are invented, by a few curves and factors per day; they belong to no real place or market. Replace them
(`bess-opt import` reads files as people have them), and say here where yours come from and under which licence.
"""


def new_scenario(folder: str | Path, kind: str = SOLAR) -> Path:
    """Write a scenario with a week of invented data to `folder`, which must be new or empty.

    `kind` is "solar", or one of `KINDS`. ScenarioError for another.
    """
    name = Path(folder).resolve().name
    if kind not in kinds():
        near = difflib.get_close_matches(kind, kinds(), 1)
        expected = f"did you mean {near[0]!r}?" if near else f"give one of {', '.join(kinds())}"
        raise ScenarioError([Finding("unknown_word", "kind", f"found {kind!r}", expected)])
    texts = (SCENARIO, series_csv(), README.format(name=name, hours=HOURS)) if kind == SOLAR else _texts(name, kind)
    with new_folder(folder) as parts:
        for file, text in zip(("scenario.toml", "series.csv", "README.md"), texts, strict=True):
            _write(parts / file, text)
    return Path(folder)


def kinds() -> tuple[str, ...]:
    """The kinds of first scenarios, the usual one first."""
    return (SOLAR, *KINDS)


def series_csv() -> str:
    """The week of the solar plant as CSV."""
    return _csv(("solar_mw", "price_per_mwh"), 1, lambda day, clock: _solar_row(day, clock))


def _solar_row(day: int, clock: float) -> tuple[str, str]:
    return f"{0.86 * SOLAR_MW * sun(day, clock):.3f}", f"{price(day, clock):.2f}"


def _texts(name: str, kind: str) -> tuple[str, str, str]:
    """scenario.toml, series.csv and README.md of one of `KINDS`."""
    made = KINDS[kind]
    rows = "\n".join(f"| `{column}` | {unit} | {meaning} |" for column, (unit, meaning) in made.columns.items())
    steps = f"{HOURS * made.steps_per_hour} steps of {60 // made.steps_per_hour} min"
    readme = OTHER_README.format(name=name, question=made.question, steps=steps, rows=rows, sizes=made.sizes)
    return made.scenario, _csv(tuple(made.columns), made.steps_per_hour, made.row), readme


def _csv(columns: Sequence[str], per_hour: int, row: Callable[[int, float], Sequence[object]]) -> str:
    """A week as CSV, a row for each step."""
    lines = [",".join(["time", *columns])]
    for step in range(HOURS * per_hour):
        day, within = divmod(step, 24 * per_hour)
        stamp = (MONDAY + dt.timedelta(hours=step / per_hour)).isoformat(timespec="minutes")
        lines.append(",".join([stamp, *(str(cell) for cell in row(day, within / per_hour))]))
    return "\n".join(lines) + "\n"


def _write(file: Path, text: str) -> None:
    file.write_bytes(text.encode("utf-8"))
