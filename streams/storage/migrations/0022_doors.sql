-- Doors: what subscriptions begin with, who answers for them, who delivers.

-- Who follows the present state of alerts begins with what is open; until then this is true.
alter table subscription add column opening boolean not null default false;

-- Which program answers for a subscription what became of the events that it was told.

alter table subscription add column answered_by text not null default ''; -- `key:<id>`, or nobody
update subscription s set answered_by = a.who
from audit a
where a.what = 'subscription.create' and a.detail ->> 'id' = s.id and starts_with(a.who, 'key:');

alter table delivery_position add column holder text;            -- who delivers: host and process
alter table delivery_position add column held_since timestamptz;

-- Up to which processing time each area is judged: nothing is decided there any more before it. A
-- county has the clock of its own partition. A city or province has that of the county below it
-- that is furthest behind; the second stage may be a little behind that.
create view area_clock as
with clock as (
    select told.area, max(newest.proc_ms) as ms
    from (select kind, proc_ms, payload from region_log order by id desc limit 1000) newest
    cross join lateral jsonb_array_elements_text(newest.payload -> 'areas') told (area)
    where newest.kind = 'clock'
    group by told.area
), own as (
    select a.code as area, a.level, greatest(r.decided_at, l.decided_at, at_ms(c.ms)) as at
    from area a
    left join area_risk r on r.area = a.code
    left join (
        select area, max(decided_at) as decided_at from area_latest group by area
    ) l on l.area = a.code
    left join clock c on c.area = a.code
), judged as (
    select o.area, o.at from own o
    where o.level = 'county' and exists (select from point p where p.area = o.area)
)
select o.area, case
    when o.level = 'county' then o.at
    else (
        select min(j.at) - interval '60 seconds' from judged j
        where j.area ^@ regexp_replace(o.area, '(00)+$', '')
    )
end as at
from own o;
