"""`citybrain worker`: computes and stores what the log of a namespace holds, until told to end."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from streams.runtime.health import Health
    from streams.settings import Settings


def register(app: typer.Typer) -> None:
    """Adds the verb."""

    @app.command()
    def worker(
        namespace: Annotated[
            str | None, typer.Option(help="Namespace to work in (default: the setting).")
        ] = None,
        until_idle: Annotated[
            bool, typer.Option("--until-idle", help="End when the log is worked off.")
        ] = False,
        metrics_port: Annotated[
            int, typer.Option(help="Loopback port for /metrics and /health; 0 = none.", min=0)
        ] = 0,
    ) -> None:
        """Read the log, compute, and commit exactly once.

        With the log in Kafka, workers share the partitions: start as many as you like. With the
        log in a table the later of two goes on; the other ends with exit code 3.
        """
        from deploy.var_dir import settings_here
        from streams.contracts.reason import LogKind
        from streams.log.opening import log_kind
        from streams.runtime.health import Health, serve

        settings = settings_here()
        space = namespace or settings.namespace
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        health = Health()
        if metrics_port:
            serve(metrics_port, health)
        if log_kind(settings, space) is LogKind.KAFKA:
            _share(settings, space, stop, until_idle, health)
        else:
            _own(settings, space, stop, until_idle, health)


def _share(
    settings: Settings, namespace: str, stop: threading.Event, until_idle: bool, health: Health
) -> None:
    from streams.domains import find_domains
    from streams.runtime.worker import member_host
    from streams.storage.keeping import Keeping

    domains = find_domains(settings.domain_path)
    keeping, conninfo = Keeping.of(settings), settings.conninfo()
    with member_host(
        settings, conninfo, namespace, domains, health=health, keeping=keeping
    ) as host:
        host.run(stop, until_idle)


def _own(
    settings: Settings, namespace: str, stop: threading.Event, until_idle: bool, health: Health
) -> None:
    from streams.domains import find_domains
    from streams.errors import Unavailable
    from streams.runtime.setup import SteppedDown
    from streams.runtime.worker import worker_host
    from streams.storage.keeping import Keeping

    domains, conninfo = find_domains(settings.domain_path), settings.conninfo()
    try:
        with worker_host(
            conninfo, namespace, domains, health=health, keeping=Keeping.of(settings)
        ) as host:
            if until_idle:
                host.run_until_idle()
            else:
                host.run_forever(stop)
    except SteppedDown as error:
        raise Unavailable(f"stepped down: {error}") from error
