"""All metrics of the workers in one typed list, `citybrain_<room>_<what>_<unit>`."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

# Records of the log that a committed transaction covered, and readings stored on time with them.
RECORDS = Counter("citybrain_runtime_records_total", "Log records committed.", ["partition"])
READINGS = Counter("citybrain_runtime_readings_total", "Readings stored on time.", ["partition"])
LATE = Counter("citybrain_runtime_late_total", "Late candidates merged.", ["partition"])
# How far behind the end of the log the last look found us.
LAG = Gauge("citybrain_runtime_lag_records", "Records not read yet.", ["partition"])
# How far the last checkpoint is from the oldest record that the log still keeps.
RETAINED = Gauge("citybrain_log_retained_records", "Records before the checkpoint.", ["partition"])
# Where the time goes.
PROCESS = Histogram("citybrain_runtime_process_seconds", "One cycle of the pipelines.")
COMMIT = Histogram("citybrain_storage_commit_seconds", "One transaction, retries included.")
CHECKPOINT = Counter("citybrain_storage_checkpoint_bytes_total", "Bytes of checkpoints written.")
# Trouble.
RETRIES = Counter("citybrain_storage_retries_total", "Commits said again: database unavailable.")
POISON = Counter("citybrain_runtime_poison_total", "Records given up to the dead letters.")
GAPS = Counter("citybrain_log_gaps_total", "Offsets that the log skipped.", ["partition"])
FENCES = Counter("citybrain_runtime_fences_total", "Commits that the fence refused.")
# Health: the loop turns.
TURN = Gauge("citybrain_runtime_turn_timestamp_seconds", "When the host's loop last turned.")
# Sharing the partitions with other workers (Kafka).
ASSIGNED = Gauge("citybrain_runtime_assigned_partitions", "Partitions that the group gives us.")
REBALANCES = Counter("citybrain_runtime_rebalances_total", "Assignments by the group.")
QUEUED = Gauge("citybrain_runtime_queued_bytes", "Fetched and not read yet.", ["partition"])
PAUSED = Gauge("citybrain_runtime_paused_partitions", "Partitions whose fetching is paused.")
TICKS_LOST = Counter("citybrain_runtime_ticks_lost_total", "Ticks that could not be appended.")
