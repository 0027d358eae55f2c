"""What the role of dashboards may read: the views made for it, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg
import pytest
from psycopg import sql

from streams.contracts.reason import NamespaceKind
from streams.storage.boards import reading
from streams.storage.connect import connect
from streams.storage.migrate import migrate
from streams.storage.reader import ROLE, Reader, admit

pytestmark = pytest.mark.integration
CLOSED = (
    "account",
    "account_grant",
    "alert",
    "api_key",
    "audit",
    "checkpoint",
    "checkpoint_segment",
    "dead_letter",
    "gateway_key",
    "log_record",
    "login_failure",
    "login_link",
    "observation",
    "official_warning",
    "outbox",
    "session",
    "subscription",
)
RELATIONS = """
select relname, relkind in ('v', 'm') from pg_catalog.pg_class
where relnamespace = {}::regnamespace and relkind in ('r', 'v', 'm', 'p')
"""
SECRET = ("digest", "password", "secret", "target", "content", "original", "headers", "error")
PEOPLE = ("who", "author", "assignee", "lines", "note", "reference", "acknowledged_by", "closed_by")
COLUMNS = """
select table_name || '.' || column_name from information_schema.columns
where table_schema = %s and table_name like 'board\\_%%'
    and (column_name = any(%s) or data_type = 'bytea')
"""


@pytest.fixture
def made(database_url: str, namespace: str) -> str:
    migrate(database_url, namespace, NamespaceKind.REPLAY)
    return namespace


def test_every_view_of_dashboards_is_readable_and_nothing_else(
    database_url: str, made: str
) -> None:
    with reading(database_url, made) as session:
        relations = session.ask(RELATIONS.format(f"'{made}'")).rows
        assert {*CLOSED, "board_alert"} <= {name for name, _ in relations}
        for name, _ in relations:
            answer = session.ask(f'select * from "{made}"."{name}" limit 1')
            if name.startswith("board_"):
                assert answer.error is None, (name, answer.error)
            else:
                assert answer.error is not None, name
                assert "permission denied" in answer.error, name


def test_the_views_show_no_secret(database_url: str, made: str) -> None:
    with connect(database_url, made) as connection:
        assert connection.execute(COLUMNS, (made, list(SECRET))).fetchall() == []


def test_the_views_do_not_say_who_acted(database_url: str, made: str) -> None:
    with connect(database_url, made) as connection:
        assert connection.execute(COLUMNS, (made, list(PEOPLE))).fetchall() == []


def test_the_role_changes_nothing(database_url: str, made: str) -> None:
    with reading(database_url, made) as session:
        refused = session.ask(f'delete from "{made}".board_ledger')
        assert refused.error is not None


def test_another_namespace_stays_closed_when_it_took_its_views_back(
    database_url: str, made: str
) -> None:
    with connect(database_url, made) as connection:
        connection.execute(
            sql.SQL("revoke usage on schema {} from {}").format(
                sql.Identifier(made), sql.Identifier(ROLE)
            )
        )
    with reading(database_url, made) as session:
        assert "permission denied for schema" in str(session.ask(f"select from {made}.x").error)
    with connect(database_url, made) as connection:
        assert admit(connection, made, None) is Reader.READY
    with reading(database_url, made) as session:
        assert session.ask(f"select * from {made}.board_store").error is None


@pytest.fixture
def owner(database_url: str, make_namespace: Callable[[], str]) -> Iterator[tuple[str, str]]:
    """A connection string of an account that may make schemas and no roles; its name."""
    name = make_namespace().replace("test_", "owner_")
    with psycopg.connect(database_url, autocommit=True) as connection:
        role = sql.Identifier(name)
        connection.execute(sql.SQL("create role {} nologin").format(role))
        database = sql.Identifier(connection.info.dbname)
        connection.execute(sql.SQL("grant create on database {} to {}").format(database, role))
        yield f"{database_url} options='-c role={name}'", name
        connection.execute(sql.SQL("drop owned by {} cascade").format(role))
        connection.execute(sql.SQL("drop role {}").format(role))


def test_an_owner_who_may_not_alter_roles_is_told(
    owner: tuple[str, str], database_url: str, made: str, make_namespace: Callable[[], str]
) -> None:
    """The role is there already (of the other namespace): views are granted, a password is not."""
    done = migrate(owner[0], make_namespace(), NamespaceKind.REPLAY, reader_password="x" * 16)
    assert done.reader is Reader.UNCHANGED


def test_who_logs_in_has_the_limits_of_the_role_also_where_it_was_there_before(
    database_url: str, made: str
) -> None:
    with connect(database_url, made, autocommit=True) as connection:
        role = sql.Identifier(ROLE)
        connection.execute(sql.SQL("alter role {} reset all").format(role))
        assert admit(connection, made, "x" * 16) is Reader.LOGIN
        found = connection.execute("select rolconfig from pg_roles where rolname = %s", (ROLE,))
        limits = found.fetchall()[0][0]
        connection.execute(sql.SQL("alter role {} nologin password null").format(role))
    assert limits == ["default_transaction_read_only=on", "statement_timeout=30s", "jit=off"]


def test_an_owner_who_may_not_make_the_role_is_told(
    owner: tuple[str, str], database_url: str, made: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.storage.reader.ROLE", "citybrain_test_nobody")
    with connect(owner[0], made) as connection:
        assert admit(connection, made, None) is Reader.ABSENT
    assert "create role" in Reader.ABSENT
