-- name: namespace_table
-- Null when the schema of the search path is no namespace.
select to_regclass('namespace')::oid

-- name: namespace_names
select n.nspname
from pg_namespace n join pg_class c on c.relnamespace = n.oid and c.relname = 'namespace'
where n.nspname ~ '^[a-z][a-z0-9_]{0,40}$' and has_schema_privilege(n.oid, 'usage')
order by n.nspname

-- name: covers_all
-- Whether codes that begin so are all there are; false while there are none.
select coalesce(bool_and(code ^@ any(%(reach)s::text[])), false) from area

-- name: clock
-- The namespace's processing clock and how fresh and complete all of it is. The clock is the
-- newest processing time that any output carries; the log's end minus the position is the lag.
select
    n.name, n.kind,
    greatest(
        (select max(decided_at) from area_latest),
        (select max(decided_at) from area_risk),
        (select to_timestamp(max(proc_ms) / 1000.0)
         from (select proc_ms from region_log order by id desc limit 200) newest)
    ) as as_of,
    (select max(as_of) from area_latest) as newest_event,
    (select count(distinct p.area) from point p) as areas,
    (select count(distinct l.area) from area_latest l) as reporting,
    (select count(*) from area_risk r
     where r.unknown and exists (select from point p where p.area = r.area)) as unknown,
    (select coalesce(sum(greatest(l.next_offset - coalesce(p.next_offset, l.first_offset), 0)), 0)
     from log_partition l left join position p using (topic, partition))::bigint as lag
from namespace n

-- name: intake
-- When the log took the newest record that is processed, by the wall, of whatever namespace.
select max(last_append_ms) as append_ms from position

-- name: partitions
-- Position against the log's end; `headers`/`append_ms` of the newest processed record, and since
-- when the next one waits. A log outside the database has no records here: the append time of the
-- last processed one is kept with the position, and the next one came later than that.
select
    l.topic, l.partition, l.first_offset,
    greatest(l.next_offset, coalesce(p.next_offset, 0)) as log_end,
    coalesce(p.next_offset, l.first_offset) as position,
    coalesce(p.checkpoint_offset, l.first_offset) as checkpoint,
    coalesce(p.owner_epoch, 0) as epoch,
    done.headers, coalesce(done.append_ms, p.last_append_ms) as append_ms,
    coalesce(waiting.append_ms, case when n.log = 'kafka' then p.last_append_ms end) as waiting_ms
from namespace n cross join log_partition l
left join position p using (topic, partition)
left join log_record done on done.topic = l.topic and done.partition = l.partition
    and done."offset" = p.next_offset - 1
left join log_record waiting on waiting.topic = l.topic and waiting.partition = l.partition
    and waiting."offset" = coalesce(p.next_offset, l.first_offset)
order by l.topic, l.partition

-- name: workers
select name, pid, started, beat from worker order by name

-- name: properties
select id, name, domain, unit, scale from property order by id
