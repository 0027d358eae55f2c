-- A dead letter can be tried again: where it came from, what its record said, what became of it.
-- Letters from before have none of this; they stay as they are and cannot be tried again.

alter table dead_letter add column partition int;
alter table dead_letter add column headers bytea;          -- msgpack map of text to text
alter table dead_letter add column stored_at timestamptz;  -- by the wall clock
alter table dead_letter alter column stored_at set default now();
alter table dead_letter add column retried_at timestamptz;
alter table dead_letter add column retried_as text;        -- id of the frame that it went into
alter table dead_letter add column retried_partition int;
alter table dead_letter add column retried_position bigint;
create index dead_letter_waiting on dead_letter (id) where retried_at is null;
