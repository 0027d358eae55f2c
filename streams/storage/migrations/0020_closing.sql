-- Alerts closed by hand: what the stream answers, and whether a close stands in the log.

create table alert_close (                 -- what became of a close at its place in the log
    alert text not null,
    number int not null,                   -- of the action
    verdict text not null,
    area text not null,
    decided_at timestamptz not null,       -- processing time
    topic text not null,
    partition int not null,
    position bigint not null,
    primary key (alert, number)
);

-- Earlier ones only stood beside the alert.
alter table alert_action add column sent boolean not null default false;

create or replace view alert_with_actions as
select al.id, al.area,
    ack.who as acknowledged_by, ack.at as acknowledged_at,
    task.assignee as assigned_to,
    case when hush.action = 'silence' then hush.until end as silenced_until,
    fin.ending as closed_as, fin.who as closed_by, fin.at as closed_at,
    road.state as closure_state, road.id as closure,
    coalesce(said.executed, 0) as executed, coalesce(said.refused, 0) as refused,
    coalesce(said.failed, 0) as failed,
    case
        when fin.ending is null then null
        when not fin.sent then 'beside'
        when al.change = 'closed' then 'closed'
        else coalesce(heard.verdict, 'closing')
    end as close_state
from alert al
left join lateral (
    select a.who, a.at from alert_action a
    where a.alert = al.id and a.action = 'acknowledge' and not exists (
        select from alert_transition t where t.alert = a.alert and t.sequence > a.alert_sequence
            and t.severity > a.severity)
    order by a.number desc limit 1
) ack on true
left join lateral (
    select a.assignee from alert_action a
    where a.alert = al.id and a.action = 'assign' order by a.number desc limit 1
) task on true
left join lateral (
    select a.action, a.until from alert_action a
    where a.alert = al.id and a.action in ('silence', 'unsilence') and not exists (
        select from alert_transition t where t.alert = a.alert and t.sequence > a.alert_sequence
            and t.severity > a.severity)
    order by a.number desc limit 1
) hush on true
left join lateral (
    select a.ending, a.who, a.at, a.number, a.sent from alert_action a
    where a.alert = al.id and a.action = 'close' and not exists (
        select from alert_transition t where t.alert = a.alert and t.sequence > a.alert_sequence
            and t.severity > a.severity)
    order by a.number desc limit 1
) fin on true
left join alert_close heard on heard.alert = al.id and heard.number = fin.number
left join lateral (
    select c.id, c.state from closure c where c.alerts @> array[al.id]
    order by c.state in ('confirmed', 'ordered', 'advised') desc, c.id desc limit 1
) road on true
left join lateral (
    select count(*) filter (where newest.outcome = 'executed')::int as executed,
        count(*) filter (where newest.outcome = 'refused')::int as refused,
        count(*) filter (where newest.outcome = 'failed')::int as failed
    from (
        select distinct on (n.subscription) n.outcome from acting_answer n
        where n.alert = al.id order by n.subscription, n.event desc, n.number desc
    ) newest
) said on true;

-- Readings that came too late to be judged, and what they would have changed: one row for each kind
-- of change of an alert, or of an hour in which there never was one.
create table alert_late (
    rule text not null,
    subject text not null,
    episode text not null,                 -- id of the alert, or the hour as epoch seconds
    kind text not null check (kind in ('earlier', 'higher', 'longer', 'raised')),
    alert text,                            -- null: it would have been one that never was
    area text not null,
    readings int not null,
    first_time timestamptz not null,       -- event time
    first_value text not null,
    worst_time timestamptz not null,
    worst_value text not null,
    worst_scaled bigint not null,
    unit text not null,
    threshold text not null,               -- that the worst met
    severity smallint not null,
    sensor int not null,                   -- of the worst
    property smallint not null,
    topic text not null,
    partition int not null,
    position bigint not null,              -- of the first that came
    decided_at timestamptz not null,       -- processing time, when it came
    primary key (rule, subject, episode, kind)
);
create index alert_late_alert on alert_late (alert);
create index alert_late_area on alert_late (area, first_time);
create index alert_subject on alert (rule, subject, onset);
