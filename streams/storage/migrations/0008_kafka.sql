-- The log may stand outside the database: where it does, and what names it.

alter table namespace add column log text not null default 'table' check (log in ('table', 'kafka'));
alter table position alter column log_id type text using log_id::text;
-- Append time of the last record before next_offset: up to when the outputs are complete.
alter table position add column last_append_ms bigint;
