"""A progress bar for replays: records appended, then processed, with readings a second."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from sensors.feeds.playing import Watcher
from sensors.feeds.tally import Tally


class ReplayProgress:
    """Shown on a terminal only; `quiet` shows nothing anywhere."""

    def __init__(self, tally: Tally, *, quiet: bool) -> None:
        self._tally = tally
        self._begun = time.monotonic()
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            disable=quiet or not Console(stderr=True).is_terminal,
        )
        self._append = self._progress.add_task("to the log", total=None, note="")
        self._process = self._progress.add_task("processed", total=None, note="", visible=False)

    @property
    def watcher(self) -> Watcher:
        return Watcher(self._appended, self._processed)

    def __enter__(self) -> ReplayProgress:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def _appended(self, records: int) -> None:
        note = f"{self._tally.rows:,} rows, {records:,} records"
        self._progress.update(self._append, completed=records, note=note)

    def _processed(self, done: int, total: int) -> None:
        spent = max(time.monotonic() - self._begun, 1e-3)
        share = done / max(total, 1)
        rate = self._tally.readings * share / spent
        self._progress.update(
            self._process,
            completed=done,
            total=total,
            visible=True,
            note=f"{rate:,.0f} readings/s",
        )
