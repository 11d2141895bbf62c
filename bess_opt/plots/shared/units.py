"""How an objective is written in pictures: its name, its unit, and the power of ten of its money."""

from __future__ import annotations

import numpy as np
import pandas as pd


class Unit:
    """How an objective is written: its name, the power of ten of its money, and its unit."""

    def __init__(self, name: str, unit: str, scale: float = 1.0) -> None:
        self.name, self.unit, self.scale = name, unit, scale

    @classmethod
    def money(cls, name: str, unit: str, values: pd.Series) -> Unit:
        """Thousands or millions where the largest of `values` is large."""
        size = float(np.nanmax(np.abs(values.to_numpy(dtype=float)), initial=0.0))
        for least, scale, word in ((2e6, 1e6, "million "), (2e4, 1e3, "thousand ")):
            if size >= least:
                return cls(name, word + unit, scale)
        return cls(name, unit)

    @property
    def label(self) -> str:
        """Name and unit for an axis or a colour bar: "value [EUR/a]"."""
        return f"{self.name} [{self.unit}]"

    def text(self, value: float) -> str:
        """A value with its unit."""
        unit = "" if self.unit == "1" else f" {self.unit}"
        return f"{value / self.scale:,.4g}{unit}"

    def small(self, value: float) -> str:
        """A value that is small beside the others, in the plain unit."""
        plain = self.unit.removeprefix("million ").removeprefix("thousand ")
        return Unit(self.name, plain).text(float(f"{value:.3g}"))
