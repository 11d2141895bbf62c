"""A strategy's options as boxes and back: every field has a fitting one, and only what was changed counts."""

from __future__ import annotations

import re
from typing import Annotated, Literal

import pytest
from pydantic import Field
from support.app_sites import small

import bess_opt as bo
from bess_opt.common.input_table import Flag, Number, Table, Text
from bess_opt.dispatch.optimize import optimize
from bess_opt.interfaces.app.controls import Controls, changed, controls_of
from bess_opt.interfaces.app.options import STATED, Box, boxes, touched
from bess_opt.strategies.arbitrage import STRATEGY as ARBITRAGE
from bess_opt.strategies.shared.discovery import discover


def box(scenario: bo.Scenario, strategy: str, key: str) -> Box:
    return next(box for box in boxes(scenario, strategy) if box.key == key)


def asked(scenario: bo.Scenario, strategy: str, *written: tuple[int, str, str]) -> bo.Scenario:
    now = controls_of(scenario)
    plain = now.technology, now.topology, now.power_mw, now.duration_h
    return changed(scenario, Controls(*plain, strategy, written))


@pytest.mark.parametrize("name", sorted(discover()))
def test_every_option_of_every_strategy_has_a_box(name: str) -> None:
    """With its unit in the currency of the site; what stands in it at first is the default."""
    shown = boxes(small(), name)
    assert [box.key for box in shown] == list(discover()[name].options.model_fields)
    for each in shown:
        assert each.kind in ("number", "choice", "span")
        assert "currency" not in each.label
        assert each.note
    again = asked(small(), name, *[(0, each.key, each.text) for each in shown if each.text])
    defaults = discover()[name].options()
    assert discover()[name].options(**dict(again.strategies[0].options)) == defaults


def test_labels_have_units_and_choices() -> None:
    assert box(small(), "solar_smoothing", "violation_price_per_mwh").label == "Violation price [EUR/MWh]"
    assert box(small(), "cycling", "soc_low").label == "SOC low"
    assert box(small(), "firm_delivery", "period").choices == (("day", "day"), ("month", "month"))
    assert box(small(), "time_shift", "price_weighted").choices == (("true", "yes"), ("false", "no"))
    assert box(small(), "time_shift", "window").text == "18:00 to 22:00"


def test_what_is_written_reaches_the_plan() -> None:
    """A number, a yes or no, a choice and a window, each as the scenario's own table would have it."""
    smooth = asked(small(), "solar_smoothing", (0, "ramp_limit_per_min", "0.02"), (0, "ramp_window_min", "120"))
    stated = {"name": "solar_smoothing", "ramp_limit_per_min": 0.02, "ramp_window_min": 120}
    assert smooth.strategies == small(strategy=stated).strategies
    shift = asked(small(), "time_shift", (0, "window", "17:00 – 21:30"), (0, "price_weighted", "false"))
    same = {"name": "time_shift", "window": ["17:00", "21:30"], "price_weighted": False}
    assert shift.strategies == small(strategy=same).strategies
    firm = asked(small(), "firm_delivery", (0, "period", "month"))
    assert firm.strategies[0].options == {"period": "month"}


def test_untouched_boxes_count_for_nothing() -> None:
    shown = boxes(small(), "firm_delivery")
    written = [(box.entry, box.key, box.text) for box in shown]
    assert touched(shown, written) == ()
    written[1] = (0, "block_mw", "0.5")
    assert touched(shown, [*written, (3, "gone", "1")]) == ((0, "block_mw", "0.5"),)


def test_stated_options_stand_and_an_empty_box_takes_them_away() -> None:
    own = small(strategy={"name": "cycling", "cycles_per_day": 0.5, "soc_low": 0.2})
    assert [box(own, STATED, key).text for key in ("cycles_per_day", "soc_low", "soc_high")] == ["0.5", "0.2", ""]
    less = asked(own, STATED, (0, "soc_low", " "))
    assert less.strategies[0].options == {"cycles_per_day": 0.5}


def test_each_strategy_of_a_stack_has_its_boxes() -> None:
    stack = small(strategy=[{"name": "arbitrage"}, {"name": "export_cap", "cap_mw": 2.0}])
    assert [(box.entry, box.key) for box in boxes(stack, STATED)] == [(1, "cap_mw"), (1, "target_soc")]
    tighter = asked(stack, STATED, (1, "cap_mw", "1.5"))
    assert [entry.options for entry in tighter.strategies] == [{}, {"cap_mw": 1.5}]


@pytest.mark.parametrize(
    ("strategy", "key", "text", "said"),
    [
        (
            "solar_smoothing",
            "ramp_limit_per_min",
            "abc",
            "strategy.ramp_limit_per_min: found 'abc'; give a number > 0",
        ),
        ("cycling", "cycles_per_day", "-1", "strategy.cycles_per_day: found -1"),
        ("cycling", "cycles_per_day", "1,5", "strategy.cycles_per_day: found '1,5'"),
        ("cycling", "cycles_per_day", "nan", "strategy.cycles_per_day: found nan"),
        ("time_shift", "window", "evening", "strategy.window: found 'evening'"),
        ("time_shift", "window", "18:00 to 18:00", "strategy.window: found ['18:00', '18:00']"),
    ],
)
def test_what_cannot_be_is_said_where_it_stands(strategy: str, key: str, text: str, said: str) -> None:
    with pytest.raises(bo.BessOptError, match=re.escape(said)):
        optimize(asked(small(), strategy, (0, key, text)))


class OwnOptions(Table):
    """Kinds that no strategy of the package has."""

    name_of_site: Annotated[Text, Field(description="a word")] = "north"
    steps: Annotated[tuple[Number, ...], Field(description="numbers")] = (1.0, 2.5)
    mode: Annotated[Literal["a", "b"] | None, Field(description="one of two")] = None
    hold: Annotated[Flag | None, Field(description="true or false: wait")] = None
    must: Annotated[Number, Field(description="has no default")]


def test_a_user_strategy_has_boxes_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Text as it is, lists as TOML, choices that may be left out, and an option without a default."""
    from dataclasses import replace

    own = replace(ARBITRAGE, name="own", options=OwnOptions)
    monkeypatch.setattr("bess_opt.interfaces.app.options.discover", lambda: {"own": own})
    shown = {each.key: each for each in boxes(small(), "own")}
    assert [each.kind for each in shown.values()] == ["text", "toml", "choice", "choice", "number"]
    assert [each.text for each in shown.values()][2:] == ["", "", ""]
    assert shown["mode"].choices[0] == ("", "default")
    assert shown["hold"].note == "wait"
    assert shown["steps"].text.replace("\n", "").replace(" ", "") == "[1.0,2.5,]"
    written = [("name_of_site", "5"), ("steps", "[3, 4.5]"), ("mode", "b"), ("hold", "false"), ("must", "1e3")]
    table = asked(small(), "own", *[(0, key, text) for key, text in written]).strategies[0].options
    assert table == {"name_of_site": "5", "steps": [3, 4.5], "mode": "b", "hold": False, "must": 1000.0}
    assert asked(small(), "own", (0, "steps", "[3,")).strategies[0].options == {"steps": "[3,"}
    assert boxes(small(), "unknown") == []
