"""`citybrain incidents list|screen|show`: what they say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from deploy import cli
from streams.contracts.reason import Severity
from tests.support.acting_day import COUNTY, Day

pytestmark = pytest.mark.integration


@pytest.fixture
def day(database_url: str, namespace: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Day]:
    made = Day(database_url, namespace)
    monkeypatch.setenv("CITYBRAIN_DATABASE", database_url)
    monkeypatch.setenv("CITYBRAIN_NAMESPACE", namespace)
    made.at("10:00")
    made.alert(Severity.YELLOW, name="a")
    made.at("10:05")
    made.alert(Severity.RED, name="b")
    yield made
    made.close()


def said(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert cli.run(["incidents", *arguments]) == code
    found = capsys.readouterr()
    return found.err if code else found.out


def objects(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_list_a_screen_and_one_with_its_alerts(
    day: Day, capsys: pytest.CaptureFixture[str]
) -> None:
    for verb in ("list", "screen"):
        line = said(capsys, verb, "--area", COUNTY)
        assert "红 red 西湖区" in line
        assert "2 open (1 red, 1 yellow), 0 hidden, 0 ended · since 07-01 10:00" in line
        assert "[Actual]" in line
    (listed,) = objects(said(capsys, "list", "--json"))
    shown = objects(said(capsys, "show", listed["id"]))
    assert shown[0] == listed
    assert [each["step"] for each in shown[1:3]] == ["opened", "raised"]
    assert [each["alert"]["id"] for each in shown[3:]] == ["b", "a"]


def test_what_is_not_there_is_said(day: Day, capsys: pytest.CaptureFixture[str]) -> None:
    assert "nothing" in said(capsys, "show", "nothing", code=2)
    assert "999999" in said(capsys, "list", "--area", "999999", code=2)
    assert said(capsys, "list", "--area", "330102") == ""
