-- name: facts
-- One revision of every fact: what is known now, or what was known at `known_at`. Newest period
-- first; keyset (start desc, indicator, area, period).
select f.*, a.name as area_name, a.name_en as area_name_en
from fact f left join area a on a.code = f.area
where (%(indicator)s::text is null or f.indicator = %(indicator)s)
    and (%(areas)s::text[] is null or f.area = any(%(areas)s))
    and (%(period)s::text is null or f.period = %(period)s)
    and (%(start)s::timestamptz is null or f.start >= %(start)s)
    and (%(end)s::timestamptz is null or f.start < %(end)s)
    and case when %(known_at)s::timestamptz is null then f.known_to is null
        else f.known_from <= %(known_at)s and (f.known_to is null or f.known_to > %(known_at)s) end
    and (%(after_start)s::timestamptz is null or f.start < %(after_start)s
        or (f.start = %(after_start)s and (f.indicator, f.area, f.period)
            > (%(after_indicator)s, %(after_area)s, %(after_period)s)))
order by f.start desc, f.indicator, f.area, f.period
limit %(limit)s

-- name: fact_revisions
select f.*, a.name as area_name, a.name_en as area_name_en
from fact f left join area a on a.code = f.area
where f.indicator = %(indicator)s and f.area = %(area)s and f.period = %(period)s
    and f.start = %(start)s
order by f.revision

-- name: newest_facts
-- The newest period of every (indicator, area, period): one index probe each.
select f.*, a.name as area_name, a.name_en as area_name_en
from unnest(%(indicators)s::text[], %(periods)s::text[]) as wanted (indicator, period)
cross join area a
cross join lateral (
    select * from fact
    where fact.indicator = wanted.indicator and fact.area = a.code
        and fact.period = wanted.period and fact.known_to is null
    order by fact.start desc limit 1
) f
where (%(areas)s::text[] is null or a.code = any(%(areas)s))
    and (%(levels)s::text[] is null or a.level = any(%(levels)s))
order by f.indicator, f.period, f.area
