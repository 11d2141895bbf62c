"""Array types that annotations share: values along the steps of a horizon, or the columns and rows of a program."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = np.ndarray
Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
