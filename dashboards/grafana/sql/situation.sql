-- name: open_of
-- Firing alerts of one colour.
select count(*) as value from {ns}.board_alert
where state = 'firing' and severity = {severity} and area in ($county, $city, $province)

-- name: unknown
-- Counties whose colour nobody can tell: their sensors are silent.
select count(*) as value from {ns}.board_risk where unknown and area in ($county)

-- name: overdue
-- How much longer than usual the slowest domain of the chosen counties has told nothing new; what is
-- usual follows from how often its devices report.
select max(greatest(extract(epoch from $__timeTo()::timestamptz - watermark)
    - ({usual}::jsonb ->> domain)::float8, 0))::float8 as value
from {ns}.board_freshness where area in ($county) having count(*) > 0

-- name: complete
-- Share of sensors that are not silent.
select 100.0 * greatest(s.sensors - f.silent, 0) / nullif(s.sensors, 0) as value
from (select count(*) as sensors from {ns}.board_sensor where area in ($county)) s
cross join (select count(*) as silent from {ns}.board_silent_sensor where area in ($county)) f

-- name: map
-- Every county at its centre; -1 is unknown, -2 has no sensors: neither is green.
select a.name as "area", a.lon as longitude, a.lat as latitude,
    case when not exists (select from {ns}.board_sensor s where s.area = a.code) then -2
        when coalesce(r.unknown, true) then -1 else r.severity end as severity,
    coalesce(r.led_by, '') as led_by, r.open_alerts, r.as_of, a.code
from {ns}.board_area a left join {ns}.board_risk r on r.area = a.code
where a.level = 'county' and a.code in ($county) and a.lon is not null order by a.code

-- name: open
-- Firing alerts, the worst and newest first; `age` up to the end of the time range. How people
-- answered is looked up for these only (offset 0: not for all alerts before the limit).
select al.severity, coalesce(al.area_name, al.area) as area, al.domain, al.rule,
    coalesce(al.point_name, al.area_name, al.area) as place,
    round(al.value::numeric, 2)::float8 || ' ' || al.unit as value,
    al.threshold || ' ' || al.unit as threshold,
    greatest(extract(epoch from $__timeTo()::timestamptz - al.onset), 0)::float8 as age,
    al.stale, al.unverified, act.acknowledged_at, act.closure_state, al.id
from (
    select * from {ns}.board_alert
    where state = 'firing' and area in ($county, $city, $province)
    order by severity desc, onset desc limit 200
) al
left join lateral (
    select r.acknowledged_at, r.closure_state from {ns}.board_response r
    where r.alert = al.id offset 0
) act on true
order by al.severity desc, al.onset desc

-- name: changed
-- What alerts did in the last hour of the time range.
select t.event_time as time, t.severity, coalesce(t.area_name, t.area) as area, t.domain, t.rule,
    t.place, t.change, t.state, round(t.value::numeric, 2)::float8 || ' ' || t.unit as value, t.alert as id
from {ns}.board_transition t
where t.event_time between $__timeTo()::timestamptz - interval '1 hour' and $__timeTo()
    and t.area in ($county, $city, $province)
order by t.event_time desc limit 200

-- name: open_over_time
-- Alerts that were open at some moment of each step, by the worst colour that they reached: what
-- began and what had ended before, added up along the steps.
with alert as (
    select case peak_severity when 4 then '红 red' when 3 then '橙 orange' when 2 then '黄 yellow'
            when 1 then '蓝 blue' else '未定级 none' end as metric,
        greatest(onset, $__timeFrom()::timestamptz) as began, ended
    from {ns}.board_alert
    where area in ($county, $city, $province) and onset <= $__timeTo()
        and (ended is null or ended >= $__timeFrom())
), moved as (
    select time, metric, sum(change) as change from (
        select $__timeGroup(began, $__interval) as time, metric, 1 as change from alert
        union all
        select $__timeGroup(ended, $__interval) + $__interval_ms / 1000, metric, -1 from alert
        where ended is not null
    ) each group by 1, 2
), step as (
    select at as time from generate_series(
        floor(extract(epoch from $__timeFrom()::timestamptz) * 1000 / $__interval_ms)
            * $__interval_ms / 1000,
        extract(epoch from $__timeTo()::timestamptz), $__interval_ms / 1000) as series (at)
)
select step.time, colour.metric,
    sum(coalesce(moved.change, 0)) over (partition by colour.metric order by step.time)::float8
        as value
from step cross join (select distinct metric from alert) colour
left join moved on moved.time = step.time and moved.metric = colour.metric
order by 1, 2

-- name: freshness
-- Every domain: how far behind its slowest county is, and how many sensors are silent.
select f.domain, min(f.watermark) as complete_up_to,
    greatest(extract(epoch from $__timeTo()::timestamptz - min(f.watermark)), 0)::float8 as age,
    greatest(extract(epoch from $__timeTo()::timestamptz - min(f.watermark))
        - ({usual}::jsonb ->> f.domain)::float8, 0)::float8 as overdue,
    count(*) as counties, sum(f.silent) as silent
from {ns}.board_freshness f where f.area in ($county) group by f.domain order by age desc

-- name: silence
-- Silent things and whether somebody answered: stale alerts, gateways, open tickets.
select * from (
    select 'alert' as what, coalesce(al.point_name, al.area) as subject,
        coalesce(al.area_name, al.area) as area, al.updated as since,
        case when act.acknowledged_at is not null then 'acknowledged' else 'open' end as answer
    from {ns}.board_alert al
    left join lateral (
        select r.acknowledged_at from {ns}.board_response r where r.alert = al.id offset 0
    ) act on true
    where al.stale and al.state = 'firing' and al.area in ($county, $city, $province)
    union all
    select 'ticket', t.subject, coalesce(t.area_name, t.area), t.opened, 'open'
    from {ns}.board_ticket t
    where t.closed is null and t.kind = 'silent' and t.area in ($county, $city, $province)
    union all
    select 'gateway', g.gateway, coalesce(g.area_name, g.area),
        g.seen_at, 'open'
    from {ns}.board_gateway g
    where g.state in ('offline', 'degraded') and g.area in ($county, $city, $province)
) silent order by since nulls first limit 200
