"""Broken folders of sites with several batteries, clauses of a connection and outages: a seed names one.

A mutant is a sound folder with one to three things done to the tables and columns that such sites have. Nothing here
knows what is right.
"""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from support.mutated_folders import CELLS, VALUES

TOML = """\
[[battery]]
name = "north"
power_mw = 1.0
charge_power_mw = 0.8
duration_h = 2.0
technology = "premium"
topology = "series_dc"
converters = {ac_to_dc = 0.96, dc_to_ac = 0.96, dc_to_dc = 0.99}
soc_start = 0.5
soc_end = {at_least = 0.4, at_most = 0.9}
max_cycles = {count = 1.5, per = "day", used = 0.2}

[[battery]]
name = "south"
power_mw = 0.5
duration_h = 4.0
technology = {eta_charge = 0.95, eta_discharge = 0.95, soc_min = 0.05, soc_max = 0.95, c_rate_max = 1.0}
soc_start = 0.3
soc_end = "equal"
wear = {depth = [0.4, 1.0], cost_per_mwh = [3.0, 9.0]}

[site]
time_zone = "Europe/Berlin"
holidays = ["2025-06-03"]
import_limit_mw = 4.0
export_limit_mw = 3.0
inverter_mw = 3.0
battery_export = "strict"
unserved_price_per_mwh = 4000.0

[[connection]]
name = "noon"
export_mw = 0.5
months = [4, 5, 6]
days = ["weekday", "holiday"]
hours = [[10, 14], [15, 16]]

[[connection]]
name = "cheap"
import_mw = 1.5
when = {series = "price_per_mwh", below = 45.0}
overrun_price_per_mwh = 60.0

[[connection]]
name = "steps"
ramp_mw_per_min = 0.03
before_mw = -0.5
from = "05-01"
to = "09-30"
hours = ["06:00", "20:00"]

[[outage]]
start = "2025-06-02T18:00+02:00"
hours = 2.0
critical_share = 0.5

[[outage]]
start = "2025-06-03T02:00+02:00"
hours = 1.0

[series]
file = "series.csv"

[strategy]
name = "arbitrage"

[solver]
rel_gap = 1e-4
"""
OWN = (
    '"north"', '"south"', '"east"', '"north.south"', '"price_per_mwh"', '"load_mw"', '"2025-06-02T18:00+02:00"',
    '"2025-06-02T18:20+02:00"', '"2025-06-02T18:00"', '"2026-06-02T18:00+02:00"', '"2025-06-03T23:00+02:00"', "0.25",
    "30.0", "0.3", "{at_least = 0.9, at_most = 0.1}", "{at_most = 0.2}", "{at_least = 0.5}", '{series = "x", below = 1}',
    '{series = "load_mw", above = 1.0, below = 0.5}', "{}", "[13, 13]", "[10, 14.5]", "[[10, 14], [13, 16]]",
    '["10:00", "14:00"]', "[0, 24]", '["weekday", "x"]', '"weekend"', '"13-01"', '"02-29"', "[13]", '"strict"',
    "{depth = [0.9, 0.4], cost_per_mwh = [1.0, 2.0]}", "{depth = [1.0], cost_per_mwh = [-1.0]}", "0.001", "5.0",
)  # fmt: skip
COLUMNS = (
    "north.charge_limit_mw", "south.discharge_limit_mw", "north.drawn_mw", "south.energy_min_mwh", "north.energy_max_mwh",
    "import_limit_mw", "export_limit_mw",
)  # fmt: skip
NAMES = (
    "charge_limit_mw", "east.drawn_mw", "north.", ".drawn_mw", "north.load_mw", "north.charge_limit_mw", "north.soc",
    "South.drawn_mw", "north..drawn_mw", "south.charge_limit_mw", "x", "",
)  # fmt: skip
KEYS = (
    "export_mw", "import_mw", "ramp_mw_per_min", "before_mw", "overrun_price_per_mwh", "when", "months", "from", "days",
    "critical_share", "start", "name", "wear_cost_per_mwh", "max_cycles_per_day", "soc_start", "holidays", "Export_mw",
)  # fmt: skip
Change = Callable[[random.Random, Path], None]


def site_mutant(seed: int, folder: Path) -> Path:
    """The folder of mutant `seed`, written fresh."""
    rng = random.Random(seed)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "scenario.toml").write_text(TOML, encoding="utf-8")
    (folder / "series.csv").write_text(_series(rng), encoding="utf-8")
    for _ in range(rng.choice((1, 1, 2, 3))):
        rng.choice(CHANGES)(rng, folder)
    return folder


def _series(rng: random.Random) -> str:
    own = rng.sample(COLUMNS, 3)
    sound = dict(zip(COLUMNS, ("0.7", "0.4", "0.01", "0.2", "1.9", "3.5", "2.5"), strict=True))
    rows = [",".join(["time", "price_per_mwh", "solar_mw", "load_mw", *own])]
    for hour in range(27):
        day, clock = divmod(hour, 24)
        sun = max(0.0, 2.0 - abs(clock - 12.5) / 2.0)
        price = 50.0 + (30.0 if 17 <= clock < 21 else 0.0) - 40.0 * sun
        known = [f"2025-06-{2 + day:02d}T{clock:02d}:00:00+02:00", price, sun, 0.6 + clock % 5 / 5]
        rows.append(",".join([*map(str, known), *(sound[name] for name in own)]))
    return "\n".join(rows) + "\n"


def _stated(toml: Path, rng: random.Random) -> tuple[list[str], int]:
    """(lines, a line that states a key)."""
    lines = toml.read_text(encoding="utf-8").split("\n")
    return lines, rng.choice([n for n, line in enumerate(lines) if re.match(r"\w+ = ", line)] or [0])


def _another_value(rng: random.Random, folder: Path) -> None:
    lines, at = _stated(folder / "scenario.toml", rng)
    lines[at] = f"{lines[at].split(' = ')[0]} = {rng.choice(OWN if rng.random() < 0.7 else VALUES)}"
    (folder / "scenario.toml").write_text("\n".join(lines), encoding="utf-8")


def _another_number(rng: random.Random, folder: Path) -> None:
    """One number of the tables, nought to ten times what it was."""
    toml = folder / "scenario.toml"
    text = toml.read_text(encoding="utf-8")
    found = rng.choice([*re.finditer(r"(?<=[ \[])\d+\.\d+(?=[,\]} \n])", text)] or [None])
    if found is not None:
        changed = f"{float(found.group()) * rng.choice((0.0, 0.3, 0.7, 1.5, 2.0, 10.0)):.4g}"
        toml.write_text(text[: found.start()] + changed + text[found.end() :], encoding="utf-8")


def _another_table_order(rng: random.Random, folder: Path) -> None:
    toml = folder / "scenario.toml"
    tables = re.split(r"\n(?=\[)", toml.read_text(encoding="utf-8"))
    rng.shuffle(tables)
    toml.write_text("\n".join(tables), encoding="utf-8")


def _another_key(rng: random.Random, folder: Path) -> None:
    lines, at = _stated(folder / "scenario.toml", rng)
    lines[at] = f"{rng.choice(KEYS)} = {' = '.join(lines[at].split(' = ')[1:])}"
    (folder / "scenario.toml").write_text("\n".join(lines), encoding="utf-8")


def _one_key_more(rng: random.Random, folder: Path) -> None:
    lines, at = _stated(folder / "scenario.toml", rng)
    lines.insert(at, f"{rng.choice(KEYS)} = {rng.choice(OWN)}")
    (folder / "scenario.toml").write_text("\n".join(lines), encoding="utf-8")


def _without_a_key(rng: random.Random, folder: Path) -> None:
    lines, at = _stated(folder / "scenario.toml", rng)
    del lines[at]
    (folder / "scenario.toml").write_text("\n".join(lines), encoding="utf-8")


def _another_table(rng: random.Random, folder: Path) -> None:
    """A table less, twice, or under another head."""
    toml = folder / "scenario.toml"
    tables = re.split(r"\n(?=\[)", toml.read_text(encoding="utf-8"))
    at = rng.randrange(len(tables))
    what = rng.randrange(4)
    if what == 0:
        del tables[at]
    elif what == 1:
        tables.insert(at, tables[at])
    elif what == 2:
        heads = (
            "[[battery]]",
            "[battery]",
            "[[connection]]",
            "[connection]",
            "[[outage]]",
            "[outage]",
            "[battery.x]",
        )
        tables[at] = "\n".join([rng.choice(heads), *tables[at].split("\n")[1:]])
    else:
        tables[at] = re.sub(r"= (\[\[.*|\".*)$", "= 1", tables[at], count=1, flags=re.MULTILINE)
    toml.write_text("\n".join(tables), encoding="utf-8")


def _another_column(rng: random.Random, folder: Path) -> None:
    file = folder / "series.csv"
    head, *rows = file.read_text(encoding="utf-8").split("\n")
    names = head.split(",")
    names[rng.randrange(1, len(names))] = rng.choice(NAMES)
    file.write_text("\n".join([",".join(names), *rows]), encoding="utf-8")


def _another_cell(rng: random.Random, folder: Path) -> None:
    """Cells of one column, from a step on or all."""
    file = folder / "series.csv"
    head, *rows = file.read_text(encoding="utf-8").split("\n")
    place, value = rng.randrange(3, head.count(",") + 1), rng.choice(("0", "0.0", "1e3", "-0.1", *CELLS))
    first = rng.choice((0, rng.randrange(30)))
    last = first + rng.choice((1, 30))
    for n in range(first, min(last, len(rows) - 1)):
        cells = rows[n].split(",")
        cells[place] = value
        rows[n] = ",".join(cells)
    file.write_text("\n".join([head, *rows]), encoding="utf-8")


CHANGES: tuple[Change, ...] = (
    _another_value, _another_value, _another_value, _another_key, _one_key_more, _without_a_key, _another_table,
    _another_column, _another_cell, _another_number, _another_number, _another_number, _another_number,
    _another_table_order,
)  # fmt: skip
