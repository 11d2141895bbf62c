"""Broken scenario folders, many and always the same: a seed names one.

A mutant is a sound small folder with one to three things done to its files. Nothing here knows what is right.
"""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Callable
from pathlib import Path

TOML = """\
[battery]
power_mw = 2.0
duration_h = 4.0
technology = "modern_lfp"
topology = "parallel_ac"
soc_start = 0.5
soc_end = "at_least_start"
wear_cost_per_mwh = 2.0
max_cycles_per_day = 1.5
converters = {ac_to_dc = 0.96, dc_to_ac = 0.96}

[site]
time_zone = "Europe/Berlin"
currency = "EUR"
import_limit_mw = 5.0
export_limit_mw = 6.0
grid_charging = true
solar_capacity_mw = 5.0
inverter_mw = 4.0
dc_share = 0.5

[series]
file = "series.csv"
step_min = 60
fill = {load_mw = "previous"}

[strategy]
name = "arbitrage"

[tariff]
export = "same"

[[tariff.energy]]
price_per_mwh = 100.0
hours = [0, 24]

[[tariff.demand]]
price_per_mw_month = 5000.0
interval_min = 60
ratchet = {share = 0.35, months = 11}

[finance]
capital_per_mw = 200000.0
discount_rate = 0.07
lifetime_years = 20

[solver]
time_limit_s = 60
rel_gap = 1e-6
"""
STRATEGIES = (
    'name = "arbitrage"',
    'name = "time_shift"\nwindow = ["18:00", "22:00"]',
    'name = "solar_smoothing"\nramp_limit_per_min = 0.05\nramp_window_min = 60',
    'name = "export_cap"\ncap_mw = 4.0\ntarget_soc = 0.3',
    'name = "firm_delivery"\nwindow = ["18:00", "22:00"]\nblock_mw = 1.0',
    'name = "firm_delivery"\nwindow = ["22:00", "06:00"]\nperiod = "month"\nshare_of_days = 0.5',
    'name = "peak_shaving"\ntarget_mw = 3.0',
    'name = "self_consumption"',
    'name = "frequency_regulation"\nheadroom_h = 0.25\nblock_h = 4',
    'name = "cycling"\ncycles_per_day = 1.0\nsoc_low = 0.2\nsoc_high = 0.8',
)
PRODUCTS = """\
[[product]]
name = "fcr"
direction = "symmetric"
block_h = 4.0
headroom_h = 0.5
min_bid_mw = 0.1
step_mw = 0.1
share_of_power = 0.8
exclusive_group = "a"

[[product]]
name = "spin"
direction = "up"
max_mw = 1.0
months = [6]
hours = [6, 22]
exclusive_group = "a"

[solver]"""
CLAUSES = """\
[[connection]]
name = "midday"
export_mw = 2.0
months = [4, 5, 6, 7, 8, 9]
hours = [10, 15]
when = {series = "price_per_mwh", below = 60.0}
overrun_price_per_mwh = 100.0

[[connection]]
name = "slow"
ramp_mw_per_min = 0.2
before_mw = 0.0

[[outage]]
start = "2025-06-03T18:00+02:00"
hours = 2.0
critical_share = 0.0

[solver]"""
SECOND_BATTERY = """\
[[battery]]
name = "south"
power_mw = 1.0
duration_h = 2.0

[[battery]]
name = "north\""""
PRODUCT_COLUMNS = {"fcr_price_per_mw": "9.0", "spin_price_per_mw": "3.0"}
NEWER = (  # keys that stand in half of the folders, in place of the text before them
    ("max_cycles_per_day = 1.5", 'max_cycles = [{count = 1.5, per = "day"}, {count = 9.0, hours = 12, used = 0.5}]'),
    ("max_cycles_per_day = 1.5", 'max_cycles = {count = 300.0, per = "year", begins = "07-01", counts = "charged"}'),
    ('currency = "EUR"', 'currency = "EUR"\nholidays = "DE-BY"'),
    ('currency = "EUR"', 'currency = "EUR"\nholidays = ["2025-06-09"]\nunserved_price_per_mwh = 5000.0'),
    ("hours = [0, 24]", 'hours = ["00:00", "24:00"]\ndays = ["weekday", "saturday", "sunday"]\nmonths = [6]'),
    (
        'export = "same"\n\n[[tariff.energy]]\nprice_per_mwh = 100.0',
        'export = "none"\n\n[[tariff.energy]]\ntiers = [[10.0, 90.0], [inf, 120.0]]\nused_mwh = 3.0',
    ),
    ("hours = [0, 24]", 'from = "06-01"\nto = "06-30"'),
    ("interval_min = 60", "interval_min = 60\npeaks = {n = 2, distinct = \"day\"}\nincurred_mw = [1.0, 0.5]"),
    ("ratchet = {share = 0.35, months = 11}", 'period = "rolling_12"\nhistory_mw = [1.0, 2.5]'),
    ("ratchet = {share = 0.35, months = 11}", "contracted_mw = 1.0\noverrun_price_per_mw_month = 9000.0"),
    ('export = "same"', 'export = 40.0\nfixed_per_month = 100.0\nminimum_per_month = 50.0\ncredit_months = 3'),
    ("rel_gap = 1e-6", 'rel_gap = 1e-6\nengine = "auto"'),
    ("rel_gap = 1e-6", 'rel_gap = 1e-6\nengine = "highs"\nthreads = 1\nseed = 3'),
    ("lifetime_years = 20", "lifetime_years = 20\naugmentation = [[8, 2.0], [12, 1.0]]\naugmentation_price_change_per_year = -0.02"),
    ("lifetime_years = 20", "lifetime_years = 20\nreplacement_years = [7, 14]\nreplacement_per_mwh = 60000.0\nescalation_rate = 0.02"),
    ("lifetime_years = 20", 'lifetime_years = 20\nreplacement_years = "search"\nreplacement_per_mw = 5000.0'),
    ("wear_cost_per_mwh = 2.0", "wear = {depth = [0.2, 0.6, 1.0], cost_per_mwh = [1.0, 2.5, 6.0]}\ncharge_power_mw = 1.5"),
    ('soc_end = "at_least_start"', "soc_end = {at_least = 0.4, at_most = 0.9}"),
    ("[solver]", PRODUCTS),
    ("[solver]", CLAUSES),
    ("[battery]", SECOND_BATTERY),
)  # fmt: skip
NEWER_COLUMNS = {
    "charge_limit_mw": "1.5",
    "discharge_limit_mw": "1.5",
    "energy_max_mwh": "7.5",
    "drawn_mw": "0.0",
    "import_limit_mw": "5.0",
    "energy_min_mwh": "0.8",
}
OF_A_BATTERY = frozenset(NEWER_COLUMNS) - {"import_limit_mw"}  # fmt: skip
VALUES = (
    "[[8, 2.0], [8, 1.0]]", "[[-1, 2.0]]", "[[8, nan]]", '"search"', "[7, 7]", "[[8]]", '"fcr"', '"de.fcr"', '"use"', '"symmetric"',
    "{depth = [0.5, 0.2], cost_per_mwh = [1, 2]}", "{depth = [1.0], cost_per_mwh = []}", "{at_least = 0.9, at_most = 0.1}",
    '{series = "load_mw"}', '{series = "x", below = 1, above = 2}', '"2025-06-03T18:30+02:00"', '"2025-06-03T18:00"',
    '"value_function"', '"highs"', '"DE-BY"', '"XX-YY"', '["2025-06-09"]', '["2025-13-45"]', '[{count = 1, per = "day"}]',
    "{count = -1, hours = 0.1}", '{count = 1, per = "day", hours = 3}', "{count = nan, hours = 1e308}", '"rolling_12"',
    "[1.0, nan]", '"07-01"', '"02-30"', "[[0, 12], [6, 24]]", "[[inf, 1.0], [inf, 2.0]]", '["weekday", "weekday"]',
    "{n = 0}", "[" + "{count = 1.0, hours = 3.0}, " * 300 + "]",
    "nan", "inf", "-inf", "0", "0.0", "-0.0", "-1", "1", "2", "1e308", "-1e308", "1e-308", "5e-324", "1e400",
    "9223372036854775807", "-9223372036854775808", "1" + "0" * 400, "true", "false", '""', '" "', '"nan"', '"2.0"',
    '"\\u0000"', '"\\u202e\\u0041"', '"😀"', '"x' + "y" * 5000 + '"', '"=1+1"', '"@SUM(A1)"', "[]", "{}", "[1, 2]", "[[1]]",
    "[nan]", "{a = 1}", '{value_per_mwh = 35.0}', '{value_per_mwh = nan}', '["18:00", "18:00"]', '["25:00", "26:00"]',
    '["18:00"]', "[18, 22]", "2025-06-02", "2025-06-02T00:00:00Z", "07:32:00", "0x10", "1_000", "0.5", "0.999999999999",
    "1.0000000001", '"at_least_start"', '"free"', '"equal"', '"hybrid"', '"series_dc"', '"premium"', '"standard"',
    '{eta_charge = 0.9, eta_discharge = 0.9, soc_min = 0.9, soc_max = 0.1, c_rate_max = 1}',
    '{round_trip_efficiency = 0.9, soc_min = 0, soc_max = 1, c_rate_max = 1e-9}', '{round_trip_efficiency = "x"}',
    '"../series.csv"', '"../../../etc/passwd"', '"/etc/passwd"', '"/dev/zero"', '"/dev/zero.csv"', '"link.csv"', '"folder.csv"', '"series.csv\\u0000"',
    '"' + "n" * 300 + '.csv"', '"~/series.csv"', '"./series.csv"', '"series.CSV"', '"series.txt"', '"."', '"con"', '"loop.csv"',
    '"Mars/Olympus"', '"../UTC"', '"/etc/localtime"', '"UTC"', '"Etc/GMT+12"', '"europe/berlin"',
    "[" * 60 + "]" * 60, "[" * 3000 + "]" * 3000, "{a = " * 400 + "1" + "}" * 400, '"""a\nb"""', "'''\n'''",
)  # fmt: skip
CELLS = (
    "", " ", "nan", "NaN", "inf", "-inf", "1e308", "-1e308", "1e400", "-5", "abc", "1,5", "1.5.2", "0x10", "１２", "٣", "−5", "1_000",
    "true", "=1+1", "@x", "😀", "\x00", "\"", "'", "None", "#N/A", "1e-400", "2025-06-02T00:00:00", "5 MW", "1" * 400, "\ufeff5",
)  # fmt: skip
TIMES = (
    "", "x", "2025-06-02", "2025-06-02T00:00", "2025-06-31T00:00:00+02:00", "2025-06-02T25:00:00+02:00", "2025-06-02T00:00:00+99:00",
    "0001-01-01T00:00:00+00:00", "9999-12-31T23:00:00+00:00", "99999-01-01T00:00:00+00:00", "1e18", "0", "-1", "2025-06-02T00:00:00Z",
    "2025-06-02 00:00:00+02:00", "02.06.2025 00:00", "NaT", "now", "2025-W23-1", "2025-06-02T00:00:00.000000001+02:00", "2025-03-30T02:30:00+01:00",
    "2262-04-12T00:00:00+00:00", "1677-09-20T00:00:00+00:00", "20250602T000000Z", "2025-06-02T00:00:60+02:00",
)  # fmt: skip
WORDS = (
    "power_mw",
    "time",
    "load_mw",
    "solar_mw",
    "name",
    "file",
    "😀",
    "a b",
    "",
    "__class__",
    "solar_dc_mw",
    "energy_min_mwh",
    "step_min",
)
HEADERS = (
    "[battery]",
    "[battery.technology]",
    "[[battery]]",
    "[x]",
    "[strategy.name]",
    "[[strategy]]",
    "[tariff.energy]",
    "[]",
    "[a.b.c.d.e]",
    "[[tariff.energy]]",
    "[site.site]",
    "[__proto__]",
)
Change = Callable[[random.Random, Path], None]


def sound_series(steps: int = 48) -> str:
    rows = ["time,price_per_mwh,solar_mw,load_mw,regulation_up_price_per_mw,regulation_down_price_per_mw"]
    for hour in range(steps):
        day, clock = divmod(hour, 24)
        sun = max(0.0, 4.0 - abs(clock - 12.5))
        price = 50.0 + (30.0 if 17 <= clock < 21 else 0.0) - 4.0 * sun
        rows.append(f"2025-06-{2 + day:02d}T{clock:02d}:00:00+02:00,{price},{sun},{1.0 + clock % 5 / 5},5.0,4.0")
    return "\n".join(rows) + "\n"


def mutant(seed: int, folder: Path) -> Path:
    """The folder of mutant `seed`, written fresh."""
    rng = random.Random(seed)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    toml = TOML.replace('name = "arbitrage"', rng.choice(STRATEGIES))
    if rng.random() < 0.5:
        toml = toml.replace('"parallel_ac"', rng.choice(('"series_dc"', '"hybrid"')))
    series = sound_series()
    if rng.random() < 0.5:
        for old, new in dict(rng.sample(NEWER, 4)).items():
            toml = toml.replace(old, new)
        several = "[[battery]]" in toml
        columns = {name: NEWER_COLUMNS[name] for name in rng.sample(sorted(NEWER_COLUMNS), 2)}
        columns = {f"north.{name}" if several and name in OF_A_BATTERY else name: v for name, v in columns.items()}
        if "[[product]]" in toml or several:
            toml = re.sub(r"\[strategy\].*?\n\n", '[strategy]\nname = "arbitrage"\n\n', toml, flags=re.DOTALL)
        for name, cell in (columns | (PRODUCT_COLUMNS if "[[product]]" in toml else {})).items():
            head, *rows = series.splitlines()
            series = "\n".join([f"{head},{name}", *(f"{row},{cell}" for row in rows)]) + "\n"
    (folder / "scenario.toml").write_text(toml, encoding="utf-8")
    (folder / "series.csv").write_text(series, encoding="utf-8")
    (folder / "folder.csv").mkdir()
    (folder / "link.csv").symlink_to("/etc/hostname")
    (folder / "loop.csv").symlink_to("loop.csv")
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        rng.choice(CHANGES)(rng, folder)
    return folder


# ---- what may be done to a folder


def _lines(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8", errors="surrogateescape").split("\n") if file.is_file() else [""]


def _write(file: Path, lines: list[str]) -> None:
    if file.is_file():
        file.write_text("\n".join(lines), encoding="utf-8", errors="surrogateescape")


def other_value(rng: random.Random, folder: Path) -> None:
    """One key has another value."""
    lines = _lines(folder / "scenario.toml")
    keys = [i for i, line in enumerate(lines) if " = " in line]
    if keys:
        i = rng.choice(keys)
        lines[i] = f"{lines[i].split(' = ')[0]} = {rng.choice(VALUES)}"
    _write(folder / "scenario.toml", lines)


def other_key(rng: random.Random, folder: Path) -> None:
    """One key is misspelt, doubled, gone, or a word from elsewhere."""
    lines = _lines(folder / "scenario.toml")
    i = rng.randrange(len(lines))
    key, equals, value = lines[i].partition(" = ")
    kind = rng.randrange(5)
    if kind == 0:
        lines.insert(i, lines[i])
    elif kind == 1:
        del lines[i]
    elif equals:
        new = (key[:-1] + rng.choice("xyz_"), f'"{rng.choice(WORDS)}"', ".".join([key] * rng.choice((2, 50))))[
            kind - 2
        ]
        lines[i] = f"{new} = {value}"
    _write(folder / "scenario.toml", lines)


def other_table(rng: random.Random, folder: Path) -> None:
    """A table's head is another one, or stands anew somewhere."""
    lines = _lines(folder / "scenario.toml")
    heads = [i for i, line in enumerate(lines) if line.startswith("[")]
    if heads and rng.random() < 0.5:
        lines[rng.choice(heads)] = rng.choice(HEADERS)
    else:
        lines.insert(rng.randrange(len(lines) + 1), rng.choice(HEADERS))
    _write(folder / "scenario.toml", lines)


def other_text(rng: random.Random, folder: Path) -> None:
    """Characters of either file are gone, doubled or strange."""
    file = folder / rng.choice(("scenario.toml", "series.csv"))
    text = "\n".join(_lines(file))
    for _ in range(rng.choice((1, 3, 30))):
        i = rng.randrange(len(text) + 1)
        text = (
            text[:i]
            + rng.choice(('"', "'", "\\", "\n", "\r", "\t", "\x00", "é", "😀", "{", "]", "=", ",", "#", ""))
            + text[i + rng.randrange(3) :]
        )
    _write(file, text.split("\n"))


def other_cell(rng: random.Random, folder: Path) -> None:
    """Cells of the series are something else."""
    lines = _lines(folder / "series.csv")
    for _ in range(rng.choice((1, 1, 5, 200))):
        i = rng.randrange(min(1, len(lines) - 1), len(lines))
        cells = lines[i].split(",")
        j = rng.randrange(len(cells))
        cells[j] = rng.choice(TIMES if j == 0 and rng.random() < 0.7 else CELLS)
        lines[i] = ",".join(cells)
    _write(folder / "series.csv", lines)


def other_rows(rng: random.Random, folder: Path) -> None:
    """Rows of the series are gone, doubled, moved, cut or too long."""
    lines = _lines(folder / "series.csv")
    i, j = rng.randrange(len(lines)), rng.randrange(len(lines))
    kind = rng.randrange(6)
    if kind == 0:
        del lines[i]
    elif kind == 1:
        lines.insert(j, lines[i])
    elif kind == 2:
        lines[i], lines[j] = lines[j], lines[i]
    elif kind == 3:
        lines = lines[: i + 1]
    elif kind == 4:
        lines[i] += "," * rng.choice((1, 3, 2000))
    else:
        lines[i] = ""
    _write(folder / "series.csv", lines)


def other_columns(rng: random.Random, folder: Path) -> None:
    """Columns of the series are renamed, doubled or gone."""
    lines = _lines(folder / "series.csv")
    head = lines[0].split(",")
    j, kind = rng.randrange(len(head)), rng.randrange(4)
    if kind == 0:
        head[j] = rng.choice((*WORDS, "price_per_mwh", "import_price_per_mwh", "regulation_signal"))
        lines[0] = ",".join(head)
    elif kind == 1:
        lines = [",".join(cell for k, cell in enumerate(line.split(",")) if k != j) for line in lines]
    elif kind == 2:
        lines = [f"{line},{line.split(',')[min(j, line.count(','))]}" for line in lines]
    else:
        lines[0] = lines[0].replace(",", rng.choice((";", "\t", ", ", "|")))
    _write(folder / "series.csv", lines)


def other_file(rng: random.Random, folder: Path) -> None:
    """A file is empty, of another encoding, a folder, a link, garbage, or not there."""
    file = folder / rng.choice(("scenario.toml", "series.csv"))
    if not file.is_file():
        return
    content, kind = file.read_bytes(), rng.randrange(11)
    file.unlink()
    if kind == 0:
        file.mkdir()
    elif kind == 1:
        file.symlink_to(rng.choice(("/etc/hostname", "nowhere", file.name, "/dev/null", ".")))
    elif kind > 2:
        text = content.decode("utf-8", "surrogateescape")
        file.write_bytes(
            (
                b"", b"\xef\xbb\xbf" + content, b"\xef\xbb\xbf\xef\xbb\xbf" + content, text.encode("utf-16", "replace"),
                text.encode("utf-32", "replace"), bytes(rng.randrange(256) for _ in range(500)), content.replace(b"\n", b"\r"),
                content + b"\xff\xfe\x00",
            )[kind - 3]
        )  # fmt: skip


def parquet(rng: random.Random, folder: Path) -> None:
    """A parquet file in place of the CSV: garbage, cut, or a CSV under that name."""
    (folder / "series.csv").unlink(missing_ok=True) if (folder / "series.csv").is_file() else None
    kinds = (b"", b"PAR1", b"PAR1" + bytes(100) + b"PAR1", sound_series().encode())
    (folder / "series.parquet").write_bytes(rng.choice(kinds))
    lines = [line for line in _lines(folder / "scenario.toml") if not line.startswith("file =")]
    _write(folder / "scenario.toml", lines)


CHANGES: tuple[Change, ...] = (
    other_value, other_value, other_value, other_value, other_key, other_table, other_text, other_cell, other_cell,
    other_rows, other_columns, other_file, parquet,
)  # fmt: skip
