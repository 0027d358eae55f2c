-- name: acted_on
-- How these alerts stand with people and programs.
select id, acknowledged_by, acknowledged_at, assigned_to,
    case when silenced_until > now() then silenced_until end as silenced_until,
    closed_as, closed_by, closed_at, close_state, closure_state, closure, executed, refused, failed
from alert_with_actions
where id = any(%(alerts)s) and (acknowledged_by is not null or assigned_to is not null
    or silenced_until is not null or closed_as is not null or closure is not null
    or executed + refused + failed > 0)

-- name: alert_actions
-- What was done with an alert, in order.
select d.alert, d.number, d.area, d.action, d.who, d.at, d.alert_sequence, d.event_time,
    d.severity, d.note, coalesce(d.assignee, '') as assignee, d.until, d.ending,
    case
        when d.action <> 'close' then null
        when not d.sent then 'beside'
        else coalesce(c.verdict, case when a.change = 'closed' then 'closed' else 'closing' end)
    end as outcome
from alert_action d
left join alert a on a.id = d.alert
left join alert_close c on c.alert = d.alert and c.number = d.number
where d.alert = %(alert)s order by d.number

-- name: closures
-- Newest first; keyset (id) descending.
select c.id, c.area, a.name as area_name, c.link, p.name as link_name, c.state, c.exercise,
    c.alerts, c.sequence, c.since, c.due, c.created_at
from closure c left join area a on a.code = c.area left join point p on p.id = c.link
where (%(areas)s::text[] is null or c.area = any(%(areas)s))
    and (%(states)s::text[] is null or c.state = any(%(states)s))
    and (%(exercise)s::boolean is null or c.exercise = %(exercise)s)
    and (%(overdue)s::boolean is null or coalesce(c.due <= now(), false) = %(overdue)s)
    and (%(id)s::bigint is null or c.id = %(id)s)
    and (%(after_id)s::bigint is null or c.id < %(after_id)s)
order by c.id desc
limit %(limit)s

-- name: closure_steps
select number, step, who, at, alert, event_time, hazard, note, reference, despite
from closure_step where closure = %(id)s order by number

-- name: messages
-- Newest first; keyset (id) descending. To be sent: signed, valid and real.
select m.id, m.area, a.name as area_name, m.alert, m.corrects, m.text_zh, m.text_en, m.digest,
    m.expires, m.exercise, m.author, m.state, m.sequence, m.created_at, m.event_time
from public_message m left join area a on a.code = m.area
where (%(areas)s::text[] is null or m.area = any(%(areas)s))
    and (%(states)s::text[] is null or m.state = any(%(states)s))
    and (%(sendable)s::boolean is null or %(sendable)s
        = (m.state = 'signed' and m.expires > now() and not m.exercise))
    and (%(id)s::bigint is null or m.id = %(id)s)
    and (%(after_id)s::bigint is null or m.id < %(after_id)s)
order by m.id desc
limit %(limit)s

-- name: message_steps
select number, step, who, at, digest, note, reference
from message_step where message = %(id)s order by number

-- name: answered_event
-- An event by its number, as long as it is kept.
select sequence from outbox where sequence = %(event)s

-- name: answers
-- To one event, or to all events of an alert, oldest first.
select event, subscription, number, alert, alert_sequence, area, outcome, reference, reason, late,
    who, at, event_time
from acting_answer
where (%(event)s::bigint is null or event = %(event)s)
    and (%(alert)s::text is null or alert = %(alert)s)
order by event, subscription, number
limit %(limit)s

-- name: callouts
-- Newest first; keyset (started, alert) descending.
select c.alert, c.area, a.name as area_name, c.exercise, c.severity, c.lines, c.sequence, c.due,
    c.overdue, c.ended, c.started
from callout c left join area a on a.code = c.area
where (%(areas)s::text[] is null or c.area = any(%(areas)s))
    and (%(ended)s::boolean is null or c.ended = %(ended)s)
    and (%(overdue)s::boolean is null or c.overdue = %(overdue)s)
    and (%(alert)s::text is null or c.alert = %(alert)s)
    and (%(after_started)s::timestamptz is null
        or (c.started, c.alert) < (%(after_started)s, %(after_alert)s))
order by c.started desc, c.alert desc
limit %(limit)s

-- name: callout_steps
select number, event, line, level, post, who, at, note, reference
from callout_step where alert = %(alert)s order by number
