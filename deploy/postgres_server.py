"""A PostgreSQL that citybrain starts and stops by itself, wherever its programs come from.

`fsync` and `synchronous_commit` stay on: what was committed survives kill -9 and a power cut. The
server runs as `home.account` (root never runs one), inside `home.chroot` where there is one.
Several calls at the same time are serialised by a lock file.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil

from deploy import postgres_home
from deploy.cache_dir import locked
from deploy.logfile import last_lines
from deploy.postgres_home import Home
from deploy.process import ProcessIdentity, end, wait_until, write_atomically
from deploy.server import Say, quiet
from streams.errors import Misconfigured, Unavailable

USER = "citybrain"
DATABASE = "citybrain"
CONNINFO_FILE = "database.conninfo"
STOP_GRACE_S = 60.0
_MIB = 1024 * 1024

_CONFIGURATION = """\
# Written by citybrain at every start; changes here are lost.
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
max_wal_size = {max_wal_gb}GB
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


def configuration(shared_buffers_mb: int, max_wal_gb: int, more: str) -> str:
    """The text of `postgresql.conf`; `more` says where it listens and whatever overrides it."""
    return _CONFIGURATION.format(shared_buffers_mb=shared_buffers_mb, max_wal_gb=max_wal_gb) + more


def shared_buffers_mb(most: int) -> int:
    """An eighth of this machine's memory, within bounds."""
    return max(64, min(most, psutil.virtual_memory().total // _MIB // 8))


class PostgresServer(ABC):
    """The server that belongs to one var folder.

    All methods may be called in any state and from any process; `Misconfigured` where the folder or
    the account makes a server impossible, `Unavailable` where it does not come up.
    """

    name = "PostgreSQL"

    def __init__(self, home: Home) -> None:
        self.home: Home = home
        self.log: Path = home.var_dir / "log" / "postgres.log"

    @property
    @abstractmethod
    def conninfo(self) -> str:
        """The libpq connection string, valid while the server runs."""

    @abstractmethod
    def major_version(self) -> str:
        """Of the programs, as in a data folder's `PG_VERSION`."""

    @abstractmethod
    def _prepare(self, say: Say) -> None:
        """Makes the folders and gets the programs. Safe to repeat."""

    @abstractmethod
    def _settings(self) -> str:
        """The text of `postgresql.conf`."""

    @abstractmethod
    def _access(self) -> Sequence[str]:
        """Options of `initdb` that say who may connect and how text is ordered."""

    def _before_start(self) -> None:
        """What else must be right before every start."""
        return

    def _after_start(self) -> None:
        """What else must be right once it takes connections."""
        return

    def _remove(self) -> None:
        """Removes everything that `_prepare` and the server made, and nothing else."""
        postgres_home.remove(self.home)

    def start(self, timeout_s: float = 60.0, say: Say = quiet) -> str:
        """Starts the server unless it runs, waits until it takes connections.

        Returns the connection string, also written to `<var_dir>/database.conninfo`.
        """
        with self._locked():
            if self.process() is None:
                self._launch(timeout_s, say)
            self._wait_ready(timeout_s)
            self._after_start()
            file = self.home.var_dir / CONNINFO_FILE
            write_atomically(file, f"{self.conninfo}\n", mode=0o600)
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
        self._remove()
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
            process = psutil.Process(pid)
            command, folder = process.cmdline(), process.cwd()
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            return False
        if not command:  # it is dying at this moment
            return False
        return folder == str(self.home.data) and Path(command[0]).name == "postgres"

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        with locked(self.home.var_dir / "database.lock"):
            yield

    def _launch(self, timeout_s: float, say: Say) -> None:
        self._prepare(say)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if not (self.home.data / "PG_VERSION").exists():
            self._initialise()
        self._check_version()
        self._write_configuration()
        self._clear_stale_files()
        self._before_start()
        with self.log.open("ab") as log:
            server = subprocess.Popen(
                self.home.command("postgres", "-D", self.home.inside(self.home.data)),
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
            "initdb",
            "--pgdata",
            self.home.inside(partial),
            "--username",
            USER,
            "--encoding",
            "UTF8",
            "--data-checksums",
            *self._access(),
        )
        self._single_user(partial, f"create database {DATABASE}")
        partial.rename(self.home.data)

    def _single_user(self, data: Path, statement: str) -> None:
        """Runs a statement on a data folder that no server uses."""
        plain = ("-c", "shared_preload_libraries=")
        arguments = ("--single", "-j", *plain, "-D", self.home.inside(data), "postgres")
        self._run("postgres", *arguments, text=f"{statement}\n")

    def _run(self, program: str, *arguments: str, text: str = "") -> None:
        finished = subprocess.run(
            self.home.command(program, *arguments),
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
            raise Misconfigured([f"{program} failed: {words}"])

    def _check_version(self) -> None:
        have = (self.home.data / "PG_VERSION").read_text(encoding="utf-8").strip()
        want = self.major_version()
        if have != want:
            raise Misconfigured(
                [
                    f"{self.home.data} was written by PostgreSQL {have}, the installed one is "
                    f"{want}: export with {have}, or start anew with `citybrain down --purge`"
                ]
            )

    def _write_configuration(self) -> None:
        path = self.home.data / "postgresql.conf"
        write_atomically(path, self._settings())
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
        return "\n".join(last_lines(self.log, 15)) or "(none)"


def _environment() -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


def quoted(value: str) -> str:
    """A value of a libpq connection string."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
