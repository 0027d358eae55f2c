"""Makes a namespace and brings it up to date: plain SQL files, in order, forward only.

An applied file is known by its checksum; a file that was edited after it ran is refused. Also
fills what follows from the program itself, the catalogue of properties and the partitions of the
log, fits the tables to what the server offers (`streams.storage.fit`), and says what dashboards
may read (`streams.storage.reader`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

from psycopg import sql

from streams.contracts.domain import Domain
from streams.contracts.reason import LogKind, NamespaceKind
from streams.domains import find_domains
from streams.errors import Misconfigured
from streams.log import OBSERVATION_TOPIC
from streams.storage.chunks import drop_all
from streams.storage.connect import Connection, connect, execute_script, translated
from streams.storage.fit import Store, detect, fit
from streams.storage.keeping import Keeping
from streams.storage.reader import Reader, admit

REGION_TOPIC = "region"
DEFAULT_PARTITIONS = 4
FIT_TIMEOUT_S = 86_400  # rows of years are cut into chunks once
LOCK = "select pg_advisory_xact_lock(hashtextextended('citybrain migrate ' || %s, 0))"
LEDGER = """
create table if not exists migration (
    name text primary key,
    checksum text not null,
    applied timestamptz not null default now()
)
"""
# Ids are given once: the highest ever given is kept by the rows themselves, which nobody deletes.
ADD_PROPERTY = """
insert into property (id, name, domain, unit, scale)
select coalesce(max(id), 0) + 1, %s, %s, %s, %s from property
"""
MOVE_PROPERTY = """
update property set domain = %s where name = %s
"""


_WHERE = {LogKind.TABLE: "a table of the database", LogKind.KAFKA: "Kafka"}


@dataclass(frozen=True, slots=True)
class Migrated:
    """What a migration did, for people."""

    applied: tuple[str, ...]  # names of the files that ran now
    store: Store  # what the server offers
    partitions: int
    reader: Reader  # the role of dashboards


def migrate(
    conninfo: str,
    namespace: str,
    kind: NamespaceKind,
    *,
    domains: Mapping[str, Domain] | None = None,
    partitions: int = DEFAULT_PARTITIONS,
    log: LogKind = LogKind.TABLE,
    keeping: Keeping | None = None,
    reader_password: str | None = None,
) -> Migrated:
    """Creates or upgrades the namespace in one transaction, and fits it to the server in another;
    both under an advisory lock. Without `keeping` compression stays as it was set, without
    `reader_password` the login of the dashboards' role.

    Raises `Misconfigured` when an applied file was edited or is missing, when the namespace is of
    another kind or keeps its log elsewhere, when the number of partitions differs from the one it
    was made with, or when a property changed its unit or scale; `Unavailable` when the
    database does not answer. A property may move to another domain: what is stored of it means the
    same.
    """
    found = find_domains() if domains is None else domains
    with translated(), connect(conninfo, namespace, "citybrain migrate") as connection:
        connection.execute(LOCK, (namespace,))
        connection.execute(
            sql.SQL("create schema if not exists {}").format(sql.Identifier(namespace))
        )
        connection.execute(LEDGER)
        applied = _apply_files(connection)
        _name(connection, namespace, kind, log)
        _fill_properties(connection, found)
        _fill_partitions(connection, partitions)
    store = _fit(conninfo, namespace, kind, keeping)
    with translated(), connect(conninfo, namespace, "citybrain migrate") as connection:
        connection.execute(LOCK, (namespace,))
        reader = admit(connection, namespace, reader_password)
    return Migrated(applied, store, partitions, reader)


def is_migrated(connection: Connection) -> bool:
    """Whether the namespace exists and every migration of this program was applied to it."""
    row = connection.execute("select to_regclass('migration') is not null").fetchone()
    if row is None or not row[0]:
        return False
    done = {name for (name,) in connection.execute("select name from migration")}
    return all(name in done for name, _ in _files())


def drop_namespace(conninfo: str, namespace: str, *, topics_removed: bool = False) -> None:
    """Removes a throwaway namespace with everything in it; refuses the live one.

    Also refuses one whose log is in Kafka, unless its topics are removed already
    (`streams.log.opening.drop_with_log`): the name would find old records when it is used again.
    """
    with (
        translated(),
        connect(conninfo, namespace, "citybrain drop", autocommit=True) as connection,
    ):
        there = connection.execute("select to_regclass('namespace')").fetchone()
        if there and there[0]:
            row = connection.execute("select kind, log from namespace").fetchone()
            if row and row[0] == NamespaceKind.LIVE:
                raise Misconfigured([f"namespace {namespace} is live: it is not dropped"])
            if row and row[1] == LogKind.KAFKA and not topics_removed:
                raise Misconfigured(
                    [
                        f"the log of namespace {namespace} is in Kafka: use another name, or drop "
                        "both with `citybrain simulate --fresh`"
                    ]
                )
            drop_all(connection, detect(connection))
        connection.execute(
            sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(namespace))
        )


def namespace_kind(connection: Connection) -> NamespaceKind:
    """The kind that the namespace was made with."""
    row = connection.execute("select kind from namespace").fetchone()
    if row is None:
        raise Misconfigured(["the namespace is empty: run `citybrain migrate` first"])
    return NamespaceKind(row[0])


def namespace_log(connection: Connection) -> LogKind:
    """Where the namespace keeps its log."""
    row = connection.execute("select log from namespace").fetchone()
    if row is None:
        raise Misconfigured(["the namespace is empty: run `citybrain migrate` first"])
    return LogKind(row[0])


def is_there(connection: Connection) -> bool:
    """Whether the namespace was ever made; it need not be up to date."""
    row = connection.execute("select to_regclass('namespace') is not null").fetchone()
    return row is not None and bool(row[0])


def partition_count(connection: Connection) -> int:
    """How many partitions the namespace was made with."""
    row = connection.execute(
        "select count(*) from log_partition where topic = %s", (OBSERVATION_TOPIC,)
    ).fetchone()
    return int(row[0]) if row else 0


def property_ids(connection: Connection) -> dict[str, int]:
    """Property name → catalogue id."""
    return {name: number for name, number in connection.execute("select name, id from property")}


def _fit(conninfo: str, namespace: str, kind: NamespaceKind, keeping: Keeping | None) -> Store:
    name = "citybrain migrate"
    with translated(), connect(conninfo, namespace, name, timeout_s=FIT_TIMEOUT_S) as connection:
        connection.execute(LOCK, (namespace,))
        return fit(connection, kind, keeping)


def _files() -> list[tuple[str, str]]:
    folder = resources.files(__package__) / "migrations"
    return sorted(
        (file.name, file.read_text(encoding="utf-8"))
        for file in folder.iterdir()
        if file.name.endswith(".sql")
    )


def _apply_files(connection: Connection) -> tuple[str, ...]:
    done: dict[str, str] = dict(
        connection.execute("select name, checksum from migration").fetchall()
    )
    files = _files()
    sums = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in files}
    mistakes = [f"migration {name} was applied but is missing" for name in done if name not in sums]
    mistakes += [
        f"migration {name} was edited after it was applied"
        for name, checksum in done.items()
        if sums.get(name, checksum) != checksum
    ]
    if mistakes:
        raise Misconfigured(mistakes)
    fresh = [(name, text) for name, text in files if name not in done]
    for name, text in fresh:
        execute_script(connection, text)
        connection.execute(
            "insert into migration (name, checksum) values (%s, %s)", (name, sums[name])
        )
    return tuple(name for name, _ in fresh)


def _name(connection: Connection, namespace: str, kind: NamespaceKind, log: LogKind) -> None:
    connection.execute(
        "insert into namespace (name, kind, log) values (%s, %s, %s) on conflict do nothing",
        (namespace, kind.value, log.value),
    )
    mistakes = []
    held, kept = namespace_kind(connection), namespace_log(connection)
    if held is not kind:
        mistakes.append(f"namespace {namespace} is of kind {held}, not {kind}")
    if kept is not log:
        advice = "set" if kept is LogKind.KAFKA else "unset"
        mistakes.append(
            f"namespace {namespace} keeps its log in {_WHERE[kept]}: {advice} CITYBRAIN_KAFKA, or "
            "start anew in another namespace"
        )
    if mistakes:
        raise Misconfigured(mistakes)


def _fill_properties(connection: Connection, domains: Mapping[str, Domain]) -> None:
    rows = connection.execute("select name, domain, unit, scale from property").fetchall()
    known = {row[0]: row[1:] for row in rows}
    mistakes = []
    for domain in domains.values():
        for prop in domain.properties:
            wanted = (domain.name, prop.unit, prop.scale)
            if prop.name not in known:
                connection.execute(ADD_PROPERTY, (prop.name, *wanted))
            elif known[prop.name][1:] == wanted[1:]:
                connection.execute(MOVE_PROPERTY, (domain.name, prop.name))
            else:
                mistakes.append(
                    f"property {prop.name} is stored as {known[prop.name]}, now {wanted}: "
                    "give it another name"
                )
    if mistakes:
        raise Misconfigured(mistakes)


def _fill_partitions(connection: Connection, partitions: int) -> None:
    have = partition_count(connection)
    if have and have != partitions:
        raise Misconfigured(
            [f"the log has {have} partitions, fixed when it was made; asked for {partitions}"]
        )
    connection.execute(
        "insert into log_partition (topic, partition)"
        " select %s, generate_series(0, %s - 1) union all select %s, 0 on conflict do nothing",
        (OBSERVATION_TOPIC, partitions, REGION_TOPIC),
    )
