"""Pieces of requests to frames.

A request with an id gets frames of its own whose ids follow from that id and the rows: sent
again, it makes the same frames and the pipeline drops them whole. Requests without an id share
frames with what arrived beside them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec
import numpy as np

from sensors.gateway.checking import Piece, Row
from streams.contracts.frame import Frame
from streams.contracts.reason import Flag, Origin


def frame_pieces(
    pieces: Iterable[Piece], frame_rows: int, ingest_ms: int, new_id: Callable[[], str]
) -> Iterator[tuple[int, Frame]]:
    """(partition, frame) of at most `frame_rows` rows each; rows keep their order of arrival."""
    shared: dict[tuple[str, str, str], list[Piece]] = {}
    for piece in pieces:
        if piece.request is None:
            shared.setdefault((piece.source, piece.area, piece.domain), []).append(piece)
            continue
        for rows in _cut(piece.rows, frame_rows):
            yield piece.partition, build_frame(piece, _stable_id(piece, rows), rows, ingest_ms)
    for alike in shared.values():
        together = [row for piece in alike for row in piece.rows]
        for rows in _cut(together, frame_rows):
            yield alike[0].partition, build_frame(alike[0], new_id(), rows, ingest_ms)


def build_frame(piece: Piece, id: str, rows: Sequence[Row], ingest_ms: int) -> Frame:
    """One frame of these rows; rows without a flag get 2 (not evaluated) beside rows with one."""
    sensors: dict[str, int] = {}
    properties: dict[str, int] = {}
    sensor = [sensors.setdefault(row[0], len(sensors)) for row in rows]
    prop = [properties.setdefault(row[1], len(properties)) for row in rows]
    flags = None
    if any(row[4] is not None for row in rows):
        given = (int(Flag.NOT_EVALUATED) if row[4] is None else row[4] for row in rows)
        flags = np.fromiter(given, np.int8, len(rows))
    return Frame(
        source=piece.source,
        id=id,
        domain=piece.domain,
        area=piece.area,
        origin=Origin.LIVE,
        ingest_ms=ingest_ms,
        sensors=tuple(sensors),
        properties=tuple(properties),
        units=None,
        sensor=np.array(sensor, np.int32),
        property=np.array(prop, np.int32),
        time_ms=np.fromiter((row[2] for row in rows), np.int64, len(rows)),
        value=np.fromiter((row[3] for row in rows), np.float64, len(rows)),
        flag=flags,
    )


def _cut(rows: list[Row], size: int) -> Iterator[list[Row]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def _stable_id(piece: Piece, rows: list[Row]) -> str:
    """Request id, and a digest of what the frame holds.

    Without the digest, a retry of which more is accepted (a sensor was registered meanwhile)
    would give other rows the id of a frame that is dropped.
    """
    content = msgspec.msgpack.encode((piece.area, piece.domain, rows))
    return f"{piece.request}:{hashlib.sha256(content).hexdigest()[:24]}"
