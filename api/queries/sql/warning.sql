-- name: warnings
-- Official warnings, newest first; keyset (sent, id). `active`: in force by the namespace's clock.
select id, sender, identifier, sent, kind, status, form, issuers, event, type, severity, areas,
    area_text, language, headline, description, instruction, effective, onset, expires,
    expires_stated, refers, geometry, origin, source, heard, media_type, ended_by, ended_kind,
    ended_at
from official_warning_state
where (not %(active)s or (kind <> 'Cancel' and ended_by is null
        and (%(now)s::timestamptz is null or expires > %(now)s)
        and status = any(%(statuses)s)))
    and (%(stems)s::text[] is null or exists (
        select from unnest(areas) as own (code), unnest(%(stems)s::text[]) as wanted (stem)
        where starts_with(own.code, wanted.stem)) or areas && %(above)s::text[])
    and severity >= %(severity)s
    and (%(type)s::text is null or type = %(type)s)
    and (%(start)s::timestamptz is null or least(expires, coalesce(ended_at, expires)) > %(start)s)
    and (%(end)s::timestamptz is null or sent < %(end)s)
    and (%(after_sent)s::timestamptz is null
        or (sent, id) < (%(after_sent)s::timestamptz, %(after_id)s))
order by sent desc, id desc
limit %(limit)s

-- name: warning
select id, sender, identifier, sent, kind, status, form, issuers, event, type, severity, areas,
    area_text, language, headline, description, instruction, effective, onset, expires,
    expires_stated, refers, geometry, origin, source, heard, media_type, ended_by, ended_kind,
    ended_at
from official_warning_state where id = %(id)s

-- name: warning_original
select media_type, original from official_warning where id = %(id)s
