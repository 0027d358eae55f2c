"""What runs at this moment, put together from the supervisor, the server and the database."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from deploy import infrastructure, service
from deploy.process import ProcessIdentity
from deploy.startup import page_url
from streams.errors import Misconfigured, Unavailable
from streams.settings import Settings
from streams.storage.survey import SeenWorker

if TYPE_CHECKING:
    from api.delivery.standing import Standing
    from deploy.gateways import GatewayReport

_ZONE = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, slots=True)
class ProcessRow:
    """One process that runs, or should."""

    name: str
    pid: int | None
    uptime_s: float | None
    restarts: int
    state: str  # running | finished | stopped | starting again


@dataclass(frozen=True, slots=True)
class NamespaceRow:
    """One namespace; positions are summed over its partitions; times at +08:00."""

    namespace: str
    kind: str
    position: int
    log_end: int
    processing_time: datetime | None
    stored: int
    open_alerts: int
    workers: tuple[SeenWorker, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """Everything; `trouble` says why the database tells nothing."""

    var_dir: str
    processes: tuple[ProcessRow, ...]
    namespaces: tuple[NamespaceRow, ...]
    url: str | None
    trouble: str | None
    gateways: GatewayReport | None = None
    deliveries: tuple[Standing, ...] = ()

    @property
    def complete(self) -> bool:
        """True when all that is planned runs, the database answers, and subscribers are served."""
        from deploy.deliveries import is_whole

        run = all(row.state in ("running", "finished") for row in self.processes)
        return self.trouble is None and run and is_whole(self.deliveries)


def observe(settings: Settings) -> Report:
    """Looks once; starts and changes nothing."""
    processes = _servers(settings) + _supervised(settings)
    namespaces, trouble = _namespaces(settings)
    gateways = None if trouble is not None else _gateways(settings)
    deliveries = _deliveries(settings, [row.namespace for row in namespaces])
    serving = any(row.name == "api" and row.state == "running" for row in processes)
    return Report(
        str(settings.var_dir),
        tuple(processes),
        namespaces,
        page_url(settings, service.played(settings.var_dir)) if serving else None,
        trouble,
        gateways,
        deliveries,
    )


def _servers(settings: Settings) -> list[ProcessRow]:
    ours = infrastructure.servers(infrastructure.in_force(settings), settings.var_dir)
    return [_server(server.name.lower(), server.process()) for server in ours]


def _server(name: str, identity: ProcessIdentity | None) -> ProcessRow:
    if identity is None:
        return ProcessRow(name, None, None, 0, "stopped")
    return ProcessRow(name, identity.pid, time.time() - identity.started, 0, "running")


def _supervised(settings: Settings) -> list[ProcessRow]:
    supervisor = service.running(settings.var_dir)
    if supervisor is None:
        return [ProcessRow("supervisor", None, None, 0, "stopped")]
    uptime = time.time() - supervisor.started
    rows = [ProcessRow("supervisor", supervisor.pid, uptime, 0, "running")]
    for child in service.states(settings.var_dir):
        up = None if child.started is None else time.time() - child.started
        state = "running" if child.pid is not None else "starting again"
        state = "finished" if child.finished else state
        rows.append(ProcessRow(child.name, child.pid, up, child.restarts, state))
    return rows


def _gateways(settings: Settings) -> GatewayReport | None:
    from deploy.gateways import look

    try:
        return look(settings)
    except Unavailable:
        return None  # it answered a moment ago: the next look tells


def _deliveries(settings: Settings, namespaces: Sequence[str]) -> tuple[Standing, ...]:
    from deploy.deliveries import standings

    try:
        found = standings(settings, namespaces)
    except Unavailable:
        return ()  # it answered a moment ago: the next look tells
    return tuple(replace(s, since=s.since and s.since.astimezone(_ZONE)) for s in found)


def _namespaces(settings: Settings) -> tuple[tuple[NamespaceRow, ...], str | None]:
    from streams.storage.survey import survey

    try:
        found = survey(settings.conninfo())
    except Misconfigured as error:
        return (), "; ".join(error.mistakes)
    except Unavailable as error:
        return (), str(error)
    return tuple(
        NamespaceRow(
            s.namespace,
            s.kind,
            s.position,
            s.log_end,
            s.processing_time.astimezone(_ZONE) if s.processing_time else None,
            s.stored,
            s.open_alerts,
            s.workers,
        )
        for s in found
    ), None
