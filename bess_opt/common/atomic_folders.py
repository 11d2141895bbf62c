"""Folders that are there whole or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

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
    """Where a new folder will stand: nothing, an empty folder, or one of `kind` only. Else ScenarioError."""
    try:
        return _checked(folder, Path(folder).resolve(), kind)
    except OSError as error:
        raise _no_writing(folder, error) from None


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
    """A folder beside `folder` to fill; it takes that place when the block ends, or vanishes if it fails."""
    target = check_target(folder, kind)
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
