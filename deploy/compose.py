"""Kafka and TimescaleDB by containers, for `--infra compose`: asks Docker's own command for all.

The containers' engine keeps them running, so the supervisor does not watch them. The password of
PostgreSQL is made once and kept where only the owner may read it.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
import subprocess
from pathlib import Path

from deploy.addresses import Addresses
from deploy.native_settings import load_native_settings
from deploy.postgres_server import CONNINFO_FILE, DATABASE, USER
from deploy.process import write_atomically
from deploy.server import Say
from streams.errors import Misconfigured, Unavailable

FILE = Path(__file__).with_name("compose.yaml")
PASSWORD = "CITYBRAIN_POSTGRES_PASSWORD"  # noqa: S105 (a name)
SECRETS_FILE = "compose.env"
UP_TIMEOUT_S = 900.0  # images are fetched the first time
ASK_TIMEOUT_S = 15.0


class Compose:
    """The containers of one var folder. `Unavailable` where no engine answers."""

    def __init__(self, var_dir: Path) -> None:
        self._var_dir = var_dir
        self._native = load_native_settings()

    @property
    def kafka_address(self) -> str:
        """What clients on this machine are told."""
        return self._native.kafka_address

    def start(self, say: Say) -> Addresses:
        """Starts what does not run and waits until it is healthy."""
        self._check_engine()
        password = self._password()
        say("starting containers (images are fetched the first time)")
        self._compose("up", "--detach", "--wait", "--quiet-pull", timeout_s=UP_TIMEOUT_S)
        conninfo = (
            f"host=127.0.0.1 port={self._native.postgres_port} user={USER} dbname={DATABASE} "
            f"password={password}"
        )
        write_atomically(self._var_dir / CONNINFO_FILE, f"{conninfo}\n", mode=0o600)
        say("containers ready")
        return Addresses(conninfo, self.kafka_address)

    def stop(self) -> bool:
        """Stops the containers; the data stays. False when they were never started."""
        if not (self._var_dir / SECRETS_FILE).exists():
            return False
        self._check_engine()
        self._compose("down", timeout_s=UP_TIMEOUT_S)
        (self._var_dir / CONNINFO_FILE).unlink(missing_ok=True)
        return True

    def purge(self) -> None:
        """Removes the containers and their volumes for ever."""
        if (self._var_dir / SECRETS_FILE).exists():
            self._check_engine()
            self._compose("down", "--volumes", timeout_s=UP_TIMEOUT_S)

    def _password(self) -> str:
        """PostgreSQL takes it when its volume is made, so it stays as long as the volume."""
        path = self._var_dir / SECRETS_FILE
        if not path.exists():
            write_atomically(path, f"{PASSWORD}={secrets.token_urlsafe(24)}\n", mode=0o600)
        found = re.search(rf"^{PASSWORD}=(\S+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
        if found is None:
            raise Misconfigured([f"{path} holds no {PASSWORD}"])
        return found[1]

    def _check_engine(self) -> None:
        for command, complaint in (
            (["compose", "version"], "there is no `docker compose`: install Docker with Compose 2"),
            (["info"], "no container engine answers: start Docker"),
        ):
            if not _answers(command):
                raise Unavailable(
                    f"{complaint}, or use --infra native or embedded (docs/infrastructure.md)"
                )

    def _compose(self, *arguments: str, timeout_s: float) -> None:
        secret = str(self._var_dir / SECRETS_FILE)
        # Containers of two var folders must not take each other for their own.
        project = f"citybrain-{_short(self._var_dir)}"
        command = [_docker(), "compose", "-p", project, "-f", str(FILE), "--env-file", secret]
        environment = {
            **os.environ,
            "CITYBRAIN_COMPOSE_KAFKA_PORT": str(self._native.kafka_port),
            "CITYBRAIN_COMPOSE_POSTGRES_PORT": str(self._native.postgres_port),
        }
        try:
            done = subprocess.run(
                [*command, *arguments],
                env=environment,
                capture_output=True,
                text=True,
                check=False,
                timeout=timeout_s,
            )
        except subprocess.TimeoutExpired as error:
            raise Unavailable(
                f"docker compose {arguments[0]} took over {timeout_s:.0f} s"
            ) from error
        if done.returncode != 0:
            raise Unavailable(f"docker compose {arguments[0]} failed: {done.stderr[-2000:]}")


def _docker() -> str:
    return shutil.which("docker") or "docker"


def _answers(arguments: list[str]) -> bool:
    try:
        subprocess.run(
            [_docker(), *arguments], capture_output=True, check=True, timeout=ASK_TIMEOUT_S
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return True


def _short(folder: Path) -> str:
    return hashlib.sha256(os.fsencode(folder)).hexdigest()[:8]
