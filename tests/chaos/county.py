"""A county's gateway as a process: every second a frame of its dry sensors into the log, for ever.

`python -m tests.chaos.county CONNINFO NAMESPACE AREA PARTITION SENSOR…`
"""

from __future__ import annotations

import sys
import time
from contextlib import closing
from itertools import count

import numpy as np

from streams.contracts.codec import encode
from streams.contracts.frame import Frame
from streams.contracts.reason import Origin
from streams.log.postgres import PostgresLog

EVERY_S = 1.0


def main() -> None:
    conninfo, namespace, area, partition, *sensors = sys.argv[1:]
    with closing(PostgresLog(conninfo, namespace)) as log:
        for number in count():
            now_ms = time.time_ns() // 1_000_000
            log.append(int(partition), [encode(frame(area, sensors, now_ms, number))])
            time.sleep(EVERY_S)


def frame(area: str, sensors: list[str], now_ms: int, number: int) -> Frame:
    """No water anywhere."""
    rows = len(sensors)
    return Frame(
        source="gw",
        id=f"{area}-{now_ms}-{number}",
        domain="waterlogging",
        area=area,
        origin=Origin.LIVE,
        ingest_ms=now_ms,
        sensors=tuple(sensors),
        properties=("depth",),
        units=None,
        sensor=np.arange(rows, dtype=np.int32),
        property=np.zeros(rows, np.int32),
        time_ms=np.full(rows, now_ms, np.int64),
        value=np.zeros(rows, np.float64),
    )


if __name__ == "__main__":
    main()
