"""What a subscriber does with events: the documented program, and the command of the same name."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from api.events.cursor import Cursor
from deploy import cli
from tests.support.admission import make_key
from tests.support.told import followed, life

if TYPE_CHECKING:
    from tests.support.event_bench import Bench

pytest_plugins = ["tests.support.event_bench"]
pytestmark = pytest.mark.integration

PAGE = Path(__file__).parents[2] / "docs" / "events.md"
PATIENCE_S = 90.0


@pytest.fixture
def program(bench: Bench) -> dict[str, Any]:
    """The example of the page, as it stands there, but that it waits less."""
    (text,) = re.findall(r"```python\n# follow\.py\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    held: dict[str, Any] = {}
    exec(compile(text.replace("wait=25", "wait=0.2"), "follow.py", "exec"), held)
    held["KEY"] = make_key(bench.url, bench.namespace)
    return held


def test_the_example_of_the_page_follows_and_finds_its_way_back(
    bench: Bench, program: dict[str, Any]
) -> None:
    state: dict[str, Any] = {}
    told: list[tuple[str, int]] = []

    def act(alert: str, held: dict[str, Any]) -> None:
        state[alert] = held["sequence"], held["state"]
        told.append((alert, held["sequence"]))

    lives = [life(number, 5) for number in range(30)]
    bench.write(*[each[:2] for each in lives])
    bench.number()
    pages = program["follow"](str(bench.client.base_url), act)
    next(pages)
    assert len(told) == 30, "the list first"
    bench.write(*[each[2:] for each in lives])
    bench.number()
    next(pages)
    next(pages)
    assert state == {key: held[:2] for key, held in bench.truth().items()}
    assert len(set(told)) == len(told), "nothing twice"
    bench.execute("delete from outbox where sequence < 119")
    bench.execute("update outbox set sequence = sequence + 1000")
    bench.execute("update log_partition set next_offset = next_offset + 1000")
    next(pages)
    assert state.keys() == bench.truth().keys(), "410: from the list again"
    assert len(told) >= 120


def test_no_danger_no_data_and_dead_are_three_things(bench: Bench, program: dict[str, Any]) -> None:
    """The clock of the city moves as long as the pipeline works; the subscriber's own measures."""
    condition: Callable[[dict[str, Any], float], str] = program["condition"]
    bench.risk("330106", unknown=False, points=4, reporting=4, as_of_s=1_000)
    first = bench.events()
    assert condition(first, 0) == "no danger"
    bench.risk("330106", unknown=False, points=4, reporting=3, as_of_s=1_010)
    page = bench.events()
    assert page["completeness"][0]["as_of"] > first["completeness"][0]["as_of"]
    assert condition(page, 0) == "no data"
    bench.risk("330106", unknown=True, points=4, reporting=4, as_of_s=1_020)
    assert condition(bench.events(), 0) == "no data"
    bench.risk("330106", unknown=False, points=4, reporting=0, as_of_s=1_030)
    page = bench.events()
    assert page["completeness"][0]["unknown"] is True, "nothing at all reports"
    bench.risk("330106", unknown=False, points=4, reporting=4, as_of_s=1_040)
    last = bench.events(wait=0.3)
    again = bench.events(after=last["next"], wait=0.3)
    assert again["completeness"] == last["completeness"], "the pipeline stands still"
    assert again["sent_at"] > last["sent_at"], "while the server lives"
    assert condition(again, 31) == "no data"


def test_a_part_of_the_pipeline_that_died_shows_in_its_areas(bench: Bench) -> None:
    """Two counties of one city on two partitions; the clock of one goes on."""
    for number, area in enumerate(("330106", "330108", "330100")):
        bench.risk(area, unknown=False, points=1, reporting=1, as_of_s=100)
        if number < 2:
            bench.execute(
                "insert into point (id, type, area, name, attributes)"
                " values (%s, 'flood_point', %s, 'p', '{}')",
                f"p{number}",
                area,
            )
    for number, proc_s in enumerate((110, 130)):
        bench.execute(
            "insert into region_log values (%s, '*', '*', 0, %s, 'clock', '', '', 0, %s, '', 't',"
            " 0, 0)",
            number,
            1000 * proc_s,
            json.dumps({"areas": ["330106"] if number else ["330106", "330108"]}),
        )
    seconds = {c["area"]: c["as_of"][-14:-6] for c in bench.events()["completeness"]}
    assert seconds == {"330106": "08:02:10", "330108": "08:01:50", "330100": "08:01:50"}


@pytest.fixture
def environment(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setenv("CITYBRAIN_DATABASE", bench.url)
    monkeypatch.setenv("CITYBRAIN_NAMESPACE", bench.namespace)
    return dict(os.environ)


@pytest.fixture
def follower(environment: dict[str, str]) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts `citybrain events follow`; what still runs at the end is stopped."""
    started: list[subprocess.Popen[str]] = []

    def start(*more: str) -> subprocess.Popen[str]:
        call = [sys.executable, "-m", "deploy.cli", "events", "follow", *more]
        started.append(
            subprocess.Popen(
                call,
                env=environment,
                text=True,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=PAGE.parents[1],
            )
        )
        return started[-1]

    yield start
    for one in started:
        if one.poll() is None:
            one.kill()
        one.communicate()


def lines(process: subprocess.Popen[str], count: int) -> list[str]:
    """So many lines, or what came in time."""
    found: list[str] = []

    def read() -> None:
        assert process.stdout is not None
        while len(found) < count and (line := process.stdout.readline()):
            found.append(line)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    reader.join(PATIENCE_S)
    return found


def test_the_command_prints_events_and_where_to_go_on(
    bench: Bench, follower: Callable[..., subprocess.Popen[str]]
) -> None:
    begin = bench.events()["next"]
    bench.write(*[life(number, 3) for number in range(4)])
    bench.number()
    first = follower("--after", begin, "--json")
    seen = [json.loads(line) for line in lines(first, 12)]
    first.send_signal(signal.SIGINT)
    _, told = first.communicate(timeout=PATIENCE_S)
    assert first.returncode == 130
    assert "Traceback" not in told
    after = told.split("--after ")[1].strip()
    assert bench.events(after=after)["events"] == []
    assert followed({}, seen) == bench.truth()
    second = follower("--after", seen[2]["cursor"])
    shown = lines(second, 9)
    assert len(shown) == 9
    assert all("Test" in line for line in shown), "replayed input is never shown as real"


def test_the_command_says_what_is_wrong(
    bench: Bench, environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert environment
    began = time.monotonic()
    for wrong, said in (
        (["--after", "nonsense"], "not a cursor"),
        (["--after", Cursor(UUID(int=7), 0).text()], "of another namespace"),
        (["--area", "999999"], "no area '999999'"),
        (["--domain", "x"], "no domain 'x'"),
        (["--namespace", "not_there"], "no namespace"),
    ):
        assert cli.run(["events", "follow", *wrong]) == 2, wrong
        assert said in capsys.readouterr().err
    assert time.monotonic() - began < PATIENCE_S
