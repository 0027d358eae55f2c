"""A test of rules played through a namespace: its log, the worker, the store, and `/v1/events`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import httpx

from api.app import create_app
from deploy.rules.case import Case
from deploy.rules.city import Stretch, Version, close_of, stretches
from deploy.rules.trial import domains_of
from streams.alerting.ruleset import RuleSet
from streams.catalog import Profile
from streams.contracts.codec import encode_control
from streams.contracts.domain import Domain
from streams.contracts.reason import NamespaceKind
from streams.log import Entry, Log
from streams.log.postgres import PostgresLog
from streams.runtime.worker import worker_host
from streams.storage.connect import Connection, connect
from streams.storage.registry import newest, replace_rules, save_profile, save_registry
from tests.support.admission import OPEN
from tests.support.api_client import get
from tests.support.namespace import make_namespace
from tests.support.served import served


def stored_states(
    conninfo: str, namespace: str, case: Case, domains: Mapping[str, Domain]
) -> list[dict[str, Any]]:
    """The states of all events of the case, as a program reads them page by page.

    Also what the events' envelope says, which must be as the state says.
    """
    used = domains_of(case, domains)
    make_namespace(conninfo, namespace, NamespaceKind.SIMULATED, used, partitions=1)
    with (
        closing(PostgresLog(conninfo, namespace)) as log,
        worker_host(conninfo, namespace, used) as host,
    ):
        app = create_app(conninfo, namespace, used, settings=OPEN)
        with served(app) as client:
            reader = _Reader(client, get(client, "/v1/events")["next"])
            for stretch in stretches(case, case.rules or RuleSet(), used):
                closes = [
                    close_of(case, one, reader.states, stretch.start_ms) for one in stretch.closes
                ]
                _feed(conninfo, namespace, stretch, [c for c in closes if c], log)
                host.run_until_idle()
                reader.go_on()
    return reader.states


@dataclass
class _Reader:
    """Events by cursor, ten at a time."""

    client: httpx.Client
    after: str
    states: list[dict[str, Any]] = field(default_factory=list)

    def go_on(self) -> None:
        more = True
        while more:
            page = get(self.client, "/v1/events", after=self.after, limit=10)
            self.states += [_state(event) for event in page["events"]]
            self.after, more = page["next"], page["more"]


def _feed(
    conninfo: str, namespace: str, stretch: Stretch, closes: Sequence[Entry], log: Log
) -> None:
    at = stretch.start_ms
    with connect(conninfo, namespace) as connection:
        versions = {k: _saved(connection, v) for k, v in stretch.versions.items()}
        connection.commit()
    entries: list[Entry] = [encode_control(kind, v, at) for kind, v in versions.items()]
    log.append(0, [*entries, *closes, *(entry for _, entry in stretch.messages)])


def _saved(connection: Connection, version: Version) -> str:
    if isinstance(version, Profile):
        return save_profile(connection, version)
    if isinstance(version, RuleSet):
        held = newest(connection, "rules")
        return replace_rules(connection, held[0] if held else "", version)
    return save_registry(connection, version).version


def _state(event: Mapping[str, Any]) -> dict[str, Any]:
    state: dict[str, Any] = event["alert"]
    for name in ("completeness", "suppressed_by", "origin"):
        assert event[name] == state.get(name), f"{name} of the event is not the alert's"
    return state
