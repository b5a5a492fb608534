"""How far a long command is: a bar on a terminal; elsewhere (a log, a pipe) a line for each step."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich import progress as bars
from rich.console import Console

EVERY = 10.0
"""Seconds after which a step that goes on has another line."""


class Progress:
    """Says it to standard error, for standard output is for what was found."""

    def __init__(self, total: int, bar: bars.Progress | None) -> None:
        self._total = total
        self._bar = bar
        self._began = self._said_at = time.monotonic()
        self._done = -1
        self._said = ""
        if bar is not None:
            bar.add_task("starting", total=total)

    def __call__(self, what: str, done: int | None = None) -> None:
        """What is done now. `done` is how much of the total is done; without it, one more than at the last call."""
        self._done = self._done + 1 if done is None else done
        self.meanwhile(what)

    def meanwhile(self, what: str) -> None:
        """What is done now, and is not in the total."""
        done = max(0, self._done)
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], description=what, completed=done)
            return
        now = time.monotonic()
        if what != self._said or now - self._said_at >= EVERY:
            minutes, seconds = divmod(int(now - self._began), 60)
            typer.echo(f"{minutes:02}:{seconds:02}  {done:,}/{self._total:,}  {what}", err=True)
            self._said, self._said_at = what, now


@contextmanager
def progressing(total: int) -> Iterator[Progress]:
    """The progress of what this block does, in so many steps."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield Progress(total, None)
        return
    columns = bars.TextColumn("{task.description}"), bars.BarColumn(), bars.MofNCompleteColumn()
    # Drawn seldom, since the load generator of a bench is in this process.
    with bars.Progress(
        *columns, bars.TimeElapsedColumn(), console=console, transient=True, refresh_per_second=1
    ) as bar:
        yield Progress(total, bar)
