"""`citybrain worker`: computes and stores what the log of a namespace holds, until told to end."""

from __future__ import annotations

import signal
import threading
from typing import Annotated

import typer


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
            int, typer.Option(help="Loopback port for Prometheus metrics; 0 = none.", min=0)
        ] = 0,
    ) -> None:
        """Read the log, compute, and commit exactly once.

        Of two workers in one namespace the later goes on; the other ends with exit code 3.
        """
        from streams.domains import find_domains
        from streams.errors import Unavailable
        from streams.runtime.single import SteppedDown
        from streams.runtime.worker import worker_host
        from streams.settings import load_settings

        settings = load_settings()
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        if metrics_port:
            from prometheus_client import start_http_server

            start_http_server(metrics_port, addr="127.0.0.1")
        domains = find_domains(settings.domain_path)
        try:
            with worker_host(settings.conninfo(), namespace or settings.namespace, domains) as host:
                if until_idle:
                    host.run_until_idle()
                else:
                    host.run_forever(stop)
        except SteppedDown as error:
            raise Unavailable(f"stepped down: {error}") from error
