-- name: event_bounds
-- The numbers that a reader can follow: `first` kept, `next` to be given; and whose they are.
select n.log_id as log, c.next, coalesce((select min(sequence) from outbox), c.next) as first
from namespace n
cross join lateral (
    select coalesce((
        select next_offset from log_partition where topic = 'outbox' and partition = 0
    ), 0) as next
) c

-- name: events
-- Numbered messages of alerts in [after, before), by number. `peak`: the worst severity that the
-- alert has had so far; who asked for a severity is also told how it ends.
select o.sequence, o.key, o.area, o.status, o.notify, o.content, p.peak
from outbox o
cross join lateral (
    select coalesce(max(t.severity), 0)::int as peak from alert_transition t
    where t.alert = o.key and t.sequence <= (o.content ->> 'sequence')::int
) p
where o.sequence >= %(after)s and o.sequence < %(before)s and o.topic = 'city.alert.v1'
    and (%(areas)s::text[] is null or o.area = any(%(areas)s))
    and (%(domain)s::text is null or o.content ->> 'domain' = %(domain)s)
    and (%(change)s::text is null or o.content ->> 'change' = %(change)s)
    and p.peak >= %(severity)s
order by o.sequence
limit %(limit)s

-- name: completeness
-- How much of each area speaks, whether its colour can be believed, and up to when it was looked at:
-- each county has the clock of its own partition, a city or province that of the county that is
-- furthest behind.
with clock as (
    select told.area, max(newest.proc_ms) as ms
    from (select kind, proc_ms, payload from region_log order by id desc limit 1000) newest
    cross join lateral jsonb_array_elements_text(newest.payload -> 'areas') told (area)
    where newest.kind = 'clock'
    group by told.area
), looked as (
    select r.area, greatest(r.decided_at, at_ms(c.ms)) as at
    from area_risk r left join clock c on c.area = r.area
    where exists (select from point p where p.area = r.area)
)
select r.area, (r.unknown or c.points > 0 and c.reporting = 0) is true as unknown,
    c.points, c.reporting,
    coalesce((
        select min(l.at) from looked l where l.area ^@ regexp_replace(r.area, '(00)+$', '')
    ), r.decided_at) as as_of
from area_risk r
cross join lateral jsonb_to_record(coalesce(r.detail -> 'completeness', '{}'))
    as c (points int, reporting int)
where %(areas)s::text[] is null or r.area = any(%(areas)s)
order by r.area
