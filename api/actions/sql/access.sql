-- name: note
-- A line of the audit: something was done.
insert into audit (who, what, detail, address)
values (%(who)s, %(what)s, %(detail)s, %(address)s)

-- name: refused
-- A line of the audit: something was refused, so many times.
insert into audit (who, what, detail, address, outcome, times)
values (%(who)s, %(what)s, %(detail)s, %(address)s, 'refused', %(times)s)

-- name: count_accounts
select count(*) from account

-- name: lock_accounts
-- Two starts at once must not both make the first account.
lock table account in share row exclusive mode

-- name: unknown_areas
-- Codes of which the registry, once there is one, knows neither the area nor what it lies in.
select given from unnest(%(areas)s::text[]) as given
where given <> 'all' and exists (select from area)
    and not exists (select from area where given ^@ code)
order by given

-- name: accounts
-- Accounts with what they were granted; one of them when a login is given.
select a.id, a.login, a.name, a.password, a.issuer, a.subject, a.must_change_password,
    a.disabled_at, a.created_at, a.created_by,
    coalesce((
        select jsonb_agg(jsonb_build_object('role', g.role, 'area', g.area, 'source', g.source)
            order by g.role, g.area, g.source)
        from account_grant g where g.account = a.id
    ), '[]') as grants
from account a
where (%(login)s::text is null or a.login = %(login)s)
order by a.login

-- name: account_of_subject
-- The login of the person for whom an issuer vouches.
select login from account where issuer = %(issuer)s and subject = %(subject)s

-- name: add_account
insert into account (login, name, password, issuer, subject, must_change_password, created_at,
    created_by)
values (%(login)s, %(name)s, %(password)s, %(issuer)s, %(subject)s, %(must_change)s, %(now)s,
    %(who)s)
on conflict do nothing
returning id

-- name: grant
insert into account_grant (account, role, area, source, granted_at, granted_by)
values (%(account)s, %(role)s, %(area)s, %(source)s, %(now)s, %(who)s)
on conflict do nothing

-- name: revoke_grant
delete from account_grant
where account = %(account)s and role = %(role)s and area = %(area)s and source = %(source)s

-- name: other_administrators
-- Enabled accounts, but this one, that administer everything.
select count(*) from account a
where a.id <> %(account)s and a.disabled_at is null
    and exists (
        select from account_grant g
        where g.account = a.id and g.role = 'administrator' and g.area = 'all'
    )

-- name: set_disabled
update account set disabled_at = %(at)s where id = %(account)s

-- name: set_name
update account set name = %(name)s where id = %(account)s

-- name: set_password
update account set password = %(password)s, must_change_password = %(must_change)s
where id = %(account)s

-- name: rehash
-- The same password, hashed anew; not when it was changed meanwhile.
update account set password = %(password)s where id = %(account)s and password = %(before)s

-- name: end_sessions
-- All sessions of an account, but one.
delete from session
where account = %(account)s and (%(but)s::bytea is null or digest <> %(but)s)

-- name: end_links
delete from login_link where account = %(account)s

-- name: add_session
insert into session (digest, account, method, created_at, seen_at, expires_at)
values (%(digest)s, %(account)s, %(method)s, %(now)s, %(now)s, %(expires)s)

-- name: end_session
delete from session where digest = %(digest)s

-- name: touch_session
update session set seen_at = %(now)s where digest = %(digest)s and seen_at < %(now)s

-- name: forget_sessions
-- Those that ended of themselves.
delete from session where expires_at <= %(now)s or seen_at <= %(idle)s

-- name: add_link
insert into login_link (digest, account, expires_at) values (%(digest)s, %(account)s, %(expires)s)

-- name: use_link
-- The login of a link that is valid; it is used up by that.
delete from login_link l using account a
where l.digest = %(digest)s and a.id = l.account
returning a.login, l.expires_at

-- name: forget_links
delete from login_link where expires_at <= %(now)s

-- name: failures
-- Failed logins since a moment: of this account from this address, from this address, of this
-- account from wherever.
select count(*) filter (where login = %(login)s and address = %(address)s)::int as pair,
    count(*) filter (where address = %(address)s)::int as address,
    count(*) filter (where login = %(login)s)::int as login
from login_failure
where at > %(since)s and (login = %(login)s or address = %(address)s)

-- name: add_failure
insert into login_failure (at, login, address) values (%(now)s, %(login)s, %(address)s)

-- name: forget_old_failures
delete from login_failure where at <= %(since)s

-- name: forget_failures
-- Old ones, and those of who is let in.
delete from login_failure
where at <= %(since)s or (login = %(login)s and address = %(address)s)

-- name: keys
-- API keys, newest first; one of them when its public part is given.
select id, name, scopes, areas, created_at, created_by, expires_at, revoked_at, used_at
from api_key
where (%(id)s::text is null or id = %(id)s)
order by created_at desc, id

-- name: add_key
insert into api_key (id, digest, name, scopes, areas, created_at, created_by, expires_at)
values (%(id)s, %(digest)s, %(name)s, %(scopes)s, %(areas)s, %(now)s, %(who)s, %(expires)s)

-- name: revoke_key
update api_key set revoked_at = %(now)s where id = %(id)s and revoked_at is null

-- name: touch_key
update api_key set used_at = %(now)s where id = %(id)s and (used_at is null or used_at < %(now)s)

-- name: audit
-- Lines of the audit, newest first; keyset (id) descending. `logins` and `keys`: of these only.
select id, at, who, what, outcome, times, address, detail
from audit
where (%(who)s::text is null or who = %(who)s)
    and (%(outcome)s::text is null or outcome = %(outcome)s)
    and (%(known)s::text[] is null or who = any(%(known)s))
    and (%(before)s::bigint is null or id < %(before)s)
order by id desc
limit %(limit)s
