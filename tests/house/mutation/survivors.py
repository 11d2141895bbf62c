"""The survivors that people have looked at: survivors.md, read."""

from __future__ import annotations

import re
from pathlib import Path

LIST = Path(__file__).with_name("survivors.md")
ENTRY = re.compile(r"^- `(?P<text>.+?)`\n  `(?P<before>.+?)` → `(?P<after>.+?)`: (?P<why>.+)$", re.MULTILINE)


def looked_at() -> dict[str, list[tuple[str, str, str]]]:
    """Module → (line's text, before, after) of each entry; the number of entries is that of the list's dashes."""
    found: dict[str, list[tuple[str, str, str]]] = {}
    for part in LIST.read_text(encoding="utf-8").split("\n## ")[1:]:
        name, _, entries = part.partition("\n")
        read = [(m["text"], m["before"], m["after"]) for m in ENTRY.finditer(entries)]
        if len(read) != len(re.findall("^- ", entries, re.MULTILINE)):
            raise ValueError(f"{LIST.name}: an entry under {name} is not of the form that the head shows")
        found[name.strip()] = read
    return found
