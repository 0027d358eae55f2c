"""A dead letter for people and programs: where it came from, what it holds, what to do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgpack
import msgspec

from deploy.dead_letter_words import ADVICE, Hope
from streams.contracts.frame import MSGPACK
from streams.contracts.reason import Reason
from streams.storage.dead_letters import StoredLetter

SHOWN_BYTES = 4_000  # of a body; --json gives all of it
SHOWN_ITEMS = 8  # of a long column
HEX_LINE = 16


def plain(letter: StoredLetter) -> dict[str, Any]:
    """Everything of it, as plain JSON."""
    return {
        "id": letter.id,
        "reason": letter.reason,
        "detail": letter.detail,
        "stored_at": _iso(letter.stored_at),
        "partition": letter.partition,
        "position": letter.position,
        "row": letter.row if letter.row >= 0 else None,
        "source": letter.source,
        "area": letter.area,
        "domain": letter.domain,
        "retried_at": _iso(letter.retried_at),
        "retried_as": letter.retried_as,
        "retried_partition": letter.retried_partition,
        "retried_position": letter.retried_position,
    }


def plain_in_full(letter: StoredLetter) -> dict[str, Any]:
    """`plain` with headers, body and advice."""
    advice = ADVICE[Reason(letter.reason)]
    return plain(letter) | {
        "means": advice.means,
        "what_to_do": advice.do,
        "retry_helps": advice.hope is Hope.MENDED,
        "headers": letter.read_headers() if letter.headers is not None else None,
        "content_hex": letter.content.hex(),
        "content": decoded(letter),
    }


def lines(letter: StoredLetter) -> Iterator[str]:
    """The letter, line by line."""
    advice = ADVICE[Reason(letter.reason)]
    what = "the whole record" if letter.row < 0 else f"row {letter.row} of a frame"
    partition = "(not kept)" if letter.partition is None else letter.partition
    yield f"dead letter {letter.id}: {letter.reason}"
    yield f"  detail      {letter.detail}"
    yield f"  means       {advice.means}"
    yield f"  what to do  {advice.do}"
    yield f"  retry       {'helps ' if advice.hope is Hope.MENDED else ''}{_hope(letter)}"
    yield f"  from        partition {partition}, offset {letter.position}: {what}"
    yield f"  stored      {_iso(letter.stored_at) or '(not kept)'}"
    yield f"  source      {letter.source or '–'}"
    yield f"  area        {letter.area or '–'}"
    yield f"  domain      {letter.domain or '–'}"
    yield "headers" if letter.headers is not None else "headers     (not kept)"
    yield from (f"  {name:<18}{value}" for name, value in sorted(letter.read_headers().items()))
    yield f"body ({len(letter.content):,} bytes)"
    yield from (f"  {line}" for line in preview(letter))


def preview(letter: StoredLetter) -> list[str]:
    """The body: JSON with indents, msgpack as JSON with columns cut, anything else as hex."""
    found = decoded(letter)
    if found is None:
        return _hex(letter.content[:SHOWN_BYTES])
    text = json.dumps(_cut(found), ensure_ascii=False, indent=1)
    cut = [] if len(text) <= SHOWN_BYTES else [f"… {len(text) - SHOWN_BYTES:,} characters more"]
    return text[:SHOWN_BYTES].splitlines() + cut


def decoded(letter: StoredLetter) -> Any:
    """The body as plain values; None when it is neither JSON nor the msgpack that it says."""
    kind = letter.read_headers().get("content-type", "")
    if letter.row < 0 and kind.startswith(MSGPACK):
        try:
            return _columns(msgpack.unpackb(letter.content))
        except (ValueError, msgpack.UnpackException):
            return None
    try:
        found = msgspec.json.decode(letter.content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return found if isinstance(found, dict | list) else None


def _columns(found: Any) -> Any:
    """Columns of bytes as hex: the plain values are what `decode` makes of them."""
    if isinstance(found, bytes):
        return found.hex(" ", 4)
    if isinstance(found, dict):
        return {str(key): _columns(value) for key, value in found.items()}
    return [_columns(value) for value in found] if isinstance(found, list) else found


def _cut(found: Any) -> Any:
    if isinstance(found, dict):
        return {key: _cut(value) for key, value in found.items()}
    if isinstance(found, list):
        more = [f"… {len(found) - SHOWN_ITEMS:,} more"] if len(found) > SHOWN_ITEMS else []
        return [_cut(value) for value in found[:SHOWN_ITEMS]] + more
    if isinstance(found, str) and len(found) > 200:
        return f"{found[:200]} … {len(found) - 200:,} characters more"
    return found


def _hope(letter: StoredLetter) -> str:
    advice = ADVICE[Reason(letter.reason)]
    if letter.retried_at is not None:
        where = f"partition {letter.retried_partition}, offset {letter.retried_position}"
        return f"(was tried at {_iso(letter.retried_at)} as {letter.retried_as}, {where})"
    if letter.headers is None:
        return "(cannot be tried: its headers were not kept)"
    return advice.hope.value if advice.hope is Hope.MENDED else f"does not help: {advice.why}"


def _hex(content: bytes) -> list[str]:
    return [
        f"{start:06x}  {content[start : start + HEX_LINE].hex(' '):<{3 * HEX_LINE}} "
        + "".join(chr(b) if 32 <= b < 127 else "." for b in content[start : start + HEX_LINE])
        for start in range(0, len(content), HEX_LINE)
    ]


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="seconds")
