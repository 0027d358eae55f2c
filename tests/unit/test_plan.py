"""The plan of child processes, back-off and log rotation: plain data, no process is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy import logfile
from deploy.plan import Plan, PlayPace, make_plan
from deploy.startup import gateway_keys
from deploy.supervisor import pause_s
from streams.settings import Settings


def test_plan_survives_saving(tmp_path: Path) -> None:
    plan = make_plan("typhoon")
    assert Plan.load(tmp_path) is None
    plan.save(tmp_path)
    assert Plan.load(tmp_path) == plan


def test_simulated_city_never_runs_in_the_live_namespace() -> None:
    live = make_plan(None)
    assert [child.name for child in live.children] == ["worker", "gateway", "api", "deliver"]
    assert not any("simulate" in child.command for child in live.children)
    added = make_plan("typhoon").children[len(live.children) :]
    assert {child.environment["CITYBRAIN_NAMESPACE"] for child in added} == {"play"}


def test_a_scenario_is_played_as_the_settings_say() -> None:
    usual = PlayPace(Settings().play_speed, Settings().play_points)
    assert usual == PlayPace()
    assert make_plan("typhoon").children[-1].command[-4:] == ("--speed", "60", "--points", "1800")
    small = make_plan("typhoon", pace=PlayPace(speed=150.0, points=40)).children[-1]
    assert small.command[-4:] == ("--speed", "150", "--points", "40")


@pytest.mark.parametrize(
    ("host", "said", "expected"),
    [
        ("127.0.0.1", None, "optional"),
        ("10.0.0.1", None, "required"),
        ("127.0.0.1", "required", "required"),
        ("10.0.0.1", "optional", "optional"),  # the gateway refuses to start and says why
    ],
)
def test_keys_may_be_left_out_on_loopback_only_unless_the_operator_speaks(
    host: str, said: str | None, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CITYBRAIN_GATEWAY_KEYS", raising=False)
    if said:
        monkeypatch.setenv("CITYBRAIN_GATEWAY_KEYS", said)
    rule = gateway_keys(Settings(gateway_host=host))
    assert rule == expected
    child = next(c for c in make_plan(None, rule).children if c.name == "gateway")
    assert child.environment["CITYBRAIN_GATEWAY_KEYS"] == expected


def test_only_the_simulator_may_finish() -> None:
    assert [c.name for c in make_plan("typhoon").children if c.ends] == ["play-simulator"]


def test_pause_doubles_and_is_bounded() -> None:
    assert [pause_s(n) for n in (1, 2, 3, 4)] == [0.5, 1.0, 2.0, 4.0]
    assert pause_s(7) == 30.0
    assert pause_s(200) == 30.0


def test_logs_are_cut_and_the_oldest_copy_goes(tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    with log.open("ab") as child:  # keeps writing through its own descriptor
        for number in range(5):
            child.write(b"%d" % number * 11)
            child.flush()
            assert logfile.rotate(tmp_path, limit_bytes=10, keep=3) == [log]
            assert log.stat().st_size == 0
    copies = sorted(path.name for path in tmp_path.iterdir())
    assert copies == ["worker.log", "worker.log.1", "worker.log.2", "worker.log.3"]
    assert (tmp_path / "worker.log.1").read_bytes() == b"4" * 11
    assert (tmp_path / "worker.log.3").read_bytes() == b"2" * 11


def test_small_logs_stay(tmp_path: Path) -> None:
    (tmp_path / "worker.log").write_bytes(b"0123456789")
    assert logfile.rotate(tmp_path, limit_bytes=10) == []


@pytest.mark.parametrize(("count", "expected"), [(1, ["b"]), (5, ["a", "b"])])
def test_last_lines(tmp_path: Path, count: int, expected: list[str]) -> None:
    log = tmp_path / "worker.log"
    assert logfile.last_lines(log, count) == []
    log.write_text("a\nb\n", encoding="utf-8")
    assert logfile.last_lines(log, count) == expected
