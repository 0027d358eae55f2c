"""`citybrain gateway`: the gateway, HTTP and MQTT, as a process."""

from __future__ import annotations

import signal

import typer


def register(app: typer.Typer) -> None:
    """Adds the verb."""
    app.command("gateway")(gateway)


def gateway() -> None:
    """Takes readings over HTTP, and over MQTT where a broker is set, and appends them to the log.

    Settings: CITYBRAIN_GATEWAY_HOST, CITYBRAIN_GATEWAY_PORT and the others in docs/gateway.md.
    Listens on loopback unless told otherwise. Who sends needs a key (`citybrain gateway-key`),
    or, on loopback, CITYBRAIN_GATEWAY_KEYS=optional.
    """
    from deploy.var_dir import settings_here
    from sensors.gateway.mqtt.settings import MqttSettings
    from sensors.gateway.settings import load_gateway_settings

    settings = settings_here()
    own, mqtt = load_gateway_settings(), MqttSettings.load()
    conninfo = settings.conninfo()

    import uvicorn

    from sensors.gateway.app import GatewayParts, create_app
    from sensors.gateway.stored import StoredRegistry
    from streams.domains import find_domains
    from streams.log.opening import open_log

    log = open_log(settings, settings.namespace)
    registry = StoredRegistry(conninfo, settings.namespace)
    try:
        parts = GatewayParts(
            log,
            registry,
            find_domains(settings.domain_path),
            own,
            on_bug=lambda: signal.raise_signal(signal.SIGTERM),
            keys=registry,
            seen=registry,
            places=registry,
            mqtt=mqtt,
        )
        uvicorn.run(
            create_app(parts),
            host=own.host,
            port=own.port,
            log_level=settings.log_level.lower(),
            access_log=False,
            server_header=False,
            backlog=own.requests,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=int(2 * own.append_timeout_s),
        )
    finally:
        registry.close()
        log.close()
