"""The judgement after a chaos run: the same as one undisturbed pass, and nothing lost or double."""

from __future__ import annotations

from typing import Any

from streams.contracts.reason import NamespaceKind
from streams.domains import find_domains
from streams.runtime.worker import worker_host
from streams.storage.canonical import canonical_dump, differences
from streams.storage.connect import connect
from streams.storage.migrate import migrate
from tests.chaos.world import PARTITIONS, World

WANTED = (
    "observation",
    "observation_revision",
    "observation_window",
    "alert",
    "alert_transition",
    "outbox",
    "episode",
    "fact",
    "quarantine",
    "dead_letter",
    "area_risk",
)

Dump = dict[str, list[tuple[Any, ...]]]


def judge(world: World, straight: str) -> dict[str, int]:
    """Raises when the namespace differs from one pass over the same log, made as `straight`.

    Gives the rows of every view, for the record.
    """
    conninfo = world.database.conninfo
    migrate(conninfo, straight, NamespaceKind.SIMULATED, partitions=PARTITIONS)
    world.host.copy(conninfo, world.namespace, straight)
    with worker_host(conninfo, straight, find_domains()) as host:
        host.run_until_idle()
    shaken, calm = dump(conninfo, world.namespace), dump(conninfo, straight)
    assert differences(shaken, calm) == []
    for name in WANTED:
        assert shaken[name], f"the storm is too tame: no {name}"
    assert any(row[1] == "330100" for row in shaken["fact"]), "no fact of the region"
    assert_ledger_closes(shaken)
    assert_numbers_have_no_gap(world)
    return {name: len(rows) for name, rows in shaken.items()}


def dump(conninfo: str, namespace: str) -> Dump:
    with connect(conninfo, namespace) as connection:
        return canonical_dump(connection)


def assert_ledger_closes(found: Dump) -> None:
    """received = rejected + quarantined + duplicate + stored, and stored is what is there."""
    assert found["ledger"]
    total = [0] * 8
    for _, _, _, *counts in found["ledger"]:
        received, rejected, quarantined, duplicate, stored, on_time, late, revised = counts
        assert received == rejected + quarantined + duplicate + stored
        assert stored == on_time + late
        assert revised <= stored
        total = [a + b for a, b in zip(total, counts, strict=True)]
    assert all(total), total
    # Every stored row is either a row of the store or took the place of one.
    assert total[4] == len(found["observation"]) + len(found["observation_revision"])


def assert_numbers_have_no_gap(world: World) -> None:
    """Readers of the outbox, of the region log and of an alert follow numbers."""
    outbox = [row[0] for row in world.query("select sequence from {}.outbox order by sequence")]
    assert outbox == list(range(len(outbox)))
    region = [row[0] for row in world.query("select id from {}.region_log order by id")]
    assert region == list(range(len(region)))
    broken = world.query(
        "select alert from {}.alert_transition group by alert"
        " having max(sequence) - min(sequence) + 1 <> count(*)"
    )
    assert broken == []
    # An alert's messages are numbered in the order of its transitions.
    crossed = world.query(
        "select key from (select key, (content ->> 'sequence')::int as step, lag("
        "(content ->> 'sequence')::int) over (partition by key order by sequence) as before"
        " from {}.outbox) m where step <= before"
    )
    assert crossed == []
