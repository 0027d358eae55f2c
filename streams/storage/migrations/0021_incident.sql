-- What people see of alerts: incidents, alerts of one domain in one county that overlap or follow
-- each other closely. Made from the numbered outbox by a follower; programs get every transition
-- as before. Times are event times.

create table incident (
    id text primary key,                   -- fingerprint of the alert that opened it
    status text not null check (status in ('Actual', 'Exercise', 'Test')),
    domain text not null,
    area text not null,                    -- county, city or province
    began timestamptz not null,
    changed timestamptz not null,          -- of the newest change of a member that counts
    severity smallint not null,            -- worst of what people see of it now; 0 = nothing
    peak_severity smallint not null,
    by_severity int[] not null,            -- what people see of it now, counted: green, blue … red
    open int not null,                     -- members that fire and are not hidden
    hidden int not null,                   -- members that fire and an earlier stage hides
    ended int not null,                    -- members that are over
    quiet_since timestamptz,               -- when the last one ended; null while one fires
    closed timestamptz,                    -- when the quiet had lasted; null = it may go on
    steps int not null,                    -- how many steps it has made
    opened bigint not null,                -- number of the message that opened it
    upto bigint not null                   -- of the newest that changed it
);
-- One of a kind and place may go on; the newest one takes what comes.
create unique index incident_running on incident (status, domain, area) where closed is null;
create index incident_newest on incident (status, domain, area, opened desc);
create index incident_open on incident (severity desc, began desc, id desc) where closed is null;
create index incident_quiet on incident (quiet_since) where closed is null;

create table incident_alert (
    alert text primary key,                -- of one incident, for ever
    incident text not null references incident,
    area text not null,                    -- the alert's own
    began timestamptz not null,            -- of its firing
    ended timestamptz,
    severity smallint not null,
    hidden_by text,
    held_severity smallint,                -- it flaps: people see this colour
    held_until timestamptz,                -- until then
    shown smallint not null,               -- what people see of it; -1 = nothing
    sequence int not null                  -- its newest transition that was counted
);
create index incident_alert_worst on incident_alert (incident, shown desc, began desc, alert desc);
create index incident_alert_held on incident_alert (held_until) where held_until is not null;

create table incident_step (
    incident text not null references incident,
    number int not null,
    area text not null,
    step text not null check (step in ('opened', 'raised', 'lowered', 'closed', 'reopened')),
    at timestamptz not null,
    severity smallint not null,
    alert text,                            -- what did it; null = time
    primary key (incident, number)
);

create table incident_position (           -- the outbox is grouped up to here; locked while it is
    only_row boolean primary key default true check (only_row),
    sequence bigint not null,
    adopted boolean not null               -- alerts of before the outbox's beginning are taken in
);
insert into incident_position (sequence, adopted)
select coalesce(min(sequence), 0) - 1, false from outbox;

create or replace view outbox_needed as
select 'handing over: ' || name as who, sequence + 1 as sequence from delivery_position
union all
select 'waiting to be sent', sequence from delivery where state = 'waiting'
union all
select 'what follows from alerts', sequence + 1 from acting_position
union all
select 'grouping into incidents', sequence + 1 from incident_position;
