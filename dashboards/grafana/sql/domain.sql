-- name: open
select count(*) as value from {ns}.board_alert
where state = 'firing' and domain = {domain} and area in ($county, $city, $province)

-- name: worst
select coalesce(max(severity), 0) as value from {ns}.board_alert
where state = 'firing' and domain = {domain} and area in ($county, $city, $province)

-- name: behind
select greatest(extract(epoch from $__timeTo()::timestamptz - min(watermark)), 0)::float8 as value
from {ns}.board_freshness where domain = {domain} and area in ($county) having count(*) > 0

-- name: silent
select count(*) as value from {ns}.board_silent_sensor
where {domain} = any(domains) and area in ($county)

-- name: newest
-- Time and value of the newest window of every point; where it has several sensors, of the newest and
-- highest. Sensor by sensor along the windows' key: what it takes grows with the sensors chosen.
select s.point, max(array[extract(epoch from w.start)::float8, w.high]) as pair
from {ns}.board_property pr
join {ns}.board_sensor s on {property} = any(s.properties) and s.area in ($county)
cross join lateral (
    select v.start, v.high / (10::float8 ^ pr.scale) as high
    from {ns}.board_sensor_window v
    where v.size_s = {size_s} and v.sensor = s.sensor and v.property = pr.id and v.n > 0
        and v.start between $__timeTo()::timestamptz - interval '1 second' * {recent_s}
            and $__timeTo()
    order by v.start desc limit 1
) w
where pr.name = {property}
group by s.point

-- name: latest
-- Every point as it is now.
select p.name as place, coalesce(p.area_name, p.area) as area, p.lon as longitude,
    p.lat as latitude, newest.pair[2] as value, coalesce(al.severity, 0) as severity,
    to_timestamp(newest.pair[1]) as at, p.id as point
from (
{@newest}
) newest
join {ns}.board_point p on p.id = newest.point
left join (
    select a.point, max(a.severity) as severity from {ns}.board_alert a
    where a.domain = {domain} and a.state = 'firing' group by a.point
) al on al.point = newest.point
order by p.id

-- name: highest
-- The points with the highest newest value, and the colour of their alert.
select coalesce(al.severity, 0) as severity, p.name as place, coalesce(p.area_name, p.area) as area,
    newest.pair[2] as value, to_timestamp(newest.pair[1]) as at, p.id as point, al.id
from (
{@newest}
    order by (max(array[extract(epoch from w.start)::float8, w.high]))[2] desc limit 20
) newest
join {ns}.board_point p on p.id = newest.point
left join lateral (
    select a.severity, a.id from {ns}.board_alert a
    where a.point = newest.point and a.domain = {domain} and a.state = 'firing'
    order by a.severity desc limit 1
) al on true
order by newest.pair[2] desc

-- name: curve
-- The points with the worst alerts of the time range, then those with the highest newest values.
with newest as (
{@newest}
), chosen as (
    select point from (
        select al.point, al.peak_severity * 1e9 as rank from {ns}.board_alert al
        where al.domain = {domain} and al.area in ($county) and al.onset <= $__timeTo()
            and (al.ended is null or al.ended >= $__timeFrom())
        union all
        select newest.point, newest.pair[2] from newest
    ) ranked
    where exists (select from {ns}.board_sensor s
        where s.point = ranked.point and {property} = any(s.properties))
    group by point order by max(rank) desc nulls last, point limit 8
)
select $__timeGroup(w.start, $__interval) as time, p.name as metric, max(w.high) as value
from chosen
join {ns}.board_point p on p.id = chosen.point
join {ns}.board_sensor s on s.point = chosen.point
join {ns}.board_window w on w.sensor = s.sensor
where w.property = {property} and w.size_s = (case
        when $__interval_ms >= {coarse_s} * 1000 then {coarse_s}
        when $__interval_ms >= {middle_s} * 1000 then {middle_s} else {size_s} end)
    and w.n > 0 and $__timeFilter(w.start)
group by 1, 2 order by 1

-- name: fact_curve
-- The figure of every chosen area of one level, as it is known now.
select extract(epoch from f.start) as time, f.area_name as metric, f.value::float8 as value
from {ns}.board_fact f
where f.indicator = {indicator} and f.period = {period} and f.known_to is null
    and f.level = {level} and f.area in ($county, $city, $province) and f.value is not null
    and $__timeFilter(f.start)
order by 1, 2

-- name: fact_now
-- The newest value of every chosen area.
select distinct on (f.area) f.area_name as area, f.level, f.value::float8 as value,
    f.lower::float8 as lower, f.upper::float8 as upper,
    100.0 * f.have / nullif(f.want, 0) as complete, nullif(f.known_from, 'epoch') as known_from, f.area as code
from {ns}.board_fact f
where f.indicator = {indicator} and f.period = {period} and f.known_to is null
    and f.area in ($county, $city, $province) and f.start <= $__timeTo()
order by f.area, f.start desc

-- name: alerts
-- Alerts that were open within the time range, the worst first.
select al.severity, al.peak_severity, al.state, coalesce(al.area_name, al.area) as area,
    coalesce(al.point_name, al.area_name, al.area) as place, al.rule,
    round(al.value::numeric, 2)::float8 || ' ' || al.unit as value, al.onset, al.ended,
    al.stale, al.unverified, al.id
from {ns}.board_alert al
where al.domain = {domain} and al.onset <= $__timeTo()
    and (al.ended is null or al.ended >= $__timeFrom())
    and al.area in ($county, $city, $province)
order by al.state = 'resolved', al.peak_severity desc, al.onset desc limit 200

-- name: ledger
-- Where the readings of each source went: together what was received (revised ones are on time).
select source, sum(on_time) as on_time, sum(late) as late, sum(duplicate) as duplicate,
    sum(quarantined) as quarantined, sum(rejected) as rejected
from {ns}.board_ledger where domain = {domain} and area in ($county, $city, $province)
group by source order by sum(received) desc limit 20

-- name: health
-- Sensors with the lowest score of the newest day that is judged.
select h.sensor, coalesce(h.point_name, '') as place, coalesce(h.area_name, h.area) as area,
    h.property, h.score, 100.0 * h.received / nullif(h.expected, 0) as complete, h.late, h.gap_s
from {ns}.board_health h
where h.domain = {domain} and h.area in ($county)
    and h.day_start = (select max(day_start) from {ns}.board_health
        where domain = {domain} and day_start <= $__timeTo())
order by h.score, h.sensor limit 50

-- name: tickets
-- Maintenance matters that are open.
select t.kind, t.subject, coalesce(t.area_name, t.area) as area, t.property, t.opened,
    greatest(extract(epoch from $__timeTo()::timestamptz - t.opened), 0)::float8 as age
from {ns}.board_ticket t
where t.closed is null and t.domain = {domain} and t.area in ($county, $city, $province)
order by t.opened limit 100
