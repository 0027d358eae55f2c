"""The walls of `.importlinter` stand: each kind of violation, planted in a copy, is reported."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PARTS = ("streams", "sensors", "api", "dashboards", "deploy")

VIOLATIONS = {
    "deploy over api, sensors, dashboards": ("api/planted.py", "import sensors\n"),
    "streams: hosts over stores": ("streams/windows/planted.py", "import streams.storage\n"),
    "a room that nobody listed": ("streams/planted.py", "ANSWER = 42\n"),
    "domains never import each other": (
        "streams/domains/planted/__init__.py",
        "import streams.domains.air\n",
    ),
    "pure rooms know no clock": ("streams/quality/planted.py", "import time\n"),
    "only the rooms that hold SQL": ("sensors/planted.py", "import psycopg\n"),
    "only the log and the host speak with Kafka": ("sensors/planted.py", "import kafka\n"),
    "only the host imports Faust": ("streams/storage/planted.py", "import faust\n"),
}
NAME_IN_REPORT = {"a room that nobody listed": "streams: hosts over stores"}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what the rules look at."""
    for part in PARTS:
        for source in (ROOT / part).rglob("*.py"):
            target = tmp_path / source.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    shutil.copyfile(ROOT / ".importlinter", tmp_path / ".importlinter")
    return tmp_path


def _lint(checkout: Path) -> tuple[int, str]:
    finished = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo"],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": str(checkout), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    return finished.returncode, finished.stdout + finished.stderr


def test_every_kind_of_violation_is_reported(checkout: Path) -> None:
    code, report = _lint(checkout)
    assert code == 0, report
    for rule, (path, source) in VIOLATIONS.items():
        planted = checkout / path
        planted.parent.mkdir(exist_ok=True)
        planted.write_text(source, encoding="utf-8")
        code, report = _lint(checkout)
        planted.unlink()
        name = NAME_IN_REPORT.get(rule, rule)
        broken = [line for line in report.splitlines() if line.endswith("BROKEN")]
        assert code == 1, (rule, report)
        assert [line.startswith(name) for line in broken] == [True], (rule, report)
