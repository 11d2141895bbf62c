"""A scenario folder to break, and the command line in this process."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from support.command_line import Ended

from bess_opt.interfaces.cli.main import app
from bess_opt.interfaces.cli.new_scenario import new_scenario


@pytest.fixture
def run() -> Callable[..., Ended]:
    def call(*arguments: str | Path) -> Ended:
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended:
            app([str(argument) for argument in arguments], prog_name="bess-opt")
        return Ended(int(ended.value.code or 0), out.getvalue(), err.getvalue())

    return call


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A fresh scenario of 168 hours with solar and prices."""
    return new_scenario(tmp_path / "week")
