"""Servers that demand TLS and passwords, with certificates made by the `openssl` program."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from deploy.native_kafka import NativeKafka
from deploy.native_settings import NativeSettings
from deploy.native_timescale import NativeTimescale
from streams.settings import Settings
from tests.support.native import not_here

_MODULE = "org.apache.kafka.common.security"
_NAMES = "subjectAltName=IP:127.0.0.1,DNS:localhost"


@dataclass(frozen=True)
class Authority:
    """Who signs: give `ca` to clients. `certificate` and `key` are a server's on 127.0.0.1."""

    ca: Path
    certificate: Path
    key: Path

    @classmethod
    def make(cls, folder: Path) -> Authority:
        """A new one; skips without openssl, and fails where everything must be there."""
        if shutil.which("openssl") is None:
            not_here("no openssl to make certificates with: apt-get install openssl")
        new = ("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
        signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-days", "2", "-addext", _NAMES)
        for arguments in (
            (*new, "-x509", "-subj", "/CN=test", "-keyout", "ca.key", "-out", "ca.pem"),
            (*new, "-x509", "-subj", "/CN=127.0.0.1", "-keyout", "s.key", "-out", "s.pem", *signed),
        ):
            subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, check=True)
        return cls(folder / "ca.pem", folder / "s.pem", folder / "s.key")


def secured_kafka(var_dir: Path, ports: NativeSettings, authority: Authority) -> NativeKafka:
    """A broker that speaks SASL_SSL only, with clients and with itself. `client_of` reaches it."""
    address, controller = ports.kafka_address, f"127.0.0.1:{ports.kafka_controller_port}"
    store = var_dir / "server.pem"
    store.write_text(authority.key.read_text() + authority.certificate.read_text())
    users = 'username="broker" password="broker-secret" user_broker="broker-secret"'
    more = {
        "listeners": f"SASL_SSL://{address},CONTROLLER://{controller}",
        "advertised.listeners": f"SASL_SSL://{address},CONTROLLER://{controller}",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL",
        "inter.broker.listener.name": "SASL_SSL",
        "sasl.mechanism.inter.broker.protocol": "PLAIN",
        "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-512",
        "listener.name.sasl_ssl.plain.sasl.jaas.config": (
            f"{_MODULE}.plain.PlainLoginModule required {users};"
        ),
        "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": (
            f"{_MODULE}.scram.ScramLoginModule required;"
        ),
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(store),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(authority.ca),
    }
    client = client_of(ports, authority.ca, "PLAIN", "broker", "broker-secret")
    return NativeKafka(var_dir, ports, more, client)


def client_of(
    ports: NativeSettings, ca: Path, mechanism: str, user: str, password: str
) -> Settings:
    """Settings that reach a secured broker."""
    return Settings(
        kafka=ports.kafka_address,
        kafka_security="SASL_SSL",
        kafka_sasl=mechanism,
        kafka_user=user,
        kafka_password=SecretStr(password),
        kafka_ca=ca,
    )


class SecuredTimescale(NativeTimescale):
    """A server that lets nobody in without TLS; its connection string verifies it."""

    def __init__(self, var_dir: Path, settings: NativeSettings, authority: Authority) -> None:
        super().__init__(var_dir, settings)
        self._authority = authority

    @property
    def conninfo(self) -> str:
        return f"{super().conninfo} sslmode=verify-full sslrootcert={self._authority.ca}"

    def _more_settings(self) -> str:
        return "ssl = on\nssl_cert_file = 'tls.pem'\nssl_key_file = 'tls.key'\n"

    def _access_rules(self) -> str:
        return "hostssl all all 127.0.0.1/32 scram-sha-256\n"

    def _before_start(self) -> None:
        super()._before_start()
        pairs = (("tls.pem", self._authority.certificate), ("tls.key", self._authority.key))
        for name, source in pairs:
            target = self.home.data / name
            shutil.copyfile(source, target)
            target.chmod(0o600)
            self.home.own(target)
