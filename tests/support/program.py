"""citybrain as a user runs it, with a var folder and ports of its own, all removed at the end."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy import service
from deploy.process import ProcessIdentity
from tests.support.mosquitto import free_port
from tests.support.postgres import own_process

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Program:
    """The command line with the environment that a user would have set."""

    var_dir: Path
    environment: Mapping[str, str]

    @property
    def url(self) -> str:
        """Of the API."""
        return f"http://127.0.0.1:{self.environment['CITYBRAIN_API_PORT']}"

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Begins one verb."""
        return subprocess.Popen(
            self._command(arguments),
            cwd=ROOT,
            env=dict(self.environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs one verb to its end, well or badly."""
        return subprocess.run(
            self._command(arguments),
            cwd=ROOT,
            env=dict(self.environment),
            capture_output=True,
            text=True,
            check=False,
        )

    def run(self, *arguments: str) -> str:
        """Runs one verb that must succeed; what it said."""
        said, _ = (process := self.start(*arguments)).communicate()
        assert process.returncode == 0, said
        return said

    def _command(self, arguments: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-m", "deploy.cli", *arguments]

    def child(self, name: str) -> ProcessIdentity:
        """The supervised process of this name, which must run now."""
        pid = next(state.pid for state in service.states(self.var_dir) if state.name == name)
        assert pid is not None, name
        found = ProcessIdentity.of(pid)
        assert found is not None, name
        return found

    def let_go(self) -> None:
        """Whatever a test has stopped goes on."""
        for state in service.states(self.var_dir):
            found = None if state.pid is None else ProcessIdentity.of(state.pid)
            if found is not None:
                found.signal(signal.SIGCONT)


@contextmanager
def program(**settings: str) -> Iterator[Program]:
    """Nothing runs yet; `settings` without their prefix. Everything is stopped at the end."""
    folder = Path(tempfile.mkdtemp(prefix="citybrain-test-"))
    own_process().save(folder / "owner.json")
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("CITYBRAIN_")},
        "CITYBRAIN_VAR_DIR": str(folder),
        "CITYBRAIN_API_PORT": str(free_port()),
        "CITYBRAIN_GATEWAY_PORT": str(free_port()),
        **{f"CITYBRAIN_{name}": value for name, value in settings.items()},
    }
    made = Program(folder, environment)
    try:
        yield made
    finally:
        made.start("down", "--purge").communicate()
        shutil.rmtree(folder)
