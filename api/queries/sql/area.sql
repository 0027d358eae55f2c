-- name: below
-- An area and everything under it.
with recursive below as (
    select code from area where code = %(area)s
    union all
    select a.code from area a join below b on a.parent = b.code
)
select code from below order by code

-- name: area_names
select code, name, name_en from area where code = any(%(areas)s)

-- name: codes
-- Of all areas.
select code from area order by code

-- name: areas
-- Areas by code with the risk colour of each; geometry only when asked for (sketch or full).
select
    a.code, a.level, a.parent, a.name, a.name_en, a.lon, a.lat,
    r.severity, r.led_by, r.unknown, r.stale_alerts, r.open_alerts,
    coalesce(below.newest, r.as_of) as as_of, below.oldest as oldest_as_of, r.decided_at,
    coalesce(r.detail, '{}') as detail,
    coalesce(p.points, 0) as points,
    case %(geometry)s::text when 'sketch' then s.sketch when 'full' then s.geometry end as geometry
from area a
left join area_risk r on r.area = a.code
left join area_shape s on s.code = a.code
left join (select area, count(*) as points from point group by area) p on p.area = a.code
left join lateral ( -- a roll-up is as fresh as the judged areas below it
    select max(c.as_of) as newest, min(c.as_of) as oldest
    from area_risk c join area x on x.code = c.area
    where a.level in ('province', 'city') and x.level not in ('province', 'city')
        and (x.parent = a.code or x.parent in (select code from area where parent = a.code))
) below on true
where (%(codes)s::text[] is null or a.code = any(%(codes)s))
    and (%(level)s::text is null or a.level = %(level)s)
    and a.code > %(after)s
order by a.code
limit %(limit)s

-- name: area_bounds
-- Boxes around the boundaries (least and greatest longitude and latitude of all vertices); an area
-- without a boundary has its centre.
select a.code, coalesce(b.west, a.lon) as west, coalesce(b.south, a.lat) as south,
    coalesce(b.east, a.lon) as east, coalesce(b.north, a.lat) as north
from area a
left join lateral (
    select min((v.vertex ->> 0)::float8) as west, min((v.vertex ->> 1)::float8) as south,
        max((v.vertex ->> 0)::float8) as east, max((v.vertex ->> 1)::float8) as north
    from area_shape s, jsonb_path_query(s.sketch, 'strict $.coordinates.**{1 to last} ? (@.type() == "array" && @[0].type() == "number")')
        as v (vertex)
    where s.code = a.code
) b on true
where coalesce(b.west, a.lon) is not null and coalesce(b.south, a.lat) is not null

-- name: area_domains
select domain, as_of, decided_at, (payload ->> 'watermark')::bigint as watermark_ms,
    jsonb_array_length(coalesce(payload -> 'silent', '[]')) as silent
from area_latest where area = %(area)s order by domain

-- name: risks
-- Only what moves: the colour of every judged area.
select area, severity, led_by, unknown, stale_alerts, open_alerts, detail
from area_risk order by area
