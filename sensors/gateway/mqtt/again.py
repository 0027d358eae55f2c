"""Messages that the door refused, read again: the frames they make under today's registry.

Nothing is charged or appended here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sensors.gateway.checking import check
from sensors.gateway.decoding import claim_all, decode
from sensors.gateway.directory import Directory
from sensors.gateway.framing import frame_pieces
from sensors.gateway.mqtt.door import CONTENT_TYPE, TOPIC, find_device, sender
from sensors.gateway.mqtt.topic import read_topic
from sensors.gateway.reading import BadRequest, Claim, Refused, UnknownFormat
from streams.contracts.frame import MAX_ROWS, Frame, Refusal
from streams.contracts.reason import Reason
from streams.errors import InvalidEvent

FRAME_ROWS = 2_000
ROOT = "again"


def read_refused(
    refusal: Refusal, directory: Directory, id: str
) -> tuple[list[tuple[int, Frame]], Sequence[Refused]]:
    """(partition, frame) of everything that can be taken now, and what is refused still.

    The frames' ids begin with `id`; times that are relative to the arrival are relative to the
    first one. Rows that were taken then come again: they are duplicates. Raises `InvalidEvent`
    when nothing says how the bytes came, the topic names nobody, or the body is no batch.
    """
    came = dict(refusal.came)
    if TOPIC not in came or CONTENT_TYPE not in came:
        raise InvalidEvent(Reason.BAD_HEADERS, "nothing says on which topic the message came")
    topic = read_topic(ROOT, f"{ROOT}/{came.pop(TOPIC)}")
    who = sender(topic, find_device(topic, directory))
    try:
        request = decode(
            came.pop(CONTENT_TYPE),
            came,
            refusal.content,
            most=MAX_ROWS,
            now_ms=refusal.ingest_ms,
            gateway=who.gateway,
        )
    except (BadRequest, UnknownFormat) as error:
        raise InvalidEvent(Reason.MALFORMED, str(error)) from error
    if request.gateway != who.gateway:
        raise InvalidEvent(Reason.MALFORMED, "the body names another gateway than its topic")
    named = claim_all(replace(request, id=id), who.claim or Claim())
    pieces, refused = check(named, directory)
    return list(frame_pieces(pieces, FRAME_ROWS, refusal.ingest_ms, lambda: id)), refused
