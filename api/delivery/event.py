"""One transition on its way to subscribers, and the message that a program gets of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from api.moment import from_ms, iso

ALERT_TYPE = "citybrain.alert.v1"
TEST_TYPE = "citybrain.test.v1"
MOST_MISSED = 20


@dataclass(frozen=True, slots=True, eq=False)
class Event:
    """A row of the outbox."""

    sequence: int
    alert: str
    area: str
    status: str
    notify: bool
    content: Mapping[str, Any]

    @property
    def valid_until_ms(self) -> int:
        """Nobody acts on it later."""
        return int(self.content["valid_until_ms"])

    def as_of(self, known_ms: int) -> Event:
        """The same state as it still was at a later time: said then, valid as long as before."""
        decided = int(self.content["decided_ms"])
        if known_ms <= decided:
            return self
        valid = known_ms + self.valid_until_ms - decided
        content = {**self.content, "decided_ms": known_ms, "valid_until_ms": valid}
        return Event(self.sequence, self.alert, self.area, self.status, self.notify, content)


def message_id(subscription: str, sequence: int) -> str:
    """The idempotency key: the same for every attempt and after every restart, no other's."""
    return f"{subscription}-{sequence}"


def message_body(
    event: Event,
    subscription: str,
    *,
    expired: bool,
    missed: Sequence[int] = (),
    retried: bool = False,
) -> bytes:
    """What a program gets: the envelope, and in `data` the alert's full state."""
    content = event.content
    return orjson.dumps(
        {
            "type": ALERT_TYPE,
            "id": message_id(subscription, event.sequence),
            "timestamp": iso(from_ms(content["decided_ms"])),
            "subscription": subscription,
            "sequence": event.sequence,
            "status": event.status,
            "origin": content["origin"],
            "notify": event.notify,
            "valid_until": iso(from_ms(content["valid_until_ms"])),
            "expired": expired,
            "missed": list(missed)[-MOST_MISSED:],
            "retried": retried,
            "data": content,
        },
        option=orjson.OPT_NON_STR_KEYS,
    )
