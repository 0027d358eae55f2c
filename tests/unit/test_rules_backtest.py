"""How two runs of one stretch of time compare, and how that is shown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from deploy.rules.backtest import Span, compare
from deploy.rules.backtest_words import report_json, shift_table, summary
from deploy.rules.picture import Line, chart
from streams.storage.explaining import Fired

NOON = datetime(2026, 8, 17, 12, tzinfo=UTC)
NOON_MS = int(NOON.timestamp() * 1000)
SPAN = Span(NOON_MS, NOON_MS + 3_600_000, 0)


def fired(since: int, ended: int | None, peak: int = 1, subject: str = "p") -> Fired:
    """Minutes after noon."""
    end = None if ended is None else NOON + timedelta(minutes=ended)
    return Fired(
        "waterlogging.depth", subject, "330106", NOON + timedelta(minutes=since), end, peak
    )


def test_the_same_alerts_are_the_same() -> None:
    report = compare([fired(0, 10)], [fired(0, 12)], SPAN, 5)
    assert (report.same, report.shifts) == (1, [])


def test_every_kind_of_difference_is_told_once() -> None:
    old = [fired(0, 10), fired(20, 30, subject="late"), fired(0, 9, subject="lost")]
    new = [fired(2, 10, 3), fired(15, 30, subject="late"), fired(1, None, subject="new")]
    report = compare(old, new, SPAN, 5)
    told = {one.one.subject: one.what for one in report.shifts}
    assert told == {
        "p": ("later", "severity"),
        "late": ("earlier",),
        "lost": ("lost",),
        "new": ("gained",),
    }
    assert report.counts() == {"gained": 1, "lost": 1, "earlier": 1, "later": 1, "severity": 1}


def test_alerts_that_do_not_overlap_are_two() -> None:
    report = compare([fired(0, 10)], [fired(11, 20)], SPAN, 5)
    assert [one.what for one in report.shifts] == [("lost",), ("gained",)]


def test_what_was_over_before_the_span_does_not_count() -> None:
    report = compare([fired(-30, -10)], [], SPAN, 5)
    assert (report.old, report.shifts) == (0, [])


def test_it_is_told_as_words_table_and_json() -> None:
    report = compare([], [fired(0, 30, 4)], SPAN, 5)
    assert "1 gained, 0 lost" in "\n".join(summary(report))
    table = shift_table(report, SPAN, UTC, 10)
    bars = str(next(iter(table.columns[4].cells)))
    assert bars.splitlines()[1] == "█" * 10 + "·" * 10
    said = report_json(report, "citybrain", SPAN)
    assert said["gained"] == 1
    assert said["alerts"][0]["changed"]["peak"] == "red"


def test_a_chart_shows_values_thresholds_and_changes() -> None:
    picture = "\n".join(chart([(0, 0.0), (50, 10.0), (100, 0.0)], [Line("blue", 5)], [50]))
    assert picture.count("•") == 3
    assert "┄ blue 5" in picture
    assert picture.splitlines()[-1].strip() == "↑"
