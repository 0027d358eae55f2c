"""What people and programs did in a county: an event, an incident, a closure, a message, a
call-out, an answer, a subscription with a dead letter."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from api.actions import alert_actions, answers, callouts, closures, messages
from api.actions import subscription as subscriptions
from api.actions.acting import Answer, Outcome
from api.actions.actor import Actor, Kind, Role
from api.actions.alert_action import Action, Given
from api.actions.callout import LIMITS
from api.actions.closure import Step
from api.actions.incidents import group
from api.actions.known import alert_of
from api.actions.message import Draft
from streams.contracts.reason import NamespaceKind, Severity
from streams.storage.alerts import write_transitions
from streams.storage.connect import connect
from streams.storage.sequencer import number_outbox
from tests.support.deliveries import transition

WHO = Actor("test", Kind.PERSON, ((Role.COMMANDER, "all"),))


@dataclass(frozen=True, slots=True)
class Acts:
    """By which names a test asks for them."""

    alert: str
    incident: str
    event: int
    link: str
    closure: int
    message: int
    subscription: str


def write_acts(conninfo: str, namespace: str, area: str, point: str) -> Acts:
    """One of each, of an alert at this point; its road is the point itself."""
    now, alert = datetime.now(UTC), f"acted-{area}"
    with connect(conninfo, namespace, "citybrain seed") as connection:
        told = transition(alert, area=area, point=point, subject=point)
        write_transitions(
            connection.cursor(), NamespaceKind.SIMULATED, "city.observation.v1", 0, [told]
        )
        number_outbox(connection)
        group(connection)
        of = connection.execute("select incident from incident_alert where alert = %s", (alert,))
        incident = str(of.fetchall()[0][0])
        row = connection.execute("select max(sequence) from outbox").fetchone()
        assert row is not None
        event = int(row[0])
        alert_actions.act(connection, WHO, now, alert, Action.ACKNOWLEDGE, Given())
        closure = closures.begin(connection, WHO, now, Step.ADVISE, point, alert)
        until = now + timedelta(hours=1)
        message = messages.draft(connection, WHO, now, Draft(area, "积水", "", until, alert))
        callouts.begin(connection, now, alert_of(connection, alert), Severity.ORANGE, LIMITS)
        answers.answer(connection, WHO, now, event, WHO.who, Answer(Outcome.EXECUTED, "1"))
        wish = subscriptions.Wish.model_validate(
            {"name": area, "target": "https://example.org/hook", "filter": {"areas": [area]}}
        )
        made = subscriptions.create(connection, wish, "test")
        connection.execute(
            "insert into delivery (subscription, sequence, alert, state, queued_at)"
            " values (%s, %s, %s, 'dead', now())",
            (made.id, event, alert),
        )
    return Acts(alert, incident, event, point, closure, message, made.id)
