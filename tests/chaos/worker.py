"""A worker that says when it has taken its partitions: `python -m tests.chaos.worker DB NAMESPACE`.

Small batches and frequent checkpoints, so that a fault finds it in the middle of something. It ends
as `citybrain worker` does: 0 after SIGTERM; 3 when another one has taken over, or when it was told
to end while the database did not answer; 2 when the log is not the one that it knows.
"""

from __future__ import annotations

import faulthandler
import signal
import sys
import threading

import structlog

from streams.domains import find_domains
from streams.errors import Misconfigured, Unavailable
from streams.runtime.setup import SteppedDown
from streams.runtime.worker import worker_host

MISCONFIGURED, UNAVAILABLE = 2, 3


def main() -> int:
    """Works until it is told to end, or killed."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    conninfo, namespace = sys.argv[1:]
    faulthandler.register(signal.SIGUSR1)  # a test that waits in vain asks where we are
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    try:
        with worker_host(
            conninfo, namespace, find_domains(), max_records=5, checkpoint_s=0.3
        ) as host:
            print("ready", flush=True)
            host.run_forever(stop)
    except (SteppedDown, Unavailable) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return UNAVAILABLE
    except Misconfigured as error:
        print(error, file=sys.stderr)
        return MISCONFIGURED
    return 0


if __name__ == "__main__":
    sys.exit(main())
