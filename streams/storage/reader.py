"""The role that dashboards read with: what it may see, given anew at every migration.

It reads the views `board_*` of a namespace and nothing else; a view reads for its owner, so that
the tables behind need no grant. The role belongs to the server, not to the namespace.
"""

from __future__ import annotations

from enum import StrEnum

from psycopg import errors, sql

from streams.storage.connect import Connection

ROLE = "citybrain_reader"
PREFIX = "board_"
VIEWS = """
select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname = %s and c.relkind = 'v' and starts_with(c.relname, %s) order by c.relname
"""
# Dashboards ask much that is short: compiling it (JIT) takes longer than it saves.
LIMITS = (("default_transaction_read_only", "on"), ("statement_timeout", "30s"), ("jit", "off"))


class Reader(StrEnum):
    """What a migration did about the role."""

    READY = "may read the dashboards' views"
    LOGIN = "may read the dashboards' views, and log in with the password of the settings"
    ABSENT = (
        f"does not exist, and this account may not create roles: let an administrator run "
        f"`create role {ROLE} nologin`, then `citybrain migrate` again"
    )
    UNCHANGED = (
        "may read the dashboards' views; its login was not set: this account may not alter roles"
    )


def admit(connection: Connection, namespace: str, password: str | None) -> Reader:
    """Makes the role if it can, and grants it exactly the views of the namespace; idempotent.

    With a password the role may log in; the server is told only its SCRAM verifier.
    """
    if not _is_there(connection) and not _make(connection):
        return Reader.ABSENT
    names = {"schema": sql.Identifier(namespace), "role": sql.Identifier(ROLE)}
    connection.execute(sql.SQL("revoke all on schema {schema} from {role}").format(**names))
    connection.execute(
        sql.SQL("revoke all on all tables in schema {schema} from {role}").format(**names)
    )
    connection.execute(sql.SQL("grant usage on schema {schema} to {role}").format(**names))
    for (view,) in connection.execute(VIEWS, (namespace, PREFIX)).fetchall():
        grant = sql.SQL("grant select on {schema}.{view} to {role}")
        connection.execute(grant.format(view=sql.Identifier(view), **names))
    if password is None:
        return Reader.READY
    return Reader.LOGIN if _let_in(connection, password) else Reader.UNCHANGED


def _is_there(connection: Connection) -> bool:
    found = connection.execute("select from pg_roles where rolname = %s", (ROLE,))
    return found.rowcount > 0


def _make(connection: Connection) -> bool:
    try:
        with connection.transaction():
            connection.execute(sql.SQL("create role {} nologin").format(sql.Identifier(ROLE)))
            _limit(connection)
    except (errors.DuplicateObject, errors.UniqueViolation):  # another namespace made it just now
        return True
    except errors.InsufficientPrivilege:
        return False
    return True


def _limit(connection: Connection) -> None:
    for name, value in LIMITS:
        connection.execute(
            sql.SQL("alter role {} set {} = {}").format(
                sql.Identifier(ROLE), sql.Identifier(name), sql.Literal(value)
            )
        )


def _let_in(connection: Connection, password: str) -> bool:
    verifier = connection.pgconn.encrypt_password(
        password.encode(), ROLE.encode(), b"scram-sha-256"
    )
    try:
        with connection.transaction():
            connection.execute(
                sql.SQL("alter role {} login password {}").format(
                    sql.Identifier(ROLE), sql.Literal(verifier.decode())
                )
            )
            _limit(connection)
    except errors.InsufficientPrivilege:
        return False
    return True
