"""Builds a host with the real pipeline, the region runner and the recomputer of a namespace."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from functools import partial

from streams.contracts.domain import Domain
from streams.contracts.reason import NamespaceKind
from streams.log import OBSERVATION_TOPIC
from streams.log.postgres import PostgresLog
from streams.pipeline import Pipeline, PipelineSetup, wanted_versions
from streams.runtime.single import HostSetup, SingleHost
from streams.storage.host_store import HostStore
from streams.storage.recompute import Recomputer
from streams.storage.region import RegionRunner
from streams.storage.retention import Retention


@contextmanager
def worker_host(
    conninfo: str,
    namespace: str,
    domains: Mapping[str, Domain],
    *,
    max_records: int = 100,
    checkpoint_s: float = 5.0,
) -> Iterator[SingleHost]:
    """A host that owns the namespace's partitions inside the `with` block.

    The namespace must have been migrated. Leaving the block without an exception writes a last
    checkpoint. Raises what `SingleHost.open` raises.
    """
    with ExitStack() as stack:
        log = stack.enter_context(closing(PostgresLog(conninfo, namespace)))
        with closing(HostStore(conninfo, namespace)) as store:
            kind, ids = store.kind(), store.property_ids()
        region = stack.enter_context(closing(RegionRunner(conninfo, namespace, domains)))
        recomputer = stack.enter_context(closing(Recomputer(conninfo, namespace, domains)))
        retention = stack.enter_context(closing(Retention(conninfo, namespace)))
        setup = HostSetup(
            conninfo,
            namespace,
            make_pipeline=partial(make_pipeline, kind, domains, ids),
            wanted_versions=wanted_versions,
            followers=(region, recomputer, retention),
            max_records=max_records,
            checkpoint_s=checkpoint_s,
        )
        yield stack.enter_context(SingleHost(setup, log))


def make_pipeline(
    kind: NamespaceKind,
    domains: Mapping[str, Domain],
    property_ids: Mapping[str, int],
    partition: int,
) -> Pipeline:
    """The pipeline of one partition, without state."""
    return Pipeline(PipelineSetup(OBSERVATION_TOPIC, partition, kind, domains, property_ids))
