"""What people read, and what robots answer."""

from __future__ import annotations

from typing import Any

import pytest

from api.delivery.chat import dingtalk_signature, judge
from api.delivery.city_clock import CityClock, Reading
from api.delivery.event import Event
from api.delivery.missing import Missing
from api.delivery.outcome import State
from api.delivery.subscription import Language
from api.delivery.wording import Names, letter
from streams.alerting.title import RuleTitles
from streams.contracts.reason import NamespaceKind
from streams.domains import find_domains

NAMES = Names(
    {"330106": ("西湖区", "Xihu")},
    {"wl-1": "文三路下穿"},
    RuleTitles(find_domains()),
)


def event(number: int = 0, status: str = "Actual", **given: Any) -> Event:
    content = {
        "rule": "waterlogging.depth", "rule_version": "1", "point": "wl-1",
        "subject": "wl-1", "state": "firing",
        "severity": 3, "change": "raised", "value": "0.312", "threshold": "0.27", "unit": "m",
        "unverified": False, "stale": False, "origin": "live", "event_ms": 1_726_467_060_000,
    }  # fmt: skip
    return Event(number, "a", "330106", status, True, content | given)


def test_one_alert_in_both_languages() -> None:
    zh = letter([(event(), False)], Language.ZH, NAMES)
    assert zh.subject == "橙色 积水深度 西湖区 文三路下穿"
    assert zh.lines == (
        "橙色 积水深度 西湖区 文三路下穿；升级；实测 0.312 m；阈值 0.27 m；2024-09-16 14:11；"
        "来源：实时监测",
    )
    en = letter([(event(), True)], Language.EN, NAMES)
    assert en.subject == "orange water depth Xihu 文三路下穿"
    assert "expired: verify before acting" in en.lines[0]
    assert en.lines[0].endswith("origin: live")


def test_a_close_says_how_and_why() -> None:
    evidence = {"by": "account:wang", "as": "false_alarm", "reason": "gauge cleaned"}
    ended = event(state="resolved", change="closed", value=None, evidence=evidence)
    zh = letter([(ended, False)], Language.ZH, NAMES)
    assert "；人工关闭；误报；gauge cleaned；" in zh.lines[0]
    en = letter([(ended, False)], Language.EN, NAMES)
    assert "; closed by hand; false alarm; gauge cleaned; " in en.lines[0]


@pytest.mark.parametrize(
    ("status", "mark"), [("Exercise", "【演练】"), ("Test", "【测试】")]
)  # fmt: skip
def test_an_exercise_cannot_be_taken_for_the_real_thing(status: str, mark: str) -> None:
    told = letter([(event(n, status, origin="drill"), False) for n in range(3)], Language.ZH, NAMES)
    assert told.subject.startswith(mark)
    assert all(line.startswith(mark) and "来源：演练" in line for line in told.lines)


def test_the_worst_stands_first_and_what_does_not_fit_is_counted() -> None:
    many = [(event(n, severity=n % 4 + 1), False) for n in range(40)]
    told = letter(many, Language.ZH, NAMES)
    assert told.subject == "红色 积水深度 西湖区 文三路下穿 等 40 条"
    text = told.text(2_000, Language.ZH)
    assert len(text.encode()) <= 2_000
    shown = text.count("积水深度")
    assert 5 < shown < 30
    assert f"另有 {40 - shown} 条：" in text
    assert text.startswith("红色")


def test_a_storm_is_one_screen() -> None:
    storm = [(event(n, severity=n % 4 + 1), False) for n in range(20_000)]
    text = letter(storm, Language.EN, NAMES).text(100_000, Language.EN)
    lines = text.splitlines()
    assert len(lines) == 31
    assert lines[-1] == "… and 19970 more: 4970 red, 5000 orange, 5000 yellow, 5000 blue"


@pytest.mark.parametrize(
    ("answer", "delivered"),
    [
        (b'{"errcode":0,"errmsg":"ok"}', True),
        (b'{"code":0,"msg":"success","data":{}}', True),
        (b'{"errcode":310000,"errmsg":"keywords not in content"}', False),
        (b'{"code":19021,"msg":"sign match fail"}', False),
        (b"<html>", False),
        (b"[]", False),
        (b"{}", False),
    ],
)
def test_a_robot_that_refuses_politely_has_refused(answer: bytes, delivered: bool) -> None:
    assert judge(answer).delivered is delivered


def test_the_signature_of_dingtalk() -> None:
    """As `printf '1700000000000\\nSECabc' | openssl dgst -sha256 -hmac SECabc` says."""
    assert dingtalk_signature("SECabc", 1_700_000_000_000) == (
        "&timestamp=1700000000000&sign=jcUpW0QmtKduN03n4JqQ0PBosVjqnM8gU7fIIvsDmCM%3D"
    )


def test_dead_letters_are_told_of_until_a_message_gets_through() -> None:
    missing = Missing({})
    assert missing.settled("s", event(1), State.DEAD, ()) == ()
    assert missing.settled("s", event(2), State.DEAD, (1,)) == ()
    assert missing.of("s", "a") == (1, 2)
    assert missing.of("other", "a") == ()
    assert missing.settled("s", event(3), State.SENT, (1,)) == (1,), "2 died while 3 was under way"
    assert missing.of("s", "a") == (2,)
    assert missing.settled("s", event(2), State.SENT, ()) == (2,), "retried"
    assert missing.of("s", "a") == ()


def clocked(decided_ms: int, valid_ms: int = 1_000) -> Event:
    times = {"decided_ms": decided_ms, "valid_until_ms": decided_ms + valid_ms}
    return Event(7, "a", "330106", "Actual", True, times)


def test_the_present_is_claimed_only_when_nothing_newer_can_wait() -> None:
    """Six hours' backlog in the outbox: an old state is not called the present one."""
    city = CityClock(NamespaceKind.LIVE, lambda: 100.0)
    old = clocked(10_000)
    city.learn(Reading(upto=900, areas={"330106": 99_900}, working=True))
    city.reached(899)
    assert city.present(old) is None
    city.reached(900)
    now = city.present(old)
    assert now is not None
    assert (now.content["decided_ms"], now.valid_until_ms) == (99_900, 100_900)
    assert city.present(Event(8, "a", "330108", "Actual", True, old.content)) is None, "unknown"


def test_a_reading_that_waits_is_not_pushed_out_by_later_ones() -> None:
    city = CityClock(NamespaceKind.SIMULATED, lambda: 100.0)
    assert not city.is_expired(clocked(0)), "no clock yet"
    city.learn(Reading(upto=10, as_of_ms=500))
    city.learn(Reading(upto=20, as_of_ms=9_000))
    city.reached(10)
    assert city.as_of_ms == 500
    assert not city.is_expired(clocked(0))
    city.learn(Reading(upto=20, as_of_ms=9_000))
    city.reached(25)
    assert city.is_expired(clocked(0)), "by the namespace's time, not by the wall's"
