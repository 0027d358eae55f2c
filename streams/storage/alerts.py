"""Alert transitions on their way out: the history, the present state and the outbox.

Whether a message is Actual, Exercise or Test follows from the namespace and the origin
(`streams.contracts.message_status`); no caller can ask for another one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from streams.contracts.message_status import may_notify, message_status
from streams.contracts.outcome import Transition
from streams.contracts.reason import AlertState, NamespaceKind
from streams.log import ALERT_TOPIC
from streams.storage.connect import Cursor

ADD_TRANSITIONS = """
insert into alert_transition (
    alert, sequence, event_time, decided_at, valid_until, state, severity, stale, unverified,
    change, value, threshold, unit, rule_version, origin, topic, partition, position, evidence,
    completeness, suppressed_by, held)
select alert, sequence, at_ms(event_ms), at_ms(decided_ms), at_ms(valid_until_ms), state, severity,
       stale, unverified, change, value, threshold, unit, rule_version, origin,
       %(topic)s, %(partition)s, position, evidence::jsonb, completeness::jsonb, suppressed_by,
       held::jsonb
from unnest(
    %(alert)s::text[], %(sequence)s::int[], %(event_ms)s::bigint[], %(decided_ms)s::bigint[],
    %(valid_until_ms)s::bigint[], %(state)s::text[], %(severity)s::smallint[], %(stale)s::bool[],
    %(unverified)s::bool[], %(change)s::text[], %(value)s::text[], %(threshold)s::text[],
    %(unit)s::text[], %(rule_version)s::text[], %(origin)s::text[], %(position)s::bigint[],
    %(evidence)b::text[], %(completeness)s::text[], %(suppressed_by)s::text[], %(held)s::text[]
) as t (
    alert, sequence, event_ms, decided_ms, valid_until_ms, state, severity, stale, unverified,
    change, value, threshold, unit, rule_version, origin, position, evidence, completeness,
    suppressed_by, held)
"""

# One row per alert: the newest of this transaction; `peak` is the highest severity in it.
SET_ALERTS = """
insert into alert (
    id, rule, rule_version, domain, area, point, subject, onset, state, severity, stale,
    unverified, change, value, threshold, unit, origin, sequence, updated, peak_severity, ended,
    suppressed_by, held_severity, held_until)
select alert, rule, rule_version, domain, area, point, subject, at_ms(onset_ms), state, severity,
       stale, unverified, change, value, threshold, unit, origin, sequence, at_ms(event_ms), peak,
       case when state = 'resolved' then at_ms(event_ms) end, suppressed_by,
       (held::jsonb ->> 'severity')::smallint, at_ms((held::jsonb ->> 'until_ms')::bigint)
from unnest(
    %(alert)s::text[], %(rule)s::text[], %(rule_version)s::text[], %(domain)s::text[],
    %(area)s::text[], %(point)s::text[], %(subject)s::text[], %(onset_ms)s::bigint[],
    %(state)s::text[], %(severity)s::smallint[], %(stale)s::bool[], %(unverified)s::bool[],
    %(change)s::text[], %(value)s::text[], %(threshold)s::text[], %(unit)s::text[],
    %(origin)s::text[], %(sequence)s::int[], %(event_ms)s::bigint[], %(peak)s::smallint[],
    %(suppressed_by)s::text[], %(held)s::text[]
) as t (
    alert, rule, rule_version, domain, area, point, subject, onset_ms, state, severity, stale,
    unverified, change, value, threshold, unit, origin, sequence, event_ms, peak, suppressed_by,
    held)
on conflict (id) do update set
    rule_version = excluded.rule_version, state = excluded.state, severity = excluded.severity,
    stale = excluded.stale, unverified = excluded.unverified, change = excluded.change,
    value = excluded.value, threshold = excluded.threshold, origin = excluded.origin,
    sequence = excluded.sequence, updated = excluded.updated, ended = excluded.ended,
    suppressed_by = excluded.suppressed_by, held_severity = excluded.held_severity,
    held_until = excluded.held_until,
    peak_severity = greatest(alert.peak_severity, excluded.peak_severity)
where excluded.sequence > alert.sequence
"""

ADD_MESSAGES = """
insert into outbox (topic, key, area, status, notify, content)
select %(topic)s, key, area, status, notify, content::jsonb
from unnest(%(key)s::text[], %(area)s::text[], %(status)s::text[], %(notify)s::bool[],
            %(content)b::text[])
     with ordinality as t (key, area, status, notify, content, number)
order by number
"""

COLUMNS = (
    "alert",
    "sequence",
    "rule",
    "rule_version",
    "domain",
    "area",
    "point",
    "subject",
    "onset_ms",
    "event_ms",
    "decided_ms",
    "severity",
    "stale",
    "unverified",
    "value",
    "threshold",
    "unit",
    "position",
    "valid_until_ms",
    "suppressed_by",
)


def write_transitions(
    cursor: Cursor,
    kind: NamespaceKind,
    topic: str,
    partition: int,
    transitions: Sequence[Transition],
) -> None:
    """Adds the transitions, moves the alerts to their newest state, puts messages in the outbox.

    `topic` and `partition` say where `Transition.position` counts. In the caller's transaction.
    """
    if not transitions:
        return
    where = {"topic": topic, "partition": partition}
    cursor.execute(ADD_TRANSITIONS, _columns(transitions) | where)
    newest = {t.alert: t for t in transitions}
    peak: dict[str, int] = {}
    for transition in transitions:
        severity = int(transition.severity)
        peak[transition.alert] = max(severity, peak.get(transition.alert, 0))
    cursor.execute(
        SET_ALERTS,
        _columns(list(newest.values())) | {"peak": [peak[alert] for alert in newest]},
    )
    cursor.execute(ADD_MESSAGES, _messages(kind, transitions))


def alert_state(transition: Transition) -> dict[str, Any]:
    """The full state that a message carries: every field of the transition, plain JSON."""
    content: dict[str, Any] = {name: getattr(transition, name) for name in COLUMNS}
    del content["position"]
    content["severity"] = int(transition.severity)
    content["state"] = transition.state.value
    content["change"] = transition.change.value
    content["origin"] = transition.origin.value
    content["evidence"] = dict(transition.evidence)
    content["completeness"] = _completeness(transition)
    content["held"] = _held(transition)
    return content


def json_text(value: Any) -> str:
    """JSON with sorted keys; numpy values allowed."""
    options = orjson.OPT_SORT_KEYS | orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS
    return orjson.dumps(value, option=options).decode()


def _columns(transitions: Sequence[Transition]) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {
        name: [getattr(t, name) for t in transitions] for name in COLUMNS
    }
    columns["severity"] = [int(t.severity) for t in transitions]
    columns["state"] = [t.state.value for t in transitions]
    columns["change"] = [t.change.value for t in transitions]
    columns["origin"] = [t.origin.value for t in transitions]
    columns["evidence"] = [json_text(dict(t.evidence)) for t in transitions]
    known = map(_completeness, transitions)
    columns["completeness"] = [None if one is None else json_text(one) for one in known]
    held = map(_held, transitions)
    columns["held"] = [None if one is None else json_text(one) for one in held]
    return columns


def _completeness(transition: Transition) -> dict[str, Any] | None:
    return None if transition.completeness is None else transition.completeness.to_dict()


def _held(transition: Transition) -> dict[str, Any] | None:
    return None if transition.held is None else transition.held.to_dict()


def _messages(kind: NamespaceKind, transitions: Sequence[Transition]) -> dict[str, Any]:
    return {
        "topic": ALERT_TOPIC,
        "key": [t.alert for t in transitions],
        "area": [t.area for t in transitions],
        "status": [message_status(kind, t.origin) for t in transitions],
        "notify": [
            may_notify(kind, t.origin) and t.state is not AlertState.PENDING for t in transitions
        ],
        "content": [json_text(alert_state(t)) for t in transitions],
    }
