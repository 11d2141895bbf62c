"""Own tables and files on the page in Chromium, as a person uses them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rooms.interfaces.app.test_app_in_browser import chromium, read, served
from support.app_sites import small
from support.places import ROOT

import bess_opt as bo
from bess_opt.interfaces.app.controls import cards

__all__ = ["chromium"]
pytestmark = pytest.mark.browser
TWO = ROOT / "scenarios" / "two_batteries_one_connection"


@pytest.fixture
def page(chromium: Any) -> Iterator[Any]:
    """The page with its editor open, as it is on a phone."""
    with served(small()) as place:
        opened = chromium.new_page(viewport={"width": 360, "height": 780})
        faults: list[str] = []
        opened.on("pageerror", lambda error: faults.append(str(error)))
        opened.on("response", lambda answer: faults.append(answer.url) if answer.status >= 400 else None)
        opened.set_default_timeout(180_000)
        opened.goto(place)
        plan = bo.optimize(small())
        read(opened, cards(plan, plan)[0].value)
        opened.get_by_text("The scenario: your own files and tables").click()
        yield opened
        opened.close()
        assert faults == []


def test_tables_are_edited_and_files_brought(page: Any, tmp_path: Path) -> None:
    """A slip is said; a mended text, then two batteries by upload, show Python's figures; a zip takes them away."""
    text = page.locator("#tables").input_value()
    page.locator("#tables").fill(text.replace("power_mw", "powr_mw"))
    page.get_by_role("button", name="Use these tables").click()
    page.wait_for_selector("#own-said.errors")
    assert "unknown key 'powr_mw'; did you mean 'power_mw'?" in page.locator("#own-said").inner_text()
    page.locator("#tables").fill(text.replace("power_mw = 1.0", "power_mw = 2.0"))
    page.get_by_role("button", name="Use these tables").click()
    plan = bo.optimize(small(battery={"power_mw": 2.0, "duration_h": 2.0}))
    read(page, cards(plan, plan)[0].value)
    assert page.locator("#power").input_value() == "2"
    page.locator("#files input").set_input_files([str(TWO / "scenario.toml"), str(TWO / "series.csv")])
    plan = bo.optimize(bo.load(TWO))
    read(page, cards(plan, plan)[0].value)
    assert page.locator("#caption").inner_text().startswith("1 MW, 1 h + 0.5 MW, 4 h")
    assert not page.locator("#power").is_visible()
    assert not page.locator("#sizing").inner_text(), "nobody asked for a size"
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    with page.expect_download() as got:
        page.locator("#scenario-zip").click()
    got.value.save_as(tmp_path / "own.zip")
    shutil.unpack_archive(tmp_path / "own.zip", tmp_path / "own")
    assert bo.load(tmp_path / "own") == bo.load(TWO)
