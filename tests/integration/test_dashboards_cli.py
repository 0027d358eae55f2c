"""`citybrain dashboards build|check|render` as a user runs them, on what a typhoon has left."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from deploy.cli import run
from streams.catalog import Profile
from streams.storage.connect import connect
from streams.storage.registry import save_profile
from tests.support.shared_data import shared_data
from tests.support.typhoon import Typhoon

pytestmark = pytest.mark.integration


@pytest.fixture
def there(typhoon: Typhoon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Typhoon:
    """The settings lead to the typhoon's namespace."""
    monkeypatch.setenv("CITYBRAIN_VAR_DIR", str(tmp_path / "var"))
    monkeypatch.setenv("CITYBRAIN_DATABASE", typhoon.conninfo)
    monkeypatch.setenv("CITYBRAIN_NAMESPACE", typhoon.namespace)
    return typhoon


@pytest.mark.usefixtures("there")
def test_build_writes_what_a_new_grafana_reads_the_same_every_time(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    assert run(["dashboards", "build", str(one)]) == 0
    assert run(["dashboards", "build", str(other)]) == 0
    files = sorted(path.relative_to(one) for path in one.rglob("*") if path.is_file())
    assert [(one / f).read_bytes() for f in files] == [(other / f).read_bytes() for f in files]
    assert {str(f) for f in files if f.parts[0] != "dashboards"} == {
        "provisioning/dashboards/citybrain.yaml",
        "provisioning/datasources/citybrain.yaml",
        "public/areas.geojson",
    }
    assert yaml.safe_load((one / "provisioning/datasources/citybrain.yaml").read_text())
    borders = json.loads((one / "public/areas.geojson").read_text())
    assert len(borders["features"]) == 102
    plain = tmp_path / "plain"
    assert run(["dashboards", "build", str(plain), "--plain"]) == 0
    assert [path.name for path in plain.iterdir()] == ["dashboards"]


@pytest.mark.usefixtures("there")
def test_check_asks_the_queries_and_names_the_slowest(capsys: pytest.CaptureFixture[str]) -> None:
    schema = shared_data("grafana-jsonschema") / "dashboard.jsonschema.json"
    assert run(["dashboards", "check", "--queries", "--schema", str(schema)]) == 0
    told = capsys.readouterr().out
    assert " ms  " in told
    assert "are as they should be" in told


@pytest.mark.usefixtures("there")
def test_what_cannot_be_checked_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["dashboards", "check", "--schema", str(tmp_path / "none.json")]) == 2
    assert "cannot be read" in capsys.readouterr().err
    assert run(["dashboards", "check", "--queries", "--namespace", "nowhere"]) == 2
    assert "holds no data" in capsys.readouterr().err
    assert run(["dashboards", "check", "--queries", "--until", "yesterday"]) == 2
    assert run(["dashboards", "push"]) == 2
    assert "CITYBRAIN_GRAFANA_URL is not set" in capsys.readouterr().err


@pytest.mark.usefixtures("there")
def test_every_panel_is_drawn(tmp_path: Path) -> None:
    out = tmp_path / "pictures"
    assert run(["dashboards", "render", "--out", str(out)]) == 0
    pictures = list(out.glob("*.png"))
    assert len(pictures) > 100
    assert all(path.stat().st_size > 1000 for path in pictures)
    assert {path.name.rpartition("-")[0] for path in pictures} >= {"situation", "domain-air"}


def test_thresholds_of_the_stored_profile_are_drawn(
    there: Typhoon, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with connect(there.conninfo, there.namespace) as connection:
        save_profile(connection, Profile("own", {"waterlogging.tier.red_cm": "61"}))
    assert run(["dashboards", "build", str(tmp_path), "--plain", "--stored"]) == 0
    text = (tmp_path / f"dashboards/{there.namespace}-domain-waterlogging.json").read_text()
    assert [f'"value": {value}\n' in text for value in (0.61, 0.5)] == [True, False]
    assert run(["dashboards", "check", "--stored"]) == 0
    assert run(["dashboards", "build", str(tmp_path), "--stored", "--namespace", "nowhere"]) == 2
    assert "citybrain migrate" in capsys.readouterr().err
