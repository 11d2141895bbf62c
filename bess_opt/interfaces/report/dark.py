"""Pictures that follow the reader's scheme: colours of the light theme are variables, which a dark page sets anew."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import fields

from matplotlib.colors import to_hex, to_rgb

from bess_opt.plots.shared.style import DARK, LIGHT, paler

_HEX = re.compile(r"#[0-9a-f]{6}\b")
_NEAR = 1.5 / 255.0  # of a channel: blends are rounded to whole steps


def with_variables(svg: str) -> str:
    """The picture with each colour as `var(--c1b1f24, #1b1f24)`: without the variable it looks as it was drawn."""
    return _HEX.sub(lambda found: f"var(--c{found.group()[1:]}, {found.group()})", svg)


def dark_colours(pictures: Iterable[str]) -> dict[str, str]:
    """The dark theme's colour for each variable of the pictures that has one, in the order of their names."""
    used = {colour for svg in pictures for colour in re.findall(r"var\(--c([0-9a-f]{6}), ", svg)}
    found = {colour: _dark(colour) for colour in sorted(used)}
    return {colour: dark for colour, dark in found.items() if dark is not None}


def _dark(colour: str) -> str | None:
    """The same meaning in the dark theme: a named colour, or the same share of one on the dark paper."""
    names = [field.name for field in fields(LIGHT)]
    for name in names:
        if to_hex(getattr(LIGHT, name)) == f"#{colour}":
            return to_hex(getattr(DARK, name))
    for name in names:
        share = _share(f"#{colour}", getattr(LIGHT, name))
        if share is not None:
            return paler(getattr(DARK, name), DARK, share)
    return None


def _share(colour: str, ink: str) -> float | None:
    """Which share of `ink` on white paper gives `colour`; None where none does."""
    pale, full = to_rgb(colour), to_rgb(ink)
    depth = sum(1.0 - channel for channel in full)
    if depth <= 0.0:
        return None
    share = sum(1.0 - channel for channel in pale) / depth
    near = all(abs(1.0 - share * (1.0 - f) - p) <= _NEAR for f, p in zip(full, pale, strict=True))
    return share if near and 0.0 < share < 1.0 else None
