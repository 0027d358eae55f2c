"""Official warnings into the log: every partition hears each, refused ones go to the dead letters.

All partitions, because a message may end one that an area holds which it does not itself concern;
warnings are few. Sending the same again does no harm: its name follows from sender and identifier.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from sensors.warnings.reading import Refused
from streams.contracts.cap.read import MAX_BYTES
from streams.contracts.codec import encode_refusal
from streams.contracts.frame import MAX_BODY_BYTES, Refusal
from streams.contracts.reason import NamespaceKind, Origin, Reason
from streams.contracts.warning import OfficialWarning, encode_announcement
from streams.log import Entry, Log

REFUSED_PARTITION = 0
AT_ONCE = 100
ORIGINS = {
    NamespaceKind.LIVE: Origin.LIVE,
    NamespaceKind.SIMULATED: Origin.SIMULATED,
    NamespaceKind.REPLAY: Origin.REPLAYED,
    NamespaceKind.VERIFY: Origin.REPLAYED,
    NamespaceKind.DRILL: Origin.DRILL,
}


def append(
    log: Log,
    found: Iterable[OfficialWarning | Refused],
    source: str,
    origin: Origin,
    ingest_ms: int,
) -> None:
    """All of them, durable when it returns. Raises `Unavailable`: do the same again."""
    told: list[Entry] = []
    refused: list[Entry] = []
    for one in found:
        if isinstance(one, OfficialWarning):
            entry = encode_announcement(one, source, origin, ingest_ms)
            if len(entry[1]) <= MAX_BODY_BYTES:
                told.append(entry)
                continue
            detail = f"rule size: {len(entry[1])} bytes as a record"
            one = Refused(Reason.OVERSIZED, detail, one.original, one.media_type)
        refused.append(lay_down(one, source, ingest_ms))
    for partition in range(log.partitions()):
        _append(log, partition, told)
    _append(log, REFUSED_PARTITION, refused)


def lay_down(refused: Refused, source: str, ingest_ms: int) -> Entry:
    """The record that brings it to the dead letters, its bytes cut where they are too many."""
    content = refused.content[:MAX_BYTES]
    name = hashlib.sha256(refused.content).hexdigest()[:24]
    came = {"content-type": refused.media_type[:80]}
    told = Refusal(source, "", ingest_ms, refused.reason, refused.detail, 1, content, came)
    return encode_refusal(told, f"warning-{name}")


def _append(log: Log, partition: int, entries: Sequence[Entry]) -> None:
    for start in range(0, len(entries), AT_ONCE):
        log.append(partition, entries[start : start + AT_ONCE])
