"""What the command line says: one table or one JSON object on stdout, everything else on stderr."""

from __future__ import annotations

import errno
import io
import json
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from bess_opt.common.errors import BessOptError, CancelledError, InfeasibleError, SolveError
from bess_opt.interfaces.cli.streams import answer_stream, give_up, visible

if TYPE_CHECKING:
    from rich.table import Table

    from bess_opt.common.findings import Finding

BAD_INPUT, INFEASIBLE, LIMIT_REACHED, INTERRUPTED = 1, 3, 4, 130
# 0: a semaphore of multiprocessing, which other packages make as they are imported, could not be written whole.
NO_ROOM = (0, errno.ENOSPC, errno.EFBIG, errno.EDQUOT)
PIPE_WIDTH = 240  # characters of a line where no terminal sets an end
T = TypeVar("T")


def write(text: str) -> None:
    """Write to stdout. A reader that has gone is no error of ours; any other trouble ends with a message."""
    stream = answer_stream()
    try:
        stream.write(text)
        stream.flush()
    except OSError as error:
        give_up(stream)
        if not isinstance(error, BrokenPipeError):
            say_unwritable(error)
            raise typer.Exit(BAD_INPUT) from None


def say_unwritable(error: OSError) -> None:
    """That stdout takes no answer."""
    say(f"error: stdout: cannot be written: {error.strerror or error}")


def write_json(content: Any) -> None:
    """Write one JSON object; ASCII, so that every terminal and pipe can take it."""
    from bess_opt.dispatch.saving import plain

    write(json.dumps(plain(content), indent=2, allow_nan=False) + "\n")


class _Sheet(io.StringIO):
    """Text on its way to stdout, in characters that stdout has."""

    encoding = property(lambda _: answer_stream().encoding)


def write_tables(*tables: Table) -> None:
    """Write tables as wide as the terminal, or as they need where there is none."""
    from rich.console import Console

    terminal = answer_stream().isatty()
    width = shutil.get_terminal_size((80 if terminal else PIPE_WIDTH, 24)).columns
    sheet = _Sheet()
    console = Console(file=sheet, width=width, force_terminal=terminal, markup=False, emoji=False, highlight=False)
    for table in tables:
        console.print(table)
    write(sheet.getvalue())


def say(line: str) -> None:
    """A line for people, on stderr."""
    typer.echo(visible(line), err=True)


def say_findings(findings: Iterable[Finding]) -> None:
    """A line for each finding."""
    for finding in findings:
        say(f"{finding.severity}: {finding.sentence()}")


# ---- how a command ends


@contextmanager
def faults(as_json: bool) -> Iterator[None]:
    """Errors raised on purpose become messages and exit codes; anything else is a bug, with its traceback."""
    try:
        yield
    except KeyboardInterrupt:
        say("interrupted")
        raise typer.Exit(INTERRUPTED) from None
    except BessOptError as error:
        word = "infeasible" if isinstance(error, InfeasibleError) else "error"
        for line in str(error).splitlines():
            say(f"{word}: {line}")
        if as_json:
            write_json({"error": _error(error)})
        raise typer.Exit(exit_code(type(error))) from None
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        say("error: the system has no room for a file; free space on the disk, or raise the limit of file sizes")
        raise typer.Exit(BAD_INPUT) from None


def _error(error: BessOptError) -> dict[str, Any]:
    from bess_opt.dispatch.checks.validate import problems_of

    told: dict[str, Any] = {"kind": type(error).__name__}
    told["problems"] = [problem.to_dict() for problem in problems_of(error)]
    if isinstance(error, InfeasibleError):
        told["relaxations"] = [relaxation.to_dict() for relaxation in error.relaxations]
    return told


def exit_code(kind: type[BessOptError]) -> int:
    """The exit code of an error."""
    if issubclass(kind, InfeasibleError):
        return INFEASIBLE
    if issubclass(kind, CancelledError):
        return INTERRUPTED
    if issubclass(kind, SolveError):
        from bess_opt.solver.solution import LimitReachedError

        return LIMIT_REACHED if issubclass(kind, LimitReachedError) else BAD_INPUT
    return BAD_INPUT


def in_background(
    work: Callable[[], T], end: threading.Event | None = None, to_keep: Callable[[], bool] = lambda: True
) -> T:
    """The result of `work`, done by another thread: a solver in C++ would keep Ctrl-C waiting for its end.

    Where `work` gives what it has found so far once `end` is set, the first Ctrl-C sets it and the second ends all;
    the first one ends all while there is nothing `to_keep`.
    """
    outcome: Future[T] = Future()

    def run() -> None:
        try:
            outcome.set_result(work())
        except BaseException as error:
            outcome.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    while not outcome.done():
        try:
            wait([outcome], timeout=0.5)
        except KeyboardInterrupt:
            if end is None or end.is_set() or not to_keep():
                raise
            end.set()
            say("ending with what has been found; Ctrl-C again ends at once")
    return outcome.result()
