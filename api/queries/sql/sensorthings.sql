-- name: st_things
select p.id, p.name, p.type, p.area, a.name as area_name, p.lon, p.lat, p.attributes
from point p left join area a on a.code = p.area

-- name: st_locations
-- Of points that have a place; `since` is when the newest registry version was made.
select p.id, p.name, p.type, p.area, p.lon, p.lat,
    coalesce((select max(created_at) from config_version where kind = 'registry'),
        timestamptz 'epoch') as since
from point p
where p.lon is not null and p.lat is not null

-- name: st_features
select p.id, p.name, p.type, p.area, p.lon, p.lat from point p

-- name: st_sensors
select s.id, s.name, ps.point, ps.gateway, ps.properties, ps.report_s
from point_sensor ps join sensor s on s.id = ps.sensor

-- name: st_observed_properties
select id, name, domain, unit, scale from property

-- name: st_datastreams
-- A sensor's property; its number is made of both, which never change.
select (s.id::bigint << 15) | pr.id as id, s.id as sensor, pr.id as property,
    pr.name || ' ' || s.name as name, ps.point, pr.name as property_name, pr.unit, pr.domain,
    s.name as sensor_name, p.name as point_name
from point_sensor ps
cross join lateral unnest(ps.properties) as own (name)
join property pr on pr.name = own.name
join sensor s on s.id = ps.sensor
join point p on p.id = ps.point

-- name: st_observations
select o.t, o.value, o.flag, o.position, o.sensor, o.property,
    (o.sensor::bigint << 15) | o.property as datastream, ps.point, pr.scale,
    pr.name as property_name
from observation o
join point_sensor ps on ps.sensor = o.sensor
join property pr on pr.id = o.property and pr.name = any(ps.properties)

-- name: series_reach
-- How far back readings of these series go, and how many come in a second. The first closed window
-- of a series tells it; one that has none yet has readings only in windows that the watermark has
-- not passed; late rows wait for their windows in late_mark. A property without windows may go back
-- to the year 2000, before which no reading is taken. No row of a series that was never heard.
with marks as materialized (
    select l.area, l.domain, l.as_of,
        greatest(coalesce((l.payload ->> 'watermark')::bigint, 0), 0) as watermark_ms
    from area_latest l
    where %(sensors)s::int[] is null or l.area in (
        select p.area from point_sensor ps join point p on p.id = ps.point
        where ps.sensor = any(%(sensors)s)
    )
),
series as (
    select ps.sensor, pr.id as property, ps.report_s, pr.name, m.as_of, m.watermark_ms,
        p.area
    from point_sensor ps
    cross join lateral unnest(ps.properties) as own (name)
    join property pr on pr.name = own.name
    join point p on p.id = ps.point
    join marks m on m.area = p.area and m.domain = pr.domain
    where %(sensors)s::int[] is null
        or ps.sensor = any(%(sensors)s) and (ps.sensor, pr.id) in (select * from unnest(%(sensors)s::int[], %(properties)s::smallint[]))
)
select
    least(
        min(case when s.name = any(%(windowed)s::text[]) then coalesce(first.start,
                to_timestamp(s.watermark_ms / 1000.0) - %(longest_s)s * interval '1 second')
            else timestamptz '1999-12-31' end),
        (select min(day_start) from late_mark)
    ) as floor,
    max(s.as_of) as newest,
    sum(1.0 / greatest(case when s.report_s > 0 then s.report_s
        else coalesce((%(usual)s::jsonb ->> s.name)::int, 60) end, 1))::float8 as per_s,
    array_agg(distinct s.area) as areas
from series s
left join lateral (
    select min(oldest.start) as start
    from unnest(%(sizes)s::int[]) as size (s)
    cross join lateral (
        select w.start from observation_window w
        where w.size_s = size.s and w.sensor = s.sensor and w.property = s.property
        order by w.start limit 1
    ) oldest
) first on true
