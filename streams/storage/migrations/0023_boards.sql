-- What dashboards read (docs/dashboards.md): views in the field's words, values in their unit. The
-- role citybrain_reader is given these and nothing else, at every `citybrain migrate`
-- (streams/storage/reader.py): no account, key, session, secret, original document or checkpoint.

create view board_area as
select a.code, a.level, a.name, a.name_en, a.lon, a.lat,
    case a.level when 'city' then a.code when 'county' then a.parent end as city,
    case a.level when 'province' then a.code when 'city' then a.parent else up.parent end as province
from area a left join area up on up.code = a.parent;

create view board_risk as
select r.area, a.name as area_name, a.level, a.city, a.lon, a.lat, r.severity, r.led_by, r.unknown,
    r.stale_alerts, r.open_alerts, r.as_of, r.decided_at
from area_risk r join board_area a on a.code = r.area;

create view board_point as
select p.id, p.type, p.area, a.name as area_name, a.city, p.name, p.lon, p.lat
from point p left join board_area a on a.code = p.area;

create view board_sensor as
select s.id as sensor, s.name, ps.point, p.name as point_name, p.area, p.area_name, p.city,
    ps.gateway, ps.report_s, ps.properties
from sensor s join point_sensor ps on ps.sensor = s.id left join board_point p on p.id = ps.point;

-- Windows of sensors; a window with no accepted reading has no value.
create view board_window as
select w.size_s, w.start, w.sensor, ps.point, p.area, pr.name as property, pr.domain, pr.unit,
    w.n, w.bad, w.total / nullif(w.n, 0) / (10::float8 ^ pr.scale) as mean,
    w.low / (10::float8 ^ pr.scale) as low, w.high / (10::float8 ^ pr.scale) as high
from observation_window w
join property pr on pr.id = w.property
join point_sensor ps on ps.sensor = w.sensor
join point p on p.id = ps.point;

create view board_alert as
select al.id, al.rule, al.domain, al.area, a.name as area_name, a.level, a.city, al.point,
    p.name as point_name, coalesce(p.lon, a.lon) as lon, coalesce(p.lat, a.lat) as lat, al.onset,
    al.ended, al.state, al.severity, al.peak_severity, al.stale, al.unverified, al.change,
    al.value, al.threshold, al.unit, al.origin, al.updated
from alert al
left join board_area a on a.code = al.area
left join point p on p.id = al.point;

-- How people answered an alert: that somebody did, not who.
create view board_response as
select act.id as alert, act.area, act.acknowledged_at, act.silenced_until, act.closed_as,
    act.closure_state
from alert_with_actions act;

create view board_transition as
select t.event_time, t.decided_at, t.alert, t.sequence, t.state, t.severity, t.change, t.stale,
    t.unverified, t.value, t.threshold, t.unit, al.rule, al.domain, al.area, a.name as area_name,
    a.city, al.point, coalesce(p.name, a.name, al.area) as place
from alert_transition t
join alert al on al.id = t.alert
left join board_area a on a.code = al.area
left join point p on p.id = al.point;

create view board_episode as
select e.id, e.kind, e.area, e.point, p.name as point_name, e.start, e."end", e.payload
from episode e left join point p on p.id = e.point;

create view board_result as
select r.kind, r.point, p.name as point_name, coalesce(p.area, a.code) as area, r.start, r.period_s,
    r.payload
from point_result r left join point p on p.id = r.point left join area a on a.code = r.point;

-- How far every domain of an area has come, and how many of its sensors are silent.
create view board_freshness as
select l.area, a.name as area_name, a.level, a.city, l.domain, l.as_of, l.decided_at,
    at_ms((l.payload ->> 'watermark')::bigint) as watermark,
    jsonb_array_length(coalesce(l.payload -> 'silent', '[]')) as silent
from area_latest l join board_area a on a.code = l.area;

create view board_fact as
select f.indicator, f.area, a.name as area_name, a.level, a.city, f.period, f.start, f."end",
    f.revision, f.value::numeric as value, f.lower::numeric as lower, f.upper::numeric as upper,
    f.numerator, f.denominator, f.have, f.want, f.unit, f.method, f.detail, f.cause, f.known_from,
    f.known_to
from fact f left join board_area a on a.code = f.area;

create view board_ledger as
select l.*, a.name as area_name, a.city
from ledger l left join board_area a on a.code = l.area;

create view board_quarantine as
select q.reason, q.area, a.name as area_name, a.city, q.domain, q.source, q.sensor, q.property, q.t,
    q.ingest
from quarantine q left join board_area a on a.code = q.area;

create view board_dead_letter as
select d.id, d.reason, d.area, d.domain, d.source, d.partition, d.position, d.stored_at,
    d.retried_at
from dead_letter d;

create view board_revision as
select r.t, s.name as sensor, p.area, pr.name as property, pr.domain, pr.unit,
    r.old_value / (10::float8 ^ pr.scale) as old_value, r.value / (10::float8 ^ pr.scale) as value,
    r.old_flag
from observation_revision r
join property pr on pr.id = r.property
join sensor s on s.id = r.sensor
left join point_sensor ps on ps.sensor = r.sensor
left join point p on p.id = ps.point;

create view board_ticket as
select t.area, a.name as area_name, a.city, t.sensor, coalesce(s.name, t.subject) as subject,
    t.property, pr.domain, t.kind, t.opened, t.closed
from ticket t
left join sensor s on s.id = t.sensor
left join property pr on pr.name = t.property
left join board_area a on a.code = t.area;

create view board_health as
select h.day_start, s.name as sensor, p.name as point_name, p.area, p.area_name, p.city,
    pr.name as property, pr.domain, h.expected, h.received, h.good, h.late, h.intervals, h.covered,
    h.gap_s, h.score
from sensor_health h
join property pr on pr.id = h.property
join sensor s on s.id = h.sensor
left join point_sensor ps on ps.sensor = h.sensor
left join board_point p on p.id = ps.point;

create view board_gateway as
select g.id as gateway, g.area, a.name as area_name, a.city, g.name, seen.seen_at, seen.state,
    seen.queue
from gateway g
left join gateway_seen seen on seen.gateway = g.id
left join board_area a on a.code = g.area;

-- Up to where outputs are committed (D), the last checkpoint (C), and the end of the log as known to
-- the database: the log's own table, or what the worker said with its last sign of life.
create view board_position as
select p.topic, p.partition, p.next_offset, p.checkpoint_offset, l.next_offset as log_end,
    greatest(l.next_offset - p.next_offset, 0) as behind,
    p.next_offset - p.checkpoint_offset as since_checkpoint,
    case when p.last_append_ms is not null then at_ms(p.last_append_ms) end as complete_up_to
from position p
left join log_partition l on l.topic = p.topic and l.partition = p.partition;

create view board_worker as
select w.name, w.started, w.beat, (w.detail ->> 'behind')::bigint as behind,
    jsonb_array_length(coalesce(w.detail -> 'partitions', '[]')) as partitions,
    (w.detail ->> 'leading')::boolean as leads
from worker w;

create view board_outbox as
select o.sequence, o.numbered_at, o.topic, o.area, o.status, o.notify from outbox o;

-- Neither where it goes nor what a receiver answered: both may hold a secret.
create view board_delivery as
select d.subscription, s.name, s.channel, d.sequence, d.alert, d.state, d.attempts, d.queued_at,
    d.next_at, d.done_at, d.status
from delivery d left join subscription s on s.id = d.subscription;

create view board_store as
select n.name as namespace, n.kind as namespace_kind, n.log, s.kind as store, s.version, s.fitted,
    (select max(name) from migration) as newest_migration
from namespace n left join store s on true;
