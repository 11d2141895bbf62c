"""The bar of a long run: on stderr where that is a terminal, in the cell of a notebook where it is asked for."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from typing import TYPE_CHECKING, Any

from bess_opt.common.progress import Progress, ShowProgress, Stretch
from bess_opt.common.wording import number

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress


def told_line(event: Progress) -> str:
    """Best and bound of an event in words; empty where it has neither."""
    parts = [] if event.best is None else [f"best {number(event.best)}"]
    if event.bound is not None:
        parts.append(f"bound {number(event.bound)}")
    return ", ".join(parts)


@contextmanager
def followed(progress: ShowProgress, doing: str) -> Iterator[Stretch]:
    """A run as a `Stretch`, followed by whom `progress` names: a callable, a bar, or nobody.

    None is a bar where stderr is a terminal and nothing elsewhere; in a notebook True draws it in the cell.
    """
    if isinstance(progress, Stretch):
        yield progress
        return
    if callable(progress):
        yield from _whole(Stretch(progress), doing)
        return
    if progress is False or (progress is None and not sys.stderr.isatty()):
        yield Stretch()
        return
    shown = _notebook()
    if shown is not None:
        yield from _whole(Stretch(shown), doing)
        return
    with terminal_bar() as bar:
        yield from _whole(Stretch(BarLine(bar, doing)), doing)


def _whole(run: Stretch, doing: str) -> Iterator[Stretch]:
    """The run told from its beginning to its end."""
    run.tell(0.0, doing)
    yield run
    if not run.cancelled:
        run.tell(1.0)


def terminal_bar() -> RichProgress:
    """An empty bar on stderr with share, best, bound and time left, which clears itself on a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress
    from rich.table import Column

    console = Console(stderr=True, markup=False, emoji=False, highlight=False)
    text = TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis"))
    told = TextColumn("{task.fields[told]}", markup=False, table_column=Column(no_wrap=True))
    columns = (text, BarColumn(24), TaskProgressColumn(), told, TimeRemainingColumn())
    return RichProgress(*columns, console=console, transient=console.is_terminal)


class BarLine:
    """One line of a bar, moved by what it is told; it runs to and fro until a first share is known."""

    def __init__(self, bar: RichProgress, doing: str) -> None:
        self._bar, self._task = bar, bar.add_task(doing, total=None, told="")

    def say(self, doing: str) -> None:
        """A new thing is being done, of which no share is known."""
        self._bar.reset(self._task, total=None, description=doing, told="")

    def __call__(self, event: Progress) -> None:
        """Show how far the run is."""
        total = 1.0 if event.share > 0.0 else None
        self._bar.update(
            self._task, total=total, completed=event.share, description=event.doing, told=told_line(event)
        )


def _notebook() -> _Cell | None:
    """A line in the cell that runs; None outside a notebook."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return None if shell is None or getattr(shell, "kernel", None) is None else _Cell()


class _Cell:
    """A bar below the cell of a notebook, drawn anew with what it is told."""

    def __init__(self) -> None:
        self._shown: Any = None

    def __call__(self, event: Progress) -> None:
        from IPython.display import HTML, display

        left = "" if event.left_s is None else f"{event.left_s:.0f} s left"
        words = ", ".join(part for part in (event.doing, f"{event.share:.0%}", told_line(event), left) if part)
        drawn = HTML(  # type: ignore[no-untyped-call]
            f'<progress max="1" value="{event.share:.3f}"></progress> {escape(words)}'
        )
        if self._shown is None:
            self._shown = display(drawn, display_id=True)  # type: ignore[no-untyped-call]
        else:
            self._shown.update(drawn)
