"""How far a study is: a bar on stderr."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text


class Rate(ProgressColumn):
    """Rows per second."""

    def render(self, task: Task) -> Text:
        """The rate as text, empty while there is none."""
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:.3g}/s")


@contextmanager
def show_progress(
    wanted: bool | None, total: int | None, finished: Callable[[], int]
) -> Iterator[Callable[[], None]]:
    """A bar on stderr with rate and time left; the block calls what it gets after each row."""
    console = Console(stderr=True)
    shown = console.is_terminal if wanted is None else wanted
    columns = (TextColumn("scenarios"), BarColumn(), MofNCompleteColumn(), Rate(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not shown) as bar:
        task = bar.add_task("scenarios", total=total)
        yield lambda: bar.update(task, completed=finished())
