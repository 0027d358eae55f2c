"""The embedded PostgreSQL: started and stopped by us from the programs in its wheel.

It listens on a Unix socket in a folder that only its account may enter, never on TCP. `fsync` and
`synchronous_commit` stay on: what was committed survives kill -9 and a power cut. Several calls at
the same time are serialised by a lock file.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

import psutil

from deploy import postgres_home
from deploy.postgres_home import Home
from deploy.process import ProcessIdentity, end, wait_until, write_atomically
from streams.errors import Misconfigured, Unavailable

USER = "citybrain"
DATABASE = "citybrain"
CONNINFO_FILE = "database.conninfo"
STOP_GRACE_S = 60.0
_MIB = 1024 * 1024

_CONFIGURATION = """\
# Written by citybrain at every start; changes here are lost.
listen_addresses = ''
unix_socket_directories = '{socket}'
unix_socket_permissions = 0700
max_connections = 100
shared_buffers = {shared_buffers_mb}MB
work_mem = 16MB
maintenance_work_mem = 128MB
# Nothing that was committed may be lost.
fsync = on
synchronous_commit = on
full_page_writes = on
# One server without standbys: less log to write, room for bulk loads between checkpoints.
wal_level = minimal
max_wal_senders = 0
wal_buffers = 16MB
min_wal_size = 256MB
max_wal_size = 2GB
checkpoint_timeout = 10min
checkpoint_completion_target = 0.9
random_page_cost = 1.1
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
datestyle = 'ISO, YMD'
client_encoding = 'UTF8'
lc_messages = 'C'
log_destination = 'stderr'
logging_collector = off
log_line_prefix = '%m [%p] %a '
log_checkpoints = off
log_min_messages = warning
"""


class EmbeddedPostgres:
    """The server that belongs to one var folder.

    All methods may be called in any state and from any process; `Misconfigured` where the folder or
    the account makes a server impossible, `Unavailable` where it does not come up.
    """

    def __init__(self, var_dir: Path) -> None:
        self.home: Home = postgres_home.find_home(var_dir)
        self.log: Path = self.home.var_dir / "log" / "postgres.log"

    @property
    def conninfo(self) -> str:
        """The libpq connection string, valid while the server runs."""
        return f"host={_quoted(str(self.home.socket))} port=5432 user={USER} dbname={DATABASE}"

    def start(self, timeout_s: float = 60.0) -> str:
        """Starts the server unless it runs, waits until it takes connections.

        Returns the connection string, also written to `<var_dir>/database.conninfo`.
        """
        with self._locked():
            if self.process() is None:
                self._launch(timeout_s)
            self._wait_ready(timeout_s)
            write_atomically(self.home.var_dir / CONNINFO_FILE, f"{self.conninfo}\n")
        return self.conninfo

    def stop(self) -> None:
        """Ends sessions, writes a checkpoint, stops. Nothing happens when no server runs."""
        if not self.home.var_dir.is_dir():
            return
        with self._locked():
            running = self.process()
            if running is not None and not end(running, signal.SIGINT, STOP_GRACE_S):
                self._wait_for_orphans(10.0)
            (self.home.var_dir / CONNINFO_FILE).unlink(missing_ok=True)
            postgres_home.remove_socket(self.home)

    def purge(self) -> None:
        """Stops the server and removes its data for ever, and its copy of the programs."""
        self.stop()
        postgres_home.remove(self.home)
        if self.home.var_dir.is_dir():
            (self.home.var_dir / "database.lock").unlink(missing_ok=True)

    def process(self) -> ProcessIdentity | None:
        """The running server's first process; None when it does not run.

        The id in `postmaster.pid` counts only when that process is a PostgreSQL on our data folder.
        """
        lines = self._pid_file()
        if not lines or not lines[0].strip().isdigit():
            return None
        identity = ProcessIdentity.of(int(lines[0]))
        if identity is None or not identity.alive():
            return None
        return identity if self._is_ours(identity.pid) else None

    def ready(self) -> bool:
        """True when the server says that it takes connections."""
        lines = self._pid_file()
        return self.process() is not None and len(lines) >= 8 and lines[7].strip() == "ready"

    def _pid_file(self) -> list[str]:
        try:
            return (self.home.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except (FileNotFoundError, PermissionError):
            return []

    def _is_ours(self, pid: int) -> bool:
        try:
            command = psutil.Process(pid).cmdline()
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            return False
        return str(self.home.data) in command and Path(command[0]).name == "postgres"

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """One caller at a time. The lock goes with its holder, however that ends."""
        self.home.var_dir.mkdir(parents=True, exist_ok=True)
        with (self.home.var_dir / "database.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _launch(self, timeout_s: float) -> None:
        postgres_home.prepare(self.home)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if not (self.home.data / "PG_VERSION").exists():
            self._initialise()
        self._check_version()
        self._write_configuration()
        self._clear_stale_files()
        with self.log.open("ab") as log:
            server = subprocess.Popen(
                [self._program("postgres"), "-D", str(self.home.data)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd="/",
                env=_environment(),
                user=self.home.user,
                group=self.home.group,
                extra_groups=self.home.extra_groups,
            )
        settled = wait_until(
            lambda: server.poll() is not None or self.process() is not None, timeout_s
        )
        if not settled or server.poll() is not None:
            raise Unavailable(f"PostgreSQL did not start; its last words:\n{self._last_words()}")
        server.returncode = 0  # detached: it outlives us, and `reap` collects it if it does not

    def _initialise(self) -> None:
        """Makes the cluster beside its place and moves it there, so that none is half made."""
        for leftover in (self.home.data.with_name("data.partial"), self.home.data):
            if leftover.exists():
                shutil.rmtree(leftover)
        partial = self.home.data.with_name("data.partial")
        self.home.make_private(partial)
        self._run(
            [
                "initdb",
                "--pgdata",
                str(partial),
                "--username",
                USER,
                "--encoding",
                "UTF8",
                "--locale",
                "C",
                "--locale-provider",
                "builtin",
                "--builtin-locale",
                "C.UTF-8",
                "--auth-local",
                "trust",
                "--auth-host",
                "reject",
                "--data-checksums",
            ]
        )
        self._run(
            ["postgres", "--single", "-j", "-D", str(partial), "postgres"],
            text=f"create database {DATABASE}\n",
        )
        partial.rename(self.home.data)

    def _run(self, command: Sequence[str], text: str = "") -> None:
        finished = subprocess.run(
            [self._program(command[0]), *command[1:]],
            input=text,
            capture_output=True,
            text=True,
            cwd="/",
            env=_environment(),
            check=False,
            user=self.home.user,
            group=self.home.group,
            extra_groups=self.home.extra_groups,
        )
        if finished.returncode != 0:
            words = (finished.stdout + finished.stderr)[-2000:]
            raise Misconfigured([f"{command[0]} failed: {words}"])

    def _program(self, name: str) -> str:
        return str(self.home.programs / "bin" / name)

    def _check_version(self) -> None:
        have = (self.home.data / "PG_VERSION").read_text(encoding="utf-8").strip()
        want = postgres_home.major_version()
        if have != want:
            raise Misconfigured(
                [
                    f"{self.home.data} was written by PostgreSQL {have}, the installed one is "
                    f"{want}: export with {have}, or start anew with `citybrain down --purge`"
                ]
            )

    def _write_configuration(self) -> None:
        memory_mb = psutil.virtual_memory().total // _MIB
        text = _CONFIGURATION.format(
            socket=str(self.home.socket).replace("'", "''"),
            shared_buffers_mb=max(64, min(512, memory_mb // 8)),
        )
        path = self.home.data / "postgresql.conf"
        write_atomically(path, text)
        self.home.own(path)

    def _clear_stale_files(self) -> None:
        """After kill -9: lets a start succeed even where another process got the old id.

        PostgreSQL takes a pid file that names its own parent for stale, and still looks for
        survivors in shared memory; so our id goes in, and the rest of the file stays.
        """
        self._wait_for_orphans(10.0)
        path = self.home.data / "postmaster.pid"
        lines = self._pid_file()
        if lines:
            write_atomically(path, "\n".join([str(os.getpid()), *lines[1:]]) + "\n")
            self.home.own(path)
        for leftover in (postgres_home.SOCKET_NAME, f"{postgres_home.SOCKET_NAME}.lock"):
            (self.home.socket / leftover).unlink(missing_ok=True)

    def _wait_for_orphans(self, timeout_s: float) -> None:
        """Backends that survive a killed server see it and leave within moments."""
        if not wait_until(lambda: not self._orphans(), timeout_s, poll_s=0.1):
            raise Unavailable(
                f"processes of a dead PostgreSQL still use {self.home.data}: {self._orphans()}"
            )

    def _orphans(self) -> list[int]:
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                alive = process.status() != psutil.STATUS_ZOMBIE
                if alive and process.cwd() == str(self.home.data):
                    found.append(process.pid)
        return found

    def _wait_ready(self, timeout_s: float) -> None:
        """Recovery after a crash may take its time; a server that gives up is told at once."""
        wait_until(lambda: self.ready() or self.process() is None, timeout_s)
        if not self.ready():
            raise Unavailable(f"PostgreSQL is not ready; its last words:\n{self._last_words()}")

    def _last_words(self) -> str:
        if not self.log.exists():
            return "(none)"
        with self.log.open("rb") as log:
            return _tail(log, 2000)


def _environment() -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


def _quoted(value: str) -> str:
    """A value of a libpq connection string."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _tail(file: IO[bytes], size: int) -> str:
    file.seek(0, os.SEEK_END)
    file.seek(max(0, file.tell() - size))
    return file.read().decode("utf-8", "replace")
