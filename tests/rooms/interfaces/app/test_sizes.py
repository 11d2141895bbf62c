"""The search for a size on the page: what its boxes hold at first, what they mean, what is shown."""

from __future__ import annotations

import base64

import pytest
from support.app_sites import small

import bess_opt as bo
from bess_opt.interfaces.app.sizes import found_size, shown_sizing, size_boxes

WRITTEN = {
    "power_from": "0.5", "power_to": "4", "duration_from": "1", "duration_to": "6", "capital_per_mw": "50,000",
    "capital_per_mwh": "60000", "lifetime_years": "15", "discount_rate": "0.07", "horizons_per_year": "26",
}  # fmt: skip
FINANCE = {
    "capital_per_mw": 5e4, "capital_per_mwh": 6e4, "lifetime_years": 15, "discount_rate": 0.07, "horizons_per_year": 26.0,
}  # fmt: skip


def test_boxes_begin_about_what_is_stated() -> None:
    """A quarter of the power to four times, and the money of the site where it states one."""
    free = {box.key: box.text for box in size_boxes(small())}
    assert (free["power_from"], free["power_to"], free["duration_from"], free["duration_to"]) == (
        "0.25",
        "4",
        "1",
        "6",
    )
    assert (free["capital_per_mw"], free["lifetime_years"], free["discount_rate"]) == ("", "15", "0.07")
    assert free["horizons_per_year"] == "26.0714"
    stated = {box.key: box.text for box in size_boxes(small(finance=FINANCE))}
    assert (stated["capital_per_mw"], stated["horizons_per_year"]) == ("50000", "26")
    assert "[EUR]" in {box.key: box.label for box in size_boxes(small())}["capital_per_mwh"]


def test_the_answer_is_that_of_python_and_tells_how_far_it_is() -> None:
    told: list[bo.Progress] = []
    shown = found_size(small(), WRITTEN, "light", told.append)
    best = bo.size(small(finance=FINANCE), (0.5, 4.0), (1.0, 6.0))
    assert shown == shown_sizing(best, "light")
    assert shown.title == f"Best size: {best.power_mw:.4g} MW, {best.duration_h:.4g} h"
    assert told[-1].share == 1.0
    svg = base64.b64decode(shown.picture.partition("base64,")[2]).decode()
    assert svg.startswith("<svg")
    assert {"power", "duration"} <= {name for name, _ in shown.rows} or shown.rows


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"power_to": "many"}, "power_to: found 'many'; give a number"),
        ({"power_to": " "}, "power_to: is empty; give a number"),
        ({"lifetime_years": "1.5"}, "lifetime_years"),
        ({"discount_rate": "-3"}, "discount_rate"),
    ],
)
def test_what_cannot_be_asked_is_said(change: dict[str, str], said: str) -> None:
    with pytest.raises(bo.ScenarioError, match=said):
        found_size(small(), WRITTEN | change, "light", lambda _event: None)


def test_several_batteries_are_sized_together() -> None:
    """The ranges are those of each battery, and the picture has a panel for each."""
    site = small(battery=[{"name": name, "power_mw": 1.0, "duration_h": 2.0} for name in ("north", "south")])
    site = site.replace(series=site.series.iloc[:24])
    assert {box.key: box.label for box in size_boxes(site)}["power_from"] == "Power of each from [MW]"
    fixed = {"power_from": "1", "power_to": "1", "duration_from": "2", "duration_to": "2"}
    shown = found_size(site, WRITTEN | fixed | {"horizons_per_year": "365"}, "dark", lambda _: None)
    sizes = {row[0]: row[1] for row in shown.rows}
    assert {sizes[f"best size of {name}"] for name in ("north", "south")} == {"1 MW, 2 h, 2 MWh"}
    assert float(sizes["net present value"].split()[0].replace(",", "")) == pytest.approx(
        bo.size(
            site.replace(finance=FINANCE | {"horizons_per_year": 365.0}), dict.fromkeys(("north", "south"), 1.0), 2.0
        ).value, rel=1e-3,
    )  # fmt: skip
    assert shown.title.startswith("Best sizes: ")
    svg = base64.b64decode(shown.picture.partition("base64,")[2]).decode()
    assert svg.startswith("<svg")
