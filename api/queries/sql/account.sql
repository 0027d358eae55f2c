-- name: ledger
-- What became of every received reading; keyset (area, domain, source).
select area, domain, source, received, rejected, quarantined, duplicate, stored, on_time, late,
    revised
from ledger
where (%(areas)s::text[] is null or area = any(%(areas)s))
    and (%(domain)s::text is null or domain = %(domain)s)
    and (%(source)s::text is null or source = %(source)s)
    and (%(after_area)s::text is null
        or (area, domain, source) > (%(after_area)s, %(after_domain)s, %(after_source)s))
order by area, domain, source
limit %(limit)s

-- name: ledger_totals
select coalesce(sum(received), 0)::bigint as received, coalesce(sum(rejected), 0)::bigint as rejected,
    coalesce(sum(quarantined), 0)::bigint as quarantined,
    coalesce(sum(duplicate), 0)::bigint as duplicate, coalesce(sum(stored), 0)::bigint as stored,
    coalesce(sum(on_time), 0)::bigint as on_time, coalesce(sum(late), 0)::bigint as late,
    coalesce(sum(revised), 0)::bigint as revised
from ledger
where (%(areas)s::text[] is null or area = any(%(areas)s))
    and (%(domain)s::text is null or domain = %(domain)s)
    and (%(source)s::text is null or source = %(source)s)

-- name: tickets
-- Maintenance matters, newest first; keyset (opened, sensor name, subject, property, kind) descending.
-- A ticket of a source has no sensor, only a subject. Its id: streams.contracts.ticket.
select concat_ws('/', coalesce(s.name, t.subject), t.property, t.kind,
        (extract(epoch from t.opened) * 1000)::bigint) as id,
    t.area, a.name as area_name, coalesce(s.name, '') as sensor, t.subject, ps.point, t.property,
    t.kind, t.opened, t.closed, t.evidence
from ticket t
left join sensor s on s.id = t.sensor
left join point_sensor ps on ps.sensor = t.sensor
left join area a on a.code = t.area
where (%(areas)s::text[] is null or t.area = any(%(areas)s))
    and (%(kind)s::text is null or t.kind = %(kind)s)
    and (%(open)s::boolean is null or (t.closed is null) = %(open)s)
    and (%(after_opened)s::timestamptz is null
        or (t.opened, coalesce(s.name, ''), t.subject, t.property, t.kind)
        < (%(after_opened)s, %(after_sensor)s, %(after_subject)s, %(after_property)s,
           %(after_kind)s))
order by t.opened desc, coalesce(s.name, '') desc, t.subject desc, t.property desc, t.kind desc
limit %(limit)s

-- name: sensor_health
-- Days of sensors, newest day and lowest score first; keyset (day, score, sensor, property).
select h.day_start, s.name as sensor, p.id as point, p.area, pr.name as property, h.expected,
    h.received, h.good, h.late, h.intervals, h.covered, h.gap_s, h.score
from sensor_health h
join sensor s on s.id = h.sensor
join property pr on pr.id = h.property
join point_sensor ps on ps.sensor = h.sensor
join point p on p.id = ps.point
where (%(areas)s::text[] is null or p.area = any(%(areas)s))
    and (%(point)s::text is null or p.id = %(point)s)
    and (%(sensor)s::text is null or s.name = %(sensor)s)
    and (%(below)s::int is null or h.score < %(below)s)
    and (%(start)s::timestamptz is null or h.day_start >= %(start)s)
    and (%(end)s::timestamptz is null or h.day_start < %(end)s)
    and (%(after_day)s::timestamptz is null or h.day_start < %(after_day)s
        or (h.day_start = %(after_day)s and (h.score, s.name, pr.name)
            > (%(after_score)s, %(after_sensor)s, %(after_property)s)))
order by h.day_start desc, h.score, s.name, pr.name
limit %(limit)s

-- name: episodes
-- Continuous hazards, newest first; keyset (start, id) descending.
select e.id, e.kind, e.area, a.name as area_name, e.point, p.name as point_name, e.start,
    e."end", e.payload
from episode e left join area a on a.code = e.area left join point p on p.id = e.point
where (%(areas)s::text[] is null or e.area = any(%(areas)s))
    and (%(kind)s::text is null or e.kind = %(kind)s)
    and (%(point)s::text is null or e.point = %(point)s)
    and (%(open)s::boolean is null or (e."end" is null) = %(open)s)
    and (%(start)s::timestamptz is null or e."end" is null or e."end" >= %(start)s)
    and (%(end)s::timestamptz is null or e.start < %(end)s)
    and (%(after_start)s::timestamptz is null or (e.start, e.id) < (%(after_start)s, %(after_id)s))
order by e.start desc, e.id desc
limit %(limit)s
