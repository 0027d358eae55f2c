-- name: shares
-- Where every reading went, by domain: together what was received (revised ones are on time).
select domain, sum(on_time) as on_time, sum(late) as late, sum(duplicate) as duplicate,
    sum(quarantined) as quarantined, sum(rejected) as rejected
from {ns}.board_ledger where area in ($county, $city, $province) group by domain order by domain

-- name: lost
-- received = stored + duplicate + quarantined + rejected; anything else is a bug.
select coalesce(sum(received - stored - duplicate - quarantined - rejected), 0) as value
from {ns}.board_ledger where area in ($county, $city, $province)

-- name: sources
select source, coalesce(area_name, area) as area, domain, received, on_time, late, revised,
    duplicate, quarantined, rejected,
    100.0 * late / nullif(on_time + late, 0) as late_share
from {ns}.board_ledger where area in ($county, $city, $province)
order by quarantined + rejected desc, late desc, received desc limit 200

-- name: quarantine
-- Readings set apart, by reason and source; `ahead` is how far their clocks were off at most.
select reason, source, domain, count(*) as readings, min(t) as first, max(t) as last,
    max(extract(epoch from t - ingest))::float8 as ahead
from {ns}.board_quarantine where area in ($county, $city, $province)
group by reason, source, domain order by count(*) desc limit 100

-- name: dead
-- What was refused, by reason and source; of areas that nobody knows, too.
select reason, source, domain, count(*) as letters,
    count(*) filter (where retried_at is null) as waiting, max(stored_at) as last
from {ns}.board_dead_letter
where left(area, 6) in ($county, $city, $province)
    or left(area, 6) not in (select code from {ns}.board_area)
group by reason, source, domain order by count(*) desc limit 100

-- name: revisions
-- Readings that were told anew with another value, over time.
select $__timeGroup(r.t, $__interval) as time,
    coalesce({names}::jsonb ->> r.domain, r.domain) as metric, count(*)::float8 as value
from {ns}.board_revision r where $__timeFilter(r.t) and r.area in ($county)
group by 1, 2 order by 1

-- name: late
-- What readings that came too late would have changed; the alerts stay as they were decided.
select l.decided_at as time, l.severity, coalesce(l.area_name, l.area) as area, l.domain, l.rule,
    l.subject, l.kind, l.readings, round(l.worst_value::numeric, 2)::float8 || ' ' || l.unit as value,
    l.first_time, l.alert as id
from {ns}.board_alert_late l
where l.area in ($county, $city, $province) and $__timeFilter(l.decided_at)
order by l.decided_at desc limit 100

-- name: bad
-- Share of readings that failed a check of quality, by property: from windows of an hour, sensor by
-- sensor along their key (offset 0: not past the windows of a minute beside them); over more than a
-- day from the sensors' health by day.
select $__timeGroup(o.start, $__interval) as time,
    coalesce({names}::jsonb ->> o.name, o.name) as metric,
    100.0 * sum(o.bad) / nullif(sum(o.n + o.bad), 0) as value
from (
    select w.start, pr.name, sum(w.n) as n, sum(w.bad) as bad
    from {ns}.board_sensor s
    join {ns}.board_property pr on pr.name = any(s.properties)
    cross join lateral (
        select v.start, v.n, v.bad from {ns}.board_sensor_window v
        where v.size_s = 3600 and v.sensor = s.sensor and v.property = pr.id
            and $__timeFilter(v.start) offset 0
    ) w
    where s.area in ($county)
        and $__timeTo()::timestamptz - $__timeFrom()::timestamptz <= interval '25 hours'
    group by w.start, pr.name
) o
group by 1, 2
union all
select extract(epoch from h.day_start), coalesce({names}::jsonb ->> h.property, h.property),
    100.0 * sum(h.received - h.good) / nullif(sum(h.received), 0)
from {ns}.board_health h
where $__timeFilter(h.day_start) and h.area in ($county)
    and $__timeTo()::timestamptz - $__timeFrom()::timestamptz > interval '25 hours'
group by h.day_start, h.property
order by 1, 2

-- name: tickets
select t.kind, count(*) filter (where t.closed is null) as open, count(*) as all,
    min(t.opened) filter (where t.closed is null) as oldest
from {ns}.board_ticket t where t.area in ($county, $city, $province) group by t.kind order by 2 desc

-- name: health
select h.property, count(*) as sensors, avg(h.score)::float8 as score,
    100.0 * sum(h.received) / nullif(sum(h.expected), 0) as complete, sum(h.late) as late,
    max(h.gap_s) as gap
from {ns}.board_health h
where h.area in ($county) and h.day_start = (select max(day_start) from {ns}.board_health
    where day_start <= $__timeTo())
group by h.property order by h.property
