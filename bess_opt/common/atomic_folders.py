"""Folders that are there whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bess_opt.common.atomic_files import alone_in, clear_leftovers, new_tree
from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding


@dataclass(frozen=True)
class Kind:
    """A kind of folder: its possible `files`, of which `mark` is always there and has `text` in it."""

    files: frozenset[str]
    mark: str
    text: str

    def holds(self, folder: Path) -> bool:
        """Whether `folder` was written by us, whatever has been put there since."""
        mark = folder / self.mark
        return mark.is_file() and self.text.encode() in mark.read_bytes()


def check_target(folder: str | Path, kind: Kind | None = None) -> Path:
    """Where a new folder will stand: nothing, an empty folder, or one of `kind` only. Else ScenarioError.

    What killed writers to that place have left beside it is taken away.
    """
    try:
        target = Path(folder).resolve()
        clear_leftovers(target.parent, target.name)
        with alone_in(target.parent):
            return _checked(folder, target, kind)
    except OSError as error:
        raise not_writable(folder, error) from None


def _checked(folder: str | Path, target: Path, kind: Kind | None) -> Path:
    if target.exists() and not target.is_dir():
        raise problem("target_taken", folder, "is a file", "name a folder")
    ours = kind.files if kind is not None and kind.holds(target) else frozenset()
    foreign = sorted(_files_in(target) - ours)
    if foreign:
        names = ", ".join(foreign[:3]) + (f" and {len(foreign) - 3} more" if len(foreign) > 3 else "")
        found = f"holds other files ({names}), which are left alone"
        expected = "name a new folder" + (", or one that holds a result only" if kind is not None else "")
        raise problem("target_taken", folder, found, expected)
    if Path.cwd().is_relative_to(target):
        found = "is the folder you are in, or above it, and cannot be replaced"
        raise problem("target_taken", folder, found, "name another folder")
    above = next(parent for parent in target.parents if parent.exists())
    if not above.is_dir():
        raise NotADirectoryError(0, f"{above.name!r} is a file")
    if not os.access(above, os.W_OK | os.X_OK):
        raise PermissionError(0, f"no permission to write in {above}")
    return target


@contextmanager
def new_folder(folder: str | Path, kind: Kind | None = None) -> Iterator[Path]:
    """A folder beside `folder` to fill; it takes that place when the block ends, or vanishes if it fails.

    Of several writers to one place the last to end is the one whose folder stands there. ScenarioError if the place
    is taken, before the block and again after it, or if the disk refuses.
    """
    target = check_target(folder, kind)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with new_tree(target, lambda: _checked(folder, target, kind)) as parts:
            yield parts
    except OSError as error:
        raise not_writable(folder, error) from None


def _files_in(folder: Path) -> set[str]:
    """Relative names of all files below `folder`, and of folders that are empty."""
    found = set()
    for place, folders, files in os.walk(folder):
        here = Path(place).relative_to(folder)
        found |= {(here / name).as_posix() for name in files}
        found |= {(here / name).as_posix() for name in folders if not any(Path(place, name).iterdir())}
    return found


def not_writable(folder: str | Path, error: OSError) -> ScenarioError:
    """The error for a file or folder that the disk refuses to write."""
    found = f"cannot be written: {error.strerror or error}"
    return problem("not_writable", folder, found, "name a folder where you may write")


def problem(code: str, folder: str | Path, found: str, expected: str) -> ScenarioError:
    """An error about a folder as it was named."""
    return ScenarioError([Finding(code, str(folder), found, expected)])
