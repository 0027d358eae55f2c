-- Doors: what subscriptions begin with, who answers for them, who delivers.

-- Who follows the present state of alerts begins with what is open; until then this is true.
alter table subscription add column opening boolean not null default false;

-- Which program answers for a subscription what became of the events that it was told.

alter table subscription add column answered_by text not null default ''; -- `key:<id>`, or nobody
update subscription s set answered_by = a.who
from audit a
where a.what = 'subscription.create' and a.detail ->> 'id' = s.id and starts_with(a.who, 'key:');

alter table delivery_position add column holder text;            -- who delivers: host and process
alter table delivery_position add column held_since timestamptz;
