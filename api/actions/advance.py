"""What follows from alerts by itself: advice to close roads, call-outs, and their deadlines.

Follows the outbox by number with a cursor of its own, moved in the same transaction as what it
causes: nothing is missed and nothing done twice, whenever the process dies.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from api.actions import callout, callouts, closing, closure, closures
from api.actions.actor import SYSTEM
from api.actions.known import KnownAlert, find_alert
from api.actions.refusal import Refused
from streams.contracts.reason import AlertState, Change, Severity
from streams.log import ALERT_TOPIC
from streams.storage.connect import Connection

log = structlog.get_logger(__name__)

MOST = 500  # messages in one transaction
LOCK = "select sequence from acting_position for update skip locked"
READ = """
select sequence, notify and topic = %s, content from outbox
where sequence > %s order by sequence limit %s
"""
MOVE = "update acting_position set sequence = %s"
# The point names its links, or a link names the point (as in the traffic domain).
LINKS = """
select distinct link from (
    select regexp_split_to_table(attributes->>'link', '[, ]+') as link
    from point where id = %(point)s
    union all
    select id from point where type = 'road_link' and attributes->>'flood_point' = %(point)s
) named where link <> '' order by link
"""
RISING = (Change.CONFIRMED, Change.RAISED)


@dataclass(frozen=True, slots=True)
class Plan:
    """From which alerts what follows: house conventions, set by `ActingSettings`."""

    closure_domains: frozenset[str] = frozenset({"waterlogging"})
    callout_domains: frozenset[str] = frozenset({"waterlogging", "weather"})
    severity: Severity = Severity.ORANGE
    closure: closure.Limits = closure.LIMITS
    callout: callout.Limits = callout.LIMITS


PLAN = Plan()


@dataclass(frozen=True, slots=True)
class Advanced:
    """What a turn did; `more`: there is more to read. `busy`: another process is at it."""

    read: int = 0
    expired: int = 0
    more: bool = False
    busy: bool = False


def advance(connection: Connection, now: datetime, plan: Plan = PLAN, most: int = MOST) -> Advanced:
    """Heeds the next messages, lets deadlines pass, in one transaction; one process at a time."""
    with connection.transaction():
        row = connection.execute(LOCK).fetchone()
        if row is None:
            return Advanced(busy=True)
        rows = connection.execute(READ, (ALERT_TOPIC, row[0], most)).fetchall()
        if rows and rows[0][0] > row[0] + 1:
            log.warning("acting.outbox_cut", missing=rows[0][0] - row[0] - 1)
        for _, counts, content in rows:
            if counts:
                _heed(connection, now, content, plan)
        if rows:
            connection.execute(MOVE, (rows[-1][0],))
        expired = callouts.expire(connection, now, plan.callout)
    return Advanced(len(rows), expired, len(rows) == most)


def _heed(connection: Connection, now: datetime, content: dict[str, Any], plan: Plan) -> None:
    """One transition. What has ended since is not begun: nobody acts on last night's alert."""
    alert = find_alert(connection, content["alert"])
    if alert is None:
        return
    if content["change"] == Change.CLOSED and closing.make_up(
        connection, now, alert, content["evidence"]
    ):
        log.warning("acting.close_made_up", alert=alert.id, by=content["evidence"]["by"])
    if content["state"] == AlertState.RESOLVED:
        closures.alert_ended(connection, SYSTEM, now, alert, content["change"], plan.closure)
        callouts.alert_ended(connection, now, alert, plan.callout)
        return
    rises = content["change"] in RISING and content["severity"] >= plan.severity
    if not rises or not alert.open:
        return
    if alert.domain in plan.closure_domains:
        for link in _links(connection, alert):
            _advise(connection, now, link, alert, plan.closure)
    if alert.domain in plan.callout_domains:
        callouts.begin(connection, now, alert, content["severity"], plan.callout)


def _advise(
    connection: Connection, now: datetime, link: str, alert: KnownAlert, limits: closure.Limits
) -> None:
    """Somebody may order the same road at the same moment: then there is nothing to advise."""
    try:
        with connection.transaction():
            closures.advise(connection, SYSTEM, now, link, alert, limits)
    except Refused as refusal:
        log.info("acting.not_advised", link=link, alert=alert.id, why=str(refusal))


def _links(connection: Connection, alert: KnownAlert) -> Iterator[str]:
    for (link,) in connection.execute(LINKS, {"point": alert.point}).fetchall():
        yield str(link)
