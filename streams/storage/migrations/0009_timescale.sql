-- What the server offers, what is kept of what grows with time, and days and hours of sensors.
-- Hypertables, policies and the view `sensor_rollup` are fitted to the server behind the migrations
-- (streams/storage/fit.py), at every `citybrain migrate`: a server can get TimescaleDB later.

create table store (
    only_row boolean primary key default true check (only_row),
    kind text not null check (kind in ('plain', 'apache', 'community')),
    version text not null,                 -- of the extension; empty without one
    fitted timestamptz not null default now()
);

create table kept (                        -- nothing is promised of what began before `since`
    what text primary key check (what in ('observation', 'observation_window', 'sensor_health')),
    since timestamptz not null
);

create table observation_rollup (          -- of windows that no revision reaches any more
    period_s int not null check (period_s in (3600, 86400)),
    sensor int not null, property smallint not null,
    start timestamptz not null,            -- days of Asia/Shanghai
    n bigint not null, bad bigint not null, total bigint not null, low bigint, high bigint,
    primary key (period_s, sensor, property, start)
);

create table rolled (period_s int primary key, until timestamptz not null);

create index observation_revision_t on observation_revision using brin (t);
