"""The page: everything a reader needs, nothing from elsewhere, the same bytes, no text of a user as markup."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

import bess_opt as bo
from bess_opt.common.wording import number, percent
from bess_opt.dispatch.reconciliation_tables import summary_of, tables_of
from bess_opt.interfaces.report.report import answer, page, save_report
from bess_opt.plant.ledger import LINES

EVIL = "a <script>alert(1)</script> & b"


def made(**tables: object) -> bo.Scenario:
    index = pd.date_range("2025-06-02", periods=24 * 14, freq="h", tz="Europe/Berlin")
    hour = index.hour.to_numpy()
    series = pd.DataFrame({"price_per_mwh": 60.0 + 30.0 * (hour > 16) - 50.0 * (hour == 12)}, index=index)
    parts = {
        "battery": {"power_mw": 1.0, "duration_h": 2.0, "wear_cost_per_mwh": 2.0},
        "finance": {"capital_per_mwh": 1e4, "lifetime_years": 10, "discount_rate": 0.05, "horizons_per_year": 26},
        "strategy": "arbitrage",
        "series": series,
        "name": EVIL,
    }
    return bo.Scenario(**(parts | tables))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def html() -> str:
    return bo.report(made())


class Page(HTMLParser):
    """Words of the page, and every address in it."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name in ("src", "href", "xlink:href"):
                self.addresses.append(str(value))
            if name == "id":
                self.ids.append(str(value))

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def read(html: str) -> Page:
    found = Page()
    found.feed(html)
    return found


def test_nothing_is_fetched_and_no_text_becomes_markup(html: str) -> None:
    """Addresses stay inside the page (#...) or hold their data; a name with a tag in it is text."""
    found = read(html)
    assert all(address.startswith(("#", "data:image/png;base64,")) for address in found.addresses)
    assert "script" not in found.tags
    assert EVIL in found.words
    assert not re.search(r"url\((?!#)", html)
    assert "@import" not in html


def test_two_pictures_share_no_id(html: str) -> None:
    ids = [name for name in read(html).ids if re.match(r"(p|s\d+p|cash)\d*-", name)]
    assert len(ids) == len(set(ids))
    assert len(ids) > 20


def test_same_scenario_same_bytes(html: str) -> None:
    assert bo.report(made()) == html
    assert "seconds" not in html


def test_every_part_is_there(html: str) -> None:
    words = "".join(read(html).words)
    for heading in (
        "Site and battery", "The optimal plan", "Rule and optimum", "Pictures", "Financials", "Warnings and notes",
        "Reconciliation", "Energy, site", "Energy, cells", "Money, received positive", "Money in detail", "Proof", "Input",
    ):  # fmt: skip
        assert heading in words
    comparison = bo.compare(made())
    best = comparison.plans["arbitrage", "optimal"]
    assert f"{best.metrics.net_revenue:,.0f}" in words
    assert made().digest() in words
    assert "highspy" in words
    for term in (LINES[name].label for name, amount in best.ledger.items() if amount or name == "energy"):
        assert term in words
    assert html.count("<svg") == 9


def test_the_answer_is_one_sentence_with_both_twins() -> None:
    comparison = bo.compare(made())
    text = answer(comparison)
    score = {rung: plan.metrics.score for (_, rung), plan in comparison.plans.items()}
    assert text.startswith("Operated at its best, a battery of 1 MW and 2 MWh would raise the site's score from 0 to")
    assert "from 2 June 2025 to 15 June 2025" in text
    assert f"the simple rule reaches {number(score['rule'])} EUR" in text
    assert text.endswith(" of the possible gain.")
    assert text.count(". ") == 0


def test_the_rule_s_share_is_the_same_in_the_sentence_and_in_the_table() -> None:
    """The rule may end with other energy than the optimum, so its share is of the optimum that ends as it does."""
    price = [10.0, 80.0, 20.0, 50.0, -5.0, 30.0] * 56
    comparison = bo.compare(made().replace(series=made().series.assign(price_per_mwh=price).iloc[:45], finance=None))
    said = re.search(r"EUR, (\d+\.\d%) of the possible gain", answer(comparison))
    assert said is not None
    (cells,) = re.findall(r"share of the possible gain</t[hd]>(.*?)</tr>", page(comparison), re.DOTALL)
    assert re.findall(r">\s*([\d.]+%|not run)\s*<", cells)[1] == said[1]
    idle, rule, best = (comparison.plans["arbitrage", rung].metrics.score for rung in ("none", "rule", "optimal"))
    assert percent((rule - idle) / (best - idle)) != said[1], "the two would be the same anyway"


def test_without_finance_the_section_is_left_out() -> None:
    html = page(bo.compare(made(finance=None)))
    assert "Financials" not in html
    assert html.count("<svg") == 8


def test_the_page_shows_the_reconciliation(html: str) -> None:
    """Each account is the one table that the saved page has too: every term, residual, proof, what was done."""
    plans = {rung: plan for (_, rung), plan in bo.compare(made()).plans.items()}
    books = {rung: bo.reconcile(plan) for rung, plan in plans.items()}
    own = books.pop("optimal")
    sections = html[html.index("<h2>Reconciliation") :]
    shown = [re.findall(r"<(?:th|td)[^>]*>(.*?)</(?:th|td)>", row) for row in re.findall(r"<tr.*?</tr>", sections)]
    expected = [[row.term, *row.cells] for table in tables_of(own, books) for row in table.rows]
    found = [[unescape(cell) for cell in row] for row in shown]
    assert [row for row in found if row[0] not in {table.heads[0] for table in tables_of(own, books)}] == expected
    assert summary_of(own) in unescape(sections)
    assert expected[0][0] == "solar"


def test_a_site_that_needs_its_battery_has_no_rung_none() -> None:
    """Without "none" there is no gain to state, and the note says why."""
    index = pd.date_range("2025-06-02", periods=48, freq="h", tz="UTC")
    load = pd.DataFrame({"load_mw": [0.5] * 20 + [1.5] * 2 + [0.5] * 26, "price_per_mwh": 50.0}, index=index)
    scenario = made(series=load, site={"import_limit_mw": 1.0}, finance=None, strategy="self_consumption")
    comparison = bo.compare(scenario)
    assert ("self_consumption", "none") not in comparison.plans
    text = answer(comparison)
    assert "brings the site to" in text
    assert "is left out" in page(comparison)


def test_a_wrong_week_is_refused_before_the_solve() -> None:
    with pytest.raises(bo.ScenarioError, match="week: 2024-01-01 is outside the horizon"):
        bo.report(made(), week="2024-01-01")


def test_only_a_report_is_replaced(html: str, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    assert save_report(html, file).read_text("utf-8") == html
    save_report(html + "<!-- again -->", file)
    other = tmp_path / "thesis.html"
    other.write_text("<html>mine</html>")
    with pytest.raises(bo.ScenarioError, match="is there already and is no report of ours; give another name"):
        save_report(html, other)
    with pytest.raises(bo.ScenarioError, match="is a folder; give the name of an HTML file"):
        save_report(html, tmp_path)
    with pytest.raises(bo.ScenarioError, match=r"there is no folder .*missing"):
        save_report(html, tmp_path / "missing" / "r.html")
    assert other.read_text() == "<html>mine</html>"


def test_a_sizing_has_a_section_between_money_and_warnings(html: str) -> None:
    """Filled with the figures of the sizing and its picture, and left out where there is none."""
    plain = made(battery={"power_mw": 1.0, "duration_h": 2.0})  # wear would leave no proof
    sizing = bo.size(plain, (0.5, 2.0), (1.0, 4.0))
    sized = bo.report(plain, sizing=sizing)
    words = "".join(read(sized).words)
    places = [words.index(text) for text in ("Financials", "The best size", "Warnings and notes")]
    assert places == sorted(places)
    assert f"{number(sizing.power_mw)} MW, {number(sizing.duration_h)} h, {number(sizing.energy_mwh)} MWh" in words
    assert f"{number(sizing.value)} EUR" in words
    assert "worth building" in words
    assert sizing.marginal_value is not None
    assert f"{number(sizing.marginal_value['power_mw'])} EUR/MW" in words
    assert all(finding.found in words for finding in sizing.findings)
    assert sized.count("<svg") == html.count("<svg") + 1
    assert "The best size" not in html


def test_a_sizing_of_something_else_is_refused() -> None:
    """A different size is fine, another plant is not."""
    sizing = bo.size(made(), (0.5, 2.0), 2.0)
    other = made(site={"export_limit_mw": 0.3})
    with pytest.raises(bo.ScenarioError, match="differs from the scenario in more than its size"):
        bo.report(other, sizing=sizing)
    assert "The best size" in bo.report(made().replace(battery={"power_mw": 0.7}), sizing=sizing)


def test_the_decision_not_to_build() -> None:
    """A flat price pays for no battery: the first screen says so, and claims no more than the search has proven."""
    series = pd.DataFrame({"price_per_mwh": 50.0}, index=made().series.index)
    flat = made(battery={"power_mw": 1.0, "duration_h": 2.0}, series=series, name="flat")
    proven = bo.size(flat, power_mw=(0, 2), duration_h=(1, 2))
    page = unescape(bo.report(flat, sizing=proven))
    assert "Do not build: no size of the range earns its cost." in page
    tried = bo.size(flat, power_mw=(0.5, 2), duration_h=(1, 2), twin="rule")
    assert "Do not build: no size that was tried earns its cost." in unescape(bo.report(flat, sizing=tried))
