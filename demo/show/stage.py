"""The display while the story plays: one line a step, with a bar where it takes time."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn


class Step:
    """A step under way: `total` and `advance` move the bar, `say` sets what stands there afterwards."""

    def __init__(self, progress: Progress, title: str) -> None:
        self._progress = progress
        self._task = progress.add_task(title, total=None)
        self.outcome = ""

    def total(self, count: int) -> None:
        """How many things there are to do in all."""
        current = self._progress.tasks[0]
        self._progress.update(self._task, total=(current.total or 0) + count)

    def advance(self) -> None:
        """One of them is done."""
        self._progress.advance(self._task)

    def say(self, outcome: str) -> None:
        """The result, for the line that stays."""
        self.outcome = outcome


class Stage:
    """Where the demo is shown."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def chapter(self, title: str) -> None:
        """A heading over the steps that follow."""
        self.console.print(f"\n[bold]{title}[/bold]")

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Shows the step while it runs, then one line with its outcome and how long it took."""
        started = time.monotonic()
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
        )
        # Where nobody watches, a bar would only leave empty lines in a log.
        quiet = not self.console.is_terminal
        with Progress(*columns, console=self.console, transient=True, disable=quiet) as progress:
            step = Step(progress, title)
            yield step
        took = f"{time.monotonic() - started:.1f} s"
        self.console.print(f"  [green]✓[/green] {title}: {step.outcome} [dim]({took})[/dim]", highlight=False)
