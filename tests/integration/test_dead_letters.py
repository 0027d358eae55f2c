"""Dead letters on a real store: listed, shown, tried again; mended, it is as if never refused."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

import pytest

from deploy import cli, dead_letters
from sensors.gateway.mqtt.door import CONTENT_TYPE, TOPIC
from streams.catalog import Registry
from streams.contracts.closing import Close, Ending, encode_close
from streams.contracts.codec import encode, encode_control, encode_refusal, encode_tick
from streams.contracts.frame import JSON, Frame, Record, Refusal
from streams.contracts.reason import NamespaceKind, Origin, Reason, Severity
from streams.log import Entry
from streams.log.postgres import PostgresLog
from streams.runtime.worker import worker_host
from streams.storage.canonical import canonical_dump, differences
from streams.storage.connect import connect
from streams.storage.migrate import migrate
from streams.storage.registry import save_registry
from tests.support.small_city import COUNTIES, DOMAINS, START_MS, frame_of, registry

pytestmark = pytest.mark.integration

MINUTE_MS = 60_000
NEW = f"{COUNTIES[0]}-p2"  # the point whose sensor the registry gets late
COMPLETENESS = r'"completeness":\{[^}]*\},'
LEDGER = """
select sum(received)::int, sum(rejected)::int, sum(duplicate)::int, sum(stored)::int from ledger
"""


@dataclass
class City:
    """A live namespace of the small city, its log, its worker, and the command."""

    conninfo: str
    namespace: str
    capsys: pytest.CaptureFixture[str]
    number: int = 0

    def open(self, held: Registry) -> City:
        migrate(self.conninfo, self.namespace, NamespaceKind.LIVE, domains=DOMAINS, partitions=2)
        with connect(self.conninfo, self.namespace) as connection:
            save_registry(connection, registry(2))  # so that every city gives the same numbers
        self.activate(held, START_MS)
        return self

    def activate(self, held: Registry, at_ms: int) -> None:
        with connect(self.conninfo, self.namespace) as connection:
            version = save_registry(connection, held).version
        for partition in range(2):
            self.append(partition, encode_control("registry", version, at_ms))

    def append(self, partition: int, *entries: Entry) -> None:
        with closing(PostgresLog(self.conninfo, self.namespace)) as log:
            log.append(partition, entries)

    def send(self, *frames: Frame) -> None:
        for frame in frames:
            self.append(COUNTIES.index(frame.area) % 2, encode(frame))

    def work(self, tick_ms: int | None = None) -> None:
        if tick_ms is not None:
            for partition in range(2):
                self.append(partition, encode_tick(tick_ms))
        with worker_host(self.conninfo, self.namespace, DOMAINS) as host:
            host.run_until_idle()

    def minute(self, minute: int, county: str = COUNTIES[0], **changes: Any) -> Frame:
        """Depths of three points that rise together, of which one may be unknown."""
        at = START_MS + minute * MINUTE_MS
        rows = [(f"{county}-p{n}", "depth", at, 0.02 * minute + 0.05 * n) for n in range(3)]
        frame = frame_of(county, "waterlogging", minute, at + 5_000, rows)
        return replace(frame, **changes)

    def query(self, statement: Any) -> list[tuple[Any, ...]]:
        with connect(self.conninfo, self.namespace) as connection:
            return connection.execute(statement).fetchall()

    def records(self, partition: int) -> list[Record]:
        with closing(PostgresLog(self.conninfo, self.namespace)) as log:
            return log.read(partition, 0)

    def run(self, *arguments: object) -> tuple[int, str]:
        self.capsys.readouterr()  # what the worker said before
        code = cli.run(["deadletter", *map(str, arguments), "--namespace", self.namespace])
        told = self.capsys.readouterr()
        return code, told.out + told.err

    def json(self, *arguments: object) -> tuple[int, list[Any]]:
        code, told = self.run(*arguments, "--json")
        return code, [json.loads(line) for line in told.splitlines()]


@pytest.fixture
def make_city(
    database_url: str,
    make_namespace: Callable[[], str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[[], City]:
    monkeypatch.setenv("CITYBRAIN_DATABASE", database_url)
    return lambda: City(database_url, make_namespace(), capsys)


def without(held: Registry, *sensors: str) -> Registry:
    """The registry before these sensors were imported; their points stand already."""
    return replace(held, sensors={k: v for k, v in held.sensors.items() if k not in sensors})


def test_after_the_registry_is_mended_a_retry_is_as_if_nothing_was_refused(
    make_city: Callable[[], City],
) -> None:
    minutes = range(25)
    never, mended = make_city().open(registry(2)), make_city().open(without(registry(2), NEW))
    for city in (never, mended):
        city.send(*(city.minute(m) for m in minutes))
        city.work()
        city.activate(registry(2), START_MS + 25 * MINUTE_MS)
        city.work()
    assert mended.query(LEDGER) == [(75, 25, 0, 50)]
    code, (account,) = mended.json("retry", "--reason", "unknown_sensor")
    assert (code, account["letters"], account["frames"], account["readings"]) == (0, 25, 25, 25)
    for city in (never, mended):
        city.send(city.minute(26))
        city.work(START_MS + 26 * 60 * MINUTE_MS)
    assert mended.query(LEDGER) == [(103, 25, 0, 78)]
    one, other = _meaning(never), _meaning(mended)
    assert len(one["observation"]) == 78
    assert one["alert"], "the water raised alerts"
    assert differences(one, other) == []


def _meaning(city: City) -> dict[str, list[tuple[Any, ...]]]:
    with connect(city.conninfo, city.namespace) as connection:
        found = canonical_dump(connection)
    assert len(found.pop("dead_letter")) in (0, 25)
    del found["ledger"]
    # How many points the area was known to have then differs, and rightly.
    found["alert_transition"] = [(*r[:-3], *r[-2:]) for r in found["alert_transition"]]
    found["outbox"] = [(*r[:-1], re.sub(COMPLETENESS, "", r[-1])) for r in found["outbox"]]
    return found


def test_a_late_retry_revises_the_figures_like_every_late_row(
    make_city: Callable[[], City],
) -> None:
    never, mended = make_city().open(registry(2)), make_city().open(without(registry(2), NEW))
    later = START_MS + 30 * 60 * MINUTE_MS
    for city in (never, mended):
        city.send(*(city.minute(m) for m in range(25)))
        city.work(later)
        city.activate(registry(2), later + 1)
        city.send(city.minute(30 * 60, ingest_ms=later + 2))
        city.work()
    code, _ = mended.run("retry", "--everything")
    assert code == 0
    mended.work(later + MINUTE_MS)
    never.work(later + MINUTE_MS)
    assert mended.query("select sum(late)::int from ledger") == [(25,)]
    views = ("observation", "observation_window")
    dumps = []
    for city in (never, mended):
        with connect(city.conninfo, city.namespace) as connection:
            dumps.append(canonical_dump(connection, views))
    assert len(dumps[0]["observation_window"]) > 3
    assert differences(dumps[0], dumps[1]) == []


def test_an_interrupted_retry_run_again_stores_nothing_twice(
    make_city: Callable[[], City], monkeypatch: pytest.MonkeyPatch
) -> None:
    city = make_city().open(without(registry(2), NEW))
    city.send(city.minute(1), city.minute(2))
    city.work()
    city.activate(registry(2), START_MS + 3 * MINUTE_MS)
    city.work()

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(dead_letters, "mark", die)
        assert city.run("retry", "--everything")[0] == 130
    assert city.query("select count(*) from dead_letter where retried_at is not null") == [(0,)]
    assert city.run("retry", "--everything")[0] == 0
    ids = [r.headers["ce_id"] for r in city.records(0) if "deadletter" in r.headers["ce_id"]]
    assert (len(ids), len(set(ids))) == (3, 2)
    city.work()
    assert city.query(LEDGER) == [(9, 2, 1, 6)]


def test_what_is_not_mended_is_kept_and_a_new_refusal_is_a_new_letter(
    make_city: Callable[[], City],
) -> None:
    city = make_city().open(without(registry(2), NEW))
    city.send(city.minute(1))
    city.work()
    code, (account,) = city.json("retry", 1)
    assert code == 1
    assert account["kept"] == [
        {
            "reason": "unknown_sensor",
            "why": "the registry still knows no such sensor",
            "count": 1,
        }
    ]
    assert city.run("retry", 1, "--force")[0] == 0
    city.work()
    assert city.query("select id, retried_at is null from dead_letter order by 1") == [
        (1, False),
        (2, True),
    ]
    code, told = city.run("retry", 1)
    assert (code, "was tried again already" in told) == (1, True)
    assert city.query(LEDGER) == [(4, 2, 0, 2)]


def test_a_retry_keeps_origin_ingest_time_and_backfill(make_city: Callable[[], City]) -> None:
    city = make_city().open(without(registry(2), NEW))
    city.send(
        city.minute(1, origin=Origin.REPLAYED, backfill=True, id="old"),
        city.minute(2, flag=city.minute(2).sensor.astype("i1") * 0 + 1, units=("m",)),
    )
    city.work()
    city.activate(registry(2), START_MS + 9 * MINUTE_MS)
    assert city.run("retry", "--everything")[0] == 0
    old, new = city.records(0)[-2:]
    assert (old.headers["origin"], old.headers["backfill"]) == ("replayed", "true")
    assert old.headers["ce_time"] == "2026-08-16T16:01:05.000Z"
    assert old.headers["ce_id"].startswith("deadletter.0.1.")
    assert (new.headers["origin"], "backfill" in new.headers) == ("live", False)
    city.work()
    assert city.query("select count(*) from dead_letter") == [(2,)]


def test_a_simulated_frame_never_becomes_live(make_city: Callable[[], City]) -> None:
    city = make_city().open(registry(2))
    city.send(city.minute(1, origin=Origin.SIMULATED))
    city.work()
    code, told = city.run("retry", 1)
    assert (code, "what a namespace takes never changes" in told) == (1, True)
    assert city.run("retry", 1, "--force")[0] == 0
    city.work()
    assert city.query("select reason, count(*) from dead_letter group by 1") == [
        ("origin_refused", 2)
    ]
    assert city.query("select count(*) from observation") == [(0,)]


def test_a_whole_record_goes_to_the_partition_that_holds_its_area_now(
    make_city: Callable[[], City],
) -> None:
    held = registry(2)
    elsewhere = {code: p for code, p in held.partitions.items() if code != COUNTIES[0]}
    city = make_city().open(replace(held, partitions=elsewhere))
    city.send(city.minute(1))
    city.work()
    assert city.run("retry", 1)[0] == 1
    city.activate(replace(held, partitions=elsewhere | {COUNTIES[0]: 1}), START_MS)
    code, _ = city.run("retry", "--area", COUNTIES[0])
    assert code == 0
    city.work()
    assert city.query("select retried_partition, retried_as from dead_letter") == [
        (1, "deadletter.0.1")
    ]
    assert city.query("select count(*) from observation") == [(3,)]


def test_bytes_that_cannot_be_read_and_controls_are_never_appended(
    make_city: Callable[[], City],
) -> None:
    city = make_city().open(registry(2))
    headers, _ = encode(city.minute(1))
    city.append(0, (headers, b"\xc1"), encode_control("registry", "sha256:none", START_MS))
    city.work()
    length = len(city.records(0))
    code, told = city.run("retry", "--everything", "--force")
    assert code == 0
    assert "this version cannot read it either: malformed" in told
    assert "activation of a version" in told
    assert len(city.records(0)) == length


def test_a_message_refused_over_quota_is_read_again(make_city: Callable[[], City]) -> None:
    city = make_city().open(registry(2))
    body = {
        "readings": [
            {"sensor": NEW, "property": "depth", "time": START_MS + MINUTE_MS, "value": 0.25},
            {"sensor": "nobody", "property": "depth", "time": START_MS, "value": 0.25},
        ]
    }
    gateway = f"/gw/{COUNTIES[0]}/water"
    topic = f"{COUNTIES[0]}/waterlogging/{gateway.replace('/', '%2F')}/observation"
    refusal = Refusal(
        gateway,
        COUNTIES[0],
        START_MS + 2 * MINUTE_MS,
        Reason.OVER_QUOTA,
        "more than 1 readings/s",
        2,
        json.dumps(body).encode(),
        {TOPIC: topic, CONTENT_TYPE: JSON},
    )
    city.append(0, encode_refusal(refusal, "refusal-1"))
    city.work()
    code, (account,) = city.json("retry", 1)
    assert (code, account["readings"]) == (0, 1)
    city.work()
    assert city.query("select value from observation") == [(250_000,)]
    assert city.query(LEDGER) == [(3, 2, 0, 1)]


def test_letters_of_before_the_headers_were_kept_stay_as_they_are(
    make_city: Callable[[], City],
) -> None:
    city = make_city().open(registry(2))
    city.send(city.minute(1, domain="noise"))
    city.work()
    with connect(city.conninfo, city.namespace) as connection:
        connection.execute("update dead_letter set headers = null, partition = null")
    code, told = city.run("retry", 1, "--force")
    assert (code, "did not keep the headers" in told) == (1, True)
    assert "(not kept)" in city.run("show", 1)[1]


def test_letters_are_listed_filtered_and_counted(make_city: Callable[[], City]) -> None:
    city = make_city().open(without(registry(2), NEW))
    city.send(*(city.minute(m) for m in range(5)), city.minute(9, COUNTIES[1], domain="noise"))
    city.work()
    code, lines = city.json("list", "--limit", 3)
    assert code == 0
    assert [line["id"] for line in lines[:-1]] == sorted((n for n in range(4, 7)), reverse=True)
    assert lines[-1] == {"counts": {"unknown_sensor": 5, "unknown_domain": 1}, "total": 6}
    for arguments, count in (
        (("--reason", "unknown_domain"), 1),
        (("--area", COUNTIES[0]), 5),
        (("--source", "nobody"), 0),
        (("--domain", "noise"), 1),
        (("--since", "2200-01-01"), 0),
        (("--since", "2020-01-01T00:00+08:00"), 6),
    ):
        assert city.json("list", *arguments)[1][-1]["total"] == count
    told = city.run("list")[1]
    assert "6 of 6 dead letters" in told
    assert "citybrain registry import" in told


def test_a_letter_is_shown_with_its_place_headers_and_body(make_city: Callable[[], City]) -> None:
    city = make_city().open(without(registry(2), NEW))
    headers, body = encode(city.minute(3, domain="noise"), JSON)
    packed_headers, packed = encode(city.minute(4, domain="noise"))
    city.send(city.minute(1))
    city.append(0, (headers, body), (packed_headers, packed), (headers, b"\x00\x01broken"))
    city.work()
    by_reason: dict[str, list[int]] = {}
    for line in city.json("list")[1][:-1]:
        by_reason.setdefault(line["reason"], []).append(line["id"])
    told = city.run("show", by_reason["unknown_sensor"][0])[1]
    assert "partition 0, offset 1: row 2 of a frame" in told
    assert f'"sensor": "{NEW}"' in told
    assert "ce_time" in told
    packed_id, json_id = by_reason["unknown_domain"]
    assert '"schema": 1' in city.run("show", json_id)[1]
    assert '"schema": 1' in city.run("show", packed_id)[1]
    told = city.run("show", by_reason["malformed"][0])[1]
    assert "000000  00 01 62 72 6f 6b 65 6e" in told
    assert "does not help" in told
    code, told = city.run("show", by_reason["malformed"][0], "--json")
    assert (code, json.loads(told)["content_hex"]) == (0, "000162726f6b656e")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("retry",), "name letters, a filter, or --everything"),
        (("retry", 1, "--everything"), "only one of these"),
        (("retry", 77), "has no dead letter 77"),
        (("show", 77), "has no dead letter 77"),
        (("list", "--reason", "bad", "--since", "noon"), "--since noon"),
    ],
)
def test_wrong_calls_are_refused(
    make_city: Callable[[], City], arguments: Sequence[object], told: str
) -> None:
    city = make_city().open(registry(2))
    code, found = city.run(*arguments)
    assert (code, told in found) == (2, True), found


def test_a_dry_run_changes_nothing(make_city: Callable[[], City]) -> None:
    city = make_city().open(without(registry(2), NEW))
    city.send(city.minute(1))
    city.activate(registry(2), START_MS + 2 * MINUTE_MS)
    city.work()
    length = len(city.records(0))
    code, (account,) = city.json("retry", "--everything", "--dry-run")
    assert (code, account["letters"], account["dry_run"]) == (0, 1, True)
    assert len(city.records(0)) == length
    assert city.query("select count(*) from dead_letter where retried_at is not null") == [(0,)]


def test_a_close_that_found_no_area_is_tried_again(make_city: Callable[[], City]) -> None:
    city = make_city()
    migrate(city.conninfo, city.namespace, NamespaceKind.LIVE, domains=DOMAINS, partitions=2)
    close = Close(
        COUNTIES[0], "9f2c", "p", False, Severity.BLUE, 1, "account:wang",
        Ending.FALSE_ALARM, "cleaned", START_MS,
    )  # fmt: skip
    city.append(0, encode_close(close))
    city.work()
    assert city.query("select reason from dead_letter") == [("unknown_area",)]
    city.activate(registry(2), START_MS)
    city.work()
    assert city.run("retry", "--everything")[0] == 0
    city.work()
    assert city.query("select alert, number, verdict from alert_close") == [("9f2c", 1, "not_open")]
