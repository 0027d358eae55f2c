"""Status and doctor show how delivery stands: who leads, what waits and for whom, what died."""

from __future__ import annotations

import os
from datetime import datetime
from typing import Any

import pytest

from api.delivery.settings import DeliverSettings
from api.delivery.standing import Standing, look
from deploy import deliveries
from deploy.finding import Verdict
from deploy.plan import LIVE_NAMESPACE
from streams.contracts.reason import LogKind
from streams.storage.connect import connect
from tests.support.deliveries import delivering, put, states, subscribe, transition, until
from tests.support.receiver import receiving, status

pytest_plugins = ["tests.support.subscriber_bench"]
pytestmark = pytest.mark.integration
PATIENCE_S = 20.0


def seen(conninfo: str, space: str, **given: Any) -> Standing:
    settings = DeliverSettings.model_validate(given)
    with connect(conninfo, space, "citybrain test") as connection:
        found = look(connection, space, settings, LogKind.TABLE)
    assert found is not None
    return found


def test_who_leads_and_what_waits_and_died(database_url: str, space: str) -> None:
    nobody = seen(database_url, space)
    assert (nobody.leader, nobody.since, nobody.is_missing) == (None, None, False)
    with receiving(status(410)) as gone:
        dead = subscribe(database_url, space, gone.url(), name="gone")
        assert seen(database_url, space).is_missing
        with delivering(database_url, space):
            put(database_url, space, transition("a"))
            until(lambda: states(database_url, space) == {"dead": 1})
            led = seen(database_url, space)
    assert led.leader is not None
    assert led.leader.endswith(f" {os.getpid()}")
    assert led.since is not None
    assert not led.is_missing
    assert (led.subscriptions, led.waiting, led.dead, led.behind) == (1, 0, 1, 0)
    assert dead.id
    until(lambda: seen(database_url, space).leader is None)


def test_the_longest_wait_and_whose(database_url: str, space: str) -> None:
    slow = subscribe(database_url, space, "http://127.0.0.1:9/a", name="slow")
    paused = subscribe(database_url, space, "http://127.0.0.1:9/b", name="paused", paused=True)
    put(database_url, space, transition("a"))
    with connect(database_url, space, "citybrain test") as connection:
        connection.execute(
            "insert into delivery (subscription, sequence, alert, queued_at) values"
            " (%s, 0, 'a', now() - interval '90 seconds'), (%s, 0, 'a', now() - interval '1 day')",
            (slow.id, paused.id),
        )
    found = seen(database_url, space)
    assert found.longest_s is not None
    assert 90 <= found.longest_s < 90 + PATIENCE_S
    assert found.longest_of == f"slow ({slow.id})"
    assert (found.subscriptions, found.paused, found.waiting) == (2, 1, 1)


def test_channels_that_are_off_say_why(database_url: str, space: str) -> None:
    subscribe(database_url, space, "duty@city.example", channel="mail")
    subscribe(database_url, space, "http://127.0.0.1:9/a")
    off = " ".join(seen(database_url, space).off)
    assert "mail: CITYBRAIN_DELIVER_SMTP_HOST is not set, 1 subscriptions" in off
    assert "inner network: CITYBRAIN_DELIVER_ALLOW_NETWORKS is not set" in off
    on: dict[str, Any] = {
        "smtp_host": "mail.city.example",
        "smtp_from": "a@b.c",
        "allow_networks": ("10.0.0.0/8",),
    }
    assert seen(database_url, space, **on).off == ("Kafka: the log of this namespace is a table",)


def standing(**given: Any) -> Standing:
    plain: dict[str, Any] = {
        "namespace": LIVE_NAMESPACE, "leader": None, "since": None, "subscriptions": 1,
        "paused": 0, "waiting": 0, "dead": 0, "behind": 0, "acting_behind": 0,
        "longest_s": None, "longest_of": None, "off": (),
    }  # fmt: skip
    return Standing(**(plain | given))


def test_a_live_city_whose_subscribers_nobody_serves_is_broken() -> None:
    def verdict(**given: Any) -> Verdict:
        (found,) = deliveries.findings([standing(**given)])
        return found.verdict

    assert verdict() is Verdict.BROKEN
    assert not deliveries.is_whole([standing()])
    assert verdict(namespace="play") is Verdict.OFF
    assert verdict(subscriptions=0) is Verdict.OFF
    assert deliveries.is_whole([standing(namespace="play"), standing(subscriptions=0)])
    led: dict[str, Any] = {
        "leader": "host 7",
        "since": datetime.fromisoformat("2026-07-01T08:00:00+08:00"),
    }
    assert verdict(**led) is Verdict.FINE
    assert verdict(**led, dead=3) is Verdict.OFF
    assert verdict(**led, longest_s=61.0, longest_of="x") is Verdict.OFF
