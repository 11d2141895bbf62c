"""Prices for capacity as markets publish them, a column for each product."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest

import bess_opt as bo

OASIS = """INTERVALSTARTTIME_GMT,INTERVALENDTIME_GMT,OPR_DT,OPR_HR,ANC_TYPE,ANC_REGION,MARKET_RUN_ID,XML_DATA_ITEM,MW
2025-01-01T09:00:00-00:00,2025-01-01T10:00:00-00:00,2025-01-01,2,RU,AS_CAISO_EXP,DAM,RU_CLR_PRC,14.0
2025-01-01T08:00:00-00:00,2025-01-01T09:00:00-00:00,2025-01-01,1,RU,AS_CAISO_EXP,DAM,RU_CLR_PRC,13.0
2025-01-01T08:00:00-00:00,2025-01-01T09:00:00-00:00,2025-01-01,1,RD,AS_CAISO_EXP,DAM,RD_CLR_PRC,5.0
2025-01-01T09:00:00-00:00,2025-01-01T10:00:00-00:00,2025-01-01,2,RD,AS_CAISO_EXP,DAM,RD_CLR_PRC,6.0
2025-01-01T08:00:00-00:00,2025-01-01T09:00:00-00:00,2025-01-01,1,RU,AS_CAISO_EXP,DAM,RU_REQ_MIN_MW,900.0
"""
LONG = """DeliveryDate,HourEnding,AncillaryType,MCPC,DSTFlag
11/02/2025,01:00,REGUP,1.0,N
11/02/2025,02:00,REGUP,2.0,N
11/02/2025,02:00,REGUP,3.0,Y
11/02/2025,03:00,REGUP,4.0,N
11/02/2025,01:00,ECRS,11.0,N
11/02/2025,02:00,ECRS,12.0,N
11/02/2025,02:00,ECRS,13.0,Y
11/02/2025,03:00,ECRS,14.0,N
"""
WIDE = """Delivery Date,Hour Ending,Repeated Hour Flag,REGDN,REGUP,RRS,NSPIN,ECRS
08/01/2025,01:00,N,1.0,2.0,3.0,4.0,5.0
08/01/2025,02:00,N,1.5,2.5,3.5,4.5,5.5
"""
PJM = """datetime_beginning_utc,datetime_beginning_ept,ancillary_service,unit,value,row_is_current
1/1/2025 5:00:00 AM,1/1/2025 12:00:00 AM,RTO Regulation,$/MW,20.5,True
1/1/2025 6:00:00 AM,1/1/2025 1:00:00 AM,RTO Regulation,$/MW,21.5,True
1/1/2025 5:00:00 AM,1/1/2025 12:00:00 AM,Sync Reserve,$/MW,2.5,True
1/1/2025 6:00:00 AM,1/1/2025 1:00:00 AM,Sync Reserve,$/MW,3.5,True
"""
FCR_HEAD = "DATE_FROM;DATE_TO;PRODUCTNAME;GERMANY_SETTLEMENTCAPACITY_PRICE_[EUR/MW];AUSTRIA_SETTLEMENTCAPACITY_PRICE_[EUR/MW]\n"
AFRR_HEAD = "DATE_FROM;TYPE_OF_RESERVES;PRODUCT;GERMANY_AVERAGE_CAPACITY_PRICE_[(EUR/MW)/h]\n"
BLOCKS = ["00_04", "04_08", "08_12", "12_16", "16_20", "20_24"]


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "prices.csv"
    file.write_text(text)
    return file


def fcr(day: str) -> str:
    rows = "".join(f"{day};{day};NEGPOS_{block};{60 + n};{30 + n}\n" for n, block in enumerate(BLOCKS))
    return FCR_HEAD + rows


def test_oasis_keeps_up_and_down_apart(tmp_path: Path) -> None:
    found = bo.read_products(written(tmp_path, OASIS))
    assert found.columns.tolist() == ["ru_price_per_mw", "rd_price_per_mw"]
    assert found["ru_price_per_mw"].tolist() == [13.0, 14.0]
    assert found["rd_price_per_mw"].tolist() == [5.0, 6.0]
    assert found.index[0] == pd.Timestamp("2025-01-01", tz="America/Los_Angeles")
    assert found.reading.figures["currency"] == "USD"


@pytest.mark.skipif("BESS_OPT_DATA" not in os.environ, reason="BESS_OPT_DATA is not set")
def test_the_shared_file_of_oasis() -> None:
    file = Path(os.environ["BESS_OPT_DATA"]).parent / "inputs" / "layout_caiso_as.csv"
    if not file.is_file():
        pytest.skip("inputs do not lie beside BESS_OPT_DATA")
    found = bo.read_products(file)
    assert found.columns.tolist() == ["ru_price_per_mw"]
    assert found["ru_price_per_mw"].tolist() == [13.0 + hour for hour in range(15)]
    assert found.index[0] == pd.Timestamp("2025-01-01", tz="America/Los_Angeles")


def test_ercot_long_over_the_repeated_hour(tmp_path: Path) -> None:
    found = bo.read_products(written(tmp_path, LONG), names={"ECRS": "contingency"})
    assert found["regup_price_per_mw"].tolist() == [1.0, 2.0, 3.0, 4.0]
    assert found["contingency_price_per_mw"].tolist() == [11.0, 12.0, 13.0, 14.0]
    assert (found.index[1:] - found.index[:-1] == pd.Timedelta(hours=1)).all()
    assert str(found.index.tz) == "America/Chicago"


def test_ercot_wide(tmp_path: Path) -> None:
    found = bo.read_products(written(tmp_path, WIDE), time_zone="UTC")
    assert found.columns.tolist() == [f"{name}_price_per_mw" for name in ("regdn", "regup", "rrs", "nspin", "ecrs")]
    assert found["ecrs_price_per_mw"].tolist() == [5.0, 5.5]
    assert found.index[0] == pd.Timestamp("2025-08-01 05:00", tz="UTC")


def test_pjm(tmp_path: Path) -> None:
    found = bo.read_products(written(tmp_path, PJM))
    assert found["rto_regulation_price_per_mw"].tolist() == [20.5, 21.5]
    assert found["sync_reserve_price_per_mw"].tolist() == [2.5, 3.5]
    assert found.index[0] == pd.Timestamp("2025-01-01", tz="America/New_York")


@pytest.mark.parametrize(
    ("day", "hours"), [("2025-03-30", 3), ("2025-10-26", 5), ("2025-06-01", 4), ("01.06.2025", 4)]
)
def test_a_price_of_a_block_is_divided_by_the_hours_that_pass(tmp_path: Path, day: str, hours: int) -> None:
    """60 for the first block of the day, 61 for the second: 20 an hour where it has three."""
    found = bo.read_products(written(tmp_path, fcr(day)))["fcr_price_per_mw"]
    assert len(found) == 20 + hours
    assert found.iloc[:hours].tolist() == pytest.approx([60.0 / hours] * hours)
    assert found.iloc[hours : hours + 4].tolist() == pytest.approx([61.0 / 4.0] * 4)
    assert found.sum() == pytest.approx(sum(range(60, 66)))
    assert found.index[0].hour == 0
    assert found.index[hours].hour == 4


def test_prices_per_hour_stay_and_a_country_is_stated(tmp_path: Path) -> None:
    rows = "".join(
        f"2025-10-26;aFRR;{way}_{block};{n},5\n" for way in ("POS", "NEG") for n, block in enumerate(BLOCKS)
    )
    found = bo.read_products(written(tmp_path, AFRR_HEAD + rows), decimal=",")
    assert found.columns.tolist() == ["afrr_up_price_per_mw", "afrr_down_price_per_mw"]
    assert found["afrr_up_price_per_mw"].tolist() == [0.5] * 5 + [n + 0.5 for n in range(1, 6) for _ in range(4)]
    other = bo.read_products(written(tmp_path, fcr("2025-06-01")), place="Austria")
    assert other["fcr_price_per_mw"].iloc[0] == 7.5


@pytest.mark.parametrize(
    ("text", "arguments", "words"),
    [
        ("time,price\n2025-01-01 00:00,3\n2025-01-01 01:00,4\n", {}, "regelleistung.net"),
        (OASIS.replace(",DAM,", ",HASP,", 1), {}, "one market"),
        (OASIS.replace("AS_CAISO_EXP", "AS_SP26", 1), {}, "state place"),
        (OASIS.replace("_CLR_PRC", "_REQ_MAX"), {}, "PRC_AS"),
        (OASIS, {"names": {"RX": "x"}}, "give names for ru, rd"),
        (OASIS, {"names": {"RU": "Reg-Up"}}, "small letters"),
        (OASIS, {"column": "MW"}, "changes nothing"),
        (LONG.replace("AncillaryType,MCPC", "SettlementPoint,SettlementPointPrice"), {}, "no price for capacity"),
        (fcr("2025-06-01").replace("NEGPOS_20_24", "NEGPOS_20_23"), {}, "cut the file"),
        (fcr("2025-06-01").replace("NEGPOS_20_24", "NEGPOS_081"), {}, "NEGPOS_00_04"),
        (fcr("2025-06-01"), {"place": "Spain"}, "state column"),
    ],
)
def test_what_is_unclear_is_refused(tmp_path: Path, text: str, arguments: dict[str, object], words: str) -> None:
    with pytest.raises(bo.ScenarioError, match=words):
        bo.read_products(written(tmp_path, text), **arguments)  # type: ignore[arg-type]
