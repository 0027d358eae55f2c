"""The closing account of a replay: from the lines of the files to the ledger of the store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sensors.feeds.tally import Tally
from streams.storage.stored import LedgerSums, StoredRun


@dataclass(frozen=True)
class Account:
    """`ledger` is None when nothing was processed (a dry run, a backfill still waiting)."""

    feed: str
    namespace: str | None
    tally: Tally
    ledger: LedgerSums | None
    rejected: Mapping[str, int]
    quarantined: Mapping[str, int]

    @property
    def complete(self) -> bool:
        """Every reading sent was received, and the ledger's law holds."""
        return self.ledger is None or (
            self.ledger.closes() and self.ledger.received == self.tally.readings
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "feed": self.feed,
            "namespace": self.namespace,
            "files": self.tally.to_dict(),
            "ledger": None if self.ledger is None else asdict(self.ledger),
            "rejected_by_reason": dict(self.rejected),
            "quarantined_by_reason": dict(self.quarantined),
            "law_holds": None if self.ledger is None else self.ledger.closes(),
            "every_reading_received": None
            if self.ledger is None
            else self.ledger.received == self.tally.readings,
        }

    def lines(self) -> list[tuple[str, str]]:
        """(what, how much) for people."""
        tally = self.tally
        found = [
            ("lines read", f"{tally.lines:,}"),
            ("rows in the period", f"{tally.rows:,} ({tally.outside:,} outside it)"),
            ("values marked missing", f"{tally.missing:,}"),
            ("lines refused", f"{tally.refused_lines:,}"),
        ]
        for fault, refused in sorted(tally.refused.items()):
            found.append((f"  {fault}", f"{refused.count:,}: {'; '.join(refused.first)}"))
        found += [
            ("readings sent", f"{tally.readings:,} ({tally.copies:,} copies)"),
            ("frames", f"{tally.frames:,}"),
        ]
        return found + self._ledger_lines()

    def _ledger_lines(self) -> list[tuple[str, str]]:
        if self.ledger is None:
            return [("ledger", "not processed")]
        ledger = self.ledger
        held = "holds" if self.complete else "DOES NOT HOLD"
        return [
            ("received", f"{ledger.received:,}"),
            ("= rejected", f"{ledger.rejected:,}{_reasons(self.rejected)}"),
            ("+ quarantined", f"{ledger.quarantined:,}{_reasons(self.quarantined)}"),
            ("+ duplicate", f"{ledger.duplicate:,}"),
            ("+ stored", f"{ledger.stored:,} = {ledger.on_time:,} on time + {ledger.late:,} late"),
            ("revisions among them", f"{ledger.revised:,}"),
            ("the law of the ledger", held),
        ]


def settle_account(
    feed_source: str, feed: str, tally: Tally, run: StoredRun, before: LedgerSums
) -> Account:
    """The account of what came since `before`; reasons are those of the source in the namespace."""
    return Account(
        feed,
        run.namespace,
        tally,
        run.ledger(feed_source).since(before),
        run.rejected(feed_source),
        run.quarantined(feed_source),
    )


def _reasons(counts: Mapping[str, int]) -> str:
    if not counts:
        return ""
    return " (" + ", ".join(f"{reason} {count:,}" for reason, count in counts.items()) + ")"
