"""A broker with TLS and passwords: who may come in, and what is said to who may not."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from kafka.errors import KafkaError
from pydantic import SecretStr

from deploy.process import wait_until
from streams.errors import Misconfigured, Unavailable
from streams.log.catalogue import topic_name
from streams.log.kafka import KafkaLog
from streams.log.kafka_admin import administration, ensure_topics, remove_topics
from streams.settings import Settings
from tests.support.kafka_secured import OTHER, OTHER_PASSWORD, PASSWORD, USER, SecuredKafka

pytestmark = pytest.mark.integration

NAMESPACE = "secured"
SECONDS = 15.0  # what counts as "within seconds" on a busy machine


def changed(settings: Settings, **other: object) -> Settings:
    return settings.model_copy(update=other)


@pytest.fixture
def topic(secured_kafka: SecuredKafka) -> Iterator[str]:
    ensure_topics(secured_kafka.settings, NAMESPACE, 2)
    yield topic_name(NAMESPACE)
    remove_topics(secured_kafka.settings, NAMESPACE)


def there_and_back(settings: Settings, topic: str) -> None:
    log = KafkaLog(settings, topic)
    try:
        offset = log.append(0, [({"ce_id": "1"}, b"x")])
        assert log.read(0, offset)[0].body == b"x"
        assert log.identity().startswith("kafka ")
    finally:
        log.close()


def refusal(settings: Settings, topic: str) -> Exception:
    """What the first use says, within seconds and without the password."""
    begun = time.monotonic()
    log = KafkaLog(settings, topic)
    with pytest.raises((Misconfigured, Unavailable)) as caught:
        log.append(0, [({}, b"x")])
    log.close()
    assert time.monotonic() - begun < SECONDS
    assert PASSWORD not in str(caught.value)
    return caught.value


def answered(settings: Settings, topic: str) -> Exception:
    """The same once the broker has answered at all: a busy one may be too slow at first."""
    tries = (refusal(settings, topic) for _ in range(5))
    return next((error for error in tries if not isinstance(error, Unavailable)), Unavailable())


def test_a_user_with_password_comes_in(secured_kafka: SecuredKafka, topic: str) -> None:
    there_and_back(secured_kafka.settings, topic)


def test_scram_and_a_certificate_come_in(secured_kafka: SecuredKafka, topic: str) -> None:
    with administration(secured_kafka.settings) as admin:
        admin.alter_user_scram_credentials([scram(USER, PASSWORD)])
    files = secured_kafka.files
    settings = changed(
        secured_kafka.settings,
        kafka_sasl="SCRAM-SHA-512",
        kafka_certificate=files["client"],
        kafka_key=files["key"],
    )

    def known() -> bool:
        try:
            there_and_back(settings, topic)
        except Misconfigured:  # brokers learn of a user a moment later
            return False
        return True

    assert wait_until(known, 60.0, 0.1)


def scram(user: str, password: str) -> Any:
    from kafka.admin import ScramMechanism, UserScramCredentialUpsertion

    return UserScramCredentialUpsertion(user, ScramMechanism.SCRAM_SHA_512, password)


def test_a_wrong_password_is_told_by_its_setting(secured_kafka: SecuredKafka, topic: str) -> None:
    for mechanism in ("PLAIN", "SCRAM-SHA-512"):
        wrong = changed(
            secured_kafka.settings, kafka_password=SecretStr("wrong"), kafka_sasl=mechanism
        )
        error = answered(wrong, topic)
        assert isinstance(error, Misconfigured)
        assert "CITYBRAIN_KAFKA_PASSWORD" in str(error)


def test_a_mechanism_that_is_not_offered_is_told(secured_kafka: SecuredKafka, topic: str) -> None:
    """The broker may hang up before its answer is read: then it is told as one that hung up."""
    error = refusal(changed(secured_kafka.settings, kafka_sasl="SCRAM-SHA-256"), topic)
    assert "CITYBRAIN_KAFKA_SASL" in str(error)


def test_a_stranger_signature_is_told(secured_kafka: SecuredKafka, topic: str) -> None:
    for authority in (secured_kafka.files["other_ca"], None):
        error = refusal(changed(secured_kafka.settings, kafka_ca=authority), topic)
        assert isinstance(error, Misconfigured)
        assert "CITYBRAIN_KAFKA_CA" in str(error)
        assert "CERTIFICATE_VERIFY_FAILED" in str(error)


def test_another_host_name_is_told(secured_kafka: SecuredKafka, topic: str) -> None:
    port = secured_kafka.server.address.rpartition(":")[2]
    error = refusal(changed(secured_kafka.settings, kafka=f"127.0.0.1:{port}"), topic)
    assert isinstance(error, Misconfigured)
    assert "IP address mismatch" in str(error)


@pytest.mark.parametrize("security", ["PLAINTEXT", "SASL_PLAINTEXT", "SSL"])
def test_another_protocol_is_told(secured_kafka: SecuredKafka, topic: str, security: str) -> None:
    error = refusal(changed(secured_kafka.settings, kafka_security=security), topic)
    assert "CITYBRAIN_KAFKA_SECURITY" in str(error)


def test_who_may_log_in_and_nothing_else_is_told(secured_kafka: SecuredKafka, topic: str) -> None:
    guest = changed(
        secured_kafka.settings, kafka_user=OTHER, kafka_password=SecretStr(OTHER_PASSWORD)
    )
    error = refusal(guest, topic)
    assert isinstance(error, Misconfigured)
    assert "permit" in str(error)
    with pytest.raises(Misconfigured, match=r"permit|uthoriz"):
        ensure_topics(guest, "guests", 2)


def test_the_password_shows_in_no_log(
    secured_kafka: SecuredKafka, topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.INFO, logger="kafka")  # as it is before a worker quietens it
    there_and_back(secured_kafka.settings, topic)
    ensure_topics(secured_kafka.settings, NAMESPACE, 2)
    assert "Authenticated as city" in caplog.text  # the client's own lines are there
    assert PASSWORD not in caplog.text
    assert PASSWORD not in repr(secured_kafka.settings)


def test_a_broker_that_went_away_is_unavailable_in_time_and_the_log_goes_on_when_it_is_back(
    secured_kafka: SecuredKafka, topic: str
) -> None:
    log = KafkaLog(secured_kafka.settings, topic)
    assert log.append(0, [({}, b"1")]) == 0
    assert len(log.read(0, 0)) == 1
    running = secured_kafka.server.process()
    assert running is not None
    os.kill(running.pid, signal.SIGKILL)
    uses = (lambda: log.append(0, [({}, b"2")]), lambda: log.read(0, 1), lambda: log.wait(60.0))
    begun = time.monotonic()
    with ThreadPoolExecutor(len(uses)) as threads:
        ends = [future.exception() for future in [threads.submit(use) for use in uses]]
    assert [type(end) for end in ends] == [Unavailable] * len(uses)
    assert time.monotonic() - begun < 35.0
    secured_kafka.server.start()
    assert log.append(0, [({}, b"3")]) >= 1
    assert [r.body for r in log.read(0, 0)][-1] == b"3"
    assert log.identity()
    log.close()


def test_who_reaches_nothing_leaves_no_thread_and_no_socket_behind() -> None:
    before = set(threading.enumerate())
    log = KafkaLog(Settings(kafka="127.0.0.1:1"), "t")
    for use in (log.identity, log._produce, log._new_consumer):
        with pytest.raises((Unavailable, KafkaError)):
            use()
    assert wait_until(lambda: set(threading.enumerate()) <= before, 10.0, 0.05)
