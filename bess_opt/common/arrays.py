"""Array types that annotations share: values along the steps of a horizon, or the columns and rows of a program."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

Array = np.ndarray
Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


class ReadColumns(dict[str, Array]):
    """The columns of `frame` by name, as float64: numbers all at once, as a frame takes long to find a single one."""

    def __init__(self, frame: pd.DataFrame) -> None:
        super().__init__()
        self.frame = frame

    @classmethod
    def of(cls, schedule: pd.DataFrame | ReadColumns) -> ReadColumns:
        """The columns of a frame; those that were read before stay as they are."""
        return schedule if isinstance(schedule, ReadColumns) else cls(schedule)

    def __missing__(self, name: str) -> Array:
        if not self:
            numbers = self.frame.select_dtypes("number")
            names = (str(column) for column in numbers.columns)
            self.update(zip(names, numbers.to_numpy(dtype=float).T, strict=True))
            if name in self:
                return self[name]
        values: Array = self.frame[name].to_numpy(dtype=float)
        self[name] = values
        return values


def dot(one: Array, other: Array) -> float:
    """Σ one·other of two arrays of one length.

    In this thread alone: numpy's own product of long arrays wakes threads, which costs more than it saves, many
    times more where the processors are busy, and its last digits depend on how many there are.
    """
    return float(np.einsum("i,i->", one, other))


def weighed(weight: Array, rows: Array) -> Array:
    """Σ weight[k]·rows[k] of long rows; a weight of zero takes no part."""
    total = np.zeros(rows.shape[1])
    for k in np.flatnonzero(weight).tolist():
        total += weight[k] * rows[k]
    return total
