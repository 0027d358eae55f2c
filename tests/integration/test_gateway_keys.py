"""Keys from the command to the gateway: made, used, rotated, revoked; the store holds digests."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from deploy import gateway_keys
from deploy.gateway_keys import Order
from deploy.process import wait_until
from sensors.gateway.keys import Denial, NotAdmitted, digest, find
from sensors.gateway.stored import StoredRegistry
from streams.contracts.reason import NamespaceKind
from streams.errors import Misconfigured
from streams.storage.connect import connect
from streams.storage.gateway_key import find_key, list_keys
from tests.integration.test_gateway import (
    DOMAINS,
    batch,
    command,
    environment,
    process,
    registry,
    save,
)
from tests.support.namespace import make_namespace as migrated

pytestmark = pytest.mark.integration
NOW = datetime(2026, 7, 1, tzinfo=UTC)


@pytest.fixture
def namespace(database_url: str, make_namespace: Callable[[], str]) -> str:
    name = migrated(database_url, make_namespace(), NamespaceKind.LIVE, DOMAINS, 2)
    save(database_url, name, registry(4), activate=False)
    return name


def verb(database_url: str, namespace: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`citybrain gateway-key …` as people call it."""
    return subprocess.run(
        [*command()[:-1], "gateway-key", *arguments],
        env=environment(database_url, namespace),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_key_is_made_used_rotated_and_revoked(database_url: str, namespace: str) -> None:
    made = verb(database_url, namespace, "create", "gw", "--json")
    assert made.returncode == 0, made.stderr
    first = json.loads(made.stdout)
    assert first["areas"] == sorted(registry(4).partitions)
    with process(database_url, namespace, keys="required", registry_s=0.1) as (_, client):

        def status(key: str) -> int:
            headers = {"authorization": f"Bearer {key}"}
            return client.post("/v1/readings", json=batch(4), headers=headers).status_code

        assert client.post("/v1/readings", json=batch(4)).status_code == 401
        assert status(first["key"]) == 200
        second = json.loads(verb(database_url, namespace, "rotate", first["id"], "--json").stdout)
        assert second["replaces"] == first["id"]
        wait_for(lambda: status(second["key"]) == 200)
        assert status(first["key"]) == 200
        assert verb(database_url, namespace, "revoke", first["id"]).returncode == 0
        wait_for(lambda: status(first["key"]) == 401)
        assert status(second["key"]) == 200
    shown = verb(database_url, namespace, "list")
    assert first["id"] in shown.stdout
    for key in (first["key"], second["key"]):
        assert key not in shown.stdout + shown.stderr
        assert key not in dump(database_url, namespace)


def wait_for(condition: Callable[[], bool]) -> None:
    assert wait_until(condition, 20, 0.05)


def dump(database_url: str, namespace: str) -> str:
    with connect(database_url, namespace, "citybrain test") as connection:
        return str(connection.execute("select gateway_key::text from gateway_key").fetchall())


@pytest.mark.parametrize(
    ("order", "words"),
    [
        (Order("nobody"), "not registered"),
        (Order("gw", ("990000", "33")), "--area 990000"),
        (Order("gw", ("330000",)), ""),
        (Order("gw", ("330100",)), ""),
    ],
)
def test_an_order_is_checked_against_the_registry(
    database_url: str, namespace: str, order: Order, words: str
) -> None:
    with connect(database_url, namespace, "citybrain test") as connection:
        if not words:
            assert gateway_keys.create(connection, order, NOW).row.areas == list(order.areas)
            return
        with pytest.raises(Misconfigured, match=words):
            gateway_keys.create(connection, order, NOW)


def test_the_store_gives_back_what_the_command_put_in(database_url: str, namespace: str) -> None:
    with connect(database_url, namespace, "citybrain test") as connection:
        made = gateway_keys.create(connection, Order("gw", expires_days=2, note="n"), NOW)
        kept = find_key(connection, made.row.id)
    assert kept == made.row
    assert kept.digest == digest(made.text)
    source = StoredRegistry(database_url, namespace)
    try:
        keys = {key.id: key for key in source.stored_keys()}
    finally:
        source.close()
    expires_ms = int((NOW + timedelta(days=2)).timestamp() * 1000)
    assert find(keys, made.text, expires_ms - 1).gateway == "gw"
    with pytest.raises(NotAdmitted) as refused:
        find(keys, made.text, expires_ms)
    assert refused.value.denial is Denial.EXPIRED


def test_rotating_keeps_the_old_key_for_a_while_and_never_longer_than_it_had(
    database_url: str, namespace: str
) -> None:
    day = timedelta(days=1)
    with connect(database_url, namespace, "citybrain test") as connection:
        made = gateway_keys.create(connection, Order("gw", expires_days=10), NOW)
        later = NOW + 4 * day
        new, ends = gateway_keys.rotate(connection, made.row.id, day, later)
        assert ends == later + day
        assert new.row.expires_at == later + 10 * day
        old = find_key(connection, made.row.id)
        assert old is not None
        assert old.expires_at == later + day
        _, again = gateway_keys.rotate(connection, made.row.id, 30 * day, later)
        assert again == later + day
        with pytest.raises(Misconfigured, match="expired"):
            gateway_keys.rotate(connection, made.row.id, day, later + day)
        gateway_keys.revoke(connection, new.row.id, later)
        with pytest.raises(Misconfigured, match="revoked"):
            gateway_keys.rotate(connection, new.row.id, day, later)
        with pytest.raises(Misconfigured, match="no key"):
            gateway_keys.revoke(connection, "nothing", later)


def test_a_dry_run_changes_nothing_and_shows_no_key(database_url: str, namespace: str) -> None:
    made = verb(database_url, namespace, "create", "gw", "--dry-run", "--json")
    assert json.loads(made.stdout)["key"] is None
    with connect(database_url, namespace, "citybrain test") as connection:
        assert list_keys(connection) == []


def test_mistakes_are_told_with_exit_code_2(database_url: str, namespace: str) -> None:
    wrong = verb(database_url, namespace, "create", "gw", "--area", "1", "--area", "2")
    assert wrong.returncode == 2
    assert wrong.stderr.count("--area") == 2
