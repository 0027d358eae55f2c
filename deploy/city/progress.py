"""Tells how a play goes: a bar on a terminal, a log line now and then otherwise."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from types import TracebackType

import structlog
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from sensors.simulation.play import Played

LOGGER = structlog.get_logger(__name__)
SHANGHAI = timezone(timedelta(hours=8))
LOG_EVERY_S = 10.0


class Reporter:
    """Use as a context; `tell` may be called as often as one likes."""

    def __init__(self, scenario: str, start_ms: int, end_ms: int) -> None:
        self._scenario = scenario
        self._start_ms = start_ms
        self._bar: Progress | None = None
        self._begun = self._told = time.monotonic()
        self._played: Played | None = None
        console = Console(stderr=True)
        if console.is_terminal:
            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.fields[moment]}  {task.fields[readings]:,} readings"),
                TimeElapsedColumn(),
                console=console,
            )
            self._task = self._bar.add_task(
                scenario, total=end_ms - start_ms, moment="", readings=0
            )

    def __enter__(self) -> Reporter:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
        if self._played is not None:
            self._log("simulation ended", self._played)

    def tell(self, played: Played) -> None:
        """Shows how far the play is."""
        self._played = played
        if self._bar is not None:
            done = played.now_ms - self._start_ms
            moment = _moment(played.now_ms)
            self._bar.update(self._task, completed=done, moment=moment, readings=played.readings)
        elif time.monotonic() - self._told >= LOG_EVERY_S:
            self._told = time.monotonic()
            self._log("simulation goes on", played)

    def stalled(self, waiting: bool) -> None:
        """Says once that the play waits for a worker, and once that it goes on."""
        LOGGER.warning(
            "the play waits for a worker of its namespace" if waiting else "the worker follows",
            scenario=self._scenario,
        )

    def _log(self, event: str, played: Played) -> None:
        LOGGER.info(
            event,
            scenario=self._scenario,
            moment=_moment(played.now_ms),
            readings=played.readings,
            records=played.records,
            skipped=played.skipped,
            waited_s=round(played.waited_s, 1),
            elapsed_s=round(time.monotonic() - self._begun, 1),
        )


def _moment(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, SHANGHAI).strftime("%Y-%m-%d %H:%M")
