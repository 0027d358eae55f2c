-- name: newest_results
-- The newest derived value of one kind, of every one of these points: one index probe each.
select r.point, r.kind, r.start, r.period_s, r.payload
from unnest(%(points)s::text[]) as wanted (point)
cross join lateral (
    select * from point_result
    where point_result.kind = %(kind)s and point_result.point = wanted.point
    order by point_result.start desc limit 1
) r

-- name: firing_alerts
-- Firing alerts by id, or the one with this id in whatever state, with place and validity.
select al.id, al.rule, al.rule_version, al.domain, al.area, ar.name as area_name, al.point, p.name as point_name,
    al.subject, al.onset, al.state, al.severity, al.peak_severity, al.stale, al.unverified,
    al.change, al.value, al.threshold, al.unit, al.origin, al.sequence, al.updated, al.ended,
    coalesce(p.lon, ar.lon) as lon, coalesce(p.lat, ar.lat) as lat, t.valid_until
from alert al
left join area ar on ar.code = al.area
left join point p on p.id = al.point
left join alert_transition t on t.alert = al.id and t.sequence = al.sequence
where (%(areas)s::text[] is null or al.area = any(%(areas)s))
    and case when %(id)s::text is null then al.state = 'firing' else al.id = %(id)s end
    and al.id > %(after)s
order by al.id
limit %(limit)s

-- name: active_profile
-- House numbers of the city, by key; no row when the defaults are in force.
select v.content -> 'values' as numbers
from config_active a join config_version v using (version, kind)
where a.kind = 'profile'
order by a.position desc
limit 1
