"""A hint never names another quantity: words and units count, not letters alone."""

from __future__ import annotations

import time
from zoneinfo import available_timezones

import pytest

from bess_opt.common.columns import SERIES
from bess_opt.common.names import nearest
from bess_opt.inputs.battery import Battery
from bess_opt.inputs.finance import Finance
from bess_opt.inputs.site import Site

KNOWN = {
    "series": [*SERIES],
    "battery": [*Battery.model_fields],
    "site": [*Site.model_fields],
    "finance": [*Finance.model_fields],
}


@pytest.mark.parametrize(
    ("where", "wrong"),
    [
        ("battery", "soc_max"),
        ("battery", "charge_limit_mw"),
        ("battery", "energy_mw"),
        ("site", "import_price_per_mwh"),
        ("site", "inflation_rate"),
        ("finance", "inflation_rate"),
        ("finance", "fixed_om_per_mwh_year"),
        ("finance", "debt_share"),
        ("finance", "interest_rate"),
        ("series", "soc_max"),
        ("series", "solar_ac_mw"),
        ("series", "load_price_per_mwh"),
        ("series", "import_cost_per_mwh"),
    ],
)
def test_another_quantity_is_not_suggested(where: str, wrong: str) -> None:
    known = [name for name in KNOWN[where] if name != wrong]
    assert nearest(wrong, known).startswith("one of "), nearest(wrong, known)


@pytest.mark.parametrize(
    ("where", "wrong", "right"),
    [
        ("battery", "power", "power_mw"),
        ("battery", "powr_mw", "power_mw"),
        ("battery", "powermw", "power_mw"),
        ("battery", "PowerMw", "power_mw"),
        ("battery", "sco_start", "soc_start"),
        ("battery", "duration", "duration_h"),
        ("battery", "duration_hours", "duration_h"),
        ("battery", "power_kw", "power_mw"),
        ("battery", "topologie", "topology"),
        ("site", "export_limt_mw", "export_limit_mw"),
        ("site", "timezone", "time_zone"),
        ("site", "grid-charging", "grid_charging"),
        ("finance", "discont_rate", "discount_rate"),
        ("finance", "capital_per_mhw", "capital_per_mwh"),
        ("series", "import_price", "import_price_per_mwh"),
        ("series", "load_mv", "load_mw"),
        ("site", "grid_charge", "grid_charging"),
        ("series", "prize_per_mwh", "price_per_mwh"),
    ],
)
def test_a_misspelling_is(where: str, wrong: str, right: str) -> None:
    assert nearest(wrong, KNOWN[where]) == f"did you mean {right!r}?"


def test_words_of_a_choice() -> None:
    assert nearest("arbitrge", ["arbitrage", "cycling"]) == "did you mean 'arbitrage'?"
    assert nearest("peak_shave", ["peak_shaving", "time_shift"]) == "did you mean 'peak_shaving'?"
    assert nearest("parallel_dc", ["parallel_ac", "series_dc"]) == "one of 'parallel_ac', 'series_dc'"
    assert nearest("x", []) == "nothing is known here"


def test_a_long_word_is_told_at_once() -> None:
    """Letter by letter against each of 600 time zones it took many seconds."""
    began = time.process_time()
    for wrong in ("n" * 300, "x" + "y" * 5000, "a_" * 500, "n" * 100_000):
        assert nearest(wrong, available_timezones()).startswith("one of 'Africa/Abidjan', ")
    assert time.process_time() - began < 1.0


def test_a_long_list_is_cut() -> None:
    """Some hundred codes of countries are no remedy that anybody reads."""
    told = nearest("XQ7", [f"code{number:03d}" for number in range(300)])
    assert told.endswith(", 'code059' and 240 more")
    assert "more" not in nearest("XQ7", [f"code{number:03d}" for number in range(61)])
