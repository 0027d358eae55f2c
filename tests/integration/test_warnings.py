"""Official warnings from the file to the API, on a real store: nothing lost, nothing twice."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.app import create_app
from deploy import cli
from streams.contracts.cap.model import Status
from streams.contracts.codec import encode, encode_control, encode_tick
from streams.contracts.reason import NamespaceKind, Origin, Severity
from streams.contracts.warning import Kind, OfficialWarning, encode_announcement
from streams.log.postgres import PostgresLog
from streams.runtime.worker import worker_host
from streams.storage.connect import connect
from streams.storage.migrate import migrate
from streams.storage.registry import save_registry
from tests.support.admission import OPEN
from tests.support.api_client import get
from tests.support.official import warning
from tests.support.served import served
from tests.support.shared_data import shared_data
from tests.support.small_city import COUNTIES, DOMAINS, START_MS, frame_of, registry

pytestmark = pytest.mark.integration

MINUTE = 60_000
HOUR = 60 * MINUTE


@dataclass
class City:
    """A live namespace with two partitions, its worker and the command."""

    conninfo: str
    namespace: str
    capsys: pytest.CaptureFixture[str]

    def tell(
        self, *told: tuple[int, OfficialWarning], partitions: tuple[int, ...] = (0, 1)
    ) -> None:
        """(minute, warning) into the log."""
        with closing(PostgresLog(self.conninfo, self.namespace)) as log:
            for partition in partitions:
                for minute, one in told:
                    at = START_MS + minute * MINUTE
                    log.append(partition, [encode_announcement(one, "gw", Origin.LIVE, at)])

    def tick(self, minute: int) -> None:
        with closing(PostgresLog(self.conninfo, self.namespace)) as log:
            for partition in (0, 1):
                log.append(partition, [encode_tick(START_MS + minute * MINUTE)])

    def work(self) -> None:
        with worker_host(self.conninfo, self.namespace, DOMAINS) as host:
            host.run_until_idle()

    def run(self, *arguments: object) -> tuple[int, str]:
        self.capsys.readouterr()
        code = cli.run(["warnings", *map(str, arguments), "--namespace", self.namespace])
        told = self.capsys.readouterr()
        return code, told.out + told.err

    def query(self, statement: Any) -> list[tuple[Any, ...]]:
        with connect(self.conninfo, self.namespace) as connection:
            return connection.execute(statement).fetchall()


@pytest.fixture
def city(
    database_url: str,
    make_namespace: Callable[[], str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> City:
    monkeypatch.setenv("CITYBRAIN_DATABASE", database_url)
    name = make_namespace()
    migrate(database_url, name, NamespaceKind.LIVE, domains=DOMAINS, partitions=2)
    with connect(database_url, name) as connection:
        version = save_registry(connection, registry(2)).version
    with closing(PostgresLog(database_url, name)) as log:
        for partition in (0, 1):
            log.append(partition, [encode_control("registry", version, START_MS)])
        rows = [(f"{COUNTIES[0]}-p0", "depth", START_MS, 0.01)]
        log.append(0, [encode(frame_of(COUNTIES[0], "waterlogging", 0, START_MS + 1000, rows))])
    return City(database_url, name, capsys)


@pytest.fixture
def client(city: City) -> Iterator[httpx.Client]:
    with served(create_app(city.conninfo, city.namespace, DOMAINS, settings=OPEN)) as client:
        yield client


def states(client: httpx.Client, **given: object) -> dict[str, str]:
    return {i["identifier"]: i["state"] for i in get(client, "/v1/warnings", **given)["items"]}


def test_given_samples_come_in_and_the_bad_one_is_laid_down(
    city: City, client: httpx.Client
) -> None:
    folder = shared_data("cap") / "samples"
    code, told = city.run("import", folder, "--dry-run")
    assert code == 1, told
    assert "9 would go into the log" in told
    assert "rule required: alert/scope: is missing" in told
    assert city.query("select count(*) from official_warning") == [(0,)]
    for _ in range(2):
        assert city.run("import", folder)[0] == 1
    city.work()
    assert city.query("select count(*) from official_warning") == [(9,)], "said twice, once there"
    letters = city.query("select distinct reason, detail, content, source from dead_letter")
    (letter,) = letters
    assert letter[:2] == ("invalid_warning", "rule required: alert/scope: is missing")
    assert letter[2] == (folder / "invalid_missing_scope.xml").read_bytes()
    found = get(client, "/v1/warnings", state="all")["items"]
    kept = {one["identifier"]: one for one in found}
    assert len(kept) == 9
    quake = kept["USGS-earthquakes-usB000D5T4.3947362.7.20121014T225304.360Z.0"]
    assert "Usulután" in quake["headline"]
    original = client.get(f"/v1/warnings/{quake['id']}/original")
    assert original.content == (folder / "usgs_earthquake_iso8859-1.xml").read_bytes()
    assert original.headers["content-type"] == "application/octet-stream"
    assert states(client) == {}, "all are over"


def test_rows_of_the_national_list_come_in(city: City, client: httpx.Client) -> None:
    code, told = city.run("import", shared_data("warnings-cn"), "--at", "2026-08-07T18:20")
    assert code == 0, told
    city.work()
    city.tick(0)
    found = get(client, "/v1/warnings", state="all", area="330106")["items"]
    assert [one["identifier"] for one in found] == ["33000033200000_20260807181838"]
    (one,) = found
    assert one["issuers"] == ["浙江省水利厅", "浙江省气象台"]
    assert (one["severity"]["name"], one["type"], one["cities"]) == ("blue", "山洪灾害", ["330000"])
    assert not one["expires_stated"]
    shapes = client.get("/v1/warnings?state=all&format=geojson").json()["features"]
    geometries = {s["properties"]["identifier"]: s["geometry"] for s in shapes}
    beijing = {"type": "Point", "coordinates": [116.2977, 39.959893]}
    assert geometries["11010841600000_20240321165947"] == beijing


def test_states_follow_from_references_in_any_order(city: City, client: httpx.Client) -> None:
    sent = START_MS
    update = warning("b", sent + 1, kind=Kind.UPDATE, refers=("a",), expires_ms=sent + 2 * HOUR)
    told = [
        (1, warning("a", sent, expires_ms=sent + HOUR)),
        (2, update),
        (3, warning("c", sent, expires_ms=sent + 20 * MINUTE)),
        (4, warning("d", sent, status=Status.TEST)),
        (5, warning("e", sent, areas=("330200",), severity=Severity.BLUE)),
    ]
    city.tell(*told, partitions=(0,))
    city.tell(*reversed(told), partitions=(1,))
    city.work()
    whole = {"a": "updated", "b": "active", "c": "active", "d": "not_actual", "e": "active"}
    assert states(client, state="all") == whole
    assert states(client, area=COUNTIES[0]) == {"b": "active", "c": "active"}
    assert states(client, severity="red") == {"b": "active", "c": "active"}
    city.tick(30)
    city.tell((31, warning("x", sent + 2, kind=Kind.CANCEL, refers=("b",), areas=())))
    city.work()
    after = {"a": "updated", "b": "cancelled", "c": "expired", "x": "cancel"}
    assert states(client, state="all") == whole | after
    assert states(client) == {"e": "active"}
    code, shown = city.run("list", "--all", "--json")
    assert code == 0
    assert len([json.loads(line) for line in shown.splitlines()]) == 6
    assert "浙江省气象台" in city.run("list")[1]


def test_mistakes_are_told(city: City, client: httpx.Client, tmp_path: Path) -> None:
    assert city.run("import", tmp_path)[0] == 2
    (tmp_path / "a.json").write_text("[]", encoding="utf-8")
    code, told = city.run("import", tmp_path, "--dry-run")
    assert (code, "rule row" in told) == (1, True)
    assert city.run("import", tmp_path, "--at", "soon")[0] == 2
    assert client.get("/v1/warnings?area=xihu").status_code == 422
    assert client.get("/v1/warnings/nothing").status_code == 404
    assert client.get("/v1/warnings/nothing/original").status_code == 404
