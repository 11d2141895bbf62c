"""The page about tariffs: every example is billed, and its arithmetic and its printed money are held."""

from __future__ import annotations

import ast
import operator
import re
import tomllib

import pandas as pd
import pytest
from support.places import ROOT

import bess_opt as bo

PAGE = (ROOT / "docs" / "tariffs.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```toml\n(.*?)```\n(.*?)\*\*(.*?)\*\*", PAGE, re.DOTALL)
NUMBER = r"-?[\d,]*\d(?:\.\d+)?"
SUM = re.compile(rf"(?<![\w.,])((?:{NUMBER}|[()])[\d.,()·/+ \n-]*?) = (?:\*\*)?({NUMBER})")
DONE = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}


def value(text: str) -> float:
    """A sum as the page writes it."""

    def of(node: ast.expr) -> float:
        if isinstance(node, ast.BinOp):
            return float(DONE[type(node.op)](of(node.left), of(node.right)))
        if isinstance(node, ast.UnaryOp):
            return -of(node.operand)
        assert isinstance(node, ast.Constant)
        return float(node.value)

    return of(ast.parse(" ".join(text.replace("·", "*").replace(",", "").split()), mode="eval").body)


def billed(text: str) -> float:
    """The bill of the page's site under the tables of an example."""
    index = pd.date_range("2025-06-01", "2025-08-01", freq="h", tz="Europe/Berlin", inclusive="left")
    series = pd.DataFrame({"load_mw": 1.0, "solar_mw": 0.0}, index=index)
    series.loc["2025-06-10 12:00", "load_mw"] = 3.0
    series.loc["2025-07-10 12:00", "load_mw"] = 2.0
    series.loc["2025-06-15 12:00", "solar_mw"] = 5.0
    tables = tomllib.loads(text)
    site = {"time_zone": "Europe/Berlin"} | tables.pop("site", {})
    return bo.bill(bo.Scenario(battery={"power_mw": 1, "duration_h": 2}, series=series, site=site, **tables)).total


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_an_example_bills_what_the_page_prints(number: int) -> None:
    text, _, printed = EXAMPLES[number]
    assert billed(text) == pytest.approx(float(printed.replace(",", "")), abs=0.005)


def test_every_block_has_its_money() -> None:
    """As many examples as blocks, and none without a sum just before its number."""
    assert PAGE.count("```toml") == len(EXAMPLES) >= 18
    for text, between, printed in EXAMPLES:
        assert "```" not in between, text
        assert SUM.findall(f"{between}{printed}"), text


def test_sums_on_the_page_are_right() -> None:
    """To the digits printed: 4,667 stands for 4,666.67."""
    found = SUM.findall(PAGE)
    assert len(found) >= 20
    for text, printed in found:
        digits = len(printed.partition(".")[2])
        assert value(text) == pytest.approx(value(printed), abs=0.5001 * 10.0**-digits), text


def test_a_part_of_a_month_by_its_hours() -> None:
    """The week of the page: 2 MW in 168 of June's 720 hours."""
    index = pd.date_range("2025-06-02", periods=168, freq="h", tz="Europe/Berlin")
    row = {"price_per_mw_month": 10_000.0, "part_months": "share"}
    battery = {"power_mw": 1, "duration_h": 2}
    week = bo.Scenario(battery=battery, series=pd.DataFrame({"load_mw": 2.0}, index=index), tariff={"demand": [row]})
    assert bo.bill(week).total == pytest.approx(20_000.0 * 168 / 720)
