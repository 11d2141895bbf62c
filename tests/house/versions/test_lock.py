"""`requirements.lock` and `pyproject.toml` agree, and set-up and checks use the lock."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
STATED = [
    Requirement(text)
    for texts in (PROJECT["dependencies"], *PROJECT["optional-dependencies"].values())
    for text in texts
    if not text.startswith("bess-opt[")
]
LINES = [
    line for line in (ROOT / "requirements.lock").read_text("utf-8").splitlines() if not line.lstrip().startswith("#")
]


def pinned() -> dict[str, list[Requirement]]:
    """Name -> its lines: several where a platform or a Python takes another version."""
    found: dict[str, list[Requirement]] = {}
    for line in LINES:
        requirement = Requirement(line)
        found.setdefault(canonicalize_name(requirement.name), []).append(requirement)
    return found


def version_of(pin: Requirement) -> Version:
    (exact,) = pin.specifier
    assert exact.operator == "==", f"{pin} is no exact version"
    return Version(exact.version)


@pytest.mark.parametrize("stated", STATED, ids=str)
def test_what_is_stated_is_locked_within_its_bounds(stated: Requirement) -> None:
    lines = pinned().get(canonicalize_name(stated.name))
    assert lines, f"{stated.name} is not in requirements.lock: write it anew with the command in its first lines"
    for line in lines:
        assert stated.specifier.contains(version_of(line)), f"{line} is outside {stated}"


@pytest.mark.parametrize("stated", STATED, ids=str)
def test_what_is_stated_has_a_lower_bound(stated: Requirement) -> None:
    """Without one, the lowest version that a resolver may take is of another age."""
    assert any(part.operator in (">=", "==", "~=") for part in stated.specifier), stated


@pytest.mark.parametrize("line", LINES)
def test_a_line_is_a_name_and_a_version(line: str) -> None:
    """No address and no path of the machine that wrote it."""
    requirement = Requirement(line)
    assert requirement.url is None
    version_of(requirement)
    assert requirement.marker is None or isinstance(requirement.marker, Marker)


def test_the_lock_names_no_index() -> None:
    text = (ROOT / "requirements.lock").read_text("utf-8")
    assert not re.search(r"https?://|file:|--(extra-)?index-url|--find-links|(?<![\w.])/", text)


def test_every_leg_is_there_and_the_documents_use_the_lock() -> None:
    readme, ci = ((ROOT / name).read_text("utf-8") for name in ("README.md", ".ci/run"))
    installs = re.findall(r"\.venv/bin/pip install [^&\n]*", readme)
    assert installs
    assert all("-c requirements.lock" in line for line in installs)
    for leg in ("locked versions", "newest versions", "lowest direct versions"):
        assert f'echo "== {leg}"' in ci
