-- name: readings
-- Raw readings of one property, oldest first; keyset (t, sensor).
select o.t, s.name as sensor, ps.point, o.value, o.flag, o.position
from observation o
join sensor s on s.id = o.sensor
left join point_sensor ps on ps.sensor = o.sensor
where o.sensor = any(%(sensors)s) and o.property = %(property)s
    and o.t >= %(start)s and o.t < %(end)s
    and (%(after_t)s::timestamptz is null or (o.t, s.name) > (%(after_t)s, %(after_sensor)s))
order by o.t, s.name
limit %(limit)s

-- name: windows
-- Closed windows of one size, oldest first; keyset (start, sensor).
select w.start, s.name as sensor, ps.point, w.n, w.bad, w.total, w.low, w.high
from observation_window w
join sensor s on s.id = w.sensor
left join point_sensor ps on ps.sensor = w.sensor
where w.size_s = %(size)s and w.sensor = any(%(sensors)s) and w.property = %(property)s
    and w.start >= %(start)s and w.start < %(end)s
    and (%(after_t)s::timestamptz is null or (w.start, s.name) > (%(after_t)s, %(after_sensor)s))
order by w.start, s.name
limit %(limit)s
