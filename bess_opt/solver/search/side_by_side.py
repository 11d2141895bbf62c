"""Tasks of one search on threads: HiGHS lets go of the interpreter while it solves."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from bess_opt.common.progress import UNTOLD, Stretch

Item = TypeVar("Item")
Found = TypeVar("Found")


def side_by_side(task: Callable[[Item], Found], items: Sequence[Item], told: Stretch = UNTOLD) -> list[Found]:
    """Results of `task` in the order of `items`; `told` hears how many there are, from the thread that asks."""
    found = list[Found]()
    with ThreadPoolExecutor(max(1, min(len(items), os.cpu_count() or 1))) as pool:
        for one in pool.map(task, items):
            found.append(one)
            told.tell(len(found) / len(items))
    return found
