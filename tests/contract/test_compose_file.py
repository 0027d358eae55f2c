"""`deploy/compose.yaml` is valid by the Compose specification's own program, and safe as written.

Nothing is started and no image is fetched. The program comes from Go's module proxy once.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deploy import kafka_jars
from deploy.cache_dir import cache_dir, locked
from deploy.compose import FILE, PASSWORD
from deploy.native_settings import NativeSettings
from tests.support.native import not_here

CHECKER = "github.com/compose-spec/compose-go/v2/cmd@v2.16.2"
OURS = FILE.read_text(encoding="utf-8")
# The checker looks no variable up, so the password is put in here.
GIVEN = re.sub(rf"\$\{{{PASSWORD}:\?[^}}]*\}}", "only-for-this-test", OURS)
Render = Callable[[str], subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def checker() -> Path:
    """compose-go's command, built once for this account."""
    folder = cache_dir() / f"compose-go-{CHECKER.rpartition('@')[2]}"
    program = folder / "cmd"
    with locked(folder.with_name(f"{folder.name}.lock")):
        if not program.exists():
            go = shutil.which("go")
            if go is None:
                not_here("no Go to check deploy/compose.yaml with: apt-get install golang-go")
            environment = {**os.environ, "GOBIN": str(folder), "GOFLAGS": ""}
            built = subprocess.run(
                [go, "install", CHECKER],
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            if built.returncode != 0:
                not_here(f"compose-go could not be built: {built.stderr[-500:]}")
    return program


@pytest.fixture(scope="module")
def render(checker: Path, tmp_path_factory: pytest.TempPathFactory) -> Render:
    folder = tmp_path_factory.mktemp("compose")

    def run(text: str) -> subprocess.CompletedProcess[str]:
        (folder / "compose.yaml").write_text(text, encoding="utf-8")
        command = [str(checker), "-format", "json", "compose.yaml"]
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)

    return run


@pytest.fixture(scope="module")
def model(render: Render) -> dict[str, Any]:
    done = render(GIVEN)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_there_is_no_default_password(render: Render) -> None:
    done = render(OURS)
    assert done.returncode != 0
    assert "set a password for PostgreSQL" in done.stderr + done.stdout


def test_a_wrong_file_is_found(render: Render) -> None:
    for wrong in (
        GIVEN.replace("retries: 12", "retries: many"),
        GIVEN.replace("healthcheck:", "healthchek:"),
    ):
        assert wrong != GIVEN
        assert render(wrong).returncode != 0


def test_all_is_published_on_loopback_at_the_ports_of_native(model: dict[str, Any]) -> None:
    published = {
        name: [(p["host_ip"], int(p["published"])) for p in service.get("ports", ())]
        for name, service in model["services"].items()
    }
    native = NativeSettings.model_construct()
    assert published == {
        "kafka": [("127.0.0.1", native.kafka_port)],
        "timescaledb": [("127.0.0.1", native.postgres_port)],
    }


def test_images_are_pinned_and_what_they_keep_is_in_volumes(model: dict[str, Any]) -> None:
    for name, service in model["services"].items():
        assert re.search(r":\d+\.\d+\.\d+", service["image"]), name
        assert service["healthcheck"]["test"], name
        assert [volume["type"] for volume in service["volumes"]] == ["volume"], name
        assert service["volumes"][0]["source"] in model["volumes"], name
    assert model["services"]["kafka"]["image"] == f"apache/kafka:{kafka_jars.version()}"


def test_the_broker_keeps_the_broker_s_time(model: dict[str, Any]) -> None:
    environment = model["services"]["kafka"]["environment"]
    assert environment["KAFKA_LOG_MESSAGE_TIMESTAMP_TYPE"] == "LogAppendTime"
    assert environment["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"
