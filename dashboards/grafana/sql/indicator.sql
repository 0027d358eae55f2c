-- name: now
-- The newest value of the province and every chosen city, with what it stands on.
select distinct on (f.area) f.area_name as area, f.value::float8 as value,
    f.lower::float8 as lower, f.upper::float8 as upper, f.have, f.want,
    {base} as base, {path} as path, {target} as target, f.revision, nullif(f.start, 'epoch') as start, f.known_from,
    f.area as code
from {ns}.board_fact f
where f.indicator = {indicator} and f.period = {period} and f.known_to is null
    and f.level in ('province', 'city') and f.area in ($city, $province)
    and f.start <= $__timeTo()
order by f.area, f.start desc

-- name: known_curve
-- When which value became known: of the year so far, or of a figure without a period.
select extract(epoch from f.known_from) as time, f.area_name as metric, f.value::float8 as value
from {ns}.board_fact f
where f.indicator = {indicator} and f.period = {period} and f.level in ('province', 'city')
    and f.area in ($city, $province) and f.value is not null and $__timeFilter(f.known_from)
order by 1, 2

-- name: revisions
-- Every value that was ever stated within the time range, with its cause.
select f.known_from as time, f.area_name as area, nullif(f.start, 'epoch') as start, f.revision, f.value::float8 as value,
    f.cause, f.method, f.area as code
from {ns}.board_fact f
where f.indicator = {indicator} and f.level in ('province', 'city')
    and f.area in ($city, $province) and $__timeFilter(f.known_from)
order by f.known_from desc limit 200

-- name: signed_off
-- Row 13: what is signed off beside what the stream found.
select distinct on (f.area) f.area_name as area, f.numerator::float8 as signed_off,
    f.denominator::float8 as inventory,
    jsonb_array_length(coalesce(f.detail -> 'relapse_proposed', '[]')) as relapses,
    array_to_string(array(select jsonb_array_elements_text(f.detail -> 'relapse_proposed')), ', ')
        as points, f.area as code
from {ns}.board_fact f
where f.indicator = {indicator} and f.period = {period} and f.known_to is null
    and f.area in ($county, $city, $province) and f.start <= $__timeTo()
order by f.area, f.start desc

-- name: rules
-- Row 15: the ratio, good and valid days under both standards; the province's days are its cities'.
select distinct on (f.area) f.area_name as area, f.start, f.value::float8 as value,
    (f.detail ->> 'ratio_2012rule')::float8 as rule_2012,
    (f.detail ->> 'ratio_2026rule')::float8 as rule_2026,
    (f.detail ->> 'good')::float8 as good, (f.detail ->> 'valid')::float8 as valid,
    days.under_2012, days.under_2026, (f.detail ->> 'wanted')::float8 as wanted, f.area as code
from {ns}.board_fact f
left join lateral (
    select sum((c.detail #>> '{tallies,2012,0}')::int) || ' / '
            || sum((c.detail #>> '{tallies,2012,1}')::int) as under_2012,
        sum((c.detail #>> '{tallies,2026,0}')::int) || ' / '
            || sum((c.detail #>> '{tallies,2026,1}')::int) as under_2026
    from {ns}.board_fact c
    where c.indicator = f.indicator and c.period = f.period and c.start = f.start
        and c.known_to is null and c.level = 'city'
        and (c.area = f.area or (f.level = 'province' and left(c.area, 2) = left(f.area, 2)))
) days on true
where f.indicator = {indicator} and f.period = {period} and f.known_to is null
    and f.level in ('province', 'city') and f.area in ($city, $province)
    and f.start <= $__timeTo()
order by f.area, f.start desc
