"""The place of a reader in the events of one namespace: opaque outside, checked when it comes back.

A cursor names the log that it was made over and the first number that its holder has not seen.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import struct
from dataclasses import dataclass
from uuid import UUID

VERSION = 1
_BODY = struct.Struct(">B16sQ")
_CHECK = 4


class Malformed(ValueError):
    """Not a cursor, or not of a version that is known here."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """`next`: everything before it has been seen."""

    log: UUID
    next: int

    def text(self) -> str:
        """The opaque form, for URLs and SSE ids."""
        body = _BODY.pack(VERSION, self.log.bytes, self.next)
        return base64.urlsafe_b64encode(body + _check(body)).rstrip(b"=").decode()


def parse(text: str) -> Cursor:
    """The cursor of an opaque form; `Malformed` when it is none of ours."""
    try:
        padded = text + "=" * (-len(text) % 4)
        content = base64.b64decode(padded.encode("ascii"), b"-_", validate=True)
        version, log, following = _BODY.unpack(content[:-_CHECK])
    except (binascii.Error, UnicodeEncodeError, struct.error) as error:
        raise Malformed("not a cursor of events") from error
    if version != VERSION or _check(content[:-_CHECK]) != content[-_CHECK:]:
        raise Malformed("not a cursor of events")
    cursor = Cursor(UUID(bytes=log), following)
    if cursor.text() != text:  # bits that the encoding does not use
        raise Malformed("not a cursor of events")
    return cursor


def _check(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=_CHECK).digest()
