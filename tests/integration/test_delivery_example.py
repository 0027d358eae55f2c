"""The receiver in docs/delivery.md does what the page says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.process import wait_until
from streams.contracts.reason import NamespaceKind, Origin
from streams.storage.connect import connect
from streams.storage.migrate import migrate
from tests.support.deliveries import delivering, put, states, subscribe, transition
from tests.support.mosquitto import free_port

pytestmark = pytest.mark.integration
PAGE = Path(__file__).parents[2] / "docs" / "delivery.md"


def test_the_example_verifies_answers_and_tells_repeats(
    database_url: str, namespace: str, tmp_path: Path
) -> None:
    found = re.search(r"<!-- example: receiver -->\n```python\n(.*?)```", PAGE.read_text(), re.S)
    assert found is not None
    program, output = tmp_path / "receiver.py", tmp_path / "output"
    program.write_text(found[1])
    migrate(database_url, namespace, NamespaceKind.LIVE)
    port = free_port()
    wanted = {"statuses": ["Actual", "Exercise"]}
    made = subscribe(database_url, namespace, f"http://127.0.0.1:{port}/", filter=wanted)
    assert made.secret is not None
    with output.open("wb") as told:
        running = subprocess.Popen(
            [sys.executable, str(program), made.secret, str(port)], stdout=told, stderr=told
        )
    try:
        with delivering(database_url, namespace):
            put(database_url, namespace, transition("a"), transition("a", 2))
            put(database_url, namespace, transition("drill", origin=Origin.DRILL))
            assert wait_until(lambda: states(database_url, namespace) == {"sent": 3}, 15.0)
            with connect(database_url, namespace, "citybrain test") as connection:
                connection.execute("update delivery set state = 'waiting' where sequence = 0")
                connection.execute("update subscription_version set version = version + 1")
                connection.execute("update subscription set version = version + 1")
            assert wait_until(lambda: states(database_url, namespace) == {"sent": 3}, 15.0)
        with connect(database_url, namespace, "citybrain test") as connection:
            receipts = connection.execute("select receipt from delivery order by sequence")
            assert receipts.fetchall() == [("seen 0",), ("seen 1",), ("seen 2",)]
    finally:
        running.terminate()
        running.wait(10)
    lines = [line for line in output.read_text().splitlines() if line.startswith(("a ", "drill"))]
    assert lines == ["a firing 3", "a firing 3"], output.read_text()
