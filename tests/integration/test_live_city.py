"""A new live namespace knows its areas, once."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.live_city import ensure_areas
from streams.alerting.ruleset import RuleSet
from streams.contracts.codec import decode
from streams.contracts.frame import Control
from streams.contracts.reason import NamespaceKind
from streams.log.postgres import PostgresLog
from streams.settings import Settings
from streams.storage.connect import connect
from streams.storage.migrate import migrate
from streams.storage.registry import newest, replace_rules
from tests.support.rule_sets import new_rule, rule_set

pytestmark = pytest.mark.integration


def test_areas_are_there_once_and_in_every_partition(
    database_url: str, namespace: str, tmp_path: Path
) -> None:
    migrate(database_url, namespace, NamespaceKind.LIVE, partitions=3)
    settings = Settings(var_dir=tmp_path)
    assert ensure_areas(database_url, namespace, settings, lambda: 1_800_000_000_000)
    assert not ensure_areas(database_url, namespace, settings, lambda: 1_800_000_000_001)
    log = PostgresLog(database_url, namespace)
    kinds = [[decode(r) for r in log.read(n, 0)] for n in range(3)]
    log.close()
    for events in kinds:
        told = [e.kind for e in events if isinstance(e, Control)]
        assert told == ["profile", "registry", "rules"]
    with connect(database_url, namespace, "citybrain test") as connection:
        levels = connection.execute("select level, count(*) from area group by level").fetchall()
        shapes = connection.execute("select count(*) from area_shape").fetchone()
        held = newest(connection, "rules")
    assert dict(levels) == {"province": 1, "city": 11, "county": 90}
    assert shapes == (102,)
    assert held == (RuleSet().version, {"rules": []}), "the domains' own rules, and nothing else"


def test_a_rule_set_that_somebody_stored_is_the_first(
    database_url: str, namespace: str, tmp_path: Path
) -> None:
    migrate(database_url, namespace, NamespaceKind.LIVE, partitions=2)
    own = rule_set(new_rule())
    with connect(database_url, namespace, "citybrain test") as connection:
        replace_rules(connection, "", own)
    assert ensure_areas(database_url, namespace, Settings(var_dir=tmp_path), lambda: 1)
    log = PostgresLog(database_url, namespace)
    controls = [e for n in range(2) for e in map(decode, log.read(n, 0)) if isinstance(e, Control)]
    log.close()
    assert {e.version for e in controls if e.kind == "rules"} == {own.version}
