"""Stdout belongs to the answer: no library, no user's file and no version of typer writes into it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support.command_line import Ended, change

from bess_opt.interfaces.cli import main

NOISY = """\
import dataclasses, os, sys
from bess_opt.strategies.arbitrage import STRATEGY as GOOD

print("while it is read")
os.write(1, b"below Python\\n")
sys.__stdout__.write("by the first name\\n")

def build(m, plant, options):
    print("while it works")
    os.write(1, b"below Python again\\n")
    os.system("echo from a child")
    return GOOD.build(m, plant, options)

STRATEGY = dataclasses.replace(GOOD, name="noisy", build=build, old_names=())
"""
COMMANDS = sorted(str(info.name or info.callback.__name__) for info in main.app.registered_commands if info.callback)


def bess_opt(*words: object, shell_end: str = "", **more: str) -> subprocess.CompletedProcess[str]:
    """The command as a process, by a shell that may close a stream of it."""
    line = " ".join([f'"{sys.executable}"', "-m", "bess_opt", *(f"'{word}'" for word in words), shell_end])
    return subprocess.run(["/bin/sh", "-c", line], capture_output=True, text=True, check=False, env=os.environ | more)


@pytest.mark.skipif(sys.platform == "win32", reason="a shell of POSIX")
def test_what_a_user_s_file_prints_goes_to_stderr(folder: Path) -> None:
    """Python's print, its first stdout, the descriptor itself and a child: none reaches the JSON object."""
    (folder / "own").mkdir()
    (folder / "own" / "noisy.py").write_text(NOISY)
    more = {"BESS_OPT_STRATEGIES": str(folder / "own")}
    done = bess_opt("optimize", folder, "--set", "strategy=noisy", "--json", **more)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["scenario"] == "week"
    for words in ("below Python", "by the first name", "while it works", "from a child"):
        assert words in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="a shell of POSIX")
@pytest.mark.parametrize("words", [("list",), ("--help",), ("schema",)], ids=" ".join)
def test_a_closed_stdout_is_told(words: tuple[str, ...]) -> None:
    done = bess_opt(*words, shell_end=">&-")
    assert (done.returncode, done.stderr) == (1, "error: stdout: cannot be written: Bad file descriptor\n")


@pytest.mark.skipif(sys.platform == "win32", reason="a shell of POSIX")
def test_a_closed_stderr_is_no_trouble(folder: Path) -> None:
    done = bess_opt("validate", folder, "--json", shell_end="2>&- <&-")
    assert (done.returncode, json.loads(done.stdout)["valid"]) == (0, True)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_offers_one_json_object(command: str, run: Callable[..., Ended]) -> None:
    """As a flag: no version of typer shows a value for it, or for any other flag."""
    done = run(command, "--help")
    assert done.code == 0
    assert "--json" in done.out
    assert not re.search(r"<bool>|BOOLEAN", done.out)


def test_short_commands_answer_in_json(run: Callable[..., Ended], folder: Path, tmp_path: Path) -> None:
    assert run("new", tmp_path / "first", "--json").json["files"] == ["README.md", "scenario.toml", "series.csv"]
    page = tmp_path / "page.html"
    assert run("report", folder, "--out", page, "--json").json == {"scenario": "week", "file": str(page)}
    assert run("schema", "--json").json == run("schema").json


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("control", ".", "--horizon-h", "two"), "'--horizon-h': found 'two'; give a number such as 2.5"),
        (("control", ".", "--every-h", "nan"), "'--every-h': found 'nan'; give a number such as 2.5"),
        (("app", ".", "--port", "70000"), "'--port': found '70000'; give a whole number from 1 to 65535"),
        (("optimize", ".", "--theme", "drak"), "'--theme': found 'drak'; did you mean 'dark'? ('light', 'dark')"),
        (("control", ".", "--terminal", "x"), "'--terminal': found 'x'; one of 'cyclic', 'free', 'value'"),
    ],
)
def test_a_wrong_option_is_told_in_our_words(words: tuple[str, ...], said: str, run: Callable[..., Ended]) -> None:
    done = run(*words)
    assert (done.code, done.out) == (2, "")
    assert said in re.sub(r"[\s│]+", " ", done.err)


def test_control_characters_of_a_file_do_not_reach_the_terminal(run: Callable[..., Ended], folder: Path) -> None:
    change(folder / "scenario.toml", "[battery]", '["bat\\u001b[31mtery"]\n[battery]')
    done = run("validate", folder)
    assert done.code == 1
    assert "\x1b" not in done.err + done.out
    assert "\\x1b" in done.err


@pytest.mark.parametrize("control", ["\\u001b[31m", "\\n", "\\u202e"])
def test_a_text_that_would_stand_on_the_terminal_has_no_control_characters(
    run: Callable[..., Ended], folder: Path, control: str
) -> None:
    """A currency stands in every answer, on stdout too."""
    change(folder / "scenario.toml", 'currency = "EUR"', f'currency = "E{control}UR"')
    done = run("describe", folder)
    assert (done.code, done.out) == (1, "")
    assert "site.currency: found 'E" in done.err
    assert "give a text without control characters" in done.err
    assert not {"\x1b", "\u202e"} & set(done.err)
