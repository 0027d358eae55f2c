"""Progress bars of replays and backfills: how far, how fast, how long still."""

from __future__ import annotations

import time
from collections.abc import Mapping

import structlog

from deploy.bars import Bars
from sensors.feeds.backfill import PATIENCE_S, Backfill, Teller
from sensors.feeds.playing import Watcher
from sensors.feeds.tally import Tally
from streams.storage.connect import Connection
from streams.storage.progress import days_marked
from streams.storage.stored import StoredRun

LOG_EVERY_S = 10.0
POLL_S = 0.2
LOGGER = structlog.get_logger(__name__)


class ReplayProgress(Bars):
    """Shown on a terminal only; `quiet` shows nothing anywhere."""

    def __init__(self, tally: Tally, *, quiet: bool) -> None:
        super().__init__("{task.fields[note]}", quiet=quiet)
        self._tally = tally
        self._begun = time.monotonic()
        self._append = self._progress.add_task("to the log", total=None, note="")
        self._process = self._progress.add_task("processed", total=None, note="", visible=False)

    @property
    def watcher(self) -> Watcher:
        return Watcher(self._appended, self._processed)

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


class BackfillProgress(Bars):
    """A bar on a terminal, a log line now and then elsewhere; `quiet` shows neither."""

    def __init__(self, backfill: Backfill, *, quiet: bool) -> None:
        super().__init__("{task.fields[note]}", quiet=quiet)
        self._backfill = backfill
        self._begun = self._told = time.monotonic()
        self._logs = not quiet and not self._progress.console.is_terminal
        self._append = self._progress.add_task("read and appended", total=backfill.lines, note="")
        self._take = self._progress.add_task("taken in", total=None, note="", visible=False)

    @property
    def teller(self) -> Teller:
        return Teller(self._appended, self._waiting)

    def wait(self, run: StoredRun, watch: Connection, ends: Mapping[int, int]) -> bool:
        """Until the positions have passed these ends and the days touched are rebuilt; false after
        a while without progress."""
        patience = time.monotonic() + PATIENCE_S
        last: tuple[int, int] | None = None
        most = 0
        while time.monotonic() < patience:
            found = run.positions()
            behind = sum(max(0, end - found.get(n, 0)) for n, end in ends.items())
            days = days_marked(watch, ends)
            if not behind and not days:
                return True
            most = max(most, behind + days)
            note = f"{behind:,} records wait, {days:,} days to be rebuilt"
            self._progress.update(
                self._take, total=most, completed=most - behind - days, visible=True, note=note
            )
            self._log("backfill is taken in", records=behind, days=days)
            if (behind, days) != last:
                last, patience = (behind, days), time.monotonic() + PATIENCE_S
            time.sleep(POLL_S)
        return False

    def _appended(self, backfill: Backfill) -> None:
        spent = max(time.monotonic() - self._begun, 1e-3)
        rate = backfill.tally.readings / spent
        note = f"{backfill.tally.rows:,} rows, {rate:,.0f} readings/s"
        self._progress.update(self._append, completed=backfill.reach.lines, note=note)
        left_s = spent * (backfill.lines / max(backfill.reach.lines, 1) - 1)
        self._log(
            "backfill goes on",
            lines=backfill.reach.lines,
            of=backfill.lines,
            readings_s=round(rate),
            left_s=round(left_s),
        )

    def _waiting(self, behind: int) -> None:
        self._progress.update(self._append, note=f"{behind:,} records wait for the workers")
        self._log("backfill waits for the workers", records=behind)

    def _log(self, event: str, **fields: int) -> None:
        if self._logs and time.monotonic() - self._told >= LOG_EVERY_S:
            self._told = time.monotonic()
            LOGGER.info(event, **fields)
