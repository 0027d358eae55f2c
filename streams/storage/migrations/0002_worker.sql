-- What the host needs beside the spine: its heartbeat, and a quick way to the unnumbered messages.

create table worker (                      -- one row per running host; `citybrain status` reads it
    name text primary key,
    pid int not null,
    started timestamptz not null,
    beat timestamptz not null,
    detail jsonb not null
);

create index outbox_unnumbered on outbox (id) where sequence is null;

-- Exact epoch milliseconds both ways (stable, so that they are inlined).
create function at_ms(ms bigint) returns timestamptz language sql stable parallel safe
return timestamptz 'epoch' + ms * interval '1 millisecond';

create function ms_of(t timestamptz) returns bigint language sql stable parallel safe
return (extract(epoch from t) * 1000)::bigint;
