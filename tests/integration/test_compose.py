"""`--infra compose` up to the engine's border: passwords, what Docker's command is asked for.

The command is a script that writes its calls down; no engine is here.
"""

from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest

from deploy.compose import PASSWORD, PASSWORDS, READER_PASSWORD, SECRETS_FILE, Compose
from streams.errors import Misconfigured

pytestmark = pytest.mark.integration
DOCKER = """#!/bin/sh
echo "$@" >> "{calls}"
echo "$CITYBRAIN_COMPOSE_GRAFANA_DIR $CITYBRAIN_COMPOSE_GRAFANA_PORT" >> "{calls}.env"
"""


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the calls of `docker` are written."""
    calls, program = tmp_path / "calls", tmp_path / "bin" / "docker"
    program.parent.mkdir()
    program.write_text(DOCKER.format(calls=calls), encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    return calls


def held(var_dir: Path) -> dict[str, str]:
    text = (var_dir / SECRETS_FILE).read_text(encoding="utf-8")
    return dict(re.findall(r"^(\w+)=(\S+)$", text, re.MULTILINE))


def test_passwords_are_made_once_and_only_the_owner_reads_them(calls: Path, tmp_path: Path) -> None:
    first = Compose(tmp_path).start(lambda _: None)
    made = held(tmp_path)
    assert set(made) == set(PASSWORDS)
    assert len(set(made.values())) == len(PASSWORDS)
    assert all(len(value) >= 32 for value in made.values())
    assert stat.S_IMODE((tmp_path / SECRETS_FILE).stat().st_mode) == 0o600
    assert Compose(tmp_path).start(lambda _: None) == first
    assert held(tmp_path) == made
    assert first.reader_password == made[READER_PASSWORD]
    assert made[PASSWORD] in first.database
    assert not any(value in calls.read_text(encoding="utf-8") for value in made.values())


def test_a_folder_of_an_earlier_version_keeps_its_password(calls: Path, tmp_path: Path) -> None:
    (tmp_path / SECRETS_FILE).write_text(f"{PASSWORD}=kept\n", encoding="utf-8")
    assert "password=kept" in Compose(tmp_path).start(lambda _: None).database
    assert set(held(tmp_path)) == set(PASSWORDS)
    (tmp_path / SECRETS_FILE).write_text("nothing=here\n", encoding="utf-8")
    with pytest.raises(Misconfigured, match=PASSWORD):
        Compose(tmp_path).start(lambda _: None)


def test_grafana_comes_only_when_its_files_are_there_and_always_goes(
    calls: Path, tmp_path: Path
) -> None:
    Compose(tmp_path).start(lambda _: None)
    Compose(tmp_path).start(lambda _: None, with_grafana=True)
    Compose(tmp_path).stop()
    Compose(tmp_path).purge()
    asked = calls.read_text(encoding="utf-8").splitlines()
    ups = [line for line in asked if " up " in line]
    assert ["--profile grafana" in line for line in ups] == [False, True]
    downs = [line for line in asked if " down" in line]
    assert ["--profile grafana" in line for line in downs] == [True, True]
    assert f"{tmp_path.absolute() / 'grafana'} 8613" in Path(f"{calls}.env").read_text()
