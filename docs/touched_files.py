"""How many files of the package a change of each kind touches, measured on one of its kind that is there.

A file counts if its code, not its docstrings and comments, names the example: a new one of the kind would have to be
named there too. Tables of data count as files.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent / "bess_opt"


@dataclass(frozen=True)
class Kind:
    """A kind of change: `example` is a pattern that names the one measured, `own` a folder that may hold it."""

    change: str
    measured_on: str
    example: str
    goal: str
    own: str = ""


KINDS = (
    Kind("a strategy", "`self_consumption`", r"self_consumption", "1"),
    Kind("a technology", "`premium`", r"premium", "1 (a data row)"),
    Kind("a reader", "SMARD", r"smard|SMARD", "1"),
    Kind("a ledger line", "`wear_cost`", r"wear_cost", "1 (a row)"),
    Kind("an engine", "value functions", r"value_function(\.\w+)*", "1 folder and 1 row", "solver/value_function"),
    Kind("a market product", "ERCOT's `ecrs`", r"ecrs", "1 (a data row)"),
    Kind("a second battery", "what refuses several of them", r"several_batteries", "at most 4"),
    Kind("a further kind of asset", "PV on the AC bus", r"(solar|curtailed)_ac_mw", "at most 4"),
)  # fmt: skip


def touched(kind: Kind) -> tuple[int, bool]:
    """(files that name the example, whether a folder of its own does too)."""
    named = [file for file in _files() if any(re.fullmatch(kind.example, word) for word in _words_of(file))]
    if kind.own:
        own = PACKAGE / kind.own
        return sum(own not in file.parents for file in named), own.is_dir()
    return len(named), False


def table() -> list[str]:
    """The lines of the table, as Markdown."""
    lines = ["| change | measured on | files touched | goal |", "|---|---|---|---|"]
    for kind in KINDS:
        files, folder = touched(kind)
        lines.append(
            f"| {kind.change} | {kind.measured_on} | {'1 folder and ' if folder else ''}{files} | {kind.goal} |"
        )
    return lines


def _files() -> list[Path]:
    return sorted([*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.toml")])


@cache
def _words_of(file: Path) -> frozenset[str]:
    """`_words` of a file, read once for all kinds."""
    return frozenset(_words(file))


def _words(file: Path) -> Iterator[str]:
    """The names and texts in the code of a file, and the file's own name."""
    yield file.stem
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".toml":
        yield from re.findall(r"^\[{1,2}(\w+)\]{1,2}$", text, re.MULTILINE)
        return
    tree = ast.parse(text)
    said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}  # docstrings
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=word) | ast.Attribute(attr=word) | ast.arg(arg=word) | ast.alias(name=word):
                yield from word.split(".")
            case ast.ImportFrom(module=str() as word):
                yield from word.split(".")
            case ast.keyword(arg=str() as word):
                yield word
            case ast.AnnAssign(target=ast.Name(id=word)):
                yield word
            case ast.Constant(value=str() as word) if id(node) not in said:
                yield word
            case _:
                pass
