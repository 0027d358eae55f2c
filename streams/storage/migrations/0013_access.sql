-- Who may: accounts of people and what they were granted, keys of programs, sessions; and the audit
-- also says from where something was asked, and whether it was done or refused.

create table account (
    id bigint generated always as identity primary key,
    login text not null unique check (login = lower(login) and login <> ''),
    name text not null default '',
    password text,                         -- argon2id; null = no login by password
    issuer text,                           -- OpenID Connect: who vouches for the person
    subject text,                          -- and as whom
    must_change_password boolean not null default false,
    disabled_at timestamptz,
    created_at timestamptz not null,
    created_by text not null,
    unique (issuer, subject),
    check ((issuer is null) = (subject is null))
);

create table account_grant (
    account bigint not null references account,
    role text not null check (role in ('viewer', 'operator', 'commander', 'administrator')),
    area text not null,                    -- a code, with what lies in it; `all` = everything
    source text not null default 'local' check (source in ('local', 'oidc')),
    granted_at timestamptz not null,
    granted_by text not null,
    primary key (account, role, area, source)
);

create table api_key (
    id text primary key,                   -- the public part of the key, for lists and logs
    digest bytea not null unique check (octet_length(digest) = 32), -- SHA-256 of the whole key
    name text not null,
    scopes text[] not null check (cardinality(scopes) > 0),
    areas text[] not null check (cardinality(areas) > 0),
    created_at timestamptz not null,
    created_by text not null,
    expires_at timestamptz,
    revoked_at timestamptz,
    used_at timestamptz                    -- at most a minute old while the key is in use
);

create table session (
    digest bytea primary key check (octet_length(digest) = 32), -- SHA-256 of the cookie's token
    account bigint not null references account,
    method text not null check (method in ('password', 'link', 'oidc')),
    created_at timestamptz not null,
    seen_at timestamptz not null,          -- at most a minute old while the session is in use
    expires_at timestamptz not null        -- the end, however much it is used
);
create index session_account on session (account);

create table login_link (                  -- shown once by whoever may start the program
    digest bytea primary key check (octet_length(digest) = 32),
    account bigint not null references account,
    expires_at timestamptz not null
);

create table login_failure (
    at timestamptz not null,
    login text not null,
    address text not null
);
create index login_failure_at on login_failure (at);

alter table audit add column address text; -- of who asked; null = the command line or unknown
alter table audit add column outcome text not null default 'done'
    check (outcome in ('done', 'refused'));
alter table audit add column times int not null default 1; -- the same refusal within a minute
create index audit_at on audit (at);
