"""A worker that shares the partitions of a namespace with others: a member of a Kafka group.

Three kinds of threads: Faust's loop (this one, beside its consumer's), the host's thread
(`streams.runtime.turning`) and its commits' thread. Ticks have one more.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import structlog
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiokafka.helpers import create_ssl_context

from streams import metrics
from streams.errors import Unavailable
from streams.log import Log
from streams.log.kafka_client import client_options
from streams.runtime.faust_app import WorkerApp, make_app
from streams.runtime.fetched import FetchedLog, Marks
from streams.runtime.health import Health
from streams.runtime.host import Host
from streams.runtime.setup import HostSetup, worker_name
from streams.runtime.ticking import TickThread
from streams.runtime.turning import Change, Turner
from streams.settings import Settings

LOGGER = structlog.get_logger(__name__)

CHATTY = ("kafka", "aiokafka", "faust", "mode", "streams.runtime")  # the last one: Faust's services
LOOK_S = 0.1  # how often the loop looks whether it has to end
LEAVE_S = 10.0  # Faust's services have so long to end
REQUEST_S = 20.0  # a join is answered when all members came: longer than the session
MAX_IDLE_S = 24 * 3600.0  # a paused consumer stays in the group


@dataclass(frozen=True, slots=True)
class Membership:
    """How a worker behaves in its group. All times in seconds."""

    topic: str
    group: str
    session_s: float = 6.0
    heartbeat_s: float = 2.0
    release_s: float = 4.0  # a revocation waits so long for the last checkpoint


class FaustHost:
    """One worker; `run` once. `setup` says how the host works, `direct` reads the log directly."""

    def __init__(
        self,
        settings: Settings,
        setup: HostSetup,
        membership: Membership,
        direct: Log,
        ticks: Log,
        health: Health | None = None,
    ) -> None:
        self.health = health or Health()
        self.topic, self.name = membership.topic, membership.group
        self.session_s, self.heartbeat_s = membership.session_s, membership.heartbeat_s
        self.consumer_options = consumer_options(settings, membership)
        self.log = FetchedLog(direct, Marks(), self._on_room)
        self._membership = membership
        self._direct = direct
        self._ticker = TickThread(ticks)
        patience = replace(setup.patience, on_trouble=self._on_trouble)
        self._setup = replace(setup, patience=patience, ticker=self._ticker.tick, keeps_ends=True)
        self._app: WorkerApp | None = None
        self._turner: Turner | None = None
        self._error: BaseException | None = None

    def run(self, stop: threading.Event, until_idle: bool = False) -> None:
        """Works until told to stop, or until all that is assigned is worked off.

        Raises `Misconfigured`, `Unavailable`, or whatever made the worker end.
        """
        for chatty in CHATTY:
            logging.getLogger(chatty).setLevel(logging.WARNING)
        self._setup.patience.insist("log", self._direct.identity, stop)
        host = Host(self._setup, self.log, self._direct)
        turner = Turner(
            host,
            self.log,
            self.health,
            self._open,
            idle_s=self._setup.idle_s,
            until_idle=until_idle,
        )
        self._turner = turner
        turner.start()
        LOGGER.info("worker starts", worker=worker_name(), group=self.name, topic=self.topic)
        try:
            asyncio.run(self._serve(stop, turner))
        finally:
            self._ticker.close()
        error = self._error or turner.error
        if error is not None:
            raise error
        LOGGER.info("worker ended", worker=worker_name())

    def saved(self) -> Mapping[int, int]:
        """C of the partitions that we hold."""
        return self._turner.saved() if self._turner is not None else {}

    def fail(self, error: BaseException) -> None:
        """Ends the worker with this error."""
        self._error = self._error or error

    async def on_revoked(self) -> None:
        """Gives everything back, within the time for it."""
        change = Change(None)
        self._tell(change)
        wait = asyncio.to_thread(change.done.wait, self._membership.release_s)
        if not await wait:
            LOGGER.warning("revoked without a last checkpoint: the next owner does it again")

    async def on_assigned(self, partitions: frozenset[int]) -> None:
        """Passes the assignment on."""
        metrics.REBALANCES.inc()
        metrics.ASSIGNED.set(len(partitions))
        LOGGER.info("partitions assigned", partitions=sorted(partitions), group=self.name)
        assert self._app is not None
        self._tell(Change(partitions, self._app.member.generation))

    async def _serve(self, stop: threading.Event, turner: Turner) -> None:
        app = self._app = make_app(self)
        starting = asyncio.ensure_future(app.start())
        try:
            while not (stop.is_set() or turner.ended.is_set() or self._error or app.crashed):
                if starting.done():
                    starting.result()
                await asyncio.sleep(LOOK_S)
            if app.crashed and not self._error:
                self.fail(app.crash_reason or Unavailable("Faust crashed"))
        finally:
            LOGGER.info("worker ends", worker=worker_name())
            if not await asyncio.to_thread(turner.end, self._membership.release_s):
                self.fail(Unavailable("the database did not answer at the end"))
            starting.cancel()
            await self._leave(app)

    async def _leave(self, app: WorkerApp) -> None:
        """Leaves the group at once, so that others take over without waiting for the session."""
        try:
            await asyncio.wait_for(app.member.leave(), LEAVE_S)
            LOGGER.info("left the group", group=self.name)
            await asyncio.wait_for(app.stop(), LEAVE_S)
        except TimeoutError:
            LOGGER.warning("Faust did not end in time")

    def _tell(self, change: Change) -> None:
        if self._turner is None or self._turner.ended.is_set():
            change.done.set()
        else:
            self._turner.change(change)

    def _open(self, partition: int, offset: int, generation: int) -> None:
        if self._app is not None:
            self._app.member.open(partition, offset, generation)

    def _on_room(self, partition: int) -> None:
        if self._app is not None:
            self._app.member.go_on(partition)

    def _on_trouble(self, why: str | None) -> None:
        what = "broker" if why is not None and why.startswith("Kafka") else "database"
        self.health.trouble(what, why)


def consumer_options(settings: Settings, membership: Membership) -> dict[str, Any]:
    """What aiokafka's consumer is made with."""
    given = client_options(settings)
    files = {
        name: given[option]
        for name, option in (
            ("cafile", "ssl_cafile"),
            ("certfile", "ssl_certfile"),
            ("keyfile", "ssl_keyfile"),
        )
        if option in given
    }
    options: dict[str, Any] = {
        name: value
        for name, value in given.items()
        if name == "bootstrap_servers" or name == "security_protocol" or name.startswith("sasl_")
    }
    if settings.kafka_security.endswith("SSL"):
        options["ssl_context"] = create_ssl_context(**files)
    return options | {
        "client_id": worker_name(),
        "group_id": membership.group,
        "partition_assignment_strategy": (StickyPartitionAssignor,),
        "enable_auto_commit": False,
        "auto_offset_reset": "none",
        "isolation_level": "read_committed",
        "session_timeout_ms": round(membership.session_s * 1000),
        "heartbeat_interval_ms": round(membership.heartbeat_s * 1000),
        "rebalance_timeout_ms": round((membership.session_s + membership.release_s) * 1000),
        "request_timeout_ms": round(max(REQUEST_S, membership.session_s + LEAVE_S) * 1000),
        "max_poll_interval_ms": round(MAX_IDLE_S * 1000),
    }
