-- name: session_of
-- The person of a session, with what was granted.
select a.login, a.must_change_password, a.disabled_at, s.method, s.seen_at, s.expires_at,
    coalesce((
        select jsonb_agg(jsonb_build_object('role', g.role, 'area', g.area))
        from account_grant g where g.account = a.id
    ), '[]') as grants
from session s join account a on a.id = s.account
where s.digest = %(digest)s

-- name: key_of
-- The API key with this public part.
select id, digest, scopes, areas, expires_at, revoked_at, used_at from api_key where id = %(id)s
