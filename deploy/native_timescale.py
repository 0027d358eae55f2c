"""PostgreSQL with TimescaleDB without containers: on loopback, by a password that nobody chose.

The edition is what the programs are: Debian's packages hold the Apache edition (no compression, no
policies, no continuous aggregates). The password is in a file that only the owner may read.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from pathlib import Path

from deploy import timescale_home
from deploy.health import port_is_taken
from deploy.native_settings import NativeSettings
from deploy.postgres_server import (
    DATABASE,
    USER,
    PostgresServer,
    configuration,
    shared_buffers_mb,
)
from deploy.process import write_atomically
from deploy.server import Say
from streams.errors import Misconfigured, Unavailable

_MOST_BUFFERS_MB = 1024
_MAX_WAL_GB = 4
_BUILTIN_SINCE = 17  # PostgreSQL's own locale provider
_LISTENING = """\
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = ''
password_encryption = 'scram-sha-256'
# A directory root has no /dev/shm of its own.
dynamic_shared_memory_type = sysv
shared_preload_libraries = 'timescaledb'
timescaledb.telemetry_level = off
"""
_ACCESS = """\
# Written by citybrain at every start; changes here are lost.
host all all 127.0.0.1/32 scram-sha-256
"""


class NativeTimescale(PostgresServer):
    """The PostgreSQL with TimescaleDB of one var folder."""

    def __init__(self, var_dir: Path, settings: NativeSettings) -> None:
        super().__init__(timescale_home.find_home(var_dir))
        self._native = settings

    @property
    def conninfo(self) -> str:
        """With the password in it: for files of mode 0600 and for memory only."""
        return (
            f"host=127.0.0.1 port={self._native.postgres_port} user={USER} dbname={DATABASE} "
            f"password={self._password()}"
        )

    @property
    def password_file(self) -> Path:
        return self.home.var_dir / "timescale.password"

    def major_version(self) -> str:
        return self.home.programs.name

    def _prepare(self, say: Say) -> None:
        self.home = timescale_home.prepare(self.home, self._native, say)

    def _settings(self) -> str:
        more = _LISTENING.format(port=self._native.postgres_port) + self._more_settings()
        return configuration(shared_buffers_mb(_MOST_BUFFERS_MB), _MAX_WAL_GB, more)

    def _more_settings(self) -> str:
        return ""

    def _access_rules(self) -> str:
        return _ACCESS

    def _access(self) -> Sequence[str]:
        closed = ("--auth-local", "reject", "--auth-host", "reject")
        if int(self.major_version()) < _BUILTIN_SINCE:
            return ("--locale", "C.UTF-8", *closed)
        order = ("--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8")
        return (*order, *closed)

    def _before_start(self) -> None:
        if port_is_taken("127.0.0.1", self._native.postgres_port):
            raise Misconfigured(
                [
                    f"port {self._native.postgres_port} is taken by another program: set "
                    "CITYBRAIN_NATIVE_POSTGRES_PORT to a free one"
                ]
            )
        path = self.home.data / "pg_hba.conf"
        write_atomically(path, self._access_rules(), mode=0o600)
        self.home.own(path)
        if not self.password_file.exists():
            self._set_password()

    def _set_password(self) -> None:
        """The server knows it before the file says so: a start that is cut off does it again."""
        password = secrets.token_urlsafe(24)
        self._single_user(self.home.data, f"alter role {USER} password '{password}'")
        write_atomically(self.password_file, f"{password}\n", mode=0o600)

    def _password(self) -> str:
        try:
            return self.password_file.read_text(encoding="utf-8").strip()
        except FileNotFoundError as error:
            raise Unavailable("PostgreSQL was never started here: `citybrain up`") from error

    def _after_start(self) -> None:
        from streams.storage.connect import connect, translated

        with translated(), connect(self.conninfo, "public", autocommit=True) as connection:
            connection.execute("create extension if not exists timescaledb")

    def _remove(self) -> None:
        timescale_home.remove(self.home)
        self.password_file.unlink(missing_ok=True)
