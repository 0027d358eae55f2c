-- Messages stay until they were handed to the subscriptions, sent, and heeded by what follows from
-- alerts by itself.

create or replace view outbox_needed as
select 'handing over: ' || name as who, sequence + 1 as sequence from delivery_position
union all
select 'waiting to be sent', sequence from delivery where state = 'waiting'
union all
select 'what follows from alerts', sequence + 1 from acting_position;
