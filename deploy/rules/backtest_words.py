"""How a backtest is told: a table with bars of time, or JSON."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timezone
from typing import Any

from rich.table import Table

from deploy.rules.backtest import Report, Shift, Span
from streams.contracts.reason import Severity
from streams.storage.explaining import Fired

WIDTH = 20  # of a bar


def shift_table(report: Report, span: Span, zone: timezone, shown: int) -> Table:
    """What differs: when, how bad, and both alerts as bars (`─` in force, `█` changed)."""
    title = f"{min(shown, len(report.shifts))} of {len(report.shifts)} alerts that differ"
    table = Table("what", title=title)
    table.add_column("alert", overflow="fold")
    for head in ("in force", "changed", "time"):
        table.add_column(head, no_wrap=True)
    for one in report.shifts[:shown]:
        bars = "\n".join(_bar(side, span, mark) for side, mark in ((one.old, "─"), (one.new, "█")))
        table.add_row(
            ", ".join(one.what),
            f"{one.one.rule}\n{one.one.subject}",
            _when(one.old, zone),
            _when(one.new, zone),
            bars,
        )
    return table


def summary(report: Report) -> Iterator[str]:
    """The counts, for people."""
    fired = f"{report.old} in force, {report.new} changed"
    yield f"{report.readings:,} readings; alerts that fired: {fired}"
    counts = ", ".join(f"{number} {kind}" for kind, number in report.counts().items())
    yield f"{report.same} the same, {counts}"


def report_json(report: Report, namespace: str, span: Span) -> dict[str, Any]:
    """For programs."""
    return {
        "namespace": namespace,
        "from": _iso(span.since_ms),
        "to": _iso(span.until_ms),
        "readings": report.readings,
        "fired": {"in_force": report.old, "changed": report.new},
        "same": report.same,
        **report.counts(),
        "alerts": [_shift_json(one) for one in report.shifts],
    }


def _shift_json(one: Shift) -> dict[str, Any]:
    def side(fired: Fired | None) -> dict[str, Any] | None:
        if fired is None:
            return None
        ended = None if fired.ended is None else fired.ended.isoformat()
        peak = Severity(fired.peak).name.lower()
        return {"since": fired.since.isoformat(), "ended": ended, "peak": peak}

    named = {"rule": one.one.rule, "subject": one.one.subject, "area": one.one.area}
    return {"what": list(one.what), **named, "in_force": side(one.old), "changed": side(one.new)}


def _when(fired: Fired | None, zone: timezone) -> str:
    if fired is None:
        return "-"
    ended = "open" if fired.ended is None else fired.ended.astimezone(zone).strftime("%H:%M")
    since = fired.since.astimezone(zone).strftime("%m-%d %H:%M:%S")
    return f"{since}\nto {ended}, {Severity(fired.peak).name.lower()}"


def _bar(fired: Fired | None, span: Span, mark: str) -> str:
    if fired is None:
        return "·" * WIDTH
    length = max(1, span.until_ms - span.since_ms)

    def place(moment: datetime | None) -> int:
        at = span.until_ms if moment is None else int(moment.timestamp() * 1000)
        return min(WIDTH, max(0, (at - span.since_ms) * WIDTH // length))

    first = min(place(fired.since), WIDTH - 1)
    last = max(first + 1, place(fired.ended))
    return "·" * first + mark * (last - first) + "·" * (WIDTH - last)


def _iso(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat()
