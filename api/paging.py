"""Cursor paging: an opaque, stable place in a list, good only for the filters it was made with."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, TypeVar

import orjson
from fastapi import Query, Request

from api.problem import Problem, bad_parameter

DEFAULT_LIMIT = 100
MAX_LIMIT = 1000
_LENIENT = frozenset({"cursor", "limit"})

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Paging:
    """What the client asked for: so many items after this key (None = from the start)."""

    limit: int
    after: tuple[Any, ...] | None
    filters: str

    def key(self, *kinds: type[Any]) -> tuple[Any, ...]:
        """The key's parts, or as many None; `Problem` 422 when the cursor has other parts."""
        if self.after is None:
            return (None,) * len(kinds)
        if len(self.after) != len(kinds):
            raise _bad_cursor()
        return tuple(_part(kind, part) for kind, part in zip(kinds, self.after, strict=True))

    def cut(
        self, rows: Sequence[T], key: Callable[[T], Sequence[Any]]
    ) -> tuple[list[T], str | None]:
        """Rows were read with limit + 1: the page, and the cursor of the next one if there is."""
        page = list(rows[: self.limit])
        more = len(rows) > self.limit
        return page, encode(key(page[-1]), self.filters) if more else None


def paging(
    request: Request,
    limit: Annotated[
        int, Query(ge=1, le=MAX_LIMIT, description="Most items of one page.")
    ] = DEFAULT_LIMIT,
    cursor: Annotated[
        str | None, Query(description="`next` of the page before; keep all other parameters.")
    ] = None,
) -> Paging:
    """Dependency of every list."""
    filters = _digest(request)
    return Paging(limit, None if cursor is None else decode(cursor, filters), filters)


def encode(key: Sequence[Any], filters: str) -> str:
    """An opaque cursor."""
    content = orjson.dumps([filters, *key])
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def decode(cursor: str, filters: str) -> tuple[Any, ...]:
    """The key of a cursor. `Problem` 422 when it is not ours or was made with other filters."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        content = orjson.loads(base64.b64decode(padded.encode("ascii"), b"-_", validate=True))
    except (binascii.Error, UnicodeEncodeError, orjson.JSONDecodeError) as error:
        raise _bad_cursor() from error
    if not isinstance(content, list) or not content or content[0] != filters:
        raise _bad_cursor()
    return tuple(content[1:])


def _digest(request: Request) -> str:
    given = sorted((k, v) for k, v in request.query_params.multi_items() if k not in _LENIENT)
    return hashlib.blake2b(orjson.dumps([request.url.path, given]), digest_size=6).hexdigest()


def _part(kind: type[Any], part: object) -> Any:
    if kind is datetime and isinstance(part, str):
        try:
            return datetime.fromisoformat(part)
        except ValueError as error:
            raise _bad_cursor() from error
    if kind is not datetime and type(part) is kind:
        return part
    raise _bad_cursor()


def _bad_cursor() -> Problem:
    return bad_parameter("cursor", "not a cursor of this list with these filters")
