"""A real broker for tests: Debian's mosquitto on loopback with a kept store; it may be killed."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

PATIENCE_S = 20.0


@dataclass
class Mosquitto:
    """`start` and `kill` as often as a test likes; the port and the store stay."""

    folder: Path
    port: int
    more: str = ""
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when it answers."""
        lines = [
            f"listener {self.port} 127.0.0.1",
            "allow_anonymous true",
            "persistence true",
            f"persistence_location {self.folder}/",
            "autosave_interval 1",
            "max_queued_messages 0",
            "max_inflight_messages 0",
            "user root" if os.geteuid() == 0 else "",
            self.more,
        ]
        path = self.folder / "mosquitto.conf"
        path.write_text("\n".join(lines))
        self.process = subprocess.Popen(
            [program(), "-c", str(path)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + PATIENCE_S
        while not _answers(self.port):
            assert self.process.poll() is None, "mosquitto ended at once"
            assert time.monotonic() < deadline, "mosquitto does not answer"
            time.sleep(0.05)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Ends it; on SIGTERM it writes its store."""
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(PATIENCE_S)
            self.process = None


def program() -> str:
    """The broker's path; a missing one fails where everything must be there (CI=true)."""
    found = shutil.which("mosquitto") or shutil.which("/usr/sbin/mosquitto")
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail("no mosquitto: apt-get install mosquitto")
        pytest.skip("no mosquitto here (Debian's package of that name)")
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0
