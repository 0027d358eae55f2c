"""The embedded PostgreSQL: the programs of a wheel, a Unix socket, never TCP.

The socket is in a folder that only the server's account may enter.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from deploy import postgres_home
from deploy.postgres_server import DATABASE, USER, PostgresServer, configuration, quoted
from deploy.postgres_server import shared_buffers_mb as part_of_memory
from deploy.server import Say

_MOST_BUFFERS_MB = 512
_MAX_WAL_GB = 2
_LISTENING = """\
listen_addresses = ''
unix_socket_directories = '{socket}'
unix_socket_permissions = 0700
"""


class EmbeddedPostgres(PostgresServer):
    """The embedded server of a var folder. `Misconfigured` where there can be none."""

    def __init__(self, var_dir: Path) -> None:
        super().__init__(postgres_home.find_home(var_dir))

    @property
    def conninfo(self) -> str:
        return f"host={quoted(str(self.home.socket))} port=5432 user={USER} dbname={DATABASE}"

    def major_version(self) -> str:
        return postgres_home.major_version()

    def _prepare(self, say: Say) -> None:
        postgres_home.prepare(self.home)

    def _settings(self) -> str:
        socket = str(self.home.socket).replace("'", "''")
        more = _LISTENING.format(socket=socket)
        return configuration(part_of_memory(_MOST_BUFFERS_MB), _MAX_WAL_GB, more)

    def _access(self) -> Sequence[str]:
        order = ("--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8")
        return (*order, "--auth-local", "trust", "--auth-host", "reject")
