"""Which database and which log citybrain runs on here, and the servers of it that are ours.

The choice of a var folder is written down by `citybrain up`, so that every other verb finds the
same servers, and is forgotten by `down --purge`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from pathlib import Path

from deploy.addresses import Addresses
from deploy.native_kafka import NativeKafka
from deploy.native_settings import load_native_settings
from deploy.native_timescale import NativeTimescale
from deploy.postgres import EmbeddedPostgres
from deploy.postgres_server import PostgresServer
from deploy.process import write_atomically
from deploy.server import Say, Server
from streams.errors import Misconfigured, Unavailable
from streams.settings import Settings

FILE = "infra.json"
START_TIMEOUT_S = 180.0


class Infra(StrEnum):
    """Where the database and the log come from."""

    EMBEDDED = "embedded"  # PostgreSQL of a wheel; the log is a table of it
    NATIVE = "native"  # Kafka and TimescaleDB, started by us without containers
    COMPOSE = "compose"  # the same by containers
    EXTERNAL = "external"  # addresses in the settings; nothing is started


def chosen(var_dir: Path) -> Infra | None:
    """What `citybrain up` was told last in this folder; None when it never was."""
    try:
        content = json.loads((var_dir / FILE).read_text(encoding="utf-8"))
        return Infra(content["infra"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise Misconfigured([f"{var_dir / FILE} is damaged: remove it"]) from error


def remember(var_dir: Path, infra: Infra) -> None:
    """Writes the choice down."""
    write_atomically(var_dir / FILE, json.dumps({"infra": infra}))


def in_force(settings: Settings) -> Infra:
    """What the other verbs work with: an address in the settings wins over the folder."""
    if settings.database is not None:
        return Infra.EXTERNAL
    return chosen(settings.var_dir) or Infra.EMBEDDED


def database_server(infra: Infra, var_dir: Path) -> PostgresServer | None:
    """The PostgreSQL that is ours; None when it is somebody else's."""
    match infra:
        case Infra.EMBEDDED:
            return EmbeddedPostgres(var_dir)
        case Infra.NATIVE:
            return NativeTimescale(var_dir, load_native_settings())
        case Infra.COMPOSE | Infra.EXTERNAL:
            return None


def servers(infra: Infra, var_dir: Path) -> list[Server]:
    """Every server process that is ours to start, to watch and to stop."""
    database = database_server(infra, var_dir)
    found: list[Server] = [] if database is None else [database]
    if infra is Infra.NATIVE:
        found.append(NativeKafka(var_dir, load_native_settings()))
    return found


def every_server(var_dir: Path) -> list[Server]:
    """Those of any choice: `down` stops what is there, whatever the folder says."""
    return [*reversed(servers(Infra.NATIVE, var_dir)), *servers(Infra.EMBEDDED, var_dir)]


def stop_containers(var_dir: Path) -> bool:
    """Stops the containers of this folder; False when it has none."""
    if chosen(var_dir) is not Infra.COMPOSE:
        return False
    from deploy.compose import Compose

    return Compose(var_dir).stop()


def purge(var_dir: Path) -> None:
    """Removes the data of every server and container of this folder for ever."""
    for server in every_server(var_dir):
        server.purge()
    if chosen(var_dir) is Infra.COMPOSE:
        from deploy.compose import Compose

        Compose(var_dir).purge()


def start(infra: Infra, settings: Settings, say: Say) -> Addresses:
    """Starts what must be started, all at once, and waits for it. `say` hears each that is ready.

    `Misconfigured` lists every server that can't run here, `Unavailable` those that do not come.
    """
    ours = servers(infra, settings.var_dir)
    if ours:
        _start_all(ours, say)
    if infra is Infra.COMPOSE:
        from deploy import dashboards
        from deploy.compose import Compose

        with_grafana = dashboards.installed()
        if with_grafana:
            dashboards.provision(settings)
        return Compose(settings.var_dir).start(say, with_grafana=with_grafana)
    return Addresses(settings.conninfo(), kafka_address(infra, settings))


def kafka_address(infra: Infra, settings: Settings) -> str | None:
    """Where the log is, for clients; None where it is a table."""
    match infra:
        case Infra.NATIVE:
            return load_native_settings().kafka_address
        case Infra.COMPOSE:
            from deploy.compose import Compose

            return Compose(settings.var_dir).kafka_address
        case Infra.EMBEDDED | Infra.EXTERNAL:
            return settings.kafka


def with_addresses(settings: Settings) -> Settings:
    """The settings of a verb: what the folder's infrastructure says where they say nothing."""
    infra = in_force(settings)
    if infra not in (Infra.NATIVE, Infra.COMPOSE) or settings.kafka is not None:
        return settings
    return settings.model_copy(update={"kafka": kafka_address(infra, settings)})


def _start_all(ours: Sequence[Server], say: Say) -> None:
    def start_one(server: Server) -> None:
        server.start(START_TIMEOUT_S, say)
        say(f"{server.name} ready")

    with ThreadPoolExecutor(len(ours)) as pool:
        troubles = [run.exception() for run in [pool.submit(start_one, s) for s in ours]]
    mistakes = [m for t in troubles if isinstance(t, Misconfigured) for m in t.mistakes]
    if mistakes:
        raise Misconfigured(mistakes)
    for trouble in troubles:
        if trouble is not None and not isinstance(trouble, Unavailable):
            raise trouble
    silent = [str(trouble) for trouble in troubles if trouble is not None]
    if silent:
        raise Unavailable("\n".join(silent))
