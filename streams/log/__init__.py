"""The log: ordered, durable records by partition. The pipeline does not see what is behind it.

Three implementations: `streams.log.postgres` (a table), `streams.log.kafka` and
`streams.log.memory` (tests). One contract suite runs over all of them
(`tests/integration/test_log.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeAlias

from streams.contracts.frame import Record

OBSERVATION_TOPIC = "city.observation.v1"
ALERT_TOPIC = "city.alert.v1"
INDICATOR_TOPIC = "city.indicator.v1"
DEADLETTER_TOPIC = "city.deadletter.v1"

Entry: TypeAlias = tuple[Mapping[str, str], bytes]  # headers, body


class Log(Protocol):
    """A topic of one namespace. Offsets of a partition start at 0 and have no gaps when written
    here; readers follow them without ever missing a record that becomes visible later. In Kafka
    there may be gaps, where others write with transactions or records were deleted.

    Every method may raise `Unavailable`. An append that raised it may have happened, in Kafka also
    a beginning of it (the identity of the frame makes a second try harmless). `Misconfigured`: no
    second try helps; somebody has to set it right.
    """

    def append(self, partition: int, entries: Sequence[Entry]) -> int:
        """Appends all of them in order, durable when it returns; gives the first offset.

        Raises `ValueError` for an unknown partition or an empty list.
        """

    def read(
        self, partition: int, offset: int, max_records: int = 1000, max_bytes: int = 8 << 20
    ) -> list[Record]:
        """Records from `offset` on, in order; at least one when there is one, whatever its size.

        What is not kept any more is passed over: `first` tells whether something was.
        """

    def first(self, partition: int) -> int:
        """The lowest offset that is still kept (the end, when nothing is)."""

    def end(self, partition: int) -> int:
        """The offset that the next record will get."""

    def partitions(self) -> int:
        """How many partitions there are, numbered from 0."""

    def identity(self) -> str:
        """Names this very log: another text after it was deleted and made again."""

    def wait(self, timeout_s: float) -> bool:
        """Returns when something may have been appended, or after the timeout (false)."""

    def close(self) -> None:
        """Gives back connections; the log itself stays."""
