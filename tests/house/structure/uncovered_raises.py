"""Which `raise` statements of the package no test has executed, from coverage data.

    coverage run -m pytest && python tests/structure/uncovered_raises.py

Ends with 1 and a line for each site. A bare `raise`, which passes on what a test has already seen, and the
guards in `GUARDS`, which no input can reach, are left out.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import coverage

PACKAGE = Path(__file__).parents[3] / "bess_opt"
# (file, beginning of the message): programming errors of a caller inside the package.
GUARDS: set[tuple[str, str]] = set()


def raises(source: str) -> Iterator[tuple[int, int, str]]:
    """(first line, last line, text) of each `raise` that makes an error."""
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Raise)]
    for node in sorted(nodes, key=lambda node: node.lineno):
        if node.exc is not None:
            yield node.lineno, node.end_lineno or node.lineno, ast.unparse(node)


def uncovered(data: coverage.CoverageData, package: Path = PACKAGE) -> list[str]:
    """One line for each `raise` of `package` of which no line was executed."""
    found = []
    for path in sorted(package.rglob("*.py")):
        executed = set(data.lines(str(path.resolve())) or ())
        for first, last, text in raises(path.read_text(encoding="utf-8")):
            guarded = any(path.name == name and begin in text for name, begin in GUARDS)
            if not guarded and not executed & set(range(first, last + 1)):
                found.append(f"{path.relative_to(package.parent)}:{first}: {text[:110]}")
    return found


def main(files: list[str]) -> int:
    """Read the data of `files` (default .coverage) together."""
    data = coverage.CoverageData(no_disk=True)
    for file in files or [".coverage"]:
        part = coverage.CoverageData(basename=file)
        part.read()
        data.update(part)
    found = uncovered(data)
    told = found or ["every raise of the package has been executed by a test"]
    sys.stdout.write("\n".join(told) + "\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
