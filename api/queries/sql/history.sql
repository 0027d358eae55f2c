-- name: series_sensors
-- Sensors of one point, or of all points of these areas.
select ps.sensor
from point_sensor ps join point p on p.id = ps.point
where (%(point)s::text is null or p.id = %(point)s)
    and (%(areas)s::text[] is null or p.area = any(%(areas)s))
order by ps.sensor

-- name: history_readings
-- Raw readings, oldest first; keyset (time, sensor name, property name).
select o.t, s.name as sensor, pr.name as property, ps.point, p.name as point_name, p.area, p.lon,
    p.lat, o.value, o.flag, o.position
from observation o
join sensor s on s.id = o.sensor
join property pr on pr.id = o.property
left join point_sensor ps on ps.sensor = o.sensor
left join point p on p.id = ps.point
where o.sensor = any(%(sensors)s)
    and (%(property)s::smallint is null or o.property = %(property)s)
    and o.t >= %(start)s and o.t < %(end)s
    and (%(after_time)s::timestamptz is null
        or (o.t, s.name, pr.name) > (%(after_time)s, %(after_key)s, %(after_part)s))
-- order
order by o.t, s.name, pr.name
limit %(limit)s

-- name: history_windows
-- Closed windows of one size, oldest first; keyset (start, sensor name, property name).
select w.start, s.name as sensor, pr.name as property, ps.point, p.name as point_name, p.area,
    p.lon, p.lat, w.size_s, w.n, w.bad, w.total, w.low, w.high
from observation_window w
join sensor s on s.id = w.sensor
join property pr on pr.id = w.property
left join point_sensor ps on ps.sensor = w.sensor
left join point p on p.id = ps.point
where w.size_s = %(size)s and w.sensor = any(%(sensors)s)
    and (%(property)s::smallint is null or w.property = %(property)s)
    and w.start >= %(start)s and w.start < %(end)s
    and (%(after_time)s::timestamptz is null
        or (w.start, s.name, pr.name) > (%(after_time)s, %(after_key)s, %(after_part)s))
-- order
order by w.start, s.name, pr.name
limit %(limit)s

-- name: history_results
-- Derived values of points, and of areas as a whole (whose subject is the area's code), oldest
-- first; keyset (start, subject, kind and period).
select r.start, r.kind, r.point as subject, p.id as point, p.name as point_name,
    coalesce(p.area, a.code) as area, coalesce(p.lon, a.lon) as lon, coalesce(p.lat, a.lat) as lat,
    r.period_s, r.payload
from point_result r
left join point p on p.id = r.point
left join area a on a.code = r.point
where (%(point)s::text is null or r.point = %(point)s)
    and (%(areas)s::text[] is null or coalesce(p.area, a.code) = any(%(areas)s))
    and (%(kind)s::text is null or r.kind = %(kind)s)
    and r.start >= %(start)s and r.start < %(end)s
    and (%(after_time)s::timestamptz is null
        or (r.start, r.point, r.kind || ' ' || r.period_s)
            > (%(after_time)s, %(after_key)s, %(after_part)s))
-- order
order by r.start, r.point, r.kind || ' ' || r.period_s
limit %(limit)s

-- name: history_alerts
-- Transitions of alerts, oldest first; keyset (event time, alert, sequence as text of ten digits).
select t.event_time, t.alert, t.sequence, t.decided_at, t.valid_until, t.state, t.severity,
    t.stale, t.unverified, t.change, t.value, t.threshold, t.unit, t.origin, t.position,
    t.evidence, al.domain, al.rule, al.area, al.point, p.name as point_name, al.subject, p.lon, p.lat
from alert_transition t
join alert al on al.id = t.alert
left join point p on p.id = al.point
where (%(point)s::text is null or al.point = %(point)s)
    and (%(areas)s::text[] is null or al.area = any(%(areas)s))
    and (%(kind)s::text is null or al.rule = %(kind)s)
    and t.event_time >= %(start)s and t.event_time < %(end)s
    and (%(after_time)s::timestamptz is null
        or (t.event_time, t.alert, lpad(t.sequence::text, 10, '0'))
            > (%(after_time)s, %(after_key)s, %(after_part)s))
-- order
order by t.event_time, t.alert, lpad(t.sequence::text, 10, '0')
limit %(limit)s

-- name: history_facts
-- Facts in force, oldest period first; keyset (start, indicator, area and period).
select f.*, a.name as area_name, a.name_en as area_name_en, a.lon, a.lat
from fact f left join area a on a.code = f.area
where f.area = any(%(areas)s)
    and (%(kind)s::text is null or f.indicator = %(kind)s)
    and f.start >= %(start)s and f.start < %(end)s
    and f.known_to is null
    and (%(after_time)s::timestamptz is null
        or (f.start, f.indicator, f.area || ' ' || f.period)
            > (%(after_time)s, %(after_key)s, %(after_part)s))
-- order
order by f.start, f.indicator, f.area || ' ' || f.period
limit %(limit)s
