"""When people are told of an incident, and what they read."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from api.delivery.event import Event
from api.delivery.incident_wording import ToldIncident, incident_letter
from api.delivery.line import Item
from api.delivery.subscription import Language
from api.delivery.telling import ALONE_S, Before, IncidentNow, Known, Word, plan_telling
from api.delivery.wording import Names
from streams.alerting.title import RuleTitles
from streams.domains import find_domains

NOW, DIGEST = 10_000.0, 600.0
BEGAN = datetime(2026, 7, 1, 2, 0, tzinfo=UTC)
FLOOD = IncidentNow(
    "i", "Actual", "waterlogging", "330106", BEGAN, 3, 3, [0, 0, 14, 3, 0], 17, 1, 3, over=False
)
NAMES = Names(
    {"330106": ("西湖区", "Xihu")},
    {"wl-1": "文三路下穿"},
    RuleTitles(find_domains()),
    {"waterlogging": ("城市内涝", "Urban waterlogging")},
)


def event(alert: str = "a", number: int = 0, **given: Any) -> Event:
    content = {
        "rule": "waterlogging.depth", "rule_version": "1", "point": "wl-1",
        "subject": "wl-1", "state": "firing",
        "severity": 3, "change": "raised", "value": "0.312", "threshold": "0.27", "unit": "m",
        "unverified": False, "stale": False, "origin": "live", "event_ms": 1_726_467_060_000,
    }  # fmt: skip
    return Event(number, alert, "330106", "Actual", True, content | given)


def item(alert: str = "a", number: int = 0, **given: Any) -> Item:
    return Item(event(alert, number, **given), NOW)


def known(incident: IncidentNow = FLOOD, before: Before | None = None, **given: Any) -> Known:
    told = {} if before is None else {"i": before}
    return replace(Known(99, {"a": "i", "b": "i"}, {"i": incident}, told), **given)


def word(state: Known, *items: Item, now: float = NOW) -> Word | None:
    return plan_telling(items or (item(),), state, now, DIGEST).words.get("i")


def test_it_is_told_when_it_opens_becomes_worse_and_is_over_and_else_now_and_then() -> None:
    assert word(known()) is Word.OPENED
    told = Before(3, NOW - 10, over=False)
    assert word(known(before=told)) is None
    red = replace(FLOOD, severity=4, peak=4)
    assert word(known(red, told), item(severity=4)) is Word.RAISED
    assert word(known(red, Before(4, NOW - 10, over=False)), item(severity=4)) is None
    assert word(known(before=told), now=NOW + DIGEST) is Word.CHANGED
    assert word(known(replace(FLOOD, over=True))) is Word.OVER, "it came and went before"
    assert word(known(replace(FLOOD, over=True), told)) is None, "told apart, also without an item"


def test_what_is_not_told_now_waits_for_the_next_message() -> None:
    told = Before(3, NOW - 10, over=False)
    found = plan_telling([item("a", 1), item("b", 2)], known(before=told), NOW, DIGEST)
    assert not found.tell
    assert [until for _, until in found.later] == [told.at_s + DIGEST] * 2


def test_one_that_is_worse_takes_the_others_with_it() -> None:
    told = Before(3, NOW - 10, over=False)
    red = replace(FLOOD, severity=4)
    found = plan_telling([item("a"), item("b", 1, severity=4)], known(red, told), NOW, DIGEST)
    assert [each.event.alert for each in found.tell] == ["a", "b"]


def test_what_a_message_told_already_is_not_told_again() -> None:
    told = Before(3, NOW - DIGEST, over=False, upto=7)
    found = plan_telling([item("a", 7), item("b", 8)], known(before=told), NOW, DIGEST)
    assert [each.event.alert for each in found.needless] == ["a"]
    assert [each.event.alert for each in found.tell] == ["b"]


def test_what_people_or_stages_have_hidden_is_not_told() -> None:
    silenced = plan_telling([item()], known(quiet=frozenset("a")), NOW, DIGEST)
    hidden = plan_telling([item(suppressed_by="parent")], known(), NOW, DIGEST)
    for found in (silenced, hidden):
        assert (list(found.tell), len(found.needless)) == ([], 1)


def test_nobody_waits_long_for_a_grouping_that_is_dead() -> None:
    waiting = known(upto=-1, incident_of={})
    assert plan_telling([item()], waiting, NOW, DIGEST).later
    found = plan_telling([item()], waiting, NOW + ALONE_S, DIGEST)
    assert len(found.tell) == 1
    assert not found.words


def test_an_alert_that_never_fired_is_not_told() -> None:
    found = plan_telling([item()], known(incident_of={}), NOW, DIGEST)
    assert len(found.needless) == 1


def letter(*told: ToldIncident, language: Language = Language.ZH) -> list[str]:
    found = incident_letter(told, [], language, NAMES, lambda _: False)
    return [found.subject, *found.lines]


def test_an_incident_says_how_many_and_the_worst() -> None:
    worst = (event("a"), event("b"))
    subject, head, first, _ = letter(ToldIncident(FLOOD, Word.OPENED, worst))
    assert subject == "橙色 城市内涝 西湖区：新发事件，预警 21 条"
    assert head == (
        f"{subject}；未解除 17（橙 3、黄 14）；隐去 1；已结束 3；最高 橙；2026-07-01 10:00 起；"
        "来源：实时监测"
    )
    assert first.startswith("橙色 积水深度 西湖区 文三路下穿；升级")
    english = letter(ToldIncident(FLOOD, Word.RAISED, worst), language=Language.EN)
    assert english[1].startswith(
        "orange Urban waterlogging Xihu: more severe, 21 alerts; 17 open (3 orange, 14 yellow);"
    )


def test_the_end_names_the_worst_that_it_was() -> None:
    over = replace(FLOOD, severity=0, peak=4, by_severity=[0] * 5, open=0, hidden=0, over=True)
    subject, head = letter(ToldIncident(over, Word.OVER))
    assert subject == "解除 城市内涝 西湖区：事件结束，预警 3 条"
    assert "最高 红" in head


def test_an_exercise_is_marked_in_subject_and_lines() -> None:
    drill = replace(FLOOD, status="Exercise")
    worst = replace_status(event(), "Exercise")
    assert all(
        line.startswith("【演练】") for line in letter(ToldIncident(drill, Word.OPENED, (worst,)))
    )


def replace_status(told: Event, status: str) -> Event:
    return Event(told.sequence, told.alert, told.area, status, told.notify, told.content)


def test_a_province_under_water_is_one_screen() -> None:
    told = [
        ToldIncident(replace(FLOOD, id=str(n), severity=n % 4 + 1), Word.OPENED) for n in range(90)
    ]
    found = incident_letter(told, [], Language.EN, NAMES, lambda _: False)
    text = found.text(100_000, Language.EN).splitlines()
    assert len(text) == 31
    assert text[-1] == "… and 60 more: 14 orange, 23 yellow, 23 blue"
    assert text[0].startswith("red ")
