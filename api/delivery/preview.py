"""What a subscription would have got: its filter over the outbox of the last days."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import orjson

from api.delivery.event import Event
from api.delivery.filter import Filter
from api.delivery.known import read_places
from api.delivery.matching import Matcher, Wanted, facts_of
from api.delivery.place import Places
from api.moment import from_ms, iso
from streams.log import ALERT_TOPIC
from streams.storage.connect import Connection, translated

MOST_EVENTS = 50_000
SHOWN = 20
DAY_MS = 86_400_000
# "Last week" by the namespace's own time: that of its newest transition.
NEWEST = """
select max((content ->> 'decided_ms')::bigint) from (
    select content from outbox where topic = %s and sequence is not null
    order by sequence desc limit 1000) newest
"""
EVENTS = """
select sequence, key, area, status, notify, content::text from outbox
where topic = %s and sequence is not null and (content ->> 'decided_ms')::bigint >= %s
order by sequence desc limit %s
"""


@dataclass(frozen=True, slots=True)
class Preview:
    """What would have come. `whole` is False when only the newest events were looked at."""

    looked_at: int
    whole: bool
    since_ms: int | None
    matched: int = 0
    alerts: int = 0
    by_day: dict[str, int] = field(default_factory=dict)
    by_domain: dict[str, int] = field(default_factory=dict)
    by_severity: dict[int, int] = field(default_factory=dict)
    newest: tuple[Event, ...] = ()


def preview(
    connection: Connection, wants: Filter, *, people: bool = False, days: float = 7.0
) -> Preview:
    """Reads the outbox of the last `days`. Raises `Unavailable`."""
    with translated():
        row = connection.execute(NEWEST, (ALERT_TOPIC,)).fetchone()
        if row is None or row[0] is None:
            return Preview(0, True, None)
        since_ms = int(row[0] - days * DAY_MS)
        rows = connection.execute(EVENTS, (ALERT_TOPIC, since_ms, MOST_EVENTS + 1)).fetchall()
        spatial = wants.polygon is not None or wants.near is not None
        places = read_places(connection) if spatial else Places()
    events = [
        Event(sequence, alert, area, status, notify, orjson.loads(content))
        for sequence, alert, area, status, notify, content in reversed(rows[:MOST_EVENTS])
    ]
    found = list(matched(events, wants, places, people=people))
    return summed(found, Preview(len(events), len(rows) <= MOST_EVENTS, since_ms))


def matched(
    events: Iterable[Event], wants: Filter, places: Places, *, people: bool
) -> Iterator[Event]:
    """The events, in order, that the filter lets through as the deliverer would."""
    matcher = Matcher([Wanted("preview", wants, people)], places)
    told: dict[str, list[str]] = {}
    for event in events:
        facts = facts_of(event.content, event.status, event.notify)
        if found := matcher.match(facts, told.get(event.alert, ())):
            told[event.alert] = found
            yield event


def summed(found: list[Event], looked: Preview) -> Preview:
    """Counts."""
    contents = [event.content for event in found]
    return Preview(
        looked.looked_at,
        looked.whole,
        looked.since_ms,
        matched=len(found),
        alerts=len({event.alert for event in found}),
        by_day=dict(Counter(iso(from_ms(c["decided_ms"]))[:10] for c in contents)),
        by_domain=dict(Counter(c["domain"] for c in contents)),
        by_severity=dict(Counter(c["severity"] for c in contents)),
        newest=tuple(reversed(found[-SHOWN:])),
    )
