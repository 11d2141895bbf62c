"""Results show themselves in a notebook: small, self-contained, and no text of a user becomes markup."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pandas as pd
import pytest

import bess_opt as bo
from bess_opt.common.findings import Finding, Findings

EVIL = "<script>alert(1)</script>"
VOID = {"img", "br", "meta"}


class Strict(HTMLParser):
    """Every tag is closed in its turn, and nothing is fetched."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            assert name not in ("href", "onload", "onclick")
            assert name != "src" or str(value).startswith("data:image/png;base64,")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def parsed(result: Any) -> Strict:
    html = result._repr_html_()
    assert html == result._repr_html_()
    assert len(html) < 200_000
    assert EVIL not in html
    page = Strict()
    page.feed(html)
    assert page.open == []
    assert "script" not in page.tags
    return page


@pytest.fixture(scope="module")
def scenario() -> bo.Scenario:
    index = pd.date_range("2025-06-02", periods=96, freq="h", tz="Europe/Berlin")
    prices = pd.DataFrame({"price_per_mwh": [50.0 + 40.0 * (h.hour > 16) for h in index]}, index=index)
    finance = {"capital_per_mwh": 1e4, "lifetime_years": 10, "discount_rate": 0.05, "horizons_per_year": 90}
    return bo.Scenario(
        battery={"power_mw": 1.0, "duration_h": 2.0, "soc_start": 0.1}, series=prices, strategy="arbitrage",
        finance=finance, name=EVIL,
    )  # fmt: skip


def test_every_result_shows_itself(scenario: bo.Scenario) -> None:
    plan = bo.optimize(scenario)
    assert "img" in parsed(plan).tags
    parsed(scenario)
    parsed(bo.simulate(scenario))
    comparison = bo.compare(scenario)
    assert parsed(comparison).tags.count("tr") == 1 + len(comparison.table)
    assert "img" in parsed(bo.financials(plan)).tags
    sizing = bo.size(scenario, (0.5, 2.0), (1.0, 4.0))
    assert "img" in parsed(sizing).tags
    assert f"{sizing.value:,.4g} EUR" in sizing._repr_html_() or f"{sizing.value:,.0f} EUR" in sizing._repr_html_()


def test_the_figures_are_those_of_the_result(scenario: bo.Scenario) -> None:
    plan = bo.optimize(scenario)
    html = plan._repr_html_()
    assert f"{plan.metrics.net_revenue:,.4g} EUR" in html
    assert "proven gap" in html


def test_findings_are_escaped_and_counted() -> None:
    """Errors stand first, nine of ten are shown as eight and two more."""
    many = [Finding("a", EVIL, EVIL, EVIL, "warning")] * 9 + [Finding("b", "here", "x", "y")]
    html = Findings(many)._repr_html_()
    parsed(Findings(many))
    assert "10 findings" in html
    assert "and 2 more" in html
    assert html.index("✖\N{NO-BREAK SPACE}error") < html.index("▲\N{NO-BREAK SPACE}warning")
    assert "nothing was found" in Findings()._repr_html_()


def test_a_bare_factor_has_no_cash_flow_to_draw(scenario: bo.Scenario) -> None:
    bare = scenario.replace(finance={"discount_rate": None, "lifetime_years": None, "present_value_factor": 8.0})
    money = bo.financials(bo.optimize(bare))
    assert "img" not in parsed(money).tags
    with pytest.raises(bo.ScenarioError, match="has no years to draw; give discount_rate and lifetime_years"):
        money.plot()


def test_financials_draw_their_cash_flow(scenario: bo.Scenario) -> None:
    figure = bo.financials(bo.optimize(scenario)).plot(theme="dark")
    assert figure.axes[0].get_ylabel().startswith("money [")
