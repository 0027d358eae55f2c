"""The process that keeps citybrain running: starts the plan's children, starts them and our servers
again when they crashed (with back-off), stops all on TERM, reads the plan again on HUP.

It holds a lock on `<var_dir>/supervisor.lock` for its life, so there is never a second one, and
marks its children in their environment, so that the next supervisor finds and ends what a killed
one left behind.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from deploy import logfile
from deploy.infrastructure import Infra, servers
from deploy.plan import Child, Plan
from deploy.process import ProcessIdentity, end, write_atomically
from deploy.server_keeper import ServerKeeper

PID_FILE = "supervisor.pid"
STATE_FILE = "supervisor.json"
LOCK_FILE = "supervisor.lock"
MARK = "CITYBRAIN_SUPERVISED"
TURN_S = 0.2
HOUSEKEEPING_S = 2.0
STOP_GRACE_S = 25.0
STEADY_S = 60.0  # a child that ran this long starts again at once
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0

log = logging.getLogger("citybrain.supervisor")


def pause_s(crashes: int) -> float:
    """How long to wait before start number `crashes` + 1, in seconds: doubling, bounded."""
    return float(min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** max(0, crashes - 1)))


@dataclass(frozen=True, slots=True)
class ChildState:
    """What `citybrain status` shows of one child."""

    name: str
    pid: int | None
    started: float | None  # s since the epoch
    restarts: int
    last_exit: int | None
    finished: bool


class Keeper:
    """Keeps one child running. Times are those of a monotonic clock, given by the caller."""

    def __init__(self, child: Child, var_dir: Path) -> None:
        self.child = child
        self._var_dir = var_dir
        self._process: subprocess.Popen[bytes] | None = None
        self._started_wall: float | None = None
        self._started = 0.0
        self._crashes = 0
        self._restarts = 0
        self._not_before = 0.0
        self._last_exit: int | None = None
        self._finished = False

    def turn(self, now: float) -> bool:
        """Notices an end, starts what shall run; True when something changed."""
        if self._process is not None:
            code = self._process.poll()
            if code is None:
                return False
            self._note_end(code, now)
            return True
        if self._finished or now < self._not_before:
            return False
        self._start(now)
        return True

    def ask_to_stop(self) -> None:
        """Sends TERM."""
        if self._process is not None:
            self._process.terminate()

    def wait_stopped(self, deadline: float) -> None:
        """Waits until the deadline, then kills."""
        if self._process is None:
            return
        try:
            self._process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            log.warning("%s does not stop: killed", self.child.name)
            self._process.kill()
            self._process.wait()
        self._process = None

    def state(self) -> ChildState:
        """For people."""
        running = self._process is not None
        return ChildState(
            self.child.name,
            self._process.pid if self._process is not None else None,
            self._started_wall if running else None,
            self._restarts,
            self._last_exit,
            self._finished,
        )

    def _start(self, now: float) -> None:
        environment = {
            **os.environ,
            **self.child.environment,
            "CITYBRAIN_VAR_DIR": str(self._var_dir),
            "PYTHONUNBUFFERED": "1",
            MARK: str(self._var_dir),
        }
        with (self._var_dir / "log" / f"{self.child.name}.log").open("ab") as output:
            self._process = subprocess.Popen(
                self.child.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=environment,
            )
        self._started, self._started_wall = now, time.time()
        log.info("%s started, pid %d", self.child.name, self._process.pid)

    def _note_end(self, code: int, now: float) -> None:
        self._process, self._last_exit = None, code
        if code == 0 and self.child.ends:
            self._finished = True
            log.info("%s finished", self.child.name)
            return
        self._crashes = 1 if now - self._started >= STEADY_S else self._crashes + 1
        self._restarts += 1
        self._not_before = now + pause_s(self._crashes)
        log.warning(
            "%s ended with %d: starts again in %.1f s",
            self.child.name,
            code,
            pause_s(self._crashes),
        )


class Supervisor:
    """The loop over all keepers."""

    def __init__(self, var_dir: Path, server_keepers: Sequence[ServerKeeper]) -> None:
        self._var_dir = var_dir
        self._server_keepers = server_keepers
        self._keepers: dict[str, Keeper] = {}
        self._stopping = False
        self._reload = True

    def run(self) -> None:
        """Runs until TERM or INT; all children have ended when it returns."""
        signal.signal(signal.SIGTERM, self._on_stop)
        signal.signal(signal.SIGINT, self._on_stop)
        signal.signal(signal.SIGHUP, self._on_reload)
        for server in self._server_keepers:
            server.begin()
        next_housekeeping = 0.0
        while not self._stopping:
            now = time.monotonic()
            changed = self._take_plan() if self._reload else False
            if now >= next_housekeeping:
                if not all(server.alive() for server in self._server_keepers):
                    raise RuntimeError("a server is no longer watched: see the lines above")
                logfile.rotate(self._var_dir / "log")
                next_housekeeping = now + HOUSEKEEPING_S
            for keeper in self._keepers.values():
                changed |= keeper.turn(now)
            if changed:
                self._publish()
            time.sleep(TURN_S)
        self._stop(list(self._keepers))
        self._publish()

    def _on_stop(self, *_: object) -> None:
        self._stopping = True

    def _on_reload(self, *_: object) -> None:
        self._reload = True

    def _take_plan(self) -> bool:
        """Stops what is no longer, or differently, planned; the loop starts the rest."""
        self._reload = False
        plan = Plan.load(self._var_dir)
        wanted = {child.name: child for child in plan.children} if plan else {}
        self._stop([n for n, k in self._keepers.items() if wanted.get(n) != k.child])
        for name, child in wanted.items():
            if name not in self._keepers:
                self._keepers[name] = Keeper(child, self._var_dir)
        return True

    def _stop(self, names: list[str]) -> None:
        leaving = [self._keepers.pop(name) for name in names]
        for keeper in leaving:
            keeper.ask_to_stop()
        deadline = time.monotonic() + STOP_GRACE_S
        for keeper in leaving:
            keeper.wait_stopped(deadline)

    def _publish(self) -> None:
        states = [asdict(keeper.state()) for keeper in self._keepers.values()]
        write_atomically(self._var_dir / STATE_FILE, json.dumps(states, indent=1))


def leftovers(var_dir: Path) -> list[ProcessIdentity]:
    """Children of this var folder's supervisors, whoever started them."""
    found = []
    for process in psutil.process_iter():
        try:
            marked = process.environ().get(MARK) == str(var_dir)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
        identity = ProcessIdentity.of(process.pid) if marked else None
        if identity is not None and identity.pid != os.getpid():
            found.append(identity)
    return found


def end_leftovers(var_dir: Path) -> int:
    """Ends what a killed supervisor left behind; returns how many those were."""
    found = leftovers(var_dir)
    for identity in found:
        identity.signal(signal.SIGTERM)
    for identity in found:
        end(identity, signal.SIGTERM, STOP_GRACE_S)
    return len(found)


def main() -> None:
    """Entry point: `python -m deploy.supervisor VAR_DIR INFRA`."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    var_dir, infra = Path(sys.argv[1]), Infra(sys.argv[2])
    lock = (var_dir / LOCK_FILE).open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        log.info("another supervisor runs")
        return
    identity = ProcessIdentity.of(os.getpid())
    assert identity is not None
    count = end_leftovers(var_dir)
    if count:
        log.warning("ended %d processes that a killed supervisor left", count)
    identity.save(var_dir / PID_FILE)
    Supervisor(var_dir, [ServerKeeper(server) for server in servers(infra, var_dir)]).run()
    (var_dir / PID_FILE).unlink(missing_ok=True)


if __name__ == "__main__":
    main()
