-- Quality: tickets of sources, one open ticket of a kind, and the health of sensors by day.

alter table ticket add column subject text not null default '';   -- sensor 0: of what, e.g. source:gw-7
alter table ticket drop constraint ticket_pkey;
-- Earlier versions could leave several of a kind open, and never closed a jump.
update ticket t set closed = t.opened
where t.closed is null and (t.kind = 'jump' or exists (
    select 1 from ticket o
    where o.sensor = t.sensor and o.property = t.property and o.kind = t.kind
      and o.closed is null and o.opened < t.opened));
alter table ticket add primary key (sensor, subject, property, kind, opened);
create unique index ticket_open on ticket (sensor, subject, property, kind) where closed is null;

create table sensor_health (
    sensor int not null, property smallint not null, day_start timestamptz not null,
    expected int not null,              -- readings, by the report interval
    received int not null, good int not null, late int not null,
    intervals int not null, covered int not null,
    gap_s int not null,                 -- longest stretch without a reading
    score smallint not null,            -- 0..100
    primary key (sensor, property, day_start)
);
create index sensor_health_day on sensor_health (day_start);
