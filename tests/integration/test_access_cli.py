"""`citybrain account`, `citybrain api-key`, and the first administrator, as people call them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row

from api.access import password, secret
from api.app import create_app
from deploy import cli
from streams.contracts.reason import NamespaceKind
from streams.storage.connect import connect
from streams.storage.migrate import migrate
from tests.support.admission import bearer
from tests.support.seed_domains import DOMAINS
from tests.support.served import served

pytestmark = pytest.mark.integration
MADE = re.compile(r"\n([a-z0-9]{5}(?:-[a-z0-9]{5}){3})\n")


class Command:
    """`citybrain` in this process, on one namespace."""

    def __init__(self, capsys: pytest.CaptureFixture[str], conninfo: str, namespace: str) -> None:
        self._capsys = capsys
        self.conninfo = conninfo
        self.namespace = namespace

    def __call__(self, *arguments: str, code: int = 0) -> str:
        """What it says."""
        self._capsys.readouterr()
        found = cli.run(arguments)
        said = self._capsys.readouterr()
        assert found == code, said.err
        return said.out if code == 0 else said.err

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Everything in a table."""
        with psycopg.connect(self.conninfo, row_factory=dict_row) as connection:
            where = sql.Identifier(self.namespace, table)
            return connection.execute(sql.SQL("select * from {}").format(where)).fetchall()


@pytest.fixture
def citybrain(
    database_url: str,
    namespace: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Command:
    monkeypatch.setenv("CITYBRAIN_DATABASE", database_url)
    monkeypatch.setenv("CITYBRAIN_NAMESPACE", namespace)
    monkeypatch.delenv("CITYBRAIN_KAFKA", raising=False)
    migrate(database_url, namespace, NamespaceKind.LIVE, domains=DOMAINS)
    return Command(capsys, database_url, namespace)


def test_people_are_added_granted_and_shut_out(citybrain: Command) -> None:
    said = citybrain("account", "add", "Li.Wei", "--name", "李伟", "--grant", "operator@330106")
    made = MADE.search(said)
    assert made is not None
    (row,) = citybrain.rows("account")
    assert password.verified(made[1], row["password"])[0]
    assert row["must_change_password"] is True
    citybrain("account", "grant", "li.wei", "viewer", "330100")
    citybrain("account", "revoke", "li.wei", "operator", "330106")
    (listed,) = json.loads(citybrain("account", "list", "--json"))["accounts"]
    assert listed["grants"] == ["viewer@330100"]
    assert "viewer@330100" in citybrain("account", "list")
    citybrain("account", "disable", "li.wei")
    assert "disabled" in citybrain("account", "list")
    citybrain("account", "enable", "li.wei")
    assert MADE.search(citybrain("account", "password", "li.wei"))
    audit = citybrain.rows("audit")
    assert [line["what"] for line in audit] == [
        "account.add",
        "account.grant",
        "account.revoke",
        "account.disable",
        "account.enable",
        "account.password",
    ]
    assert {line["who"].partition(":")[0] for line in audit} == {"command"}


def test_mistakes_are_told_and_change_nothing(citybrain: Command) -> None:
    citybrain("account", "add", "li", "--grant", "administrator@all")
    before = citybrain.rows("audit")
    for arguments, words in (
        (("account", "grant", "nobody", "viewer", "all"), "there is no account 'nobody'"),
        (("account", "grant", "li", "king", "all"), "role@area"),
        (("account", "grant", "li", "viewer", "33"), "role@area"),
        (("account", "add", "li"), "there is an account 'li' already"),
        (("account", "add", "not so"), "letters, digits"),
        (("account", "disable", "li"), "last administrator"),
        (("account", "revoke", "li", "viewer", "all"), "was not granted"),
        (("api-key", "create", "x", "--scope", "all"), "read, act, subscribe, report"),
        (("api-key", "create", " "), "a name is needed"),
        (("api-key", "revoke", "nothing"), "there is no API key"),
    ):
        assert words in citybrain(*arguments, code=2)
    assert citybrain.rows("audit") == before


def test_an_area_that_the_registry_does_not_know_is_a_mistake(citybrain: Command) -> None:
    with connect(citybrain.conninfo, citybrain.namespace) as connection:
        connection.execute(
            "insert into area values ('330106', 'county', '330100', '西湖区', 'Xihu', 120, 30)"
        )
    citybrain("account", "add", "li", "--grant", "viewer@330106001")  # a town of the county
    said = citybrain("account", "grant", "li", "viewer", "330199", code=2)
    assert "330199 is no area of the registry" in said
    said = citybrain("api-key", "create", "k", "--area", "330106", "--area", "440100", code=2)
    assert "440100 is no area of the registry" in said


def test_a_key_is_made_used_and_revoked(citybrain: Command) -> None:
    made = json.loads(citybrain("api-key", "create", "signals", "--area", "330106", "--json"))
    assert "signals" in citybrain("api-key", "list")
    (listed,) = json.loads(citybrain("api-key", "list", "--json"))["keys"]
    assert (listed["id"], listed["state"], listed["scopes"]) == (made["id"], "valid", ["read"])
    with served(create_app(citybrain.conninfo, citybrain.namespace, DOMAINS)) as client:
        headers = bearer(made["key"])
        assert client.get("/v1/alerts", headers=headers).status_code != 401
        citybrain("api-key", "revoke", made["id"])
        assert client.get("/v1/alerts", headers=headers).status_code == 401
    assert made["key"] not in citybrain("api-key", "list", "--json")


def test_a_link_is_made_for_the_address_of_the_page(citybrain: Command) -> None:
    citybrain("account", "add", "li", "--grant", "viewer@all")
    link = citybrain("account", "link", "li").strip()
    address, _, token = link.partition("#enter=")
    assert address == "http://127.0.0.1:8600/"
    (row,) = citybrain.rows("login_link")
    assert row["digest"] == secret.digest(token)


def migrated(
    conninfo: str, namespace: str, stdout: int, folder: Path
) -> subprocess.CompletedProcess[bytes]:
    """`citybrain migrate` whose output goes there."""
    return subprocess.run(
        [sys.executable, "-m", "deploy.cli", "migrate", "--kind", "live"],
        cwd=Path(__file__).parents[2],
        env={
            **{k: v for k, v in os.environ.items() if not k.startswith("CITYBRAIN_")},
            "CITYBRAIN_DATABASE": conninfo,
            "CITYBRAIN_NAMESPACE": namespace,
            "CITYBRAIN_VAR_DIR": str(folder),
        },
        stdout=stdout,
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
    )


def test_the_first_password_is_shown_on_a_terminal_once(
    database_url: str, make_namespace: Callable[[], str], tmp_path: Path
) -> None:
    namespace = make_namespace()
    ours, theirs = os.openpty()
    try:
        assert migrated(database_url, namespace, theirs, tmp_path).returncode == 0
        said = os.read(ours, 65536).decode()
        found = re.search(r"administrator admin, password (\S+)", said)
        assert found is not None, said
        assert migrated(database_url, namespace, theirs, tmp_path).returncode == 0
        assert "admin" not in os.read(ours, 65536).decode()
    finally:
        os.close(ours)
        os.close(theirs)
    with psycopg.connect(database_url) as connection:
        where = sql.Identifier(namespace, "account")
        (stored,) = connection.execute(
            sql.SQL("select password from {} where must_change_password").format(where)
        ).fetchone() or (None,)
    assert password.verified(found[1], stored)[0]


def test_no_password_goes_into_a_file(
    database_url: str, make_namespace: Callable[[], str], tmp_path: Path
) -> None:
    namespace = make_namespace()
    done = migrated(database_url, namespace, subprocess.PIPE, tmp_path)
    assert done.returncode == 0, done.stderr
    said = done.stdout.decode()
    assert "citybrain account password admin" in said
    with psycopg.connect(database_url) as connection:
        where = sql.Identifier(namespace, "account")
        assert connection.execute(
            sql.SQL("select login, password from {}").format(where)
        ).fetchall() == [("admin", None)]
