"""Order and the place to go on from: every page begins after a key, whatever arrives meanwhile."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import orjson

from api.paging import decode, encode
from api.problem import Problem
from api.queries.composed import ALIAS
from api.sensorthings.expression import moment_of
from api.sensorthings.model import KEY_NAMES, OBSERVATIONS, EntityType, Field, Kind, key_field
from api.sensorthings.options import Order
from api.sensorthings.refusal import wrong
from api.sensorthings.translate import Translator

TIME = "phenomenonTime"


@dataclass(frozen=True, slots=True)
class SortKey:
    """One expression to sort by."""

    name: str
    sql: str
    kind: Kind
    descending: bool

    @property
    def ordered(self) -> str:
        return f"{self.sql} {'desc' if self.descending else 'asc'}"


def sort_keys(entity: EntityType, wanted: Sequence[Order]) -> list[SortKey]:
    """What is wanted, then what makes it unambiguous. Observations: newest first unless told."""
    keys = [_key(entity, "/".join(o.path), o.descending) for o in wanted]
    names = {key.name for key in keys}
    if entity is not OBSERVATIONS:
        return keys if "id" in names else [*keys, _key(entity, "id", False)]
    if TIME not in names:
        keys.append(_key(entity, TIME, True))
    descending = next(k.descending for k in keys if k.name == TIME)
    return [*keys, SortKey("datastream", f"{ALIAS}.datastream", "number", descending)]


def direction(keys: Sequence[SortKey]) -> bool | None:
    """Whether newest come first; None when the order is not that of time."""
    return keys[0].descending if keys[0].name == TIME else None


def after(keys: Sequence[SortKey], values: Sequence[Any], translator: Translator) -> str:
    """The condition for rows behind this key."""
    given = [translator.parameter(v, k.kind) for k, v in zip(keys, values, strict=True)]
    parts = []
    for at, key in enumerate(keys):
        same = [f"{k.sql} = {g}" for k, g in zip(keys[:at], given[:at], strict=True)]
        parts.append(
            " and ".join([*same, f"{key.sql} {'<' if key.descending else '>'} {given[at]}"])
        )
    return "(" + " or ".join(f"({part})" for part in parts) + ")"


def token_of(keys: Sequence[SortKey], row: Mapping[str, Any], digest: str) -> str:
    """The place behind this row, opaque."""
    return encode([_spelt(row[f"k{at}"]) for at in range(len(keys))], digest)


def values_of(token: str, keys: Sequence[SortKey], digest: str) -> list[Any]:
    """The key in a token. `Problem` 400 when it is of another question."""
    try:
        parts = decode(token, digest)
    except Problem as error:
        raise wrong("$skiptoken is not of this question") from error
    if len(parts) != len(keys) or not all(isinstance(p, str) and "\x00" not in p for p in parts):
        raise wrong("$skiptoken is not of this question")
    return [_read(part, key.kind) for part, key in zip(parts, keys, strict=True)]


def digest_of(path: str, texts: Mapping[str, str]) -> str:
    """What a token is good for: the same path, filter and order."""
    content = [path, texts.get("$filter", ""), texts.get("$orderby", "")]
    return hashlib.blake2b(orjson.dumps(content), digest_size=6).hexdigest()


def _key(entity: EntityType, name: str, descending: bool) -> SortKey:
    found: Field = key_field(entity) if name in KEY_NAMES else entity.fields[name]
    own = "id" if name in KEY_NAMES else name
    return SortKey(own, found.sql.format(ALIAS), found.kind, descending)


def _spelt(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _read(part: str, kind: Kind) -> Any:
    match kind:
        case "time":
            return moment_of(part)
        case "number":
            try:
                return Decimal(part)
            except InvalidOperation as error:
                raise wrong("$skiptoken is not of this question") from error
    return part
