"""Kafka, TimescaleDB and Grafana by containers, for `--infra compose`, by Docker's own command.

The containers' engine keeps them running, so the supervisor does not watch them. Passwords are made
once and kept where only the owner may read them.
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
READER_PASSWORD = "CITYBRAIN_READER_PASSWORD"  # noqa: S105 (a name)
GRAFANA_PASSWORD = "CITYBRAIN_GRAFANA_PASSWORD"  # noqa: S105 (a name)
PASSWORDS = (PASSWORD, READER_PASSWORD, GRAFANA_PASSWORD)
GRAFANA = ("--profile", "grafana")
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

    def start(self, say: Say, *, with_grafana: bool = False) -> Addresses:
        """Starts what does not run and waits until it is healthy. A Grafana reads its files from
        the var folder: they must be there."""
        self._check_engine()
        passwords = self._passwords()
        say("starting containers (images are fetched the first time)")
        chosen = GRAFANA if with_grafana else ()
        self._compose(*chosen, "up", "--detach", "--wait", "--quiet-pull", timeout_s=UP_TIMEOUT_S)
        conninfo = (
            f"host=127.0.0.1 port={self._native.postgres_port} user={USER} dbname={DATABASE} "
            f"password={passwords[PASSWORD]}"
        )
        write_atomically(self._var_dir / CONNINFO_FILE, f"{conninfo}\n", mode=0o600)
        say("containers ready")
        return Addresses(conninfo, self.kafka_address, passwords[READER_PASSWORD])

    def stop(self) -> bool:
        """Stops the containers; the data stays. False when they were never started."""
        if not (self._var_dir / SECRETS_FILE).exists():
            return False
        self._check_engine()
        self._passwords()
        self._compose(*GRAFANA, "down", timeout_s=UP_TIMEOUT_S)
        (self._var_dir / CONNINFO_FILE).unlink(missing_ok=True)
        return True

    def purge(self) -> None:
        """Removes the containers and their volumes for ever."""
        if (self._var_dir / SECRETS_FILE).exists():
            self._check_engine()
            self._passwords()
            self._compose(*GRAFANA, "down", "--volumes", timeout_s=UP_TIMEOUT_S)

    def _passwords(self) -> dict[str, str]:
        """By name. A server takes its own when its volume is made, so each stays as long as that;
        one that an earlier version did not know is added."""
        path = self._var_dir / SECRETS_FILE
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        found = dict(re.findall(r"^(\w+)=(\S+)$", text, re.MULTILINE))
        if text and PASSWORD not in found:
            raise Misconfigured([f"{path} holds no {PASSWORD}"])
        every = {name: found.get(name) or secrets.token_urlsafe(24) for name in PASSWORDS}
        if every != {name: found.get(name) for name in PASSWORDS}:
            lines = "".join(f"{name}={value}\n" for name, value in {**found, **every}.items())
            write_atomically(path, lines, mode=0o600)
        return every

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
            "CITYBRAIN_COMPOSE_GRAFANA_PORT": str(self._native.grafana_port),
            "CITYBRAIN_COMPOSE_GRAFANA_DIR": str(self._var_dir.absolute() / "grafana"),
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
