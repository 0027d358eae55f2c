"""The supervisor with children of a test: it restarts, replaces, heals and ends them.

No database: children are tiny programs that say where they are through files.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy import service, supervisor
from deploy.infrastructure import Infra
from deploy.plan import Child, Plan
from deploy.process import ProcessIdentity, wait_until

pytestmark = pytest.mark.integration
PATIENCE_S = 20.0
WAIT = "import time\nwhile True: time.sleep(0.05)"


@pytest.fixture
def var_dir(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "log").mkdir()
    yield tmp_path
    service.stop(tmp_path)


def _python(name: str, source: str, ends: bool = False) -> Child:
    return Child(name, (sys.executable, "-c", source), ends=ends)


def _pid(var_dir: Path, name: str) -> int | None:
    return next((s.pid for s in service.states(var_dir) if s.name == name), None)


def _running_pid(var_dir: Path, name: str, other_than: int | None = None) -> int:
    assert wait_until(lambda: _pid(var_dir, name) not in (None, other_than), PATIENCE_S)
    pid = _pid(var_dir, name)
    assert pid is not None
    return pid


def _gone(pid: int) -> bool:
    return wait_until(lambda: ProcessIdentity.of(pid) is None, PATIENCE_S)


def test_starts_once_and_stops_all(var_dir: Path) -> None:
    plan = Plan((_python("one", WAIT), _python("two", WAIT)))
    assert service.ensure(var_dir, plan, Infra.EXTERNAL)
    pids = [_running_pid(var_dir, name) for name in ("one", "two")]
    first = service.running(var_dir)
    assert not service.ensure(var_dir, plan, Infra.EXTERNAL)
    assert service.running(var_dir) == first
    assert [_pid(var_dir, name) for name in ("one", "two")] == pids
    assert service.stop(var_dir)
    assert all(_gone(pid) for pid in pids)
    assert not service.stop(var_dir)


def test_restarts_a_killed_child(var_dir: Path) -> None:
    service.ensure(var_dir, Plan((_python("one", WAIT),)), Infra.EXTERNAL)
    pid = _running_pid(var_dir, "one")
    os.kill(pid, signal.SIGKILL)
    assert _running_pid(var_dir, "one", other_than=pid) != pid
    (state,) = service.states(var_dir)
    assert (state.restarts, state.last_exit) == (1, -signal.SIGKILL)


def test_a_child_that_may_finish_is_not_restarted(var_dir: Path) -> None:
    plan = Plan((_python("once", "print('played')", ends=True),))
    service.ensure(var_dir, plan, Infra.EXTERNAL)
    assert wait_until(lambda: service.states(var_dir)[0].finished, PATIENCE_S)
    assert (var_dir / "log" / "once.log").read_text(encoding="utf-8") == "played\n"


def test_heals_after_its_own_kill(var_dir: Path) -> None:
    """The orphans of a killed supervisor end before their successors start."""
    plan = Plan((_python("one", WAIT),))
    service.ensure(var_dir, plan, Infra.EXTERNAL)
    orphan = _running_pid(var_dir, "one")
    killed = service.running(var_dir)
    assert killed is not None
    killed.signal(signal.SIGKILL)
    assert _gone(killed.pid)
    assert ProcessIdentity.of(orphan) is not None
    service.ensure(var_dir, plan, Infra.EXTERNAL)
    assert _running_pid(var_dir, "one") != orphan
    assert _gone(orphan)


def test_what_is_played_is_known_after_a_kill_and_forgotten_by_a_stop(var_dir: Path) -> None:
    service.ensure(var_dir, Plan((_python("player", WAIT),), play="typhoon"), Infra.EXTERNAL)
    killed = service.running(var_dir)
    assert killed is not None
    killed.signal(signal.SIGKILL)
    assert _gone(killed.pid)
    assert service.played(var_dir) == "typhoon"
    service.stop(var_dir)
    assert service.played(var_dir) is None


def test_down_ends_the_orphans_of_a_killed_supervisor(var_dir: Path) -> None:
    service.ensure(var_dir, Plan((_python("one", WAIT),)), Infra.EXTERNAL)
    orphan = _running_pid(var_dir, "one")
    killed = service.running(var_dir)
    assert killed is not None
    killed.signal(signal.SIGKILL)
    assert _gone(killed.pid)
    assert service.stop(var_dir)
    assert _gone(orphan)


def test_a_changed_plan_replaces_only_what_changed(var_dir: Path) -> None:
    kept, changed = _python("kept", WAIT), _python("changed", WAIT)
    service.ensure(var_dir, Plan((kept, changed), play="ordinary"), Infra.EXTERNAL)
    pids = {name: _running_pid(var_dir, name) for name in ("kept", "changed")}
    again = Plan((kept, _python("changed", f"{WAIT} # anew")), play="typhoon")
    service.ensure(var_dir, again, Infra.EXTERNAL)
    assert _running_pid(var_dir, "changed", other_than=pids["changed"])
    assert _pid(var_dir, "kept") == pids["kept"]


def test_a_deaf_child_is_killed(var_dir: Path) -> None:
    deaf = _python("deaf", f"import signal; signal.signal(signal.SIGTERM, lambda *_: None)\n{WAIT}")
    keeper = supervisor.Keeper(deaf, var_dir)
    keeper.turn(0.0)
    pid = keeper.state().pid
    assert pid is not None
    keeper.ask_to_stop()
    keeper.wait_stopped(deadline=0.0)
    assert _gone(pid)


def test_a_reused_id_is_not_ours(tmp_path: Path) -> None:
    path = tmp_path / "some.pid"
    path.write_text(json.dumps({"pid": os.getpid(), "started": 1.0}), encoding="utf-8")
    assert ProcessIdentity.load(path) is None
    path.write_text("not json", encoding="utf-8")
    assert ProcessIdentity.load(path) is None
