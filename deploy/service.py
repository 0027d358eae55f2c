"""Starts, asks and ends the supervisor from the outside."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from deploy import supervisor
from deploy.infrastructure import Infra
from deploy.logfile import last_lines
from deploy.plan import PLAN_FILE, Plan
from deploy.process import ProcessIdentity, end, wait_until
from deploy.supervisor import ChildState
from streams.errors import Unavailable

START_TIMEOUT_S = 40.0
STOP_TIMEOUT_S = supervisor.STOP_GRACE_S + 15.0


def running(var_dir: Path) -> ProcessIdentity | None:
    """The supervisor of this var folder, if it lives."""
    return ProcessIdentity.load(var_dir / supervisor.PID_FILE)


def ensure(var_dir: Path, plan: Plan, infra: Infra) -> bool:
    """Makes the supervisor run this plan; True when it had to be started or told."""
    present = running(var_dir)
    held = Plan.load(var_dir)
    if present is not None and held == plan:
        return False
    plan.save(var_dir)
    if present is not None:
        present.signal(signal.SIGHUP)
    else:
        _start(var_dir, infra)
    names = {child.name for child in plan.children}
    if not wait_until(lambda: {s.name for s in states(var_dir)} == names, START_TIMEOUT_S, 0.1):
        raise Unavailable("the supervisor does not start its children\n" + _last_words(var_dir))
    return True


def played(var_dir: Path) -> str | None:
    """The scenario that is played, or was when the supervisor was killed: `stop` forgets it."""
    plan = Plan.load(var_dir)
    return None if plan is None else plan.play


def stop(var_dir: Path) -> bool:
    """Ends the supervisor and every child, also of a killed one; False when nothing ran."""
    present = running(var_dir)
    if present is not None:
        end(present, signal.SIGTERM, STOP_TIMEOUT_S)
    count = supervisor.end_leftovers(var_dir)
    for name in (supervisor.PID_FILE, supervisor.STATE_FILE, PLAN_FILE):
        (var_dir / name).unlink(missing_ok=True)
    return present is not None or count > 0


def states(var_dir: Path) -> list[ChildState]:
    """What the living supervisor says of its children; empty when none lives."""
    if running(var_dir) is None:
        return []
    try:
        content = json.loads((var_dir / supervisor.STATE_FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    return [ChildState(**row) for row in content]


def _start(var_dir: Path, infra: Infra) -> None:
    (var_dir / supervisor.STATE_FILE).unlink(missing_ok=True)
    with (var_dir / "log" / "supervisor.log").open("ab") as output:
        started = subprocess.Popen(
            [sys.executable, "-m", "deploy.supervisor", str(var_dir), infra],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env=dict(os.environ),
        )
    wait_until(
        lambda: running(var_dir) is not None or started.poll() is not None, START_TIMEOUT_S, 0.05
    )
    if running(var_dir) is None:
        raise Unavailable("the supervisor does not start\n" + _last_words(var_dir))
    started.returncode = 0  # detached: it outlives us


def _last_words(var_dir: Path) -> str:
    return "\n".join(last_lines(var_dir / "log" / "supervisor.log", 15))
