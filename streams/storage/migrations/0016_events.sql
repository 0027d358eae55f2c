-- What programs follow: messages by their number, when they got it, who still needs them, and the
-- alerts as far as their messages are numbered.

alter table outbox add column numbered_at timestamptz;  -- by the wall clock
update outbox set numbered_at = now() where sequence is not null;

alter table alert_transition add column completeness jsonb;  -- of its area then; null: not known

-- The first number that somebody still needs, a row for each; messages before the least may go.
create view outbox_needed as select null::text as who, null::bigint as sequence where false;

-- Alerts as their numbered messages tell them: one whose newest messages still wait for a number is
-- shown as of the last that has one, and not at all before its first has.
create view numbered_alert as
select
    al.id, al.rule, al.rule_version, al.domain, al.area, al.point, al.subject, al.onset, al.state,
    al.severity, al.stale, al.unverified, al.change, al.value, al.threshold, al.unit, al.origin,
    al.sequence, al.updated, al.peak_severity, al.ended
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
    case when t.state = 'resolved' then t.event_time end
from (
    select key, min((content ->> 'sequence')::int) - 1 as told from outbox
    where sequence is null and topic = 'city.alert.v1' group by key
) w
join alert al on al.id = w.key
join alert_transition t on t.alert = w.key and t.sequence = w.told;
