"""What people do with subscriptions: make, change, pause, rotate, remove. Each is audited.

Functions take a connection of the namespace and who acts; the transaction is the caller's. Secrets
are given back once, when they are made, and never written to the audit.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg.types.json import Jsonb
from pydantic import BaseModel, ConfigDict, Field, model_validator

from api.actions.actor import EVERYWHERE, Actor, Role
from api.actions.trail import record
from api.delivery.filter import Filter
from api.delivery.guard import url_mistake
from api.delivery.subscription import Channel, Language, Mode
from api.delivery.target import target_mistake
from streams.storage.connect import Connection

ID_BYTES = 8
SECRET_BYTES = 32
KEEP_HOURS = 24.0
MOST_SUBSCRIPTIONS = 10_000

NEXT_VERSION = "update subscription_version set version = version + 1 returning version"
ADD = """
insert into subscription (id, name, owner, answered_by, channel, target, filter, mode, language,
    heartbeat, inner_network, secret, paused, after, version, opening)
values (%(id)s, %(name)s, %(owner)s, %(answered_by)s, %(channel)s, %(target)s, %(filter)s,
    %(mode)s, %(language)s, %(heartbeat)s, %(inner_network)s, %(secret)s, %(paused)s,
    (select coalesce(max(sequence), -1) from outbox), %(version)s, %(opening)s)
"""
CHANGE = """
update subscription set name = %(name)s, owner = %(owner)s,
    opening = %(opening)s and (opening or filter <> %(filter)s or mode <> %(mode)s),
    answered_by = coalesce(nullif(%(answered_by)s, ''), answered_by), channel = %(channel)s,
    target = %(target)s, filter = %(filter)s, mode = %(mode)s, language = %(language)s,
    heartbeat = %(heartbeat)s, inner_network = %(inner_network)s, paused = %(paused)s,
    secret = coalesce(secret, %(secret)s), version = %(version)s, changed_at = now()
where id = %(id)s and removed_at is null returning id
"""
PAUSE = """
update subscription set paused = %s, version = %s, changed_at = now()
where id = %s and removed_at is null returning id
"""
ROTATE = """
update subscription set previous_secret = secret, previous_until = %s, secret = %s, version = %s,
    changed_at = now()
where id = %s and removed_at is null and channel = 'webhook' returning id
"""
REMOVE = """
update subscription set removed_at = now(), secret = null, previous_secret = null, version = %s
where id = %s and removed_at is null returning id
"""
END_WAITING = """
update delivery set state = 'dead', done_at = now(), error = 'the subscription was removed'
where subscription = %s and state = 'waiting'
"""
ANSWERING = "select answered_by, filter from subscription where id = %s"
COUNT = "select count(*) from subscription where removed_at is null"


class UnknownSubscription(LookupError):
    """There is none with this id, or it was removed, or it is of another kind."""


class TooMany(ValueError):
    """The namespace holds as many subscriptions as are allowed."""


class Wish(BaseModel):
    """A subscription as its owner writes it."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        json_schema_extra={
            "examples": [
                {
                    "name": "signals of Xihu",
                    "owner": "traffic police",
                    "channel": "webhook",
                    "target": "https://signals.example.org/citybrain",
                    "filter": {"areas": ["330106"], "domains": ["waterlogging"]},
                    "mode": "latest_state",
                }
            ]
        },
    )

    name: str = Field(min_length=1, max_length=100)
    owner: str = Field("", max_length=100, description="Who answers for it; for people.")
    answered_by: str = Field(
        "",
        pattern=r"^(key:[A-Za-z0-9]{1,40})?$",
        description="`key:<id>` of the program that answers what became of the events. Not said: "
        "the key that makes the subscription; later, as before.",
    )
    channel: Channel = Channel.WEBHOOK
    target: str = Field(
        min_length=1,
        max_length=2000,
        description="URL of a webhook, address of mail (several by commas), or the token of a "
        "chat robot (DingTalk: token, or token and secret with a blank between).",
    )
    filter: Filter = Field(default_factory=lambda: Filter.model_validate({}))
    mode: Mode = Field(
        Mode.EVERY,
        description="`every`: each transition; `latest_state`: of each alert the present state, "
        "for devices that act on it. Mail and chat always get the latter, bundled.",
    )
    language: Language = Field(Language.ZH, description="Of mail and chat.")
    heartbeat: bool = Field(True, description="Webhooks: a heartbeat every few seconds.")
    inner_network: bool = Field(
        False, description="The target lies in a private network that the administrator allows."
    )
    paused: bool = False

    @model_validator(mode="after")
    def _fits(self) -> Wish:
        if self.channel is Channel.WEBHOOK:
            mistake = url_mistake(self.target, inner=self.inner_network)
        else:
            mistake = target_mistake(self.channel, self.target)
        if mistake is not None:
            raise ValueError(f"target {mistake}")
        if self.mode is Mode.LATEST_STATE and self.filter.changes:
            raise ValueError("who follows the latest state needs every kind of transition")
        return self


@dataclass(frozen=True, slots=True)
class Made:
    """A new subscription; the secret is shown once. None where the channel has none."""

    id: str
    secret: str | None


def create(connection: Connection, wish: Wish, who: str) -> Made:
    """A new subscription: it gets what is numbered after it; `latest_state` begins with what is
    open."""
    row = connection.execute(COUNT).fetchone()
    if row is not None and row[0] >= MOST_SUBSCRIPTIONS:
        raise TooMany(f"there are {row[0]} subscriptions: remove some first")
    if not wish.answered_by and who.startswith("key:"):
        wish = wish.model_copy(update={"answered_by": who})
    made = Made(secrets.token_hex(ID_BYTES), new_secret(wish))
    connection.execute(ADD, _columns(wish, made.id, made.secret, _version(connection)))
    record(connection, who, "subscription.create", {"id": made.id} | shown(wish))
    return made


def change(connection: Connection, id: str, wish: Wish, who: str) -> Made:
    """Replaces what its owner wishes. What waits stays. Raises `UnknownSubscription`.

    Another filter, or `latest_state` from now on, begins with what is open and was not told yet.
    A secret is made when there was none, and then given back.
    """
    before = connection.execute("select secret from subscription where id = %s", (id,)).fetchone()
    secret = new_secret(wish)
    _changed(connection.execute(CHANGE, _columns(wish, id, secret, _version(connection))), id)
    record(connection, who, "subscription.change", {"id": id} | shown(wish))
    return Made(id, secret if before is not None and before[0] is None else None)


def pause(connection: Connection, id: str, paused: bool, who: str) -> None:
    """Stops sending, or goes on; what comes meanwhile waits. Raises `UnknownSubscription`."""
    _changed(connection.execute(PAUSE, (paused, _version(connection), id)), id)
    record(connection, who, "subscription.pause" if paused else "subscription.resume", {"id": id})


def rotate(
    connection: Connection, id: str, who: str, now: datetime, keep: timedelta | None = None
) -> Made:
    """A new secret; the old one signs beside it for a while. Raises `UnknownSubscription`."""
    secret = _secret()
    until = now + (timedelta(hours=KEEP_HOURS) if keep is None else keep)
    _changed(connection.execute(ROTATE, (until, secret, _version(connection), id)), id)
    record(connection, who, "subscription.rotate", {"id": id, "old_until": until.isoformat()})
    return Made(id, secret)


def remove(connection: Connection, id: str, who: str) -> None:
    """Ends it for good, what waits is dead. Raises `UnknownSubscription`."""
    _changed(connection.execute(REMOVE, (_version(connection), id)), id)
    connection.execute(END_WAITING, (id,))
    record(connection, who, "subscription.remove", {"id": id})


def places(wants: Filter) -> tuple[str, ...]:
    """What a filter may tell of: its areas, or `all`: a polygon or a border may lie anywhere."""
    anywhere = not wants.areas or wants.polygon is not None or wants.near is not None
    return (EVERYWHERE,) if anywhere else wants.areas


def may_answer(connection: Connection, by: Actor, id: str) -> bool:
    """Whether this actor may say what became of what the subscription was told: the program that
    it names, and who may manage it. For itself, by its own name, everybody speaks who acts."""
    if id == by.who:
        return True
    row = connection.execute(ANSWERING, (id,)).fetchone()
    if row is None:
        return False
    answered_by, wants = row
    managed = places(Filter.model_validate(wants))
    return answered_by == by.who or all(by.may(Role.SUBSCRIBER, area) for area in managed)


def new_secret(wish: Wish) -> str | None:
    """A secret for the channel, where it has one."""
    return _secret() if wish.channel is Channel.WEBHOOK else None


def shown(wish: Wish) -> dict[str, Any]:
    """The wish without what may be secret."""
    return wish.model_dump(mode="json", exclude={"target"})


def touch(connection: Connection, id: str) -> None:
    """Makes the deliverer look at the subscription anew."""
    connection.execute(
        "update subscription set version = %s where id = %s", (_version(connection), id)
    )


def _secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def _version(connection: Connection) -> int:
    row = connection.execute(NEXT_VERSION).fetchone()
    if row is None:
        raise LookupError("the subscriptions have no version")
    return int(row[0])


def _changed(cursor: Any, id: str) -> None:
    if cursor.fetchone() is None:
        raise UnknownSubscription(id)


def _columns(wish: Wish, id: str, secret: str | None, version: int) -> Mapping[str, Any]:
    plain = wish.model_dump(mode="json")
    return plain | {
        "id": id,
        "filter": Jsonb(plain["filter"]),
        "opening": wish.mode is Mode.LATEST_STATE and not wish.channel.for_people,
        "secret": secret,
        "version": version,
    }
