"""State that is rebuilt from a checkpoint far behind is, byte by byte, the state that was lost.

Between checkpoint and position: a registry, house numbers and a record that no program can digest
come into force, and the program is replaced. Rebuilding across programs is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pytest

from streams.catalog import Profile
from streams.contracts.codec import encode_control
from streams.contracts.domain import Point
from streams.contracts.frame import Record
from streams.contracts.outcome import Outcome, StateParts
from streams.contracts.reason import NamespaceKind
from streams.domains import find_domains
from streams.errors import Misconfigured
from streams.log import Entry
from streams.log.postgres import PostgresLog
from streams.pipeline import Pipeline, wanted_versions
from streams.runtime.lane import Lane
from streams.runtime.poison import give_up
from streams.runtime.setup import HostSetup
from streams.runtime.single import SingleHost
from streams.runtime.worker import make_pipeline
from streams.storage.commit import Committer
from streams.storage.connect import connect
from streams.storage.host_store import HostStore
from streams.storage.migrate import migrate
from streams.storage.registry import save_profile, save_registry
from streams.windows.chunk import unpack
from streams.windows.history import identity_key
from tests.support.namespace import copy_log
from tests.support.storm import START_MS, STEP_MS, storm, storm_registry

pytestmark = pytest.mark.chaos

SEED = 7
STEPS = 120
CHECKPOINT_AT = 30  # steps; everything below comes after it
PROFILE_AT, REGISTRY_AT, POISON_AT = 50, 70, 90
BATCH = 17
TOPIC = "city.observation.v1"
POISON = "x-poison"
Stored = dict[str, list[tuple[Any, ...]]]


class Brittle:
    """The real pipeline; a record with a certain header breaks it."""

    def __init__(self, inner: Pipeline) -> None:
        self._inner = inner
        self.checkpoint, self.load = inner.checkpoint, inner.load
        self.missing_versions, self.supply = inner.missing_versions, inner.supply

    def process(
        self, records: Sequence[Record], versions: Mapping[str, Mapping[str, Any]]
    ) -> Outcome:
        if any(POISON in record.headers for record in records):
            raise ZeroDivisionError("a bug that this record finds")
        return self._inner.process(records, versions)


@dataclass(frozen=True)
class City:
    """A namespace of one partition with the whole log in it."""

    conninfo: str
    namespace: str

    def setup(self, version: str) -> HostSetup:
        with closing(HostStore(self.conninfo, self.namespace)) as store:
            kind, ids = store.kind(), store.property_ids()
        inner = partial(make_pipeline, kind, find_domains(), ids)
        return HostSetup(
            self.conninfo,
            self.namespace,
            make_pipeline=lambda number: Brittle(inner(number)),
            wanted_versions=wanted_versions,
            max_records=BATCH,
            checkpoint_s=1e9,
            version=version,
        )

    @contextmanager
    def lane(self, version: str) -> Iterator[tuple[Lane, Committer]]:
        """The partition, taken and recovered, without a host that would write checkpoints."""
        setup = self.setup(version)
        with (
            closing(PostgresLog(self.conninfo, self.namespace)) as log,
            closing(HostStore(self.conninfo, self.namespace)) as store,
            closing(Committer(self.conninfo, self.namespace, TOPIC)) as committer,
        ):
            taken = committer.take(0, log.identity())
            pipeline = setup.make_pipeline(0)
            found = Lane(log, taken, pipeline, wanted_versions, store.versions, version=version)
            yield found, committer

    @contextmanager
    def host(self, version: str, clean: bool = True) -> Iterator[SingleHost]:
        """A host that has taken and recovered the partition; without `clean` it is just gone."""
        with closing(PostgresLog(self.conninfo, self.namespace)) as log:
            found = SingleHost(self.setup(version), log)
            try:
                found.open()
                yield found
            except BaseException:
                found.close(clean=False)
                raise
            found.close(clean=clean)

    def checkpoint(self) -> Stored:
        """What is stored as checkpoint, and where."""
        with connect(self.conninfo, self.namespace) as connection:
            return {
                "parts": connection.execute(
                    "select key, content from checkpoint where topic <> 'region' order by key"
                ).fetchall(),
                "segments": [
                    (key, number, rows_of(content))
                    for key, number, content in connection.execute(
                        "select key, number, content from checkpoint_segment"
                        " where topic <> 'region' order by key, number"
                    )
                ],
                "position": connection.execute(
                    "select next_offset, checkpoint_offset from position where topic <> 'region'"
                ).fetchall(),
            }


def read(state: StateParts) -> tuple[object, ...]:
    """A checkpoint as it is read."""
    segments = {key: (number, rows_of(held)) for key, (number, held) in state.segments.items()}
    return dict(state.parts), segments, state.dropped


def rows_of(segment: bytes) -> list[tuple[int, ...]]:
    """Its readings by identity, those of one identity as they came: what is read from it. In which
    order others came to lie depends on how many frames were taken together."""
    chunk = unpack(segment)
    order = np.argsort(identity_key(chunk.series, chunk.time_ms), kind="stable")
    taken = chunk.take(order)
    columns = (taken.series, taken.time_ms, taken.value, taken.flag, taken.position)
    return list(zip(*(column.tolist() for column in columns), strict=True))


@pytest.fixture
def cities(database_url: str, make_namespace: Callable[[], str]) -> tuple[City, City]:
    """Two namespaces with the same log."""
    one, other = (City(database_url, make_namespace()) for _ in range(2))
    for city in (one, other):
        migrate(city.conninfo, city.namespace, NamespaceKind.SIMULATED, partitions=1)
    write_log(one)
    copy_log(database_url, one.namespace, other.namespace)
    return one, other


def write_log(city: City) -> None:
    """The storm, with what comes into force in between and one record that breaks the program."""
    registry = storm_registry(areas=2, partitions=1)
    profile = Profile("strict", {"waterlogging.tier.yellow_cm": "20"})
    bigger = replace(registry, points={**registry.points, "new": new_point()})
    with connect(city.conninfo, city.namespace) as connection:
        first = save_registry(connection, registry).version
        second = save_registry(connection, bigger).version
        rule = save_profile(connection, profile)
    extra = {
        0: encode_control("registry", first, START_MS),
        PROFILE_AT: encode_control("profile", rule, START_MS + PROFILE_AT * STEP_MS),
        REGISTRY_AT: encode_control("registry", second, START_MS + REGISTRY_AT * STEP_MS),
        POISON_AT: ({POISON: "1"}, b"poison"),
    }
    assert first != second
    with closing(PostgresLog(city.conninfo, city.namespace)) as log:
        for number, step in enumerate(storm(registry, STEPS, SEED)):
            entries: list[Entry] = [extra[number]] if number in extra else []
            log.append(0, entries + [entry for _, entry in step])


def new_point() -> Point:
    return Point("new", "flood_point", "330102", "new", 120.0, 30.0, {})


def offset_of(city: City, step: int) -> int:
    """The offset of the first record of a step."""
    before = list(storm(storm_registry(areas=2, partitions=1), step, SEED))
    extra = sum(number < step for number in (0, PROFILE_AT, REGISTRY_AT, POISON_AT))
    return sum(len(records) for records in before) + extra


def advance(lane: Lane, committer: Committer, end: int, checkpoint: bool = False) -> None:
    """Commits up to the offset, in batches, giving the poison up; a checkpoint only at the end."""
    while lane.position < end:
        records = [r for r in lane.read(BATCH, 1 << 20) if r.offset < end]
        sound = [r for r in records if POISON not in r.headers]
        if records[0] not in sound:
            cause = ZeroDivisionError("a bug that this record finds")
            committer.commit([give_up(0, lane.position, records[0], cause)])
            lane.position = records[0].offset + 1
            continue
        if len(sound) < len(records):
            records = records[: next(i for i, r in enumerate(records) if POISON in r.headers)]
        piece = lane.process(records, lane.versions_for(records))
        if checkpoint and lane.position == end:
            piece = replace(piece, checkpoint=lane.checkpoint())
        committer.commit([piece])


def reach(city: City, version: str = "A") -> int:
    """The same beginning for both: a checkpoint early in the log. Gives the log's end."""
    with city.lane(version) as (lane, committer):
        advance(lane, committer, offset_of(city, CHECKPOINT_AT), checkpoint=True)
    with closing(PostgresLog(city.conninfo, city.namespace)) as log:
        return log.end(0)


def test_the_rebuilt_state_is_the_state_that_was_lost(cities: tuple[City, City]) -> None:
    calm, shaken = cities
    end = reach(calm)
    with calm.lane("A") as (lane, committer):
        advance(lane, committer, end, checkpoint=True)

    reach(shaken)
    with shaken.lane("A") as (lane, committer):
        advance(lane, committer, end)  # and then it is gone, without a checkpoint
    before = shaken.checkpoint()
    assert before["position"] == [(end, offset_of(shaken, CHECKPOINT_AT))]
    with shaken.host("A"):
        pass  # rebuilds everything, and writes it down when it ends

    assert calm.checkpoint()["position"] == [(end, end)]
    assert shaken.checkpoint() == calm.checkpoint()
    assert shaken.checkpoint()["parts"] != before["parts"]
    with connect(shaken.conninfo, shaken.namespace) as connection:
        active = connection.execute("select kind from config_active order by kind").fetchall()
        poison = connection.execute("select count(*) from poison").fetchone()
    assert active == [("profile",), ("registry",)]
    assert poison == (1,)


def test_another_program_does_not_rebuild_what_it_did_not_compute(
    cities: tuple[City, City],
) -> None:
    city, _ = cities
    end = reach(city)
    with city.lane("A") as (lane, committer):
        advance(lane, committer, end - 50)
    advice = r"A was killed .* start the earlier program once more"
    with pytest.raises(Misconfigured, match=advice), city.host("B"):
        raise AssertionError("it started")
    with city.host("A"):
        pass  # the earlier program, stopped cleanly
    with city.host("B") as later:
        later.run_until_idle()
    assert city.checkpoint()["position"] == [(end, end)]


def test_a_new_program_signs_its_checkpoint_before_it_computes(cities: tuple[City, City]) -> None:
    """Killed right after its first commit it may rebuild: from its own checkpoint."""
    calm, shaken = cities
    for city in (calm, shaken):
        end = reach(city)
        with city.host("B", clean=False):
            pass
    signed = shaken.checkpoint()
    assert ("program", b"B") in signed["parts"]
    with shaken.lane("B") as (lane, committer):
        advance(lane, committer, end)
    with shaken.lane("B") as (lane, committer):  # rebuilt across all that came into force
        assert not lane.upgraded
        state = lane.checkpoint()
    with calm.lane("B") as (lane, committer):
        advance(lane, committer, end)
        assert read(lane.checkpoint()) == read(state)
