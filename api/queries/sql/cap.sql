-- name: cap_chain
-- All transitions of these alerts, in order: what is told of each follows from them.
select t.alert, t.sequence, al.rule, t.rule_version, al.domain, al.area, al.point, al.subject,
    al.onset, t.event_time, t.decided_at, t.valid_until, t.state, t.severity, t.stale, t.unverified,
    t.change, t.value, t.threshold, t.unit, t.origin,
    case when t.change = 'closed' then t.evidence ->> 'as' end as closed_as,
    ar.name as area_name, ar.name_en as area_name_en, p.name as point_name, p.lon, p.lat,
    c.at as judged_at
from alert_transition t join alert al on al.id = t.alert
left join area ar on ar.code = al.area left join point p on p.id = al.point
left join area_clock c on c.area = al.area
where t.alert = any(%(alerts)s)
order by t.alert, t.sequence

-- name: cap_feed
-- The newest transitions of which a message was told: firing, or ended after it fired; and those
-- that hold for so long that they are told again. `step_s`: from one telling to the next.
with renewed as (
    select al.id, t.sequence, extract(epoch from c.at - t.decided_at) as age_s, c.at,
        greatest(n.span_s - %(renew_s)s, n.span_s / 2) as step_s
    from alert al
    join lateral (
        select * from alert_transition l where l.alert = al.id and l.change not in ('hidden', 'shown')
        order by l.sequence desc limit 1
    ) t on true
    join area_clock c on c.area = al.area
    cross join lateral (
        select extract(epoch from t.valid_until - t.decided_at) as span_s
    ) n
    where al.state = 'firing' and t.origin <> 'replayed' and n.span_s > 0 and %(renews)s
        and (%(areas)s::text[] is null or al.area = any(%(areas)s))
        and (%(domain)s::text is null or al.domain = %(domain)s)
        and (%(origins)s::text[] is null or t.origin = any(%(origins)s))
        and al.peak_severity >= %(severity)s
), told as (
    select t.alert, t.sequence, false as renewed, t.decided_at as sent
    from alert_transition t join alert al on al.id = t.alert
    where (t.state = 'firing' or (t.state = 'resolved' and exists (
            select from alert_transition f
            where f.alert = t.alert and f.sequence < t.sequence and f.state = 'firing')))
        and t.change not in ('hidden', 'shown')
        and (%(areas)s::text[] is null or al.area = any(%(areas)s))
        and (%(domain)s::text is null or al.domain = %(domain)s)
        and (%(origins)s::text[] is null or t.origin = any(%(origins)s))
        and al.peak_severity >= %(severity)s
    order by t.decided_at desc, t.alert desc, t.sequence desc
    limit %(limit)s
)
select alert, sequence, renewed from (
    select * from told
    union all
    select id, sequence, true, at - make_interval(secs => mod(age_s, step_s)::float8)
    from renewed where age_s > step_s
) newest
order by sent desc, alert desc, sequence desc
limit %(limit)s

-- name: area_geometry
select geometry from area_shape where code = %(area)s

-- name: profile_values
-- The house numbers of the profile that was brought into force last.
select v.content -> 'values' as "values"
from config_active a join config_version v on v.version = a.version
where a.kind = 'profile' order by v.created_at desc limit 1
