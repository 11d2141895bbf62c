"""Files as markets and meters hand them out: right by what they say, or refused with a remedy that makes them right."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import bess_opt as bo

pytestmark = pytest.mark.real_data
SMARD_PRICES = "layout_Gro_handelspreise_202503280000_202504050000_Stunde.csv"
SMARD_LOAD = "layout_Realisierter_Stromverbrauch_202503280000_202504050000_Stunde.csv"
NYISO, NORD_POOL = "layout_20260803damlbmp_zone.csv", "layout_AuctionPrice_2025_DayAhead_SE3_EUR_None.csv"
PRICES, LOAD, SOLAR = bo.read_prices, bo.read_load, bo.read_solar


def file(name: str) -> Path:
    """A file beside the shared data; the test is skipped without it."""
    path = Path(os.environ.get("BESS_OPT_DATA", "")).parent / "inputs" / name
    if "BESS_OPT_DATA" not in os.environ or not path.is_file():
        pytest.skip("BESS_OPT_DATA does not point to the data")
    return path


READ: list[tuple[Any, str, dict[str, Any], int, str, list[float]]] = [
    (LOAD, "layout_he_24.csv", {"clock": "America/New_York"}, 39, "2025-06-01 00:00-04:00", [0.101, 0.102]),
    (PRICES, "layout_pjm_iso.csv", {"clock": "America/New_York"}, 39, "2025-01-01 00:00-05:00", [20, 21]),
    (PRICES, "layout_GUI_ENERGY_PRICES_2025.csv", {}, 111, "2025-09-30 00:00+02:00", [42] * 4 + [43]),
    (PRICES, NYISO, {"place": "CAPITL"}, 20, "2026-08-03 00:00-04:00", [30, 31, 32]),
    (PRICES, SMARD_PRICES, {"column": "Deutschland"}, 39, "2025-03-28 00:00+01:00", [50, 52.5]),
    (LOAD, SMARD_LOAD, {}, 39, "2025-03-28 00:00+01:00", [50123.25, 51123.25]),
    (LOAD, "smard_lu_generation_load_2024.csv", {}, 29, "2024-01-01 00:00+01:00", [423.0, 417.0]),
    (PRICES, "layout_entsoepy.csv", {}, 39, "2025-03-29 00:00+01:00", [0, 1, 2]),
    (PRICES, "layout_ercot_dam.csv", {"place": "HB_NORTH"}, 20, "2025-08-01 00:00-05:00", [21, 22]),
    (PRICES, "layout_PRICE_AND_DEMAND_202608_NSW1.csv", {}, 39, "2026-08-01 00:00+10:00", [60, 61]),
    (LOAD, "layout_PRICE_AND_DEMAND_202608_NSW1.csv", {}, 39, "2026-08-01 00:00+10:00", [8000] * 12 + [8020.83]),
    (PRICES, NORD_POOL, {}, 39, "2025-03-28 00:00+01:00", [30, 31]),
    (PRICES, "gridstatus_api_caiso_node.csv", {}, 29, "2020-01-01 08:00+00:00", [25.24561, 24.60676]),
    (PRICES, "layout_agile.csv", {"column": "value_exc_vat"}, 39, "2025-10-27 04:30+00:00", [204, 205, 205]),
    (SOLAR, "entsoe_legacy_generation_CH_2024.csv", {}, 29, "2024-01-01 00:00+01:00", [0]),
    (PRICES, "entsoe_a03.xml", {}, 6, "2024-01-01 00:00+00:00", [50, 50, 55, 55, 55, 60]),
    (PRICES, "layout_marginalpdbc_20251001.1", {"place": "ES"}, 39, "2025-10-01 00:00+02:00", [101.1, 101.2]),
    (PRICES, "omie_PMD_20090601_latin1.txt", {"place": "ES"}, 24, "2009-06-01 00:00+02:00", [39.97, 37.6]),
    (PRICES, "omie_PrecioMD_20221030_25h.txt", {"place": "PT"}, 25, "2022-10-30 00:00+02:00", [139.17, 105.1]),
    (LOAD, "layout_ec_power.json", {}, 96, "2025-10-01 00:00+02:00", [50_000]),
    (
        SOLAR,
        "pvwatts_hourly_head.csv",
        {"year": 2025, "clock": "America/Denver"},
        12,
        "2025-01-01 00:00-07:00",
        [0] * 8 + [6.258e-6],
    ),
    (
        SOLAR,
        "layout_enphase.csv",
        {"day_first": False, "clock": "America/Los_Angeles"},
        39,
        "2025-06-01 00:00-07:00",
        [0] * 28 + [258e-6 * 4],
    ),
    (
        LOAD,
        "layout_end15.csv",
        {"stamps": "end", "clock": "America/New_York"},
        39,
        "2025-06-01 00:00-04:00",
        [0.1, 0.1, 0.1, 0.101],
    ),
]


@pytest.mark.parametrize(("verb", "name", "stated", "steps", "first", "values"), READ)
def test_read(verb: Any, name: str, stated: dict[str, Any], steps: int, first: str, values: list[float]) -> None:
    read = verb(file(name), **stated)
    assert len(read) == steps
    assert str(read.index[0].tz_convert("UTC")) == str(pd.Timestamp(first).tz_convert("UTC"))
    assert read.iloc[: len(values), 0].tolist() == pytest.approx(values)


ASKED: list[tuple[Any, str, dict[str, Any], str]] = [
    (
        LOAD,
        "layout_end15.csv",
        {"clock": "UTC"},
        r'state stamps="start" .* or stamps="end" for a first step from',
    ),
    (LOAD, "layout_caiso_as.csv", {}, "holds prices for capacity .ancillary services., no load"),
    (PRICES, "layout_caiso_as.csv", {}, "holds prices for capacity .ancillary services., no energy price"),
    (PRICES, NYISO, {}, r"column Name holds CAPITL, N\.Y\.C\.; state place"),
    (PRICES, SMARD_PRICES, {}, r"state column: Deutschland/Luxemburg .*, Österreich"),
    (PRICES, "layout_agile.csv", {}, "state column: value_exc_vat, value_inc_vat"),
    (PRICES, "layout_ec_power.json", {}, r"holds load and solar power, no prices; read it with bo\.read_load"),
    (PRICES, "layout_marginalpdbc_20251001.1", {}, "column place holds PT, ES; state place"),
    (LOAD, "green_button_head.xml", {}, "get the whole file again: it ends in the middle"),
    (SOLAR, "pvwatts_hourly_head.csv", {}, "does not say its year; state year"),
    (
        SOLAR,
        "layout_enphase.csv",
        {"clock": "UTC"},
        "day_first=True for 06 January 2025; or day_first=False for 01",
    ),
]


@pytest.mark.parametrize(("verb", "name", "stated", "message"), ASKED)
def test_asked(verb: Any, name: str, stated: dict[str, Any], message: str) -> None:
    with pytest.raises(bo.ScenarioError, match=message):
        verb(file(name), **stated)


# How many import and export rows and demand rows a tariff has, or what it is refused for.
TARIFFS: dict[str, tuple[int, int] | str] = {
    "urdb_entergy_windows_incentives.json": (7, 3),
    "urdb_flat_demand_by_month.json": (3, 13),
    "urdb_multi_tier.json": (2, 2),
    "urdb_sce_tou_gs2.json": (7, 3),
    "urdb_sell_rates.json": (16, 3),
    "urdb_tiers_energy_and_demand.json": (1, 1),
    "urdb_tiers_tou_demand.json": (1, 1),
    "layout_urdb_daily_coincident.json": r"(?s)coincidentratestructure: is stated; take it out.*lookbackPercent",
}
NO_DATA = {"README.md", "faults.py", "slow.py"}


@pytest.mark.parametrize("name", TARIFFS)
def test_a_tariff_is_read_or_refused_by_name(name: str) -> None:
    right = TARIFFS[name]
    if isinstance(right, str):
        with pytest.raises(bo.ScenarioError, match=right):
            bo.read_tariff(file(name))
        return
    read = bo.read_tariff(file(name))
    assert (len(read.energy), len(read.demand)) == right
    for verb, thing in ((PRICES, "prices"), (LOAD, "load"), (SOLAR, "solar power")):
        with pytest.raises(bo.ScenarioError, match=rf"holds a tariff, no {thing}; read it with bo\.read_tariff"):
            verb(file(name))


def test_every_file_has_its_line_here() -> None:
    folder = file("README.md").parent
    known = {name for _, name, *_ in READ} | {name for _, name, *_ in ASKED} | set(TARIFFS) | NO_DATA
    assert {path.name for path in folder.iterdir()} == known
