"""Live events over a real database and a real server; the command line's reading of the same."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from psycopg import sql

from api.actions import keys
from api.app import create_app
from api.freshness import FreshnessSettings
from api.reading import list_alerts, newest_figures, opened, transitions_since, viewing
from deploy import cli
from streams.errors import Misconfigured
from tests.support.admission import act, api_served, bearer, by, make_key
from tests.support.seed import UNKNOWN_COUNTY, Seeded, seed
from tests.support.seed_domains import DOMAINS
from tests.support.seed_figures import AS_OF
from tests.support.served import served

pytest_plugins = ["tests.support.seeded"]
pytestmark = pytest.mark.integration


@contextmanager
def following(client: httpx.Client, namespace: str) -> Iterator[Iterator[dict[str, Any]]]:
    """Events of the namespace as they come: `event`, `id` and decoded `data`."""
    with client.stream("GET", "/v1/live", params={"namespace": namespace}) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield events(answer.iter_lines())


def events(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    """Decodes server-sent events."""
    fields: dict[str, Any] = {}
    for line in lines:
        if not line and fields:
            yield fields | {"data": json.loads(fields["data"])}
            fields = {}
        elif line and not line.startswith(":"):
            name, _, value = line.partition(": ")
            fields[name] = value


def test_a_follower_gets_everything_and_then_only_what_changed(
    database_url: str, namespace: str, tmp_path: Path
) -> None:
    seeded = seed(database_url, namespace, tmp_path)
    with (
        api_served(database_url, namespace, DOMAINS, poll_s=0.05) as client,
        following(client, namespace) as stream,
    ):
        first = next(stream)
        assert first["event"] == "snapshot"
        assert len(first["data"]["areas"]) == 90
        assert first["data"]["freshness"]["kind"] == "simulated"
        assert first["data"]["alerts"][0]["severity"]["rank"] == 4
        assert first["data"]["ledger"]["closes"] is True
        raise_county(database_url, seeded, UNKNOWN_COUNTY)
        change = next(event for event in stream if "areas" in event["data"])
        assert change["event"] == "change"
        assert change["data"]["areas"].keys() == {UNKNOWN_COUNTY}
        assert change["data"]["areas"][UNKNOWN_COUNTY]["unknown"] is False
        assert "alerts" not in change["data"]
        assert change["id"] != first["id"]


def test_one_look_serves_all_followers_and_ends_with_the_last(
    database_url: str, seeded: Seeded
) -> None:
    app = create_app(database_url, seeded.namespace, DOMAINS, poll_s=0.05)
    with served(app) as client:
        client.headers.update(bearer(make_key(database_url, seeded.namespace)))
        with (
            following(client, seeded.namespace) as one,
            following(client, seeded.namespace) as other,
        ):
            assert next(one)["event"] == next(other)["event"] == "snapshot"
            assert app.state.broadcaster.watched() == {seeded.namespace: 2}
        for _ in range(200):
            if not app.state.broadcaster.watched():
                break
            client.get("/v1/namespaces")  # gives the server time to notice
        assert app.state.broadcaster.watched() == {}


def test_a_stream_ends_with_the_key_also_when_nothing_happens(
    database_url: str, seeded: Seeded
) -> None:
    key = make_key(database_url, seeded.namespace)
    app = create_app(database_url, seeded.namespace, DOMAINS, poll_s=0.05)
    app.state.guard = replace(app.state.guard, ask_every_s=0.1)
    with served(app) as client:
        client.headers.update(bearer(key))
        with following(client, seeded.namespace) as stream:
            assert next(stream)["event"] == "snapshot"
            id_ = key.split("_")[1]
            act(database_url, seeded.namespace, lambda desk: keys.revoke(desk, id_, by()))
            assert [event for event in stream if event["event"] == "snapshot"] == []
        assert client.get("/v1/live").status_code == 401


def test_the_server_beats_and_says_how_old_the_data_are(
    database_url: str, namespace: str, tmp_path: Path
) -> None:
    """With a database that hangs there is no state to tell, but the server lives, and says so."""
    seeded = seed(database_url, namespace, tmp_path)
    taken_ms = 1_726_439_400_000
    patience = FreshnessSettings.model_construct(lost_s=0.3)
    app = create_app(database_url, namespace, DOMAINS, poll_s=0.05, patience=patience)
    where = sql.Identifier(seeded.namespace, "area_risk")
    with served(app) as client, psycopg.connect(database_url) as connection:
        client.headers.update(bearer(make_key(database_url, namespace)))
        with following(client, namespace) as stream:
            first = next(stream)["data"]
            assert first["taken"] is None
            assert first["patience"]["lost_s"] == 0.3
            take_in(database_url, namespace, taken_ms)
            change = next(event for event in stream if event["data"].get("taken"))
            assert change["data"]["taken"] == "2024-09-16T06:30:00+08:00"
            connection.execute(sql.SQL("lock table {} in access exclusive mode").format(where))
            beats = [next(event for event in stream if event["event"] == "beat") for _ in "12"]
            assert first["now"] < beats[0]["data"]["now"] < beats[1]["data"]["now"]
            assert beats[1]["data"].keys() == {"now"}
            connection.rollback()
            assert next(event for event in stream if event["event"] == "change")["data"]["looked"]


def test_who_sees_one_county_follows_it(database_url: str, seeded: Seeded) -> None:
    key = make_key(database_url, seeded.namespace, areas=[seeded.county])
    with served(create_app(database_url, seeded.namespace, DOMAINS, poll_s=0.05)) as client:
        client.headers.update(bearer(key))
        with following(client, seeded.namespace) as stream:
            first = next(stream)
            assert first["event"] == "snapshot"
            assert {alert["area"] for alert in first["data"]["alerts"]} == {seeded.county}


def take_in(database_url: str, namespace: str, append_ms: int) -> None:
    """As if the newest processed record had come into the log then."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("update {} set last_append_ms = %s").format(
                sql.Identifier(namespace, "position")
            ),
            (append_ms,),
        )


def raise_county(database_url: str, seeded: Seeded, code: str) -> None:
    """The county speaks again."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("update {}.area_risk set unknown = false where area = %s").format(
                sql.Identifier(seeded.namespace)
            ),
            (code,),
        )


def test_the_command_line_reads_the_same_alerts(database_url: str, seeded: Seeded) -> None:
    async def read() -> tuple[int, int, list[str]]:
        async with opened(database_url) as database:
            async with viewing(database, seeded.namespace, DOMAINS) as view:
                some = await list_alerts(view, seeded.county, True, 1000)
                everything = await list_alerts(view, None, False, 1000)
                figures = await newest_figures(view, "330000", None)
            return len(some), len(everything), [figure.indicator for figure in figures]

    in_county, everywhere, figures = asyncio.run(read())
    assert 0 < in_county < everywhere
    assert figures == ["plan.13", "plan.15", "waterlogging.flooded"]


def test_the_command_line_lists_the_tickets(
    database_url: str,
    seeded: Seeded,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CITYBRAIN_DATABASE", database_url)
    named = ["tickets", "--namespace", seeded.namespace]
    assert cli.run([*named, "--all", "--json"]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(t["kind"], t["closed"] is None) for t in found] == [
        ("flat_line", True),
        ("flat_line", False),
        ("unit", True),
    ]
    assert cli.run([*named, "--kind", "unit"]) == 0
    shown = capsys.readouterr().out
    assert "1 tickets" in shown
    assert "source:gw-1" in shown
    assert cli.run([*named, "--area", "999999"]) == 2
    assert "no area '999999'" in capsys.readouterr().err


def test_following_starts_where_it_is_told(database_url: str, seeded: Seeded) -> None:
    async def read() -> tuple[list[str], list[str]]:
        async with opened(database_url) as database:
            async with viewing(database, seeded.namespace, DOMAINS) as view:
                rows = await transitions_since(view, seeded.county, None)
                late = await transitions_since(view, seeded.county, AS_OF)
            return [row.decided_at.isoformat() for row in rows], [row.alert for row in late]

    decided, late = asyncio.run(read())
    assert decided == sorted(decided)
    assert decided
    assert late == []


def test_the_command_line_names_what_it_does_not_know(database_url: str, seeded: Seeded) -> None:
    async def read(namespace: str, area: str | None) -> None:
        async with opened(database_url) as database, viewing(database, namespace, DOMAINS) as view:
            await list_alerts(view, area, True, 10)

    with pytest.raises(Misconfigured, match="no namespace 'not_there'"):
        asyncio.run(read("not_there", None))
    with pytest.raises(Misconfigured, match="no area '999999'"):
        asyncio.run(read(seeded.namespace, "999999"))
