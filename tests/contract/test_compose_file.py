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
import yaml

from dashboards.grafana import provisioning
from dashboards.grafana.settings import GrafanaSettings
from deploy import kafka_jars
from deploy.cache_dir import cache_dir, locked
from deploy.compose import FILE, PASSWORDS
from deploy.native_settings import NativeSettings
from tests.support.native import not_here

CHECKER = "github.com/compose-spec/compose-go/v2/cmd@v2.16.2"
OURS = FILE.read_text(encoding="utf-8")
# The checker looks no variable up and has no profiles, so both are put in here.
GIVEN = re.sub(rf"\$\{{(?:{'|'.join(PASSWORDS)}):\?[^}}]*\}}", "only-for-this-test", OURS)
GIVEN = re.sub(r" *profiles: .*\n", "", GIVEN)
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


@pytest.mark.parametrize("name", PASSWORDS)
def test_there_is_no_default_password(render: Render, name: str) -> None:
    others = [other for other in PASSWORDS if other != name]
    text = re.sub(rf"\$\{{(?:{'|'.join(others)}):\?[^}}]*\}}", "only-for-this-test", OURS)
    text = re.sub(r" *profiles: .*\n", "", text)
    done = render(text)
    assert done.returncode != 0
    assert "set a password for" in done.stderr + done.stdout


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
        "grafana": [("127.0.0.1", native.grafana_port)],
    }


def test_images_are_pinned_and_what_they_keep_is_in_volumes(model: dict[str, Any]) -> None:
    for name, service in model["services"].items():
        assert re.search(r":\d+\.\d+\.\d+", service["image"]), name
        assert service["healthcheck"]["test"], name
        own, *given = service["volumes"]
        assert own["type"] == "volume", name
        assert own["source"] in model["volumes"], name
        assert all(each["type"] == "bind" and each["read_only"] for each in given), name
    assert model["services"]["kafka"]["image"] == f"apache/kafka:{kafka_jars.version()}"


def test_the_broker_keeps_the_broker_s_time(model: dict[str, Any]) -> None:
    environment = model["services"]["kafka"]["environment"]
    assert environment["KAFKA_LOG_MESSAGE_TIMESTAMP_TYPE"] == "LogAppendTime"
    assert environment["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"


def test_grafana_asks_nobody_outside_and_lets_nobody_in_without_a_password(
    model: dict[str, Any],
) -> None:
    grafana = model["services"]["grafana"]
    environment = grafana["environment"]
    for name in ("REPORTING_ENABLED", "CHECK_FOR_UPDATES", "CHECK_FOR_PLUGIN_UPDATES"):
        assert environment[f"GF_ANALYTICS_{name}"] == "false"
    assert environment["GF_AUTH_ANONYMOUS_ENABLED"] == "false"
    assert environment["GF_USERS_ALLOW_SIGN_UP"] == "false"
    targets = {each["target"] for each in grafana["volumes"] if each["type"] == "bind"}
    assert targets == {
        "/etc/grafana/provisioning",
        provisioning.DASHBOARDS,
        "/usr/share/grafana/public/citybrain",
    }


def test_the_provisioning_files_need_what_the_container_has(model: dict[str, Any]) -> None:
    made = provisioning.files(GrafanaSettings.model_construct())
    named = {name for text in made.values() for name in re.findall(r"\$(\w+)", text)}
    assert named - {"__env"} <= set(model["services"]["grafana"]["environment"])
    (source,) = yaml.safe_load(made["datasources/citybrain.yaml"])["datasources"]
    assert (source["user"], source["editable"]) == ("citybrain_reader", False)
    assert source["secureJsonData"] == {"password": "$CITYBRAIN_READER_PASSWORD"}
    (provider,) = yaml.safe_load(made["dashboards/citybrain.yaml"])["providers"]
    assert provider["options"] == {"path": provisioning.DASHBOARDS}
