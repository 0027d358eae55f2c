-- Who may send to a gateway, and who was heard when. Operational data by the wall clock: the
-- pipeline never reads it, and a replay does not make it again.

create table gateway_key (
    id text primary key,                   -- the public part of the key, for lists and logs
    gateway text not null,
    areas text[] not null check (cardinality(areas) > 0), -- codes; what lies in them is covered
    digest bytea not null unique check (octet_length(digest) = 32), -- SHA-256 of the whole key
    note text not null default '',
    readings_s int check (readings_s > 0), -- quota of its own; null = the settings' default
    readings_burst int check (readings_burst > 0),
    bytes_s int check (bytes_s > 0),
    bytes_burst int check (bytes_burst > 0),
    created_at timestamptz not null,
    expires_at timestamptz,
    revoked_at timestamptz
);
create index gateway_key_gateway on gateway_key (gateway);

create table gateway_seen (
    gateway text primary key,
    seen_at timestamptz,                   -- it sent something; null = only its will was heard
    state text check (state in ('online', 'offline', 'degraded')), -- what it said last of itself
    said_at timestamptz,
    version text,
    queue bigint,                          -- readings that wait in it
    detail text
);

create table device_seen (                 -- what gateways say of their devices
    gateway text not null,
    device text not null,
    state text not null check (state in ('online', 'offline', 'degraded')),
    said_at timestamptz not null,
    seen_at timestamptz,                   -- when the gateway heard it last, by its own word
    primary key (gateway, device)
);
