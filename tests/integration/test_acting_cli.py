"""`citybrain alerts ack …`, `closure`, `message`, `callout`: what they say and what they leave."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from deploy import cli
from tests.support.acting_day import COUNTY, LINK, Day

pytestmark = pytest.mark.integration


@pytest.fixture
def day(database_url: str, namespace: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Day]:
    made = Day(database_url, namespace)
    made.now = datetime.now(UTC)
    monkeypatch.setenv("CITYBRAIN_DATABASE", database_url)
    monkeypatch.setenv("CITYBRAIN_NAMESPACE", namespace)
    yield made
    made.close()


def said(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    """Runs the command; gives what it printed, or what it complained about."""
    assert cli.run(list(arguments)) == code
    found = capsys.readouterr()
    return found.err if code else found.out


def listed(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, Any]]:
    """The objects of a list."""
    lines = said(capsys, *arguments, "--json").splitlines()
    return [json.loads(line) for line in lines]


def test_a_closure_by_command(day: Day, capsys: pytest.CaptureFixture[str]) -> None:
    day.alert()
    (advised,) = listed(capsys, "closure", "list", "--area", COUNTY)
    id = str(advised["id"])
    assert "is ordered" in said(capsys, "closure", "order", id, "--who", "wang")
    assert "cannot take" in said(capsys, "closure", "order", id, code=2)
    assert "is confirmed" in said(capsys, "closure", "confirm", id, "--reference", "7")
    assert "still open" in said(capsys, "closure", "reopen", id, "--note", "dry", code=2)
    assert LINK in said(capsys, "closure", "list")
    reopened = said(capsys, "closure", "reopen", id, "--note", "dry", "--despite")
    assert "is reopened" in reopened
    assert listed(capsys, "closure", "list") == []
    assert "--link" in said(capsys, "closure", "order", code=2)
    assert "is ordered" in said(capsys, "closure", "order", "--link", LINK)
    assert "wang" in day.rows("select who from closure_step where step = 'order'")[0]


def test_a_message_by_command_needs_another_name(
    day: Day, capsys: pytest.CaptureFixture[str]
) -> None:
    draft = ("message", "draft", "--area", COUNTY, "--zh", "请绕行", "--who", "wang")
    assert "draft" in said(capsys, *draft)
    (made,) = listed(capsys, "message", "list")
    sign = ("message", "sign", str(made["id"]), "--digest", made["digest"])
    assert "author" in said(capsys, *sign, "--who", "wang", code=2)
    assert "is signed" in said(capsys, *sign, "--who", "li")
    assert "请绕行" in said(capsys, "message", "list", "--state", "signed")
    assert "past" not in said(capsys, *draft, "--hours", "0.2")
    assert "300" in said(capsys, *draft[:4], "--zh", "字" * 301, code=2)


def test_alerts_by_command(day: Day, capsys: pytest.CaptureFixture[str]) -> None:
    alert = day.alert()
    said(capsys, "alerts", "ack", alert, "--who", "wang")
    said(capsys, "alerts", "assign", alert, "li")
    said(capsys, "alerts", "silence", alert, "--note", "works", "--hours", "1")
    assert "at most" in said(
        capsys, "alerts", "silence", alert, "--note", "works", "--hours", "40", code=2
    )
    said(capsys, "alerts", "comment", alert, "crew is there")
    (item,) = listed(capsys, "alerts")
    assert item["acted"]["acknowledged_by"] == "local:wang"
    until = datetime.fromisoformat(item["acted"]["silenced_until"])
    assert until > datetime.now(UTC) + timedelta(minutes=50)
    said(capsys, "alerts", "unsilence", alert)
    said(capsys, "alerts", "close", alert, "--note", "gauge was cleaned", "--false-alarm")
    (item,) = listed(capsys, "alerts")
    assert item["acted"]["closed_as"] == "false_alarm"
    assert "no alert" in said(capsys, "alerts", "ack", "nothing", code=2)


def test_callouts_by_command(day: Day, capsys: pytest.CaptureFixture[str]) -> None:
    alert = day.alert()
    said(capsys, "callout", "answer", alert, "county", "--name", "王伟")
    said(capsys, "callout", "act", alert, "county", "--name", "王伟", "--note", "12 moved")
    shown = said(capsys, "callout", "list")
    assert "王伟" in shown
    assert "town calls town officer" in shown
    assert "no level" in said(capsys, "callout", "answer", alert, "moon", code=2)
    assert "not called" in said(capsys, "callout", "answer", alert, "city", code=2)


def test_an_unknown_namespace_is_told(day: Day, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = said(capsys, "alerts", "ack", "a", "--namespace", "nowhere_at_all", code=2)
    assert "nowhere_at_all" in wrong
