-- Doors: what subscriptions begin with, who answers for them, who delivers.

-- Who follows the present state of alerts begins with what is open; until then this is true.
alter table subscription add column opening boolean not null default false;
