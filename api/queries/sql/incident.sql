-- name: incidents
-- Worst first, then newest; keyset (severity, began, id). Each with its worst alert.
select i.id, i.status, i.domain, i.area, ar.name as area_name, ar.name_en as area_name_en, i.began,
    i.changed, i.severity, i.peak_severity, i.by_severity, i.open, i.hidden, i.ended,
    i.quiet_since, i.closed, i.steps, w.alert as worst
from incident i left join area ar on ar.code = i.area
left join lateral (
    select m.alert from incident_alert m where m.incident = i.id
    order by m.shown desc, m.began desc, m.alert desc limit 1
) w on true
where (%(areas)s::text[] is null or i.area = any(%(areas)s))
    and (%(domain)s::text is null or i.domain = %(domain)s)
    and (%(status)s::text is null or i.status = %(status)s)
    and (%(open)s::boolean is null or (i.closed is null) = %(open)s)
    and (%(id)s::text is null or i.id = %(id)s)
    and i.severity between %(severity)s and %(most)s
    and (%(start)s::timestamptz is null or i.closed is null or i.closed >= %(start)s)
    and (%(end)s::timestamptz is null or i.began < %(end)s)
    and (%(after_began)s::timestamptz is null or (i.severity, i.began, i.id)
        < (%(after_severity)s::smallint, %(after_began)s::timestamptz, %(after_id)s))
order by i.severity desc, i.began desc, i.id desc
limit %(limit)s

-- name: incident_alerts
-- Members: what people see of them first, worst first, then newest; keyset (shown, began, alert).
select al.id, al.rule, al.rule_version, al.domain, al.area, al.point, al.subject, al.onset,
    al.state, al.severity, al.stale, al.unverified, al.change, al.value, al.threshold, al.unit,
    al.origin, al.sequence, al.updated, al.peak_severity, al.ended,
    al.suppressed_by, m.held_severity, m.held_until,
    ar.name as area_name, ar.name_en as area_name_en, p.name as point_name,
    m.shown, m.began, m.hidden_by
from incident_alert m join alert al on al.id = m.alert
left join area ar on ar.code = al.area left join point p on p.id = al.point
where m.incident = %(incident)s
    and (%(after_began)s::timestamptz is null or (m.shown, m.began, m.alert)
        < (%(after_shown)s::smallint, %(after_began)s::timestamptz, %(after_id)s))
order by m.shown desc, m.began desc, m.alert desc
limit %(limit)s

-- name: incident_steps
select number, step, at, severity, alert from incident_step
where incident = %(incident)s order by number

-- name: incident_of
-- In which incident an alert is.
select incident from incident_alert where alert = %(alert)s

-- name: not_grouped
-- Alerts that fire and are in no incident yet, and those that wait to be confirmed.
select count(*) filter (where al.state = 'firing')::int as waiting,
    coalesce(max(al.severity) filter (where al.state = 'firing'), 0)::int as severity,
    count(*) filter (where al.state = 'pending')::int as pending
from alert al
where (%(areas)s::text[] is null or al.area = any(%(areas)s))
    and (%(domain)s::text is null or al.domain = %(domain)s)
    and (al.state = 'pending' or (al.state = 'firing' and not exists (
        select from incident_alert m where m.alert = al.id)))
