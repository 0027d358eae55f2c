"""How many records a cycle takes, so that it does not last: latency and revocations wait for it."""

from __future__ import annotations

CYCLE_S = 0.5
LEAST = 10  # of a partition
START = 100


class Pace:
    """Learns what a record costs. Outputs do not depend on it: any split gives the same."""

    def __init__(self, most: int, cycle_s: float = CYCLE_S) -> None:
        """`most` records of a partition, whatever they cost."""
        self._most = most
        self._cycle_s = cycle_s
        self._fitting = START  # in all
        self._partitions = 1  # that had records lately

    def records(self) -> int:
        """How many of each partition the next cycle takes, at most."""
        share = self._fitting // self._partitions
        return min(max(share, LEAST), self._most)

    def took(self, records: int, partitions: int, seconds: float) -> None:
        """So many records of so many partitions lasted so long; grows twofold at most."""
        if records <= 0:
            return
        self._partitions = max(partitions, 1)
        grown = 2 * max(records, self._fitting)
        fitting = grown if seconds <= 0 else int(records * self._cycle_s / seconds)
        self._fitting = max(min(fitting, grown, self._most * self._partitions), LEAST)
