-- Sensors for dashboards: the silent ones, each once, and windows along their key. Every domain of an
-- area tells all silent sensors of the area; a count by domain had counted them once for each.

create view board_silent_sensor as
select told.area, a.name as area_name, a.city, told.sensor, s.name, ps.point, of.domains
from (
    select distinct l.area, id::int as sensor
    from area_latest l
    cross join lateral jsonb_array_elements_text(coalesce(l.payload -> 'silent', '[]')) as id
) told
join sensor s on s.id = told.sensor
join point_sensor ps on ps.sensor = told.sensor
left join board_area a on a.code = told.area
cross join lateral (
    select array(select distinct pr.domain from property pr where pr.name = any(ps.properties))
        as domains
) of;

-- `silent` counts the sensors of the domain.
create or replace view board_freshness as
select l.area, a.name as area_name, a.level, a.city, l.domain, l.as_of, l.decided_at,
    at_ms((l.payload ->> 'watermark')::bigint) as watermark,
    (select count(*)::int
    from jsonb_array_elements_text(coalesce(l.payload -> 'silent', '[]')) as id
    join point_sensor ps on ps.sensor = id::int
    where exists (
        select from property pr where pr.name = any(ps.properties) and pr.domain = l.domain)
    ) as silent
from area_latest l join board_area a on a.code = l.area;

-- Windows by sensor, values as they are stored: what is read along their key.
create view board_property as
select pr.id, pr.name, pr.domain, pr.unit, pr.scale from property pr;

create view board_sensor_window as
select w.size_s, w.start, w.sensor, w.property, w.n, w.bad, w.total, w.low, w.high
from observation_window w;
