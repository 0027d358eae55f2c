"""Builds hosts with the real pipeline and the followers of a namespace."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING

from streams.contracts.domain import Domain
from streams.contracts.reason import NamespaceKind
from streams.contracts.state import STATE_VERSION
from streams.log import OBSERVATION_TOPIC
from streams.log.catalogue import topic_name
from streams.log.postgres import PostgresLog
from streams.pipeline import Pipeline, PipelineSetup, wanted_versions
from streams.runtime.health import Health
from streams.runtime.setup import HostSetup
from streams.runtime.single import SingleHost
from streams.settings import Settings
from streams.storage.host_store import HostStore
from streams.storage.keeping import FOR_EVER, Keeping
from streams.storage.recompute import Recomputer
from streams.storage.region import RegionRunner
from streams.storage.retention import Retention
from streams.storage.upkeep import Upkeep

if TYPE_CHECKING:
    from streams.runtime.faust_host import FaustHost

MEMBER_CHECKPOINT_S = 3.0  # so much work a successor does again, before its first commit
MEMBER_RECORDS = 1000  # per partition and cycle; bytes bound it for records that are large


@contextmanager
def worker_host(
    conninfo: str,
    namespace: str,
    domains: Mapping[str, Domain],
    *,
    max_records: int = 100,
    checkpoint_s: float = 5.0,
    health: Health | None = None,
    keeping: Keeping = FOR_EVER,
) -> Iterator[SingleHost]:
    """A host that owns the namespace's partitions inside the `with` block; the log is a table.

    The namespace must have been migrated. Leaving the block without an exception writes a last
    checkpoint. Raises what `SingleHost.open` raises.
    """
    with ExitStack() as stack:
        log = stack.enter_context(closing(PostgresLog(conninfo, namespace)))
        setup = stack.enter_context(host_setup(conninfo, namespace, domains, keeping))
        setup = replace(setup, max_records=max_records, checkpoint_s=checkpoint_s)
        yield stack.enter_context(SingleHost(setup, log, health))


@contextmanager
def member_host(
    settings: Settings,
    conninfo: str,
    namespace: str,
    domains: Mapping[str, Domain],
    *,
    max_records: int = MEMBER_RECORDS,
    checkpoint_s: float = MEMBER_CHECKPOINT_S,
    health: Health | None = None,
    keeping: Keeping = FOR_EVER,
) -> Iterator[FaustHost]:
    """A worker that shares the partitions with others; the log is in Kafka. `run` it once.

    The namespace must have been migrated. Raises `Misconfigured`, `Unavailable`.
    """
    from streams.log.kafka import KafkaLog
    from streams.runtime.faust_host import FaustHost, Membership

    topic = topic_name(namespace)
    with ExitStack() as stack:
        direct, ticks = (stack.enter_context(closing(KafkaLog(settings, topic))) for _ in range(2))
        setup = stack.enter_context(host_setup(conninfo, namespace, domains, keeping))
        setup = replace(setup, max_records=max_records, checkpoint_s=checkpoint_s)
        membership = Membership(
            topic=topic,
            group=f"citybrain.{namespace}",
            session_s=settings.kafka_session_s,
            heartbeat_s=settings.kafka_heartbeat_s,
            release_s=settings.kafka_release_s,
        )
        yield FaustHost(settings, setup, membership, direct, ticks, health)


@contextmanager
def host_setup(
    conninfo: str, namespace: str, domains: Mapping[str, Domain], keeping: Keeping
) -> Iterator[HostSetup]:
    """The real pipeline and the followers of a namespace; closes the followers."""
    with closing(HostStore(conninfo, namespace)) as store:
        kind, ids = store.kind(), store.property_ids()
    with (
        closing(RegionRunner(conninfo, namespace, domains)) as region,
        closing(Recomputer(conninfo, namespace, domains)) as recomputer,
        closing(Retention(conninfo, namespace)) as retention,
        closing(Upkeep(conninfo, namespace, domains, keeping)) as upkeep,
    ):
        yield HostSetup(
            conninfo,
            namespace,
            make_pipeline=partial(make_pipeline, kind, domains, ids),
            wanted_versions=wanted_versions,
            followers=(region, recomputer, retention, upkeep),
            version=program_version(),
        )


def program_version() -> str:
    """Names the program: two that differ may compute another state from the same records."""
    return f"citybrain {version('citybrain')}, state {STATE_VERSION}"


def make_pipeline(
    kind: NamespaceKind,
    domains: Mapping[str, Domain],
    property_ids: Mapping[str, int],
    partition: int,
) -> Pipeline:
    """The pipeline of one partition, without state."""
    return Pipeline(PipelineSetup(OBSERVATION_TOPIC, partition, kind, domains, property_ids))
