"""The consumer group of a namespace's workers, as the brokers see it. For tools, not for work.

The offsets that the group has committed mean nothing to citybrain: the database decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from streams.log.catalogue import group_name, topic_name
from streams.log.kafka_trouble import translated

EMPTY = "Empty"


@dataclass(frozen=True, slots=True)
class Member:
    """One worker of the group."""

    client: str
    host: str
    partitions: tuple[int, ...]


def group_members(admin: Any, namespace: str) -> tuple[Member, ...]:
    """The workers that share the partitions, by name; none when there is no such group."""
    name = group_name(namespace)
    with translated():
        if not _exists(admin, name):
            return ()
        told = admin.describe_groups([name])[name]
    topic = topic_name(namespace)
    members = [_member(member, topic) for member in told["members"]]
    return tuple(sorted(members, key=lambda member: (member.partitions, member.client)))


def drop_group(admin: Any, namespace: str) -> None:
    """Forgets the group of a throwaway namespace, unless somebody is in it."""
    name = group_name(namespace)
    if _exists(admin, name) and admin.describe_groups([name])[name]["group_state"] == EMPTY:
        admin.delete_groups([name])


def _exists(admin: Any, name: str) -> bool:
    """Asked without the group's coordinator: a cluster that never had a group has none."""
    return any(group["group_id"] == name for group in admin.list_groups())


def _member(told: Any, topic: str) -> Member:
    assigned = (told["member_assignment"] or {}).get("assigned_partitions", ())
    held = [n for each in assigned if each["topic"] == topic for n in each["partitions"]]
    return Member(told["client_id"], told["client_host"].lstrip("/"), tuple(sorted(held)))
