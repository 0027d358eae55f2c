"""A PostgreSQL of a test's own, which may be killed, made read-only, or left without space."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from deploy.postgres_server import PostgresServer
from deploy.process import wait_until

DISK_MB = 512
FILLER = "filler"


class Database:
    """One server. What is made in it lies on a small disk where the machine allows one.

    A disk of its own needs root (a tmpfs as the tablespace of every table). Elsewhere `fill_disk`
    makes COPY fail with the error of a full disk, by a trigger; `disk` says which.
    """

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self._mount: Path | None = None
        self.disk = "trigger"

    @property
    def conninfo(self) -> str:
        return self._server.conninfo

    def start(self) -> None:
        """Starts it, or starts it again."""
        self._server.start()

    def make_disk(self) -> None:
        """Before any table is made: gives the tables a small disk of their own."""
        if os.geteuid() != 0:
            return
        home = self._server.home
        seen_from = home.chroot or Path("/")
        mount = Path(tempfile.mkdtemp(prefix="citybrain-disk-", dir=home.chroot))
        command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", str(mount)]
        if subprocess.run(command, check=False, capture_output=True).returncode:
            mount.rmdir()
            return
        self._mount, self.disk = mount, "tmpfs"
        mount.chmod(0o755)
        space = mount / "tablespace"
        space.mkdir(mode=0o700)
        if home.account is not None:
            os.chown(space, home.account.uid, home.account.gid)
        place = "/" / space.relative_to(seen_from)
        database = sql.Identifier(self._name())
        self._execute(
            sql.SQL("create tablespace small location {}").format(sql.Literal(str(place))),
            sql.SQL("alter database {} set default_tablespace = small").format(database),
        )

    def kill(self) -> None:
        """kill -9 of its first process; returns when that is gone."""
        process = self._server.process()
        assert process is not None, "the database does not run"
        os.kill(process.pid, signal.SIGKILL)
        assert wait_until(lambda: self._server.process() is None, 10.0), "PostgreSQL lives on"

    def set_read_only(self, yes: bool) -> None:
        """For every session: those that are open are ended."""
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            connection.execute("set default_transaction_read_only = off")
            connection.execute(
                sql.SQL("alter database {} set default_transaction_read_only = {}").format(
                    sql.Identifier(self._name()), sql.SQL("on" if yes else "off")
                )
            )
            connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid()"
            )

    def fill_disk(self, namespace: str) -> None:
        """From now on nothing more can be stored."""
        if self._mount is None:
            self._script(namespace, REFUSE)
            return
        with (self._mount / FILLER).open("wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(bytes(1 << 20))
            except OSError:
                return  # full: that is what it is for

    def free_disk(self, namespace: str) -> None:
        """There is space again."""
        if self._mount is None:
            self._script(namespace, ACCEPT)
        else:
            (self._mount / FILLER).unlink()

    def purge(self) -> None:
        """Removes everything."""
        self._server.stop()
        if self._mount is not None:
            subprocess.run(["umount", str(self._mount)], check=True)
            self._mount.rmdir()
        self._server.purge()

    def _name(self) -> str:
        return str(conninfo_to_dict(self.conninfo)["dbname"])

    def _execute(self, *statements: sql.Composed) -> None:
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)

    def _script(self, namespace: str, script: str) -> None:
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            connection.execute("select set_config('search_path', %s, false)", (namespace,))
            connection.execute(script.encode())


REFUSE = """
create or replace function refuse_for_lack_of_space() returns trigger language plpgsql as $$
begin
    raise exception 'could not extend file: No space left on device' using errcode = '53100';
end $$;
create trigger full_disk before insert on observation
    for each statement execute function refuse_for_lack_of_space();
"""
ACCEPT = "drop trigger full_disk on observation"
