"""A scenario folder to break, and the command line in this process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from support.command_line import Ended
from typer.testing import CliRunner

from bess_opt.interfaces.cli.main import app
from bess_opt.interfaces.cli.new_scenario import new_scenario


@pytest.fixture
def run() -> Callable[..., Ended]:
    def call(*arguments: str | Path) -> Ended:
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Ended(result.exit_code, result.stdout, result.stderr)

    return call


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A fresh scenario of 168 hours with solar and prices."""
    return new_scenario(tmp_path / "week")
