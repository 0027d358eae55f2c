-- Official warnings as agencies sent them. A message never changes; what became of it follows from
-- the messages that name it, in whatever order they came (view official_warning_state).

create table official_warning (
    id text primary key,                   -- fingerprint of sender and identifier
    sender text not null,
    identifier text not null,
    sent timestamptz not null,
    kind text not null check (kind in ('Alert', 'Update', 'Cancel')),
    status text not null,                  -- CAP: Actual, Exercise, System, Test, Draft
    form text not null,                    -- cap, cma_row
    issuers text[] not null,
    event text not null,                   -- the agency's word
    type text not null,                    -- a known type; empty when it is none
    severity smallint not null,
    areas text[] not null,                 -- GB/T 2260
    area_text text not null,
    language text not null,
    headline text not null,
    description text not null,
    instruction text not null,
    effective timestamptz,
    onset timestamptz,
    expires timestamptz not null,
    expires_stated boolean not null,       -- else the house's rule
    series text not null,                  -- where the form has no references; empty otherwise
    refers text[] not null,                -- ids that it updates or cancels
    geometry jsonb,                        -- GeoJSON
    origin text not null,
    source text not null,                  -- the gateway or the command that brought it
    heard timestamptz not null,            -- ingest time
    media_type text not null,
    original bytea not null
);
create index official_warning_sent on official_warning (sent, id);
create index official_warning_expires on official_warning (expires);
create index official_warning_refers on official_warning using gin (refers);
create index official_warning_series on official_warning (series, sent) where series <> '';

-- `ended_by` is the message that took its place or ended it: one of the same status, brought by the
-- same source or by a person (as streams/area/warnings.py does).
-- Whether it has expired is a matter of the reader's clock.
create view official_warning_state as
select w.*, e.id as ended_by, e.kind as ended_kind, e.sent as ended_at
from official_warning w
left join lateral (
    select o.id, o.kind, o.sent from official_warning o
    where o.status = w.status and o.id <> w.id
        and o.source in (w.source, '/citybrain/warnings') and (
        o.refers @> array[w.id]
        or (w.series <> '' and o.series = w.series and (o.sent, o.id) > (w.sent, w.id)))
    order by o.sent, o.id limit 1
) e on true;

create index if not exists alert_transition_decided on alert_transition (decided_at, alert, sequence);
