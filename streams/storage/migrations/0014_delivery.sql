-- Who is told of alerts, what waits for each of them, and how far the deliverer has come.
-- Operational data by the wall clock: the pipeline never reads it, and a replay does not make it again.

create table subscription_version (        -- counted under the row lock: the deliverer follows it
    only_row boolean primary key default true check (only_row),
    version bigint not null
);
insert into subscription_version (version) values (0);

create table subscription (
    id text primary key,
    name text not null,
    owner text not null,
    channel text not null check (channel in ('webhook', 'mail', 'dingtalk', 'wecom', 'feishu')),
    target text not null,                  -- a chat robot's holds its token: never shown in full
    filter jsonb not null,
    mode text not null check (mode in ('every', 'latest_state')),
    language text not null check (language in ('zh', 'en')),
    heartbeat boolean not null,
    inner_network boolean not null,        -- may reach what CITYBRAIN_DELIVER_ALLOW_NETWORKS lists
    secret text,                           -- of a webhook's signature
    previous_secret text,                  -- signs beside the present one until `previous_until`
    previous_until timestamptz,
    paused boolean not null default false,
    after bigint not null,                 -- newest number of the outbox when it was made
    version bigint not null,
    created_at timestamptz not null default now(),
    changed_at timestamptz not null default now(),
    removed_at timestamptz
);
create index subscription_changed on subscription (version);

create table delivery (
    subscription text not null,
    sequence bigint not null,              -- of the outbox
    alert text not null,
    state text not null default 'waiting'
        check (state in ('waiting', 'sent', 'dead', 'superseded')),
    retried boolean not null default false, -- a person has sent it again
    attempts int not null default 0,
    queued_at timestamptz not null,
    next_at timestamptz,                   -- null: at once
    done_at timestamptz,
    status int,                            -- what the receiver answered last
    error text,
    receipt text,
    primary key (subscription, sequence)
);
create index delivery_waiting on delivery (subscription, sequence) where state = 'waiting';
create index delivery_dead on delivery (subscription, sequence) where state = 'dead';
create index delivery_done on delivery (done_at) where done_at is not null;
create index delivery_alert on delivery (alert, subscription);

create table delivery_missed (             -- dead letters before the next message that gets through
    subscription text not null,
    alert text not null,
    sequences bigint[] not null,
    primary key (subscription, alert)
);

create table delivery_position (           -- the outbox is done up to here; the epoch is the fence
    name text primary key,
    sequence bigint not null,
    epoch bigint not null default 0
);
