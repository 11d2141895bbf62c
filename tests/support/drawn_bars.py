"""Bars of a picture that are drawn as one path."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch


def bars_of(axes: Axes) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Left ends and heights of the bars, by their label in the legend; a height downwards is negative."""
    found = {}
    for patch in axes.patches:
        if isinstance(patch, PathPatch) and patch.get_label() and not patch.get_label().startswith("_"):
            corners = np.asarray(patch.get_path().vertices).reshape(-1, 5, 2)
            found[patch.get_label()] = (corners[:, 0, 0], corners[:, 2, 1] - corners[:, 0, 1])
    return found
