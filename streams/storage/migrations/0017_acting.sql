-- What people and programs do with alerts: their own tables, written by the API, never read by the
-- pipeline and not made again by a replay. Times `at` are of the wall clock, `event_time` is the
-- alert's at that moment. Every row says its area, by which readers are limited.

create table alert_action (
    alert text not null,
    number int not null,                   -- counts the actions on this alert
    area text not null,
    action text not null check (action in
        ('acknowledge', 'assign', 'comment', 'silence', 'unsilence', 'close')),
    who text not null,
    at timestamptz not null,
    alert_sequence int not null,           -- newest transition at that moment
    event_time timestamptz not null,
    severity smallint not null,
    note text not null default '',
    assignee text,
    until timestamptz,                     -- of a silence
    ending text check (ending in ('false_alarm', 'closed_by_hand')),
    primary key (alert, number),
    check ((action = 'silence') = (until is not null)),
    check ((action = 'close') = (ending is not null)),
    check ((action = 'assign') = (assignee is not null))
);

create table closure (
    id bigint generated always as identity primary key,
    area text not null,
    link text not null,                    -- the road link, as the registry names it
    state text not null check (state in
        ('advised', 'ordered', 'confirmed', 'reopened', 'withdrawn')),
    exercise boolean not null,
    alerts text[] not null,                -- why: the alerts behind it
    sequence int not null,                 -- number of its newest step
    since timestamptz not null,            -- of its state
    due timestamptz,                       -- overdue when no further step has come until then
    created_at timestamptz not null
);
create unique index closure_running on closure (link, exercise) -- a drill never hides the real one
    where state in ('advised', 'ordered', 'confirmed');
create index closure_alerts on closure using gin (alerts);

create table closure_step (
    closure bigint not null references closure,
    number int not null,
    area text not null,
    step text not null check (step in
        ('advise', 'order', 'confirm', 'reopen', 'withdraw', 'note')),
    who text not null,
    at timestamptz not null,
    alert text,
    event_time timestamptz,
    hazard text not null check (hazard in ('over', 'open', 'stale')),
    note text not null default '',
    reference text not null default '',
    despite boolean not null default false,
    primary key (closure, number)
);

create table public_message (
    id bigint generated always as identity primary key,
    area text not null,
    alert text,
    corrects bigint references public_message,
    text_zh text not null,
    text_en text not null,
    digest text not null,                  -- what a signature is for
    expires timestamptz not null,
    exercise boolean not null,
    author text not null,
    state text not null check (state in ('draft', 'signed', 'sent', 'refused')),
    sequence int not null,                 -- number of its newest step
    created_at timestamptz not null,
    event_time timestamptz
);
create index public_message_newest on public_message (created_at);

create table message_step (                -- the signature is the step `sign`
    message bigint not null references public_message,
    number int not null,
    area text not null,
    step text not null check (step in ('draft', 'sign', 'refuse', 'send')),
    who text not null,
    at timestamptz not null,
    digest text not null,
    note text not null default '',
    reference text not null default '',
    primary key (message, number)
);
-- Two people, also where somebody writes past the program.
create function message_signed_by_another() returns trigger language plpgsql as $$
begin
    if new.step = 'sign' and new.who = (select author from public_message where id = new.message)
    then
        raise exception 'the author of a message cannot sign it';
    end if;
    return new;
end
$$;
create trigger message_signed_by_another before insert or update on message_step
    for each row execute function message_signed_by_another();

create table acting_answer (
    event bigint not null,                 -- number of the outbox
    subscription text not null,
    number int not null,                   -- counts the answers of this subscription to this event
    alert text not null,
    alert_sequence int not null,
    area text not null,
    outcome text not null check (outcome in ('executed', 'refused', 'failed')),
    reference text not null,
    reason text not null default '',
    late boolean not null,                 -- the event was not valid any more
    who text not null,
    at timestamptz not null,
    event_time timestamptz not null,
    primary key (event, subscription, number)
);
create index acting_answer_alert on acting_answer (alert, at);

create table callout (
    alert text primary key,
    area text not null,
    exercise boolean not null,
    severity smallint not null,
    lines jsonb not null,
    sequence int not null,
    due timestamptz,                       -- next deadline
    overdue boolean not null,
    ended boolean not null,
    started timestamptz not null
);
create index callout_due on callout (due) where due is not null;

create table callout_step (
    alert text not null references callout,
    number int not null,
    area text not null,
    event text not null check (event in
        ('called', 'answered', 'acting', 'unreached', 'not_acting', 'ended')),
    line text not null,
    post text,
    level text,
    who text not null,
    at timestamptz not null,
    event_time timestamptz not null,
    note text not null default '',
    reference text not null default '',
    primary key (alert, number)
);

create table acting_position (             -- the outbox has been heeded up to here; locked while it is
    only_row boolean primary key default true check (only_row),
    sequence bigint not null
);
insert into acting_position (sequence) select coalesce(max(sequence), -1) from outbox;

-- How alerts stand with people. An action holds until the alert rises above its severity of then.
create view alert_with_actions as
select al.id, al.area,
    ack.who as acknowledged_by, ack.at as acknowledged_at,
    task.assignee as assigned_to,
    case when hush.action = 'silence' then hush.until end as silenced_until,
    fin.ending as closed_as, fin.who as closed_by, fin.at as closed_at,
    road.state as closure_state, road.id as closure,
    coalesce(said.executed, 0) as executed, coalesce(said.refused, 0) as refused,
    coalesce(said.failed, 0) as failed
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
    select a.ending, a.who, a.at from alert_action a
    where a.alert = al.id and a.action = 'close' and not exists (
        select from alert_transition t where t.alert = a.alert and t.sequence > a.alert_sequence
            and t.severity > a.severity)
    order by a.number desc limit 1
) fin on true
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
