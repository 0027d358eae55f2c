"""Query options, at the top and inside `$expand`: typed; what is unknown is refused. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from api.sensorthings.expression import MOST_CHARACTERS, Node, parse
from api.sensorthings.model import KEY_NAMES, TYPES, EntityType
from api.sensorthings.refusal import missing, wrong

DEFAULT_TOP = 100
MOST_TOP = 1000
MOST_EXPANDED_TOP = 100  # inside of an expansion, and of what is expanded
MOST_SKIP = 1_000_000
MOST_LEVELS = 3
MOST_EXPANDS = 8
OPTIONS = ("$filter", "$orderby", "$top", "$skip", "$count", "$select", "$expand", "$skiptoken")
OURS = ("namespace",)
_KNOWN_ELSEWHERE = ("$resultFormat", "$search", "$format", "$apply", "$compute", "$levels")
_NATURAL = re.compile(r"\d{1,9}")


@dataclass(frozen=True, slots=True)
class Order:
    """One key of `$orderby`."""

    path: tuple[str, ...]
    descending: bool


@dataclass(frozen=True, slots=True)
class Options:
    """What is wanted of one entity or set. `texts` are the options as they were written."""

    filter: Node | None = None
    order: tuple[Order, ...] = ()
    top: int = DEFAULT_TOP
    skip: int = 0
    count: bool = False
    select: tuple[str, ...] | None = None
    expand: tuple[Expand, ...] = ()
    token: str | None = None
    texts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Expand:
    """A linked entity or set that is to stand inside."""

    link: str
    options: Options


def read_query(given: Iterable[tuple[str, str]], entity: EntityType) -> Options:
    """The options of a request. `Problem` 400 or 501 with the reason."""
    texts: dict[str, str] = {}
    for name, text in given:
        if name in OURS:
            continue
        if name in texts:
            raise wrong(f"{name} is given twice")
        texts[name] = text
    return read_options(texts, entity, MOST_LEVELS, MOST_TOP)


def read_options(
    texts: Mapping[str, str], entity: EntityType, levels: int, most_top: int
) -> Options:
    """Typed options; `levels` is how deep `$expand` may still go."""
    for name in texts:
        if name in _KNOWN_ELSEWHERE:
            raise missing(f"{name} is not supported")
        if name not in OPTIONS:
            raise wrong(f"unknown option {name!r}; known: {', '.join(OPTIONS)}")
    expand = read_expand(texts["$expand"], entity, levels) if "$expand" in texts else ()
    default = min(DEFAULT_TOP, most_top)
    return Options(
        filter=parse(texts["$filter"]) if "$filter" in texts else None,
        order=read_order(texts["$orderby"], entity) if "$orderby" in texts else (),
        top=min(_natural("$top", texts, default), MOST_EXPANDED_TOP if expand else most_top),
        skip=_skip(texts),
        count=_flag("$count", texts),
        select=read_select(texts["$select"], entity) if "$select" in texts else None,
        expand=expand,
        token=texts.get("$skiptoken"),
        texts=dict(texts),
    )


def read_order(text: str, entity: EntityType) -> tuple[Order, ...]:
    """`name desc,id`. Only properties that are never missing can be sorted by."""
    found = []
    for part in text.split(","):
        words = part.split()
        if not words or len(words) > 2 or (len(words) == 2 and words[1] not in ("asc", "desc")):
            raise wrong(f"$orderby: {part.strip()!r} must be a property, then asc or desc")
        path = tuple(words[0].split("/"))
        if path[0] in entity.links:
            raise missing("$orderby by a property of a linked entity is not supported")
        known = entity.fields.get(words[0])
        if words[0] not in KEY_NAMES and (known is None or not known.sortable):
            names = ["id", *(n for n, f in entity.fields.items() if f.sortable)]
            raise wrong(f"$orderby: not by {words[0]!r}; there are: {', '.join(names)}")
        found.append(Order(path, words[1:] == ["desc"]))
    if len(found) > 4:
        raise wrong("$orderby: at most 4 keys")
    return tuple(found)


def read_select(text: str, entity: EntityType) -> tuple[str, ...]:
    """Names of properties and links."""
    names = tuple(name.strip() for name in text.split(","))
    known = {*KEY_NAMES, "@iot.selfLink", *entity.shown, *entity.links}
    for name in names:
        if name not in known:
            raise wrong(f"$select: {entity.set_name} have no {name!r}")
    return names


def read_expand(text: str, entity: EntityType, levels: int) -> tuple[Expand, ...]:
    """`Datastreams($top=1;$expand=Sensor),Locations` or `Datastreams/Sensor`."""
    if levels <= 0:
        raise wrong(f"$expand: at most {MOST_LEVELS} levels")
    if len(text) > MOST_CHARACTERS:
        raise wrong(f"$expand: longer than {MOST_CHARACTERS} characters")
    parts = split_outside(text, ",")
    if len(parts) > MOST_EXPANDS:
        raise wrong(f"$expand: more than {MOST_EXPANDS} entities at one level")
    found: dict[str, Expand] = {}
    for part in parts:
        one = _expand(part.strip(), entity, levels)
        if one.link in found:
            one = _merged(found[one.link], one, TYPES[entity.links[one.link].target], levels)
        found[one.link] = one
    return tuple(found.values())


def split_outside(text: str, sign: str) -> list[str]:
    """Splits where the sign stands outside of quotes and parentheses."""
    parts, depth, quoted, start = [], 0, False, 0
    for at, character in enumerate(text):
        if character == "'":
            quoted = not quoted
        elif not quoted:
            depth += (character == "(") - (character == ")")
            if depth < 0:
                raise wrong("a closing parenthesis has no opening one")
            if character == sign and depth == 0:
                parts.append(text[start:at])
                start = at + 1
    if depth or quoted:
        raise wrong("a parenthesis or a quote is not closed")
    return [*parts, text[start:]]


def _expand(text: str, entity: EntityType, levels: int) -> Expand:
    name, opened, rest = text.partition("(")
    first, slash, deeper = name.partition("/")
    if first not in entity.links:
        raise wrong(f"$expand: {entity.set_name} have no link {first!r}")
    target = TYPES[entity.links[first].target]
    if slash:
        return _inside(first, deeper + opened + rest, target, levels)
    if not opened:
        return Expand(first, Options(top=MOST_EXPANDED_TOP))
    if not rest.endswith(")"):
        raise wrong(f"$expand: {text!r} does not end with a parenthesis")
    texts = dict(_pairs(split_outside(rest[:-1], ";")))
    if "$skiptoken" in texts:
        raise wrong("$skiptoken is not for use inside $expand")
    return Expand(first, read_options(texts, target, levels - 1, MOST_EXPANDED_TOP))


def _pairs(parts: Sequence[str]) -> Iterable[tuple[str, str]]:
    seen = set()
    for part in parts:
        name, equals, text = part.strip().partition("=")
        if not equals:
            raise wrong(f"$expand: {part!r} is no option")
        if name in seen:
            raise wrong(f"$expand: {name} is given twice")
        seen.add(name)
        yield name, text


def _merged(one: Expand, other: Expand, target: EntityType, levels: int) -> Expand:
    """`Datastreams/Sensor,Datastreams/ObservedProperty` is one expansion with two inside."""
    if {"$expand"} != set(one.options.texts) or {"$expand"} != set(other.options.texts):
        raise wrong(f"$expand: {one.link} is given twice")
    return _inside(
        one.link, f"{one.options.texts['$expand']},{other.options.texts['$expand']}", target, levels
    )


def _inside(link: str, text: str, target: EntityType, levels: int) -> Expand:
    return Expand(link, read_options({"$expand": text}, target, levels - 1, MOST_EXPANDED_TOP))


def _natural(name: str, texts: Mapping[str, str], default: int) -> int:
    text = texts.get(name)
    if text is None:
        return default
    if not _NATURAL.fullmatch(text) or not text.isascii():
        raise wrong(f"{name} must be a number from 0")
    return int(text)


def _skip(texts: Mapping[str, str]) -> int:
    skip = _natural("$skip", texts, 0)
    if skip > MOST_SKIP:
        raise wrong(f"$skip: at most {MOST_SKIP:,}; follow @iot.nextLink instead")
    if skip and "$skiptoken" in texts:
        raise wrong("$skip and $skiptoken exclude each other")
    return skip


def _flag(name: str, texts: Mapping[str, str]) -> bool:
    text = texts.get(name, "false")
    if text not in ("true", "false"):
        raise wrong(f"{name} must be true or false")
    return text == "true"
