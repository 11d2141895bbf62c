"""Folders that are there whole or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bess_opt.errors import ScenarioError
from bess_opt.findings import Finding


def check_target(folder: str | Path, ours: set[str]) -> Path:
    """Where a new folder will stand: free, empty, or holding files named in `ours` only; else ScenarioError."""
    try:
        return _checked(folder, Path(folder).resolve(), ours)
    except OSError as error:
        raise _no_writing(folder, error) from None


def _checked(folder: str | Path, target: Path, ours: set[str]) -> Path:
    if target.exists() and not target.is_dir():
        raise problem("target_taken", folder, "is a file", "name a folder")
    foreign = sorted(_files_in(target) - ours) if target.is_dir() else []
    if foreign:
        names = ", ".join(foreign[:3]) + (f" and {len(foreign) - 3} more" if len(foreign) > 3 else "")
        found = f"holds other files ({names}), which are left alone"
        raise problem("target_taken", folder, found, "name a new folder, or one that holds a result only")
    if target == Path.cwd():
        raise problem("target_taken", folder, "is the current folder", "name a new folder in it")
    above = next(parent for parent in target.parents if parent.exists())
    if not above.is_dir():
        raise NotADirectoryError(0, f"{above.name!r} is a file")
    if not os.access(above, os.W_OK | os.X_OK):
        raise PermissionError(0, f"no permission to write in {above}")
    return target


@contextmanager
def new_folder(folder: str | Path, ours: set[str]) -> Iterator[Path]:
    """A folder beside `folder` to fill; it takes that place when the block ends, or vanishes if it fails."""
    target = check_target(folder, ours)
    token = secrets.token_hex(4)
    parts = target.with_name(f".{target.name}.{token}.new")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        parts.mkdir()
        yield parts
        _take_place(parts, target, target.with_name(f".{target.name}.{token}.old"))
    except OSError as error:
        raise _no_writing(folder, error) from None
    finally:
        shutil.rmtree(parts, ignore_errors=True)


def _take_place(parts: Path, target: Path, aside: Path) -> None:
    """`parts` becomes `target`; what stood there goes only when that has worked."""
    if not target.exists():
        parts.rename(target)
        return
    target.rename(aside)
    try:
        parts.rename(target)
    except BaseException:
        aside.rename(target)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def _files_in(folder: Path) -> set[str]:
    """Relative names of all files below `folder`, and of folders that are empty."""
    found = set()
    for place, folders, files in os.walk(folder):
        here = Path(place).relative_to(folder)
        found |= {(here / name).as_posix() for name in files}
        found |= {(here / name).as_posix() for name in folders if not any(Path(place, name).iterdir())}
    return found


def _no_writing(folder: str | Path, error: OSError) -> ScenarioError:
    found = f"cannot be written: {error.strerror or error}"
    return problem("not_writable", folder, found, "name a folder where you may write")


def problem(code: str, folder: str | Path, found: str, expected: str) -> ScenarioError:
    """An error about a folder as it was named."""
    return ScenarioError([Finding(code, str(folder), found, expected)])
