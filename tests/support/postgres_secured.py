"""A PostgreSQL with TimescaleDB that lets nobody in without TLS, for tests."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.native_settings import NativeSettings
from deploy.native_timescale import NativeTimescale
from tests.support.kafka_secured import make_certificates
from tests.support.native import free_settings, make_var_dir, not_here, start_or_skip


class SecuredTimescale(NativeTimescale):
    """Its connection string verifies that it is `localhost` and who signed it."""

    def __init__(self, var_dir: Path, settings: NativeSettings, ca: Path) -> None:
        super().__init__(var_dir, settings)
        self._ca = ca

    @property
    def conninfo(self) -> str:
        plain = super().conninfo.replace("host=", "host=localhost hostaddr=")
        return f"{plain} sslmode=verify-full sslrootcert={self._ca}"

    def _more_settings(self) -> str:
        return "ssl = on\nssl_cert_file = 'server.pem'\nssl_key_file = 'server.key'\n"

    def _access_rules(self) -> str:
        return "hostssl all all 127.0.0.1/32 scram-sha-256\n"

    def _before_start(self) -> None:
        super()._before_start()
        for name in ("server.pem", "server.key"):
            target = self.home.data / name
            shutil.copyfile(self._ca.with_name(name), target)
            target.chmod(0o600)
            self.home.own(target)


@dataclass(frozen=True)
class SecuredPostgres:
    """How to reach it, and whom to believe: `other_ca` did not sign its certificate."""

    conninfo: str
    ca: Path
    other_ca: Path


@pytest.fixture(scope="module")
def secured_postgres() -> Iterator[SecuredPostgres]:
    """One server for a file of tests."""
    if shutil.which("openssl") is None:
        not_here("no openssl to make certificates with")
    var_dir = make_var_dir()
    files = make_certificates(var_dir)
    server = SecuredTimescale(var_dir, free_settings(), files["ca"])
    try:
        yield SecuredPostgres(start_or_skip(server), files["ca"], files["other_ca"])
    finally:
        server.purge()
        shutil.rmtree(var_dir)
