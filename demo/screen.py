"""What the demo shows: steps and tables on any terminal, a progress bar on a real one, and the same as a text file."""

import io
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

WIDTH = 124
PARTS = 4
"""Without a terminal a long step says how far it is so many times."""

Cell = str | int | Decimal | None


class Screen:
    """Where everything is said; threads may share it."""

    def __init__(self) -> None:
        live = Console()
        self._console = live if live.is_terminal else Console(width=WIDTH, soft_wrap=True)
        self._text = Console(width=WIDTH, file=io.StringIO(), record=True)

    def title(self, words: str) -> None:
        """The head of a chapter."""
        self._both("")
        self._both(f"[bold]{escape(words)}[/bold]")

    def say(self, words: str) -> None:
        """One line that matters only now."""
        self._console.print(f"  [dim]{escape(words)}[/dim]", highlight=False)

    def tell(self, words: str) -> None:
        """One line that is worth keeping."""
        self._both(f"  {escape(words)}")

    def verdict(self, words: str, *, good: bool) -> None:
        """Whether something holds."""
        mark = "[green]holds[/green]" if good else "[bold red]FAILS[/bold red]"
        self._both(f"  {mark}  {escape(words)}")

    def table(self, title: str, header: Sequence[str], rows: Sequence[Sequence[Cell]], *, totals: bool = False) -> None:
        """Numbers to the right, the last row apart when it has the totals."""
        table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, show_edge=False)
        numeric = [any(isinstance(row[at], Decimal | int) for row in rows) for at in range(len(header))]
        for at, name in enumerate(header):
            # The label in front may lose its end where the screen is narrow; a figure never.
            least = max(len(name), *(len(shown(row[at])) for row in rows)) if at else None
            table.add_column(name, justify="right" if numeric[at] else "left", no_wrap=True, min_width=least)
        for number, row in enumerate(rows):
            before_totals = totals and number == len(rows) - 2
            table.add_row(*[escape(shown(cell)) for cell in row], end_section=before_totals)
        self._both("")
        self._both(table)

    @contextmanager
    def steps(self, words: str, total: int) -> Iterator["Steps"]:
        """A bar that fills, or without a terminal a line now and then."""
        if not self._console.is_terminal:
            yield Steps(words, total, self)
            return
        columns = (TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self._console) as progress:
            yield Steps(words, total, self, progress)

    def keep(self, file: Path) -> None:
        """Everything that was worth keeping, as plain text."""
        file.write_text(self._text.export_text(), encoding="utf-8")

    def _both(self, what: str | Table) -> None:
        """Never narrower than the tables: a small window wraps lines, but no figure is cut off."""
        for console in (self._console, self._text):
            console.print(what, highlight=False, width=max(console.width, WIDTH), crop=False, overflow="ignore")


class Steps:
    """How far a long step is."""

    def __init__(self, words: str, total: int, screen: Screen, progress: Progress | None = None) -> None:
        self._words, self._total, self._screen, self._progress = words, total, screen, progress
        self._lock = threading.Lock()
        self._done = 0
        self._task: TaskID | None = progress.add_task(words, total=total) if progress else None

    def advance(self) -> None:
        """One more is done."""
        with self._lock:
            self._done += 1
            if self._progress and self._task is not None:
                self._progress.advance(self._task)
            elif self._done == self._total or self._done % max(self._total // PARTS, 1) == 0:
                self._screen.say(f"{self._words}: {self._done} of {self._total}")


def shown(cell: Cell) -> str:
    """A cell as people read it."""
    if cell is None:
        return ""
    return f"{cell:,}" if isinstance(cell, int | Decimal) else cell
