-- name: subscriptions
-- Without secrets; with what waits and what died. By id.
select s.id, s.name, s.owner, s.answered_by, s.channel, s.target, s.filter, s.mode, s.language, s.heartbeat,
    s.inner_network, s.paused, s.previous_until, s.created_at, s.changed_at,
    coalesce(w.waiting, 0)::int as waiting, w.oldest, coalesce(d.dead, 0)::int as dead,
    greatest((select max(sequence) from outbox), s.after) as newest,
    coalesce(w.first - 1, (select sequence from delivery_position where name = 'fan-out'), s.after)
        as done_to
from subscription s
left join lateral (
    select count(*) as waiting, min(queued_at) as oldest, min(sequence) as first
    from delivery where subscription = s.id and state = 'waiting'
) w on true
left join lateral (
    select count(*) as dead from delivery where subscription = s.id and state = 'dead'
) d on true
where s.removed_at is null and s.id > %(after)s and (%(id)s::text is null or s.id = %(id)s)
order by s.id
limit %(limit)s

-- name: deliveries
-- Of one subscription, newest first; keyset (sequence).
select d.subscription, d.sequence, d.alert, d.state, d.retried, d.attempts, d.queued_at, d.next_at,
    d.done_at, d.status, d.error, d.receipt
from delivery d
where d.subscription = %(subscription)s
    and (%(state)s::text is null or d.state = %(state)s)
    and (%(after)s::bigint is null or d.sequence < %(after)s)
order by d.sequence desc
limit %(limit)s
