"""A worker that says when it has taken its partitions: `python -m tests.chaos.worker DB NAMESPACE`.

Small batches and frequent checkpoints, so that a kill finds it in the middle of something.
"""

from __future__ import annotations

import sys
import threading

import structlog

from streams.domains import find_domains
from streams.runtime.worker import worker_host


def main() -> None:
    """Works until it is killed."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    conninfo, namespace = sys.argv[1:]
    with worker_host(conninfo, namespace, find_domains(), max_records=5, checkpoint_s=0.3) as host:
        print("ready", flush=True)
        host.run_forever(threading.Event())


if __name__ == "__main__":
    main()
