"""A grid of colours in a panel."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass

import numpy as np
from matplotlib.colors import Colormap, Normalize
from matplotlib.image import imsave
from numpy.typing import NDArray

from bess_opt.plots.shared.svg.axis import Box


@dataclass
class Picture:
    """A grid of colours, its lowest row first; `extent` is left, right, bottom and top in the data."""

    grid: NDArray[np.float64]
    cmap: Colormap
    norm: Normalize
    extent: tuple[float, float, float, float]

    def svg(self, box: Box, height: float) -> str:
        """The grid as pixels over a box of the page."""
        shown = self.cmap(self.norm(np.ma.masked_invalid(self.grid[::-1])), bytes=True)
        data = io.BytesIO()
        imsave(data, shown, format="png", metadata={"Software": ""})
        left, bottom, wide, high = box
        place = f'x="{left:.2f}" y="{height - bottom - high:.2f}" width="{wide:.2f}" height="{high:.2f}"'
        code = base64.b64encode(data.getvalue()).decode()
        look = 'preserveAspectRatio="none" style="image-rendering: pixelated"'
        return f'<image {place} {look} xlink:href="data:image/png;base64,{code}"/>'
