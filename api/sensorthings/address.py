"""Resource paths: `Things('x')/Datastreams(5)/Observations`, and the links that lead back. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import quote

from api.problem import Problem
from api.sensorthings.expression import literal_of, tokens_of
from api.sensorthings.model import TYPES, EntityType
from api.sensorthings.options import split_outside
from api.sensorthings.refusal import wrong

MOST_SEGMENTS = 8
_SEGMENT = re.compile(r"([A-Za-z]+)(?:\((.*)\))?", re.DOTALL)
Key = str | int


@dataclass(frozen=True, slots=True)
class Step:
    """One entity set or link of a path; a key picks one entity of a set."""

    name: str
    key: Key | None


@dataclass(frozen=True, slots=True)
class Address:
    """Where a path leads: steps, then perhaps a property, then perhaps `$value` or `$ref`."""

    steps: tuple[Step, ...]
    property: str | None = None
    raw: bool = False
    references: bool = False


def read_address(path: str) -> Address:
    """The address. `Problem` 400 when it cannot be one, 404 when a name leads nowhere."""
    segments = split_outside(path.strip("/"), "/")
    if len(segments) > MOST_SEGMENTS:
        raise wrong(f"more than {MOST_SEGMENTS} segments")
    raw, references = segments[-1] == "$value", segments[-1] == "$ref"
    if raw or references:
        segments = segments[:-1]
    entity: EntityType | None = None
    steps: list[Step] = []
    name: str | None = None
    for at, segment in enumerate(segments):
        match = _SEGMENT.fullmatch(segment) or _no_segment(segment)
        if entity is not None and match[1] in entity.shown and at == len(segments) - 1:
            name = match[1]
            continue
        many, entity = _next(entity, match[1])
        key = None if match[2] is None else read_key(match[2], entity)
        if key is not None and not many:
            raise wrong(f"{match[1]} is one entity and takes no key")
        steps.append(Step(match[1], key))
        if many and key is None and at < len(segments) - 1:
            raise wrong(f"{match[1]} is a set; pick one with a key before going on")
    if not steps:
        raise wrong("a path begins with an entity set")
    if (name is not None and references) or (name is None and raw):
        raise wrong("$ref is for entities, $value for a property")
    return Address(tuple(steps), name, raw, references)


def read_key(text: str, entity: EntityType) -> Key:
    """The key in the parentheses, of the entity's kind."""
    tokens = tokens_of(text)
    literal = literal_of(tokens[0]) if len(tokens) == 1 else None
    value = None if literal is None else literal.value
    if entity.key_kind == "text" and isinstance(value, str):
        return value
    if entity.key_kind == "number" and isinstance(value, Decimal) and text.strip().isdecimal():
        return int(value)
    example = "'…'" if entity.key_kind == "text" else "123"
    raise wrong(f"{entity.set_name} have keys like {entity.set_name}({example})")


def spelt_key(entity: EntityType, key: Key) -> str:
    """`Things('x')`, as in a path before it is escaped."""
    text = str(key).replace("'", "''")
    return (
        f"{entity.set_name}({key})"
        if entity.key_kind == "number"
        else (f"{entity.set_name}('{text}')")
    )


@dataclass(frozen=True, slots=True)
class Links:
    """Makes addresses of this service, absolute, in the namespace that was asked for."""

    base: str
    namespace: str | None = None

    def to(self, path: str, query: str = "") -> str:
        """The address of a path; `query` is already escaped."""
        own = f"namespace={quote(self.namespace, safe='')}" if self.namespace else ""
        asked = "&".join(filter(None, (query, own)))
        return f"{self.base}/{quote(path, safe=_UNESCAPED)}" + (f"?{asked}" if asked else "")


_UNESCAPED = "/()',:@!~*$-._"


def _no_segment(segment: str) -> re.Match[str]:
    raise wrong(f"cannot read the path at {segment[:40]!r}")


def _next(entity: EntityType | None, name: str) -> tuple[bool, EntityType]:
    if entity is None:
        if name not in TYPES:
            raise not_there(name, ", ".join(TYPES))
        return True, TYPES[name]
    if name not in entity.links:
        raise not_there(name, ", ".join([*entity.links, *entity.shown]))
    link = entity.links[name]
    return link.many, TYPES[link.target]


def not_there(name: str, known: str) -> Problem:
    """404 with what there is."""
    return Problem(404, f"There is no {name!r} here; there are: {known}.")
