-- What people's lists make of an alert (docs/adr/0022): what hides it, and the colour that is held
-- while it flaps.

alter table alert_transition add column suppressed_by text;  -- alert, or ticket:<id>
alter table alert_transition add column held jsonb;          -- {"severity", "until_ms": event time}

alter table alert add column suppressed_by text;
alter table alert add column held_severity smallint;
alter table alert add column held_until timestamptz;         -- event time

create or replace view numbered_alert as
select
    al.id, al.rule, al.rule_version, al.domain, al.area, al.point, al.subject, al.onset, al.state,
    al.severity, al.stale, al.unverified, al.change, al.value, al.threshold, al.unit, al.origin,
    al.sequence, al.updated, al.peak_severity, al.ended, al.suppressed_by, al.held_severity,
    al.held_until
from alert al
where not exists (
    select from outbox o
    where o.sequence is null and o.topic = 'city.alert.v1' and o.key = al.id
)
union all
select
    al.id, al.rule, t.rule_version, al.domain, al.area, al.point, al.subject, al.onset, t.state,
    t.severity, t.stale, t.unverified, t.change, t.value, t.threshold, al.unit, t.origin,
    t.sequence, t.event_time,
    (select max(b.severity) from alert_transition b
     where b.alert = al.id and b.sequence <= t.sequence),
    case when t.state = 'resolved' then t.event_time end,
    t.suppressed_by, (t.held ->> 'severity')::smallint, at_ms((t.held ->> 'until_ms')::bigint)
from (
    select key, min((content ->> 'sequence')::int) - 1 as told from outbox
    where sequence is null and topic = 'city.alert.v1' group by key
) w
join alert al on al.id = w.key
join alert_transition t on t.alert = w.key and t.sequence = w.told;
