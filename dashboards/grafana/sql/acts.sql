-- name: running
-- Incidents that go on, quiet ones too.
select count(*) as value from {ns}.board_incident
where closed is null and area in ($county, $city, $province)

-- name: incidents
-- Incidents that go on, the worst first, each with the place of its worst alert.
select i.severity, coalesce(i.area_name, i.area) as area, i.domain, i.open, i.hidden, i.ended,
    worst.place, greatest(extract(epoch from $__timeTo()::timestamptz - i.began), 0)::float8 as age,
    i.changed, i.status, i.id
from (
    select * from {ns}.board_incident
    where closed is null and area in ($county, $city, $province)
        and ({domain} = '' or domain = {domain})
    order by severity desc, began desc, id desc limit 100
) i
left join lateral (
    select coalesce(al.point_name, al.area_name, al.area) as place
    from {ns}.board_incident_alert m join {ns}.board_alert al on al.id = m.alert
    where m.incident = i.id order by m.shown desc, m.began desc, m.alert desc limit 1
) worst on true
order by i.severity desc, i.began desc, i.id desc

-- name: in_force
-- Official warnings in force at the end of the time range; one that names no area that is known is
-- for everybody.
select w.* from {ns}.board_official_warning w
where w.counts and w.kind <> 'Cancel' and w.sent <= $__timeTo() and w.expires > $__timeTo()
    and (w.ended_at is null or w.ended_at > $__timeTo())
    and (w.codes && array[$county, $city, $province]
        or not w.codes && array(select code from {ns}.board_area))

-- name: warned
select count(*) as value from (
{@in_force}
) w

-- name: warnings
-- The worst and newest first.
select w.severity, coalesce(nullif(w.type, ''), w.event) as event, w.area_text as area,
    array_to_string(w.issuers, '、') as issuers, w.headline, w.sent, w.expires, w.status, w.id
from (
{@in_force}
) w
where ({types} = '' or w.type = any(string_to_array({types}, ',')))
order by w.severity desc, w.sent desc, w.id limit 100

-- name: closed
select count(*) as value from {ns}.board_closure
where state in ('ordered', 'confirmed') and area in ($county, $city, $province)

-- name: closures
-- Roads that are closed or should be, then those that were opened within the time range.
select c.state, coalesce(c.link_name, c.link) as road, coalesce(c.area_name, c.area) as area,
    c.since, c.advised_at, c.ordered_at, c.confirmed_at, c.reopened_at, c.hazard,
    coalesce(c.due <= $__timeTo(), false) as overdue, c.exercise, c.id::text as id
from {ns}.board_closure c
where c.area in ($county, $city, $province) and (c.state in ('advised', 'ordered', 'confirmed')
    or (c.state = 'reopened' and $__timeFilter(c.since)))
order by array_position(array['confirmed', 'ordered', 'advised', 'reopened'], c.state), c.since desc
limit 100

-- name: overdue
select count(*) as value from {ns}.board_callout
where not ended and overdue and area in ($county, $city, $province)

-- name: callouts
-- Call-outs that go on, the worst first: how many levels were called, answered, act.
select c.severity, coalesce(c.area_name, c.area) as area,
    coalesce(al.point_name, al.area_name, al.area) as place, c.started, c.called, c.answered,
    c.acting, c.unreached, c.overdue, c.exercise, c.alert as id
from (
    select * from {ns}.board_callout
    where not ended and area in ($county, $city, $province)
    order by overdue desc, severity desc, started desc, alert limit 100
) c left join {ns}.board_alert al on al.id = c.alert
order by c.overdue desc, c.severity desc, c.started desc, c.alert
