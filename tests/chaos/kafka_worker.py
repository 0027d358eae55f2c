"""A worker of a group that says when it holds a partition, for chaos tests.

`python -m tests.chaos.kafka_worker DB NAMESPACE` (`CITYBRAIN_KAFKA` says where Kafka is; `--idle`
ends it when all is worked off). Small batches and frequent checkpoints, so that a kill finds it in
the middle of something; with `--one-checkpoint` only that of its end. It ends as `citybrain worker`
does: 0 after SIGTERM, 2 when the log is not the one that it knows, 3 when something did not answer.
"""

from __future__ import annotations

import faulthandler
import signal
import sys
import threading

import structlog

from streams.domains import find_domains
from streams.errors import Misconfigured, Unavailable
from streams.runtime.worker import member_host
from streams.settings import load_settings

MISCONFIGURED, UNAVAILABLE = 2, 3
OFTEN_S, NEVER_S = 0.3, 86_400.0


def main() -> int:
    """Works until it is told to end or killed."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    conninfo, namespace, *options = sys.argv[1:]
    faulthandler.register(signal.SIGUSR1)  # a test that waits in vain asks where we are
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    every_s = NEVER_S if "--one-checkpoint" in options else OFTEN_S
    try:
        with member_host(
            load_settings(),
            conninfo,
            namespace,
            find_domains(),
            max_records=5,
            checkpoint_s=every_s,
        ) as host:
            threading.Thread(target=say_ready, args=(host.health, stop), daemon=True).start()
            host.run(stop, until_idle="--idle" in options)
    except Unavailable as error:
        print(f"Unavailable: {error}", file=sys.stderr)
        return UNAVAILABLE
    except Misconfigured as error:
        print(f"Misconfigured: {error}", file=sys.stderr)
        return MISCONFIGURED
    return 0


def say_ready(health: object, stop: threading.Event) -> None:
    """Prints `ready` as soon as a partition is held."""
    while not getattr(health, "partitions", ()) and not stop.is_set():
        stop.wait(0.02)
    print("ready", flush=True)


if __name__ == "__main__":
    sys.exit(main())
