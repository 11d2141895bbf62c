"""Shared helpers of the tests stand in `tests/properties/`: `cases` builds scenarios, `independent` solves
them.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "properties"))
