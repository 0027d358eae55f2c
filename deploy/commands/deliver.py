"""`citybrain deliver`: tells subscribers of alerts, until told to end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from api.delivery.process import Order
    from streams.log.kafka_publisher import KafkaPublisher
    from streams.settings import Settings


def register(app: typer.Typer) -> None:
    """Adds the verb."""
    app.command("deliver")(deliver)


def deliver(
    namespace: Annotated[
        str | None, typer.Option(help="Namespace to deliver from (default: the setting).")
    ] = None,
    metrics_port: Annotated[
        int, typer.Option(help="Loopback port for /metrics and /health; 0 = none.", min=0)
    ] = 0,
) -> None:
    """Sends alerts to their subscribers: webhooks, mail, chat, Kafka.

    One process delivers at a time; another one that is started waits and takes over when the first
    ends or dies. Settings: CITYBRAIN_DELIVER_* in docs/delivery.md. SIGTERM lets what is under way
    end.
    """
    import asyncio

    from api.actions.settings import load_acting_settings
    from api.delivery.process import Order
    from api.delivery.settings import load_deliver_settings
    from deploy.var_dir import settings_here
    from streams.domains import find_domains
    from streams.runtime.health import Health, serve

    settings, own = settings_here(), load_deliver_settings()
    health = Health()
    if metrics_port:
        serve(metrics_port, health)
    _allow_files()
    domains = find_domains(settings.domain_path)
    space = namespace or settings.namespace
    publisher = _publisher(settings, space)
    gap_ms = load_acting_settings().incident_gap_ms()
    order = Order(settings.conninfo(), space, own, health, domains, gap_ms, publisher)
    try:
        asyncio.run(_run(order))
    finally:
        if publisher is not None:
            publisher.close()


def _publisher(settings: Settings, namespace: str) -> KafkaPublisher | None:
    """To `city.alert.v1`, where the namespace's log is in Kafka."""
    from streams.contracts.reason import LogKind
    from streams.log import ALERT_TOPIC
    from streams.log.catalogue import topic_name
    from streams.log.kafka_publisher import KafkaPublisher
    from streams.log.opening import log_kind

    if log_kind(settings, namespace) is not LogKind.KAFKA:
        return None
    return KafkaPublisher(settings, topic_name(namespace, ALERT_TOPIC))


async def _run(order: Order) -> None:
    import asyncio
    import signal

    from api.delivery.process import deliver

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await deliver(order, stop)


def _allow_files() -> None:
    """Every subscriber may need a socket: as many as the system allows us."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
