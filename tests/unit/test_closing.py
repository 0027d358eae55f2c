"""Alerts closed by hand: what ends, what is told, and when the same water may speak again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from streams.catalog import Profile
from streams.contracts.closing import Close, Ending, Verdict, decode_close, encode_close
from streams.contracts.codec import decode
from streams.contracts.frame import JSON, Record
from streams.contracts.reason import AlertState, Change, Reason, Severity
from streams.errors import InvalidEvent
from tests.support.timeline import COUNTY, Timeline, moment

CLOSE = Close(
    COUNTY, "9f2c", "p1", False, Severity.ORANGE, 3, "account:wang", Ending.FALSE_ALARM, "清洗", 5
)


def flooded(metres: float = 0.31) -> Timeline:
    """Orange (or worse) since 10:01."""
    city = Timeline()
    for minute in (0, 1):
        city.depth(f"10:{minute:02d}", p0=metres)
    return city


def test_a_close_ends_the_alert_and_says_who_how_and_why() -> None:
    city = flooded()
    outcome = city.close(city.of()[-1], Ending.FALSE_ALARM)
    (ended,) = outcome.transitions
    assert (ended.state, ended.change) == (AlertState.RESOLVED, Change.CLOSED)
    assert (ended.severity, ended.value, ended.sequence) == (Severity.ORANGE, None, 4)
    assert ended.evidence == {"by": "account:wang", "as": "false_alarm", "reason": "drained"}
    assert ended.position == outcome.next_offset - 1
    assert ended.event_ms == ended.decided_ms == moment("10:01:01"), "no time of a person's clock"
    assert [(c.alert, c.number, c.verdict) for c in outcome.closed] == [
        (ended.alert, 1, Verdict.CLOSED)
    ]
    assert outcome.risks[COUNTY].severity is Severity.NONE


def test_the_same_water_raises_nothing_while_it_stands_or_falls() -> None:
    city = flooded()
    city.close(city.of()[-1])
    for minute, metres in ((2, 0.31), (3, 0.45), (4, 0.31), (5, 0.2), (6, 0.31), (7, 0.31)):
        city.depth(f"10:{minute:02d}", p0=metres)
    assert len(city.of()) == 4


def test_once_it_would_have_ended_by_itself_the_next_water_is_a_new_alert() -> None:
    city = flooded()
    closed = city.of()[-1]
    city.close(closed)
    for minute in range(2, 16):
        city.depth(f"10:{minute:02d}", p0=0.0)
    city.depth("10:16", p0=0.31)
    city.depth("10:17", p0=0.31)
    assert city.story()[4:] == [
        "10:16:00 onset orange",
        "10:16:00 confirmed blue",
        "10:17:00 raised orange",
    ]
    assert city.of()[-1].alert != closed.alert


def test_a_rise_above_what_the_person_saw_is_a_new_alert_at_once() -> None:
    city = flooded()
    closed = city.of()[-1]
    city.close(closed)
    city.depth("10:02", p0=0.52)
    city.depth("10:03", p0=0.52)
    assert city.story()[4:] == ["10:03:00 onset red", "10:03:00 confirmed red"]
    onset, red = city.of()[-2:]
    assert onset.alert == red.alert != closed.alert
    assert [t.sequence for t in (onset, red)] == [1, 2]
    assert red.onset_ms == moment("10:03")
    for minute in range(4, 16):
        city.depth(f"10:{minute:02d}", p0=0.0)
    assert city.story()[-1] == "10:14:00 cleared red", "from then on it lives as any alert"


def test_a_close_of_less_than_the_alert_is_by_now_does_not_hold() -> None:
    """An operator closes yellow while the water rises to red: nobody has seen that."""
    city = flooded(0.52)
    outcome = city.close(city.of()[-1], seen=Severity.YELLOW)
    assert outcome.transitions == []
    assert [c.verdict for c in outcome.closed] == [Verdict.RISEN]
    assert city.close(city.of()[-1], number=2).transitions


def test_a_close_of_what_has_ended_or_never_was_is_harmless() -> None:
    city = flooded()
    alert = city.of()[-1]
    city.close(alert)
    again = city.close(alert)
    unknown = city.close(replace(alert, alert="nobody"))
    assert again.transitions == unknown.transitions == []
    assert [c.verdict for o in (again, unknown) for c in o.closed] == [Verdict.NOT_OPEN] * 2


def test_a_pending_alert_that_was_closed_confirms_nothing() -> None:
    city = Timeline()
    city.depth("10:00", p0=0.16)
    city.close(city.of()[-1])
    assert city.story() == ["10:00:00 onset blue", "10:00:01 closed none"]
    city.depth("10:01", p0=0.16)
    assert len(city.story()) == 2
    city.depth("10:02", p0=0.31)
    city.depth("10:03", p0=0.31)
    assert city.story()[2:] == ["10:03:00 onset orange", "10:03:00 confirmed orange"]


def test_silence_keeps_it_closed_for_some_hours_only() -> None:
    for back, told in (("15:00", 4), ("16:30", 6)):
        city = flooded()
        city.close(city.of()[-1])
        city.tick("11:00")
        assert len(city.of()) == 4, "a closed alert does not become stale"
        city.depth(back, p0=0.31)
        assert len(city.of()) == told, back


def test_the_hours_are_the_profiles() -> None:
    city = flooded()
    city.use(Profile("short", {"alert.closed_silent_s": "600"}))
    city.close(city.of()[-1])
    city.tick("11:00")
    city.depth("11:01", p0=0.31)
    assert city.story()[-2:] == ["11:01:00 onset orange", "11:01:00 confirmed blue"]


def test_a_malformed_close_goes_to_the_dead_letters() -> None:
    headers, body = encode_close(CLOSE)
    city = flooded()
    for broken, reason in (
        (body[:-2], Reason.MALFORMED),
        (body.replace(b'"severity":3', b'"severity":7'), Reason.WRONG_TYPE),
        (body.replace(b"false_alarm", b"cancelled"), Reason.WRONG_TYPE),
        (body.replace(b'"by"', b'"who"'), Reason.WRONG_TYPE),
    ):
        outcome = city._process((headers, broken), 0)
        (letter,) = outcome.dead_letters
        assert (letter.reason, letter.content) == (reason, broken)
    lost = {k: v for k, v in headers.items() if k != "ce_subject"}
    assert city._process((lost, body), 0).dead_letters[0].reason is Reason.BAD_HEADERS
    elsewhere = headers | {"ce_subject": "330999"}
    assert city._process((elsewhere, body), 0).dead_letters[0].reason is Reason.UNKNOWN_AREA


def test_a_close_survives_the_wire() -> None:
    headers, body = encode_close(CLOSE)
    assert headers["content-type"] == JSON
    assert decode(Record(1, 2, headers, body)) == CLOSE


@pytest.mark.parametrize(
    "wrong",
    [
        replace(CLOSE, by=""),
        replace(CLOSE, severity=Severity.NONE),
        replace(CLOSE, number=0),
        replace(CLOSE, reason="x" * 2001),
        replace(CLOSE, alert="a\nb"),
    ],
)
def test_nobody_writes_what_cannot_be_read(wrong: Close) -> None:
    with pytest.raises(ValueError, match="no close"):
        encode_close(wrong)


def test_decode_raises_nothing_else() -> None:
    from streams.contracts.cloudevents import read

    headers, _ = encode_close(CLOSE)
    for content in (b"", b"[]", b"null", b"\xff", b"[" * 2000):
        with pytest.raises(InvalidEvent):
            decode_close(read(headers, content), 5)
