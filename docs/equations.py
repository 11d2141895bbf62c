"""Equations as the models' docstrings state them, `e[t+1] = ρ·e[t] + η_c·h·c[t], with ρ ...`, drawn as mathematics.

`fence` is given to the Markdown reader of the site for blocks of the language `equation`: MathML, which browsers draw
themselves, and the words that follow the equation.
"""

from __future__ import annotations

import re
from html import escape
from typing import Any

TOKEN = re.compile(
    r"(?P<sum>Σ)|(?P<name>[^\W\d_Σ]+(?:_[\w]+)?)|(?P<number>\d[\d,.]*(?<![.,]))|(?P<sign><=|>=|.)|(?P<space>\s+)",
    re.DOTALL,
)
SIGNS = {"<=": "≤", ">=": "≥", "*": "·"}
OPENING, CLOSING = "([{", ")]}"
ENDS = re.compile(r": |, (?=[a-zα-ω]+[ ,])|; |\. | \((?=rule|one way)")  # where the words begin


def split(line: str) -> tuple[str, str]:
    """The equation of a line, and the words after it; brackets are never parted."""
    for found in ENDS.finditer(line):
        before = line[: found.start()]
        level = sum(before.count(sign) for sign in OPENING) - sum(before.count(sign) for sign in CLOSING)
        if level == 0 and re.search(r"[=≤≥·−+]|<=|>=", before):
            rest = line[found.start() :]
            return before, rest.lstrip(":,;. ") if not rest.startswith(" (") else rest.strip()
    return line.rstrip(". "), ""


def mathml(equation: str) -> str:
    """One equation as MathML."""
    return f'<math display="block"><mrow>{_row(_tokens(equation))}</mrow></math>'


def fence(source: str, *_rest: Any, **_more: Any) -> str:
    """A block of equations, one a line, as the site shows it."""
    parts = []
    for line in filter(None, (line.strip() for line in source.splitlines())):
        equation, words = split(line)
        told = f"<p>{escape(words)}</p>" if words else ""
        parts.append(f'<div class="equation">{mathml(equation)}{told}</div>')
    return "".join(parts)


def _tokens(text: str) -> list[tuple[str, str]]:
    return [(str(found.lastgroup), found.group()) for found in TOKEN.finditer(text)]


def _row(tokens: list[tuple[str, str]]) -> str:
    shown, place = [], 0
    while place < len(tokens):
        kind, text = tokens[place]
        place += 1
        if kind == "sum":
            under, place = _bracketed(tokens, place + 1, "{") if _next(tokens, place) == "_" else ([], place)
            sign = '<mo largeop="true">∑</mo>'
            shown.append(f"<munder>{sign}<mrow>{_row(under)}</mrow></munder>" if under else sign)
        elif kind == "name":
            words, place = _words(tokens, place - 1)
            if len(words) > 1:
                shown.append(f"<mtext>&nbsp;{escape(' '.join(words))}&nbsp;</mtext>")
                continue
            index, place = _bracketed(tokens, place, "[")
            shown.append(_symbol(text, index))
        elif kind == "number":
            shown.append(f"<mn>{escape(text)}</mn>")
        elif not text.isspace():
            shown.append(f"<mo>{escape(SIGNS.get(text, text))}</mo>")
    return "".join(shown)


def _words(tokens: list[tuple[str, str]], place: int) -> tuple[list[str], int]:
    """Names that stand beside each other are words of a text; a name before a sign or an index stands alone."""
    words, at = [tokens[place][1]], place + 1
    while at + 1 < len(tokens) and tokens[at][1].isspace() and tokens[at + 1][0] == "name":
        if at + 2 < len(tokens) and tokens[at + 2][1] == "[" and len(words) == 1 and tokens[place][1] != "the":
            break
        words.append(tokens[at + 1][1])
        at += 2
    return words, at


def _next(tokens: list[tuple[str, str]], place: int) -> str:
    return tokens[place][1] if place < len(tokens) else ""


def _bracketed(tokens: list[tuple[str, str]], place: int, opening: str) -> tuple[list[tuple[str, str]], int]:
    """What stands in the brackets that open at `place`, without them, and the place behind."""
    if _next(tokens, place) != opening:
        return [], place
    level, at = 1, place + 1
    while at < len(tokens) and level:
        level += (tokens[at][1] in OPENING) - (tokens[at][1] in CLOSING)
        at += 1
    return tokens[place + 1 : at - 1], at


def _symbol(name: str, index: list[tuple[str, str]]) -> str:
    base, _, below = name.partition("_")
    letter = f"<mi>{escape(base)}</mi>" if len(base) == 1 else f'<mi mathvariant="normal">{escape(base)}</mi>'
    parts = [f"<mtext>{escape(below.replace('_', ' '))}</mtext>"] if below else []
    if index:
        parts += ["<mo>,</mo>"] * bool(below) + [_row(index)]
    return f"<msub>{letter}<mrow>{''.join(parts)}</mrow></msub>" if parts else letter
