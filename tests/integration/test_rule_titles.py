"""The title of a city's own rule reaches everybody who reads of its alerts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest
from aiohttp import web

from deploy import cli
from deploy.process import wait_until
from streams.alerting.ruleset import RuleSet
from streams.contracts.reason import NamespaceKind
from streams.domains import find_domains
from streams.storage.connect import connect
from streams.storage.migrate import migrate
from streams.storage.registry import replace_rules, save_registry
from streams.storage.sequencer import number_outbox
from tests.support.admission import api_served
from tests.support.deliveries import delivering, put, subscribe, transition
from tests.support.namespace import small_registry
from tests.support.receiver import receiving
from tests.support.rule_sets import new_rule, rule_set

pytestmark = pytest.mark.integration
PATIENCE_S = 20.0
RULE = "waterlogging.wet"
FIRST, SECOND = rule_set(new_rule()), rule_set(new_rule(title_zh="湿路", title_en="wetness"))


@pytest.fixture
def space(database_url: str, namespace: str) -> str:
    migrate(database_url, namespace, NamespaceKind.LIVE)
    with connect(database_url, namespace, "citybrain test") as connection:
        save_registry(connection, small_registry())
    return namespace


def into_force(conninfo: str, space: str, rules: RuleSet, before: str = "") -> None:
    with connect(conninfo, space, "citybrain test") as connection:
        replace_rules(connection, before, rules)


def fire(conninfo: str, space: str, alert: str, rules: RuleSet) -> None:
    """An alert of the city's own rule, decided under this set."""
    version = f"785a99f3583e@{rules.mark}"
    put(conninfo, space, replace(transition(alert), rule=RULE, rule_version=version))
    with connect(conninfo, space, "citybrain test") as connection:
        number_outbox(connection)


@pytest.fixture
def client(database_url: str, space: str) -> Iterator[httpx.Client]:
    with api_served(database_url, space, find_domains()) as client:
        yield client


def titles(client: httpx.Client) -> dict[str, str]:
    items = client.get("/v1/alerts").json()["items"]
    return {one["id"]: f"{one['title_zh']} {one['title_en']}" for one in items}


def test_programs_read_the_title_of_the_set_that_decided(
    database_url: str, space: str, client: httpx.Client
) -> None:
    into_force(database_url, space, FIRST)
    fire(database_url, space, "a", FIRST)
    assert titles(client) == {"a": "路面积水 wet road"}
    into_force(database_url, space, SECOND, FIRST.version)
    fire(database_url, space, "b", SECOND)
    assert titles(client) == {"a": "路面积水 wet road", "b": "湿路 wetness"}
    assert "路面积水" in client.get(f"/v1/cap/{space}-a-1").text
    assert "wetness" in client.get(f"/v1/cap/{space}-b-1").text
    told = client.get("/v1/fiware/entities", params={"type": "Alert"}).text
    assert "路面积水 wet road" in told
    assert "湿路 wetness" in told


def test_people_are_told_the_title_also_of_a_set_that_has_just_come(
    database_url: str, space: str
) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response({"code": 0})

    subscribe(database_url, space, "token-12345", channel="feishu", language="en")
    into_force(database_url, space, FIRST)
    with (
        receiving(answer) as robot,
        delivering(database_url, space, feishu_url=robot.url("/robot?token="), people_digest_s=0.1),
    ):
        fire(database_url, space, "a", FIRST)
        assert wait_until(lambda: len(robot.received) == 1, PATIENCE_S, 0.02)
        into_force(database_url, space, SECOND, FIRST.version)
        fire(database_url, space, "b", SECOND)
        assert wait_until(lambda: len(robot.received) > 1, PATIENCE_S, 0.02)
    first, second = (str(one.content) for one in robot.received[:2])
    assert "orange wet road" in first
    assert "orange wetness" in second


def test_the_terminal_shows_it(
    database_url: str,
    space: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    into_force(database_url, space, FIRST)
    fire(database_url, space, "a", FIRST)
    monkeypatch.setenv("CITYBRAIN_DATABASE", database_url)
    assert cli.run(["alerts", "--json", "--namespace", space]) == 0
    assert "路面积水" in capsys.readouterr().out
