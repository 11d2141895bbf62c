"""Commands whose help and whose words about wrong options do not depend on typer's version."""

from __future__ import annotations

import math
from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar

import typer
from typer.core import TyperCommand, TyperGroup

from bess_opt.common.names import nearest
from bess_opt.interfaces.cli.streams import answer_apart

E = TypeVar("E", bound=StrEnum)
FLAG = ""  # as `metavar` of an option without a value, beside which some versions write <bool>


class Command(TyperCommand):
    """A command that leaves stdout to its answer."""

    def invoke(self, ctx: Any) -> Any:
        """Run it."""
        with answer_apart():
            return super().invoke(ctx)

    def get_help_option(self, ctx: Any) -> Any:
        """`--help`, a flag like any other."""
        return _as_flag(super().get_help_option(ctx))


class Group(TyperGroup):
    """All commands."""

    def get_help_option(self, ctx: Any) -> Any:
        """`--help`, a flag like any other."""
        return _as_flag(super().get_help_option(ctx))


def _as_flag(option: Any) -> Any:
    if option is not None:
        option.metavar = FLAG
    return option


def a_number(text: str | float) -> float:
    """A finite number; typer.BadParameter for anything else. Defaults pass."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise typer.BadParameter(f"found {text!r}; give a number such as 2.5")
    return value


def a_port(text: str | int) -> int:
    """The number of a port; typer.BadParameter for anything else."""
    try:
        value = int(text)
    except ValueError:
        value = 0
    if not 1 <= value <= 65535:
        raise typer.BadParameter(f"found {text!r}; give a whole number from 1 to 65535")
    return value


def a_word(kind: type[E]) -> Callable[[str], E]:
    """A parser of the words of `kind`; it raises typer.BadParameter for others."""

    def parse(text: str) -> E:
        if text not in list(kind):
            words = [str(word) for word in kind]
            hint = nearest(text, words)
            remedy = hint if "one of" in hint else f"{hint} ({', '.join(map(repr, words))})"
            raise typer.BadParameter(f"found {text!r}; {remedy}")
        return kind(text)

    return parse


def words_of(kind: type[StrEnum]) -> str:
    """The words of `kind` as help shows them."""
    return "|".join(kind)
