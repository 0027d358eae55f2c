-- name: alerts_worst
-- Worst first, then newest; keyset (severity, onset, id). As far as events tell (event.sql).
select al.*, ar.name as area_name, ar.name_en as area_name_en, p.name as point_name
from numbered_alert al
left join area ar on ar.code = al.area left join point p on p.id = al.point
where (%(areas)s::text[] is null or al.area = any(%(areas)s))
    and (%(domain)s::text is null or al.domain = %(domain)s)
    and (%(states)s::text[] is null or al.state = any(%(states)s))
    and (%(point)s::text is null or al.point = %(point)s)
    and al.severity >= %(severity)s
    and (%(start)s::timestamptz is null or al.ended is null or al.ended >= %(start)s)
    and (%(end)s::timestamptz is null or al.onset < %(end)s)
    and (%(after_onset)s::timestamptz is null or (al.severity, al.onset, al.id)
        < (%(after_severity)s::smallint, %(after_onset)s::timestamptz, %(after_id)s))
order by al.severity desc, al.onset desc, al.id desc
limit %(limit)s

-- name: alerts_newest
-- Newest onset first; keyset (onset, id). As far as events tell.
select al.*, ar.name as area_name, ar.name_en as area_name_en, p.name as point_name
from numbered_alert al
left join area ar on ar.code = al.area left join point p on p.id = al.point
where (%(areas)s::text[] is null or al.area = any(%(areas)s))
    and (%(domain)s::text is null or al.domain = %(domain)s)
    and (%(states)s::text[] is null or al.state = any(%(states)s))
    and (%(point)s::text is null or al.point = %(point)s)
    and al.severity >= %(severity)s
    and (%(start)s::timestamptz is null or al.ended is null or al.ended >= %(start)s)
    and (%(end)s::timestamptz is null or al.onset < %(end)s)
    and (%(after_onset)s::timestamptz is null
        or (al.onset, al.id) < (%(after_onset)s::timestamptz, %(after_id)s))
order by al.onset desc, al.id desc
limit %(limit)s

-- name: alert
select al.*, ar.name as area_name, ar.name_en as area_name_en, p.name as point_name
from alert al left join area ar on ar.code = al.area left join point p on p.id = al.point
where al.id = %(id)s

-- name: transitions
select sequence, event_time, decided_at, valid_until, state, severity, stale, unverified, change,
    value, threshold, unit, rule_version, origin, topic, partition, position, evidence,
    suppressed_by, held
from alert_transition where alert = %(id)s order by sequence

-- name: alert_counts
-- Open alerts by severity and state.
select severity, state, count(*)::int as alerts, count(*) filter (where stale)::int as stale,
    count(*) filter (where unverified)::int as unverified
from alert where state <> 'resolved' group by severity, state order by severity desc, state

-- name: transitions_since
-- Transitions decided after an instant, oldest first, for following.
select t.alert, t.sequence, t.event_time, t.decided_at, t.state, t.severity, t.stale,
    t.unverified, t.change, t.value, t.threshold, t.unit, t.origin,
    al.domain, al.rule, al.area, ar.name as area_name, p.name as point_name, al.subject
from alert_transition t join alert al on al.id = t.alert
left join area ar on ar.code = al.area left join point p on p.id = al.point
where (%(areas)s::text[] is null or al.area = any(%(areas)s)) and t.decided_at >= %(since)s
order by t.decided_at, t.alert, t.sequence
limit %(limit)s

-- name: rule_titles
-- What stored rule sets say of titles, the oldest set first; "" for nothing.
select v.version, r.rule ->> 'name' as rule, coalesce(r.rule ->> 'title_zh', '') as zh,
    coalesce(r.rule ->> 'title_en', '') as en
from config_version v left join lateral jsonb_array_elements(v.content -> 'rules') r (rule) on true
where v.kind = 'rules'
order by v.created_at, v.version

-- name: late_beside
-- Readings that came too late to be judged: what they would have changed of this alert, and where
-- within a day of it there would have been another one.
select l.kind, l.alert, l.readings, l.first_time, l.first_value, l.worst_time, l.worst_value,
    l.unit, l.threshold, l.severity, s.name as sensor, pr.name as property, l.topic, l.partition,
    l.position, l.decided_at
from alert al
join alert_late l on l.rule = al.rule and l.subject = al.subject
left join sensor s on s.id = l.sensor left join property pr on pr.id = l.property
where al.id = %(id)s and (l.alert = al.id or l.alert is null
    and l.first_time >= al.onset - interval '1 day'
    and l.first_time <= coalesce(al.ended, al.updated) + interval '1 day')
order by l.first_time, l.kind
