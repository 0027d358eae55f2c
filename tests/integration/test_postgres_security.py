"""A PostgreSQL that demands TLS, and a worker where the log demands it too."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from deploy.finding import Verdict
from deploy.infra_checks import database, kafka
from streams.contracts.reason import LogKind, NamespaceKind
from streams.errors import Unavailable
from streams.log.opening import make_topics, open_log
from streams.storage.connect import connect
from streams.storage.migrate import migrate
from streams.storage.survey import edition
from tests.support.kafka_secured import PASSWORD, USER, SecuredKafka
from tests.support.postgres_secured import SecuredPostgres

pytestmark = pytest.mark.integration
NAMESPACE = "secured"
PATIENCE_S = 120.0


def test_nobody_comes_in_without_tls(secured_postgres: SecuredPostgres) -> None:
    assert edition(secured_postgres.conninfo).encrypted
    with pytest.raises(Unavailable, match="no encryption"):
        edition(secured_postgres.conninfo.replace("verify-full", "disable"))


def test_a_server_that_a_stranger_signed_is_not_believed(secured_postgres: SecuredPostgres) -> None:
    ours, theirs = str(secured_postgres.ca), str(secured_postgres.other_ca)
    with pytest.raises(Unavailable, match="certificate verify failed"):
        edition(secured_postgres.conninfo.replace(ours, theirs))


def test_another_host_name_is_not_believed(secured_postgres: SecuredPostgres) -> None:
    with pytest.raises(Unavailable, match="does not match host name"):
        edition(secured_postgres.conninfo.replace("host=localhost", "host=db.example"))


def test_a_worker_works_over_tls_on_both_sides(
    secured_postgres: SecuredPostgres, secured_kafka: SecuredKafka, tmp_path: Path
) -> None:
    """One record that is none: it stands in the dead letters when the worker has gone idle."""
    settings = secured_kafka.settings.model_copy(
        update={"database": secured_postgres.conninfo, "var_dir": tmp_path}
    )
    conninfo = secured_postgres.conninfo
    migrate(conninfo, NAMESPACE, NamespaceKind.SIMULATED, partitions=1, log=LogKind.KAFKA)
    make_topics(settings, NAMESPACE, 1, LogKind.KAFKA)
    with closing(open_log(settings, NAMESPACE)) as log:
        log.append(0, [({}, b"not an event")])
    worker = subprocess.run(
        [sys.executable, "-m", "deploy.cli", "worker", "--namespace", NAMESPACE, "--until-idle"],
        env={
            **{k: v for k, v in os.environ.items() if not k.startswith("CITYBRAIN_")},
            "CITYBRAIN_DATABASE": conninfo,
            "CITYBRAIN_VAR_DIR": str(tmp_path),
            "CITYBRAIN_KAFKA": str(settings.kafka),
            "CITYBRAIN_KAFKA_SECURITY": "SASL_SSL",
            "CITYBRAIN_KAFKA_SASL": "PLAIN",
            "CITYBRAIN_KAFKA_USER": USER,
            "CITYBRAIN_KAFKA_PASSWORD": PASSWORD,
            "CITYBRAIN_KAFKA_CA": str(settings.kafka_ca),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    assert worker.returncode == 0, worker.stderr
    assert PASSWORD not in worker.stdout + worker.stderr
    with connect(conninfo, NAMESPACE) as connection:
        assert connection.execute("select count(*) from dead_letter").fetchone() == (1,)
    told = {finding.subject: finding for finding in (*database(settings), *kafka(settings))}
    assert "connection encrypted" in told["database"].detail
    assert told["Kafka"].detail.startswith("SASL_SSL")
    assert not any(finding.verdict is Verdict.BROKEN for finding in told.values())
