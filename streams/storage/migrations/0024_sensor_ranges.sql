-- The block ranges of readings tell sensors apart as well: rows come area by area, so a look for
-- some sensors of the open day leaves out the blocks of all other areas.

drop index observation_t;
create index observation_t on observation using brin (t timestamptz_minmax_multi_ops, sensor)
    with (pages_per_range = 32, autosummarize = on);
