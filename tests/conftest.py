"""What all tests share: the processes that they start keep compiled files, or each would compile the package anew."""

from __future__ import annotations

import os

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
