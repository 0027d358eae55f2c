"""The progress bar of a backtest, on a terminal only."""

from __future__ import annotations

from rich.progress import TaskID

from deploy.bars import Bars


class BacktestProgress(Bars):
    """One bar for each thing that is done, in its order."""

    def __init__(self, *, quiet: bool) -> None:
        super().__init__("{task.completed:,.0f} of {task.total:,.0f}", quiet=quiet)
        self._tasks: dict[str, TaskID] = {}

    def told(self, what: str, done: int, total: int) -> None:
        """So much of it is done."""
        if what not in self._tasks:
            self._tasks[what] = self._progress.add_task(what, total=total)
        self._progress.update(self._tasks[what], completed=done, total=total)
