"""`citybrain rules` on a real database: put into force, shown, explained, played again."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from deploy import cli
from streams.catalog import Profile, Registry
from streams.contracts.codec import encode, encode_control, encode_tick
from streams.contracts.reason import NamespaceKind
from streams.log.postgres import PostgresLog
from streams.runtime.worker import worker_host
from streams.storage.connect import connect
from streams.storage.migrate import migrate
from streams.storage.registry import newest, save_profile, save_registry
from tests.support.small_city import AIR, COUNTIES, DOMAINS, START_MS, frame_of, registry

pytestmark = pytest.mark.integration

MINUTE = 60_000
HOUR_MS = 60 * MINUTE
COUNTY = COUNTIES[0]
POINT = f"{COUNTY}-p0"
LOWER = """\
domain: waterlogging
rules:
  waterlogging.depth:
    levels: {blue: 10}
    overrides:
      - point: 330106-p0
        levels: {blue: 5}
      - area: 330200
        off: true
"""
BAD = LOWER.replace("blue: 5", "blue: 60")


@dataclass
class City:
    """A live namespace with a registry, a worker on demand, and the command in it."""

    conninfo: str
    namespace: str
    folder: Path
    capsys: pytest.CaptureFixture[str]
    registry: Registry
    sent: int = 0

    def run(self, *arguments: object) -> tuple[int, str]:
        """Exit code and everything told."""
        code = cli.run(["rules", *map(str, arguments)])
        told = self.capsys.readouterr()
        return code, told.out + told.err

    def json(self, *arguments: object) -> Any:
        code = cli.run(["rules", *map(str, arguments), "--json"])
        told = self.capsys.readouterr()
        assert code == 0, told.err
        return json.loads(told.out)

    def rules(self, text: str, name: str = "rules") -> Path:
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        (folder / "water.yaml").write_text(text, encoding="utf-8")
        return folder

    def depth(self, minutes: range, value: float) -> None:
        """A reading a minute of the same depth at two points of two counties."""
        with closing(PostgresLog(self.conninfo, self.namespace)) as log:
            for minute in minutes:
                at = START_MS + minute * MINUTE
                for county in (COUNTY, COUNTIES[2]):
                    rows = [
                        (f"{county}-p0", "depth", at, value),
                        (f"{county}-p1", "depth", at, value),
                    ]
                    self.sent += 1
                    frame = frame_of(county, "waterlogging", self.sent, at + 1000, rows)
                    log.append(self.registry.partitions[county], [encode(frame)])
                for partition in range(self.registry.partition_count):
                    log.append(partition, [encode_tick(at + 2000)])
        self.work()

    def air(self, hours: range) -> None:
        """Hours of moderate air at one station, each told when it is over."""
        with closing(PostgresLog(self.conninfo, self.namespace)) as log:
            for hour in hours:
                start = START_MS + hour * HOUR_MS
                values = dict(zip(AIR, (45.0, 60.0, 6.0, 30.0, 80.0, 0.6), strict=True))
                rows = [(f"{COUNTY}-a", name, start, v + hour) for name, v in values.items()]
                frame = frame_of(COUNTY, "air", hour, start + HOUR_MS + 60_000, rows)
                log.append(self.registry.partitions[COUNTY], [encode(frame)])
        self.work()

    def work(self) -> None:
        with worker_host(self.conninfo, self.namespace, DOMAINS) as host:
            host.run_until_idle()

    def query(self, statement: Any) -> list[tuple[Any, ...]]:
        with connect(self.conninfo, self.namespace) as connection:
            return connection.execute(statement).fetchall()


@pytest.fixture
def city(
    database_url: str,
    namespace: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> City:
    monkeypatch.setenv("CITYBRAIN_DATABASE", database_url)
    monkeypatch.setenv("CITYBRAIN_NAMESPACE", namespace)
    monkeypatch.setenv("CITYBRAIN_VAR_DIR", str(tmp_path))
    migrate(database_url, namespace, NamespaceKind.LIVE, partitions=2)
    with connect(database_url, namespace) as connection:
        held = save_registry(connection, registry(partitions=2))
        profile = save_profile(connection, Profile("default"))
    start = START_MS - MINUTE
    with closing(PostgresLog(database_url, namespace)) as log:
        for partition in range(2):
            controls = [("profile", profile), ("registry", held.version)]
            log.append(partition, [encode_control(k, v, start) for k, v in controls])
    return City(database_url, namespace, tmp_path, capsys, held)


def test_a_rule_set_comes_into_force_and_every_alert_names_it(city: City) -> None:
    city.depth(range(3), 0.12)
    assert city.query("select count(*) from alert") == [(0,)]
    folder = city.rules(LOWER)
    code, told = city.run("activate", folder, "--dry-run")
    assert code == 0
    assert "waterlogging.depth: changed; 12 points" in told
    assert "- blue: 15 cm" in told
    assert "+ point 330106-p0: blue 5 cm" in told
    assert city.query("select count(*) from config_version where kind = 'rules'") == [(0,)]
    code, told = city.run("activate", folder)
    assert (code, "partitions told: 2" in told) == (0, True)
    city.depth(range(3, 6), 0.12)
    with connect(city.conninfo, city.namespace) as connection:
        found = newest(connection, "rules")
    assert found is not None
    mark = found[0].removeprefix("sha256:")[:12]
    rows = city.query(
        "select subject, state, split_part(rule_version, '@', 2), threshold from alert order by 1"
    )
    assert rows == [
        (POINT, "firing", mark, "5"),
        (f"{COUNTY}-p1", "firing", mark, "10"),
    ]
    assert city.run("activate", folder)[1].count("partitions told: 0") == 1


def test_the_empty_set_brings_the_domains_own_rules_back(city: City) -> None:
    city.run("activate", city.rules(LOWER))
    city.depth(range(3), 0.12)
    assert city.query("select count(*) from alert where state = 'firing'") == [(2,)]
    assert city.run("activate", city.rules("domain: waterlogging\n"))[0] == 0
    city.depth(range(3, 16), 0.12)
    assert city.query("select distinct change from alert where state = 'resolved'") == [
        ("cleared",)
    ]
    first = city.query(
        "select version from config_version where kind = 'rules' order by created_at"
    )
    code, told = city.run("activate", first[0][0].removeprefix("sha256:")[:8])
    assert (code, first[0][0] in told) == (0, True)


def test_rules_that_cannot_hold_are_refused_with_every_mistake(city: City) -> None:
    code, told = city.run("activate", city.rules(BAD))
    assert code == 2
    assert "water.yaml:6: rule waterlogging.depth, point 330106-p0: thresholds do not" in told
    code, told = city.run("activate", city.rules(LOWER.replace("330106-p0", "330106-p77")))
    assert (code, "point 330106-p77: is not in the registry" in told) == (2, True)
    assert city.query("select count(*) from config_version where kind = 'rules'") == [(0,)]


def test_what_holds_at_a_point_says_who_said_it(city: City) -> None:
    city.run("activate", city.rules(LOWER))
    (held, *_) = city.json("show", "--point", POINT)["rules"]
    numbers = {what: (text, by) for what, text, by in held["numbers"]}
    assert numbers["blue"] == ("5 cm", f"point {POINT}")
    assert numbers["yellow"] == ("27 cm", "domain and profile")
    (there, *_) = city.json("show", "--point", f"{COUNTIES[2]}-p0")["rules"]
    assert (there["holds"], there["why"]) == (False, "off")
    code, told = city.run("show", "--point", "nowhere")
    assert (code, "no point 'nowhere'" in told) == (2, True)


def test_an_alert_is_explained_from_what_is_stored(city: City) -> None:
    city.run("activate", city.rules(LOWER))
    city.depth(range(3), 0.12)
    ((alert, version),) = city.query(
        f"select id, (select version from config_version where kind = 'rules') from alert"
        f" where subject = '{POINT}'"
    )
    code, told = city.run("explain", alert[:8])
    assert code == 0
    assert "value 12 cm ≥ threshold 5 cm" in told
    assert f"rule set {version}" in told
    assert "confirmed → firing blue" in told
    assert "city.observation.v1[" in told
    assert "•" in told
    assert "┄ blue 5" in told
    story = city.json("explain", alert)
    assert [one["change"] for one in story["transitions"]] == ["onset", "confirmed"]
    assert len(story["readings"]) == 3
    assert city.run("explain", "zzz")[0] == 2


def test_an_explanation_says_what_lists_made_of_it(city: City) -> None:
    """The rise gives way to the depth; waves of it are held at their worst."""
    at_once = "    for: {readings: 1}\n    jump: none\n    clear: {below_by: 0, readings: 1}\n"
    rules = f"domain: waterlogging\nrules:\n  waterlogging.depth:\n{at_once}"
    city.run("activate", city.rules(rules))
    for minute, metres in enumerate((0.0, 0.12, 0.31, 0.0, 0.16, 0.0, 0.16)):
        city.depth(range(minute, minute + 1), metres)
    depths = city.query(
        f"select id, held_severity, held_until - updated from alert"
        f" where subject = '{POINT}' and rule = 'waterlogging.depth' order by onset"
    )
    assert [row[1:] for row in depths] == [
        (None, None),
        (3, timedelta(minutes=15)),
        (3, timedelta(minutes=15)),
    ]
    code, told = city.run("explain", depths[2][0])
    assert code == 0
    assert "damped: orange is held until 00:21:00, because its colour moves too often" in told
    assert "00:02:00 confirmed orange, 00:03:00 cleared orange, 00:04:00 confirmed blue" in told
    ((rise, hidden),) = city.query(
        f"select id, suppressed_by from alert where subject = '{POINT}'"
        " and rule = 'waterlogging.rise'"
    )
    assert hidden is None, "it is yellow, the depth is blue"
    code, told = city.run("explain", rise)
    assert f"hidden in people's lists by alert {depths[0][0][:12]}, waterlogging.depth" in told
    assert f"in people's lists again; before by alert {depths[0][0][:12]}" in told
    story = city.json("explain", rise)
    assert {one["id"] for one in story["hidden_by"]} == {depths[0][0]}
    numbers = city.json("show", "--point", POINT)["rules"][1]["numbers"]
    assert ["hidden_by", "waterlogging.depth", "domain and profile"] in numbers
    assert "hidden_by: waterlogging.depth" in city.run("show")[1]


def test_a_backtest_plays_hours_when_they_are_over(city: City) -> None:
    city.air(range(4))
    rules = city.rules("domain: air\nrules:\n  air.station:\n    levels: {blue: 60}\n")
    span = ("--from", "2026-08-17T00:00", "--to", "2026-08-17T05:00")
    said = city.json("backtest", *span, "--rules", rules)
    assert said["readings"] == 4 * len(AIR)
    assert [(one["rule"], one["what"]) for one in said["alerts"]] == [("air.station", ["gained"])]


def test_a_backtest_plays_both_and_leaves_nothing_behind(city: City) -> None:
    city.depth(range(10), 0.12)
    span = ("--from", "2026-08-16T23:59", "--to", "2026-08-17T00:30")
    said = city.json("backtest", *span, "--rules", city.rules(LOWER))
    assert (said["gained"], said["lost"], said["same"]) == (2, 0, 0)
    assert {one["subject"] for one in said["alerts"]} == {POINT, f"{COUNTY}-p1"}
    assert said["alerts"][0]["changed"]["peak"] == "blue"
    code, told = city.run("backtest", *span, "--rules", city.rules(LOWER), "--area", "330200")
    assert (code, "0 gained" in told) == (0, True)
    left = city.query("select count(*) from pg_namespace where nspname like 'backtest%'")
    assert left == [(0,)]
    assert city.query("select count(*) from alert") == [(0,)], "the namespace itself is untouched"
    code, told = city.run(
        "backtest", "--from", "x", "--to", "2026-08-17", "--rules", city.rules(LOWER)
    )
    assert (code, "no ISO 8601" in told) == (2, True)
