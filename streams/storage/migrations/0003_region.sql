-- The region pipeline takes messages in the order of their processing time, not of their commit.

create index region_log_order on region_log (proc_ms, area, sequence) where kind <> 'clock';
