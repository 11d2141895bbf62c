"""The public interface: every promised name is there, light to import, and not hidden by a room of its name."""

from __future__ import annotations

import subprocess
import sys

import pytest

import bess_opt as bo

HEAVY = ("numpy", "pandas", "matplotlib", "pyomo", "highspy", "pvlib", "pyarrow", "pydantic")


@pytest.mark.parametrize("name", sorted(bo.__all__))
def test_every_public_name_is_what_it_says(name: str) -> None:
    assert callable(getattr(bo, name))
    assert getattr(bo, name).__doc__


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'bess_opt' has no attribute 'optimise'"):
        bo.optimise  # noqa: B018


def test_a_room_does_not_hide_its_verb() -> None:
    import bess_opt.dispatch.optimize
    import bess_opt.strategies  # noqa: F401

    assert callable(bo.optimize)
    assert callable(bo.strategies)


def test_import_is_light() -> None:
    code = f"import sys, bess_opt; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "[]", "")
