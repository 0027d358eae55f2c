-- name: behind
select coalesce(sum(behind), 0) as value from {ns}.board_position where topic = {topic}

-- name: complete
-- Age of the record up to which every partition is committed; nothing where all is done.
select max(greatest(extract(epoch from $__timeTo()::timestamptz - complete_up_to), 0))::float8
    as value
from {ns}.board_position where topic = {topic} and behind > 0 having count(*) > 0

-- name: workers
select count(*) as value from {ns}.board_worker
where beat > now() - interval '1 second' * {silent_s}

-- name: waiting
select count(*) as value from {ns}.board_delivery where state = 'waiting'

-- name: dead
select count(*) as value from {ns}.board_delivery where state = 'dead'

-- name: rates
-- Readings a second, by domain: from windows of an hour, sensor by sensor along their key (offset 0:
-- not past the windows of a minute beside them); over more than a day from the sensors' health by day.
select $__timeGroup(h.start, $__interval) as time,
    coalesce({names}::jsonb ->> h.domain, h.domain) as metric,
    sum(h.readings) * 1000.0 / $__interval_ms as value
from (
    select w.start, pr.domain, sum(w.n + w.bad) as readings
    from {ns}.board_sensor s
    join {ns}.board_property pr on pr.name = any(s.properties)
    cross join lateral (
        select v.start, v.n, v.bad from {ns}.board_sensor_window v
        where v.size_s = 3600 and v.sensor = s.sensor and v.property = pr.id
            and $__timeFilter(v.start) offset 0
    ) w
    where $__timeTo()::timestamptz - $__timeFrom()::timestamptz <= interval '25 hours'
    group by w.start, pr.domain
) h
group by 1, 2
union all
select extract(epoch from h.day_start), coalesce({names}::jsonb ->> h.domain, h.domain),
    sum(h.received) / 86400.0
from {ns}.board_health h where $__timeFilter(h.day_start)
    and $__timeTo()::timestamptz - $__timeFrom()::timestamptz > interval '25 hours'
group by h.day_start, h.domain
order by 1, 2

-- name: partitions
select partition, next_offset, log_end, behind, checkpoint_offset, since_checkpoint, complete_up_to
from {ns}.board_position where topic = {topic} order by partition

-- name: latency
-- From the event to the decision, over alerts: half of them, and 95 of 100, were faster.
select time, metric, value from (
    select $__timeGroup(t.event_time, $__interval) as time,
        percentile_cont(array[0.5, 0.95]) within group
            (order by extract(epoch from t.decided_at - t.event_time)::float8) as found
    from {ns}.board_transition t
    where $__timeFilter(t.event_time) and t.change in ('onset', 'confirmed', 'raised')
    group by 1
) step
cross join lateral unnest(array['p50', 'p95'], step.found) as q (metric, value)
order by 1, 2

-- name: numbered
-- Messages a minute that left the store for subscribers.
select $__timeGroup(o.numbered_at, $__interval) as time, o.topic as metric,
    count(*) * 60000.0 / $__interval_ms as value
from {ns}.board_outbox o where $__timeFilter(o.numbered_at) group by 1, 2 order by 1

-- name: waited
-- From the arrival of what decided an alert to its committed message's number: half of them, and
-- 95 of 100, were faster.
select time, metric, value from (
    select $__timeGroup(o.numbered_at, $__interval) as time,
        percentile_cont(array[0.5, 0.95]) within group (order by o.waited_s) as found
    from {ns}.board_outbox o
    where $__timeFilter(o.numbered_at) and o.waited_s is not null
    group by 1
) step
cross join lateral unnest(array['p50', 'p95'], step.found) as q (metric, value)
order by 1, 2

-- name: worker_list
select name, started, beat, partitions, behind, leads,
    extract(epoch from now() - beat)::float8 as silent
from {ns}.board_worker order by beat desc limit 50

-- name: deliveries
select d.name, d.channel, count(*) filter (where d.state = 'waiting') as waiting,
    count(*) filter (where d.state = 'sent') as sent,
    count(*) filter (where d.state = 'dead') as dead,
    max(d.attempts) as attempts, max(d.done_at) as last,
    percentile_cont(0.95) within group (order by extract(epoch from d.done_at - d.queued_at)::float8)
        filter (where d.state = 'sent') as took
from {ns}.board_delivery d group by d.name, d.channel order by dead desc, waiting desc limit 100

-- name: gateways
select g.gateway, coalesce(g.area_name, g.area) as area, g.state, g.seen_at, g.queue
from {ns}.board_gateway g order by g.seen_at nulls first limit 200

-- name: store
select namespace, namespace_kind, log, store, version, newest_migration from {ns}.board_store
