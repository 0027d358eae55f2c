"""Verification: a replay into a throwaway schema, and our stored results beside the published."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from types import MappingProxyType

from sensors.feeds.account import Account, settle_account
from sensors.feeds.agreement import Agreement
from sensors.feeds.feed import Published
from sensors.feeds.playing import Pace, Watcher, play
from sensors.feeds.published_events import compare_events
from sensors.feeds.published_hours import compare_hours
from sensors.feeds.published_speeds import compare_speeds
from sensors.feeds.published_year import compare_year
from sensors.feeds.replay import Prepared, open_namespace, records
from streams.contracts.reason import NamespaceKind
from streams.errors import Misconfigured
from streams.storage.migrate import drop_namespace
from streams.storage.stored import LedgerSums, StoredRun

Comparison = Callable[[Iterable[Published], StoredRun], Agreement]
COMPARISONS: Mapping[str, Comparison] = MappingProxyType(
    {
        "hour": compare_hours,
        "event": compare_events,
        "speed": compare_speeds,
        "year": compare_year,
    }
)


@dataclass(frozen=True)
class Verdict:
    account: Account
    agreement: Agreement


def verify(
    prepared: Prepared,
    conninfo: str,
    namespace: str,
    watcher: Watcher | None = None,
    *,
    keep: bool = False,
) -> Verdict:
    """Replays, compares and drops the schema again (unless `keep`), whatever happens.

    Raises `Misconfigured` when the files publish nothing to compare with.
    """
    feed = prepared.request.feed
    period = prepared.request.period
    published = [row for row in feed.published(prepared.files) if period.holds(row.start_ms)]
    if not published:
        raise Misconfigured([f"feed {feed.name}: the files publish nothing to compare with"])
    open_namespace(prepared, conninfo, namespace, NamespaceKind.VERIFY)
    try:
        entries = records(prepared, conninfo, namespace)
        play(conninfo, namespace, entries, Pace(None), watcher or Watcher())
        run = StoredRun(conninfo, namespace)
        account = settle_account(feed.source, feed.name, prepared.tally, run, LedgerSums())
        return Verdict(account, compare(published, run))
    finally:
        if not keep:
            drop_namespace(conninfo, namespace)


def compare(published: Iterable[Published], run: StoredRun) -> Agreement:
    """Every kind of published result by its own comparison."""
    found = Agreement()
    ordered = sorted(published, key=lambda row: row.kind)
    for kind, rows in groupby(ordered, key=lambda row: row.kind):
        found.join(COMPARISONS[kind](list(rows), run))
    return found
