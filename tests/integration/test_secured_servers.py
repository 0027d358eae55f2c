"""citybrain with a Kafka that demands SASL over TLS and a PostgreSQL that demands TLS."""

from __future__ import annotations

import gc
import shutil
import uuid
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka.admin import ScramMechanism, UserScramCredentialUpsertion

from deploy.finding import Verdict
from deploy.infra_checks import database, kafka
from deploy.native_kafka import NativeKafka
from deploy.native_settings import NativeSettings
from streams.contracts.reason import NamespaceKind
from streams.errors import Unavailable
from streams.log.catalogue import topic_name
from streams.log.kafka import KafkaLog
from streams.log.kafka_admin import administration, ensure_topics
from streams.log.kafka_ready import ask_cluster
from streams.settings import Settings
from streams.storage.migrate import migrate
from streams.storage.survey import edition
from tests.support.native import free_settings, make_var_dir, start_or_skip
from tests.support.tls import Authority, SecuredTimescale, client_of, secured_kafka

pytestmark = pytest.mark.integration
USER, PASSWORD = "citybrain", "known to two"


@pytest.fixture(autouse=True)
def refused_sockets() -> Iterator[None]:
    """kafka-python leaves the socket of a refused TLS handshake to the garbage collector."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture(scope="module")
def var_dir() -> Iterator[Path]:
    folder = make_var_dir()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.make(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Somebody else who signs."""
    return Authority.make(tmp_path_factory.mktemp("stranger"))


@pytest.fixture(scope="module")
def ports() -> NativeSettings:
    return free_settings()


@pytest.fixture(scope="module")
def broker(var_dir: Path, ports: NativeSettings, authority: Authority) -> Iterator[NativeKafka]:
    """With a SCRAM user, made by the broker's own account."""
    server = secured_kafka(var_dir, ports, authority)
    start_or_skip(server)
    owner = client_of(ports, authority.ca, "PLAIN", "broker", "broker-secret")
    with administration(owner) as admin:
        admin.alter_user_scram_credentials(
            [UserScramCredentialUpsertion(USER, ScramMechanism.SCRAM_SHA_512, PASSWORD)]
        )
    yield server
    server.purge()


@pytest.mark.parametrize(
    ("mechanism", "user", "password"),
    [("SCRAM-SHA-512", USER, PASSWORD), ("PLAIN", "broker", "broker-secret")],
)
def test_the_log_works_over_sasl_and_tls(
    broker: NativeKafka,
    ports: NativeSettings,
    authority: Authority,
    mechanism: str,
    user: str,
    password: str,
) -> None:
    settings = client_of(ports, authority.ca, mechanism, user, password)
    namespace = f"secured_{uuid.uuid4().hex[:12]}"
    assert len(ensure_topics(settings, namespace, 1)) > 1
    log = KafkaLog(settings, topic_name(namespace))
    try:
        assert log.append(0, [({"kind": "test"}, b"one"), ({}, b"two")]) == 0
        assert [record.body for record in log.read(0, 0)] == [b"one", b"two"]
    finally:
        log.close()
    assert [finding.verdict for finding in kafka(settings)] == [Verdict.FINE, Verdict.OFF]


def test_whoever_may_not_is_told_soon(
    broker: NativeKafka, ports: NativeSettings, authority: Authority, stranger: Authority
) -> None:
    """A wrong password, no encryption, and a broker that somebody else vouches for."""
    wrong = {
        "password": client_of(ports, authority.ca, "SCRAM-SHA-512", USER, "guessed"),
        "plaintext": Settings(kafka=ports.kafka_address, kafka_security="PLAINTEXT"),
        "authority": client_of(ports, stranger.ca, "SCRAM-SHA-512", USER, PASSWORD),
    }
    for what, settings in wrong.items():
        with pytest.raises(Unavailable) as told:
            ask_cluster(settings)
        assert PASSWORD not in str(told.value), what
        assert [finding.verdict for finding in kafka(settings)] == [Verdict.BROKEN], what


@pytest.fixture(scope="module")
def server(
    var_dir: Path, ports: NativeSettings, authority: Authority
) -> Iterator[SecuredTimescale]:
    made = SecuredTimescale(var_dir, ports, authority)
    start_or_skip(made)
    yield made
    made.purge()


def test_the_store_works_over_tls(server: SecuredTimescale, tmp_path: Path) -> None:
    assert "sslmode=verify-full" in server.conninfo
    migrate(server.conninfo, "citybrain", NamespaceKind.LIVE, partitions=1)
    assert edition(server.conninfo).encrypted
    settings = Settings(database=server.conninfo, var_dir=tmp_path)
    told = {finding.subject: finding for finding in database(settings)}
    assert "connection encrypted; namespaces: citybrain (live)" in told["database"].detail
    assert not any(f.verdict is Verdict.BROKEN for f in told.values())


def test_the_server_lets_nobody_in_without_tls(server: SecuredTimescale) -> None:
    plain = server.conninfo.replace("sslmode=verify-full", "sslmode=disable")
    with pytest.raises(Unavailable, match="no encryption"):
        edition(plain)


def test_a_server_that_somebody_else_vouches_for_is_not_believed(
    server: SecuredTimescale, stranger: Authority
) -> None:
    ours, theirs = f"sslrootcert={server._authority.ca}", f"sslrootcert={stranger.ca}"
    with pytest.raises(Unavailable, match="certificate verify failed"):
        edition(server.conninfo.replace(ours, theirs))
