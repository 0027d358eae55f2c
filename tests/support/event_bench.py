"""A namespace with the API over it, and a hand that writes alerts, numbers and reads events."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from api.app import create_app
from streams.storage.connect import connect
from streams.storage.sequencer import number_outbox
from tests.support.admission import OPEN
from tests.support.api_client import get
from tests.support.namespace import make_namespace as migrated
from tests.support.seed_domains import DOMAINS
from tests.support.served import served
from tests.support.told import State, tell


class Bench:
    """A namespace, its API, and a hand that writes and numbers."""

    def __init__(self, url: str, namespace: str, app: FastAPI, client: httpx.Client) -> None:
        self.url, self.namespace, self.app, self.client = url, namespace, app, client
        self.connection = connect(url, namespace)

    def write(self, *lives: list[Any]) -> None:
        """Commits the transitions, the first of each alert first; without numbers."""
        for step in range(max(map(len, lives))):
            tell(self.connection, [each[step] for each in lives if step < len(each)])
            self.connection.commit()

    def number(self) -> int:
        """Gives numbers to what has none."""
        return number_outbox(self.connection)

    def risk(
        self, area: str, *, unknown: bool, points: int, reporting: int, as_of_s: int = 0
    ) -> None:
        """What the pipeline says of an area."""
        detail = {"completeness": {"points": points, "reporting": reporting}}
        self.connection.execute(
            "insert into area_risk (area, severity, unknown, stale_alerts, open_alerts, as_of,"
            " decided_at, detail) values (%s, 0, %s, 0, 0, at_ms(%s), at_ms(%s), %s)"
            " on conflict (area) do update set unknown = excluded.unknown,"
            " decided_at = excluded.decided_at, detail = excluded.detail",
            (area, unknown, 1000 * as_of_s, 1000 * as_of_s, json.dumps(detail)),
        )
        self.connection.commit()

    def execute(self, text: str, *given: Any) -> None:
        """Changes the namespace by hand."""
        self.connection.execute(text, given)
        self.connection.commit()

    def query(self, text: str) -> list[tuple[Any, ...]]:
        """Rows of the namespace."""
        with connect(self.url, self.namespace, autocommit=True) as connection:
            return connection.execute(text).fetchall()

    def events(self, **given: Any) -> dict[str, Any]:
        found: dict[str, Any] = get(self.client, "/v1/events", **given)
        return found

    def follow(self, after: str, **given: Any) -> tuple[list[dict[str, Any]], str]:
        """Every event behind the cursor, and the cursor behind the last."""
        found: list[dict[str, Any]] = []
        while True:
            page = self.events(after=after, **given)
            found, after = found + page["events"], page["next"]
            if not page["more"]:
                return found, after

    def truth(self) -> State:
        rows = self.query(
            "select id, sequence, state, severity, change, peak_severity, suppressed_by,"
            " held_severity, ms_of(held_until) from alert"
        )
        return {row[0]: tuple(row[1:]) for row in rows}


@pytest.fixture
def bench(database_url: str, make_namespace: Callable[[], str]) -> Iterator[Bench]:
    namespace = migrated(database_url, make_namespace(), domains=DOMAINS)
    app = create_app(database_url, namespace, DOMAINS, heartbeat_s=0.2, wait_s=20.0, settings=OPEN)
    with served(app) as client:
        made = Bench(database_url, namespace, app, client)
        with closing(made.connection):
            yield made
