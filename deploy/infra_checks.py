"""The checks of `citybrain doctor` on the database, the log and what they need to run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from deploy import infrastructure, kafka_jars, service
from deploy.finding import Finding, Verdict
from deploy.infrastructure import Infra
from deploy.java import find_java
from deploy.postgres_server import PostgresServer
from streams.errors import Misconfigured, Unavailable
from streams.settings import Settings

_MEANING = {
    Infra.EMBEDDED: "PostgreSQL of a wheel",
    Infra.NATIVE: "Kafka and TimescaleDB started by citybrain, without containers",
    Infra.COMPOSE: "Kafka and TimescaleDB in containers",
    Infra.EXTERNAL: "addresses in the settings",
}
_WITHOUT = {
    "compression": "closed chunks stay as they are, indexed once",
    "policies": "the worker lets old rows go by itself",
    "continuous aggregates": "the worker rolls up by itself",
}


def infra(settings: Settings) -> Iterator[Finding]:
    """What was chosen, and whether its programs are there."""
    kind = infrastructure.in_force(settings)
    log = f"the log is in Kafka at {settings.kafka}" if settings.kafka else "the log is a table"
    yield Finding("infrastructure", Verdict.FINE, f"{kind}: {_MEANING[kind]}; {log}")
    yield from _java(needed=kind is Infra.NATIVE)
    yield from _jars(needed=kind is Infra.NATIVE)


def account(settings: Settings) -> Iterator[Finding]:
    """Whom the database runs as."""
    try:
        server = _database_server(settings)
    except Misconfigured as error:
        yield Finding("account", Verdict.BROKEN, "; ".join(error.mistakes))
        return
    if server is None:
        return
    home = server.home
    if home.account is None:
        yield Finding("account", Verdict.FINE, f"the database is ours, in {home.root}")
    else:
        inside = " (a directory root)" if home.chroot else ""
        where = f"PostgreSQL runs as {home.account.name}, in {home.root}{inside}"
        yield Finding("account", Verdict.FINE, f"root; {where}")


def database(settings: Settings) -> Iterator[Finding]:
    """What the server is, and what it has on or off."""
    from streams.storage.survey import edition, survey

    if database_is_stopped(settings):
        stopped = service.running(settings.var_dir) is None
        verdict = Verdict.OFF if stopped else Verdict.BROKEN
        yield Finding("database", verdict, "not started: `citybrain up`")
        return
    try:
        server = edition(settings.conninfo())
        names = ", ".join(f"{s.namespace} ({s.kind})" for s in survey(settings.conninfo()))
    except (Unavailable, Misconfigured) as error:
        yield Finding("database", Verdict.BROKEN, str(error))
        return
    secure = "encrypted" if server.encrypted else "not encrypted"
    detail = f"PostgreSQL {server.version}, connection {secure}; namespaces: {names or 'none'}"
    yield Finding("database", Verdict.FINE, detail)
    if not server.durable:
        detail = "fsync or synchronous_commit is off: a crash may lose what was committed"
        yield Finding("durability", Verdict.BROKEN, detail)
    yield from timescale(server.store.kind, str(server.store), server.on)
    if server.unfitted:
        detail = f"{', '.join(server.unfitted)}: not fitted to this server, run `citybrain migrate`"
        yield Finding("tables", Verdict.OFF, detail)


def timescale(kind: str, name: str, on: Mapping[str, int]) -> Iterator[Finding]:
    """What of TimescaleDB is on, what is off and why. `kind`: plain, apache or community."""
    if kind == "plain":
        detail = (
            "this server has none: no chunks, compression, policies or continuous aggregates; all "
            "else works. Get it by `citybrain up --infra native`, or `create extension timescaledb`"
        )
        yield Finding("TimescaleDB", Verdict.OFF, detail)
        return
    yield Finding("TimescaleDB", Verdict.FINE, name)
    yield _feature("hypertables", on["hypertables"], "`citybrain migrate` makes them")
    for feature, instead in _WITHOUT.items():
        if kind == "apache":
            detail = f"the Apache edition has none: {instead}; the community edition has it"
            yield Finding(feature, Verdict.OFF, detail)
        else:
            why = f"{instead}; `citybrain migrate` makes what the settings ask for"
            yield _feature(feature, on[feature], why)


def kafka(settings: Settings) -> Iterator[Finding]:
    """Whether the brokers answer, and who they say they are."""
    if not settings.kafka:
        detail = "not used: the log is a table of the database. `citybrain up --infra native`"
        yield Finding("Kafka", Verdict.OFF, detail)
        return
    if _is_stopped("Kafka", settings):
        stopped = service.running(settings.var_dir) is None
        verdict = Verdict.OFF if stopped else Verdict.BROKEN
        yield Finding("Kafka", verdict, "not started: `citybrain up`")
        return
    from streams.log.kafka_ready import ask_cluster

    try:
        said = ask_cluster(settings)
    except (Unavailable, Misconfigured) as error:
        yield Finding("Kafka", Verdict.BROKEN, str(error))
        return
    brokers = ", ".join(said.brokers)
    how = f"{settings.kafka_security}, protocol of {said.version} or newer"
    yield Finding("Kafka", Verdict.FINE, f"{how}; brokers {brokers}; cluster {said.identity}")
    if len(said.brokers) == 1:
        detail = "one broker: a power cut may take the last moments; three with replicas do not"
        yield Finding("replicas", Verdict.OFF, detail)


def database_is_stopped(settings: Settings) -> bool:
    """True when the database is ours and does not run."""
    server = _database_server(settings)
    return server is not None and server.process() is None


def _database_server(settings: Settings) -> PostgresServer | None:
    kind = infrastructure.in_force(settings)
    return infrastructure.database_server(kind, settings.var_dir)


def _is_stopped(name: str, settings: Settings) -> bool:
    ours = infrastructure.servers(infrastructure.in_force(settings), settings.var_dir)
    return any(server.name == name and server.process() is None for server in ours)


def _feature(name: str, count: int, why: str) -> Finding:
    if count:
        return Finding(name, Verdict.FINE, f"on: {count}")
    return Finding(name, Verdict.OFF, why)


def _java(*, needed: bool) -> Iterator[Finding]:
    try:
        java = find_java()
    except Misconfigured as error:
        verdict = Verdict.BROKEN if needed else Verdict.OFF
        yield Finding("Java", verdict, "; ".join(error.mistakes))
        return
    yield Finding("Java", Verdict.FINE, f"{java.version} ({java.program})")


def _jars(*, needed: bool) -> Iterator[Finding]:
    folder = kafka_jars.folder()
    wrong = kafka_jars.damage(folder)
    if not wrong:
        yield Finding("Kafka jars", Verdict.FINE, f"{kafka_jars.version()} in {folder}")
    elif folder.exists():
        detail = f"{len(wrong)} are damaged in {folder}: `citybrain up` fetches them again"
        yield Finding("Kafka jars", Verdict.BROKEN if needed else Verdict.OFF, detail)
    else:
        detail = f"{kafka_jars.version()} is fetched by `citybrain up --infra native`"
        yield Finding("Kafka jars", Verdict.OFF, detail)
