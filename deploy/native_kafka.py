"""Apache Kafka without containers: one KRaft node from its published jars, on loopback only.

Data is in `<var_dir>/kafka`, the log of the program in `<var_dir>/log/kafka.log`. Several calls at
the same time are serialised by a lock file.
"""

from __future__ import annotations

import base64
import shutil
import signal
import subprocess
import uuid
from collections.abc import Mapping
from pathlib import Path

import psutil

from deploy import kafka_files, kafka_jars
from deploy.cache_dir import locked
from deploy.health import port_is_taken
from deploy.java import find_java
from deploy.logfile import last_lines
from deploy.native_settings import NativeSettings
from deploy.process import ProcessIdentity, end, wait_until, write_atomically
from deploy.server import Say, quiet
from streams.errors import Misconfigured, Unavailable
from streams.settings import Settings

STOP_GRACE_S = 60.0
READY_POLL_S = 0.25
_CONFIGURATION = "server.properties"
_PID_FILE = "kafka.pid"


class NativeKafka:
    """The broker that belongs to one var folder.

    `more` adds to its properties; `client` holds what a client needs beside the address (a test may
    ask for TLS and passwords).
    """

    name = "Kafka"

    def __init__(
        self,
        var_dir: Path,
        settings: NativeSettings,
        more: Mapping[str, str] | None = None,
        client: Settings | None = None,
    ) -> None:
        self.home: Path = var_dir.resolve() / "kafka"
        self.log: Path = var_dir.resolve() / "log" / "kafka.log"
        self._settings = settings
        self._more = more
        self._client = client or Settings.model_construct(
            kafka=settings.kafka_address, kafka_security="PLAINTEXT"
        )

    @property
    def address(self) -> str:
        """What clients are told: `127.0.0.1:PORT`."""
        return self._settings.kafka_address

    def start(self, timeout_s: float = 120.0, say: Say = quiet) -> str:
        """Starts the broker unless it runs, waits until it answers; the address.

        Fetches the jars when they are missing or damaged. `Misconfigured` without Java or Maven,
        `Unavailable` when it does not come up.
        """
        with locked(self._lock):
            if self.process() is None:
                self._launch(say)
            self._wait_ready(timeout_s)
        return self.address

    def stop(self) -> None:
        """Closes its files and ends. Nothing happens when no broker runs."""
        if not self.home.is_dir():
            return
        with locked(self._lock):
            running = self.process()
            if running is not None:
                end(running, signal.SIGTERM, STOP_GRACE_S)
            self._pid_file.unlink(missing_ok=True)

    def purge(self) -> None:
        """Stops the broker and removes its data for ever."""
        self.stop()
        if self.home.exists():
            shutil.rmtree(self.home)
        self._lock.unlink(missing_ok=True)

    def process(self) -> ProcessIdentity | None:
        """The running broker; None when it does not run.

        A start that was killed before it wrote the pid file is found by its command line.
        """
        known = ProcessIdentity.load(self._pid_file)
        return known or self._found_by_command_line()

    @property
    def _lock(self) -> Path:
        return self.home.with_name("kafka.lock")

    @property
    def _pid_file(self) -> Path:
        return self.home / _PID_FILE

    @property
    def _data(self) -> Path:
        return self.home / "data"

    def _found_by_command_line(self) -> ProcessIdentity | None:
        mine = str(self.home / _CONFIGURATION)
        for process in psutil.process_iter():
            try:
                if mine in process.cmdline() and "kafka.Kafka" in process.cmdline():
                    return ProcessIdentity.of(process.pid)
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
        return None

    def _launch(self, say: Say) -> None:
        java = find_java().program
        jars = kafka_jars.ensure_jars(say)
        self._refuse_taken_ports()
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(self.home / "log4j2.properties", kafka_files.LOGGING)
        if not (self._data / "meta.properties").exists():
            self._format(java, jars)
        self._write_configuration(self._data)
        with self.log.open("ab") as output:
            started = subprocess.Popen(
                self._command(java, jars, "kafka.Kafka", str(self.home / _CONFIGURATION)),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                cwd=self.home,
                env=_environment(),
            )
        identity = ProcessIdentity.of(started.pid)
        if identity is not None:
            identity.save(self._pid_file)
        started.returncode = 0  # detached: it outlives us, and `reap` collects it if it does not

    def _refuse_taken_ports(self) -> None:
        wanted = {
            "CITYBRAIN_NATIVE_KAFKA_PORT": self._settings.kafka_port,
            "CITYBRAIN_NATIVE_KAFKA_CONTROLLER_PORT": self._settings.kafka_controller_port,
        }
        mistakes = [
            f"port {port} is taken by another program: set {name} to a free one"
            for name, port in wanted.items()
            if port_is_taken("127.0.0.1", port)
        ]
        if mistakes:
            raise Misconfigured(mistakes)

    def _format(self, java: str, jars: Path) -> None:
        """Makes the data folder beside its place and moves it there, so that none is half made."""
        partial = self.home / "data.partial"
        for leftover in (partial, self._data):
            if leftover.exists():
                shutil.rmtree(leftover)
        configuration = self._write_configuration(partial)
        tool = ["kafka.tools.StorageTool", "format", "--standalone", "-t", _new_cluster_id()]
        done = subprocess.run(
            self._command(java, jars, *tool, "-c", str(configuration)),
            capture_output=True,
            text=True,
            check=False,
            cwd=self.home,
            env=_environment(),
        )
        if done.returncode != 0:
            words = (done.stdout + done.stderr)[-2000:]
            raise Misconfigured([f"Kafka could not make its data folder: {words}"])
        partial.rename(self._data)

    def _write_configuration(self, data: Path) -> Path:
        path = self.home / _CONFIGURATION
        text = kafka_files.server_properties(data, self._settings, self._more)
        write_atomically(path, text, mode=0o600)
        return path

    def _command(self, java: str, jars: Path, main: str, *arguments: str) -> list[str]:
        heap = self._settings.kafka_heap
        return [
            java,
            f"-Xms{heap}",
            f"-Xmx{heap}",
            "-server",
            "-XX:+UseG1GC",
            "-XX:MaxGCPauseMillis=20",
            "-XX:+ExitOnOutOfMemoryError",
            "-Djava.awt.headless=true",
            f"-Dlog4j2.configurationFile={self.home / 'log4j2.properties'}",
            "-cp",
            f"{jars}/*",
            main,
            *arguments,
        ]

    def _wait_ready(self, timeout_s: float) -> None:
        """A broker that gives up is told at once."""
        from streams.log.kafka_ready import ask_cluster

        trouble = "it does not listen"

        def answers() -> bool:
            nonlocal trouble
            if self.process() is None:
                return True
            if not port_is_taken("127.0.0.1", self._settings.kafka_port):
                return False
            try:
                return bool(ask_cluster(self._client).brokers)
            except Unavailable as error:
                trouble = str(error)
                return False

        done = wait_until(answers, timeout_s, READY_POLL_S)
        if done and self.process() is not None:
            return
        words = "\n".join(last_lines(self.log, 15))
        why = f"is not ready after {timeout_s:.0f} s ({trouble})" if not done else "ended at once"
        raise Unavailable(f"Kafka {why}; see {self.log}\n{words}")


def _new_cluster_id() -> str:
    """As Kafka makes them: 16 random bytes in URL-safe base 64, without a hyphen in front."""
    while True:
        made = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not made.startswith("-"):
            return made


def _environment() -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
