"""Misspelt names: the nearest right one, never one of another quantity.

A key is a quantity and a unit, `import_price_per_mwh`. Two names mean the same where their words are the same or
misspelt, and where their units are the same or one of them states none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

UNITS = frozenset(
    """mw kw gw w mva kva mwh kwh gwh wh h hr hour hours min minutes s month months year years day days per
cycle""".split()  # noqa: SIM905
)
# The same dimension in other words or another multiple.
ALIKE = {
    "kw": "mw",
    "gw": "mw",
    "w": "mw",
    "kwh": "mwh",
    "gwh": "mwh",
    "wh": "mwh",
    "hr": "h",
    "hour": "h",
    "hours": "h",
}
# Words that are near each other in letters, and are never each other's misspelling.
OPPOSITES = frozenset(
    """import export charge discharge min max minimum maximum up down ac dc start end energy power price cost
load solar om soc grid demand capital fixed variable rate share limit""".split()  # noqa: SIM905
)
SHORT = 3  # letters up to which a word is misspelt only by swapping, doubling or leaving one out
SHOWN = 60  # names of a list; the rest is counted
LONGEST = 200  # letters of a name that are looked at
MOST_EDITS = 2  # by which a misspelt word differs
STEM, STEM_SHARE = 4, 0.5  # letters, and their share of the longer word, that two forms of a word have in common


def nearest(name: str, known: Iterable[str]) -> str:
    """Remedy for a misspelt `name`: "did you mean 'x'?", or the list of what is known."""
    names, name = sorted(known), name[:LONGEST]
    words = OPPOSITES | {word for one in names for word in _words(one)}
    scored = [(score, one) for one in reversed(names) if (score := _distance(name, one, words)) is not None]
    if scored:
        return f"did you mean {min(scored, key=lambda pair: pair[0])[1]!r}?"
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN + 1 else ""
    told = names[:SHOWN] if more else names
    return "one of " + ", ".join(repr(n) for n in told) + more if names else "nothing is known here"


def _words(name: str) -> list[str]:
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)
    return [word for word in re.split(r"[^a-z0-9]+", apart.lower()) if word]


def _split(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Quantity and unit; a name that is all unit is a quantity of that name."""
    end = len(words)
    while end > 1 and words[end - 1] in UNITS:
        end -= 1
    return list(words[:end]), list(words[end:])


def _distance(name: str, known: str, words: frozenset[str]) -> int | None:
    """How many letters apart two names of one quantity are; None for two quantities."""
    found, right = _words(name), _words(known)
    if "".join(found) == "".join(right):
        return 0
    together = _apart(found, right, words)
    if together is not None:
        return together
    (quantity, unit), (right_quantity, right_unit) = _split(found), _split(right)
    if unit and right_unit and [ALIKE.get(word, word) for word in unit] != right_unit:
        return None
    apart = _apart(quantity, right_quantity, words)
    return None if apart is None else apart + 10


def _apart(found: Sequence[str], right: Sequence[str], words: frozenset[str]) -> int | None:
    """Letters by which two lists of words differ, where each word is the other's misspelling."""
    if len(found) != len(right) or not found:
        return None
    total = 0
    for wrong, word in zip(found, right, strict=True):
        if wrong == word:
            continue
        if not _one_word(wrong, word) and (wrong in words or wrong in UNITS or not _misspelt(wrong, word)):
            return None
        total += 2 * _edits(wrong, word) - (sorted(wrong) == sorted(word))  # letters swapped come first
    return total


def _one_word(a: str, b: str) -> bool:
    """Whether two words are forms of one: charge, charging."""
    stem = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    return stem >= STEM and stem >= STEM_SHARE * max(len(a), len(b))


def _misspelt(wrong: str, word: str) -> bool:
    if abs(len(wrong) - len(word)) > MOST_EDITS:
        return False  # an edit changes the length by one: no need to look at each letter of a long word
    edits = _edits(wrong, word)
    if min(len(wrong), len(word)) > SHORT:
        return edits <= (1 if max(len(wrong), len(word)) <= 5 else MOST_EDITS)
    return edits <= 1 and (word in UNITS or sorted(wrong) == sorted(word) or len(wrong) != len(word))


def _edits(a: str, b: str) -> int:
    """Letters to leave out, add, change, or swap with their neighbour."""
    rows = [list(range(len(b) + 1))]
    for i, x in enumerate(a, 1):
        row = [i]
        for j, y in enumerate(b, 1):
            best = min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                best = min(best, rows[-2][j - 2] + 1)
            row.append(best)
        rows.append(row)
    return rows[-1][-1]
