"""Many people at one page server at once, through what their browsers send: each sees the figures of its own inputs."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from support.app_sites import small

import bess_opt as bo
from bess_opt.interfaces.app.controls import cards
from bess_opt.interfaces.app.serve import page_app

SOON_S = 300.0  # a guard against work that hangs, not a measure: the machine may be busy
SHORT = small().series.iloc[:24]


class Tab:
    """One opened page: it sends the callbacks that a browser sends, and keeps what they answer."""

    def __init__(self, server: Any) -> None:
        self.client = server.test_client()
        stores = self.client.get("/_dash-layout").get_json()["props"]["children"]
        self.held: dict[str, Any] = {
            "page.data": stores[0]["props"]["data"],
            "twin.value": "optimal",
            "scheme.data": "light",
        }
        self.calls = self.client.get("/_dash-dependencies").get_json()

    def send(self, output: str, **held: Any) -> dict[str, Any]:
        """The callback that gives `output`, called with what the page holds; the answer by place."""
        self.held |= {key.replace("__", "."): value for key, value in held.items()}
        (call,) = (one for one in self.calls if output in one["output"].strip(".").split("..."))
        return self.answer(call)

    def answer(self, call: dict[str, Any]) -> dict[str, Any]:
        def values(of: list[dict[str, str]]) -> list[dict[str, Any]]:
            return [one | {"value": self.held.get(f"{one['id']}.{one['property']}")} for one in of]

        names = [tuple(name.split(".")) for name in call["output"].strip(".").split("...")]
        outputs: Any = [{"id": name, "property": rest} for name, rest in names] if call["output"] else []
        asked = {
            "output": call["output"],
            "outputs": outputs if call["output"].startswith("..") else outputs[0],
            "inputs": values(call["inputs"]),
            "state": values(call["state"]),
            "changedPropIds": [f"{one['id']}.{one['property']}" for one in call["inputs"]],
        }
        answer = self.client.post("/_dash-update-component", json=asked)
        assert answer.status_code in (200, 204), answer.get_data(as_text=True)
        found = answer.get_json()["response"] if answer.status_code == 200 else {}
        told = {f"{name}.{key}": value for name, parts in found.items() for key, value in parts.items()}
        self.held |= told
        return told

    def ask(self, power_mw: float) -> None:
        """The controls are set: the work begins."""
        asked = ["modern_lfp", "parallel_ac", power_mw, 2.0, "arbitrage", [], 0, []]
        self.send("ticket.data", ask__data=json.dumps(asked))

    def wait(self) -> str:
        """The word on the work once it is over."""
        limit = time.monotonic() + SOON_S
        while time.monotonic() < limit:
            told = self.send("stage.children")
            if told["tick.disabled"]:
                return str(told["stage.children"])
            time.sleep(0.05)
        raise AssertionError("the work did not end")

    def cancel(self) -> None:
        (call,) = (one for one in self.calls if one["inputs"] == [{"id": "cancel", "property": "n_clicks"}])
        self.client.post(
            "/_dash-update-component",
            json={
                "output": call["output"],
                "outputs": [],
                "inputs": [{"id": "cancel", "property": "n_clicks", "value": 1}],
                "state": [one | {"value": self.held.get(f"{one['id']}.{one['property']}")} for one in call["state"]],
                "changedPropIds": ["cancel.n_clicks"],
            },
        )


@pytest.fixture
def server() -> Iterator[Any]:
    pytest.importorskip("dash")
    app, desks = page_app(small(series=SHORT))
    yield app.server
    desks.close()


@pytest.mark.parametrize(
    "sessions", [pytest.param(4, marks=pytest.mark.slow), pytest.param(20, marks=pytest.mark.second_tier)]
)
def test_sessions_at_once_each_see_their_own_figures(server: Any, sessions: int) -> None:
    """All ask at once, and one in four is cancelled: that one says so, the others show their own battery and money."""
    powers = [round(0.5 + 0.1 * number, 1) for number in range(sessions)]
    with ThreadPoolExecutor(sessions) as people:
        tabs = list(people.map(lambda _: Tab(server), powers))
        list(people.map(Tab.ask, tabs, powers))
        cancelled = [number for number in range(sessions) if number % 4 == 3]
        list(people.map(lambda number: tabs[number].cancel(), cancelled))
        words = list(people.map(Tab.wait, tabs))
    assert len({tab.held["page.data"] for tab in tabs}) == sessions
    for number, (tab, power, word) in enumerate(zip(tabs, powers, words, strict=True)):
        if number in cancelled and word != "ready":  # it may have been done before it was cancelled
            assert word.startswith("cancelled"), word
            continue
        assert word == "ready", (number, word)
        shown = tab.send("cards.children")
        assert re.search(rf"\b{power:g} MW", shown["caption.children"]), (power, shown["caption.children"])
        plan = bo.optimize(small(series=SHORT, battery={"power_mw": power, "duration_h": 2.0}))
        values = {card.name: card.value for card in cards(plan, plan)}
        boxes = [box["props"]["children"] for box in shown["cards.children"]]
        seen = {name["props"]["children"]: value["props"]["children"] for name, value, _ in boxes}
        assert (seen["net revenue"], seen["full cycles"]) == (values["net revenue"], values["full cycles"])
    assert sum(word != "ready" for word in words) >= 1
