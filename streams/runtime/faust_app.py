"""The Faust app of a worker: made by a function, without tables, streams, producer, web or leader.

It is a member of the namespace's consumer group and tells the host what the group assigns.
"""

from __future__ import annotations

from typing import Any, Protocol, cast

import faust
from faust.app import BootStrategy

from streams.runtime.faust_consumer import Group, GroupConsumer, GroupTransport
from streams.runtime.setup import worker_name


class Member(Group, Protocol):
    """What the app works for: the consumer's group, and whom to tell of changes."""

    name: str
    session_s: float
    heartbeat_s: float

    async def on_revoked(self) -> None:
        """Everything is revoked; returns when it was given back, or when it took too long."""

    async def on_assigned(self, partitions: frozenset[int]) -> None:
        """These are ours from now on; returns at once."""


class Boot(BootStrategy):
    """Only what membership needs."""

    enable_kafka_producer = False
    enable_web = False
    enable_sensors = False


class WorkerApp(faust.App):
    """An app that hands everything to its `group`."""

    BootStrategy = Boot
    group: Member

    @property
    def member(self) -> GroupConsumer:
        """The consumer, as ours."""
        return cast(GroupConsumer, self.consumer)

    def _new_transport(self) -> GroupTransport:
        return GroupTransport(self.conf.broker_consumer, self)

    async def _producer_flush(self, logger: Any) -> None:
        """There is no producer."""

    async def on_first_start(self) -> None:
        """Nothing is kept in files."""


def make_app(group: Member) -> WorkerApp:
    """A new app; start it in a running event loop, once."""
    app = WorkerApp(
        group.name,
        broker="kafka://",  # the addresses are in the group's consumer options
        broker_client_id=worker_name(),
        broker_session_timeout=group.session_s,
        broker_heartbeat_interval=group.heartbeat_s,
        store="memory://",
        web_enabled=False,
        topic_disable_leader=True,
        topic_allow_declare=False,
        table_standby_replicas=0,
        stream_wait_empty=False,
        key_serializer="raw",
        value_serializer="raw",
        autodiscover=False,
    )
    app.group = group

    @app.on_partitions_revoked.connect(weak=False)
    async def revoked(sender: Any, revoked: Any, **_: Any) -> None:
        await group.on_revoked()

    @app.on_partitions_assigned.connect(weak=False)
    async def assigned(sender: Any, assigned: Any, **_: Any) -> None:
        await group.on_assigned(frozenset(where.partition for where in assigned))

    app.finalize()
    return app
