"""A broker that lets nobody in without TLS and a password, for tests."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import SecretStr

from deploy.native_kafka import NativeKafka
from streams.settings import Settings
from tests.support.native import free_settings, make_var_dir, not_here, start_or_skip

USER, PASSWORD = "city", "a-pass-word-that-never-shows"
OTHER, OTHER_PASSWORD = "guest", "guest-password"  # may log in, and nothing else
JAAS = (
    "org.apache.kafka.common.security.plain.PlainLoginModule required"
    f' username="{USER}" password="{PASSWORD}"'
    f' user_{USER}="{PASSWORD}" user_{OTHER}="{OTHER_PASSWORD}";'
)
SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule required;"


@dataclass(frozen=True)
class SecuredKafka:
    """The broker, what to reach it with, and the files: ca, other_ca, client (certificate), key."""

    server: NativeKafka
    settings: Settings
    files: dict[str, Path]


@pytest.fixture(scope="module")
def secured_kafka() -> Iterator[SecuredKafka]:
    """SASL_SSL with PLAIN and SCRAM, for `localhost` only; a client's certificate is asked for."""
    if shutil.which("openssl") is None:
        not_here("no openssl to make certificates with")
    var_dir = make_var_dir()
    files = make_certificates(var_dir)
    ports = free_settings()
    settings = Settings(
        kafka=f"localhost:{ports.kafka_port}",
        kafka_security="SASL_SSL",
        kafka_sasl="PLAIN",
        kafka_user=USER,
        kafka_password=SecretStr(PASSWORD),
        kafka_ca=files["ca"],
    )
    properties = _properties(ports.kafka_port, ports.kafka_controller_port, files)
    server = NativeKafka(var_dir, ports, properties, settings)
    try:
        start_or_skip(server)
        yield SecuredKafka(server, settings, files)
    finally:
        server.purge()
        shutil.rmtree(var_dir)


def _properties(port: int, controller: int, files: dict[str, Path]) -> dict[str, str]:
    return {
        "listeners": f"SASL_SSL://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}",
        "advertised.listeners": f"SASL_SSL://localhost:{port},CONTROLLER://127.0.0.1:{controller}",
        "inter.broker.listener.name": "SASL_SSL",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(files["keystore"]),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(files["ca"]),
        "listener.name.sasl_ssl.ssl.client.auth": "requested",
        "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-512",
        "sasl.mechanism.inter.broker.protocol": "PLAIN",
        "listener.name.sasl_ssl.plain.sasl.jaas.config": JAAS,
        "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": SCRAM,
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": f"User:{USER};User:ANONYMOUS",  # the controller's listener knows no names
    }


def make_certificates(folder: Path) -> dict[str, Path]:
    """A certificate of `localhost`, one of a client, who signed them, and somebody else."""
    for name in ("ca", "other_ca"):
        _openssl(
            folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
            "-subj", f"/CN=citybrain test {name}", "-keyout", f"{name}.key", "-out", f"{name}.pem",
        )  # fmt: skip
    for name, subject in (("server", "DNS:localhost"), ("client", "DNS:client")):
        (folder / f"{name}.ext").write_text(f"subjectAltName={subject}")
        _openssl(
            folder, "req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}",
            "-keyout", f"{name}.key", "-out", f"{name}.csr",
        )  # fmt: skip
        _openssl(
            folder, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
            "-CAcreateserial", "-days", "2", "-extfile", f"{name}.ext", "-out", f"{name}.pem",
        )  # fmt: skip
    parts = [folder / name for name in ("server.key", "server.pem", "ca.pem")]
    keystore = folder / "keystore.pem"
    keystore.write_text("".join(part.read_text() for part in parts))
    named = {name: folder / f"{name}.pem" for name in ("ca", "other_ca", "client")}
    return named | {"key": folder / "client.key", "keystore": keystore}


def _openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)
