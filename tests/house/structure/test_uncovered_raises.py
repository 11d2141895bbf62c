"""The script that lists raises no test has executed sees what it should."""

from __future__ import annotations

from pathlib import Path

import coverage
import pytest
from uncovered_raises import GUARDS, PACKAGE, main, raises, uncovered

SOURCE = """\
def check(value):
    if value < 0:
        raise ValueError(
            "negative"
        )
    try:
        return 1 / value
    except ZeroDivisionError:
        raise
    raise KeyError("never")
"""


def test_a_raise_is_covered_by_any_of_its_lines(tmp_path: Path) -> None:
    package = tmp_path / "package"
    package.mkdir()
    module = package / "module.py"
    module.write_text(SOURCE)
    data = coverage.CoverageData(no_disk=True)
    data.add_lines({str(module.resolve()): [1, 2, 4]})
    assert uncovered(data, package) == ["package/module.py:10: raise KeyError('never')"]
    assert [first for first, _, _ in raises(SOURCE)] == [3, 10]


def test_it_ends_with_one_and_a_line_for_each(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty = coverage.CoverageData(basename=str(tmp_path / "data"))
    empty.add_lines({str(PACKAGE / "common" / "errors.py"): [1]})
    empty.write()
    assert main([str(tmp_path / "data")]) == 1
    assert "bess_opt/interfaces/cli/overrides.py:" in capsys.readouterr().out


def test_guards_are_in_the_source() -> None:
    for name, begin in GUARDS:
        texts = [text for path in PACKAGE.rglob(name) for _, _, text in raises(path.read_text(encoding="utf-8"))]
        assert any(begin in text for text in texts), (name, begin)
