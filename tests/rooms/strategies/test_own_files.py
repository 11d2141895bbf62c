"""Strategy files of a user: whatever one does while it is read ends in a sentence that names it."""

from __future__ import annotations

import importlib
import logging
from pathlib import Path

import pytest

import bess_opt as bo

strategies = importlib.import_module("bess_opt.strategies")  # the package's name for it is a function

GOOD = """\
import dataclasses
from bess_opt.strategies.arbitrage import STRATEGY as BASE
STRATEGY = dataclasses.replace(BASE, name="own", old_names=())
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BESS_OPT_STRATEGIES", str(tmp_path))
    return tmp_path / "own.py"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "def build(:\n",
            r"own\.py:1: SyntaxError: .*; mend the file, or take its folder out of BESS_OPT_STRATEGIES",
        ),
        ("if True:\npass\n", r"own\.py:2: IndentationError: .*; mend the file"),
        ("import sys\nsys.exit(7)\n", r"own\.py: asks the program to end \(SystemExit 7\); mend the file"),
        ("raise SystemExit\n", r"own\.py: asks the program to end \(SystemExit None\); mend the file"),
        ("1 / 0\n", r"own\.py: ZeroDivisionError while it is read: division by zero; mend the file"),
        ("import nowhere_at_all\n", r"own\.py: ModuleNotFoundError while it is read: .*nowhere_at_all"),
        ("STRATEGY = 3\n", r"own\.py: holds no STRATEGY"),
    ],
)
def test_what_goes_wrong_while_it_is_read(own: Path, text: str, said: str) -> None:
    own.write_text(text)
    with pytest.raises(bo.StrategyError, match=said):
        strategies.discover()


def test_what_it_prints_is_a_sentence_and_not_on_stdout(
    own: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    own.write_text('print("hello")\n' + GOOD)
    with caplog.at_level(logging.WARNING):
        assert "own" in strategies.discover()
        strategies.discover()
    assert capsys.readouterr().out == ""
    (record,) = caplog.records
    assert "own.py: prints while it is read" in record.getMessage()
    assert "hello" in record.getMessage()


def test_a_slow_one_is_a_sentence_and_read_once(
    own: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    own.write_text("import time\ntime.sleep(0.05)\n" + GOOD)
    monkeypatch.setattr(strategies, "SLOW_S", 0.01)
    with caplog.at_level(logging.WARNING):
        first, again = strategies.discover()["own"], strategies.discover()["own"]
    assert first is again
    (record,) = caplog.records
    assert "own.py: took 0 s to read; load what is large in its functions" in record.getMessage()


def test_a_changed_file_is_read_again(own: Path) -> None:
    own.write_text(GOOD)
    assert "own" in strategies.discover()
    own.write_text(GOOD.replace('"own"', '"renamed"'))
    assert "renamed" in strategies.discover()
