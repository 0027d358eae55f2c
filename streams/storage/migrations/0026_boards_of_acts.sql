-- What dashboards read of incidents, official warnings, and what people did: as in 0023, in the
-- field's words and without who acted.

create view board_incident as
select i.id, i.status, i.domain, i.area, a.name as area_name, a.level, a.city, i.began, i.changed,
    i.severity, i.peak_severity, i.open, i.hidden, i.ended, i.quiet_since, i.closed
from incident i left join board_area a on a.code = i.area;

create view board_incident_alert as
select m.incident, m.alert, m.area, m.began, m.ended, m.shown from incident_alert m;

-- `counts`: a live city takes nothing but Actual. `codes` are counties, cities and provinces; the
-- towns among them as their county.
create view board_official_warning as
select w.id, w.sender, w.issuers, w.sent, w.kind, w.status, w.event, w.type, w.severity, w.area_text,
    array(select distinct left(own.code, 6) from unnest(w.areas) as own (code)) as codes,
    w.headline, w.effective, w.onset, w.expires, w.ended_kind, w.ended_at,
    w.status = 'Actual' or (w.status in ('Exercise', 'Test') and n.kind <> 'live') as counts
from official_warning_state w cross join namespace n;

-- Roads and how far their closures have come; times of the wall clock.
create view board_closure as
select c.id, c.area, a.name as area_name, a.city, c.link, p.name as link_name, c.state, c.exercise,
    c.alerts, c.since, c.due, c.created_at, step.advised_at, step.ordered_at, step.confirmed_at,
    step.reopened_at, step.hazard
from closure c
left join board_area a on a.code = c.area
left join point p on p.id = c.link
left join lateral (
    select min(s.at) filter (where s.step = 'advise') as advised_at,
        min(s.at) filter (where s.step = 'order') as ordered_at,
        min(s.at) filter (where s.step = 'confirm') as confirmed_at,
        max(s.at) filter (where s.step = 'reopen') as reopened_at,
        (array_agg(s.hazard order by s.number desc))[1] as hazard
    from closure_step s where s.closure = c.id
) step on true;

-- Call-outs, their lines counted.
create view board_callout as
select c.alert, c.area, a.name as area_name, a.city, c.severity, c.exercise, c.started, c.due,
    c.overdue, c.ended, line.called, line.answered, line.acting, line.unreached
from callout c
left join board_area a on a.code = c.area
left join lateral (
    select count(*) as called,
        count(*) filter (where l ->> 'answered_by' is not null) as answered,
        count(*) filter (where l ->> 'acting_by' is not null) as acting,
        count(*) filter (where (l ->> 'unreached')::boolean) as unreached
    from jsonb_array_elements(c.lines) as l
) line on true;

-- What readings that came too late would have changed.
create view board_alert_late as
select l.rule, coalesce(al.domain, pr.domain) as domain, l.area, a.name as area_name, a.city, l.kind,
    l.alert, l.subject, l.readings, l.first_time, l.worst_time, l.worst_value, l.threshold, l.unit,
    l.severity, l.decided_at
from alert_late l
left join board_area a on a.code = l.area
left join alert al on al.id = l.alert
left join property pr on pr.id = l.property;

-- `waited_s`: from the arrival of what decided it to the number that the committed message got;
-- only where the stream's clock is the wall's.
create or replace view board_outbox as
select o.sequence, o.numbered_at, o.topic, o.area, o.status, o.notify,
    case when n.kind = 'live' and o.topic = 'city.alert.v1' then extract(epoch from
        o.numbered_at - at_ms((o.content ->> 'decided_ms')::bigint))::float8 end as waited_s
from outbox o cross join namespace n;
