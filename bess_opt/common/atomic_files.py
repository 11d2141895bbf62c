"""Files and folders that take their place whole: written under a temporary name, flushed to the disk, renamed.

A writer that fails, or is told to stop, takes its temporary files with it. One that is killed cannot: its temporary
files are known by a lock that ended with it, and the next writer to the same place clears them away.
"""

from __future__ import annotations

import ctypes
import errno
import os
import re
import secrets
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType, TracebackType

if sys.platform != "win32":
    import fcntl

NEW, OLD = ".new", ".old"
TEMPORARY = re.compile(rf"\.(?P<name>.+)\.[0-9a-f]{{8}}({NEW}|{OLD})", re.DOTALL)
LOCK_S = 10.0  # longest wait for another writer to the same folder: each holds the lock for milliseconds
EXCHANGE, HERE = 2, -100  # Linux: RENAME_EXCHANGE, AT_FDCWD
ENDING = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))


@contextmanager
def new_file(file: Path) -> Iterator[Path]:
    """A path beside `file` to write to; what stands there takes the place of `file` when the block ends.

    Nothing is left of it if the block fails or the process is told to stop. OSError where the disk refuses.
    """
    with _ends_tidily() as told, _temporary(file, folder=False) as parts:
        with told.may_interrupt():
            yield parts
        _flush(parts)
        parts.replace(file)
        _flush(file.parent)


@contextmanager
def new_tree(target: Path, check: Callable[[], object]) -> Iterator[Path]:
    """An empty folder beside `target` to fill; it takes that place when the block ends, as `new_file` does.

    `check` is called just before, and raises if the place is no longer free.
    """
    with _ends_tidily() as told, _temporary(target, folder=True) as parts:
        with told.may_interrupt():
            yield parts
        for place, _, files in os.walk(parts):
            for name in files:
                _flush(Path(place, name))
            _flush(Path(place))
        with alone_in(target.parent):
            check()
            _take_place(parts, target)
        _flush(target.parent)


def clear_leftovers(folder: Path, name: str | None = None) -> None:
    """Take away what killed writers to `name`, by default to anything, left in `folder`.

    What one of them had set aside and not replaced is put back.
    """
    if not folder.is_dir():
        return
    with alone_in(folder):
        for path, target in _leftovers(folder, name):
            if path.suffix == OLD and not target.exists():
                path.rename(target)
            elif path.suffix == OLD or _abandoned(path):
                with suppress(OSError):  # another user's
                    _remove(path)


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """One writer at a time in `folder`, as far as its file system has locks."""
    held = _locked(folder, LOCK_S)
    try:
        yield
    finally:
        if held is not None:
            os.close(held)


# ---- temporary names


@contextmanager
def _temporary(target: Path, *, folder: bool) -> Iterator[Path]:
    """A new file or folder beside `target`, locked as long as this process writes to it, gone at the end."""
    parts = target.with_name(f".{target.name}.{secrets.token_hex(4)}{NEW}")
    held = None
    try:
        with alone_in(target.parent):
            if folder:
                parts.mkdir()
            else:
                parts.touch(exist_ok=False)
            held = _locked(parts, 0.0)
        yield parts
    finally:
        _remove(parts)
        if held is not None:
            os.close(held)


def _leftovers(folder: Path, name: str | None) -> list[tuple[Path, Path]]:
    """(temporary path, what it was to become) of all temporary names in `folder`."""
    found = [(path, TEMPORARY.fullmatch(path.name)) for path in folder.iterdir()]
    told = [(path, folder / match["name"]) for path, match in found if match]
    return [(path, target) for path, target in told if name in (None, target.name)]


def _abandoned(path: Path) -> bool:
    """Whether nobody writes to `path` any more."""
    held = _locked(path, 0.0)
    if held is not None:
        os.close(held)
    return held is not None


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _locked(path: Path, wait_s: float) -> int | None:
    """An open handle that locks `path` until it is closed; None if another has the lock, or there are no locks."""
    if sys.platform == "win32":
        return None
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    end = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() < end:
                time.sleep(0.01)
                continue
        except OSError:
            pass
        else:
            return handle
        os.close(handle)
        return None


# ---- into place


def _take_place(parts: Path, target: Path) -> None:
    """`parts` becomes `target`; what stood there goes only when that has worked."""
    if not target.exists():
        parts.rename(target)
        return
    if _exchange(parts, target):
        return  # what stood there is now under the temporary name
    aside = parts.with_suffix(OLD)
    target.rename(aside)
    try:
        parts.rename(target)
    except BaseException:
        aside.rename(target)
        raise
    _remove(aside)


def _exchange(one: Path, other: Path) -> bool:
    """Let two folders change places in one step; False where the system cannot."""
    if sys.platform != "linux":
        return False
    system = ctypes.CDLL(None, use_errno=True)
    if not hasattr(system, "renameat2"):
        return False
    return bool(system.renameat2(HERE, os.fsencode(one), HERE, os.fsencode(other), EXCHANGE) == 0)


def _flush(path: Path) -> None:
    """Have the disk keep a file, or the names in a folder, as far as its file system can be asked to."""
    windows = sys.platform == "win32"
    if windows and path.is_dir():
        return
    handle = os.open(path, os.O_RDWR if windows else os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(handle)


# ---- signals


class _ToldToStopError(BaseException):
    """The process was told to stop while it wrote; never leaves this module."""


class _Told:
    """The signals that came; one interrupts what its caller does, never what is put into place or cleared away."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self._interrupts = False

    def stop(self, number: int, _frame: FrameType | None) -> None:
        """Handler of a signal: note its number, and end the block that may be interrupted."""
        self.numbers.append(number)
        if self._interrupts:
            self._interrupts = False
            raise _ToldToStopError

    @contextmanager
    def may_interrupt(self) -> Iterator[None]:
        """The block ends at once when a signal comes, or has come."""
        if self.numbers:
            raise _ToldToStopError
        self._interrupts = True
        try:
            yield
        finally:
            self._interrupts = False


@contextmanager
def _ends_tidily() -> Iterator[_Told]:
    """A signal that would end the process at once ends it when the block has cleaned up.

    Only where nobody has asked for something else, and in the main thread, which alone hears of signals.
    """
    told = _Told()
    ours = [number for number in ENDING if _would_end(number)]
    for number in ours:
        signal.signal(number, told.stop)
    try:
        with _lost_in_silence():
            yield told
    except _ToldToStopError:
        pass
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)
        if told.numbers:
            os.kill(os.getpid(), told.numbers[0])


@contextmanager
def _lost_in_silence() -> Iterator[None]:
    """A stop that falls into code which can raise nothing (a finalizer, compiled code) is not printed as a fault.

    The signal's number is noted all the same, so the process ends once the file stands in its place.
    """
    unraisable, uncaught = sys.unraisablehook, sys.excepthook

    def after_unraisable(lost: sys.UnraisableHookArgs) -> None:
        if not isinstance(lost.exc_value, _ToldToStopError):
            unraisable(lost)

    def after_uncaught(kind: type[BaseException], value: BaseException, trace: TracebackType | None) -> None:
        if not isinstance(value, _ToldToStopError):
            uncaught(kind, value, trace)

    sys.unraisablehook, sys.excepthook = after_unraisable, after_uncaught
    try:
        yield
    finally:
        sys.unraisablehook, sys.excepthook = unraisable, uncaught


def _would_end(number: int) -> bool:
    main = threading.current_thread() is threading.main_thread()
    return main and signal.getsignal(number) is signal.SIG_DFL
