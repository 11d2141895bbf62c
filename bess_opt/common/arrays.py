"""Types of arrays, once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = np.ndarray
Integers = npt.NDArray[np.int64]
