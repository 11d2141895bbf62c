"""`bess-opt import`: files of several kinds become one scenario that solves, and its record makes it again."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from support.command_line import Ended

import bess_opt as bo

Run = Callable[..., Ended]
AEMO = "REGION,SETTLEMENTDATE,TOTALDEMAND,RRP,PERIODTYPE\n"


def prices_and_meter(folder: Path) -> tuple[Path, Path]:
    """Hourly prices of SMARD, and half-hours of a meter in kW that say nothing of their zone."""
    prices, meter = folder / "prices.csv", folder / "meter.csv"
    hours = pd.date_range("2025-03-29", "2025-03-31", freq="h", tz="Europe/Berlin", inclusive="left")
    rows = [f"{h:%d.%m.%Y %H:%M};{h + pd.Timedelta(hours=1):%d.%m.%Y %H:%M};{50 + n},25" for n, h in enumerate(hours)]
    head = "Datum von;Datum bis;Deutschland/Luxemburg [€/MWh] Originalauflösungen"
    prices.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8-sig")
    halves = pd.date_range("2025-03-29", "2025-03-31", freq="30min", tz="Europe/Berlin", inclusive="left")
    meter.write_text("time,load_kw\n" + "".join(f"{h:%Y-%m-%d %H:%M},{100 + n}\n" for n, h in enumerate(halves)))
    return prices, meter


def test_two_kinds_and_two_steps_become_one_scenario(tmp_path: Path, run: Run) -> None:
    prices, meter = prices_and_meter(tmp_path)
    into = tmp_path / "site"
    ended = run("import", prices, meter, "--into", into, "--state", "clock=Europe/Berlin", "--plot")
    assert ended.code == 0, ended.err
    names = {"README.md", "scenario.toml", "series.csv", "series.png", "series.reading.toml"}
    assert {path.name for path in into.iterdir()} == names
    assert "price_per_mwh: steps of 60 min are repeated in steps of 30 min" in ended.err
    assert "SMARD" in ended.out
    scenario = bo.load(into)
    assert len(scenario.series) == 94
    assert scenario.series["price_per_mwh"].tolist()[:4] == [50.25, 50.25, 51.25, 51.25]
    assert scenario.series["load_mw"].iloc[0] == 0.1
    assert bo.optimize(scenario).metrics.net_revenue < 0


def test_the_record_of_an_import_makes_it_again(tmp_path: Path, run: Run) -> None:
    prices, meter = prices_and_meter(tmp_path)
    first, second = tmp_path / "first", tmp_path / "second"
    assert run("import", prices, meter, "--into", first, "--state", "clock=Europe/Berlin").code == 0
    assert run("import", first / "series.reading.toml", "--into", second).code == 0
    assert (first / "series.csv").read_bytes() == (second / "series.csv").read_bytes()
    record = tomllib.loads((first / "series.reading.toml").read_text())
    assert [(f["quantity"], f["kind"]) for f in record["file"]] == [("price", "SMARD"), ("load", "plain table")]
    assert record["file"][1]["arguments"] == {"clock": "Europe/Berlin"}


def test_both_quantities_of_one_file(tmp_path: Path, run: Run) -> None:
    file = tmp_path / "nsw.csv"
    rows = [f"NSW1,2026/08/01 {m // 60:02d}:{m % 60:02d}:00,8000.00,{m}.00,TRADE\n" for m in range(5, 600, 5)]
    file.write_text(AEMO + "".join(rows))
    ended = run("import", file, "--into", tmp_path / "both", "--json")
    assert [reading["quantity"] for reading in ended.json["readings"]] == ["price", "load"]
    assert bo.load(tmp_path / "both").site.currency == "AUD"


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ((), "says no time zone; state clock"),
        (
            ("--state", "clock=Europe/Berlin", "--state", "place=X"),
            "place: found 'X', which changes nothing in any file",
        ),
        (("--state", "clock=Europe/Berlin", "--state", "day_first=maybe"), "day_first: found 'maybe'; give true"),
    ],
)
def test_what_is_unclear_is_asked_before_anything_is_written(
    tmp_path: Path, run: Run, extra: tuple[str, ...], message: str
) -> None:
    prices, meter = prices_and_meter(tmp_path)
    ended = run("import", prices, meter, "--into", tmp_path / "site", *extra)
    assert ended.code == 1
    assert message in ended.err
    assert not (tmp_path / "site").exists()


def test_files_of_other_times_or_of_one_quantity_are_refused(tmp_path: Path, run: Run) -> None:
    prices, meter = prices_and_meter(tmp_path)
    later = tmp_path / "later.csv"
    later.write_text("time,load_kw\n2026-01-01 00:00,1\n2026-01-01 01:00,1\n")
    ended = run("import", prices, later, "--into", tmp_path / "x", "--state", "clock=Europe/Berlin")
    assert (ended.code, "share no time" in ended.err) == (1, True)
    ended = run("import", later, meter, "--into", tmp_path / "x", "--state", "clock=Europe/Berlin")
    assert (ended.code, "load comes from later.csv and meter.csv" in ended.err) == (1, True)
    (tmp_path / "series.reading.toml").write_text("[other]\n")
    ended = run("import", tmp_path / "series.reading.toml", "--into", tmp_path / "x")
    assert (ended.code, "is no record of an import" in ended.err) == (1, True)
    assert run("import", meter, "--into", tmp_path / "x", "--state", "nothing=1").code == 2


def test_what_is_stated_of_one_quantity_needs_its_file_and_leaves_the_others_plain(tmp_path: Path, run: Run) -> None:
    """Prices by the hour, a meter's parquet in another zone, whose last question is answered for it alone."""
    prices, _ = prices_and_meter(tmp_path)
    meter = tmp_path / "meter.parquet"
    index = pd.date_range("2025-03-29", "2025-03-31", freq="15min", tz="Europe/Berlin", inclusive="left")
    frame = pd.DataFrame({"load_kw": 300.0}, index=index.tz_convert("America/New_York").rename("time"))
    frame.iloc[::3] = 500.0
    frame.to_parquet(meter)
    ended = run("import", prices, meter, "--into", tmp_path / "x", "--state", "load.stamps=start")
    assert (ended.code, "load.stamps: is stated, but no file is given as load=FILE" in ended.err) == (1, True)
    into = tmp_path / "site"
    ended = run("import", prices, f"load={meter}", "--into", into, "--state", "load.stamps=start")
    assert ended.code == 0, ended.err
    scenario = bo.load(into)
    assert (len(scenario.series), scenario.step_h) == (188, 0.25)
    assert scenario.finance is not None
    assert scenario.finance.horizons_per_year == pytest.approx(8760 / 47, abs=1e-6)
    sized = bo.size(scenario, power_mw=(0.0, 1.0), duration_h=2.0)
    assert 0.0 <= sized.power_mw <= 1.0
    again = tmp_path / "again"
    assert run("import", into / "series.reading.toml", "--into", again).code == 0
    for name in ("series.csv", "scenario.toml"):
        assert (into / name).read_bytes() == (again / name).read_bytes()


def caiso(folder: Path, kinds: tuple[str, ...]) -> tuple[Path, Path]:
    """Energy prices in USD, and CAISO's report on capacity for the same day."""
    prices, capacity = folder / "prices.csv", folder / "capacity.csv"
    hours = pd.date_range("2025-01-01 08:00", "2025-01-02 08:00", freq="h", tz="UTC", inclusive="left")
    prices.write_text("time,price_per_mwh\n" + "".join(f"{h.isoformat()},{30 + n}\n" for n, h in enumerate(hours)))
    head = "INTERVALSTARTTIME_GMT,INTERVALENDTIME_GMT,ANC_TYPE,ANC_REGION,MARKET_RUN_ID,XML_DATA_ITEM,MW\n"
    rows = [
        f"{h:%Y-%m-%dT%H:%M:%S}-00:00,{h + pd.Timedelta(hours=1):%Y-%m-%dT%H:%M:%S}-00:00,{kind},AS_CAISO,DAM,"
        f"{kind}_CLR_PRC,{10 * place + n}.0\n"
        for place, kind in enumerate(kinds)
        for n, h in enumerate(hours)
    ]
    capacity.write_text(head + "".join(rows))
    return prices, capacity


CAISO_STATED = ("--state", "time_zone=America/Los_Angeles", "--state", "price.unit=USD/MWh")


def test_prices_for_capacity_become_products_of_the_market(tmp_path: Path, run: Run) -> None:
    """Names that a market's files use become those of its definitions; one that has none is left as a comment."""
    prices, capacity = caiso(tmp_path, ("RU", "RD", "NR"))
    into, again = tmp_path / "site", tmp_path / "again"
    ended = run("import", f"price={prices}", capacity, "--into", into, "--plot", *CAISO_STATED)
    assert ended.code == 0, ended.err
    scenario = bo.load(into)
    used = [(product.name, product.use) for product in scenario.product]
    assert used == [("reg_up", "caiso.reg_up"), ("reg_down", "caiso.reg_down")]
    assert scenario.solver.time_limit_s == 60.0
    assert scenario.series["reg_down_price_per_mw"].tolist()[:2] == [10.0, 11.0]
    assert "# nr_price_per_mw is of a product that has no shipped definition" in (into / "scenario.toml").read_text()
    assert (into / "series.png").stat().st_size > 10_000
    assert run("import", into / "series.reading.toml", "--into", again).code == 0
    assert (into / "series.csv").read_bytes() == (again / "series.csv").read_bytes()


def test_prices_for_capacity_need_prices_for_energy_in_their_currency(tmp_path: Path, run: Run) -> None:
    prices, capacity = caiso(tmp_path, ("SR",))
    ended = run("import", capacity, "--into", tmp_path / "x")
    assert (ended.code, "hold prices for capacity alone; give the energy price" in ended.err) == (1, True)
    euros = (*CAISO_STATED[:3], "price.unit=EUR/MWh")
    ended = run("import", f"price={prices}", capacity, "--into", tmp_path / "x", *euros)
    assert (ended.code, "have prices in EUR and USD; give files in one currency" in ended.err) == (1, True)
    ended = run("import", f"capacity={prices}", "--into", tmp_path / "x")
    assert (ended.code, "give prices for capacity of one of: CAISO OASIS" in ended.err) == (1, True)
    wrong = ("--state", "capacity.unit=USD/MWh")
    ended = run("import", f"price={prices}", f"capacity={capacity}", "--into", tmp_path / "x", *CAISO_STATED, *wrong)
    assert (ended.code, "unit: found 'USD/MWh', which prices for capacity do not take" in ended.err) == (1, True)
    assert not (tmp_path / "x").exists()
