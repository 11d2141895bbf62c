"""The page in Chromium, as a person uses it: sliders, switch, downloads, errors, a phone; nothing is asked of the world."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from support.app_sites import small
from support.places import ROOT

import bess_opt as bo
from bess_opt.interfaces.app.controls import cards, changed, controls_of
from bess_opt.interfaces.app.serve import address, page_app
from bess_opt.interfaces.app.sizes import shown_sizing

pytestmark = pytest.mark.browser
NAMES = ("chromium", "chromium-browser", "google-chrome")
SOON_MS = 180_000


@contextmanager
def served(scenario: bo.Scenario) -> Iterator[str]:
    """Address of the page about `scenario`, while it is served."""
    pytest.importorskip("dash")
    serving = pytest.importorskip("werkzeug.serving")
    app, desks = page_app(scenario)
    server = serving.make_server("127.0.0.1", 0, app.server, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield address(server.server_port)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        desks.close()


@pytest.fixture(scope="module")
def place() -> Iterator[str]:
    with served(small()) as found:
        yield found


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api")
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("there is no Chromium; apt-get install chromium")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Any, place: str) -> Iterator[Any]:
    opened = chromium.new_page(viewport={"width": 1280, "height": 900})
    opened.set_default_timeout(SOON_MS)
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    ours = (place, "data:", f"blob:{place}")
    opened.on("request", lambda asked: None if asked.url.startswith(ours) else faults.append(asked.url))
    opened.on("response", lambda answer: faults.append(answer.url) if answer.status >= 500 else None)
    opened.goto(place)
    wait_ready(opened)
    yield opened
    opened.close()
    assert faults == []


def wait_ready(page: Any, word: str = "ready") -> None:
    page.wait_for_function(f"document.getElementById('stage')?.innerText === '{word}'")


def read(page: Any, value: str) -> None:
    """The card of the net revenue shows `value`."""
    page.wait_for_function(f"document.getElementById('card-net-revenue')?.innerText === '{value}'")


def test_a_slider_moves_and_the_cards_are_those_of_python(page: Any) -> None:
    """Arrow keys on the power slider, then the switch to the rule: each card as the Python call has it."""
    handle = page.locator("[role=slider]").first
    handle.focus()
    for _ in range(4):
        handle.press("ArrowRight")
    power = float(handle.get_attribute("aria-valuenow"))
    assert power > 1.0
    scenario = changed(small(), replace(controls_of(small()), power_mw=power))
    best, rule = bo.optimize(scenario), bo.simulate(scenario)
    for twin, plan in (("optimal", best), ("rule", rule)):
        page.locator(f"#twin input[value={twin}]").check()
        expected = cards(plan, best)
        read(page, expected[0].value)
        for card in expected:
            assert page.locator(f"#card-{card.name.replace(' ', '-')}").inner_text() == card.value
    assert page.locator("#chart .main-svg").first.is_visible()


def test_a_page_at_rest_asks_nothing(page: Any) -> None:
    """The page looks for news only while there is work."""
    read(page, cards(plan := bo.optimize(small()), plan)[0].value)
    page.wait_for_timeout(1_000)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(2_000)
    assert asked == []


def test_what_is_downloaded_is_the_plan(page: Any, tmp_path: Path) -> None:
    plan = bo.optimize(small())
    read(page, cards(plan, plan)[0].value)
    for name, reader in (("csv", pd.read_csv), ("parquet", pd.read_parquet)):
        with page.expect_download() as asked:
            page.click(f"#{name}")
        assert asked.value.suggested_filename == f"small_optimal.{name}"
        table = reader(asked.value.path())
        assert table["battery_mw"].to_numpy() == pytest.approx(plan.schedule["battery_mw"].to_numpy(), abs=1e-8)
    with page.expect_download() as asked:
        page.click("#report")
    assert Path(asked.value.path()).read_text("utf-8") == bo.report(small())


def test_an_impossible_scenario_is_text_on_the_page(page: Any) -> None:
    """The hybrid topology lacks a number here; the page says which, and goes on when it is left."""
    page.click("#topology")
    page.get_by_text("hybrid", exact=True).click()
    wait_ready(page, "no plan")
    page.wait_for_selector("#errors.errors")
    said = page.locator("#errors").inner_text()
    assert "dc_share" in said
    assert "Traceback" not in said
    page.click("#topology")
    page.get_by_text("parallel_ac", exact=True).click()
    wait_ready(page)
    page.wait_for_selector("#card-net-revenue")
    page.wait_for_selector("#errors", state="hidden")


def test_an_option_is_set_on_the_page(page: Any) -> None:
    """A strategy brings its boxes; a number in one changes the plan as in Python, a word is text on the page."""
    page.click("#strategy")
    page.get_by_text("cycling", exact=True).click()
    box = page.get_by_label("Cycles [1/day]")
    assert box.input_value() == "1"
    cycling = {"name": "cycling", "cycles_per_day": 0.5}
    for word, options in (("0.5", cycling), ("", {"name": "cycling"})):
        plan = bo.optimize(small(strategy=options))
        box.fill(word)
        box.press("Enter")
        read(page, cards(plan, plan)[0].value)
    box.fill("many")
    box.press("Enter")
    wait_ready(page, "no plan")
    page.wait_for_selector("#errors.errors")
    assert "strategy.cycles_per_day: found 'many'" in page.locator("#errors").inner_text()
    page.click("#strategy")
    page.get_by_text("arbitrage", exact=True).click()
    wait_ready(page)
    page.wait_for_selector("#card-net-revenue")
    assert page.get_by_label("Cycles [1/day]").count() == 0


def test_dark_where_the_system_is_dark(chromium: Any, place: str) -> None:
    """Page and chart alike, so that neither dazzles beside the other."""
    papers = {}
    for scheme in ("light", "dark"):
        page = chromium.new_page(color_scheme=scheme)
        page.set_default_timeout(SOON_MS)
        page.goto(place)
        page.wait_for_selector("#chart .main-svg")
        body = page.evaluate("getComputedStyle(document.body).backgroundColor")
        papers[scheme] = (
            body,
            page.evaluate("document.querySelector('#chart').querySelector('.main-svg').style.background"),
        )
        page.close()
    assert papers == {
        "light": ("rgb(244, 246, 248)", "rgb(255, 255, 255)"),
        "dark": ("rgb(13, 16, 19)", "rgb(20, 24, 29)"),
    }


def test_cancel_ends_the_work(chromium: Any) -> None:
    """A year of quarter-hours takes HiGHS a while to plan: once it is at work, the button is there and ends it."""
    year = bo.load(ROOT / "scenarios" / "arbitrage_15min").replace(solver={"engine": "highs"})
    with served(year) as found:
        page = chromium.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(SOON_MS)
        page.goto(found)
        page.wait_for_function("document.getElementById('stage')?.innerText.startsWith('optimizing')")
        page.click("#cancel")
        page.wait_for_function("document.getElementById('stage').innerText.startsWith('cancelled')")
        page.close()


def test_at_phone_width_nothing_sticks_out(page: Any) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_selector("#chart .main-svg")
    page.wait_for_function("document.querySelector('#chart .main-svg').getBoundingClientRect().width <= 390")
    needed, visible = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert needed <= visible == 390
    low, panel = page.evaluate(
        "['#chart', '#picture'].map(name => document.querySelector(name).getBoundingClientRect().bottom)"
    )
    assert low <= panel


def test_a_size_beyond_the_slider_is_what_was_written(page: Any) -> None:
    """The box takes any number: 99 stays 99, in the box, on the card and in the words over the figures."""
    scenario = changed(small(), replace(controls_of(small()), power_mw=99.0))
    plan = bo.optimize(scenario)
    page.get_by_label("Power [MW]").fill("99")
    read(page, cards(plan, plan)[0].value)
    assert page.locator("#power").input_value() == "99"
    assert page.locator("#caption").inner_text().startswith("99 MW, 2 h")


def test_figures_are_marked_as_soon_as_they_are_not_those_of_the_inputs(page: Any) -> None:
    """From the first letter on; an error leaves them, under the inputs that they belong to."""
    plan = bo.optimize(small())
    read(page, cards(plan, plan)[0].value)
    page.get_by_label("Power [MW]").fill("1.")
    page.get_by_label("Power [MW]").fill("much")
    page.wait_for_function("document.getElementById('figures').className === 'old'", timeout=2_000)
    assert page.locator("#stage").inner_text() != "ready"
    page.wait_for_selector("#errors.errors")
    assert "battery.power_mw: found 'much'" in page.locator("#errors").inner_text()
    assert page.locator("#card-net-revenue").inner_text() == cards(plan, plan)[0].value
    assert page.locator("#caption").inner_text().startswith("1 MW, 2 h")
    assert page.locator("#figures").get_attribute("class") == "old"


def test_a_second_page_leaves_the_first_alone(chromium: Any, page: Any, place: str) -> None:
    second = chromium.new_page()
    second.set_default_timeout(SOON_MS)
    second.goto(place)
    for number, one in enumerate((page, second)):
        one.get_by_label("Power [MW]").fill(str(2 + number))
    for number, one in enumerate((page, second)):
        scenario = changed(small(), replace(controls_of(small()), power_mw=2.0 + number))
        plan = bo.optimize(scenario)
        read(one, cards(plan, plan)[0].value)
        assert one.locator("#caption").inner_text().startswith(f"{2 + number} MW")
    second.close()


def test_a_size_is_found_on_the_page_and_is_that_of_python(page: Any) -> None:
    """Boxes of ranges and money, a button, then the key figures of `bo.size` and its map as a picture."""
    read(page, cards(plan := bo.optimize(small()), plan)[0].value)
    page.get_by_text("Size the battery").click()
    written = {
        "Power from [MW]": "0.5",
        "Cost of a MW [EUR]": "50000",
        "Cost of a MWh [EUR]": "60000",
        "Life [years]": "15",
    }
    for label, text in written.items():
        page.get_by_label(label).fill(text)
    page.get_by_role("button", name="Find the best size").click()
    page.wait_for_selector("#best-size")
    finance = {
        "capital_per_mw": 5e4, "capital_per_mwh": 6e4, "lifetime_years": 15, "discount_rate": 0.07,
        "horizons_per_year": float(f"{8760.0 / 336.0:.6g}"),
    }  # fmt: skip
    best = bo.size(small(finance=finance), (0.5, 4.0), (1.0, 6.0))
    expected = shown_sizing(best, "light")
    assert page.locator("#best-size").inner_text() == expected.title
    for name, value in expected.rows:
        assert page.locator("#sizing tr", has_text=name).first.locator("td").inner_text() == value
    assert page.locator("#sizing img").evaluate("one => one.naturalWidth") > 500
    assert page.locator("#sizing img").get_attribute("alt") == expected.words


def test_a_size_that_cannot_be_found_says_why(page: Any) -> None:
    page.get_by_text("Size the battery").click()
    page.get_by_label("Power from [MW]").fill("nine")
    page.get_by_role("button", name="Find the best size").click()
    page.wait_for_selector("#sizing .errors")
    assert "power_from: found 'nine'; give a number" in page.locator("#sizing").inner_text()


REACHED = """
() => { const one = document.activeElement;
  const named = one.closest('label')?.innerText || one.getAttribute('aria-label') || one.innerText
    || document.querySelector(`label[for="${one.id}"]`)?.innerText
    || document.getElementById(one.getAttribute('aria-labelledby'))?.innerText || one.title || '';
  return [one.tagName, one.id, one.getAttribute('role') || '', named.trim()]; }
"""


def test_every_control_is_reached_by_the_keyboard_and_has_a_name(page: Any) -> None:
    """Tab goes through the page; each control on it is among the stops, and each stop that is one has words."""
    read(page, cards(plan := bo.optimize(small()), plan)[0].value)
    page.get_by_text("Size the battery").click()
    stops: list[list[str]] = []
    for _ in range(120):
        page.keyboard.press("Tab")
        stop = page.evaluate(REACHED)
        if len(stops) > 10 and stop == stops[0]:
            break
        stops.append(stop)
    ids = {stop[1] for stop in stops}
    assert {"power", "duration", "strategy", "technology", "topology", "csv", "parquet", "report", "find-size"} <= ids
    roles = [stop[2] for stop in stops]
    assert roles.count("slider") == 2
    assert any(stop[0] == "INPUT" and "optimum" in stop[3] for stop in stops)
    sizes = [stop for stop in stops if '"type":"size"' in stop[1]]
    assert len(sizes) == 9
    assert all(stop[3] for stop in sizes)
    assert all(stop[3] for stop in stops if stop[0] in ("INPUT", "BUTTON", "SUMMARY"))


@pytest.mark.parametrize("width", [1280, 768, 360])
def test_nothing_is_asked_of_the_world_and_nothing_is_wider_than_the_page(
    chromium: Any, place: str, width: int
) -> None:
    """With every other address refused the page works whole, also while it looks for a size."""
    refused: list[str] = []
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme="dark")

    def answer(route: Any) -> None:
        if route.request.url.startswith((place, "data:", f"blob:{place}")):
            route.continue_()
        else:
            refused.append(route.request.url)
            route.abort()

    context.route("**/*", answer)
    opened = context.new_page()
    opened.set_default_timeout(SOON_MS)
    opened.goto(place)
    wait_ready(opened)
    opened.get_by_text("Size the battery").click()
    opened.get_by_label("Cost of a MW [EUR]").fill("50000")
    opened.get_by_label("Cost of a MWh [EUR]").fill("60000")
    opened.get_by_role("button", name="Find the best size").click()
    opened.wait_for_selector("#best-size")
    wait_ready(opened)
    wide = opened.evaluate("document.documentElement.scrollWidth")
    context.close()
    assert refused == []
    assert wide <= width
