"""Alerts of a city and of a gateway, closed by hand: the close comes through an area's log."""

from __future__ import annotations

import msgspec

from streams.contracts.closing import Close, Ending, Verdict
from streams.contracts.domain import HOUR_MS, day_start
from streams.contracts.outcome import RegionMessage, Transition
from streams.contracts.reason import AlertState, Change, Severity
from tests.support.region_bench import Bench
from tests.support.timeline import COUNTY, Timeline
from tests.support.toy_level import COUNTIES, partial, silence, watermark

A, B, C = COUNTIES
T0 = day_start(1_700_000_000_000)
H = HOUR_MS


def close_of(alert: Transition, seen: Severity) -> Close:
    return Close(
        A, alert.alert, alert.subject, True, seen, 1, "account:wang",
        Ending.CLOSED_BY_HAND, "switched over",
    )  # fmt: skip


def told(close: Close, proc_ms: int) -> RegionMessage:
    payload = msgspec.to_builtins(close)
    return RegionMessage(A, 9, proc_ms, "close", "", "", 0, payload, "closed", 77)


def hour(bench: Bench, number: int, high: int) -> list[Transition]:
    start = T0 + number * H
    return bench.apply(
        partial(A, start + H, start, [high]), watermark(A, start + H, start + H)
    ).transitions


def test_a_city_alert_ends_and_only_a_worse_hour_begins_another() -> None:
    bench = Bench()
    alert = hour(bench, 0, 600)[-1]
    result = bench.apply(told(close_of(alert, Severity.BLUE), T0 + H + 60_000))
    (ended,) = result.transitions
    assert (ended.alert, ended.change, ended.state) == (
        alert.alert, Change.CLOSED, AlertState.RESOLVED,
    )  # fmt: skip
    assert ended.evidence["reason"] == "switched over"
    (answer,) = result.closed
    assert (answer.verdict, answer.area, answer.position) == (Verdict.CLOSED, "330100", 77)
    assert hour(bench, 1, 600) == []
    found = hour(bench, 2, 950)
    assert [(t.change, t.severity) for t in found] == [
        (Change.ONSET, Severity.RED),
        (Change.CONFIRMED, Severity.RED),
    ]
    assert found[0].alert != alert.alert


def test_a_gateway_that_was_closed_is_told_again_only_after_it_spoke() -> None:
    bench = Bench()
    bench.apply(silence(A, T0, 3, 3), silence(B, T0, 3, 3))
    alert = bench.apply(silence(C, T0 + 60_000, 3, 3)).transitions[-1]
    assert bench.apply(told(close_of(alert, alert.severity), T0 + 61_000)).transitions
    assert bench.apply(silence(B, T0 + 70_000, 2, 3)).transitions == []
    assert bench.apply(silence(B, T0 + 90_000, 0, 3, speaking=True)).transitions == []
    assert bench.apply(silence(C, T0 + 91_000, 0, 3, speaking=True)).transitions == []
    bench.apply(silence(A, T0 + H, 3, 3), silence(B, T0 + H, 3, 3))
    again = bench.apply(silence(C, T0 + H + 60_000, 3, 3)).transitions
    assert [t.change for t in again] == [Change.ONSET, Change.CONFIRMED]


def test_what_is_not_open_there_is_answered_so() -> None:
    bench = Bench()
    alert = hour(bench, 0, 600)[-1]
    hour(bench, 1, 10)
    result = bench.apply(told(close_of(alert, Severity.BLUE), T0 + 3 * H))
    assert result.transitions == []
    assert [c.verdict for c in result.closed] == [Verdict.NOT_OPEN]


def test_the_area_that_carries_it_hands_it_on() -> None:
    city = Timeline()
    for minute in (0, 1):
        city.depth(f"10:{minute:02d}", p0=0.31)
    outcome = city.close(city.of()[-1], region=True)
    assert outcome.transitions == []
    assert outcome.closed == []
    (message,) = [m for m in outcome.region if m.kind == "close"]
    assert message.area == COUNTY
    assert msgspec.convert(message.payload, Close).alert == city.of()[-1].alert
