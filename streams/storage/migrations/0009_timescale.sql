-- What the server offers, what is kept of what grows with time, and days and hours of sensors.
-- Hypertables, policies and the view `sensor_rollup` are fitted to the server behind the migrations
-- (streams/storage/fit.py), at every `citybrain migrate`: a server can get TimescaleDB later.

create table store (
    only_row boolean primary key default true check (only_row),
    kind text not null check (kind in ('plain', 'apache', 'community')),
    version text not null,                 -- of the extension; empty without one
    fitted timestamptz not null default now()
);

create table kept (                        -- what began before `since` is gone, or goes soon
    what text primary key,
    since timestamptz                      -- null: all is kept
);
insert into kept (what) values ('observation'), ('observation_window'), ('sensor_health');

create table observation_rollup (          -- of windows that no revision reaches any more
    period_s int not null check (period_s in (3600, 86400)),
    sensor int not null, property smallint not null,
    start timestamptz not null,            -- days of Asia/Shanghai
    n bigint not null, bad bigint not null, total bigint not null, low bigint, high bigint,
    primary key (period_s, sensor, property, start)
);

create table rolled (                      -- periods that begin before `until` are rolled up
    period_s int primary key,
    until timestamptz
);
insert into rolled (period_s) values (3600), (86400);

-- Rows leave by their time. Written in its order, they need no more than block ranges.
create index observation_revision_t on observation_revision using brin (t);
create index observation_window_start on observation_window
    using brin (start timestamptz_minmax_multi_ops) with (pages_per_range = 32, autosummarize = on);
