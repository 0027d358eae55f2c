-- name: points
-- Points by id, each with the worst of its open alerts (its tier).
select
    p.id, p.type, p.area, a.name as area_name, p.name, p.lon, p.lat, p.attributes,
    coalesce(o.severity, 0)::smallint as severity, coalesce(o.stale, false) as stale,
    coalesce(o.unverified, false) as unverified, o.open_alerts
from point p
left join area a on a.code = p.area
left join lateral (
    select max(severity) as severity, bool_or(stale) as stale,
        bool_or(unverified) as unverified, count(*) as open_alerts
    from alert where alert.area = p.area and alert.point = p.id and state <> 'resolved'
) o on true
where (%(areas)s::text[] is null or p.area = any(%(areas)s))
    and (%(types)s::text[] is null or p.type = any(%(types)s))
    and (%(id)s::text is null or p.id = %(id)s)
    and (%(external_id)s::text is null or p.id in (
        select e.point from external_id e
        where e.scheme = %(external_scheme)s and e.id = %(external_id)s
    ))
    and p.id > %(after)s
order by p.id
limit %(limit)s

-- name: sensors_of_points
select s.id, s.name, ps.point, ps.gateway, ps.properties, ps.report_s
from point_sensor ps join sensor s on s.id = ps.sensor
where ps.point = any(%(points)s)
order by s.name

-- name: external_ids_of_points
-- What other systems call the points and their sensors (sensor null: the point's own name).
select point, sensor, scheme, id from external_id
where point = any(%(points)s)
order by point, sensor nulls first, scheme

-- name: sensor_named
select s.id, s.name, ps.point, ps.gateway, ps.properties, ps.report_s
from sensor s join point_sensor ps on ps.sensor = s.id
where s.name = %(name)s

-- name: latest_of_areas
select area, domain, as_of, decided_at, payload
from area_latest where area = any(%(areas)s) order by area, domain

-- name: results_of_point
-- The newest derived value of every kind (e.g. the station's hourly AQI).
select distinct on (kind, period_s) kind, start, period_s, payload
from point_result where point = %(point)s
order by kind, period_s, start desc
