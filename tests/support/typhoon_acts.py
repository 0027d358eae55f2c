"""What people and agencies did in the typhoon, as a working API leaves it: incidents, official
warnings, roads closed and opened, call-outs answered. The clock is the city's own."""

from __future__ import annotations

from datetime import datetime, timedelta

from api.actions import alert_actions, callouts, closures
from api.actions.actor import Actor, Kind, Role
from api.actions.advance import advance
from api.actions.alert_action import Action
from api.actions.alert_action import Given as Said
from api.actions.callout import Call, Level, Post
from api.actions.closure import Given, Step
from api.actions.incidents import group
from streams.contracts.reason import Severity
from streams.contracts.warning import Kind as Message
from streams.storage.connect import Connection
from streams.storage.sequencer import number_outbox
from streams.storage.warnings import write_warnings
from tests.support.official import warning
from tests.support.seed_warnings import heard

WHO = Actor("the commander of that night", Kind.PERSON, ((Role.COMMANDER, "all"),))
HOUR_MS = 3_600_000
CLOSURES = "select id from closure where state = 'advised' order by id limit 3"
CALLED = "select alert from callout where not ended order by alert limit 2"
FIRING = "select id from alert where state = 'firing' order by severity desc, id limit 2"


def act(connection: Connection, now: datetime) -> None:
    """Everything that follows from the alerts by itself, then some steps by hand."""
    warned(connection, now)
    number_outbox(connection)
    while group(connection).more:
        pass
    while advance(connection, now - timedelta(minutes=3)).more:
        pass
    ordered = now - timedelta(minutes=1)
    for (alert,) in connection.execute(FIRING).fetchall():
        alert_actions.act(connection, WHO, ordered, alert, Action.ACKNOWLEDGE, Said())
    roads = [id for (id,) in connection.execute(CLOSURES).fetchall()]
    opened = Given("drained, nothing on the road", despite=True)
    for road in roads:
        closures.take(connection, WHO, ordered, road, Step.ORDER)
    for road in roads[:1]:
        closures.take(connection, WHO, ordered, road, Step.CONFIRM)
    for road in roads[2:]:
        closures.take(connection, WHO, ordered, road, Step.REOPEN, opened)
    for (alert,) in connection.execute(CALLED).fetchall():
        county = Call(Level.COUNTY, Post.OFFICER)
        callouts.answer(connection, WHO, ordered, alert, county)
        callouts.confirm(connection, WHO, ordered, alert, Level.COUNTY)


def warned(connection: Connection, now: datetime) -> None:
    """A red one of the province for the typhoon, an orange one of a county for rain that took the
    place of a yellow one, one that names no area, and one that is over."""
    at = int(now.timestamp() * 1000)
    ago, ahead = at - 3 * HOUR_MS, at + 9 * HOUR_MS
    rain = {"areas": ("331081",), "area_text": "温岭市", "issuers": ("温岭市气象台",)}
    said = "温岭市气象台发布暴雨黄色预警", "温岭市气象台升级发布暴雨橙色预警"
    typhoon = "浙江省气象台发布台风红色预警"
    found = [
        warning("typhoon", ago, event="台风", type="台风", headline=typhoon, expires_ms=ahead),
        warning(
            "rain.1", ago, severity=Severity.YELLOW, headline=said[0], expires_ms=ahead, **rain
        ),
        warning(
            "rain.2", ago + HOUR_MS, severity=Severity.ORANGE, headline=said[1],
            kind=Message.UPDATE, refers=("rain.1",), expires_ms=ahead, **rain,
        ),
        warning(
            "sea", ago, event="大风", type="大风", severity=Severity.BLUE, areas=(),
            area_text="东海", headline="东海大风蓝色预警", expires_ms=ahead,
        ),
        warning("heat", ago - 40 * HOUR_MS, event="高温", type="高温", expires_ms=ago),
    ]  # fmt: skip
    with connection.cursor() as cursor:
        write_warnings(cursor, [heard(one, now) for one in found])
