"""The site answers what users ask: its own search finds the page, and every block of code in it runs."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from support.places import ROOT

import bess_opt

DOCS = ROOT / "docs"
QUESTIONS = tomllib.loads((ROOT / "tests" / "house" / "questions.toml").read_text("utf-8"))["question"]
HOW_TO = (
    "ten_minutes", "size_a_site", "negative_prices", "forecasts", "price_years", "infeasible", "why", "ageing", "cluster",
    "long_runs", "report_and_page",
)  # fmt: skip
LONG = ("forecasts", "price_years", "size_a_site")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site. Where `build/made` has the notebooks this takes seconds; else they are executed, for minutes."""
    pytest.importorskip("material")
    folder = tmp_path_factory.mktemp("site")
    words = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.browser
@pytest.mark.second_tier
def test_the_search_answers(site: Path) -> None:
    """Typed into the page's own search, opened from the disk: an answer among the first three pages, nothing fetched."""
    playwright = pytest.importorskip("playwright.sync_api")
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("there is no Chromium here")
    missed, fetched = {}, []
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.on("request", lambda request: fetched.append(request.url))
        page.goto((site / "index.html").as_uri())
        box = page.locator("[data-md-component=search-query]")
        for question in QUESTIONS:
            box.fill("")
            page.keyboard.press("Tab")
            box.click()
            page.keyboard.type(question["typed"])
            shown = answers(page, question["typed"], site)
            if not set(shown[:3]) & set(question["answered"]):
                missed[question["typed"]] = shown[:5]
        browser.close()
    assert missed == {}
    assert [address for address in fetched if not address.startswith(("file:", "data:", "blob:", "about:"))] == []


def answers(page: Any, typed: str, site: Path) -> list[str]:
    """The pages that are shown for what was typed, best first, once they stand still."""
    before: list[str] = []
    for _ in range(100):
        page.wait_for_timeout(150)
        links = page.locator("a.md-search-result__link").evaluate_all("all => all.map(one => one.href)")
        names = [link.split(site.name + "/")[-1].partition("#")[0].partition("?")[0] for link in links]
        if names and names == before and page.locator("[data-md-component=search-query]").input_value() == typed:
            break
        before = names
    return list(dict.fromkeys(name.removesuffix(".html") for name in before))


def test_there_are_twenty_questions() -> None:
    assert len({question["typed"] for question in QUESTIONS}) >= 20


def test_every_public_name_has_its_place() -> None:
    """A heading, the docstring's home, and text on the built page."""
    text = "".join(file.read_text("utf-8") for file in DOCS.glob("api_*.md"))
    names = {name for name in bess_opt.__all__ if callable(getattr(bess_opt, name))}
    assert set(re.findall(r"^## bo\.(\w+)$", text, re.MULTILINE)) == names


@pytest.mark.second_tier
def test_the_built_pages_hold_signatures(site: Path) -> None:
    page = (site / "api_dispatch.html").read_text("utf-8")
    assert "horizon_h" in page
    assert "fraction" in page or "share" in page


@pytest.mark.second_tier
def test_every_equation_is_drawn(site: Path) -> None:
    page = (site / "formulation.html").read_text("utf-8")
    rows = (DOCS / "formulation.md").read_text("utf-8").count("```equation")
    assert page.count("<math") == rows > 50


@pytest.mark.second_tier
def test_notebooks_have_their_outputs(site: Path) -> None:
    for file in sorted((ROOT / "notebooks").glob("*.ipynb")):
        page = (site / "notebooks" / f"{file.stem}.html").read_text("utf-8")
        assert "<img" in page
        assert "Traceback" not in page


@pytest.mark.second_tier
def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    for file in site.glob("**/*.html"):
        fetched = re.findall(r'<(?:script|img|iframe)[^>]+src="?(https?:[^"> ]+)', file.read_text("utf-8"))
        fetched += re.findall(r'<link[^>]+rel="?stylesheet"?[^>]+href="?(https?:[^"> ]+)', file.read_text("utf-8"))
        assert not fetched, file.name


@pytest.mark.parametrize(
    "page", [pytest.param(page, marks=[pytest.mark.second_tier] if page in LONG else []) for page in HOW_TO]
)
def test_its_code_runs(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(ROOT / "scenarios", tmp_path / "scenarios")
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", (DOCS / f"{page}.md").read_text("utf-8"), re.DOTALL)
    assert blocks
    names: dict[str, object] = {"__name__": "__not_main__"}
    for block in blocks:
        exec(compile(block, page, "exec"), names)  # our own documents
