"""The region stage over PostgreSQL: the same facts as in memory, whatever is cut or killed."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from streams.contracts.domain import DAY_MS, HOUR_MS, Domain, FactValue, Payload, day_start
from streams.contracts.outcome import RegionMessage
from streams.contracts.reason import NamespaceKind
from streams.errors import FenceLost, Unavailable
from streams.log import OBSERVATION_TOPIC
from streams.region.order import Sequencer
from streams.region.pages import Fact
from streams.storage.connect import connect
from streams.storage.region import RegionRunner
from streams.storage.region_log import write_messages
from streams.storage.registry import save_registry
from tests.support.namespace import make_namespace
from tests.support.region_bench import Bench
from tests.support.toy_level import (
    COUNTIES,
    DOMAIN,
    clock,
    partial,
    silence,
    small_registry,
    watermark,
)

pytestmark = pytest.mark.integration

A, B, C = AREAS = tuple(COUNTIES)
T0 = day_start(1_698_768_000_000)
END = T0 + 500 * HOUR_MS
FACTS = """
select indicator, period, ms_of(start), area, revision, value, numerator, have, want, detail, cause,
       ms_of(known_from), ms_of(known_to)
from fact order by ms_of(known_from), indicator, period, start, area
"""
ALERTS = """
select alert, sequence, change, severity, ms_of(event_time), ms_of(decided_at), origin
from alert_transition order by alert, sequence
"""


class Region:
    """A namespace with the toy domain's registry active and an empty region log."""

    def __init__(self, conninfo: str, namespace: str) -> None:
        self.conninfo, self.namespace = conninfo, namespace
        domains = {"toy": DOMAIN}
        make_namespace(conninfo, namespace, NamespaceKind.SIMULATED, domains, partitions=2)
        with connect(conninfo, namespace) as connection:
            version = save_registry(connection, small_registry()).version
            connection.execute(
                "insert into config_active"
                " select 'registry', p, %s, 0 from generate_series(0, 1) p",
                (version,),
            )

    def runner(self, domain: Domain = DOMAIN, limit: int = 5_000) -> RegionRunner:
        return RegionRunner(self.conninfo, self.namespace, {"toy": domain}, limit)

    def say(self, messages: Sequence[RegionMessage]) -> None:
        with connect(self.conninfo, self.namespace) as connection, connection.cursor() as cursor:
            rows = [(0, COUNTIES, m) for m in messages]
            write_messages(cursor, OBSERVATION_TOPIC, rows)

    def query(self, statement: Any) -> list[tuple[Any, ...]]:
        with connect(self.conninfo, self.namespace) as connection:
            return connection.execute(statement).fetchall()


@pytest.fixture
def region(database_url: str, namespace: str) -> Region:
    return Region(database_url, namespace)


def a_month() -> dict[str, list[RegionMessage]]:
    """Messages by area: three days of hours, days, a late day, and a silent gateway."""
    found: dict[str, list[RegionMessage]] = {area: [] for area in AREAS}
    rng = random.Random(7)
    for area, told in found.items():
        for hour in range(72):
            end = T0 + (hour + 1) * HOUR_MS
            values = [rng.randrange(0, 950) for _ in range(3)]
            told.append(partial(area, end, end - HOUR_MS, values, sequence=len(told)))
            if hour % 24 == 23:
                day = partial(area, end, end - DAY_MS, values, period="day", sequence=len(told))
                told.append(day)
            told.append(watermark(area, end, end, sequence=len(told)))
        late = partial(
            area, T0 + 80 * HOUR_MS, T0, [1, 2], period="day", cause="late", sequence=len(told)
        )
        told.append(late)
        told.append(silence(area, T0 + 81 * HOUR_MS, 3, 3, sequence=len(told)))
        told.append(clock([area], END))
    return found


def shuffled(lists: Mapping[str, list[RegionMessage]], seed: int) -> list[RegionMessage]:
    rng = random.Random(seed)
    left = [list(one) for one in lists.values()]
    found = []
    while open_lists := [one for one in left if one]:
        found.append(rng.choice(open_lists).pop(0))
    return found


def in_memory(messages: Sequence[RegionMessage]) -> tuple[list[Fact], list[tuple[Any, ...]]]:
    bench, order = Bench(), Sequencer(AREAS)
    transitions = bench.apply(*order.push(messages)).transitions
    rows = [
        (t.alert, t.sequence, t.change.value, int(t.severity), t.event_ms, t.decided_ms, t.origin)
        for t in transitions
    ]
    return bench.pages.history, sorted(rows)


def stored_rows(history: Sequence[Fact]) -> list[tuple[Any, ...]]:
    """What `FACTS` should give for this history."""
    until = {(f.key, f.revision - 1): f.known_from_ms for f in history}
    rows = [
        (*f.key, f.revision, f.value.value, f.value.numerator, f.value.have, f.value.want,
         f.value.detail, f.cause, f.known_from_ms, until.get((f.key, f.revision)))
        for f in history
    ]  # fmt: skip
    return sorted(rows, key=lambda r: (r[11], r[0], r[1], r[2], r[3]))


@pytest.mark.parametrize("limit", [5_000, 11, 1])
def test_any_cut_with_a_restart_after_every_step_gives_the_facts_of_memory(
    region: Region, limit: int
) -> None:
    lists = a_month()
    if limit == 1:
        lists = {area: told[:30] + told[-1:] for area, told in lists.items()}
    messages = shuffled(lists, seed=limit)
    facts, transitions = in_memory(messages)
    assert len(facts) > 50
    region.say(messages[:100])
    drain(region, limit)
    region.say(messages[100:])
    drain(region, limit)
    assert region.query(FACTS) == stored_rows(facts)
    assert region.query(ALERTS) == transitions
    if limit != 1:
        assert any(f.cause == "late" for f in facts)
        assert any(f.key.indicator == "toy.mean" and f.revision > 1 for f in facts)
        assert any("gateway" in row[0] for row in region.query("select subject from alert"))


def drain(region: Region, limit: int) -> None:
    """Steps until nothing is left, each with a runner that knows nothing."""
    while True:
        runner = region.runner(limit=limit)
        try:
            if not runner.step():
                return
        finally:
            runner.close()


def test_another_owner_fences_the_first(region: Region) -> None:
    first, second = region.runner(), region.runner()
    first.takeover()
    region.say([clock(AREAS, T0)])
    assert first.step() == 1
    second.takeover()
    region.say([clock(AREAS, T0 + 1)])
    with pytest.raises(Unavailable):  # its backend was ended
        first.step()
    with pytest.raises(FenceLost):
        first.step()
    assert second.step() == 1
    first.close()
    second.close()


def test_the_log_is_taken_back_after_another_owner_had_it(region: Region) -> None:
    first, second = region.runner(), region.runner()
    first.takeover()
    second.takeover()
    second.close()
    with pytest.raises(Unavailable):  # its backend was ended
        first.step()
    first.takeover()
    region.say([clock(AREAS, T0)])
    assert first.step() == 1
    with pytest.raises(FenceLost):
        second.step()
    first.close()
    second.close()


def test_failed_step_leaves_nothing_and_is_repeated(region: Region) -> None:
    failures = [RuntimeError("once")]
    compute = DOMAIN.facts[0].compute

    def fail_once(
        level: str, members: Mapping[str, Payload], parameters: Mapping[str, str]
    ) -> FactValue | None:
        if failures and level == "province":
            raise failures.pop()
        return compute(level, members, parameters)

    facts = (replace(DOMAIN.facts[0], compute=fail_once), *DOMAIN.facts[1:])
    runner = region.runner(replace(DOMAIN, facts=facts))
    messages = shuffled(a_month(), 3)
    region.say(messages)
    with pytest.raises(RuntimeError, match="once"):
        runner.step()
    assert region.query("select count(*) from fact") == [(0,)]
    assert region.query("select next_offset from position where topic = 'region'") == [(0,)]
    while runner.step():
        pass
    runner.close()
    assert region.query(FACTS) == stored_rows(in_memory(messages)[0])


def test_simulated_city_alert_is_an_exercise(region: Region) -> None:
    region.say(shuffled(a_month(), 1))
    runner = region.runner()
    while runner.step():
        pass
    runner.close()
    assert region.query("select distinct status from outbox") == [("Exercise",)]
    assert region.query("select distinct topic from alert_transition") == [("region",)]


def test_without_an_active_registry_nothing_is_taken(region: Region) -> None:
    with connect(region.conninfo, region.namespace) as connection:
        connection.execute("delete from config_active")
    region.say([clock(AREAS, T0)])
    runner = region.runner()
    assert runner.step() == 0
    assert region.query("select next_offset from position where topic = 'region'") == [(0,)]
    runner.close()
